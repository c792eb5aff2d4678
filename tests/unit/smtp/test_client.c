#include "smtp/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/support/unit.h"

#define BARE "250 me\r\n"
#define PIPE "250-me\r\n250 PIPELINING\r\n"

/* An owner with some messages to send, who writes down what happens. */
struct owner {
	struct smtp_client *client;
	uint64_t next, last; /* ids to send */
	struct buf trace;    /* events */
	struct buf wire;     /* all that was written */
	const char *to;
	struct view envid;
	size_t size;
	bool takes;
};

static struct owner owner_new(uint64_t messages, uint64_t max_messages)
{
	struct owner owner = {
		.next = 1,
		.last = messages,
		.to = "you@example.org",
		.trace = buf_with_ceiling(1 << 20),
		.wire = buf_with_ceiling(1 << 20),
	};
	struct smtp_client_options options = { .helo = view_of("me.example"), .max_messages = max_messages };
	ck_assert(smtp_client_new(&options, &owner.client) == ERR_OK);
	return owner;
}

static void owner_done(struct owner *owner)
{
	smtp_client_done(owner->client);
	buf_done(&owner->trace);
	buf_done(&owner->wire);
}

static void give_envelope(struct owner *owner)
{
	if (!owner->takes || owner->next > owner->last)
		return;
	struct smtp_envelope envelope = { .from = view_of("b+tok@example.net"),
					  .to = view_of(owner->to),
					  .envid = owner->envid,
					  .size = owner->size };
	owner->takes = false;
	ck_assert(smtp_client_envelope(owner->client, owner->next, &envelope) == ERR_OK);
	owner->next++;
}

static void give_content(struct owner *owner, uint64_t id)
{
	char text[32];
	snprintf(text, sizeof(text), "ID%u\r\n", (unsigned)id);
	ck_assert(smtp_client_content(owner->client, id, view_of(text)) == ERR_OK);
}

static const char *const event_names[] = {
	[SMTP_NEEDS_INPUT] = "needs", [SMTP_ASKS_TLS] = "tls",      [SMTP_TAKES_ENVELOPE] = "takes",
	[SMTP_ASKS_CONTENT] = "asks", [SMTP_ACCEPTED] = "accepted", [SMTP_REFUSED] = "refused",
	[SMTP_NOT_SENT] = "not-sent", [SMTP_IN_DOUBT] = "in-doubt", [SMTP_TROUBLE] = "trouble",
	[SMTP_CLOSED] = "closed",
};

static void note(struct owner *owner, const struct smtp_event *event)
{
	buf_addf(&owner->trace, owner->trace.len == 0 ? "%s" : " %s", event_names[event->type]);
	if (event->id != 0)
		buf_addf(&owner->trace, " %u", (unsigned)event->id);
	if (event->type == SMTP_REFUSED || event->type == SMTP_TROUBLE)
		buf_addf(&owner->trace, "@%s", smtp_step_name(event->step));
	if (event->reply.code != 0)
		buf_addf(&owner->trace, ":%u", event->reply.code);
}

/* Until the client needs input; true while the session is open. */
static bool drain(struct owner *owner)
{
	struct smtp_event event;
	for (;;) {
		give_envelope(owner);
		smtp_client_next(owner->client, &event);
		if (event.type == SMTP_NEEDS_INPUT)
			return true;
		note(owner, &event);
		if (event.type == SMTP_CLOSED)
			return false;
		if (event.type == SMTP_TAKES_ENVELOPE) {
			owner->takes = true;
			if (owner->next > owner->last)
				smtp_client_quit(owner->client);
		} else if (event.type == SMTP_ASKS_CONTENT) {
			give_content(owner, event.id);
		}
	}
}

static void write_out(struct owner *owner, size_t count)
{
	struct view bytes = view_head(smtp_client_output(owner->client), count);
	buf_add(&owner->wire, bytes);
	smtp_client_written(owner->client, bytes.len);
}

static bool turn(struct owner *owner, struct view bytes)
{
	smtp_client_input(owner->client, bytes);
	bool is_open = drain(owner);
	write_out(owner, SIZE_MAX);
	return is_open;
}

struct row {
	const char *label;
	const char *says[16]; /* the server, turn by turn; "EOF" closes */
	const char *trace, *wire;
	uint64_t messages;
};

