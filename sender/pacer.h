/* A worker's politeness and the database: what is limited is read again when it has changed; once a second parts of the budgets are asked for;
 * what refuses is told; and who would have to wait too long is parked in the retry queue, be it for a limit or (sender/aside.h) for a relay that takes nobody. Where nothing is
 * limited and all relays work, nothing of it is done. */
#ifndef SENDER_PACER_H
#define SENDER_PACER_H

#include "sender/aside.h"
#include "sender/pace.h"
#include "sender/queue.h"
#include "sender/relays.h"

struct pacer_parts {
	struct db *db;
	const char *worker_id;
	struct pace *pace;
	struct queue *queue;
	struct relays *relays;
	int64_t lease_us;
};

/* Begins with the parts set and the rest zeroed. */
struct pacer {
	struct pacer_parts parts;
	struct aside aside;
	size_t window;                    /* recipients that are opened ahead */
	int64_t plan_us, ask_us, tell_us; /* boot time: when each is done next; tell_us 0: when there is news */
	int64_t aside_us;
};

/* Reads what is limited and held: it has changed. Errors as db_run(). */
enum err pacer_follow(struct pacer *pacer, struct buf *why) MUST_USE;
/* Recipients were opened, no more than window of them wait: they are looked at with the next turn. */
void pacer_look(struct pacer *pacer, size_t window);
/* Does what is due; outside of a transaction. *ret_is_full: nearly all who wait had to be parked. */
enum err pacer_turn(struct pacer *pacer, int64_t boot_us, int64_t wall_us, bool *ret_is_full, struct buf *why) MUST_USE;
/* How long until something is to be done or begun though nothing happened; -1: no need. */
int64_t pacer_wait(const struct pacer *pacer, int64_t boot_us);
/* The worker stops with nothing in hand: inside its last transaction. */
enum err pacer_release(struct pacer *pacer, struct buf *why) MUST_USE;

#endif
