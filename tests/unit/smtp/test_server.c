#include "smtp/server.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "tests/support/unit.h"

/* An owner that accepts what does not begin with "no", and writes down what it was given. */
struct owner {
	struct smtp_server *server;
	struct buf said;     /* by the server */
	struct buf messages; /* "from>recipient,recipient:content|" */
	size_t count;
	bool waits;    /* does not answer SMTP_SERVER_MESSAGE by itself */
	bool is_asked; /* and is asked now */
	bool was_cut;
};

#define EHLO_REPLY(size)                                                                                               \
	"250-mx\r\n250-PIPELINING\r\n250-SIZE " size "\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SMTPUTF8\r\n"
#define BANNER "220 mx ESMTP\r\n"

static struct smtp_server_options options_default(void)
{
	return (struct smtp_server_options){
		.hostname = view_of("mx"),
		.asks = 1u << SMTP_SERVER_RCPT | 1u << SMTP_SERVER_MESSAGE,
		.max_message = 1000,
		.max_recipients = 3,
	};
}

static struct owner owner_new(const struct smtp_server_options *options)
{
	struct owner owner = { .said = buf_with_ceiling(1 << 20), .messages = buf_with_ceiling(1 << 20) };
	ck_assert(smtp_server_new(options, &owner.server) == ERR_OK);
	return owner;
}

static void owner_done(struct owner *owner)
{
	smtp_server_done(owner->server);
	buf_done(&owner->said);
	buf_done(&owner->messages);
}

static void note_message(struct owner *owner)
{
	struct smtp_server_message message;
	smtp_server_message(owner->server, &message);
	owner->count++;
	owner->was_cut = message.cut;
	buf_addf(&owner->messages, VIEW_FMT ">", VIEW_ARG(message.from));
	for (size_t i = 0; i < message.recipient_count; i++)
		buf_addf(&owner->messages, i == 0 ? VIEW_FMT : "," VIEW_FMT, VIEW_ARG(message.recipients[i]));
	buf_addf(&owner->messages, ":" VIEW_FMT "|", VIEW_ARG(message.content));
}

static void on_ask(struct owner *owner, const struct smtp_server_event *event)
{
	struct smtp_server_answer answer = { .code = 0 };
	if (event->step == SMTP_SERVER_MESSAGE) {
		note_message(owner);
		owner->is_asked = owner->waits;
	}
	if (event->step == SMTP_SERVER_RCPT && view_starts(event->subject, VIEW_LIT("no")))
		answer = (struct smtp_server_answer){ .code = 550,
						      .status = view_of("5.1.1"),
						      .text = view_of("No such user") };
	if (!owner->is_asked)
		smtp_server_answer(owner->server, &answer);
}

/* False when the session is over. */
static bool run(struct owner *owner)
{
	struct smtp_server_event event;
	do {
		smtp_server_next(owner->server, &event);
		if (event.type == SMTP_SERVER_ASKS)
			on_ask(owner, &event);
		struct view output = smtp_server_output(owner->server);
		buf_add(&owner->said, output);
		smtp_server_written(owner->server, output.len);
	} while (event.type == SMTP_SERVER_ASKS && !owner->is_asked);
	return event.type != SMTP_SERVER_CLOSED;
}

static bool say(struct owner *owner, struct view bytes)
{
	smtp_server_input(owner->server, bytes);
	return run(owner);
}

/* ---- conversations ---- */

struct row {
	const char *label, *input, *output, *messages;
	bool closes;
};

#define HI "EHLO me\r\n"
#define HI_REPLY BANNER EHLO_REPLY("1000")
#define TO "MAIL FROM:<a@b.c>\r\nRCPT TO:<d@e.f>\r\n"
#define TO_REPLY "250 2.1.0 Sender ok\r\n250 2.1.5 Recipient ok\r\n"
#define GO "354 End with CRLF . CRLF\r\n"
#define DONE "250 2.0.0 Message accepted\r\n"
#define ORDER "503 5.5.1 Not now: commands are out of order\r\n"
#define PATH "501 5.5.4 An address in <> is wanted\r\n"

