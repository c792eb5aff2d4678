/* Of the people of an import: whom it left as they were, because they are suppressed, have left the list or were taken off it. Asked between
 * subscriber_import_merge() and the end of its transaction. Errors as db_run(). */
#ifndef STORE_IMPORT_STAYS_H
#define STORE_IMPORT_STAYS_H

#include "store/db.h"

/* The first of those who have left or were taken off, `most` at most; column 0 is the address, column 1 the state. For
 * a person to see what kind of people they are: of very many that are known, some are not looked at. */
enum err import_stays_find(struct db *db, int64_t list_id, uint64_t most, struct db_rows **ret_rows,
			   struct buf *why) MUST_USE;

enum { STAYS_TOGETHER = 10000 };
/* All of them, by portions of STAYS_TOGETHER of the people that were known: of those with an id behind *last, which moves on. *ret_more: there are more
 * portions. Columns as above. */
enum err import_stays_next(struct db *db, int64_t list_id, int64_t *last, struct db_rows **ret_rows, bool *ret_more,
			   struct buf *why) MUST_USE;

enum { OUTS_ADDRESS, OUTS_KIND, OUTS_VALUE, OUTS_REASON };
/* The mailboxes that were left out for a suppression or an erasure, in their order, STAYS_TOGETHER at most, all behind `after`. Kind, value and reason
 * are of one suppression that keeps it out, and null where none does under this spelling. */
enum err import_outs_next(struct db *db, int64_t list_id, struct view after, struct db_rows **ret_rows,
			  struct buf *why) MUST_USE;
/* Which of these hashes of mailboxes, as erasures leave them, are of somebody erased: column 0. */
enum err import_outs_erased(struct db *db, const struct db_array *hashes, struct db_rows **ret_rows,
			    struct buf *why) MUST_USE;

#endif
