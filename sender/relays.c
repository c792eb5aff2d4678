#include "sender/relays.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "mail/address.h"
#include "sender/files.h"
#include "sender/routes.h"
#include "sender/shares.h"
#include "sender/weigh.h"

/* Whoever would have to wait for more than that is parked elsewhere, too (sender/pace.h). */
#define STUCK_US (INT64_C(5) * CLOCK_US_PER_SECOND)
/* After that what has been said to a relay that quits is refused, or not answered. */
#define REFUSAL_US CLOCK_US_PER_SECOND

struct member {
	struct relay *relay;
	struct weighed weighed;
	uint64_t rivals;   /* slots of relays that some recipient may go through as well as through this one */
	bool is_dry;       /* this turn: nobody waits for it */
	int64_t stuck_us;  /* boot time since when it takes nobody of those that wait; 0: it does */
	int64_t leaves_us; /* boot time: it was found quitting; 0: it is not */
};

struct relays {
	const struct setup *setup;
	struct loop *loop;
	struct relay_owner owner;
	uint64_t room; /* messages in the journal */
	/* Quitting ones among them. */
	struct member members[ROUTES_RELAYS];
	size_t count;
	struct routes *routes;
	struct db_rows *rows; /* the routes borrow from them */
	uint64_t version;     /* of the routes; 0: none yet */
	uint64_t kept;        /* slots */
	bool is_stopping;
};

enum err relays_new(const struct setup *setup, struct loop *loop, const struct relay_owner *owner, uint64_t room,
		    struct relays **ret_relays)
{
	struct relays *relays = calloc(1, sizeof(*relays));
	if (relays == NULL)
		return ERR_MEMORY;
	*relays = (struct relays){ .setup = setup, .loop = loop, .owner = *owner, .room = room };
	*ret_relays = relays;
	return ERR_OK;
}

void relays_done(struct relays *relays)
{
	if (relays == NULL)
		return;
	for (size_t i = 0; i < relays->count; i++)
		relay_done(relays->members[i].relay);
	routes_done(relays->routes);
	db_rows_done(relays->rows);
	free(relays);
}

/* ---- as the rows say ---- */

/* A set that is being made: its relays stand in members already, those of the old one too. */
struct draft {
	struct relays *relays;
	struct routes *routes;
	uint64_t slots; /* of its relays */
	size_t places;  /* connections a relay */
	uint64_t added; /* slots of relays that were not there before */
};

/* One that is to be tried at once is begun anew like one that was changed: then nothing makes the worker leave it alone. */
static struct member *find(struct relays *relays, const struct relay_terms *terms)
{
	for (size_t i = 0; i < relays->count; i++) {
		const struct relay *relay = relays->members[i].relay;
		const struct relay_terms *own = relay_terms(relay);
		if (!relay_is_quitting(relay) && strcmp(own->fingerprint, terms->fingerprint) == 0 &&
		    own->retried_us == terms->retried_us)
			return &relays->members[i];
	}
	return NULL;
}

static unsigned free_slot(const struct relays *relays)
{
	uint64_t taken = 0;
	unsigned slot = 0;
	for (size_t i = 0; i < relays->count; i++)
		taken |= UINT64_C(1) << relay_slot(relays->members[i].relay);
	while (slot < ROUTES_RELAYS && (taken & UINT64_C(1) << slot) != 0)
		slot++;
	return slot;
}

static enum err add_member(struct draft *draft, const struct relay_terms *terms, struct member **ret_member)
{
	struct relays *relays = draft->relays;
	const struct relay_parts parts = {
		.settings = &relays->setup->settings,
		.loop = relays->loop,
		.owner = relays->owner,
		.slot = free_slot(relays),
		.places = draft->places,
	};
	if (relays->count == ROUTES_RELAYS)
		return ERR_MEMORY;
	struct member *member = &relays->members[relays->count];
	*member = (struct member){ 0 };
	enum err err = relay_new(&parts, terms, &member->relay);
	if (err != ERR_OK)
		return err;
	relays->count++;
	draft->added |= UINT64_C(1) << parts.slot;
	*ret_member = member;
	return ERR_OK;
}