#define EHLO "EHLO me.example\r\n"
#define MAIL "MAIL FROM:<b+tok@example.net>\r\n"
#define RCPT "RCPT TO:<you@example.org>\r\n"
#define GROUP MAIL RCPT "DATA\r\n"
#define OK3 "250 a\r\n250 b\r\n354 c\r\n"

/* Each row of the client's state table: its good reply, its refusal, 421, a reply of the wrong class, the end of
 * the connection. */
static const struct row rows[] = {
	{ "banner", { "220 hi\r\n", "EOF" }, "trouble@ehlo closed", EHLO, 0 },
	{ "banner 554", { "554 no\r\n", "221 bye\r\n" }, "trouble@banner:554 closed", "QUIT\r\n", 1 },
	{ "banner 421", { "421 busy\r\n" }, "trouble@banner:421 closed", "", 1 },
	{ "banner 354", { "354 what\r\n" }, "trouble@banner:354 closed", "", 1 },
	{ "banner eof", { "EOF" }, "trouble@banner closed", "", 1 },
	{ "banner malformed", { "SSH-2.0\r\n" }, "trouble@banner closed", "", 1 },
	{ "ehlo", { "220 hi\r\n", BARE, "221 bye\r\n" }, "takes closed", EHLO "QUIT\r\n", 0 },
	{ "ehlo 502 then helo",
	  { "220 hi\r\n", "502 what\r\n", "250 ok\r\n", "221 bye\r\n" },
	  "takes closed",
	  EHLO "HELO me.example\r\nQUIT\r\n",
	  0 },
	{ "ehlo 550 then helo 550",
	  { "220 hi\r\n", "550 no\r\n", "550 no\r\n", "221 bye\r\n" },
	  "trouble@ehlo:550 closed",
	  EHLO "HELO me.example\r\nQUIT\r\n",
	  0 },
	{ "ehlo 554", { "220 hi\r\n", "554 no\r\n", "EOF" }, "trouble@ehlo:554 closed", EHLO "QUIT\r\n", 0 },
	{ "ehlo 421", { "220 hi\r\n", "421 no\r\n" }, "trouble@ehlo:421 closed", EHLO, 0 },
	{ "helo eof", { "220 hi\r\n", "500 no\r\n", "EOF" }, "trouble@ehlo closed", EHLO "HELO me.example\r\n", 0 },
	{ "one by one",
	  { "220 hi\r\n", BARE, "250 a\r\n", "250 b\r\n", "354 c\r\n", "250 d\r\n", "221 e\r\n" },
	  "takes asks 1 accepted 1:250 takes closed",
	  EHLO MAIL RCPT "DATA\r\nID1\r\n.\r\nQUIT\r\n",
	  1 },
	{ "one by one, rcpt refused, RSET",
	  { "220 hi\r\n", BARE, "250 a\r\n", "550 b\r\n", "250 r\r\n", "250 a\r\n", "250 b\r\n", "354 c\r\n",
	    "250 d\r\n", "221 e\r\n" },
	  "takes refused 1@rcpt:550 takes asks 2 accepted 2:250 takes closed",
	  EHLO MAIL RCPT "RSET\r\n" MAIL RCPT "DATA\r\nID2\r\n.\r\nQUIT\r\n",
	  2 },
	{ "rset refused",
	  { "220 hi\r\n", BARE, "250 a\r\n", "550 b\r\n", "500 r\r\n", "221 e\r\n" },
	  "takes refused 1@rcpt:550 takes not-sent 2 trouble@mail:500 closed",
	  EHLO MAIL RCPT "RSET\r\nQUIT\r\n",
	  2 },
	{ "one round trip a message",
	  { "220 hi\r\n", PIPE, OK3, "250 d\r\n" OK3, "250 d\r\n", "221 e\r\n" },
	  "takes asks 1 takes accepted 1:250 asks 2 takes accepted 2:250 closed",
	  EHLO GROUP "ID1\r\n.\r\n" GROUP "ID2\r\n.\r\nQUIT\r\n",
	  2 },
	{ "mail 550",
	  { "220 hi\r\n", PIPE, "550 a\r\n503 b\r\n503 c\r\n", "221 e\r\n" },
	  "takes not-sent 1 trouble@mail:550 closed",
	  EHLO GROUP "QUIT\r\n",
	  1 },
	{ "mail 451, data 354",
	  { "220 hi\r\n", PIPE, "451 a\r\n503 b\r\n354 c\r\n" },
	  "takes not-sent 1 trouble@mail:451 closed",
	  EHLO GROUP,
	  1 },
	{ "mail 354", { "220 hi\r\n", PIPE, "354 a\r\n" }, "takes not-sent 1 trouble@mail:354 closed", EHLO GROUP, 1 },
	{ "mail eof", { "220 hi\r\n", PIPE, "EOF" }, "takes not-sent 1 trouble@mail closed", EHLO GROUP, 1 },
	{ "rcpt 550, data 503",
	  { "220 hi\r\n", PIPE, "250 a\r\n550 b\r\n503 c\r\n", "250 r\r\n" OK3, "250 d\r\n", "221 e\r\n" },
	  "takes refused 1@rcpt:550 takes asks 2 takes accepted 2:250 closed",
	  EHLO GROUP "RSET\r\n" GROUP "ID2\r\n.\r\nQUIT\r\n",
	  2 },
	{ "rcpt 550, data 354, void dot",
	  { "220 hi\r\n", PIPE, "250 a\r\n550 b\r\n354 c\r\n", "250 v\r\n" OK3, "250 d\r\n", "221 e\r\n" },
	  "takes refused 1@rcpt:550 takes asks 2 takes accepted 2:250 closed",
	  EHLO GROUP ".\r\n" GROUP "ID2\r\n.\r\nQUIT\r\n",
	  2 },
	{ "void dot eof",
	  { "220 hi\r\n", PIPE, "250 a\r\n550 b\r\n354 c\r\n", "EOF" },
	  "takes refused 1@rcpt:550 takes trouble@final-dot closed",
	  EHLO GROUP ".\r\n",
	  1 },
	{ "rcpt 421",
	  { "220 hi\r\n", PIPE, "250 a\r\n421 b\r\n" },
	  "takes refused 1@rcpt:421 trouble@rcpt:421 closed",
	  EHLO GROUP,
	  1 },
	{ "rcpt 354",
	  { "220 hi\r\n", PIPE, "250 a\r\n354 b\r\n" },
	  "takes not-sent 1 trouble@rcpt:354 closed",
	  EHLO GROUP,
	  1 },
	{ "rcpt eof",
	  { "220 hi\r\n", PIPE, "250 a\r\n", "EOF" },
	  "takes not-sent 1 trouble@rcpt closed",
	  EHLO GROUP,
	  1 },
	{ "rcpt 552",
	  { "220 hi\r\n", BARE, "250 a\r\n", "552 many\r\n", "221 e\r\n" },
	  "takes refused 1@rcpt:452 takes closed",
	  EHLO MAIL RCPT "QUIT\r\n",
	  1 },
	{ "rcpt 552 5.5.3",
	  { "220 hi\r\n", BARE, "250 a\r\n", "552 5.5.3 many\r\n", "221 e\r\n" },
	  "takes refused 1@rcpt:452 takes closed",
	  EHLO MAIL RCPT "QUIT\r\n",
	  1 },
	{ "rcpt 552 5.2.2",
	  { "220 hi\r\n", BARE, "250 a\r\n", "552 5.2.2 full\r\n", "221 e\r\n" },
	  "takes refused 1@rcpt:552 takes closed",
	  EHLO MAIL RCPT "QUIT\r\n",
	  1 },
	{ "data 554",
	  { "220 hi\r\n", PIPE, "250 a\r\n250 b\r\n554 c\r\n", "221 e\r\n" },
	  "takes not-sent 1 trouble@data:554 closed",
	  EHLO GROUP "QUIT\r\n",
	  1 },
	{ "data 421",
	  { "220 hi\r\n", PIPE, "250 a\r\n250 b\r\n421 c\r\n" },
	  "takes not-sent 1 trouble@data:421 closed",
	  EHLO GROUP,
	  1 },
	{ "data 250",
	  { "220 hi\r\n", PIPE, "250 a\r\n250 b\r\n250 c\r\n" },
	  "takes not-sent 1 trouble@data:250 closed",
	  EHLO GROUP,
	  1 },
	{ "data eof",
	  { "220 hi\r\n", PIPE, "250 a\r\n250 b\r\n", "EOF" },
	  "takes not-sent 1 trouble@data closed",
	  EHLO GROUP,
	  1 },
	{ "dot 550",
	  { "220 hi\r\n", PIPE, OK3, "550 spam\r\n", "221 e\r\n" },
	  "takes asks 1 takes refused 1@final-dot:550 closed",
	  EHLO GROUP "ID1\r\n.\r\nQUIT\r\n",
	  1 },
	{ "dot 421",
	  { "220 hi\r\n", PIPE, OK3, "421 going\r\n" },
	  "takes asks 1 takes refused 1@final-dot:421 not-sent 2 trouble@final-dot:421 closed",
	  EHLO GROUP "ID1\r\n.\r\n" GROUP,
	  2 },
	{ "dot 354",
	  { "220 hi\r\n", PIPE, OK3, "354 what\r\n" },
	  "takes asks 1 takes in-doubt 1 not-sent 2 trouble@final-dot:354 closed",
	  EHLO GROUP "ID1\r\n.\r\n" GROUP,
	  2 },
	{ "dot malformed",
	  { "220 hi\r\n", PIPE, OK3, "2x\r\n" },
	  "takes asks 1 takes in-doubt 1 trouble@final-dot closed",
	  EHLO GROUP "ID1\r\n.\r\n",
	  1 },
	{ "dot eof",
	  { "220 hi\r\n", PIPE, OK3, "EOF" },
	  "takes asks 1 takes in-doubt 1 not-sent 2 trouble@final-dot closed",
	  EHLO GROUP "ID1\r\n.\r\n" GROUP,
	  2 },
	{ "quit eof", { "220 hi\r\n", PIPE, "EOF" }, "takes closed", EHLO "QUIT\r\n", 0 },
	{ "reply to nothing", { "220 hi\r\n", PIPE "250 x\r\n" }, "trouble@mail:250 closed", EHLO, 1 },
	{ "reply in the content's turn",
	  { "220 hi\r\n", PIPE, OK3 "250 d\r\n" },
	  "takes not-sent 1 trouble@data:250 closed",
	  EHLO GROUP,
	  1 },
};