static const struct row rows[] = {
	{ "greeting", "", BANNER, "", false },
	{ "ehlo", HI, HI_REPLY, "", false },
	{ "helo", "HELO me\r\n", BANNER "250 mx\r\n", "", false },
	{ "lhlo", "LHLO me\r\n", BANNER "500 5.5.1 This is SMTP: EHLO is wanted\r\n", "", false },
	{ "any case, blanks", "  ehlo  me \r\n", HI_REPLY, "", false },
	{ "ehlo without name", "EHLO\r\n", BANNER "501 5.5.4 A domain or an address literal is wanted\r\n", "", false },
	{ "a message", HI TO "DATA\r\nhi\r\n.\r\n", HI_REPLY TO_REPLY GO DONE, "a@b.c>d@e.f:hi\r\n|", false },
	{ "an empty message", HI TO "DATA\r\n.\r\n", HI_REPLY TO_REPLY GO DONE, "a@b.c>d@e.f:|", false },
	{ "dots", HI TO "DATA\r\n..\r\n..a\r\n.b\r\na.\r\n.\r\n", HI_REPLY TO_REPLY GO DONE,
	  "a@b.c>d@e.f:.\r\n.a\r\nb\r\na.\r\n|", false },
	{ "two messages and quit", HI TO "DATA\r\n1\r\n.\r\n" TO "DATA\r\n2\r\n.\r\nQUIT\r\n",
	  HI_REPLY TO_REPLY GO DONE TO_REPLY GO DONE "221 2.0.0 Goodbye\r\n", "a@b.c>d@e.f:1\r\n|a@b.c>d@e.f:2\r\n|",
	  true },
	{ "null sender", HI "MAIL FROM:<>\r\n", HI_REPLY "250 2.1.0 Sender ok\r\n", "", false },
	{ "parameters",
	  HI "MAIL FROM:<> SIZE=5 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=x\r\nRCPT TO:<a@b> NOTIFY=NEVER "
	     "ORCPT=rfc822;a@b\r\n",
	  HI_REPLY TO_REPLY, "", false },
	{ "unknown parameter", HI "MAIL FROM:<> X=1\r\n", HI_REPLY "555 5.5.4 This parameter is not known\r\n", "",
	  false },
	{ "bad value", HI "MAIL FROM:<> SIZE=x\r\n", HI_REPLY "501 5.5.4 This parameter cannot have that value\r\n", "",
	  false },
	{ "size known too large", HI "MAIL FROM:<> SIZE=1001\r\n", HI_REPLY "250 2.1.0 Sender ok\r\n", "", false },
	{ "no brackets", HI "MAIL FROM:a@b\r\n", HI_REPLY PATH, "", false },
	{ "open bracket", HI "MAIL FROM:<a@b\r\n", HI_REPLY PATH, "", false },
	{ "junk behind the bracket", HI "MAIL FROM:<a@b>x\r\n", HI_REPLY PATH, "", false },
	{ "empty recipient", HI "MAIL FROM:<>\r\nRCPT TO:<>\r\n", HI_REPLY "250 2.1.0 Sender ok\r\n" PATH, "", false },
	{ "source route", HI "MAIL FROM:<@x,@y:a@b>\r\nRCPT TO:<@z:no@b>\r\n",
	  HI_REPLY "250 2.1.0 Sender ok\r\n550 5.1.1 No such user\r\n", "", false },
	{ "quoted bracket", HI "MAIL FROM:<\"a> b\"@c>\r\n", HI_REPLY "250 2.1.0 Sender ok\r\n", "", false },
	{ "international without SMTPUTF8", HI "MAIL FROM:<\xc3\xbc@b>\r\n",
	  HI_REPLY "553 5.6.7 An international address needs SMTPUTF8\r\n", "", false },
	{ "one of two recipients", HI "MAIL FROM:<>\r\nRCPT TO:<no@b>\r\nRCPT TO:<yes@b>\r\nDATA\r\n.\r\n",
	  HI_REPLY "250 2.1.0 Sender ok\r\n550 5.1.1 No such user\r\n250 2.1.5 Recipient ok\r\n" GO DONE, ">yes@b:|",
	  false },
	{ "no recipients", HI "MAIL FROM:<>\r\nRCPT TO:<no@b>\r\nDATA\r\n",
	  HI_REPLY "250 2.1.0 Sender ok\r\n550 5.1.1 No such user\r\n554 5.5.1 No valid recipients\r\n", "", false },
	{ "too many recipients", HI TO "RCPT TO:<2@b>\r\nRCPT TO:<3@b>\r\nRCPT TO:<4@b>\r\nDATA\r\n.\r\n",
	  HI_REPLY TO_REPLY
	  "250 2.1.5 Recipient ok\r\n250 2.1.5 Recipient ok\r\n452 4.5.3 Too many recipients\r\n" GO DONE,
	  "a@b.c>d@e.f,2@b,3@b:|", false },
	{ "reset", HI TO "RSET\r\nDATA\r\n", HI_REPLY TO_REPLY "250 2.0.0 Ok\r\n" ORDER, "", false },
	{ "ehlo resets", HI TO "EHLO me\r\nDATA\r\n", HI_REPLY TO_REPLY EHLO_REPLY("1000") ORDER, "", false },
	{ "nested mail", HI TO "MAIL FROM:<>\r\n", HI_REPLY TO_REPLY ORDER, "", false },
	{ "pipelined garbage", HI "GET / HTTP/1.1\r\n\r\nNOOP\r\n",
	  HI_REPLY "500 5.5.2 Command is not known\r\n500 5.5.2 Command is not known\r\n250 2.0.0 Ok\r\n", "", false },
	{ "data with an argument", HI TO "DATA x\r\n", HI_REPLY TO_REPLY "501 5.5.4 DATA takes no argument\r\n", "",
	  false },
	{ "bare CR in a command", HI "NOOP\rQUIT\r\nNOOP\r\n",
	  HI_REPLY "500 5.5.2 Lines end with CRLF and hold no CR, LF or NUL\r\n250 2.0.0 Ok\r\n", "", false },
	{ "bare LF in a command", HI "NOOP\nQUIT\r\nNOOP\r\n",
	  HI_REPLY "500 5.5.2 Lines end with CRLF and hold no CR, LF or NUL\r\n250 2.0.0 Ok\r\n", "", false },
	{ "several bare LF", HI "NOOP\nQUIT\nQUIT\r\nNOOP\r\n",
	  HI_REPLY "500 5.5.2 Lines end with CRLF and hold no CR, LF or NUL\r\n250 2.0.0 Ok\r\n", "", false },
};

