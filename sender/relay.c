#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sender/relay_private.h"

#define LONGEST_BACKOFF_US (INT64_C(600) * CLOCK_US_PER_SECOND)

/* How often a command that gives a secret is looked after. */
#define SECRET_LOOK_US (INT64_C(20) * CLOCK_US_PER_MS)

/* So many connections may be on their way to their first envelope at once: a relay's queue of new ones is short. */
enum { OPENING_MOST = 100 };

enum err relay_new(const struct relay_parts *parts, const struct relay_terms *terms, struct relay **ret_relay)
{
	struct relay *relay = calloc(1, sizeof(*relay));
	if (relay == NULL)
		return ERR_MEMORY;
	relay->parts = *parts;
	relay->terms = *terms;
	relay->most = SIZE_MAX;
	relay->bound = UINT64_MAX;
	relay->backoff = backoff_new(parts->settings->relay_retry, LONGEST_BACKOFF_US);
	relay->trouble = buf_with_ceiling(LIMIT_WHY);
	relay->refusal = buf_with_ceiling(LIMIT_WHY);
	relay->disbelief = buf_with_ceiling(LIMIT_WHY);
	relay->step = buf_with_ceiling(LIMIT_WHY);
	enum err err = access_new(parts->settings, &relay->terms, parts->logs_in_freely, &relay->access);
	if (err == ERR_OK)
		err = vacancies_new(parts->places, &relay->vacancies);
	if (err != ERR_OK) {
		relay_done(relay);
		return err;
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
	vacancies_done(&relay->vacancies);
	access_done(&relay->access);
	buf_done(&relay->trouble);
	buf_done(&relay->refusal);
	buf_done(&relay->disbelief);
	buf_done(&relay->step);
	free(relay);
}

/* Each in turn; it may end meanwhile, but stays in the pool until it is buried. */
static struct connection *after(const struct connection *connection)
{
	return pool_next(connection_member(connection), POOL_ALL);
}

static void quit_all(struct relay *relay)
{
	struct connection *at = pool_first(&relay->pool, POOL_ALL);
	for (; at != NULL; at = after(at))
		connection_quit(at);
}

/* ---- connections that are over ---- */

static void learn_limit(struct relay *relay, const struct connection *connection, int64_t now_us)
{
	uint64_t answered = connection_hung_up_behind(connection, now_us);
	if (session_limit_hung_up(&relay->limit, answered, connection_number(connection), relay->opened))
		log_event(LOG_INFO, "relay.learned", "relay=%s messages=%llu", relay->terms.name,
			  (unsigned long long)answered);
}

/* What the others have in flight may be out of step, too: they take no more. */
static void learn_step(struct relay *relay, struct connection *connection, int64_t now_us)
{
	if (!connection_take_lost_step(connection, now_us))
		return;
	relay_trouble_lose_step(relay, connection_trouble(connection));
	if (relay->steps_lost == 1)
		quit_all(relay);
}

static void bury(struct relay *relay, struct connection *connection, int64_t now_us)
{
	AUTO_BUF trouble = buf_with_ceiling(LIMIT_WHY);
	buf_add(&trouble, connection_trouble(connection));
	bool is_denied = relay->access.secret != NULL && connection_is_denied(connection);
	learn_limit(relay, connection, now_us);
	learn_step(relay, connection, now_us);
	bool has_failed = trouble.len > 0 && !connection_has_worked(connection) && !relay->is_quitting && !is_denied;
	if (is_denied || connection == relay->trial)
		relay_trouble_end_access(relay, is_denied ? LOGIN_REFUSED : LOGIN_LOST, connection, now_us);
	connection_done(connection);
	if (has_failed && pool_count(&relay->pool, POOL_PROVEN) > 0)
		vacancies_add(&relay->vacancies, now_us + relay->parts.settings->relay_retry);
	else if (has_failed && !backoff_waits(&relay->backoff, now_us))
		relay_trouble_fail(relay, buf_view(&trouble), now_us);
}

static void bury_all(struct relay *relay, int64_t now_us)
{
	struct connection *connection;
	/* One of its own tries it again; these end when they have done what they have in hand. */
	if (relay_trouble_is_distrusted(relay, now_us))
		quit_all(relay);
	if (relay->trial != NULL && connection_is_let_in(relay->trial))
		relay_trouble_end_access(relay, LOGIN_LET_IN, relay->trial, now_us);
	if (pool_count(&relay->pool, POOL_JUST_PROVEN) > 0) {
		relay_trouble_work(relay, now_us);
		access_works(&relay->access, now_us);
	}
	while ((connection = pool_first(&relay->pool, POOL_JUST_PROVEN)) != NULL)
		connection_note_proven(connection);
	while ((connection = pool_first(&relay->pool, POOL_OVER)) != NULL)
		bury(relay, connection, now_us);
	vacancies_end(&relay->vacancies, now_us);
}

/* ---- opening ---- */

static bool open_one(struct relay *relay, int64_t now_us)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct view secret = { 0 };
	enum secret_state state = access_secret(&relay->access, now_us, &secret, &why);
	/* That is no failure: it is asked again in the next turn. */
	if (state == SECRET_PENDING)
		return false;
	if (state == SECRET_FAILED || !access_secure(&relay->access, &why) ||
	    !relay_endpoints_find(&relay->endpoints, &relay->terms, &why)) {
		relay_trouble_fail(relay, buf_view(&why), now_us);
		return false;
	}
	const struct connection_parts parts = {
		.settings = relay->parts.settings,
		.terms = &relay->terms,
		.loop = relay->parts.loop,
		.pool = &relay->pool,
		.tls = relay->access.tls,
		.secret = secret,
		.endpoint = relay_endpoints_next(&relay->endpoints),
		.number = ++relay->opened,
		.limit = &relay->limit,
		.keeps_step = relay->steps_lost > 0,
		.owner = relay->parts.owner.connection,
	};
	struct connection *connection;
	enum err err = connection_new(&parts, &connection);
	if (err != ERR_OK) {
		relay_trouble_fail(relay,
				   view_of(err == ERR_IO ? strerror(errno)
					   : err == ERR_INVALID
					       ? "its credentials cannot be said in SMTP: see its secret's file"
					       : err_name(err)),
				   now_us);
		return false;
	}
	if (access_is_single(&relay->access))
		relay->trial = connection;
	access_begin(&relay->access);
	return true;
}