/* Plays a row with each turn's bytes cut in two at `split`. */
static void play(const struct row *row, size_t split)
{
	struct owner owner = owner_new(row->messages, 0);
	bool is_open = drain(&owner);
	for (size_t i = 0; row->says[i] != NULL; i++) {
		ck_row(row->label, is_open);
		if (strcmp(row->says[i], "EOF") == 0) {
			smtp_client_lost(owner.client);
			is_open = drain(&owner);
			continue;
		}
		struct view says = view_of(row->says[i]);
		if (split < says.len)
			is_open = turn(&owner, view_head(says, split));
		if (is_open)
			is_open = turn(&owner, split < says.len ? view_skip(says, split) : says);
	}
	ck_row(row->label, !is_open);
	ck_assert_msg(view_eq(buf_view(&owner.trace), view_of(row->trace)),
		      "%s, split %zu: got \"%s\", expected \"%s\"", row->label, split, buf_text(&owner.trace),
		      row->trace);
	ck_assert_msg(view_eq(buf_view(&owner.wire), view_of(row->wire)), "%s, split %zu: got \"%s\", expected \"%s\"",
		      row->label, split, buf_text(&owner.wire), row->wire);
	ck_assert_str_eq(smtp_client_state_name(owner.client), "CLOSED");
	owner_done(&owner);
}

