/* The turn of whoever brings in people or erases them: one at a time in a database. Two imports would wait for each other in a circle, for each has
 * rows that the other needs, in an order of its own; and whoever is erased while an import brings him in would be there again. */
#ifndef STORE_IMPORT_TURN_H
#define STORE_IMPORT_TURN_H

#include "store/db.h"

/* Who has the turn, as far as PostgreSQL tells. */
struct import_turn_holder {
	int64_t backend;  /* process id of the server's process; 0: not known */
	int64_t since_us; /* when its transaction began; 0: not known */
};

typedef void import_turn_waits(void *context, const struct import_turn_holder *holder);

/* Waits for it, until the end of the caller's transaction, which has begun; who has it may have it again. waits (may be NULL) is called once
 * before, where somebody else has it. ERR as db_run(). */
enum err import_turn_take(struct db *db, import_turn_waits *waits, void *context, struct buf *why) MUST_USE;

#endif
