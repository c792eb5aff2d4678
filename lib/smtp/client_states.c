#include "smtp/client_states.h"

#include <assert.h>
#include <string.h>

#include "base/log.h"

typedef void reply_handler(struct smtp_client *client, const struct reply *reply);
static reply_handler on_banner, on_ehlo, on_helo, on_unasked, on_rset, on_mail, on_rcpt, on_data, on_final_dot,
    on_void_dot, on_quit;

static const struct state_row {
	const char *name;
	enum smtp_step step; /* whose timeout applies, and what a failure here is reported as */
	reply_handler *on_reply;
} states[] = {
	[STATE_BANNER] = { "BANNER", SMTP_STEP_BANNER, on_banner },
	[STATE_EHLO] = { "EHLO", SMTP_STEP_EHLO, on_ehlo },
	[STATE_HELO] = { "HELO", SMTP_STEP_EHLO, on_helo },
	[STATE_READY] = { "READY", SMTP_STEP_MAIL, on_unasked },
	[STATE_RSET] = { "RSET", SMTP_STEP_MAIL, on_rset },
	[STATE_MAIL] = { "MAIL", SMTP_STEP_MAIL, on_mail },
	[STATE_RCPT] = { "RCPT", SMTP_STEP_RCPT, on_rcpt },
	[STATE_DATA] = { "DATA", SMTP_STEP_DATA, on_data },
	[STATE_CONTENT] = { "CONTENT", SMTP_STEP_DATA, on_unasked },
	[STATE_FINAL_DOT] = { "FINAL_DOT", SMTP_STEP_FINAL_DOT, on_final_dot },
	[STATE_VOID_DOT] = { "VOID_DOT", SMTP_STEP_FINAL_DOT, on_void_dot },
	[STATE_QUIT] = { "QUIT", SMTP_STEP_QUIT, on_quit },
	[STATE_CLOSED] = { "CLOSED", SMTP_STEP_QUIT, on_unasked },
};
static_assert(ARRAY_LEN(states) == STATE_COUNT, "one row per state");

static const char *const step_names[] = {
	[SMTP_STEP_BANNER] = "banner", [SMTP_STEP_EHLO] = "ehlo",           [SMTP_STEP_STARTTLS] = "starttls",
	[SMTP_STEP_AUTH] = "auth",     [SMTP_STEP_MAIL] = "mail",           [SMTP_STEP_RCPT] = "rcpt",
	[SMTP_STEP_DATA] = "data",     [SMTP_STEP_FINAL_DOT] = "final-dot", [SMTP_STEP_QUIT] = "quit",
};
static_assert(ARRAY_LEN(step_names) == SMTP_STEP_COUNT, "one name per step");

const char *smtp_step_name(enum smtp_step step)
{
	return step_names[step];
}

/* ---- state, events, commands ---- */

/* The only place that assigns the state. */
static void settle(struct smtp_client *client)
{
	enum state state = client->awaited_count > 0 ? client->awaited[0].state : client->rest;
	if (state == client->state)
		return;
	if (log_is_on(LOG_DEBUG))
		log_event(LOG_DEBUG, "smtp.state", "from=%s to=%s", states[client->state].name, states[state].name);
	client->state = state;
}

static void rest_in(struct smtp_client *client, enum state state)
{
	client->rest = state;
	settle(client);
}

uint64_t client_said(const struct smtp_client *client)
{
	return client->written + (client->out.len - client->out_at);
}

/* What was just added to the output will be answered. */
void client_await(struct smtp_client *client, enum state state)
{
	client->awaited[client->awaited_count++] = (struct awaited){ .state = state, .end = client_said(client) };
	settle(client);
}

static void say(struct smtp_client *client, enum state state, struct view line)
{
	buf_add(&client->out, line);
	client_await(client, state);
}

static void say_hello(struct smtp_client *client, enum state state, struct view verb)
{
	buf_add(&client->out, verb);
	buf_add(&client->out, buf_view(&client->hello));
	buf_add(&client->out, VIEW_LIT("\r\n"));
	client_await(client, state);
}

void client_say_quit(struct smtp_client *client)
{
	say(client, STATE_QUIT, VIEW_LIT("QUIT\r\n"));
}

void client_tell(struct smtp_client *client, enum smtp_event_type type, uint64_t id, const struct reply *reply)
{
	struct smtp_event *event = &client->events[client->event_count++];
	*event = (struct smtp_event){ .type = type, .id = id, .step = states[client->state].step };
	if (reply != NULL)
		event->reply = *reply;
}

static unsigned class_of(const struct reply *reply)
{
	return reply->code / 100;
}