static enum err take(struct draft *draft, const struct relay_terms *terms, const struct route_terms *route)
{
	struct member *member = find(draft->relays, terms);
	enum err err = member == NULL ? add_member(draft, terms, &member) : ERR_OK;
	if (err != ERR_OK)
		return err;
	unsigned slot = relay_slot(member->relay);
	relay_adjust(member->relay, terms, draft->places);
	draft->slots |= UINT64_C(1) << slot;
	return routes_add(draft->routes, slot, route);
}

static enum err take_row(struct draft *draft, const struct relay_row *row)
{
	struct relay_terms terms;
	struct log_text room;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	const struct route_terms route = { row->campaigns, row->lists, row->domains };
	if (relay_terms_read(draft->relays->setup, row, &terms, &why) == ERR_OK)
		return take(draft, &terms, &route);
	log_event(LOG_ERROR, "relay.unusable", "relay=" VIEW_FMT " why=%s", VIEW_ARG(row->name),
		  log_quoted(buf_view(&why), &room));
	return ERR_OK;
}

static enum err take_settings(struct draft *draft, int64_t retried_us)
{
	struct relay_terms terms;
	const struct route_terms all = { .campaigns = VIEW_LIT("") };
	relay_terms_of_settings(draft->relays->setup, &terms);
	terms.retried_us = retried_us;
	return take(draft, &terms, &all);
}

/* Each relay may have as many connections as the settings say while the files suffice; else they share what there is. */
static size_t places_for(const struct relays *relays, size_t count)
{
	struct log_text room;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	size_t places = relays->setup->settings.relay_connections;
	if (files_reserve(places * count, &why) == ERR_OK)
		return places;
	size_t share = files_for_connections() / count;
	log_event(LOG_ERROR, "relay.limited", "connections=%zu why=%s", share, log_quoted(buf_view(&why), &room));
	return share > 0 ? share : 1;
}

static enum err take_all(struct draft *draft, const struct db_rows *rows, int64_t settings_retried_us)
{
	size_t count = db_row_count(rows);
	if (count > RELAYS_MOST)
		log_event(LOG_ERROR, "relay.unusable", "relay=* why=\"only the first %d of %zu are used\"", RELAYS_MOST,
			  count);
	count = count > RELAYS_MOST ? RELAYS_MOST : count;
	draft->places = places_for(draft->relays, count == 0 ? 1 : count);
	enum err err = count == 0 ? take_settings(draft, settings_retried_us) : ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < count; i++) {
		const struct relay_row row = relays_get(rows, i);
		err = take_row(draft, &row);
	}
	return err;
}

static void let_go_others(struct relays *relays, uint64_t slots)
{
	for (size_t i = 0; i < relays->count; i++) {
		struct relay *relay = relays->members[i].relay;
		if ((slots & UINT64_C(1) << relay_slot(relay)) != 0 || relay_is_quitting(relay))
			continue;
		relay_forget_trouble(relay);
		relay_quit(relay);
		log_event(LOG_INFO, "relay.left", "relay=%s", relay_terms(relay)->name);
	}
}

enum err relays_set(struct relays *relays, struct db_rows *rows, int64_t settings_retried_us)
{
	struct draft draft = { .relays = relays };
	enum err err = routes_new(&draft.routes);
	if (err == ERR_OK)
		err = take_all(&draft, rows, settings_retried_us);
	if (err != ERR_OK) {
		routes_done(draft.routes);
		db_rows_done(rows);
		return err;
	}
	let_go_others(relays, draft.slots);
	routes_done(relays->routes);
	db_rows_done(relays->rows);
	relays->routes = draft.routes;
	relays->rows = rows;
	relays->version++;
	relays->kept = draft.slots & ~draft.added;
	for (size_t i = 0; i < relays->count; i++)
		relays->members[i].rivals = 0;
	if (relays->is_stopping)
		relays_quit(relays);
	return ERR_OK;
}

