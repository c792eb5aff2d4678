#include "sender/connection.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sender/patience.h"

enum { TROUBLE_MOST = 400 };

/* A connection that was idle for longer may have ended, or be about to, for that reason alone. */
#define LULL_US CLOCK_US_PER_SECOND

struct connection {
	const struct settings *settings;
	const struct relay_terms *terms;
	struct connection_owner owner;
	struct pool *pool;
	struct pool_member member;
	struct tls_context *tls;
	struct stream *stream;
	struct smtp_client *client;
	struct letter letter;
	char name[JOURNAL_CONNECTION_MOST];
	uint64_t number;
	struct session_limit *limit;
	uint64_t begun, answered;        /* messages */
	int64_t idle_since_us;           /* boot time; 0: it is not */
	bool is_after_lull;              /* what is in hand was begun then */
	bool has_hung_up;                /* the relay, without a word */
	bool has_lost_step, has_refused; /* a reply did not fit; it was a refusal */
	struct recipient **in_hand;
	size_t load, load_most; /* how many in_hand[] holds, and can hold */
	bool is_connected, is_over, is_let_in, has_worked, is_denied;
	bool wants_tls, is_shaking_hands;
	struct patience patience; /* what the deadline was set for */
	struct buf trouble;
};

static void put(struct connection *connection, enum pool_line line)
{
	pool_put(connection->pool, &connection->member, line);
}

static void take(struct connection *connection, enum pool_line line)
{
	pool_take(connection->pool, &connection->member, line);
}

static void end(struct connection *connection)
{
	static const enum pool_line left[] = { POOL_OPENING, POOL_IDLE, POOL_HUNGRY, POOL_DIRTY };
	connection->is_over = true;
	for (size_t i = 0; i < ARRAY_LEN(left); i++)
		take(connection, left[i]);
	put(connection, POOL_OVER);
}

/* ---- events of the machine ---- */

typedef void connection_event(struct connection *connection, const struct smtp_event *event);

static struct recipient *let_go(struct connection *connection, uint64_t id)
{
	struct recipient *recipient = (struct recipient *)(uintptr_t)id;
	struct recipient *last = connection->in_hand[connection->load - 1];
	assert(recipient->place < connection->load && connection->in_hand[recipient->place] == recipient);
	connection->in_hand[recipient->place] = last;
	last->place = recipient->place;
	connection->pool->in_hand--;
	if (--connection->load == 0 && !connection->is_over)
		put(connection, POOL_IDLE);
	return recipient;
}

static void on_needs_input(struct connection *connection, const struct smtp_event *event)
{
	(void)connection;
	(void)event;
}

static void on_asks_tls(struct connection *connection, const struct smtp_event *event)
{
	(void)event;
	connection->wants_tls = true;
}

static void on_takes_envelope(struct connection *connection, const struct smtp_event *event)
{
	(void)event;
	connection->is_let_in = true;
	take(connection, POOL_OPENING);
	put(connection, POOL_HUNGRY);
}

static void on_asks_content(struct connection *connection, const struct smtp_event *event)
{
	struct recipient *recipient = (struct recipient *)(uintptr_t)event->id;
	if (!connection->owner.may_send(connection->owner.owner, recipient, connection->name) ||
	    smtp_client_content(connection->client, event->id, buf_view(&connection->letter.message)) != ERR_OK)
		smtp_client_abandon(connection->client);
}

/* A refusal before the content may be what everybody would hear. */
static bool proves_that_it_works(const struct connection *connection, const struct smtp_event *event)
{
	const struct connection_owner *owner = &connection->owner;
	if (event->step == SMTP_STEP_RCPT)
		return owner->proves_nothing == NULL || !owner->proves_nothing(owner->owner, event);
	return event->step == SMTP_STEP_FINAL_DOT;
}

static void on_told(struct connection *connection, const struct smtp_event *event)
{
	struct recipient *recipient = let_go(connection, event->id);
	connection->is_after_lull = false;
	session_limit_answered(connection->limit, ++connection->answered);
	if (!connection->has_worked && proves_that_it_works(connection, event)) {
		connection->has_worked = true;
		put(connection, POOL_PROVEN);
		put(connection, POOL_JUST_PROVEN);
	}
	connection->owner.told(connection->owner.owner, recipient, event, connection->name);
}

static void on_given_back(struct connection *connection, const struct smtp_event *event)
{
	struct recipient *recipient = let_go(connection, event->id);
	connection->owner.told(connection->owner.owner, recipient, event, connection->name);
}

/* RFC 4954 section 6, and what servers say beside it: the user or the secret is wrong. Anything else may pass. */
static bool is_about_login(const struct reply *reply)
{
	enum { TOO_WEAK = 534, WRONG = 535, NEEDS_ENCRYPTION = 538, PERMANENT = 5, SECURITY = 7 };
	return reply->code == TOO_WEAK || reply->code == WRONG || reply->code == NEEDS_ENCRYPTION ||
	       (reply->status.class_digit == PERMANENT && reply->status.subject == SECURITY);
}