/* Connections that stand or are being opened and have nobody in hand yet take who waits; more are opened for the rest. */
static size_t wanted(const struct relay *relay)
{
	size_t idle = pool_count(&relay->pool, POOL_IDLE), opening = pool_count(&relay->pool, POOL_OPENING);
	size_t taken = pool_count(&relay->pool, POOL_ALL) + relay->vacancies.count;
	size_t waiting = relay->parts.owner.waiting(relay->parts.owner.connection.owner, relay);
	size_t places = relay->parts.places < relay->most ? relay->parts.places : relay->most;
	if (waiting <= idle || taken >= places || opening >= OPENING_MOST)
		return 0;
	/* After a failure one connection tries for all. */
	if (backoff_is_failed(&relay->backoff))
		return pool_count(&relay->pool, POOL_ALL) == 0;
	size_t want = waiting - idle;
	want = want < places - taken ? want : places - taken;
	return want < OPENING_MOST - opening ? want : OPENING_MOST - opening;
}

static void open_more(struct relay *relay, int64_t now_us)
{
	if (relay->is_quitting || backoff_waits(&relay->backoff, now_us))
		return;
	size_t want = wanted(relay);
	while (want > 0 && access_may(&relay->access, now_us) && open_one(relay, now_us))
		want--;
}

/* ---- the owner's side ---- */

void relay_look_after(struct relay *relay, int64_t now_us)
{
	bury_all(relay, now_us);
	open_more(relay, now_us);
	relay_trouble_look_at_room(relay, now_us);
}

bool relay_takes(const struct relay *relay, int64_t now_us)
{
	return pool_count(&relay->pool, POOL_HUNGRY) > 0 && !relay->is_quitting && !relay_trouble_is_bound(relay) &&
	       !backoff_waits(&relay->backoff, now_us);
}

bool relay_works(const struct relay *relay, int64_t now_us)
{
	return pool_count(&relay->pool, POOL_ALL) > 0 && !relay->is_quitting && !backoff_waits(&relay->backoff, now_us);
}

bool relay_is_stuck(const struct relay *relay, int64_t now_us)
{
	const struct relay_owner *owner = &relay->parts.owner;
	return !relay->is_quitting && relay->most > 0 && !relay_takes(relay, now_us) &&
	       owner->waiting(owner->connection.owner, relay) > 0;
}

