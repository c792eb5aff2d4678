/* Mail that a person should read: to postmaster@ and abuse@, and what somebody wrote by hand to a return path. */
#ifndef STORE_MAILBOXES_H
#define STORE_MAILBOXES_H

#include "store/db.h"

/* Views are borrowed for the call. recipient and sender are UTF-8 without NUL; sender is empty for the null sender. */
struct mailbox_message {
	struct view recipient, sender;
	struct view message;
	int64_t received_us;
};

/* Inside the caller's transaction. A message that is there already (same recipient, sender and content, trace fields
 * aside: each arrival has a Received field of its own) is not stored again.
 * *ret_stored counts the new ones. */
enum err mailboxes_append(struct db *db, const struct mailbox_message *messages, size_t count, size_t *ret_stored,
			  struct buf *why) MUST_USE;

/* One of them as it is kept. Views are borrowed from the rows. */
struct mailbox_row {
	int64_t id, received_us, size;
	struct view recipient, sender;
	struct view message; /* filled by mailboxes_find() only */
};

/* The next page after this id, in the order of ids. */
enum err mailboxes_page(struct db *db, int64_t after_id, uint64_t limit, struct db_rows **ret_rows,
			struct buf *why) MUST_USE;
/* ERR_NOT_FOUND. */
enum err mailboxes_find(struct db *db, int64_t id, struct db_rows **ret_rows, struct buf *why) MUST_USE;
struct mailbox_row mailboxes_get(const struct db_rows *rows, size_t row);
/* ERR_NOT_FOUND. */
/* Removes up to limit messages that came before then; *ret_octets is what is kept. */
enum err mailboxes_tidy(struct db *db, int64_t before_us, size_t limit, uint64_t *ret_octets, struct buf *why) MUST_USE;
enum err mailboxes_size(struct db *db, uint64_t *ret_count, uint64_t *ret_octets, struct buf *why) MUST_USE;
enum err mailboxes_remove(struct db *db, int64_t id, struct buf *why) MUST_USE;

#endif
