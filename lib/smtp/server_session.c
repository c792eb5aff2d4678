#include "smtp/server_session.h"

#include <assert.h>

#include "base/limits.h"
#include "base/log.h"
#include "smtp/command.h"

/* ---- replies ---- */

static const struct {
	enum session session;
	const char *name;
} session_names[] = {
	{ SESSION_SILENT, "silent" },   { SESSION_START, "start" }, { SESSION_READY, "ready" },
	{ SESSION_MAIL, "mail" },       { SESSION_RCPT, "rcpt" },   { SESSION_CONTENT, "content" },
	{ SESSION_MESSAGE, "message" }, { SESSION_TLS, "tls" },     { SESSION_CLOSED, "closed" },
};

static const char *session_name(enum session session)
{
	for (size_t i = 0; i < ARRAY_LEN(session_names); i++) {
		if (session_names[i].session == session)
			return session_names[i].name;
	}
	return "none";
}

void session_set(struct smtp_server *server, enum session session)
{
	if (session != server->session && log_is_on(LOG_DEBUG))
		log_event(LOG_DEBUG, "smtp.session", "from=%s to=%s", session_name(server->session),
			  session_name(session));
	server->session = session;
}

/* A line's text; what a peer or an owner put into it cannot begin another line. */
static void add_text(struct smtp_server *server, struct view text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		buf_add_byte(&server->out, c < ' ' || c == 127 ? ' ' : text.data[i]);
	}
	buf_add(&server->out, VIEW_LIT("\r\n"));
}

void session_reply(struct smtp_server *server, unsigned code, struct view status, struct view text)
{
	buf_add_u64(&server->out, code);
	buf_add_byte(&server->out, ' ');
	if (status.len > 0) {
		buf_add(&server->out, status);
		buf_add_byte(&server->out, ' ');
	}
	add_text(server, text);
}

void session_reply_and_close(struct smtp_server *server, unsigned code, const char *status, const char *text)
{
	session_reply(server, code, view_of(status), view_of(text));
	server->is_asking = false;
	session_set(server, SESSION_CLOSED);
}

void session_reply_to_content(struct smtp_server *server, unsigned code, struct view status, struct view text)
{
	size_t replies = server->is_lmtp ? server->recipient_count : 1;
	for (size_t i = 0; i < replies; i++)
		session_reply(server, code, status, text);
}

static void count_error(struct smtp_server *server)
{
	server->errors++;
	if (server->max_errors > 0 && server->errors >= server->max_errors)
		session_reply_and_close(server, 421, "4.7.0", "Too many errors");
}

void session_reply_error(struct smtp_server *server, unsigned code, const char *status, const char *text)
{
	session_reply(server, code, view_of(status), view_of(text));
	count_error(server);
}

static void reset_transaction(struct smtp_server *server)
{
	buf_reset(&server->from);
	buf_reset(&server->addresses);
	server->recipient_count = 0;
	server->smtputf8 = false;
	data_reader_reset(&server->data);
}

void session_begin_anew(struct smtp_server *server)
{
	reset_transaction(server);
	buf_reset(&server->helo);
	server->is_extended = false;
	session_set(server, SESSION_START);
}

/* ---- the owner's turn: one row per step ---- */

/* What follows a positive answer, whose reply has been or, with writes_reply, is to be written. */
typedef void step_handler(struct smtp_server *server, const struct smtp_server_answer *answer);
static step_handler after_banner, after_helo, after_mail, after_rcpt, after_data, after_message, after_quit;

static const struct step_row {
	unsigned code; /* of the usual reply */
	const char *status, *text;
	step_handler *after;
	bool writes_reply; /* the handler does */
	bool closes;       /* a refusal ends the session */
} steps[] = {
	[SMTP_SERVER_BANNER] = { 220, "", "ESMTP", after_banner, true, true },
	[SMTP_SERVER_HELO] = { 250, "", "", after_helo, true, false },
	[SMTP_SERVER_MAIL] = { 250, "2.1.0", "Sender ok", after_mail, false, false },
	[SMTP_SERVER_RCPT] = { 250, "2.1.5", "Recipient ok", after_rcpt, false, false },
	[SMTP_SERVER_DATA] = { 354, "", "End with CRLF . CRLF", after_data, false, false },
	[SMTP_SERVER_MESSAGE] = { 250, "2.0.0", "Message accepted", after_message, false, false },
	[SMTP_SERVER_QUIT] = { 221, "2.0.0", "Goodbye", after_quit, false, true },
};
static_assert(ARRAY_LEN(steps) == SMTP_SERVER_STEP_COUNT, "one row per step");