START_TEST(every_state)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			play(&rows[i], SIZE_MAX);
	}
END_TEST

/* Where a turn says more than its due, the split decides how much of it is still in time: those rows are played
 * whole only. */
static bool says_too_much(const struct row *row)
{
	return strstr(row->label, "reply ") == row->label;
}

START_TEST(every_state_split_at_every_octet)
	{
		enum { LONGEST_TURN = 64 };
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			for (size_t split = 1; split < LONGEST_TURN && !says_too_much(&rows[i]); split++)
				play(&rows[i], split);
		}
	}
END_TEST

/* ---- every subset of failing replies ---- */

static const unsigned mail_codes[] = { 250, 451, 550, 421 }, data_codes[] = { 354, 451, 554, 421 },
		      dot_codes[] = { 250, 451, 554, 421 };

/* What must be the end of message 1; the rest of the trace must then follow from it. */
static void expect(struct buf *out, unsigned mail, unsigned rcpt, unsigned data, unsigned dot)
{
	if (mail != 250)
		buf_addf(out, "takes not-sent 1 trouble@mail:%u closed", mail);
	else if (rcpt == 421)
		buf_addf(out, "takes refused 1@rcpt:421 trouble@rcpt:421 closed");
	else if (rcpt != 250 && data == 421)
		buf_addf(out, "takes refused 1@rcpt:%u trouble@data:421 closed", rcpt);
	else if (rcpt != 250)
		buf_addf(out, "takes refused 1@rcpt:%u takes closed", rcpt);
	else if (data != 354)
		buf_addf(out, "takes not-sent 1 trouble@data:%u closed", data);
	else if (dot == 421)
		buf_addf(out, "takes asks 1 takes refused 1@final-dot:421 trouble@final-dot:421 closed");
	else if (dot != 250)
		buf_addf(out, "takes asks 1 takes refused 1@final-dot:%u closed", dot);
	else
		buf_addf(out, "takes asks 1 takes accepted 1:250 closed");
}

