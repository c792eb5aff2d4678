#include "store/suppressions.h"

#include <assert.h>

enum statement { ADD, REMOVE, PAGE, STATEMENT_COUNT };

static const struct db_statement statements[] = {
	[ADD] = {
		.name = "suppressions_add",
		.sql = "INSERT INTO suppression (kind, value, list_id, reason, source)"
		       " SELECT u.kind, u.value, nullif(u.list_id, 0), u.reason, u.source"
		       " FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[])"
		       " AS u (kind, value, list_id, reason, source)"
		       " ORDER BY u.value, u.list_id ON CONFLICT (value, kind, list_id) DO NOTHING",
	},
	[REMOVE] = {
		.name = "suppressions_remove",
		.sql = "DELETE FROM suppression WHERE value = $1 AND list_id IS NOT DISTINCT FROM nullif($2::bigint, 0)",
	},
	[PAGE] = {
		.name = "suppressions_page",
		.sql = "SELECT s.id, s.kind = 'domain', s.value, coalesce(s.list_id, 0), l.name, s.reason, s.source, s.created_at"
		       " FROM suppression s LEFT JOIN list l ON l.id = s.list_id"
		       " WHERE s.id > $2::bigint AND ($1::bigint = 0 OR s.list_id = $1) ORDER BY s.id LIMIT $3::bigint",
	},
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row a statement");

enum { KIND, VALUE, LIST, REASON, SOURCE, COLUMN_COUNT };

static void fill(struct db_array columns[COLUMN_COUNT], const struct suppression *row)
{
	db_array_add_bytes(&columns[KIND], row->is_domain ? VIEW_LIT("domain") : VIEW_LIT("address"));
	db_array_add_bytes(&columns[VALUE], row->value);
	db_array_add_int(&columns[LIST], row->list_id);
	db_array_add_bytes(&columns[REASON], row->reason);
	db_array_add_bytes(&columns[SOURCE], row->source);
}

enum err suppressions_add(struct db *db, const struct suppression *rows, size_t count, size_t *ret_added,
			  struct buf *why)
{
	struct db_array columns[COLUMN_COUNT];
	struct db_value values[COLUMN_COUNT];
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		columns[i] = db_array_of(i == LIST ? DB_INT : DB_TEXT);
		values[i] = db_values(&columns[i]);
	}
	for (size_t i = 0; i < count; i++)
		fill(columns, &rows[i]);
	AUTO_DB_ROWS *result = NULL;
	enum err err = db_run(db, &statements[ADD], values, COLUMN_COUNT, &result, why);
	if (err == ERR_OK)
		*ret_added = db_changed(result);
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		db_array_done(&columns[i]);
	return err;
}

enum err suppressions_remove(struct db *db, struct view value, int64_t list_id, struct buf *why)
{
	const struct db_value values[] = { db_text(value), db_int(list_id) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[REMOVE], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK || db_changed(rows) > 0)
		return err;
	buf_addf(why, VIEW_FMT " is not suppressed there; `listctl suppress ls` shows what is", VIEW_ARG(value));
	return ERR_NOT_FOUND;
}

enum err suppressions_page(struct db *db, int64_t list_id, int64_t after_id, uint64_t limit, struct db_rows **ret_rows,
			   struct buf *why)
{
	const struct db_value values[] = { db_int(list_id), db_int(after_id), db_int((int64_t)limit) };
	return db_run(db, &statements[PAGE], values, ARRAY_LEN(values), ret_rows, why);
}

struct suppression suppressions_get(const struct db_rows *rows, size_t row)
{
	return (struct suppression){
		.id = db_get_int(rows, row, 0),
		.is_domain = db_get_bool(rows, row, 1),
		.value = db_get_text(rows, row, 2),
		.list_id = db_get_int(rows, row, 3),
		.list_name = db_get_text(rows, row, 4),
		.reason = db_get_text(rows, row, 5),
		.source = db_get_text(rows, row, 6),
		.created_us = db_get_time(rows, row, 7),
	};
}