static void check_row(const struct row *row, const struct owner *owner, bool is_open)
{
	ck_row(row->label, is_open == !row->closes);
	ck_assert_msg(view_eq(buf_view(&owner->said), view_of(row->output)), "%s: got\n" VIEW_FMT "expected\n%s",
		      row->label, VIEW_ARG(buf_view(&owner->said)), row->output);
	ck_view_eq(buf_view(&owner->messages), row->messages);
}

/* The whole input, in two pieces at every octet, and octet by octet. */
static void play(const struct row *row, size_t first, size_t step)
{
	struct smtp_server_options options = options_default();
	struct owner owner = owner_new(&options);
	bool is_open = run(&owner);
	struct view input = view_of(row->input);
	for (size_t len = first; is_open && input.len > 0; len = step) {
		is_open = say(&owner, view_head(input, len));
		input = view_skip(input, len);
	}
	check_row(row, &owner, is_open);
	owner_done(&owner);
}

START_TEST(conversations)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			for (size_t split = 1; split <= strlen(rows[i].input); split++)
				play(&rows[i], split, SIZE_MAX);
			play(&rows[i], SIZE_MAX, SIZE_MAX);
			play(&rows[i], 1, 1);
		}
	}
END_TEST

/* ---- the command table: every command in every state ---- */

