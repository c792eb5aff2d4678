#include "sender/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sender/backoff.h"

#define LONGEST_BACKOFF_US (INT64_C(600) * CLOCK_US_PER_SECOND)

enum { ENDPOINTS_MOST = 16, TROUBLE_MOST = 512 };

/* A place for one connection. */
struct place {
	struct connection *connection; /* NULL: free */
	int64_t free_from_us;          /* left alone until then */
	bool has_worked;               /* what was noted of the connection so far */
};

struct relay {
	const struct setup *setup;
	struct loop *loop;
	struct relay_owner owner;
	struct endpoint endpoints[ENDPOINTS_MOST];
	size_t endpoint_count, endpoint_next;
	struct place *places;
	size_t place_count;
	uint64_t opened; /* connections so far */
	struct backoff backoff;
	bool is_quitting, has_news;
	struct buf trouble;
};

enum err relay_new(const struct setup *setup, struct loop *loop, const struct relay_owner *owner,
		   struct relay **ret_relay)
{
	struct relay *relay = calloc(1, sizeof(*relay));
	if (relay == NULL)
		return ERR_MEMORY;
	relay->setup = setup;
	relay->loop = loop;
	relay->owner = *owner;
	relay->place_count = setup->settings.relay_connections;
	relay->places = calloc(relay->place_count, sizeof(*relay->places));
	relay->backoff = backoff_new(setup->settings.relay_retry, LONGEST_BACKOFF_US);
	relay->trouble = buf_with_ceiling(TROUBLE_MOST);
	if (relay->places == NULL) {
		relay_done(relay);
		return ERR_MEMORY;
	}
	*ret_relay = relay;
	return ERR_OK;
}

void relay_done(struct relay *relay)
{
	if (relay == NULL)
		return;
	for (size_t i = 0; relay->places != NULL && i < relay->place_count; i++)
		connection_done(relay->places[i].connection);
	free(relay->places);
	buf_done(&relay->trouble);
	free(relay);
}

/* ---- failing and working ---- */

static void fail(struct relay *relay, struct view trouble, int64_t now_us)
{
	struct log_text room;
	buf_reset(&relay->trouble);
	buf_add(&relay->trouble, trouble.len == 0 ? VIEW_LIT("the connection was lost") : trouble);
	backoff_fail(&relay->backoff, now_us);
	relay->endpoint_count = 0;
	relay->has_news = true;
	log_event(LOG_WARNING, "relay.tripped", "relay=%s wait=%llds trouble=%s", relay->setup->relay,
		  (long long)(relay->backoff.wait_us / CLOCK_US_PER_SECOND),
		  log_quoted(buf_view(&relay->trouble), &room));
}

static void work(struct relay *relay)
{
	if (!backoff_is_failed(&relay->backoff))
		return;
	backoff_clear(&relay->backoff);
	buf_reset(&relay->trouble);
	relay->has_news = true;
	log_event(LOG_INFO, "relay.restored", "relay=%s", relay->setup->relay);
}

static bool any_works(const struct relay *relay)
{
	for (size_t i = 0; i < relay->place_count; i++) {
		if (relay->places[i].connection != NULL && relay->places[i].has_worked)
			return true;
	}
	return false;
}

static void bury(struct relay *relay, struct place *place, int64_t now_us)
{
	struct view trouble = connection_trouble(place->connection);
	bool has_failed = trouble.len > 0 && !connection_has_worked(place->connection) && !relay->is_quitting;
	place->has_worked = false;
	if (has_failed && any_works(relay))
		place->free_from_us = now_us + relay->setup->settings.relay_retry;
	else if (has_failed && !backoff_waits(&relay->backoff, now_us))
		fail(relay, trouble, now_us);
	connection_done(place->connection);
	place->connection = NULL;
}

static void look_after(struct relay *relay, int64_t now_us)
{
	for (size_t i = 0; i < relay->place_count; i++) {
		struct place *place = &relay->places[i];
		if (place->connection == NULL)
			continue;
		if (!place->has_worked && connection_has_worked(place->connection)) {
			place->has_worked = true;
			work(relay);
		}
		if (connection_is_over(place->connection))
			bury(relay, place, now_us);
	}
}

/* ---- opening ---- */