static void play_subset(unsigned mail, unsigned rcpt, unsigned data, unsigned dot)
{
	char label[64], group[128], last[32];
	AUTO_BUF trace = buf_with_ceiling(256);
	snprintf(label, sizeof(label), "%u %u %u %u", mail, rcpt, data, dot);
	snprintf(group, sizeof(group), "%u a\r\n%u b\r\n%u c\r\n", mail, rcpt, data);
	snprintf(last, sizeof(last), "%u d\r\n", dot);
	expect(&trace, mail, rcpt, data, dot);
	for (size_t split = 1; split <= strlen(group); split++) {
		struct owner owner = owner_new(1, 0);
		bool is_open =
		    turn(&owner, view_of("")) && turn(&owner, view_of("220 hi\r\n")) && turn(&owner, view_of(PIPE));
		is_open = is_open && turn(&owner, view_head(view_of(group), split));
		is_open = is_open && turn(&owner, view_skip(view_of(group), split));
		/* The dot's reply (or the void dot's), then QUIT's. */
		struct view wire = buf_view(&owner.wire);
		if (is_open && view_ends(wire, VIEW_LIT("DATA\r\n.\r\n")))
			is_open = turn(&owner, view_of("554 none\r\n"));
		else if (is_open && view_ends(wire, VIEW_LIT("\r\n.\r\n")))
			is_open = turn(&owner, view_of(last));
		if (is_open)
			is_open = turn(&owner, view_of("221 e\r\n"));
		ck_row(label, !is_open);
		ck_assert_msg(view_eq(buf_view(&owner.trace), buf_view(&trace)),
			      "%s, split %zu: got \"%s\", expected \"%s\"", label, split, buf_text(&owner.trace),
			      buf_text(&trace));
		owner_done(&owner);
	}
}

START_TEST(every_subset_of_failing_replies)
	{
		for (size_t i = 0; i < 256; i++)
			play_subset(mail_codes[i & 3], mail_codes[i >> 2 & 3], data_codes[i >> 4 & 3],
				    dot_codes[i >> 6 & 3]);
	}
END_TEST

/* ---- what is written decides between not sent and in doubt ---- */

START_TEST(the_dot_decides)
	{
		for (size_t written = 0; written <= strlen("ID1\r\n.\r\n" GROUP); written++) {
			struct owner owner = owner_new(2, 0);
			turn(&owner, view_of("220 hi\r\n"));
			turn(&owner, view_of(PIPE));
			smtp_client_input(owner.client, view_of(OK3));
			drain(&owner);
			write_out(&owner, written);
			smtp_client_lost(owner.client);
			drain(&owner);
			const char *expected =
			    written <= strlen("ID1\r\n")
				? "takes asks 1 takes not-sent 1 not-sent 2 trouble@final-dot closed"
				: "takes asks 1 takes in-doubt 1 not-sent 2 trouble@final-dot closed";
			ck_view_eq(buf_view(&owner.trace), expected);
			ck_assert_msg(smtp_client_output(owner.client).len == 0, "nothing given back may leave");
			owner_done(&owner);
		}
	}
END_TEST

START_TEST(a_reply_before_its_command)
	{
		struct owner owner = owner_new(1, 0);
		turn(&owner, view_of("220 hi\r\n"));
		turn(&owner, view_of(PIPE));
		smtp_client_input(owner.client, view_of(OK3));
		drain(&owner);
		write_out(&owner, 3);
		smtp_client_input(owner.client, view_of("250 thanks\r\n"));
		drain(&owner);
		ck_view_eq(buf_view(&owner.trace), "takes asks 1 takes not-sent 1 trouble@final-dot:250 closed");
		owner_done(&owner);
	}
END_TEST

