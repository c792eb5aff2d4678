#include "store/id_list.h"

#include <stdlib.h>

void id_list_done(struct id_list *list)
{
	free(list->ids);
	*list = (struct id_list){ 0 };
}

void id_list_add(struct id_list *list, int64_t id)
{
	if (list->count == list->room) {
		size_t room = list->room == 0 ? 256 : list->room * 2;
		int64_t *ids = realloc(list->ids, room * sizeof(*ids));
		if (ids == NULL) {
			list->err = ERR_MEMORY;
			return;
		}
		list->ids = ids;
		list->room = room;
	}
	list->ids[list->count++] = id;
}

/* The first column of what the statement gives. */
enum err id_list_read(struct db *db, const struct db_statement *statement, struct db_value value, struct id_list *list,
		      struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, statement, &value, 1, &rows, why);
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < db_row_count(rows); i++)
		id_list_add(list, db_get_int(rows, i, 0));
	return list->err;
}

static int compare_ids(const void *left, const void *right)
{
	const int64_t *a = left, *b = right;
	return *a < *b ? -1 : *a > *b;
}

void id_list_sort(struct id_list *list)
{
	if (list->count > 0)
		qsort(list->ids, list->count, sizeof(*list->ids), compare_ids);
}

bool id_list_has(const struct id_list *list, int64_t id)
{
	return list->count > 0 && bsearch(&id, list->ids, list->count, sizeof(id), compare_ids) != NULL;
}
