/* The members of a list, to be read: export. fields.h tells what a campaign may name. subscriber_import.h brings them in. */
#ifndef STORE_SUBSCRIBERS_H
#define STORE_SUBSCRIBERS_H

#include "store/db.h"

/* A member of a list. Views are borrowed from the rows. */
struct member {
	int64_t subscriber_id;
	struct view address, name;
	struct view attributes; /* a JSON object */
	struct view state, reason;
	int64_t since_us;
};

/* The next page of members of the list after this subscriber id, in the order of ids. state empty: every state. */
enum err members_page(struct db *db, int64_t list_id, struct view state, int64_t after_id, uint64_t limit,
		      struct db_rows **ret_rows, struct buf *why) MUST_USE;
struct member members_get(const struct db_rows *rows, size_t row);
/* How many there are. */
enum err members_count(struct db *db, int64_t list_id, struct view state, uint64_t *ret_count,
		       struct buf *why) MUST_USE;
/* One row for each attribute that some such member has, by name; column 0 is the name. */
enum err members_attribute_names(struct db *db, int64_t list_id, struct view state, struct db_rows **ret_rows,
				 struct buf *why) MUST_USE;

#endif
