/* What the attributes of those whom a campaign is for offer to its letter: which the active members of its lists have, and for how many of its
 * audience each is empty. A list may have ten million members: what nearly all of them have is seen in some, and all are read in portions. */
#ifndef STORE_FIELDS_H
#define STORE_FIELDS_H

#include "store/audiences.h"

/* How far a reading has come, in ids of people. */
typedef void fields_progress(void *user, uint64_t done, uint64_t total);
struct fields_scope {
	const struct audience *audience;
	fields_progress *progress;
	void *user;
};

/* The attributes that some have, from all over the lists, and the paths of what lies in objects and lists: "orders" and "orders.sku". One row each,
 * by name; column 0 is the name. *ret_are_all: there are no others. */
enum err fields_of_some(struct db *db, const struct fields_scope *scope, bool *ret_are_all, struct db_rows **ret_rows,
			struct buf *why) MUST_USE;
/* The same of all. */
enum err fields_of_all(struct db *db, const struct fields_scope *scope, struct db_rows **ret_rows,
		       struct buf *why) MUST_USE;

/* Of fields, as a template names them ("city", "orders.sku", "name"): for how many they are empty. *of_all: whether all are asked, or
 * some from all over the lists; set, where there are not many, as they are all asked. empty[], one a field, and *looked_at are 0 before. */
enum err fields_count_empty(struct db *db, const struct fields_scope *scope, bool *of_all, const struct view *fields,
			    size_t count, int64_t *empty, int64_t *looked_at, struct buf *why) MUST_USE;

#endif