START_TEST(content_refused_before_its_end)
	{
		struct owner owner = owner_new(1, 0);
		turn(&owner, view_of("220 hi\r\n"));
		turn(&owner, view_of(PIPE));
		smtp_client_input(owner.client, view_of(OK3));
		drain(&owner);
		write_out(&owner, 3);
		smtp_client_input(owner.client, view_of("552 5.3.4 too big\r\n"));
		drain(&owner);
		ck_view_eq(buf_view(&owner.trace),
			   "takes asks 1 takes refused 1@final-dot:552 trouble@final-dot:552 closed");
		owner_done(&owner);
	}
END_TEST

/* ---- the owner's side ---- */

START_TEST(bad_content_does_not_leave)
	{
		struct owner owner = owner_new(0, 0);
		struct smtp_event event;
		struct smtp_envelope envelope = { .to = view_of("you@example.org") };
		drain(&owner);
		smtp_client_input(owner.client, view_of("220 hi\r\n"));
		smtp_client_next(owner.client, &event);
		write_out(&owner, SIZE_MAX);
		smtp_client_input(owner.client, view_of(PIPE));
		smtp_client_next(owner.client, &event);
		ck_assert(event.type == SMTP_TAKES_ENVELOPE);
		ck_assert(smtp_client_content(owner.client, 1, view_of("x\r\n")) == ERR_REFUSED);
		ck_assert(smtp_client_envelope(owner.client, 1, &envelope) == ERR_OK);
		ck_assert(smtp_client_envelope(owner.client, 2, &envelope) == ERR_REFUSED);
		write_out(&owner, SIZE_MAX);
		smtp_client_input(owner.client, view_of(OK3));
		smtp_client_next(owner.client, &event);
		ck_assert(event.type == SMTP_ASKS_CONTENT);
		ck_assert(smtp_client_content(owner.client, 7, view_of("x\r\n")) == ERR_REFUSED);
		ck_assert(smtp_client_content(owner.client, 1, view_of("x\n.\nMAIL")) == ERR_INVALID);
		ck_assert(smtp_client_output(owner.client).len == 0);
		smtp_client_abandon(owner.client);
		drain(&owner);
		ck_view_eq(buf_view(&owner.trace), "not-sent 1 closed");
		owner_done(&owner);
	}
END_TEST

START_TEST(idle_farewell_is_no_trouble)
	{
		static const char *const farewells[] = { "421 4.4.2 idle\r\n", NULL };
		for (size_t i = 0; i < ARRAY_LEN(farewells); i++) {
			struct owner owner = owner_new(1, 0);
			turn(&owner, view_of("220 hi\r\n"));
			owner.last = 1;
			turn(&owner, view_of(BARE));
			turn(&owner, view_of("250 a\r\n"));
			turn(&owner, view_of("250 b\r\n"));
			turn(&owner, view_of("354 c\r\n"));
			struct smtp_event event;
			smtp_client_input(owner.client, view_of("250 d\r\n"));
			smtp_client_next(owner.client, &event);
			ck_assert(event.type == SMTP_ACCEPTED);
			smtp_client_next(owner.client, &event);
			ck_assert(event.type == SMTP_TAKES_ENVELOPE && smtp_client_is_idle(owner.client));
			if (farewells[i] == NULL)
				smtp_client_lost(owner.client);
			else
				smtp_client_input(owner.client, view_of(farewells[i]));
			smtp_client_next(owner.client, &event);
			ck_assert(event.type == SMTP_CLOSED);
			owner_done(&owner);
		}
	}
END_TEST

struct envelope_row {
	const char *label, *ehlo, *to, *envid;
	size_t size;
	const char *wire, *trace;
};

