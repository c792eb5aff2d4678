#include "smtp/client_states.h"

#include <assert.h>

#include "base/log.h"

static reply_handler on_unasked, on_quit;

static const struct state_row {
	const char *name;
	enum smtp_step step; /* whose timeout applies, and what a failure here is reported as */
	reply_handler *on_reply;
} states[] = {
	[STATE_BANNER] = { "BANNER", SMTP_STEP_BANNER, client_on_banner },
	[STATE_EHLO] = { "EHLO", SMTP_STEP_EHLO, client_on_ehlo },
	[STATE_LHLO] = { "LHLO", SMTP_STEP_EHLO, client_on_lhlo },
	[STATE_HELO] = { "HELO", SMTP_STEP_EHLO, client_on_helo },
	[STATE_STARTTLS] = { "STARTTLS", SMTP_STEP_STARTTLS, client_on_starttls },
	[STATE_TLS] = { "TLS", SMTP_STEP_STARTTLS, on_unasked },
	[STATE_AUTH] = { "AUTH", SMTP_STEP_AUTH, client_on_auth },
	[STATE_READY] = { "READY", SMTP_STEP_MAIL, on_unasked },
	[STATE_RSET] = { "RSET", SMTP_STEP_MAIL, client_on_rset },
	[STATE_MAIL] = { "MAIL", SMTP_STEP_MAIL, client_on_mail },
	[STATE_RCPT] = { "RCPT", SMTP_STEP_RCPT, client_on_rcpt },
	[STATE_DATA] = { "DATA", SMTP_STEP_DATA, client_on_data },
	[STATE_CONTENT] = { "CONTENT", SMTP_STEP_DATA, on_unasked },
	[STATE_FINAL_DOT] = { "FINAL_DOT", SMTP_STEP_FINAL_DOT, client_on_final_dot },
	[STATE_VOID_DOT] = { "VOID_DOT", SMTP_STEP_FINAL_DOT, client_on_void_dot },
	[STATE_BDAT] = { "BDAT", SMTP_STEP_FINAL_DOT, client_on_bdat },
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

const char *smtp_client_state_name(const struct smtp_client *client)
{
	return states[client->state].name;
}

enum smtp_step client_step(const struct smtp_client *client)
{
	return states[client->state].step;
}

/* ---- state, commands, events ---- */

/* The only place that assigns the state. */
static void settle(struct smtp_client *client)
{
	enum state state = client->awaited_count > 0 ? client->awaited[client->awaited_first].state : client->rest;
	if (state == client->state)
		return;
	if (log_is_on(LOG_DEBUG))
		log_event(LOG_DEBUG, "smtp.state", "from=%s to=%s", states[client->state].name, states[state].name);
	client->state = state;
}

void client_rest_in(struct smtp_client *client, enum state state)
{
	client->rest = state;
	settle(client);
}

uint64_t client_said(const struct smtp_client *client)
{
	return client->written + (client->out.len - client->out_at);
}

/* Where the count-th of a ring stands that begins at first. */
static size_t ring_at(size_t first, size_t count, size_t cap)
{
	size_t at = first + count;
	return at < cap ? at : at - cap;
}

void client_await(struct smtp_client *client, enum state state)
{
	assert(client->awaited_count < client->awaited_cap);
	size_t at = ring_at(client->awaited_first, client->awaited_count++, client->awaited_cap);
	client->awaited[at] = (struct awaited){ .state = state, .end = client_said(client) };
	settle(client);
}

void client_say(struct smtp_client *client, enum state state, struct view line)
{
	buf_add(&client->out, line);
	client_await(client, state);
}

void client_say_quit(struct smtp_client *client)
{
	client_say(client, STATE_QUIT, VIEW_LIT("QUIT\r\n"));
}

struct smtp_event *client_tell(struct smtp_client *client, enum smtp_event_type type, uint64_t id,
			       const struct reply *reply)
{
	assert(client->event_count < client->event_cap);
	size_t at = ring_at(client->event_first, client->event_count++, client->event_cap);
	struct smtp_event *event = &client->events[at];
	*event = (struct smtp_event){ .type = type, .id = id, .step = states[client->state].step };
	if (reply != NULL)
		event->reply = *reply;
	return event;
}

/* ---- transactions ---- */

static struct transaction *transaction_at(struct smtp_client *client, size_t index)
{
	return &client->transactions[ring_at(client->transaction_first, index, client->transaction_cap)];
}

struct transaction *client_front(struct smtp_client *client)
{
	assert(client->transaction_count > 0);
	return transaction_at(client, 0);
}

struct transaction *client_back(struct smtp_client *client)
{
	assert(client->transaction_count > 0);
	return transaction_at(client, client->transaction_count - 1);
}

struct transaction *client_begin(struct smtp_client *client, uint64_t id)
{
	assert(client->transaction_count < client->transaction_cap);
	client->transaction_count++;
	struct transaction *back = client_back(client);
	*back = (struct transaction){ .id = id, .unsaid = STATE_CONTENT };
	return back;
}

void client_drop_front(struct smtp_client *client)
{
	client->transaction_first = ring_at(client->transaction_first, 1, client->transaction_cap);
	client->transaction_count--;
}

void client_drop_back(struct smtp_client *client)
{
	client->transaction_count--;
}

/* ---- how messages and sessions end ---- */

void client_end(struct smtp_client *client, struct transaction *transaction, enum smtp_event_type end,
		const struct reply *reply)
{
	assert(!transaction->is_over);
	transaction->is_over = true;
	client->answered += end == SMTP_ACCEPTED || end == SMTP_REFUSED;
	client_tell(client, end, transaction->id, reply);
}

/* Without `rules_out` what has wholly left may have arrived. */
static void give_back(struct smtp_client *client, bool rules_out)
{
	for (size_t i = 0; i < client->transaction_count; i++) {
		struct transaction *transaction = transaction_at(client, i);
		bool has_left = transaction->has_content && client->written > transaction->last;
		if (!transaction->is_over)
			client_end(client, transaction, has_left && !rules_out ? SMTP_IN_DOUBT : SMTP_NOT_SENT, NULL);
	}
}

void client_close(struct smtp_client *client)
{
	client_tell(client, SMTP_CLOSED, 0, NULL);
	client->awaited_count = 0;
	client->transaction_count = 0;
	client->has_to_ask = false;
	client->has_to_ask_tls = false;
	/* Nothing of a message that was given back may leave any more. */
	buf_reset(&client->out);
	client->out_at = 0;
	buf_reset(&client->in);
	client->in_at = 0;
	client_rest_in(client, STATE_CLOSED);
}

static struct reply sentence(struct view why)
{
	return (struct reply){ .text = why };
}

static void tell_trouble(struct smtp_client *client, enum smtp_step step, const struct reply *reply)
{
	/* After QUIT nothing is at stake. */
	if (!client->ends && client->state != STATE_QUIT)
		client_tell(client, SMTP_TROUBLE, 0, reply)->step = step;
}

static void break_off(struct smtp_client *client, enum smtp_step step, const struct reply *reply, bool rules_out)
{
	give_back(client, rules_out);
	tell_trouble(client, step, reply);
	client_close(client);
}

void client_break_off(struct smtp_client *client, const struct reply *reply)
{
	break_off(client, client_step(client), reply, false);
}

void client_break_off_for(struct smtp_client *client, enum smtp_step step, struct view why)
{
	const struct reply reply = sentence(why);
	break_off(client, step, &reply, false);
}

static void end_session(struct smtp_client *client, enum smtp_step step, const struct reply *reply)
{
	for (size_t i = 0; i < client->transaction_count; i++) {
		struct transaction *transaction = transaction_at(client, i);
		if (!transaction->is_over && !transaction->has_content)
			client_end(client, transaction, SMTP_NOT_SENT, NULL);
	}
	tell_trouble(client, step, reply);
	client->ends = true;
	client->has_to_ask = false;
}

void client_end_session(struct smtp_client *client, const struct reply *reply)
{
	end_session(client, client_step(client), reply);
}

void client_end_session_for(struct smtp_client *client, enum smtp_step step, struct view why)
{
	const struct reply reply = sentence(why);
	end_session(client, step, &reply);
}

void client_refuse_session(struct smtp_client *client, const struct reply *reply)
{
	if (is_refusal(reply))
		client_end_session(client, reply);
	else
		client_break_off(client, reply);
}

bool client_is_done_with(const struct smtp_client *client)
{
	bool is_of_no_more_use = client->ends || client->state == STATE_QUIT;
	for (size_t i = 0; i < client->transaction_count && is_of_no_more_use; i++) {
		size_t at = ring_at(client->transaction_first, i, client->transaction_cap);
		is_of_no_more_use = client->transactions[at].is_over;
	}
	return is_of_no_more_use || (client->state == STATE_READY && client->answered > 0);
}

/* ---- replies ---- */

static void on_quit(struct smtp_client *client, const struct reply *reply)
{
	(void)reply;
	client_close(client);
}

static void on_unasked(struct smtp_client *client, const struct reply *reply)
{
	client_break_off(client, reply);
}

/* 421, or a reply to a command that has not wholly left: the session is over. Where it refuses the message at hand,
 * it does. A server that closes does not execute what was pipelined behind (RFC 5321 section 4.2.3). */
static void on_farewell(struct smtp_client *client, const struct reply *reply, bool is_in_turn)
{
	if (client_is_done_with(client)) {
		client_close(client);
		return;
	}
	bool refuses_content = (client->state == STATE_FINAL_DOT || client->state == STATE_BDAT) && is_refusal(reply);
	bool refuses_recipient = client->state == STATE_RCPT && is_in_turn;
	if ((refuses_content || refuses_recipient) && !client_front(client)->is_over)
		client_end(client, client_front(client), SMTP_REFUSED, reply);
	break_off(client, client_step(client), reply, is_in_turn);
}

/* Takes the head off what is awaited; false when its command has not wholly left. */
static bool take_turn(struct smtp_client *client)
{
	if (client->awaited_count == 0)
		return true;
	uint64_t end = client->awaited[client->awaited_first].end;
	client->awaited_first = ring_at(client->awaited_first, 1, client->awaited_cap);
	client->awaited_count--;
	return client->written >= end;
}

void client_on_reply(struct smtp_client *client, const struct reply *reply)
{
	enum { SERVICE_CLOSING = 421 };
	enum state state = client->state;
	bool is_in_turn = take_turn(client);
	if (reply->code == SERVICE_CLOSING || !is_in_turn)
		on_farewell(client, reply, is_in_turn);
	else
		states[state].on_reply(client, reply);
	if (client->ends && client->awaited_count == 0 && client->rest != STATE_CLOSED)
		client_say_quit(client);
	settle(client);
}
