/* The statements of an import: what is done, set by set, with some rows that have been copied into the server. */
#ifndef STORE_IMPORT_STEPS_H
#define STORE_IMPORT_STEPS_H

#include "store/import_batch.h"

/* What the statements are told. last_id: of the people that were there when the import began to merge; whoever it makes comes behind. */
struct import_terms {
	int64_t list_id, last_id;
	struct import_options options;
};

/* What stands in the rows at hand, so that what is not needed is not asked. */
struct import_marks {
	bool twice, canonicals, consents;
	bool nested;         /* attributes may hold lists or objects */
	bool doubts;         /* who is fresh to the import may be known: somebody else has added people */
	size_t plain;        /* people whom import_plain_add() has made */
	int64_t plain_first; /* the id of the first of them; the others follow */
};

/* Makes the temporary tables, which go at the end of the transaction. */
enum err import_steps_prepare(struct db *db, struct buf *why) MUST_USE;
/* Before the first rows: waits for imports that merge already, keeps the list from being deleted, fills in last_id. */
enum err import_steps_begin(struct db *db, struct import_terms *terms, bool *ret_has_canonicals,
			    struct buf *why) MUST_USE;
/* Of the rows that come next; see import_batch_send(). */
const struct db_statement *import_steps_copy(void);
/* Has the server begin to merge them; db_settle() tells how it went. Nothing but db_settle() may follow. */
enum err import_steps_merge(struct db *db, const struct import_terms *terms, const struct import_marks *marks,
			    struct buf *why) MUST_USE;
/* After a failure: the rows are there, and nothing is done with them. */
enum err import_steps_take_back(struct db *db, struct buf *why) MUST_USE;
/* Fills in what was counted: all but rows, unchanged and already. */
enum err import_steps_count(struct db *db, struct import_counts *counts, struct buf *why) MUST_USE;

#endif