bool relay_feed_one(struct relay *relay, int64_t now_us)
{
	const struct relay_owner *owner = &relay->parts.owner;
	struct connection *connection = pool_first(&relay->pool, POOL_HUNGRY);
	struct recipient *recipient = owner->next(owner->connection.owner, relay, connection_letter(connection));
	if (recipient == NULL)
		return false;
	relay->begun++;
	if (connection_begin(connection, recipient, now_us) != ERR_OK)
		owner->unspeakable(owner->connection.owner, recipient);
	return true;
}

void relay_write(struct relay *relay, int64_t now_us)
{
	struct connection *connection;
	while ((connection = pool_first(&relay->pool, POOL_DIRTY)) != NULL) {
		connection_write(connection, now_us);
		learn_step(relay, connection, now_us);
	}
}

void relay_quit(struct relay *relay)
{
	relay->is_quitting = true;
	quit_all(relay);
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

void relay_withdraw(struct relay *relay, const struct run *run)
{
	struct connection *at = pool_first(&relay->pool, POOL_ALL);
	for (; at != NULL; at = after(at))
		connection_withdraw(at, run);
}

const struct relay_terms *relay_terms(const struct relay *relay)
{
	return &relay->terms;
}

void relay_adjust(struct relay *relay, const struct relay_terms *terms, size_t places)
{
	relay->terms.weight = terms->weight;
	relay->terms.connections = terms->connections;
	relay->terms.messages_per_second = terms->messages_per_second;
	relay->parts.places = places;
	login_recheck(&relay->access.login);
}

void relay_limit(struct relay *relay, size_t most)
{
	size_t count = pool_count(&relay->pool, POOL_ALL);
	if (most != relay->most)
		relay->excess = count > most ? count - most : 0;
	relay->most = most;
	/* Each quits once, when it asks for more; others come to that in their turn. */
	struct connection *connection;
	while (relay->excess > 0 && (connection = pool_first(&relay->pool, POOL_HUNGRY)) != NULL) {
		connection_quit(connection);
		relay->excess--;
	}
}

void relay_bound(struct relay *relay, uint64_t most)
{
	relay->bound = most;
}

size_t relay_in_hand(const struct relay *relay)
{
	return relay->pool.in_hand;
}

size_t relay_connections(const struct relay *relay)
{
	return pool_count(&relay->pool, POOL_ALL);
}

/* On each so many are in flight, and one more is begun. */
uint64_t relay_in_hand_most(const struct relay *relay)
{
	const struct relay_terms *terms = &relay->terms;
	size_t places = relay->parts.places;
	if (terms->connections > 0 && terms->connections < places)
		places = terms->connections;
	return (terms->in_flight + UINT64_C(1)) * places;
}

unsigned relay_slot(const struct relay *relay)
{
	return relay->parts.slot;
}

bool relay_is_quitting(const struct relay *relay)
{
	return relay->is_quitting;
}

int64_t relay_wait(const struct relay *relay, int64_t now_us)
{
	if (relay->access.awaits_secret)
		return SECRET_LOOK_US;
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
	int64_t access_us = access_wait(&relay->access, now_us);
	return wait_us > access_us ? wait_us : access_us;
}

uint64_t relay_steps_lost(const struct relay *relay, struct view *ret_said)
{
	*ret_said = buf_view(&relay->step);
	return relay->steps_lost;
}

void relay_told_news(struct relay *relay)
{
	relay->has_news = false;
}

void relay_forget_trouble(struct relay *relay)
{
	relay->has_news = relay->has_news || relay->answered_us != 0;
	if (relay->trouble.len == 0)
		return;
	relay->hold = (struct hold){ 0 };
	backoff_clear(&relay->backoff);
	relay->access.is_refused = false;
	buf_reset(&relay->disbelief);
	buf_reset(&relay->trouble);
	relay->has_news = true;
}

const struct access *relay_access(const struct relay *relay)
{
	return &relay->access;
}

void relay_told_login(struct relay *relay)
{
	relay->access.login.news = LOGIN_NO_NEWS;
}

void relay_login_answered(struct relay *relay, const struct relay_login_answer *answer, int64_t now_us)
{
	if (access_answer(&relay->access, answer, now_us))
		relay_trouble_retell(relay, now_us);
}