static bool is_refusal(const struct reply *reply)
{
	return class_of(reply) == 4 || class_of(reply) == 5;
}

/* ---- how messages and sessions end ---- */

static void end_sent(struct smtp_client *client, enum smtp_event_type end, const struct reply *reply)
{
	client->sent.is_awaited = false;
	client->answered++;
	client_tell(client, end, client->sent.id, reply);
}

void client_give_back(struct smtp_client *client)
{
	if (client->sent.is_awaited) {
		bool dot_left = client->written > client->sent.dot_at;
		client->sent.is_awaited = false;
		client_tell(client, dot_left ? SMTP_IN_DOUBT : SMTP_NOT_SENT, client->sent.id, NULL);
	}
	if (client->open.phase == OPEN_WANTED)
		client_tell(client, SMTP_NOT_SENT, client->open.id, NULL);
	client->open.phase = OPEN_NONE;
}

void client_close(struct smtp_client *client)
{
	client_tell(client, SMTP_CLOSED, 0, NULL);
	client->awaited_count = 0;
	client->has_to_ask = false;
	/* Nothing of a message that was given back may leave any more. */
	buf_reset(&client->out);
	client->out_at = 0;
	buf_reset(&client->in);
	client->in_at = 0;
	rest_in(client, STATE_CLOSED);
}

/* The connection is good for nothing more. */
void client_break_off(struct smtp_client *client, const struct reply *reply)
{
	client_give_back(client);
	client_tell(client, SMTP_TROUBLE, 0, reply);
	client_close(client);
}

/* The server refuses the session but speaks SMTP: its other replies are read and QUIT is said. */
static void end_session(struct smtp_client *client, const struct reply *reply)
{
	client_give_back(client);
	client_tell(client, SMTP_TROUBLE, 0, reply);
	client->ends = true;
	if (client->awaited_count == 0)
		client_say_quit(client);
}

/* A reply of a class that cannot answer this command is as bad as a malformed one. */
static void refuse_session(struct smtp_client *client, const struct reply *reply)
{
	if (is_refusal(reply))
		end_session(client, reply);
	else
		client_break_off(client, reply);
}

/* ---- one handler per state; client->state is still the state whose reply this is ---- */

static void on_banner(struct smtp_client *client, const struct reply *reply)
{
	if (class_of(reply) != 2) {
		refuse_session(client, reply);
		return;
	}
	say_hello(client, STATE_EHLO, VIEW_LIT("EHLO "));
}

static void on_ehlo(struct smtp_client *client, const struct reply *reply)
{
	static const unsigned not_understood[] = { 500, 502, 504, 550 };
	if (class_of(reply) == 2) {
		client->offers = smtp_offers_read(reply->text);
		client->rest = STATE_READY;
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(not_understood); i++) {
		if (reply->code == not_understood[i]) {
			say_hello(client, STATE_HELO, VIEW_LIT("HELO "));
			return;
		}
	}
	refuse_session(client, reply);
}

static void on_helo(struct smtp_client *client, const struct reply *reply)
{
	if (class_of(reply) == 2)
		client->rest = STATE_READY;
	else
		refuse_session(client, reply);
}

/* All commands of the open message at once with PIPELINING, else the next one. */
void client_say_commands(struct smtp_client *client)
{
	struct open_message *open = &client->open;
	while (open->unsaid != STATE_CONTENT && (client->offers.has[SMTP_PIPELINING] || client->awaited_count == 0)) {
		enum state command = open->unsaid;
		struct view line = command == STATE_RSET   ? VIEW_LIT("RSET\r\n")
				   : command == STATE_MAIL ? buf_view(&client->mail_line)
				   : command == STATE_RCPT ? buf_view(&client->rcpt_line)
							   : VIEW_LIT("DATA\r\n");
		say(client, command, line);
		open->unsaid = command + 1;
	}
}
static_assert(STATE_RSET + 1 == STATE_MAIL && STATE_MAIL + 1 == STATE_RCPT && STATE_RCPT + 1 == STATE_DATA &&
		  STATE_DATA + 1 == STATE_CONTENT,
	      "the commands of a message in their order");

static void on_rset(struct smtp_client *client, const struct reply *reply)
{
	if (class_of(reply) == 2)
		client_say_commands(client);
	else
		refuse_session(client, reply);
}

static void on_mail(struct smtp_client *client, const struct reply *reply)
{
	if (class_of(reply) == 2)
		client_say_commands(client);
	else
		refuse_session(client, reply);
}