struct command_row {
	const char *command;
	unsigned codes[4]; /* before EHLO, after it, after MAIL, after RCPT */
};

static const struct command_row command_rows[] = {
	{ "EHLO me", { 250, 250, 250, 250 } },
	{ "HELO me", { 250, 250, 250, 250 } },
	{ "MAIL FROM:<>", { 503, 250, 503, 503 } },
	{ "RCPT TO:<a@b>", { 503, 503, 250, 250 } },
	{ "DATA", { 503, 503, 554, 354 } },
	{ "RSET", { 250, 250, 250, 250 } },
	{ "NOOP", { 250, 250, 250, 250 } },
	{ "QUIT", { 221, 221, 221, 221 } },
	{ "VRFY a", { 252, 252, 252, 252 } },
	{ "EXPN a", { 502, 502, 502, 502 } },
	{ "HELP", { 502, 502, 502, 502 } },
	{ "ETRN a", { 502, 502, 502, 502 } },
	{ "AUTH PLAIN AA==", { 502, 502, 502, 502 } },
	{ "STARTTLS", { 502, 502, 502, 502 } },
	{ "XYZZY", { 500, 500, 500, 500 } },
	{ "", { 500, 500, 500, 500 } },
};

START_TEST(every_command_in_every_state)
	{
		static const char *const ways[] = { "", HI, HI "MAIL FROM:<>\r\n", HI TO };
		for (size_t i = 0; i < ARRAY_LEN(command_rows); i++) {
			for (size_t way = 0; way < ARRAY_LEN(ways); way++) {
				struct smtp_server_options options = options_default();
				struct owner owner = owner_new(&options);
				run(&owner);
				say(&owner, view_of(ways[way]));
				buf_reset(&owner.said);
				say(&owner, view_of(command_rows[i].command));
				say(&owner, view_of("\r\n"));
				char code[4];
				snprintf(code, sizeof(code), "%u", command_rows[i].codes[way]);
				ck_assert_msg(view_starts(buf_view(&owner.said), view_of(code)),
					      "%s in state %zu: got " VIEW_FMT, command_rows[i].command, way,
					      VIEW_ARG(buf_view(&owner.said)));
				owner_done(&owner);
			}
		}
	}
END_TEST

/* ---- smuggling ---- */

#define INSIDE(bytes)                                                                                                  \
	{                                                                                                              \
#bytes, bytes, sizeof(bytes) - 1                                                                       \
	}
static const struct {
	const char *label, *bytes;
	size_t len;
} endings[] = {
	INSIDE("\n.\n"),       INSIDE("\n.\r\n"),   INSIDE("\r\n.\n"),       INSIDE("\r.\r"),
	INSIDE("\r\n.\r"),     INSIDE("\r.\r\n"),   INSIDE("\r\n\0.\r\n"),   INSIDE("\r\n.\0\r\n"),
	INSIDE("\r\n.\r\0\n"), INSIDE("\n\n.\n\n"), INSIDE("\r\r\n.\r\r\n"), INSIDE("\r\n.\r\r\n"),
	INSIDE("\r\r.\r\r"),   INSIDE("\n\r.\n\r"), INSIDE("\r\n\n.\r\n"),
};