static void write_hostname_and(struct smtp_server *server, struct view text)
{
	buf_add(&server->out, buf_view(&server->hostname));
	if (text.len > 0)
		buf_add_byte(&server->out, ' ');
	add_text(server, text);
}

static void after_banner(struct smtp_server *server, const struct smtp_server_answer *answer)
{
	buf_addf(&server->out, "%u ", answer->code);
	write_hostname_and(server, server->is_lmtp ? VIEW_LIT("LMTP") : answer->text);
	server->greeting_end = server->written + (server->out.len - server->out_at);
	session_set(server, SESSION_START);
}

static void after_helo(struct smtp_server *server, const struct smtp_server_answer *answer)
{
	reset_transaction(server);
	buf_addf(&server->out, "%u%c", answer->code, server->is_extended ? '-' : ' ');
	write_hostname_and(server, answer->text);
	if (server->is_extended)
		buf_addf(
		    &server->out,
		    "250-PIPELINING\r\n250-SIZE %zu\r\n250-8BITMIME\r\n%s250-ENHANCEDSTATUSCODES\r\n250 SMTPUTF8\r\n",
		    server->data.max, server->offers_tls && !server->is_secure ? "250-STARTTLS\r\n" : "");
	buf_reset(&server->helo);
	buf_add(&server->helo, buf_view(&server->subject));
	session_set(server, SESSION_READY);
}

static void after_mail(struct smtp_server *server, const struct smtp_server_answer *answer)
{
	(void)answer;
	buf_add(&server->from, buf_view(&server->subject));
	session_set(server, SESSION_MAIL);
}

/* The addresses stand one behind the other in a buf that may move. */
static void after_rcpt(struct smtp_server *server, const struct smtp_server_answer *answer)
{
	(void)answer;
	buf_add(&server->addresses, buf_view(&server->subject));
	server->recipients[server->recipient_count++].len = server->subject.len;
	size_t at = 0;
	for (size_t i = 0; i < server->recipient_count; i++) {
		server->recipients[i].data = server->addresses.data + at;
		at += server->recipients[i].len;
	}
	session_set(server, SESSION_RCPT);
}

static void after_data(struct smtp_server *server, const struct smtp_server_answer *answer)
{
	(void)answer;
	session_set(server, SESSION_CONTENT);
}

static void after_message(struct smtp_server *server, const struct smtp_server_answer *answer)
{
	(void)server;
	(void)answer;
}

static void after_quit(struct smtp_server *server, const struct smtp_server_answer *answer)
{
	(void)answer;
	session_set(server, SESSION_CLOSED);
}

static bool is_positive(const struct smtp_server_answer *answer)
{
	return answer->code < 400;
}

static struct smtp_server_answer completed(const struct smtp_server *server, enum smtp_server_step step,
					   const struct smtp_server_answer *answer)
{
	struct smtp_server_answer complete = *answer;
	if (complete.code == 0)
		complete = (struct smtp_server_answer){ .code = steps[step].code,
							.status = view_of(steps[step].status),
							.text = view_of(steps[step].text),
							.close = answer->close };
	if (step == SMTP_SERVER_MESSAGE && server->data.is_cut && is_positive(&complete)) {
		complete.code = 552;
		complete.status = VIEW_LIT("5.3.4");
		complete.text = VIEW_LIT("Message is larger than this server takes");
	}
	return complete;
}

