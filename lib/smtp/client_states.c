#include "smtp/client_states.h"

#include <assert.h>

#include "base/limits.h"
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
	/* What is read then may be the replies to contents. */
	if (client->is_out_of_step && client->state == STATE_QUIT)
		return SMTP_STEP_FINAL_DOT;
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
	client->accepted += end == SMTP_ACCEPTED;
	client_tell(client, end, transaction->id, reply);
}

/* Its end was not told, and the server may have all that it needs to take the message. */
static bool is_open_question(const struct smtp_client *client, const struct transaction *transaction)
{
	return !transaction->is_over && transaction->has_content && client->written > transaction->last;
}

static bool has_open_question(struct smtp_client *client)
{
	bool has = false;
	for (size_t i = 0; i < client->transaction_count && !has; i++)
		has = is_open_question(client, transaction_at(client, i));
	return has;
}

/* Without `rules_out` what has wholly left may have arrived. */
static void give_back(struct smtp_client *client, bool rules_out)
{
	client_tell_held(client);
	for (size_t i = 0; i < client->transaction_count; i++) {
		struct transaction *transaction = transaction_at(client, i);
		bool is_in_doubt = is_open_question(client, transaction) && !rules_out;
		if (!transaction->is_over)
			client_end(client, transaction, is_in_doubt ? SMTP_IN_DOUBT : SMTP_NOT_SENT, NULL);
	}
}

/* What was said to a transaction of which we do not know what it was says nothing of the message but that it was not taken. */
void client_refuse(struct smtp_client *client, struct transaction *transaction, const struct reply *reply)
{
	if (transaction->is_unclean)
		client_end(client, transaction, SMTP_NOT_SENT, NULL);
	else
		client_end(client, transaction, SMTP_REFUSED, reply);
}

/* Where a reply too many was said this one is that to RCPT, and the one that is read next, as that to RSET, the content's own. */
static bool is_to_be_borne_out(const struct smtp_client *client)
{
	return !client->ends && client->awaited_count > 0 && client->awaited[client->awaited_first].state == STATE_RSET;
}

static void hold(struct smtp_client *client, struct transaction *transaction, const struct reply *reply)
{
	transaction->is_over = true;
	client->held = (struct smtp_event){ .id = transaction->id, .reply = *reply };
	buf_reset(&client->held_text);
	buf_add(&client->held_text, view_head(reply->text, LIMIT_WHY));
	client->held.reply.text = buf_view(&client->held_text);
	client->has_held = true;
}

void client_tell_held(struct smtp_client *client)
{
	const struct smtp_event *held = &client->held;
	if (!client->has_held)
		return;
	client->has_held = false;
	client->answered++;
	client->accepted += !client->is_out_of_step;
	if (client->is_out_of_step)
		client_tell(client, SMTP_IN_DOUBT, held->id, NULL)->step = SMTP_STEP_FINAL_DOT;
	else
		client_tell(client, SMTP_ACCEPTED, held->id, &held->reply)->step = SMTP_STEP_FINAL_DOT;
}

void client_end_content(struct smtp_client *client, const struct reply *reply)
{
	struct transaction *front = client_front(client);
	if (!front->is_over && class_of(reply) != 2)
		client_refuse(client, front, reply);
	else if (!front->is_over && front->is_unclean)
		client_end(client, front, SMTP_IN_DOUBT, NULL);
	else if (!front->is_over && is_to_be_borne_out(client))
		hold(client, front, reply);
	else if (!front->is_over)
		client_end(client, front, SMTP_ACCEPTED, reply);
	client_drop_front(client);
}

void client_close(struct smtp_client *client)
{
	client_tell_held(client);
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
	if (!client->ends && client->state != STATE_QUIT) {
		struct smtp_event *trouble = client_tell(client, SMTP_TROUBLE, 0, reply);
		trouble->step = step;
		trouble->is_out_of_step = client->is_out_of_step;
	}
}

static void break_off(struct smtp_client *client, enum smtp_step step, const struct reply *reply)
{
	give_back(client, false);
	tell_trouble(client, step, reply);
	client_close(client);
}

void client_break_off(struct smtp_client *client, const struct reply *reply)
{
	break_off(client, client_step(client), reply);
}

void client_break_off_for(struct smtp_client *client, enum smtp_step step, struct view why)
{
	const struct reply reply = sentence(why);
	break_off(client, step, &reply);
}

void client_lose_step(struct smtp_client *client, const struct reply *reply)
{
	client->is_out_of_step = true;
	/* Of those that are told as accepted the server may still have some to take: it is left to end what it has wholly got. Behind DATA QUIT
	 * would be content. */
	bool may_quit = client->transaction_count == 0 || client_uses_chunks(client);
	bool may_go_on = may_quit && client->accepted > 0 && smtp_client_output(client).len == 0;
	if (!may_go_on) {
		client_break_off(client, reply);
		return;
	}
	give_back(client, false);
	tell_trouble(client, client_step(client), reply);
	client->ends = true;
	client->has_to_ask = false;
	client->awaited_count = 0;
	client->transaction_count = 0;
	client->rest = STATE_READY;
}

