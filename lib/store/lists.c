#include "store/lists.h"

#include <assert.h>

#include "store/near_names.h"

enum statement { CREATE, UPDATE, FIND, COUNTED, STATEMENT_COUNT };

#define LIST_COLUMNS                                                                                                   \
	"l.id, l.name, l.title, l.list_id, l.from_name, l.from_address, l.reply_to, l.created_at, l.headers"
#define LIST_COUNT(state) ", coalesce(sum(m.people) FILTER (WHERE m.state = '" state "'), 0)::bigint"

static const struct db_statement statements[] = {
	[CREATE] = {
		.name = "lists_create",
		.sql = "INSERT INTO list (name, title, list_id, from_name, from_address, reply_to)"
		       " VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
	},
	[UPDATE] = {
		.name = "lists_update",
		.sql = "UPDATE list SET title = $2, from_name = $3, from_address = $4, reply_to = $5,"
		       " layout = $6, headers = $7 WHERE id = $1",
	},
	[FIND] = {
		.name = "lists_find",
		.sql = "SELECT " LIST_COLUMNS ", l.layout FROM list l WHERE l.name = $1",
	},
	[COUNTED] = {
		.name = "lists_counted",
		.sql = "SELECT " LIST_COLUMNS LIST_COUNT("active") LIST_COUNT("unconfirmed") LIST_COUNT("unsubscribed")
		       LIST_COUNT("disabled") LIST_COUNT("removed")
		       " FROM list l LEFT JOIN member_count m ON m.list_id = l.id"
		       " WHERE $1::text IS NULL OR l.name = $1 GROUP BY l.id ORDER BY l.name",
	},
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row a statement");

enum err lists_create(struct db *db, const struct list *list, int64_t *ret_id, struct buf *why)
{
	const struct db_value values[] = { db_text(list->name),         db_text(list->title),
					   db_text(list->list_id),      db_text(list->from_name),
					   db_text(list->from_address), db_text_or_null(list->reply_to) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[CREATE], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_id = db_get_int(rows, 0, 0);
	return err;
}

enum err lists_update(struct db *db, const struct list *list, struct buf *why)
{
	const struct db_value values[] = { db_int(list->id),
					   db_text(list->title),
					   db_text(list->from_name),
					   db_text(list->from_address),
					   db_text_or_null(list->reply_to),
					   db_text_or_null(list->layout),
					   db_text(list->headers) };
	return db_run(db, &statements[UPDATE], values, ARRAY_LEN(values), NULL, why);
}

static struct list row_of(const struct db_rows *rows, size_t row)
{
	return (struct list){
		.id = db_get_int(rows, row, 0),
		.name = db_get_text(rows, row, 1),
		.title = db_get_text(rows, row, 2),
		.list_id = db_get_text(rows, row, 3),
		.from_name = db_get_text(rows, row, 4),
		.from_address = db_get_text(rows, row, 5),
		.reply_to = db_get_text(rows, row, 6),
		.created_us = db_get_time(rows, row, 7),
		.headers = db_get_text(rows, row, 8),
	};
}

/* The name as a person gave it may hold anything: shown only when it could be one. */
static enum err no_such_list(struct db *db, struct view name, struct buf *why)
{
	if (view_is_utf8(name) && !view_has_control(name) && name.len <= 64)
		buf_addf(why, "there is no list " VIEW_FMT, VIEW_ARG(name));
	else
		buf_addf(why, "there is no such list");
	buf_addf(why, "%s `listctl list ls` shows those there are",
		 near_names_add(db, NAMED_LIST, name, why) ? "" : ";");
	return ERR_NOT_FOUND;
}

enum err lists_find(struct db *db, struct view name, struct db_rows **ret_rows, struct list *ret_list, struct buf *why)
{
	if (!view_is_utf8(name))
		return no_such_list(db, name, why);
	const struct db_value values[] = { db_text(name) };
	struct db_rows *rows = NULL;
	enum err err = db_run(db, &statements[FIND], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	if (db_row_count(rows) == 0) {
		db_rows_done(rows);
		return no_such_list(db, name, why);
	}
	*ret_list = row_of(rows, 0);
	ret_list->layout = db_get_text(rows, 0, 9);
	*ret_rows = rows;
	return ERR_OK;
}

enum err lists_counted(struct db *db, struct view name_or_empty, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_text_or_null(name_or_empty) };
	enum err err = db_run(db, &statements[COUNTED], values, ARRAY_LEN(values), ret_rows, why);
	if (err != ERR_OK || name_or_empty.len == 0 || db_row_count(*ret_rows) > 0)
		return err;
	db_rows_done(*ret_rows);
	*ret_rows = NULL;
	return no_such_list(db, name_or_empty, why);
}

struct list lists_get(const struct db_rows *rows, size_t row)
{
	struct list list = row_of(rows, row);
	list.active = db_get_int(rows, row, 9);
	list.unconfirmed = db_get_int(rows, row, 10);
	list.unsubscribed = db_get_int(rows, row, 11);
	list.disabled = db_get_int(rows, row, 12);
	list.removed = db_get_int(rows, row, 13);
	return list;
}
