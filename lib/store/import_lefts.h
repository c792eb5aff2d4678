/* Of an import: the addresses that some row of the file says are not to be written to. Whatever other rows of the file said of them, before or behind
 * it, does not make them members. For subscriber_import. */
#ifndef STORE_IMPORT_LEFTS_H
#define STORE_IMPORT_LEFTS_H

#include "store/import_steps.h"

/* Full at LEFTS_TOGETHER: then they go to the server. */
enum { LEFTS_TOGETHER = 10000 };
struct import_lefts {
	struct db_array forms; /* DB_TEXT: address keys, and canonical forms behind them */
	bool is_any;
};
void import_lefts_init(struct import_lefts *lefts);
void import_lefts_done(struct import_lefts *lefts);

/* canonical: empty where it is the key. True: full, and to be sent before the next one. */
bool import_lefts_add(struct import_lefts *lefts, struct view address_key, struct view canonical);
/* Nothing else may be under way on the connection. */
enum err import_lefts_send(struct import_lefts *lefts, struct db *db, struct buf *why) MUST_USE;
/* When all rows are merged, and before it is counted what they did: gives people who were known before the name and attributes back that the other
 * rows have changed. A connection of its own reads what was there. */
enum err import_lefts_restore(struct import_lefts *lefts, struct db *db, const struct import_terms *terms,
			      struct buf *why) MUST_USE;
/* After that: takes back who joined by them, and fills in taken_back, back_new and still_active, taking the first from created, joined
 * and resubscribed. */
enum err import_lefts_take_back(struct import_lefts *lefts, struct db *db, const struct import_terms *terms,
				struct import_counts *counts, struct buf *why) MUST_USE;

#endif
