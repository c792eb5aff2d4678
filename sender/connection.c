#include "sender/connection.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* An idle connection is given up after this: relays do it too, with less courtesy. */
#define IDLE_US (INT64_C(20) * CLOCK_US_PER_SECOND)

enum { TROUBLE_MOST = 400, IN_HAND_MOST = 2 };

struct connection {
	const struct setup *setup;
	struct connection_owner owner;
	struct pool *pool;
	struct pool_member member;
	struct stream *stream;
	struct smtp_client *client;
	struct letter letter;
	char name[JOURNAL_CONNECTION_MOST];
	struct recipient *in_hand[IN_HAND_MOST];
	size_t load; /* how many in_hand[] holds */
	bool is_connected, is_over, has_worked;
	enum smtp_step waited_for; /* what the deadline was set for */
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
	for (size_t i = 0; i < IN_HAND_MOST; i++) {
		struct recipient *recipient = connection->in_hand[i];
		if (recipient != NULL && (uint64_t)(uintptr_t)recipient == id) {
			connection->in_hand[i] = NULL;
			if (--connection->load == 0 && !connection->is_over)
				put(connection, POOL_IDLE);
			return recipient;
		}
	}
	return NULL;
}

static void on_needs_input(struct connection *connection, const struct smtp_event *event)
{
	(void)connection;
	(void)event;
}