void session_conclude(struct smtp_server *server, enum smtp_server_step step, const struct smtp_server_answer *given)
{
	enum { SERVICE_CLOSING = 421 };
	const struct step_row *row = &steps[step];
	struct smtp_server_answer answer = completed(server, step, given);
	server->is_asking = false;
	bool positive = is_positive(&answer);
	if (step == SMTP_SERVER_MESSAGE)
		session_reply_to_content(server, answer.code, answer.status, answer.text);
	else if (!positive || !row->writes_reply)
		session_reply(server, answer.code, answer.status, answer.text);
	if (positive)
		row->after(server, &answer);
	if (step == SMTP_SERVER_MESSAGE) {
		reset_transaction(server);
		session_set(server, SESSION_READY);
	}
	if (answer.close || answer.code == SERVICE_CLOSING || (!positive && row->closes))
		session_set(server, SESSION_CLOSED);
	else if (answer.code >= 500 && step == SMTP_SERVER_RCPT)
		count_error(server);
}

void session_ask(struct smtp_server *server, enum smtp_server_step step, struct view subject)
{
	buf_reset(&server->subject);
	buf_add(&server->subject, subject);
	server->asked = step;
	if ((server->asks & 1u << step) == 0) {
		session_conclude(server, step, &(struct smtp_server_answer){ .code = 0 });
		return;
	}
	server->is_asking = true;
	server->was_told = false;
}

/* ---- commands ---- */

typedef void command_handler(struct smtp_server *server, struct view argument);

enum greeting { GREETING_HELO, GREETING_EHLO, GREETING_LHLO };

static void greet(struct smtp_server *server, struct view argument, enum greeting greeting)
{
	/* RFC 2033 section 4.1: neither protocol takes the other's greeting. */
	if ((greeting == GREETING_LHLO) != server->is_lmtp) {
		session_reply_error(server, 500, "5.5.1",
				    server->is_lmtp ? "This is LMTP: LHLO is wanted" : "This is SMTP: EHLO is wanted");
		return;
	}
	if (argument.len == 0 || argument.len > LIMIT_DOMAIN || view_find_byte(argument, ' ') != VIEW_NONE) {
		session_reply_error(server, 501, "5.5.4", "A domain or an address literal is wanted");
		return;
	}
	server->is_extended = greeting != GREETING_HELO;
	session_ask(server, SMTP_SERVER_HELO, argument);
}

static void on_ehlo(struct smtp_server *server, struct view argument)
{
	greet(server, argument, GREETING_EHLO);
}

static void on_lhlo(struct smtp_server *server, struct view argument)
{
	greet(server, argument, GREETING_LHLO);
}

static void on_helo(struct smtp_server *server, struct view argument)
{
	greet(server, argument, GREETING_HELO);
}

/* True when the path can be used; else it was answered. */
static bool is_usable(struct smtp_server *server, enum path_verdict verdict)
{
	static const struct {
		unsigned code;
		const char *text;
	} refusals[] = {
		[PATH_VALID] = { 0, "" },
		[PATH_MALFORMED] = { 501, "An address in <> is wanted" },
		[PATH_UNKNOWN_PARAMETER] = { 555, "This parameter is not known" },
		[PATH_BAD_VALUE] = { 501, "This parameter cannot have that value" },
	};
	static_assert(ARRAY_LEN(refusals) == PATH_VERDICT_COUNT, "one row per verdict");
	if (verdict != PATH_VALID)
		session_reply_error(server, refusals[verdict].code, "5.5.4", refusals[verdict].text);
	return verdict == PATH_VALID;
}

static bool is_readable(struct smtp_server *server, struct view address, bool smtputf8)
{
	if (smtputf8 || view_is_ascii(address))
		return true;
	session_reply_error(server, 553, "5.6.7", "An international address needs SMTPUTF8");
	return false;
}

static void on_mail(struct smtp_server *server, struct view argument)
{
	struct smtp_path path;
	if (!is_usable(server, smtp_path_of_mail(argument, &path)) || !is_readable(server, path.address, path.smtputf8))
		return;
	if (server->max_messages > 0 && server->messages >= server->max_messages) {
		session_reply_and_close(server, 421, "4.7.0", "Enough messages for one session");
		return;
	}
	/* A size known to be too large is no reason to refuse now: the head is wanted all the same, and 552 follows it. */
	reset_transaction(server);
	server->smtputf8 = path.smtputf8;
	session_ask(server, SMTP_SERVER_MAIL, path.address);
}

