/* A growing list of ids, such as those of subscribers. */
#ifndef STORE_ID_LIST_H
#define STORE_ID_LIST_H

#include "store/db.h"

/* Zeroed it is empty. */
struct id_list {
	int64_t *ids;
	size_t count, room;
	enum err err; /* sticky: ERR_MEMORY, and what was added since is missing */
};
void id_list_done(struct id_list *list); /* may run twice */
void id_list_add(struct id_list *list, int64_t id);
/* Adds the first column of what the statement gives. Errors as db_run(), and the list's. */
enum err id_list_read(struct db *db, const struct db_statement *statement, struct db_value value, struct id_list *list,
		      struct buf *why) MUST_USE;
void id_list_sort(struct id_list *list);
/* Of a sorted list. */
bool id_list_has(const struct id_list *list, int64_t id) MUST_USE;

#endif