static void on_trouble(struct connection *connection, const struct smtp_event *event)
{
	struct view text = view_head(event->reply.text, TROUBLE_MOST / 2);
	const struct connection_owner *owner = &connection->owner;
	/* What it has in hand may still be answered, but it takes no more. */
	take(connection, POOL_HUNGRY);
	if (owner->troubled != NULL)
		owner->troubled(owner->owner, connection->terms->name, event,
				pool_count(connection->pool, POOL_PROVEN) > connection->has_worked);
	connection->has_lost_step = event->is_out_of_step;
	connection->has_refused = event->reply.code / 100 > 3;
	connection->is_denied =
	    connection->is_denied || (event->step == SMTP_STEP_AUTH && is_about_login(&event->reply));
	if (connection->trouble.len > 0)
		return;
	buf_addf(&connection->trouble, "%s: ", smtp_step_name(event->step));
	if (event->reply.code != 0)
		buf_addf(&connection->trouble, "%u ", event->reply.code);
	buf_add(&connection->trouble,
		event->reply.code == 0 && text.len == 0 ? VIEW_LIT("the connection was lost") : text);
}

static void on_over(struct connection *connection, const struct smtp_event *event)
{
	(void)event;
	end(connection);
}

static connection_event *const on_event[] = {
	[SMTP_NEEDS_INPUT] = on_needs_input,
	[SMTP_ASKS_TLS] = on_asks_tls,
	[SMTP_TAKES_ENVELOPE] = on_takes_envelope,
	[SMTP_ASKS_CONTENT] = on_asks_content,
	[SMTP_ACCEPTED] = on_told,
	[SMTP_REFUSED] = on_told,
	[SMTP_UNFIT] = on_given_back,
	[SMTP_NOT_SENT] = on_given_back,
	[SMTP_IN_DOUBT] = on_given_back,
	[SMTP_TROUBLE] = on_trouble,
	[SMTP_CLOSED] = on_over,
};
static_assert(ARRAY_LEN(on_event) == SMTP_CLOSED + 1, "one row per event");

static void pump(struct connection *connection)
{
	struct smtp_event event;
	put(connection, POOL_DIRTY);
	do {
		smtp_client_next(connection->client, &event);
		on_event[event.type](connection, &event);
	} while (event.type != SMTP_NEEDS_INPUT && event.type != SMTP_CLOSED);
}

static void lose_by(struct connection *connection, void (*how)(struct smtp_client *client))
{
	if (connection->is_over)
		return;
	how(connection->client);
	pump(connection);
	end(connection);
}

static void lose(struct connection *connection)
{
	lose_by(connection, smtp_client_lost);
}

/* ---- events of the socket ---- */

static const char *tls_step(const struct connection *connection)
{
	return connection->terms->tls == SMTP_TLS_IMPLICIT ? "tls" : smtp_step_name(SMTP_STEP_STARTTLS);
}

static void start_tls(struct connection *connection)
{
	connection->wants_tls = false;
	connection->is_shaking_hands = true;
	enum err err = stream_start_tls(connection->stream, connection->tls, view_of(connection->terms->tls_name));
	if (err == ERR_OK)
		return;
	buf_addf(&connection->trouble, "%s: cannot begin (%s)", tls_step(connection), err_name(err));
	lose(connection);
}

static void on_connected(void *owner)
{
	struct connection *connection = owner;
	connection->is_connected = true;
	if (connection->terms->tls == SMTP_TLS_IMPLICIT)
		start_tls(connection);
	pump(connection);
}

static void on_secured(void *owner)
{
	struct connection *connection = owner;
	AUTO_BUF binding = buf_with_ceiling(TROUBLE_MOST);
	if (connection->is_over)
		return;
	connection->is_shaking_hands = false;
	if (stream_channel_binding(connection->stream, &binding) != ERR_OK)
		buf_reset(&binding);
	smtp_client_secured(connection->client, buf_view(&binding));
	pump(connection);
}

static void on_input(void *owner, struct view bytes)
{
	struct connection *connection = owner;
	if (connection->is_over)
		return;
	smtp_client_input(connection->client, bytes);
	pump(connection);
}

static void on_writable(void *owner)
{
	struct connection *connection = owner;
	if (!connection->is_over)
		put(connection, POOL_DIRTY);
}

static void on_deadline(void *owner)
{
	struct connection *connection = owner;
	if (connection->is_over)
		return;
	if (smtp_client_is_idle(connection->client)) {
		connection_quit(connection);
		return;
	}
	buf_reset(&connection->trouble);
	buf_addf(&connection->trouble, "%s: no reply in time",
		 connection->is_shaking_hands ? tls_step(connection) : smtp_step_name(connection->patience.wait.step));
	lose(connection);
}