static void smuggle(size_t i, size_t split)
{
	AUTO_BUF input = buf_with_ceiling(1000);
	buf_addf(&input, HI TO "DATA\r\nfirst");
	buf_add(&input, view_from(endings[i].bytes, endings[i].len));
	buf_addf(&input, "MAIL FROM:<evil@b.c>\r\nRCPT TO:<d@e.f>\r\nDATA\r\nsecond\r\n.\r\nNOOP\r\n");
	struct smtp_server_options options = options_default();
	struct owner owner = owner_new(&options);
	run(&owner);
	bool is_open = say(&owner, view_head(buf_view(&input), split));
	if (is_open)
		is_open = say(&owner, view_skip(buf_view(&input), split));
	ck_row(endings[i].label, !is_open);
	ck_row(endings[i].label, owner.count == 0);
	ck_view_eq(buf_view(&owner.said),
		   HI_REPLY TO_REPLY GO "550 5.6.0 Message holds a bare CR, a bare LF or a NUL\r\n");
	owner_done(&owner);
}

START_TEST(smuggled_endings_are_refused)
	{
		for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
			for (size_t split = 1; split < 130; split++)
				smuggle(i, split);
		}
	}
END_TEST

/* ---- the owner's time ---- */

START_TEST(nothing_is_executed_while_the_owner_thinks)
	{
		struct smtp_server_options options = options_default();
		struct owner owner = owner_new(&options);
		owner.waits = true;
		run(&owner);
		say(&owner, view_of(HI TO "DATA\r\n1\r\n.\r\nMAIL FROM:<x@y>\r\nRCPT TO:<no@b>\r\nQUIT\r\n"));
		ck_view_eq(buf_view(&owner.said), HI_REPLY TO_REPLY GO);
		ck_assert(owner.is_asked && owner.count == 1);
		owner.is_asked = false;
		struct smtp_server_answer answer = { .code = 451,
						     .status = view_of("4.3.0"),
						     .text = view_of("Later\r\n250 forged") };
		smtp_server_answer(owner.server, &answer);
		ck_assert(!run(&owner));
		ck_view_eq(buf_view(&owner.said),
			   HI_REPLY TO_REPLY GO "451 4.3.0 Later  250 forged\r\n250 2.1.0 Sender ok\r\n550 5.1.1 No "
						"such user\r\n221 2.0.0 Goodbye\r\n");
		owner_done(&owner);
	}
END_TEST

START_TEST(reading_stops_while_much_is_unread)
	{
		struct smtp_server_options options = options_default();
		struct owner owner = owner_new(&options);
		owner.waits = true;
		run(&owner);
		say(&owner, view_of(HI TO "DATA\r\n1\r\n.\r\n"));
		ck_assert(smtp_server_wants_input(owner.server));
		for (size_t i = 0; i < LIMIT_SMTP_INPUT / 4 / 6; i++)
			smtp_server_input(owner.server, view_of("NOOP\r\n"));
		smtp_server_input(owner.server, view_of("NOOP\r\n"));
		ck_assert(!smtp_server_wants_input(owner.server));
		owner_done(&owner);
	}
END_TEST

START_TEST(the_owner_shuts)
	{
		struct smtp_server_options options = options_default();
		struct owner owner = owner_new(&options);
		run(&owner);
		smtp_server_shut(owner.server, view_of("Going down"));
		ck_assert(!run(&owner));
		ck_view_eq(buf_view(&owner.said), BANNER "421 4.4.2 Going down\r\n");
		owner_done(&owner);
	}
END_TEST

START_TEST(early_talkers_are_refused)
	{
		struct smtp_server_options options = options_default();
		options.asks |= 1u << SMTP_SERVER_BANNER;
		struct smtp_server *server;
		struct smtp_server_event event;
		ck_assert(smtp_server_new(&options, &server) == ERR_OK);
		smtp_server_next(server, &event);
		ck_assert(event.type == SMTP_SERVER_ASKS && event.step == SMTP_SERVER_BANNER);
		smtp_server_input(server, view_of("EHLO me\r\n"));
		smtp_server_next(server, &event);
		ck_assert(event.type == SMTP_SERVER_CLOSED);
		ck_view_eq(smtp_server_output(server), "554 5.5.1 You speak before the greeting\r\n");
		smtp_server_done(server);
	}
END_TEST

/* ---- STARTTLS ---- */