static const struct envelope_row envelope_rows[] = {
	{ "no extensions", BARE, "a@b.c", "id", 99, "MAIL FROM:<b+tok@example.net>\r\n", "takes" },
	{ "size", "250-me\r\n250-SIZE 100\r\n250 PIPELINING\r\n", "a@b.c", "", 100,
	  "MAIL FROM:<b+tok@example.net> SIZE=100\r\nRCPT TO:<a@b.c>\r\nDATA\r\n", "takes" },
	{ "too large", "250-me\r\n250 SIZE 100\r\n", "a@b.c", "", 101, "QUIT\r\n", "takes refused 1@rcpt:552 takes" },
	{ "size without limit", "250-me\r\n250-size 0\r\n250 pipelining\r\n", "a@b.c", "", 101,
	  "MAIL FROM:<b+tok@example.net> SIZE=101\r\nRCPT TO:<a@b.c>\r\nDATA\r\n", "takes" },
	{ "dsn", "250-me\r\n250-DSN\r\n250 PIPELINING\r\n", "a+b=c@b.c", "q+1", 0,
	  "MAIL FROM:<b+tok@example.net> RET=HDRS ENVID=q+2B1\r\nRCPT TO:<a+b=c@b.c> NOTIFY=FAILURE "
	  "ORCPT=rfc822;a+2Bb+3Dc@b.c\r\nDATA\r\n",
	  "takes" },
	{ "utf8 wanted", BARE, "\xc3\xbc@b.c", "", 0, "QUIT\r\n", "takes refused 1@rcpt:550 takes" },
	{ "utf8 offered", "250-me\r\n250-SMTPUTF8\r\n250-DSN\r\n250 PIPELINING\r\n", "\xc3\xbc@b.c", "", 0,
	  "MAIL FROM:<b+tok@example.net> SMTPUTF8 RET=HDRS\r\nRCPT TO:<\xc3\xbc@b.c> NOTIFY=FAILURE\r\nDATA\r\n",
	  "takes" },
};

START_TEST(envelopes)
	{
		for (size_t i = 0; i < ARRAY_LEN(envelope_rows); i++) {
			const struct envelope_row *row = &envelope_rows[i];
			struct owner owner = owner_new(1, 0);
			owner.to = row->to;
			owner.envid = view_of(row->envid);
			owner.size = row->size;
			turn(&owner, view_of("220 hi\r\n"));
			buf_reset(&owner.wire);
			turn(&owner, view_of(row->ehlo));
			ck_view_eq(buf_view(&owner.wire), row->wire);
			ck_view_eq(buf_view(&owner.trace), row->trace);
			owner_done(&owner);
		}
	}
END_TEST

START_TEST(envelopes_that_cannot_be)
	{
		static const char *const bad[] = { "", "a\r\nRSET@b.c", "a b@c", "a>@c", "<a@c", "a\x7f@c", "a\t@c" };
		struct owner owner = owner_new(0, 0);
		turn(&owner, view_of("220 hi\r\n"));
		struct smtp_event event;
		smtp_client_input(owner.client, view_of(PIPE));
		smtp_client_next(owner.client, &event);
		for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
			struct smtp_envelope envelope = { .to = view_of(bad[i]) };
			ck_row(bad[i], smtp_client_envelope(owner.client, 1, &envelope) == ERR_INVALID);
			ck_row(bad[i], smtp_client_output(owner.client).len == 0);
		}
		owner_done(&owner);
	}
END_TEST

START_TEST(quits_after_its_messages)
	{
		struct owner owner = owner_new(5, 2);
		const char *const says[] = { "220 hi\r\n", PIPE, OK3, "250 d\r\n" OK3, "250 d\r\n", "221 e\r\n" };
		bool is_open = true;
		for (size_t i = 0; i < ARRAY_LEN(says); i++)
			is_open = turn(&owner, view_of(says[i]));
		ck_assert(!is_open);
		ck_view_eq(buf_view(&owner.trace), "takes asks 1 takes accepted 1:250 asks 2 accepted 2:250 closed");
		owner_done(&owner);
	}
END_TEST

/* ---- any server, any owner: exactly one ending, and a true one ---- */

static const char *const scraps[] = {
	"220 a\r\n",
	PIPE,
	PIPE,
	BARE,
	"250 a\r\n",
	"250 a\r\n",
	"250 b\r\n",
	"354 c\r\n",
	OK3,
	"250 d\r\n" OK3,
	"250 d\r\n" OK3,
	"450 x\r\n",
	"550 x\r\n",
	"552 5.5.3 x\r\n",
	"250-a\r\n250 b\r\n",
	"421 bye\r\n",
	"x\r\n",
	"250",
	"\r\n",
	"554 x\r\n",
	"250 a\r\n550 b\r\n354 c\r\n",
};

enum { IDS_MAX = 64 };

struct trial {
	struct owner owner;
	unsigned seed;
	unsigned endings[IDS_MAX];
	unsigned *kinds; /* of endings, over all trials */
	uint64_t taken;
};

static unsigned roll(struct trial *trial, unsigned sides)
{
	trial->seed = trial->seed * 1103515245u + 12345u;
	return (trial->seed >> 16) % sides;
}