uint64_t relays_kept(const struct relays *relays)
{
	return relays->kept;
}

static void note_rivals(struct relays *relays, uint64_t slots)
{
	for (size_t i = 0; i < relays->count; i++) {
		if ((slots & UINT64_C(1) << relay_slot(relays->members[i].relay)) != 0)
			relays->members[i].rivals |= slots;
	}
}

uint64_t relays_route(struct relays *relays, struct run *run, struct view address)
{
	if (run->routes_version != relays->version) {
		run->routes = routes_of_campaign(relays->routes, view_of(run->name), view_of(run->list_name));
		run->routes_version = relays->version;
	}
	uint64_t slots = routes_find(relays->routes, run->routes, address_domain(address));
	note_rivals(relays, slots);
	return slots;
}

static uint64_t bit_of(const struct relay *relay)
{
	return UINT64_C(1) << relay_slot(relay);
}

static bool is_stuck(const struct member *member, int64_t now_us)
{
	return member->stuck_us != 0 && now_us - member->stuck_us >= STUCK_US;
}

uint64_t relays_working(const struct relays *relays, int64_t now_us)
{
	uint64_t slots = 0;
	for (size_t i = 0; i < relays->count; i++) {
		const struct member *member = &relays->members[i];
		bool works = relay_works(member->relay, now_us) && !is_stuck(member, now_us);
		slots |= works ? bit_of(member->relay) : 0;
	}
	return slots;
}

uint64_t relays_stuck(const struct relays *relays, int64_t now_us)
{
	uint64_t slots = 0;
	for (size_t i = 0; i < relays->count; i++)
		slots |= is_stuck(&relays->members[i], now_us) ? bit_of(relays->members[i].relay) : 0;
	return slots;
}

uint64_t relays_not_stuck(const struct relays *relays, int64_t now_us)
{
	uint64_t slots = 0;
	for (size_t i = 0; i < relays->count; i++) {
		const struct member *member = &relays->members[i];
		bool is_there = !relay_is_quitting(member->relay) && !is_stuck(member, now_us);
		slots |= is_there ? bit_of(member->relay) : 0;
	}
	return slots;
}

uint64_t relays_away(const struct relays *relays, int64_t now_us)
{
	uint64_t slots = 0;
	for (size_t i = 0; i < relays->count; i++) {
		const struct member *member = &relays->members[i];
		bool is_away = is_stuck(member, now_us) || relay_trouble(member->relay).len > 0;
		slots |= is_away && !relay_is_quitting(member->relay) ? bit_of(member->relay) : 0;
	}
	return slots;
}

const char *relays_name(const struct relays *relays, unsigned slot)
{
	for (size_t i = 0; i < relays->count; i++) {
		if (relay_slot(relays->members[i].relay) == slot)
			return relay_terms(relays->members[i].relay)->name;
	}
	return "";
}

uint64_t relays_named(const struct relays *relays, struct view name)
{
	for (size_t i = 0; i < relays->count; i++) {
		const struct relay *relay = relays->members[i].relay;
		if (!relay_is_quitting(relay) && view_eq(view_of(relay_terms(relay)->name), name))
			return bit_of(relay);
	}
	return 0;
}

uint64_t relays_that_accept(const struct relays *relays, const struct relay *relay, uint64_t others)
{
	uint64_t accepting = 0;
	for (size_t i = 0; i < relays->count; i++) {
		const struct relay *other = relays->members[i].relay;
		if (other != relay && relay_has_accepted_since(other, relay_accepted_at(relay)))
			accepting |= bit_of(other);
	}
	return accepting & others;
}

