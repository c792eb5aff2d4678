/* Addresses and domains that get no mail, from one list or from the whole installation, for good or until a day; and what stays of people who
 * were erased (mail/erasure.h). */
#ifndef STORE_SUPPRESSIONS_H
#define STORE_SUPPRESSIONS_H

#include "store/db.h"

/* Views from suppressions_get() are borrowed from its rows. */
enum suppression_kind { SUPPRESSED_ADDRESS, SUPPRESSED_DOMAIN, SUPPRESSED_ERASED, SUPPRESSION_KIND_COUNT };
const char *suppression_kind_name(enum suppression_kind kind);

struct suppression {
	int64_t id;
	enum suppression_kind kind;
	struct view value;     /* an address key, a domain in A-labels, or 64 hexadecimal digits */
	int64_t list_id;       /* 0: the whole installation */
	struct view list_name; /* filled by suppressions_page() */
	struct view reason, source;
	int64_t created_us;
	int64_t expires_us; /* 0: never */
	struct view
	    hash; /* for suppressions_add(), of an address: its mailbox's in hexadecimal; empty: not asked for */
};

struct suppressions_added {
	size_t added;
	size_t erased; /* not stored: whoever was erased is kept out by the hash, and not named again */
};

/* Adds those that are not there yet, or end earlier, and are nobody's who was erased. Waits for nobody who adds or removes at the same time, so that a
 * value may stand there more than once (schema/032): the one that lasts longest counts. */
enum err suppressions_add(struct db *db, const struct suppression *rows, size_t count,
			  struct suppressions_added *ret_added, struct buf *why) MUST_USE;
/* ERR_NOT_FOUND without a sentence when there is none for just this list (or, with 0, for the installation). */
enum err suppressions_remove(struct db *db, struct view value, int64_t list_id, struct buf *why) MUST_USE;
/* All with just this value, wherever they hold and whether or not they have ended. For suppressions_get(). */
enum err suppressions_of_value(struct db *db, struct view value, struct db_rows **ret_rows, struct buf *why) MUST_USE;
/* Removes what erasures under one key have left, which is their source; *ret_removed counts them. */
enum err suppressions_remove_erased_by(struct db *db, struct view source, uint64_t *ret_removed,
				       struct buf *why) MUST_USE;
/* The next page after this id, in the order of ids, of those in force or of those that have ended; list_id 0: all. */
enum err suppressions_page(struct db *db, int64_t list_id, bool ended, int64_t after_id, uint64_t limit,
			   struct db_rows **ret_rows, struct buf *why) MUST_USE;
/* What keeps mail from this address, on whichever list: key, its canonical form (or empty), and the hash of the mailbox in hexadecimal (or
 * empty). For suppressions_get(). */
enum err suppressions_of(struct db *db, struct view key, struct view canonical, struct view hash,
			 struct db_rows **ret_rows, struct buf *why) MUST_USE;
/* Removes those that ended; *ret_removed counts them. */
enum err suppressions_remove_ended(struct db *db, uint64_t *ret_removed, struct buf *why) MUST_USE;
/* Whether anybody was erased, and whether by another key than that with this fingerprint: then nobody can tell who. */
enum err suppressions_erased(struct db *db, struct view fingerprint, bool *ret_any, bool *ret_foreign,
			     struct buf *why) MUST_USE;
struct suppression suppressions_get(const struct db_rows *rows, size_t row);

#endif
