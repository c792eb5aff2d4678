/* Never again: addresses and domains that get no mail, from one list or from the whole installation. */
#ifndef STORE_SUPPRESSIONS_H
#define STORE_SUPPRESSIONS_H

#include "store/db.h"

/* Views from suppressions_get() are borrowed from its rows. */
struct suppression {
	int64_t id;
	bool is_domain;
	struct view value;     /* an address key or a domain in A-labels */
	int64_t list_id;       /* 0: the whole installation */
	struct view list_name; /* filled by suppressions_page() */
	struct view reason, source;
	int64_t created_us;
};

/* Adds those that are not there yet; *ret_added counts them. */
enum err suppressions_add(struct db *db, const struct suppression *rows, size_t count, size_t *ret_added,
			  struct buf *why) MUST_USE;
/* ERR_NOT_FOUND when there is none for just this list (or, with 0, for the installation). */
enum err suppressions_remove(struct db *db, struct view value, int64_t list_id, struct buf *why) MUST_USE;
/* The next page after this id, in the order of ids; list_id 0: all. */
enum err suppressions_page(struct db *db, int64_t list_id, int64_t after_id, uint64_t limit, struct db_rows **ret_rows,
			   struct buf *why) MUST_USE;
struct suppression suppressions_get(const struct db_rows *rows, size_t row);

#endif