uint64_t relays_preferred(const struct relays *relays, uint64_t deferred_by, int64_t since_us, uint64_t others,
			  int64_t now_us)
{
	for (size_t i = 0; i < relays->count; i++) {
		const struct relay *relay = relays->members[i].relay;
		if (bit_of(relay) != deferred_by)
			continue;
		bool is_same = (others & deferred_by) != 0 && relay_has_accepted_since(relay, since_us) &&
			       !relay_is_silent(relay, now_us);
		return is_same ? deferred_by : relays_that_accept(relays, relay, others);
	}
	return 0;
}

/* ---- a turn ---- */

static uint64_t held_by_leaving(const struct relays *relays)
{
	uint64_t held = 0;
	for (size_t i = 0; i < relays->count; i++) {
		if (relay_is_quitting(relays->members[i].relay))
			held += relay_in_hand(relays->members[i].relay);
	}
	return held;
}

static void cut_off(struct relay *relay)
{
	log_event(LOG_WARNING, "relay.cut", "relay=%s in_hand=%zu", relay_terms(relay)->name, relay_in_hand(relay));
	relay_cut(relay, NULL);
}

/* One that was replaced may still refuse whom it has just been told; others do not wait for it. It keeps its part of the journal while it does not
 * answer the contents that it has. */
static void cut_off_late(struct relays *relays, int64_t now_us)
{
	const struct settings *settings = &relays->setup->settings;
	uint64_t held = held_by_leaving(relays);
	bool is_short = shares_room(relays->room, held) < shares_room(relays->room, 0);
	int64_t time_us = is_short && settings->sender_stop_timeout < settings->relay_final_timeout
			      ? settings->sender_stop_timeout
			      : settings->relay_final_timeout;
	for (size_t i = 0; i < relays->count; i++) {
		struct member *member = &relays->members[i];
		if (!relay_is_quitting(member->relay))
			continue;
		if (member->leaves_us == 0)
			member->leaves_us = now_us;
		int64_t quits_for_us = now_us - member->leaves_us;
		if (quits_for_us >= time_us && relay_in_hand(member->relay) > 0)
			cut_off(member->relay);
		else if (quits_for_us >= REFUSAL_US)
			relay_withdraw(member->relay, NULL);
	}
}

static void share_room(struct relays *relays)
{
	uint64_t asks[ROUTES_RELAYS], shares[ROUTES_RELAYS];
	struct relay *asking[ROUTES_RELAYS];
	size_t count = 0;
	for (size_t i = 0; i < relays->count; i++) {
		struct relay *relay = relays->members[i].relay;
		if (relay_is_quitting(relay))
			continue;
		asks[count] = relay_in_hand_most(relay);
		asking[count++] = relay;
	}
	shares_divide(shares_room(relays->room, held_by_leaving(relays)), asks, count, shares);
	for (size_t i = 0; i < count; i++)
		relay_bound(asking[i], shares[i]);
}

/* Those that were replaced go when nothing of them is left to be done or told. */
static void sweep(struct relays *relays)
{
	size_t kept = 0;
	for (size_t i = 0; i < relays->count; i++) {
		struct relay *relay = relays->members[i].relay;
		if (!relays->is_stopping && relay_is_quitting(relay) && relay_is_empty(relay) && !relay_has_news(relay))
			relay_done(relay);
		else
			relays->members[kept++] = relays->members[i];
	}
	relays->count = kept;
}

static bool are_rivals(const struct member *one, const struct member *other)
{
	return one != other && (one->rivals & UINT64_C(1) << relay_slot(other->relay)) != 0;
}

/* Another one that is behind by its weight could have what this one takes. */
static bool must_wait(const struct relays *relays, const struct member *one, int64_t now_us)
{
	for (size_t i = 0; i < relays->count; i++) {
		const struct member *other = &relays->members[i];
		if (are_rivals(one, other) && !other->is_dry && weigh_waits(&one->weighed, &other->weighed, now_us) &&
		    relay_works(other->relay, now_us) &&
		    relays->owner.waiting(relays->owner.connection.owner, other->relay) > 0)
			return true;
	}
	return false;
}

