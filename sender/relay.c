#include "sender/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sender/backoff.h"

#define LONGEST_BACKOFF_US (INT64_C(600) * CLOCK_US_PER_SECOND)

/* So many connections may be on their way to their first envelope at once: a relay's queue of new ones is short. */
enum { OPENING_MOST = 100, ENDPOINTS_MOST = 16, TROUBLE_MOST = 512 };

/* Places that are left alone: until when, the soonest first. */
struct vacancies {
	int64_t *until_us;
	size_t first, count;
};

struct relay {
	const struct setup *setup;
	struct loop *loop;
	struct relay_owner owner;
	struct endpoint endpoints[ENDPOINTS_MOST];
	size_t endpoint_count, endpoint_next;
	struct pool pool;
	struct vacancies vacancies;
	size_t places;   /* how many connections there may be */
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
	relay->places = setup->settings.relay_connections;
	relay->vacancies.until_us = calloc(relay->places, sizeof(*relay->vacancies.until_us));
	relay->backoff = backoff_new(setup->settings.relay_retry, LONGEST_BACKOFF_US);
	relay->trouble = buf_with_ceiling(TROUBLE_MOST);
	if (relay->vacancies.until_us == NULL) {
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
	struct connection *connection;
	while ((connection = pool_first(&relay->pool, POOL_ALL)) != NULL)
		connection_done(connection);
	free(relay->vacancies.until_us);
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

/* A place is left alone: no more of them than places, for each was a connection's. */
static void leave_alone(struct relay *relay, int64_t until_us)
{
	struct vacancies *vacancies = &relay->vacancies;
	vacancies->until_us[(vacancies->first + vacancies->count++) % relay->places] = until_us;
}

static void bury(struct relay *relay, struct connection *connection, int64_t now_us)
{
	AUTO_BUF trouble = buf_with_ceiling(TROUBLE_MOST);
	buf_add(&trouble, connection_trouble(connection));
	bool has_failed = trouble.len > 0 && !connection_has_worked(connection) && !relay->is_quitting;
	connection_done(connection);
	if (has_failed && pool_count(&relay->pool, POOL_PROVEN) > 0)
		leave_alone(relay, now_us + relay->setup->settings.relay_retry);
	else if (has_failed && !backoff_waits(&relay->backoff, now_us))
		fail(relay, buf_view(&trouble), now_us);
}

static void look_after(struct relay *relay, int64_t now_us)
{
	struct connection *connection;
	if (pool_count(&relay->pool, POOL_JUST_PROVEN) > 0)
		work(relay);
	while ((connection = pool_first(&relay->pool, POOL_JUST_PROVEN)) != NULL)
		connection_note_proven(connection);
	while ((connection = pool_first(&relay->pool, POOL_OVER)) != NULL)
		bury(relay, connection, now_us);
	struct vacancies *vacancies = &relay->vacancies;
	while (vacancies->count > 0 && vacancies->until_us[vacancies->first] <= now_us) {
		vacancies->first = (vacancies->first + 1) % relay->places;
		vacancies->count--;
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

static bool open_one(struct relay *relay, int64_t now_us)
{
	if (!resolve(relay, now_us))
		return false;
	const struct endpoint *endpoint = &relay->endpoints[relay->endpoint_next++ % relay->endpoint_count];
	struct connection *connection;
	enum err err = connection_new(relay->setup, relay->loop, endpoint, ++relay->opened, &relay->owner.connection,
				      &relay->pool, &connection);
	if (err != ERR_OK) {
		fail(relay, view_of(err == ERR_IO ? strerror(errno) : err_name(err)), now_us);
		return false;
	}
	return true;
}

/* Connections that stand or are being opened and have nobody in hand yet take who waits; more are opened for the rest. */
static size_t wanted(const struct relay *relay)
{
	size_t idle = pool_count(&relay->pool, POOL_IDLE), opening = pool_count(&relay->pool, POOL_OPENING);
	size_t taken = pool_count(&relay->pool, POOL_ALL) + relay->vacancies.count;
	size_t waiting = relay->owner.waiting(relay->owner.connection.owner, relay);
	if (waiting <= idle || taken >= relay->places || opening >= OPENING_MOST)
		return 0;
	/* After a failure one connection tries for all. */
	if (backoff_is_failed(&relay->backoff))
		return pool_count(&relay->pool, POOL_ALL) == 0;
	size_t want = waiting - idle;
	want = want < relay->places - taken ? want : relay->places - taken;
	return want < OPENING_MOST - opening ? want : OPENING_MOST - opening;
}

static void open_more(struct relay *relay, int64_t now_us)
{
	if (relay->is_quitting || backoff_waits(&relay->backoff, now_us))
		return;
	size_t want = wanted(relay);
	while (want > 0 && open_one(relay, now_us))
		want--;
}

/* ---- the owner's side ---- */

/* False when nobody is left to be begun. */
static bool feed_one(struct relay *relay, struct connection *connection)
{
	void *owner = relay->owner.connection.owner;
	struct recipient *recipient = relay->owner.next(owner, relay, connection_letter(connection));
	if (recipient == NULL)
		return false;
	if (connection_begin(connection, recipient) != ERR_OK)
		relay->owner.unspeakable(owner, recipient);
	return true;
}

void relay_feed(struct relay *relay, int64_t now_us)
{
	look_after(relay, now_us);
	open_more(relay, now_us);
	if (relay->is_quitting || backoff_waits(&relay->backoff, now_us))
		return;
	struct connection *connection;
	while ((connection = pool_first(&relay->pool, POOL_HUNGRY)) != NULL && feed_one(relay, connection))
		;
}

void relay_write(struct relay *relay, int64_t now_us)
{
	struct connection *connection;
	while ((connection = pool_first(&relay->pool, POOL_DIRTY)) != NULL)
		connection_write(connection, now_us);
}

/* Each in turn; it may end meanwhile, but stays in the pool until it is buried. */
static struct connection *after(const struct connection *connection)
{
	return pool_next(connection_member(connection), POOL_ALL);
}

void relay_quit(struct relay *relay)
{
	relay->is_quitting = true;
	struct connection *at = pool_first(&relay->pool, POOL_ALL);
	for (; at != NULL; at = after(at))
		connection_quit(at);
}

bool relay_is_empty(const struct relay *relay)
{
	return pool_count(&relay->pool, POOL_ALL) == 0;
}

void relay_cut(struct relay *relay, const struct run *run)
{
	struct connection *at = pool_first(&relay->pool, POOL_ALL);
	for (; at != NULL; at = after(at)) {
		if (connection_serves(at, run))
			connection_cut(at);
	}
}

const char *relay_name(const struct relay *relay)
{
	return relay->setup->relay;
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