static void on_closed(void *owner, int errno_value)
{
	struct connection *connection = owner;
	struct view of_tls = stream_trouble(connection->stream);
	if (of_tls.len > 0 && connection->trouble.len == 0)
		buf_addf(&connection->trouble, "%s: " VIEW_FMT, tls_step(connection),
			 VIEW_ARG(view_head(of_tls, TROUBLE_MOST / 2)));
	else if (!connection->is_connected && connection->trouble.len == 0)
		buf_addf(&connection->trouble, "connect: %s", strerror(errno_value == 0 ? ECONNRESET : errno_value));
	/* By the relay, and not because packets vanish. */
	bool is_by_peer = of_tls.len == 0 && (errno_value == 0 || errno_value == ECONNRESET || errno_value == EPIPE);
	connection->has_hung_up = is_by_peer && !connection->is_over && !smtp_client_is_dismissed(connection->client) &&
				  smtp_client_waits_for(connection->client) != SMTP_STEP_QUIT;
	lose_by(connection, is_by_peer ? smtp_client_closed : smtp_client_lost);
}

static const struct stream_handlers handlers = {
	.on_connected = on_connected,
	.on_input = on_input,
	.on_writable = on_writable,
	.on_deadline = on_deadline,
	.on_closed = on_closed,
	.on_secured = on_secured,
};

/* ---- the owner's side ---- */

static enum err make_client(struct connection *connection, const struct connection_parts *parts)
{
	const struct relay_terms *terms = parts->terms;
	const struct smtp_credentials credentials = {
		.mechanism = terms->mechanism,
		.user = view_of(terms->user),
		.secret = parts->secret,
		.host = view_of(terms->host),
		.port = terms->port,
	};
	const struct smtp_client_options options = {
		.helo = view_of(terms->helo),
		.max_messages = session_limit_least(parts->limit, terms->messages_per_connection),
		.is_lmtp = terms->is_lmtp,
		.tls = terms->tls,
		.is_local = *terms->host == '\0',
		.in_flight = terms->in_flight,
		.keeps_step = parts->keeps_step,
		.notify_delay = terms->notify_delay,
		.credentials = terms->has_auth ? &credentials : NULL,
	};
	return smtp_client_new(&options, &connection->client);
}

/* With DATA one whose content is out and one whose envelope is; with BDAT so many as may be in flight. */
static size_t load_most(const struct relay_terms *terms)
{
	return (size_t)terms->in_flight + 1;
}

enum err connection_new(const struct connection_parts *parts, struct connection **ret_connection)
{
	const struct relay_terms *terms = parts->terms;
	struct connection *connection = calloc(1, sizeof(*connection));
	if (connection == NULL)
		return ERR_MEMORY;
	connection->settings = parts->settings;
	connection->terms = terms;
	connection->owner = parts->owner;
	connection->pool = parts->pool;
	connection->member.connection = connection;
	connection->tls = parts->tls;
	connection->number = parts->number;
	connection->limit = parts->limit;
	connection->letter = letter_new();
	connection->trouble = buf_with_ceiling(TROUBLE_MOST);
	snprintf(connection->name, sizeof(connection->name), "%.*s #%llu", (int)JOURNAL_CONNECTION_RELAY, terms->name,
		 (unsigned long long)parts->number);
	connection->load_most = load_most(terms);
	connection->in_hand = calloc(connection->load_most, sizeof(struct recipient *));
	enum err err = connection->in_hand == NULL ? ERR_MEMORY : make_client(connection, parts);
	if (err == ERR_OK)
		err = stream_connect_from(parts->loop, parts->endpoint, terms->has_source ? &terms->source : NULL,
					  parts->settings->relay_connect_timeout, &handlers, connection,
					  &connection->stream);
	if (err != ERR_OK) {
		connection_done(connection);
		return err;
	}
	put(connection, POOL_ALL);
	put(connection, POOL_OPENING);
	put(connection, POOL_IDLE);
	*ret_connection = connection;
	return ERR_OK;
}

void connection_done(struct connection *connection)
{
	if (connection == NULL)
		return;
	pool_leave(connection->pool, &connection->member);
	connection->pool->in_hand -= connection->load;
	stream_done(connection->stream);
	smtp_client_done(connection->client);
	letter_done(&connection->letter);
	buf_done(&connection->trouble);
	free(connection->in_hand);
	free(connection);
}

const struct pool_member *connection_member(const struct connection *connection)
{
	return &connection->member;
}

struct letter *connection_letter(struct connection *connection)
{
	return &connection->letter;
}