static bool resolve(struct relay *relay, int64_t now_us)
{
	if (relay->endpoint_count > 0)
		return true;
	const struct settings *settings = &relay->setup->settings;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	size_t count = 0;
	enum err err = endpoint_resolve(view_of(settings->relay_host), (uint16_t)settings->relay_port, relay->endpoints,
					ENDPOINTS_MOST, &count, &why);
	if (err != ERR_OK || count == 0) {
		fail(relay, buf_view(&why), now_us);
		return false;
	}
	relay->endpoint_count = count;
	return true;
}

static bool open_one(struct relay *relay, struct place *place, int64_t now_us)
{
	if (!resolve(relay, now_us))
		return false;
	const struct endpoint *endpoint = &relay->endpoints[relay->endpoint_next++ % relay->endpoint_count];
	enum err err = connection_new(relay->setup, relay->loop, endpoint, ++relay->opened, &relay->owner.connection,
				      &place->connection);
	if (err != ERR_OK) {
		fail(relay, view_of(err == ERR_IO ? strerror(errno) : err_name(err)), now_us);
		return false;
	}
	return true;
}

/* Connections that stand or are being opened and have nobody in hand yet take who waits; more are opened for the rest. */
static size_t wanted(const struct relay *relay)
{
	size_t idle = 0;
	for (size_t i = 0; i < relay->place_count; i++) {
		if (relay->places[i].connection != NULL && connection_load(relay->places[i].connection) == 0)
			idle++;
	}
	size_t waiting = relay->owner.waiting(relay->owner.connection.owner);
	return waiting > idle ? waiting - idle : 0;
}

static void open_more(struct relay *relay, int64_t now_us)
{
	if (relay->is_quitting || backoff_waits(&relay->backoff, now_us))
		return;
	size_t want = wanted(relay);
	/* After a failure one connection tries for all. */
	if (backoff_is_failed(&relay->backoff) && relay_connections(relay) > 0)
		want = 0;
	else if (backoff_is_failed(&relay->backoff) && want > 1)
		want = 1;
	for (size_t i = 0; want > 0 && i < relay->place_count; i++) {
		struct place *place = &relay->places[i];
		if (place->connection != NULL || place->free_from_us > now_us)
			continue;
		if (!open_one(relay, place, now_us))
			return;
		want--;
	}
}

/* ---- the owner's side ---- */

static void feed(struct relay *relay, struct connection *connection)
{
	void *owner = relay->owner.connection.owner;
	while (connection_is_hungry(connection)) {
		struct recipient *recipient = relay->owner.next(owner, connection_letter(connection));
		if (recipient == NULL)
			return;
		if (connection_begin(connection, recipient) != ERR_OK)
			relay->owner.unspeakable(owner, recipient);
	}
}

void relay_feed(struct relay *relay, int64_t now_us)
{
	look_after(relay, now_us);
	open_more(relay, now_us);
	if (relay->is_quitting || backoff_waits(&relay->backoff, now_us))
		return;
	for (size_t i = 0; i < relay->place_count; i++) {
		if (relay->places[i].connection != NULL)
			feed(relay, relay->places[i].connection);
	}
}

void relay_write(struct relay *relay)
{
	for (size_t i = 0; i < relay->place_count; i++) {
		if (relay->places[i].connection != NULL)
			connection_write(relay->places[i].connection);
	}
}

void relay_quit(struct relay *relay)
{
	relay->is_quitting = true;
	for (size_t i = 0; i < relay->place_count; i++) {
		if (relay->places[i].connection != NULL)
			connection_quit(relay->places[i].connection);
	}
}

void relay_cut(struct relay *relay, const struct run *run)
{
	for (size_t i = 0; i < relay->place_count; i++) {
		struct connection *connection = relay->places[i].connection;
		if (connection != NULL && connection_serves(connection, run))
			connection_cut(connection);
	}
}

size_t relay_connections(const struct relay *relay)
{
	size_t count = 0;
	for (size_t i = 0; i < relay->place_count; i++)
		count += relay->places[i].connection != NULL;
	return count;
}

int64_t relay_wait(const struct relay *relay, int64_t now_us)
{
	return backoff_waits(&relay->backoff, now_us) ? relay->backoff.until_us - now_us : -1;
}

bool relay_has_news(const struct relay *relay)
{
	return relay->has_news;
}

struct view relay_trouble(const struct relay *relay)
{
	return buf_view(&relay->trouble);
}

int64_t relay_retry_in(const struct relay *relay, int64_t now_us)
{
	int64_t wait_us = relay->backoff.until_us - now_us;
	return wait_us > 0 ? wait_us : 0;
}

void relay_told_news(struct relay *relay)
{
	relay->has_news = false;
}