/* RFC 5321 section 4.5.3.1.10: 552 may mean "too many recipients"; not so when the server says that it is about the
 * mailbox. */
static struct reply soften(struct reply reply)
{
	enum { SUBJECT_MAILBOX = 2 };
	if (reply.code == 552 && (!status_is_set(reply.status) || reply.status.subject != SUBJECT_MAILBOX)) {
		reply.code = 452;
		if (status_is_set(reply.status))
			reply.status.class_digit = 4;
	}
	return reply;
}

static void refuse_recipient(struct smtp_client *client, const struct reply *reply)
{
	struct reply softened = soften(*reply);
	client->answered++;
	client->open.phase = OPEN_REFUSED;
	client_tell(client, SMTP_REFUSED, client->open.id, &softened);
}

static void on_rcpt(struct smtp_client *client, const struct reply *reply)
{
	if (class_of(reply) == 2) {
		client_say_commands(client);
		return;
	}
	if (!is_refusal(reply)) {
		client_break_off(client, reply);
		return;
	}
	refuse_recipient(client, reply);
	if (client->open.unsaid == STATE_DATA) {
		client->open.phase = OPEN_NONE;
		client->needs_reset = true;
	}
}

/* DATA was said before its only recipient was refused. */
static void end_refused(struct smtp_client *client, const struct reply *reply)
{
	client->open.phase = OPEN_NONE;
	if (class_of(reply) == 3)
		say(client, STATE_VOID_DOT, VIEW_LIT(".\r\n"));
	else
		client->needs_reset = true;
}

static void on_data(struct smtp_client *client, const struct reply *reply)
{
	if (client->open.phase == OPEN_REFUSED) {
		end_refused(client, reply);
	} else if (class_of(reply) == 3) {
		client->rest = STATE_CONTENT;
		client->has_to_ask = true;
	} else {
		refuse_session(client, reply);
	}
}

static void on_final_dot(struct smtp_client *client, const struct reply *reply)
{
	if (class_of(reply) == 2)
		end_sent(client, SMTP_ACCEPTED, reply);
	else if (is_refusal(reply))
		end_sent(client, SMTP_REFUSED, reply);
	else
		client_break_off(client, reply);
}

static void on_void_dot(struct smtp_client *client, const struct reply *reply)
{
	/* The server must not have delivered anything, whatever it says. */
	(void)client;
	(void)reply;
}

static void on_quit(struct smtp_client *client, const struct reply *reply)
{
	(void)reply;
	client_close(client);
}

static void on_unasked(struct smtp_client *client, const struct reply *reply)
{
	client_break_off(client, reply);
}

/* ---- replies ---- */

/* Nothing is owed by either side and the session has been of use: it may end without a word about it. */
bool client_is_done_with(const struct smtp_client *client)
{
	return client->ends || client->state == STATE_QUIT || (client->state == STATE_READY && client->answered > 0);
}

/* 421, or a reply to a command that has not wholly left: the session is over. Where it refuses the message at hand,
 * it does. */
static void on_farewell(struct smtp_client *client, const struct reply *reply, bool is_in_turn)
{
	if (client_is_done_with(client)) {
		client_close(client);
		return;
	}
	if (client->state == STATE_FINAL_DOT && is_refusal(reply))
		end_sent(client, SMTP_REFUSED, reply);
	else if (client->state == STATE_RCPT && is_in_turn)
		refuse_recipient(client, reply);
	client_break_off(client, reply);
}

/* What the server still owed when it refused the session. */
static void on_ending(struct smtp_client *client, enum state state, const struct reply *reply)
{
	if (state == STATE_DATA && class_of(reply) == 3)
		client_close(client);
	else if (client->awaited_count == 0)
		client_say_quit(client);
}

void client_on_reply(struct smtp_client *client, const struct reply *reply)
{
	enum { SERVICE_CLOSING = 421 };
	enum state state = client->state;
	bool is_in_turn = true;
	if (client->awaited_count > 0) {
		is_in_turn = client->written >= client->awaited[0].end;
		client->awaited_count--;
		memmove(client->awaited, client->awaited + 1, client->awaited_count * sizeof(client->awaited[0]));
	}
	if (reply->code == SERVICE_CLOSING || !is_in_turn)
		on_farewell(client, reply, is_in_turn);
	else if (client->ends && state != STATE_QUIT)
		on_ending(client, state, reply);
	else
		states[state].on_reply(client, reply);
	settle(client);
}

const char *smtp_client_state_name(const struct smtp_client *client)
{
	return states[client->state].name;
}

enum smtp_step client_step(const struct smtp_client *client)
{
	return states[client->state].step;
}