static bool asks_first(const struct connection *connection, const struct recipient *recipient)
{
	return connection->is_after_lull || recipient->opened.is_doubtful ||
	       session_limit_is_near(connection->limit, connection->begun);
}

enum err connection_begin(struct connection *connection, struct recipient *recipient, int64_t now_us)
{
	if (connection->load == 0)
		connection->is_after_lull =
		    connection->idle_since_us != 0 && now_us - connection->idle_since_us > LULL_US;
	const struct smtp_envelope envelope = {
		.from = buf_view(&connection->letter.from),
		.to = recipient->opened.address,
		.envid = buf_view(&connection->letter.envid),
		.size = connection->letter.message.len,
		.asks_first = asks_first(connection, recipient),
	};
	uint64_t id = (uint64_t)(uintptr_t)recipient;
	assert(connection->load < connection->load_most);
	enum err err = smtp_client_envelope(connection->client, id, &envelope);
	if (err != ERR_OK)
		return err;
	take(connection, POOL_HUNGRY);
	take(connection, POOL_IDLE);
	connection->begun++;
	connection->idle_since_us = 0;
	recipient->place = connection->load;
	connection->in_hand[connection->load++] = recipient;
	connection->pool->in_hand++;
	pump(connection);
	return ERR_OK;
}

void connection_cut(struct connection *connection)
{
	if (!connection->is_over && connection->trouble.len == 0)
		buf_addf(&connection->trouble, "cut off by us");
	lose(connection);
}

static bool is_to_withdraw(const struct connection *connection, const struct run *run)
{
	for (size_t i = 0; i < connection->load; i++) {
		const struct recipient *recipient = connection->in_hand[i];
		if (recipient->state == RECIPIENT_BEGUN && (run == NULL || recipient->run == run))
			return true;
	}
	return false;
}

void connection_withdraw(struct connection *connection, const struct run *run)
{
	if (!connection->is_over && is_to_withdraw(connection, run) && smtp_client_withdraw(connection->client))
		pump(connection);
}

void connection_quit(struct connection *connection)
{
	if (connection->is_over)
		return;
	if (!connection->is_connected) {
		end(connection);
		return;
	}
	smtp_client_quit(connection->client);
	pump(connection);
	take(connection, POOL_HUNGRY);
}

static struct wait wait_of(const struct connection *connection)
{
	const struct smtp_client *client = connection->client;
	return (struct wait){
		.step = smtp_client_waits_for(client),
		.is_idle = smtp_client_is_idle(client),
		.is_handshake = connection->is_shaking_hands,
		.is_dismissed = smtp_client_is_dismissed(client),
		.replies = smtp_client_replies(client),
	};
}

void connection_write(struct connection *connection, int64_t now_us)
{
	take(connection, POOL_DIRTY);
	if (!connection->is_connected || connection->is_over)
		return;
	struct view output = smtp_client_output(connection->client);
	size_t written = output.len > 0 ? stream_write(connection->stream, output) : 0;
	smtp_client_written(connection->client, written);
	if (connection->wants_tls && smtp_client_output(connection->client).len == 0)
		start_tls(connection);
	const struct wait wait = wait_of(connection);
	if (wait.is_idle && connection->idle_since_us == 0)
		connection->idle_since_us = now_us;
	if (patience_begins(&connection->patience, &wait, written))
		stream_set_deadline_from(connection->stream, now_us, patience_time(connection->settings, &wait));
}

void connection_note_proven(struct connection *connection)
{
	take(connection, POOL_JUST_PROVEN);
}

bool connection_is_denied(const struct connection *connection)
{
	return connection->is_denied;
}

bool connection_is_let_in(const struct connection *connection)
{
	return connection->is_let_in;
}

bool connection_has_worked(const struct connection *connection)
{
	return connection->has_worked;
}

struct view connection_trouble(const struct connection *connection)
{
	return buf_view(&connection->trouble);
}

static bool is_in_lull(const struct connection *connection, int64_t now_us)
{
	return connection->idle_since_us != 0 && now_us - connection->idle_since_us > LULL_US;
}

uint64_t connection_hung_up_behind(const struct connection *connection, int64_t now_us)
{
	bool is_for_want = connection->is_after_lull || is_in_lull(connection, now_us);
	return connection->has_hung_up && !is_for_want ? connection->answered : 0;
}

bool connection_take_lost_step(struct connection *connection, int64_t now_us)
{
	bool has_lost = connection->has_lost_step && !(connection->has_refused && is_in_lull(connection, now_us));
	connection->has_lost_step = false;
	return has_lost;
}

uint64_t connection_number(const struct connection *connection)
{
	return connection->number;
}

bool connection_serves(const struct connection *connection, const struct run *run)
{
	for (size_t i = 0; i < connection->load; i++) {
		if (run == NULL || connection->in_hand[i]->run == run)
			return true;
	}
	return false;
}