static void on_takes_envelope(struct connection *connection, const struct smtp_event *event)
{
	(void)event;
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

static void on_told(struct connection *connection, const struct smtp_event *event)
{
	struct recipient *recipient = let_go(connection, event->id);
	assert(recipient != NULL);
	if (!connection->has_worked && event->reply.code != 0) {
		connection->has_worked = true;
		put(connection, POOL_PROVEN);
		put(connection, POOL_JUST_PROVEN);
	}
	connection->owner.told(connection->owner.owner, recipient, event, connection->name);
}

static void on_given_back(struct connection *connection, const struct smtp_event *event)
{
	struct recipient *recipient = let_go(connection, event->id);
	assert(recipient != NULL);
	connection->owner.told(connection->owner.owner, recipient, event, connection->name);
}

static void on_trouble(struct connection *connection, const struct smtp_event *event)
{
	if (connection->trouble.len > 0)
		return;
	if (event->reply.code != 0)
		buf_addf(&connection->trouble, "%s: %u " VIEW_FMT, smtp_step_name(event->step), event->reply.code,
			 VIEW_ARG(view_head(event->reply.text, TROUBLE_MOST / 2)));
	else if (event->reply.text.len > 0)
		buf_addf(&connection->trouble, "%s: " VIEW_FMT, smtp_step_name(event->step),
			 VIEW_ARG(event->reply.text));
	else
		buf_addf(&connection->trouble, "%s: the connection was lost", smtp_step_name(event->step));
}

static void on_over(struct connection *connection, const struct smtp_event *event)
{
	(void)event;
	end(connection);
}

static connection_event *const on_event[] = {
	[SMTP_NEEDS_INPUT] = on_needs_input,
	[SMTP_ASKS_TLS] = on_needs_input,
	[SMTP_TAKES_ENVELOPE] = on_takes_envelope,
	[SMTP_ASKS_CONTENT] = on_asks_content,
	[SMTP_ACCEPTED] = on_told,
	[SMTP_REFUSED] = on_told,
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

static void lose(struct connection *connection)
{
	if (connection->is_over)
		return;
	smtp_client_lost(connection->client);
	pump(connection);
	end(connection);
}

/* ---- events of the socket ---- */

static void on_connected(void *owner)
{
	struct connection *connection = owner;
	connection->is_connected = true;
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
	buf_addf(&connection->trouble, "%s: no reply in time", smtp_step_name(connection->waited_for));
	lose(connection);
}

static void on_closed(void *owner, int errno_value)
{
	struct connection *connection = owner;
	if (!connection->is_connected && connection->trouble.len == 0)
		buf_addf(&connection->trouble, "connect: %s", strerror(errno_value == 0 ? ECONNRESET : errno_value));
	lose(connection);
}

static const struct stream_handlers handlers = {
	.on_connected = on_connected,
	.on_input = on_input,
	.on_writable = on_writable,
	.on_deadline = on_deadline,
	.on_closed = on_closed,
};

/* ---- the owner's side ---- */

enum err connection_new(const struct setup *setup, struct loop *loop, const struct endpoint *endpoint, uint64_t number,
			const struct connection_owner *owner, struct pool *pool, struct connection **ret_connection)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	if (connection == NULL)
		return ERR_MEMORY;
	connection->setup = setup;
	connection->owner = *owner;
	connection->pool = pool;
	connection->member.connection = connection;
	connection->letter = letter_new();
	connection->trouble = buf_with_ceiling(TROUBLE_MOST);
	snprintf(connection->name, sizeof(connection->name), "%.40s #%llu", setup->relay, (unsigned long long)number);
	const struct smtp_client_options options = {
		.helo = view_of(setup->helo),
		.max_messages = setup->settings.relay_messages_per_connection,
	};
	enum err err = smtp_client_new(&options, &connection->client);
	if (err == ERR_OK)
		err = stream_connect(loop, endpoint, setup->settings.relay_connect_timeout, &handlers, connection,
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
	stream_done(connection->stream);
	smtp_client_done(connection->client);
	letter_done(&connection->letter);
	buf_done(&connection->trouble);
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

enum err connection_begin(struct connection *connection, struct recipient *recipient)
{
	const struct smtp_envelope envelope = {
		.from = buf_view(&connection->letter.from),
		.to = recipient->opened.address,
		.envid = buf_view(&connection->letter.envid),
		.size = connection->letter.message.len,
	};
	uint64_t id = (uint64_t)(uintptr_t)recipient;
	enum err err = smtp_client_envelope(connection->client, id, &envelope);
	if (err != ERR_OK)
		return err;
	take(connection, POOL_HUNGRY);
	take(connection, POOL_IDLE);
	connection->in_hand[connection->in_hand[0] == NULL ? 0 : 1] = recipient;
	connection->load++;
	pump(connection);
	return ERR_OK;
}

void connection_cut(struct connection *connection)
{
	if (!connection->is_over && connection->trouble.len == 0)
		buf_addf(&connection->trouble, "cut off by us");
	lose(connection);
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

static int64_t patience(const struct settings *settings, enum smtp_step step)
{
	switch (step) {
	case SMTP_STEP_DATA:
		return settings->relay_data_timeout;
	case SMTP_STEP_FINAL_DOT:
		return settings->relay_final_timeout;
	case SMTP_STEP_QUIT:
		return CLOCK_US_PER_SECOND;
	case SMTP_STEP_BANNER:
	case SMTP_STEP_EHLO:
	case SMTP_STEP_STARTTLS:
	case SMTP_STEP_AUTH:
	case SMTP_STEP_MAIL:
	case SMTP_STEP_RCPT:
	case SMTP_STEP_COUNT:
		break;
	}
	return settings->relay_reply_timeout;
}

void connection_write(struct connection *connection, int64_t now_us)
{
	take(connection, POOL_DIRTY);
	if (!connection->is_connected || connection->is_over)
		return;
	struct view output = smtp_client_output(connection->client);
	if (output.len > 0)
		smtp_client_written(connection->client, stream_write(connection->stream, output));
	bool is_idle = smtp_client_is_idle(connection->client);
	connection->waited_for = smtp_client_waits_for(connection->client);
	int64_t wait_us = is_idle ? IDLE_US : patience(&connection->setup->settings, connection->waited_for);
	stream_set_deadline_from(connection->stream, now_us, wait_us);
}

void connection_note_proven(struct connection *connection)
{
	take(connection, POOL_JUST_PROVEN);
}

bool connection_has_worked(const struct connection *connection)
{
	return connection->has_worked;
}

struct view connection_trouble(const struct connection *connection)
{
	return buf_view(&connection->trouble);
}

bool connection_serves(const struct connection *connection, const struct run *run)
{
	for (size_t i = 0; i < IN_HAND_MOST; i++) {
		const struct recipient *recipient = connection->in_hand[i];
		if (recipient != NULL && (run == NULL || recipient->run == run))
			return true;
	}
	return false;
}
