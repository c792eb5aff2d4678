/* Mailing lists. */
#ifndef STORE_LISTS_H
#define STORE_LISTS_H

#include "store/db.h"

/* Views from lists_get() are borrowed from its rows. */
struct list {
	int64_t id;
	struct view name, title;
	struct view list_id; /* RFC 2919 */
	struct view from_name, from_address;
	struct view reply_to; /* empty: none */
	struct view headers;  /* lines of mail/list_headers.h */
	struct view layout;   /* HTML around its letters; empty: the built-in one; only lists_find() reads it */
	int64_t created_us;
	/* members by state */
	int64_t active, unconfirmed, unsubscribed, disabled, removed;
};

/* ERR_EXISTS when the name or the list id is taken; ERR_REFUSED when a constraint of the schema refuses a value. */
enum err lists_create(struct db *db, const struct list *list, int64_t *ret_id, struct buf *why) MUST_USE;
/* Sets title, from, reply_to, headers, layout of the list with this id. The name and the list id stay for life. */
enum err lists_update(struct db *db, const struct list *list, struct buf *why) MUST_USE;
/* The list of this name, without its members counted. ERR_NOT_FOUND with a sentence. The caller releases *ret_rows; *ret_list
 * borrows from it. */
enum err lists_find(struct db *db, struct view name, struct db_rows **ret_rows, struct list *ret_list,
		    struct buf *why) MUST_USE;
/* All of them by name, or the one of this name, with members counted; for lists_get(). */
enum err lists_counted(struct db *db, struct view name_or_empty, struct db_rows **ret_rows, struct buf *why) MUST_USE;
struct list lists_get(const struct db_rows *rows, size_t row);

#endif
