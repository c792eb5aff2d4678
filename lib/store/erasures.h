/* People who are erased: removed with all that names them (schema/036). */
#ifndef STORE_ERASURES_H
#define STORE_ERASURES_H

#include "store/db.h"

/* Other subscribers of the same mailbox: a row (address, as it is sent to) each. */
enum err erasures_namesakes(struct db *db, int64_t subscriber_id, struct db_rows **ret_rows, struct buf *why) MUST_USE;
/* Copies of theirs that are under way, wait for another attempt or are in doubt: what a relay says of them is yet to be written down. */
enum err erasures_count_open(struct db *db, int64_t subscriber_id, uint64_t *ret_count, struct buf *why) MUST_USE;

/* The number of whoever is no subscriber: nobody's. */
enum { ERASURE_NOBODY = -1 };

/* Who is erased: spellings are the texts (DB_TEXT) under which they may be named. With dry nothing is changed, only counted. */
struct erasure_of {
	int64_t subscriber_id;
	const struct db_array *spellings;
	bool dry;
};

/* What is to be looked through for texts that name somebody, portion by portion. */
struct erasure_portion {
	struct view place; /* the table; borrowed from the rows */
	int64_t low, high;
};
enum err erasures_portions(struct db *db, struct db_rows **ret_rows, struct buf *why) MUST_USE;
struct erasure_portion erasures_portion_get(const struct db_rows *rows, size_t row);

/* All in the caller's transaction. Texts of a portion that name the person, in rows that are not theirs: a row (what was done, how many rows) each. */
enum err erasures_texts(struct db *db, const struct erasure_of *who, const struct erasure_portion *portion,
			struct db_rows **ret_rows, struct buf *why) MUST_USE;
/* The person and what is theirs, which locks them: a row (table, what was done, how many rows) each. ERR_NOT_FOUND without a sentence: they are
 * gone, or have another address meanwhile; ERASURE_NOBODY: somebody has the address meanwhile. */
enum err erasures_person(struct db *db, const struct erasure_of *who, struct db_rows **ret_rows,
			 struct buf *why) MUST_USE;
/* Appends the text without these addresses. */
enum err erasures_without(struct db *db, struct view text, const struct db_array *spellings, struct buf *ret_text,
			  struct buf *why) MUST_USE;

#endif