static struct member *choose(struct relays *relays, int64_t now_us)
{
	struct member *least = NULL;
	for (size_t i = 0; i < relays->count; i++) {
		struct member *member = &relays->members[i];
		if (!member->is_dry && relay_takes(member->relay, now_us) &&
		    (least == NULL || member->weighed.paid < least->weighed.paid) && !must_wait(relays, member, now_us))
			least = member;
	}
	return least;
}

static void charge(struct relays *relays, struct member *member, int64_t now_us)
{
	for (size_t i = 0; i < relays->count; i++) {
		if (are_rivals(member, &relays->members[i]) && !relay_is_quitting(relays->members[i].relay))
			weigh_catch_up(&member->weighed, &relays->members[i].weighed);
	}
	weigh_pay(&member->weighed, now_us);
}

/* Before anybody is begun in this turn: who has a place free now had one. */
static void look_for_stuck(struct relays *relays, int64_t now_us)
{
	for (size_t i = 0; i < relays->count; i++) {
		struct member *member = &relays->members[i];
		if (!relay_is_stuck(member->relay, now_us))
			member->stuck_us = 0;
		else if (member->stuck_us == 0)
			member->stuck_us = now_us;
	}
}

void relays_feed(struct relays *relays, int64_t now_us)
{
	if (!relays->is_stopping)
		cut_off_late(relays, now_us);
	for (size_t i = 0; i < relays->count; i++) {
		relay_look_after(relays->members[i].relay, now_us);
		relays->members[i].is_dry = false;
		relays->members[i].weighed.weight = relay_terms(relays->members[i].relay)->weight;
	}
	sweep(relays);
	share_room(relays);
	look_for_stuck(relays, now_us);
	struct member *member;
	while ((member = choose(relays, now_us)) != NULL) {
		if (relay_feed_one(member->relay, now_us))
			charge(relays, member, now_us);
		else
			member->is_dry = true;
	}
}

void relays_write(struct relays *relays, int64_t now_us)
{
	for (size_t i = 0; i < relays->count; i++)
		relay_write(relays->members[i].relay, now_us);
}

void relays_quit(struct relays *relays)
{
	relays->is_stopping = true;
	for (size_t i = 0; i < relays->count; i++)
		relay_quit(relays->members[i].relay);
}

void relays_cut(struct relays *relays, const struct run *run)
{
	for (size_t i = 0; i < relays->count; i++)
		relay_cut(relays->members[i].relay, run);
}

void relays_withdraw(struct relays *relays, const struct run *run)
{
	for (size_t i = 0; i < relays->count; i++)
		relay_withdraw(relays->members[i].relay, run);
}

int64_t relays_wait(const struct relays *relays, int64_t now_us)
{
	int64_t least_us = -1;
	for (size_t i = 0; i < relays->count; i++) {
		int64_t wait_us = relay_wait(relays->members[i].relay, now_us);
		if (wait_us >= 0 && (least_us < 0 || wait_us < least_us))
			least_us = wait_us;
	}
	return least_us;
}

size_t relays_count(const struct relays *relays)
{
	return relays->count;
}

uint64_t relays_in_hand_most(const struct relays *relays)
{
	uint64_t most = 0;
	for (size_t i = 0; i < relays->count; i++) {
		if (!relay_is_quitting(relays->members[i].relay))
			most += relay_in_hand_most(relays->members[i].relay);
	}
	return most;
}

struct relay *relays_at(const struct relays *relays, size_t index)
{
	return relays->members[index].relay;
}

bool relays_have_news(const struct relays *relays)
{
	for (size_t i = 0; i < relays->count; i++) {
		if (relay_has_news(relays->members[i].relay))
			return true;
	}
	return false;
}
