/* Opens recipients for a worker: those whose retry is due, windows that others gave back, and the chunk in hand. What a transaction
 * has opened is kept apart until it is committed. */
#ifndef SENDER_OPENER_H
#define SENDER_OPENER_H

#include "sender/queue.h"
#include "sender/setup.h"

enum { OPENER_TAKEN_MOST = 8 };

/* Begins with the first four set and the rest zeroed. */
struct opener {
	const struct setup *setup;
	const char *worker_id;
	struct runs *runs;
	struct pace *pace;
	struct held_chunk held;
	int64_t lease_ends_us;   /* boot time, counted from before it was asked for */
	int64_t look_us, due_us; /* boot time: when to look again; when to ask for retries and given-back windows */
	struct openings *taken[OPENER_TAKEN_MOST];
	size_t taken_count;
};

/* Inside the caller's transaction: up to limit recipients. Their campaigns are in runs then. Errors as db_run(). */
enum err opener_open(struct opener *opener, struct db *db, size_t limit, int64_t boot_us, int64_t wall_us,
		     struct buf *why) MUST_USE;
/* After the commit: they are the queue's. False when some could not be kept for want of memory; the database has them under this
 * worker's name. */
bool opener_take_in(struct opener *opener, struct queue *queue, int64_t boot_us, int64_t wall_us) MUST_USE;
/* After a failure: as before; the chunk in hand is claimed anew. */
void opener_drop(struct opener *opener);
/* The campaign's windows and leases were given back. */
void opener_let_go(struct opener *opener, int64_t campaign_id);

#endif