#define TLS_EHLO                                                                                                       \
	"250-mx\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-STARTTLS\r\n250-ENHANCEDSTATUSCODES\r\n"     \
	"250 SMTPUTF8\r\n"
#define GO_TLS "220 2.0.0 Ready for TLS\r\n"

static const struct tls_row {
	const char *label, *input, *output;
	bool closes;
} tls_rows[] = {
	{ "offered", HI "STARTTLS\r\n", BANNER TLS_EHLO GO_TLS, false },
	{ "any case", HI "starttls\r\n", BANNER TLS_EHLO GO_TLS, false },
	{ "before EHLO", "STARTTLS\r\n", BANNER ORDER, false },
	{ "in a transaction", HI "MAIL FROM:<>\r\nSTARTTLS\r\n", BANNER TLS_EHLO "250 2.1.0 Sender ok\r\n" ORDER,
	  false },
	{ "with an argument", HI "STARTTLS now\r\n", BANNER TLS_EHLO "501 5.5.4 STARTTLS takes no argument\r\n",
	  false },
	{ "a command behind it", HI "STARTTLS\r\nMAIL FROM:<>\r\n",
	  BANNER TLS_EHLO "554 5.5.1 Nothing may follow STARTTLS before its reply\r\n", true },
	{ "an octet behind it", HI "STARTTLS\r\nx",
	  BANNER TLS_EHLO "554 5.5.1 Nothing may follow STARTTLS before its reply\r\n", true },
};

static struct owner tls_owner(void)
{
	struct smtp_server_options options = options_default();
	options.offers_tls = true;
	struct owner owner = owner_new(&options);
	run(&owner);
	return owner;
}

START_TEST(starttls)
	{
		for (size_t i = 0; i < ARRAY_LEN(tls_rows); i++) {
			struct owner owner = tls_owner();
			ck_row(tls_rows[i].label, say(&owner, view_of(tls_rows[i].input)) == !tls_rows[i].closes);
			ck_view_eq(buf_view(&owner.said), tls_rows[i].output);
			owner_done(&owner);
		}
	}
END_TEST

START_TEST(what_comes_before_the_handshake_is_no_command)
	{
		struct owner owner = tls_owner();
		say(&owner, view_of(HI "STARTTLS\r\n"));
		buf_reset(&owner.said);
		ck_assert(!smtp_server_wants_input(owner.server));
		ck_assert(!say(&owner, view_of("MAIL FROM:<>\r\n")));
		ck_view_eq(buf_view(&owner.said), "554 5.5.1 You speak before the handshake\r\n");
		owner_done(&owner);
	}
END_TEST

START_TEST(tls_begins_when_the_reply_is_written)
	{
		struct owner owner = tls_owner();
		struct smtp_server_event event;
		say(&owner, view_of(HI));
		smtp_server_input(owner.server, view_of("STARTTLS\r\n"));
		smtp_server_next(owner.server, &event);
		ck_assert(event.type == SMTP_SERVER_NEEDS_INPUT);
		struct view output = smtp_server_output(owner.server);
		ck_view_eq(output, GO_TLS);
		smtp_server_written(owner.server, output.len - 1);
		smtp_server_next(owner.server, &event);
		ck_assert(event.type == SMTP_SERVER_NEEDS_INPUT);
		smtp_server_written(owner.server, 1);
		smtp_server_next(owner.server, &event);
		ck_assert(event.type == SMTP_SERVER_STARTS_TLS);
		smtp_server_next(owner.server, &event);
		ck_assert(event.type == SMTP_SERVER_NEEDS_INPUT);
		owner_done(&owner);
	}
END_TEST

