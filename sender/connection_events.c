#include <assert.h>
#include <errno.h>
#include <string.h>

#include "sender/connection_private.h"

void connection_put(struct connection *connection, enum pool_line line)
{
	pool_put(connection->pool, &connection->member, line);
}

void connection_take(struct connection *connection, enum pool_line line)
{
	pool_take(connection->pool, &connection->member, line);
}

void connection_end(struct connection *connection)
{
	static const enum pool_line left[] = { POOL_OPENING, POOL_IDLE, POOL_HUNGRY, POOL_DIRTY };
	connection->is_over = true;
	for (size_t i = 0; i < ARRAY_LEN(left); i++)
		connection_take(connection, left[i]);
	connection_put(connection, POOL_OVER);
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
		connection_put(connection, POOL_IDLE);
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
	connection_take(connection, POOL_OPENING);
	connection_put(connection, POOL_HUNGRY);
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
		connection_put(connection, POOL_PROVEN);
		connection_put(connection, POOL_JUST_PROVEN);
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
	connection_take(connection, POOL_HUNGRY);
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
	connection_end(connection);
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

void connection_pump(struct connection *connection)
{
	struct smtp_event event;
	connection_put(connection, POOL_DIRTY);
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
	connection_pump(connection);
	connection_end(connection);
}

void connection_lose(struct connection *connection)
{
	lose_by(connection, smtp_client_lost);
}

/* ---- events of the socket ---- */

static const char *tls_step(const struct connection *connection)
{
	return connection->terms->tls == SMTP_TLS_IMPLICIT ? "tls" : smtp_step_name(SMTP_STEP_STARTTLS);
}

void connection_start_tls(struct connection *connection)
{
	connection->wants_tls = false;
	connection->is_shaking_hands = true;
	enum err err = stream_start_tls(connection->stream, connection->tls, view_of(connection->terms->tls_name));
	if (err == ERR_OK)
		return;
	buf_addf(&connection->trouble, "%s: cannot begin (%s)", tls_step(connection), err_name(err));
	connection_lose(connection);
}

static void on_connected(void *owner)
{
	struct connection *connection = owner;
	connection->is_connected = true;
	if (connection->terms->tls == SMTP_TLS_IMPLICIT)
		connection_start_tls(connection);
	connection_pump(connection);
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
	connection_pump(connection);
}

static void on_input(void *owner, struct view bytes)
{
	struct connection *connection = owner;
	if (connection->is_over)
		return;
	smtp_client_input(connection->client, bytes);
	connection_pump(connection);
}

static void on_writable(void *owner)
{
	struct connection *connection = owner;
	if (!connection->is_over)
		connection_put(connection, POOL_DIRTY);
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
	connection_lose(connection);
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

const struct stream_handlers connection_handlers = {
	.on_connected = on_connected,
	.on_input = on_input,
	.on_writable = on_writable,
	.on_deadline = on_deadline,
	.on_closed = on_closed,
	.on_secured = on_secured,
};