static void check_ending(struct trial *trial, unsigned seed, const struct smtp_event *event)
{
	char mark[32];
	snprintf(mark, sizeof(mark), "ID%u\r\n.", (unsigned)event->id);
	bool dot_left = view_find(buf_view(&trial->owner.wire), view_of(mark)) != VIEW_NONE;
	trial->endings[event->id]++;
	trial->kinds[event->type]++;
	ck_assert_msg(trial->endings[event->id] == 1, "seed %u: two endings of %u", seed, (unsigned)event->id);
	ck_assert_msg(event->type != SMTP_NOT_SENT || !dot_left, "seed %u: not sent, yet its dot left", seed);
	ck_assert_msg(event->type != SMTP_IN_DOUBT || dot_left, "seed %u: in doubt without a dot", seed);
	ck_assert_msg(event->type != SMTP_ACCEPTED || dot_left, "seed %u: accepted without a dot", seed);
}

static bool react(struct trial *trial, unsigned seed, const struct smtp_event *event)
{
	struct smtp_client *client = trial->owner.client;
	struct smtp_envelope envelope = { .to = view_of("you@example.org") };
	char text[32];
	snprintf(text, sizeof(text), "ID%u\r\n", (unsigned)event->id);
	if (event->type == SMTP_TAKES_ENVELOPE && trial->taken + 1 < IDS_MAX && roll(trial, 8) != 0) {
		if (smtp_client_envelope(client, trial->taken + 1, &envelope) == ERR_OK)
			trial->taken++;
	} else if (event->type == SMTP_ASKS_CONTENT && roll(trial, 10) != 0) {
		if (smtp_client_content(client, event->id, view_of(text)) != ERR_OK)
			smtp_client_abandon(client);
	} else if (event->type == SMTP_ASKS_CONTENT) {
		smtp_client_abandon(client);
	} else if (event->type >= SMTP_ACCEPTED && event->type <= SMTP_IN_DOUBT) {
		check_ending(trial, seed, event);
	}
	return event->type != SMTP_CLOSED;
}

static bool react_to_all(struct trial *trial, unsigned seed)
{
	struct smtp_event event;
	do {
		smtp_client_next(trial->owner.client, &event);
		if (!react(trial, seed, &event))
			return false;
	} while (event.type != SMTP_NEEDS_INPUT);
	return true;
}

static void run_trial(unsigned seed, unsigned *kinds)
{
	struct trial trial = { .seed = seed, .owner = owner_new(0, seed % 5), .kinds = kinds };
	bool is_open = true;
	/* Most trials begin well, so that they come to something. */
	if (roll(&trial, 8) != 0) {
		smtp_client_input(trial.owner.client, view_of("220 hi\r\n"));
		is_open = react_to_all(&trial, seed);
	}
	for (unsigned i = 0; i < 40 && is_open; i++) {
		write_out(&trial.owner, roll(&trial, 4) != 0 ? SIZE_MAX : roll(&trial, 20));
		if (roll(&trial, 30) == 0)
			smtp_client_quit(trial.owner.client);
		if (roll(&trial, 40) == 0)
			smtp_client_lost(trial.owner.client);
		else
			smtp_client_input(trial.owner.client, view_of(scraps[roll(&trial, ARRAY_LEN(scraps))]));
		is_open = react_to_all(&trial, seed);
	}
	smtp_client_lost(trial.owner.client);
	react_to_all(&trial, seed);
	for (uint64_t id = 1; id <= trial.taken; id++)
		ck_assert_msg(trial.endings[id] == 1, "seed %u: no ending of %u", seed, (unsigned)id);
	owner_done(&trial.owner);
}

START_TEST(exactly_one_true_ending)
	{
		const char *given = getenv("TEST_SEED");
		unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
		unsigned kinds[ARRAY_LEN(event_names)] = { 0 };
		printf("exactly_one_true_ending: TEST_SEED=%u\n", seed);
		for (unsigned i = 0; i < 20000; i++)
			run_trial(seed + i, kinds);
		for (size_t type = SMTP_ACCEPTED; type <= SMTP_IN_DOUBT; type++)
			ck_assert_msg(kinds[type] > 0, "no trial came to %s", event_names[type]);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		every_state,
		every_state_split_at_every_octet,
		every_subset_of_failing_replies,
		the_dot_decides,
		a_reply_before_its_command,
		content_refused_before_its_end,
		bad_content_does_not_leave,
		idle_farewell_is_no_trouble,
		envelopes,
		envelopes_that_cannot_be,
		quits_after_its_messages,
		exactly_one_true_ending,
	};
	return suite_of("smtp client", tests, ARRAY_LEN(tests));
}