void client_leave(struct smtp_client *client)
{
	give_back(client, true);
	client_close(client);
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

/* Every message has come to its end. */
static bool is_empty(const struct smtp_client *client)
{
	for (size_t i = 0; i < client->transaction_count; i++) {
		size_t at = ring_at(client->transaction_first, i, client->transaction_cap);
		if (!client->transactions[at].is_over)
			return false;
	}
	return true;
}

bool client_is_done_with(const struct smtp_client *client)
{
	bool is_of_no_more_use = (client->ends || client->state == STATE_QUIT) && is_empty(client);
	return is_of_no_more_use || (client->state == STATE_READY && client->answered > 0);
}

/* ---- replies ---- */

/* Out of step others come before it: 250 to QUIT may be a content's, and the server have more to take. */
static void on_quit(struct smtp_client *client, const struct reply *reply)
{
	enum { CLOSING = 221 };
	bool is_of_another = reply->code != CLOSING && (client->is_out_of_step || !is_refusal(reply));
	client->is_out_of_step = client->is_out_of_step || is_of_another;
	if (is_of_another)
		client_await(client, STATE_QUIT);
	else
		client_close(client);
}

static void on_unasked(struct smtp_client *client, const struct reply *reply)
{
	client_lose_step(client, reply);
}

/* What the reply says of the message at hand, whose transaction it ends where it answers the content. */
static void refuse_at_hand(struct smtp_client *client, const struct reply *reply)
{
	struct transaction *front = client->transaction_count > 0 ? client_front(client) : NULL;
	if (client->state == STATE_FINAL_DOT || client->state == STATE_BDAT)
		client_end_content(client, reply);
	else if (client->state == STATE_RCPT && !front->is_over)
		client_refuse(client, front, reply);
	else if (client->state == STATE_MAIL && !front->is_over && !front->is_unclean)
		client_end(client, front, SMTP_NOT_SENT, NULL);
	else if (client->state == STATE_RSET)
		front->is_unclean = true;
}

/* A reply to a command that has not wholly left: nothing that is said now has a meaning, but that the content is refused. */
static void on_reply_too_soon(struct smtp_client *client, const struct reply *reply)
{
	bool is_of_content = client->state == STATE_FINAL_DOT || client->state == STATE_BDAT;
	enum smtp_step step = client_step(client);
	if (is_of_content && is_refusal(reply) && !client_front(client)->is_over)
		client_end(client, client_front(client), SMTP_REFUSED, reply);
	client->is_out_of_step = !is_refusal(reply);
	break_off(client, step, reply);
}

/* 421: the session is over. Of messages that have wholly left and are not answered it says nothing yet: the server may go on all the same and
 * take them. So nothing more is said, and what it says is read on until it has closed. */
static void on_farewell(struct smtp_client *client, const struct reply *reply)
{
	if (client_is_done_with(client)) {
		client_close(client);
		return;
	}
	enum smtp_step step = client_step(client);
	client_tell_held(client);
	refuse_at_hand(client, reply);
	for (size_t i = 0; i < client->transaction_count; i++) {
		struct transaction *transaction = transaction_at(client, i);
		if (!transaction->is_over && !is_open_question(client, transaction))
			client_end(client, transaction, SMTP_NOT_SENT, NULL);
	}
	end_session(client, step, reply);
	buf_cut(&client->out, 0);
	client->out_at = 0;
	if (client->farewell == FAREWELL_UNSAID)
		client->farewell = FAREWELL_LAST_WORD;
}

/* Takes the head off what is awaited; false when its command has not wholly left. */
static bool take_turn(struct smtp_client *client)
{
	if (client->awaited_count == 0)
		return true;
	uint64_t end = client->awaited[client->awaited_first].end;
	client->awaited_first = ring_at(client->awaited_first, 1, client->awaited_cap);
	client->awaited_count--;
	/* Out of step QUIT is the last word, and what is read before it has left is another's. */
	return client->written >= end || (client->is_out_of_step && client->state == STATE_QUIT);
}

static void go_on(struct smtp_client *client, enum state state, const struct reply *reply)
{
	if (client->farewell == FAREWELL_LAST_WORD)
		client->farewell = FAREWELL_BELIED;
	states[state].on_reply(client, reply);
}

/* After 421 no QUIT: the server may still wait for the rest of a chunk, and take it for that. */
static void finish(struct smtp_client *client)
{
	if (client->rest == STATE_CLOSED)
		return;
	if (client->farewell != FAREWELL_UNSAID && !has_open_question(client))
		client_close(client);
	/* Behind a DATA that was said QUIT would be content. */
	else if (client->is_withdrawn && is_empty(client))
		client_close(client);
	else if (client->farewell == FAREWELL_UNSAID && client->awaited_count == 0)
		client_say_quit(client);
}

void client_withdraw(struct smtp_client *client)
{
	client_end(client, client_back(client), SMTP_NOT_SENT, NULL);
	client->ends = true;
	client->is_withdrawn = true;
	client->has_to_ask = false;
	finish(client);
	settle(client);
}

void client_on_reply(struct smtp_client *client, const struct reply *reply)
{
	enum { SERVICE_CLOSING = 421 };
	enum state state = client->state;
	bool is_in_turn = take_turn(client);
	if (!is_in_turn)
		on_reply_too_soon(client, reply);
	else if (reply->code == SERVICE_CLOSING)
		on_farewell(client, reply);
	else
		go_on(client, state, reply);
	if (client->ends)
		finish(client);
	settle(client);
}
