#include "sender/connection_private.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* A connection that was idle for longer may have ended, or be about to, for that reason alone. */
#define LULL_US CLOCK_US_PER_SECOND

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
					  parts->settings->relay_connect_timeout, &connection_handlers, connection,
					  &connection->stream);
	if (err != ERR_OK) {
		connection_done(connection);
		return err;
	}
	connection_put(connection, POOL_ALL);
	connection_put(connection, POOL_OPENING);
	connection_put(connection, POOL_IDLE);
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
	connection_take(connection, POOL_HUNGRY);
	connection_take(connection, POOL_IDLE);
	connection->begun++;
	connection->idle_since_us = 0;
	recipient->place = connection->load;
	connection->in_hand[connection->load++] = recipient;
	connection->pool->in_hand++;
	connection_pump(connection);
	return ERR_OK;
}

void connection_cut(struct connection *connection)
{
	if (!connection->is_over && connection->trouble.len == 0)
		buf_addf(&connection->trouble, "cut off by us");
	connection_lose(connection);
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
		connection_pump(connection);
}

void connection_quit(struct connection *connection)
{
	if (connection->is_over)
		return;
	if (!connection->is_connected) {
		connection_end(connection);
		return;
	}
	smtp_client_quit(connection->client);
	connection_pump(connection);
	connection_take(connection, POOL_HUNGRY);
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
	connection_take(connection, POOL_DIRTY);
	if (!connection->is_connected || connection->is_over)
		return;
	struct view output = smtp_client_output(connection->client);
	size_t written = output.len > 0 ? stream_write(connection->stream, output) : 0;
	smtp_client_written(connection->client, written);
	if (connection->wants_tls && smtp_client_output(connection->client).len == 0)
		connection_start_tls(connection);
	const struct wait wait = wait_of(connection);
	if (wait.is_idle && connection->idle_since_us == 0)
		connection->idle_since_us = now_us;
	if (patience_begins(&connection->patience, &wait, written))
		stream_set_deadline_from(connection->stream, now_us, patience_time(connection->settings, &wait));
}

void connection_note_proven(struct connection *connection)
{
	connection_take(connection, POOL_JUST_PROVEN);
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