static void on_rcpt(struct smtp_server *server, struct view argument)
{
	struct smtp_path path;
	if (!is_usable(server, smtp_path_of_rcpt(argument, &path)) ||
	    !is_readable(server, path.address, server->smtputf8))
		return;
	if (server->recipient_count >= server->max_recipients) {
		session_reply(server, 452, VIEW_LIT("4.5.3"), VIEW_LIT("Too many recipients"));
		return;
	}
	session_ask(server, SMTP_SERVER_RCPT, path.address);
}

static void on_data(struct smtp_server *server, struct view argument)
{
	if (argument.len > 0)
		session_reply_error(server, 501, "5.5.4", "DATA takes no argument");
	else if (server->session == SESSION_MAIL)
		session_reply_error(server, 554, "5.5.1", "No valid recipients");
	else
		session_ask(server, SMTP_SERVER_DATA, VIEW_LIT(""));
}

static void on_rset(struct smtp_server *server, struct view argument)
{
	(void)argument;
	reset_transaction(server);
	if (server->session != SESSION_START)
		session_set(server, SESSION_READY);
	session_reply(server, 250, VIEW_LIT("2.0.0"), VIEW_LIT("Ok"));
}

static void on_noop(struct smtp_server *server, struct view argument)
{
	(void)argument;
	session_reply(server, 250, VIEW_LIT("2.0.0"), VIEW_LIT("Ok"));
}

static void on_vrfy(struct smtp_server *server, struct view argument)
{
	(void)argument;
	session_reply(server, 252, VIEW_LIT("2.1.5"), VIEW_LIT("Send a message and see"));
}

static void on_quit(struct smtp_server *server, struct view argument)
{
	(void)argument;
	session_ask(server, SMTP_SERVER_QUIT, VIEW_LIT(""));
}

static void on_unsupported(struct smtp_server *server, struct view argument)
{
	(void)argument;
	session_reply_error(server, 502, "5.5.1", "Command is not supported");
}

/* What came behind it without encryption is no command (RFC 3207 section 6): it is taken for an attack. */
static void on_starttls(struct smtp_server *server, struct view argument)
{
	if (!server->offers_tls)
		session_reply_error(server, 502, "5.5.1", "Command is not supported");
	else if (server->is_secure)
		session_reply_error(server, 503, "5.5.1", "TLS is on already");
	else if (server->session != SESSION_READY)
		session_reply_error(server, 503, "5.5.1", "Not now: commands are out of order");
	else if (argument.len > 0)
		session_reply_error(server, 501, "5.5.4", "STARTTLS takes no argument");
	else if (server->in_at < server->in.len)
		session_reply_and_close(server, 554, "5.5.1", "Nothing may follow STARTTLS before its reply");
	else {
		session_reply(server, 220, VIEW_LIT("2.0.0"), VIEW_LIT("Ready for TLS"));
		session_set(server, SESSION_TLS);
	}
}

static const struct command_row {
	const char *verb;
	unsigned sessions; /* where it is in order */
	command_handler *handler;
} commands[] = {
	{ "EHLO", ANY_TIME, on_ehlo },        { "HELO", ANY_TIME, on_helo },
	{ "MAIL", SESSION_READY, on_mail },   { "RCPT", IN_TRANSACTION, on_rcpt },
	{ "DATA", IN_TRANSACTION, on_data },  { "RSET", ANY_TIME, on_rset },
	{ "NOOP", ANY_TIME, on_noop },        { "QUIT", ANY_TIME, on_quit },
	{ "VRFY", ANY_TIME, on_vrfy },        { "EXPN", ANY_TIME, on_unsupported },
	{ "HELP", ANY_TIME, on_unsupported }, { "ETRN", ANY_TIME, on_unsupported },
	{ "AUTH", ANY_TIME, on_unsupported }, { "STARTTLS", ANY_TIME, on_starttls },
	{ "LHLO", ANY_TIME, on_lhlo },
};

void session_run(struct smtp_server *server, struct view line)
{
	struct view argument = view_trim(line);
	struct view verb = argument;
	view_cut(&argument, ' ', &verb);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (!view_eq_nocase(verb, view_of(commands[i].verb)))
			continue;
		if ((commands[i].sessions & server->session) == 0)
			session_reply_error(server, 503, "5.5.1", "Not now: commands are out of order");
		else
			commands[i].handler(server, view_trim(argument));
		return;
	}
	session_reply_error(server, 500, "5.5.2", "Command is not known");
}
