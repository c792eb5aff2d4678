/* People and their memberships: bulk import and export. */
#ifndef STORE_SUBSCRIBERS_H
#define STORE_SUBSCRIBERS_H

#include "store/db.h"

/* One row of an import; among equal addresses a later row wins. Views are borrowed for the call. */
struct subscriber_row {
	struct view address, address_key;
	struct view name;       /* empty: the name is left as it is */
	struct view attributes; /* a JSON object of texts, merged over what is there */
};

/* What an import changed, in rows of the file. rows = duplicates + suppressed + created + updated + unchanged;
 * rows - duplicates - suppressed = joined + already + unsubscribed + disabled + removed. */
struct import_counts {
	uint64_t rows, duplicates;
	uint64_t suppressed;                      /* left out altogether */
	uint64_t created, updated, unchanged;     /* people */
	uint64_t joined, already;                 /* memberships */
	uint64_t unsubscribed, disabled, removed; /* left as they are: nobody is subscribed again behind their back */
};

/* An import inside the caller's transaction: begin, add each row, merge. Nothing else may use the connection between begin and merge.
 * Constant memory here, whatever the number of rows. */
struct subscriber_import;
enum err subscriber_import_begin(struct db *db, struct subscriber_import **ret_import, struct buf *why) MUST_USE;
enum err subscriber_import_add(struct subscriber_import *import, const struct subscriber_row *row,
			       struct buf *why) MUST_USE;
enum err subscriber_import_merge(struct subscriber_import *import, int64_t list_id, struct import_counts *ret_counts,
				 struct buf *why) MUST_USE;
/* Ends the COPY when it is still open, so that the caller can roll back. Accepts NULL. */
void subscriber_import_done(struct subscriber_import *import);

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
/* The same, and the paths of what lies in objects and lists: "orders" and "orders.sku". */
enum err members_fields(struct db *db, int64_t list_id, struct view state, struct db_rows **ret_rows,
			struct buf *why) MUST_USE;

#endif