START_TEST(a_secured_session_begins_anew)
	{
		struct owner owner = tls_owner();
		say(&owner, view_of(HI "STARTTLS\r\n"));
		smtp_server_secured(owner.server);
		buf_reset(&owner.said);
		ck_assert(say(&owner, view_of("MAIL FROM:<>\r\nEHLO me\r\nSTARTTLS\r\n" TO "DATA\r\nhi\r\n.\r\n")));
		ck_view_eq(buf_view(&owner.said),
			   ORDER EHLO_REPLY("1000") "503 5.5.1 TLS is on already\r\n" TO_REPLY GO DONE);
		ck_view_eq(buf_view(&owner.messages), "a@b.c>d@e.f:hi\r\n|");
		owner_done(&owner);
	}
END_TEST

START_TEST(errors_count_on_through_tls)
	{
		struct smtp_server_options options = options_default();
		options.offers_tls = true;
		options.max_errors = 2;
		struct owner owner = owner_new(&options);
		run(&owner);
		say(&owner, view_of("X\r\n" HI "STARTTLS\r\n"));
		smtp_server_secured(owner.server);
		ck_assert(!say(&owner, view_of("X\r\n")));
		owner_done(&owner);
	}
END_TEST

/* ---- LMTP ---- */

static const struct row lmtp_rows[] = {
	{ "greeting of the other", "EHLO me\r\nHELO me\r\n",
	  "220 mx LMTP\r\n500 5.5.1 This is LMTP: LHLO is wanted\r\n500 5.5.1 This is LMTP: LHLO is wanted\r\n", "",
	  false },
	{ "a reply for each", "LHLO me\r\n" TO "RCPT TO:<no@b>\r\nRCPT TO:<2@b>\r\nDATA\r\nhi\r\n.\r\nNOOP\r\n",
	  "220 mx LMTP\r\n" EHLO_REPLY("1000") TO_REPLY
	  "550 5.1.1 No such user\r\n250 2.1.5 Recipient ok\r\n" GO DONE DONE "250 2.0.0 Ok\r\n",
	  "a@b.c>d@e.f,2@b:hi\r\n|", false },
	{ "a broken content", "LHLO me\r\n" TO "RCPT TO:<2@b>\r\nDATA\r\nh\ri\r\n.\r\n",
	  "220 mx LMTP\r\n" EHLO_REPLY("1000") TO_REPLY "250 2.1.5 Recipient ok\r\n" GO
							"550 5.6.0 Message holds a bare CR, a bare LF or a NUL\r\n"
							"550 5.6.0 Message holds a bare CR, a bare LF or a NUL\r\n",
	  "", true },
};

START_TEST(lmtp)
	{
		for (size_t i = 0; i < ARRAY_LEN(lmtp_rows); i++) {
			struct smtp_server_options options = options_default();
			options.is_lmtp = true;
			struct owner owner = owner_new(&options);
			run(&owner);
			bool is_open = say(&owner, view_of(lmtp_rows[i].input));
			check_row(&lmtp_rows[i], &owner, is_open);
			owner_done(&owner);
		}
	}
END_TEST

/* ---- limits ---- */

START_TEST(long_lines_are_discarded_whole)
	{
		AUTO_BUF input = buf_with_ceiling(1 << 20);
		for (size_t i = 0; i < LIMIT_COMMAND_LINE + 500; i++)
			buf_add_byte(&input, 'x');
		buf_addf(&input, "QUIT\r\nNOOP\r\n");
		for (size_t step = 1; step < 6000; step = step * 2 + 1) {
			struct smtp_server_options options = options_default();
			struct owner owner = owner_new(&options);
			run(&owner);
			for (struct view rest = buf_view(&input); rest.len > 0; rest = view_skip(rest, step))
				ck_assert(say(&owner, view_head(rest, step)));
			ck_view_eq(buf_view(&owner.said), BANNER "500 5.5.2 Line is too long\r\n250 2.0.0 Ok\r\n");
			owner_done(&owner);
		}
	}
END_TEST

