/* Politeness of one worker: who may be begun now, and who has to wait for how long. Pure: what is granted comes from store/budgets.h,
 * through sender/pacer.h.
 *
 * A destination is a domain group, or a domain that has been cut and is in none. A message needs a token of everything that limits it:
 * its destination, its relay, and each warm-up that is for both; and a slot of its destination while it is under way.
 *
 * Tokens of a rate are not used all at once: one after the other, as fast as the rate says, so that no more than that many a second, and what
 * PACE_LATE_US allows, and one, is begun in whatever span.
 *
 * Where nothing is limited, nothing is looked up. All times are boot time in microseconds. */
#ifndef SENDER_PACE_H
#define SENDER_PACE_H

#include "base/clock.h"
#include "store/budgets.h"

/* A worker that comes late makes up for this much of it. */
#define PACE_LATE_US (INT64_C(250) * CLOCK_US_PER_MS)

struct pace;
struct pace_relay;
struct destination;

/* What a recipient keeps of its destination. */
struct pace_mark {
	uint32_t hash;                   /* of its domain */
	uint32_t generation;             /* of the table that destination comes from; 0: none yet */
	struct destination *destination; /* NULL: nothing is known of it */
	int64_t begun_us;                /* boot time */
	bool has_paid, relay_has_paid;   /* begun with a token of its destination, of its relay */
};
struct pace_mark pace_mark(struct view address);

enum err pace_new(struct pace **ret_pace) MUST_USE;
void pace_done(struct pace *pace); /* accepts NULL */

/* The relay of that name; it lives as long as the pace. NULL: no memory. */
struct pace_relay *pace_relay(struct pace *pace, struct view name) MUST_USE;

/* ---- what is known: read anew as a whole ---- */

void pace_load_begin(struct pace *pace);
enum err pace_load_domain(struct pace *pace, struct view domain, struct view group) MUST_USE;
/* After the domains. */
enum err pace_load_limit(struct pace *pace, const struct budget_limit *limit) MUST_USE;
/* Between two loadings as well: the worker's own word. */
enum err pace_load_hold(struct pace *pace, int64_t campaign_id, struct view group) MUST_USE;
/* What was not named has no limit any more. */
void pace_load_end(struct pace *pace);

/* ---- recipients ---- */

/* Nothing is limited and nothing held: pace_may() need not be asked. */
bool pace_is_free(const struct pace *pace);
/* The group of the address's domain; empty: in none. */
struct view pace_group(struct pace *pace, struct view address, struct pace_mark *mark);

/* The campaign sends nothing to that group until a person says so. */
bool pace_is_held(struct pace *pace, int64_t campaign_id, struct view address, struct pace_mark *mark);

/* Whether a message to that address may be begun through that relay now. */
bool pace_may(struct pace *pace, const struct pace_relay *relay, int64_t campaign_id, struct view address,
	      struct pace_mark *mark, int64_t now_us);
/* It is begun. */
void pace_begin(struct pace *pace, struct pace_relay *relay, struct view address, struct pace_mark *mark,
		int64_t now_us);

enum pace_end {
	PACE_ACCEPTED,
	PACE_THROTTLED,       /* 421 or 4.7.x: the destination wants less */
	PACE_RELAY_THROTTLED, /* the same before anything was said of a destination */
	PACE_ELSE,            /* refused for another reason, or in doubt */
	PACE_NOT_SENT,        /* nothing of it was sent: its tokens can be used again */
	PACE_END_COUNT
};
void pace_end(struct pace *pace, struct pace_relay *relay, struct view address, struct pace_mark *mark,
	      enum pace_end end, struct view reply, int64_t now_us);

/* The relay says in a session, of no message, that it wants less. Where it has accepted nothing of late, there is nothing to be cut. */
void pace_relay_throttled(struct pace *pace, struct pace_relay *relay, struct view reply, int64_t now_us);

/* How many connections this worker may have to the relay, and how many it has. INT64_MAX: no limit. */
int64_t pace_relay_slots(const struct pace_relay *relay, int64_t now_us);
void pace_relay_holds(struct pace_relay *relay, size_t connections);

/* ---- who has to wait ---- */

/* Those that wait are told in their order between pace_plan_begin() and pace_plan_end(); it is counted what they ask for. most: so
 * many may wait for one budget that lets no more through just now; others need the room. */
void pace_plan_begin(struct pace *pace, int64_t most);
struct pace_plan {
	bool is_parked;        /* it would wait for longer than PACE_PATIENCE_US, or in too large a crowd */
	int64_t until_us;      /* parked: when it may go, by all that is known; 0: when a person says so */
	struct view waits_for; /* parked: a budget's key or "hold:GROUP"; lives as long as the plan */
};
/* relays: those that it may go through; of these the soonest counts. */
struct pace_plan pace_plan(struct pace *pace, struct pace_relay *const *relays, size_t relay_count, int64_t campaign_id,
			   struct view address, struct pace_mark *mark, int64_t now_us);
void pace_plan_end(struct pace *pace);

#define PACE_PATIENCE_US INT64_C(5000000)

/* A budget for which this worker has parked somebody and for which nobody waits now: so many could go before their time. False: there is none.
 * The view lives until the next loading. */
struct pace_spare {
	struct view key;
	size_t count;
};
bool pace_next_spare(struct pace *pace, struct pace_spare *ret_spare, int64_t now_us);
/* Nobody is parked for that one any more. */
void pace_spare_is_empty(struct pace *pace, struct view key);

/* ---- dealings with the budgets ---- */

/* What to ask for, in asks (room for at least pace_ask_room()); how many. What was granted is void from now on. */
size_t pace_ask_room(const struct pace *pace);
size_t pace_ask(struct pace *pace, struct budget_ask *asks, int64_t now_us);
/* The answer to a question asked at asked_us. opens_us of the grant: boot time. */
void pace_grant(struct pace *pace, const struct budget_grant *grant, int64_t asked_us);
/* How long until a token may be used for which somebody waits; -1: nobody waits for that alone. */
int64_t pace_wait(const struct pace *pace, int64_t now_us);
/* Someone waits for a budget that was not asked for, and may be. */
bool pace_is_hungry(const struct pace *pace, int64_t now_us);

/* What the worker has learnt of a destination or a relay and has to tell. */
struct pace_news {
	struct view key, reason;
	double measured; /* messages a second that this worker sent there */
	bool is_throttled, all_refused;
	bool is_open; /* accepts again after all was refused */
};
/* Each once; false: no more. The views live until the next change. */
bool pace_next_news(struct pace *pace, struct pace_news *ret_news);
bool pace_has_news(const struct pace *pace);

#endif
