/* Who fits only relays that take nobody just now, while another relay would take others: such people are set aside, in the retry queue and
 * untried, but for some of them by whom is found out that the relay is back. Else they fill what a worker has opened, and nobody is left for
 * the relay that works. What they were set aside for is remembered, so that they are woken once it is back; a worker that has died does not
 * remember it, and after a while they come by themselves. Times are boot time. */
#ifndef SENDER_ASIDE_H
#define SENDER_ASIDE_H

#include "sender/queue.h"
#include "store/budgets.h"

/* So long at most, whoever remembers; and not woken sooner than that, for a relay may be slow and no more. */
#define ASIDE_MOST_US (INT64_C(600) * CLOCK_US_PER_SECOND)
#define ASIDE_LEAST_US (INT64_C(20) * CLOCK_US_PER_SECOND)

/* What is open is theirs up to this part of it: less than what has to be left before more is opened (sender/exchange.h). */
enum { ASIDE_SHARE = 8, ASIDE_KEYS = 64 };

struct aside_key {
	char key[BUDGET_KEY_MOST + 1];
	uint64_t relays; /* slots of those that took nobody */
	int64_t since_us;
};

/* Begins zeroed. Where it has no room for a key, those people come by themselves. */
struct aside {
	struct aside_key keys[ASIDE_KEYS];
	size_t count;
};

/* Somebody was parked for that key then while these relays, which fit him, took nobody. */
void aside_note(struct aside *aside, struct view key, uint64_t relays, int64_t since_us);
/* One key for which people may be woken, once: a relay of theirs is not away any more. False: there is none. */
bool aside_next(struct aside *aside, uint64_t away, int64_t now_us, struct aside_key *ret_key);

/* stuck: slots of the relays that take nobody, one more of which would take others. name: of a slot's relay. */
struct aside_turn {
	uint64_t stuck;
	size_t window; /* recipients that are opened ahead */
	const char *(*name)(void *owner, unsigned slot);
	void *owner;
	int64_t boot_us, wall_us;
};
/* Parks those that fit no other relay than these, under "away:NAME". */
void aside_park(struct aside *aside, struct queue *queue, const struct aside_turn *turn);

#endif