START_TEST(errors_end_the_session)
	{
		struct smtp_server_options options = options_default();
		options.max_errors = 3;
		struct owner owner = owner_new(&options);
		run(&owner);
		ck_assert(!say(&owner, view_of(HI "MAIL FROM:<>\r\nRCPT TO:<no@b>\r\nA\r\nB\r\nNOOP\r\n")));
		ck_view_eq(buf_view(&owner.said),
			   HI_REPLY "250 2.1.0 Sender ok\r\n550 5.1.1 No such user\r\n500 5.5.2 Command is not "
				    "known\r\n500 5.5.2 Command is not known\r\n421 4.7.0 Too many errors\r\n");
		owner_done(&owner);
	}
END_TEST

START_TEST(enough_messages)
	{
		struct smtp_server_options options = options_default();
		options.max_messages = 1;
		struct owner owner = owner_new(&options);
		run(&owner);
		ck_assert(!say(&owner, view_of(HI TO "DATA\r\n1\r\n.\r\n" TO)));
		ck_view_eq(buf_view(&owner.said),
			   HI_REPLY TO_REPLY GO DONE "421 4.7.0 Enough messages for one session\r\n");
		owner_done(&owner);
	}
END_TEST

START_TEST(large_messages_keep_their_head)
	{
		static const size_t maxima[] = { 1000, LIMIT_INTAKE_HEAD, 2 * LIMIT_INTAKE_HEAD };
		for (size_t i = 0; i < ARRAY_LEN(maxima); i++) {
			for (size_t over = 0; over <= 1; over++) {
				struct smtp_server_options options = options_default();
				options.max_message = maxima[i];
				struct owner owner = owner_new(&options);
				run(&owner);
				say(&owner, view_of(HI TO "DATA\r\n"));
				buf_reset(&owner.said);
				for (size_t k = 0; k < maxima[i] - 2 + over; k++)
					say(&owner, view_of("x"));
				ck_assert(say(&owner, view_of("\r\n.\r\n")));
				struct smtp_server_message message;
				smtp_server_message(owner.server, &message);
				ck_assert_uint_eq(owner.count, 1);
				ck_assert(owner.was_cut == (over == 1));
				size_t head = maxima[i] < LIMIT_INTAKE_HEAD ? maxima[i] : LIMIT_INTAKE_HEAD;
				ck_assert_uint_eq(owner.messages.len,
						  (over == 1 ? head : maxima[i]) + strlen("a@b.c>d@e.f:|"));
				ck_view_eq(buf_view(&owner.said),
					   over == 1 ? "552 5.3.4 Message is larger than this server takes\r\n" : DONE);
				owner_done(&owner);
			}
		}
	}
END_TEST

START_TEST(messages_that_go_round)
	{
		for (size_t hops = 99; hops <= 100; hops++) {
			struct smtp_server_options options = options_default();
			options.max_message = 100000;
			struct owner owner = owner_new(&options);
			run(&owner);
			say(&owner, view_of(HI TO "DATA\r\n"));
			buf_reset(&owner.said);
			for (size_t i = 0; i < hops; i++)
				say(&owner, view_of("received: from a\r\n by b\r\n"));
			say(&owner, view_of("\r\nReceived: in the body\r\n.\r\n"));
			ck_assert_uint_eq(owner.count, hops < 100);
			ck_view_eq(buf_view(&owner.said),
				   hops < 100 ? DONE : "554 5.4.6 Message goes round in circles\r\n");
			owner_done(&owner);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		conversations,
		every_command_in_every_state,
		smuggled_endings_are_refused,
		nothing_is_executed_while_the_owner_thinks,
		reading_stops_while_much_is_unread,
		the_owner_shuts,
		early_talkers_are_refused,
		starttls,
		what_comes_before_the_handshake_is_no_command,
		tls_begins_when_the_reply_is_written,
		a_secured_session_begins_anew,
		errors_count_on_through_tls,
		lmtp,
		long_lines_are_discarded_whole,
		errors_end_the_session,
		enough_messages,
		large_messages_keep_their_head,
		messages_that_go_round,
	};
	return suite_of("smtp server", tests, ARRAY_LEN(tests));
}
