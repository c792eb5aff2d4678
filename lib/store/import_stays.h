/* Of the people of an import: those who have left the list, or were taken off it, and stay so. */
#ifndef STORE_IMPORT_STAYS_H
#define STORE_IMPORT_STAYS_H

#include "store/db.h"

/* Between subscriber_import_merge() and the end of its transaction: the first of them, `most` at most; column 0 is the address, column 1 the state. For
 * a person to see what kind of people they are: of very many that are known, some are not looked at. Errors as db_run(). */
enum err import_stays_find(struct db *db, int64_t list_id, uint64_t most, struct db_rows **ret_rows,
			   struct buf *why) MUST_USE;

#endif
