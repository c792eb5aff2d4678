/* What a relay has said of somebody, on its way into ledger and retry queue: kept only of people who are there. */
#ifndef STORE_LEDGER_WORDS_H
#define STORE_LEDGER_WORDS_H

#include "store/ledger.h"

/* Within the transaction that writes the rows. Who was erased, perhaps in this moment, has nothing said of them: *ret_rows is a copy of all rows
 * that the caller frees, in which such ones have no reply, or NULL when all may stay as they are. Waits for nobody. Errors as db_run(). */
enum err ledger_words_keep(struct db *db, const struct ledger_row *rows, size_t count, struct ledger_row **ret_rows,
			   struct buf *why) MUST_USE;

#endif
