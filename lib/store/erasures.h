/* People who are erased: removed with all that names them (schema/031). */
#ifndef STORE_ERASURES_H
#define STORE_ERASURES_H

#include "store/db.h"

/* The subscriber with this address key. ERR_NOT_FOUND without a sentence. */
enum err erasures_find(struct db *db, struct view address_key, int64_t *ret_id, struct buf *why) MUST_USE;
/* In the caller's transaction: removes, or with dry counts, and says so: a row (table, what was done, how many rows) each. */
enum err erasures_run(struct db *db, int64_t subscriber_id, bool dry, struct db_rows **ret_rows,
		      struct buf *why) MUST_USE;
/* Copies of theirs that are under way, wait for another attempt or are in doubt: what a relay says of them is yet to be written down. */
enum err erasures_count_open(struct db *db, int64_t subscriber_id, uint64_t *ret_count, struct buf *why) MUST_USE;

#endif
