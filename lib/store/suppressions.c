#include "store/suppressions.h"

#include <assert.h>

enum statement { ADD, REMOVE, PAGE, OF_ADDRESS, OF_VALUE, REMOVE_ENDED, REMOVE_ERASED_BY, ERASED, STATEMENT_COUNT };

#define SELECT_ROWS                                                                                                    \
	"SELECT s.id, s.kind, s.value, coalesce(s.list_id, 0), l.name, s.reason, s.source, s.created_at, s.expires_at" \
	" FROM suppression s LEFT JOIN list l ON l.id = s.list_id"
#define HAS_ENDED "coalesce(s.expires_at <= now(), false)"

static const struct db_statement statements[] = {
	[ADD] = {
		.name = "suppressions_add",
		.sql = "WITH told AS MATERIALIZED (SELECT u.*, u.kind <> 'erased' AND u.hash IS NOT NULL AND ("
		       "  EXISTS (SELECT FROM suppression e WHERE e.kind = 'erased' AND e.value = u.hash)"
		       "  OR u.hash IN (SELECT t.value FROM unnest($1::text[], $2::text[]) AS t(kind, value)"
		       "   WHERE t.kind = 'erased')) AS erased"
		       " FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::timestamptz[],"
		       "  $7::text[]) AS u (kind, value, list_id, reason, source, expires_at, hash)"
		       "), added AS (INSERT INTO suppression (kind, value, list_id, reason, source, expires_at)"
		       " SELECT kind, value, nullif(list_id, 0), reason, source, expires_at FROM told WHERE NOT erased"
		       " ORDER BY value, list_id RETURNING 1)"
		       " SELECT (SELECT count(*) FROM added), (SELECT count(*) FROM told WHERE erased)",
	},
	[REMOVE] = {
		.name = "suppressions_remove",
		.sql = "DELETE FROM suppression WHERE value = $1 AND list_id IS NOT DISTINCT FROM nullif($2::bigint, 0)",
	},
	[PAGE] = {
		.name = "suppressions_page",
		.sql = SELECT_ROWS " WHERE s.id > $2::bigint AND ($1::bigint = 0 OR s.list_id = $1) AND " HAS_ENDED
				   " = $4 ORDER BY s.id LIMIT $3::bigint",
	},
	[OF_ADDRESS] = {
		.name = "suppressions_of",
		.sql = SELECT_ROWS " WHERE NOT " HAS_ENDED " AND (s.value = ANY (suppression_values($1, $2))"
				   " OR (s.kind = 'erased' AND s.value = $3)) ORDER BY s.id",
	},
	[OF_VALUE] = { .name = "suppressions_of_value", .sql = SELECT_ROWS " WHERE s.value = $1 ORDER BY s.id" },
	[REMOVE_ERASED_BY] = { .name = "suppressions_remove_erased_by",
			       .sql = "DELETE FROM suppression WHERE kind = 'erased' AND source = $1" },
	[REMOVE_ENDED] = { .name = "suppressions_remove_ended", .sql = "DELETE FROM suppression s WHERE " HAS_ENDED },
	[ERASED] = {
		.name = "suppressions_erased",
		.sql = "SELECT count(*) > 0, coalesce(bool_or(source <> 'erase:' || $1), false)"
		       " FROM suppression WHERE kind = 'erased'",
	},
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row a statement");

enum { KIND, VALUE, LIST, REASON, SOURCE, EXPIRES, HASH, COLUMN_COUNT };

static const enum db_type types[] = {
	[KIND] = DB_TEXT,   [VALUE] = DB_TEXT,   [LIST] = DB_INT,  [REASON] = DB_TEXT,
	[SOURCE] = DB_TEXT, [EXPIRES] = DB_TIME, [HASH] = DB_TEXT,
};
static_assert(ARRAY_LEN(types) == COLUMN_COUNT, "one a column");

static const char *const kind_names[] = {
	[SUPPRESSED_ADDRESS] = "address",
	[SUPPRESSED_DOMAIN] = "domain",
	[SUPPRESSED_ERASED] = "erased",
};
static_assert(ARRAY_LEN(kind_names) == SUPPRESSION_KIND_COUNT, "one a kind");

const char *suppression_kind_name(enum suppression_kind kind)
{
	return kind_names[kind];
}

static void fill(struct db_array columns[COLUMN_COUNT], const struct suppression *row)
{
	db_array_add_bytes(&columns[KIND], view_of(kind_names[row->kind]));
	db_array_add_bytes(&columns[VALUE], row->value);
	db_array_add_int(&columns[LIST], row->list_id);
	db_array_add_bytes(&columns[REASON], row->reason);
	db_array_add_bytes(&columns[SOURCE], row->source);
	if (row->expires_us == 0)
		db_array_add_null(&columns[EXPIRES]);
	else
		db_array_add_int(&columns[EXPIRES], row->expires_us);
	if (row->hash.len == 0)
		db_array_add_null(&columns[HASH]);
	else
		db_array_add_bytes(&columns[HASH], row->hash);
}

enum err suppressions_add(struct db *db, const struct suppression *rows, size_t count,
			  struct suppressions_added *ret_added, struct buf *why)
{
	struct db_array columns[COLUMN_COUNT];
	struct db_value values[COLUMN_COUNT];
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		columns[i] = db_array_of(types[i]);
		values[i] = db_values(&columns[i]);
	}
	for (size_t i = 0; i < count; i++)
		fill(columns, &rows[i]);
	AUTO_DB_ROWS *result = NULL;
	enum err err = db_run(db, &statements[ADD], values, COLUMN_COUNT, &result, why);
	if (err == ERR_OK)
		*ret_added = (struct suppressions_added){ .added = (size_t)db_get_int(result, 0, 0),
							  .erased = (size_t)db_get_int(result, 0, 1) };
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		db_array_done(&columns[i]);
	return err;
}

enum err suppressions_remove(struct db *db, struct view value, int64_t list_id, struct buf *why)
{
	const struct db_value values[] = { db_text(value), db_int(list_id) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[REMOVE], values, ARRAY_LEN(values), &rows, why);
	return err == ERR_OK && db_changed(rows) == 0 ? ERR_NOT_FOUND : err;
}

enum err suppressions_of_value(struct db *db, struct view value, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_text(value) };
	return db_run(db, &statements[OF_VALUE], values, ARRAY_LEN(values), ret_rows, why);
}

enum err suppressions_remove_erased_by(struct db *db, struct view source, uint64_t *ret_removed, struct buf *why)
{
	const struct db_value values[] = { db_text(source) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[REMOVE_ERASED_BY], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_removed = db_changed(rows);
	return err;
}

enum err suppressions_page(struct db *db, int64_t list_id, bool ended, int64_t after_id, uint64_t limit,
			   struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_int(list_id), db_int(after_id), db_int((int64_t)limit), db_bool(ended) };
	return db_run(db, &statements[PAGE], values, ARRAY_LEN(values), ret_rows, why);
}

enum err suppressions_of(struct db *db, struct view key, struct view canonical, struct view hash,
			 struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_text(key), db_text_or_null(canonical), db_text_or_null(hash) };
	return db_run(db, &statements[OF_ADDRESS], values, ARRAY_LEN(values), ret_rows, why);
}

enum err suppressions_remove_ended(struct db *db, uint64_t *ret_removed, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[REMOVE_ENDED], NULL, 0, &rows, why);
	if (err == ERR_OK)
		*ret_removed = db_changed(rows);
	return err;
}

enum err suppressions_erased(struct db *db, struct view fingerprint, bool *ret_any, bool *ret_foreign, struct buf *why)
{
	const struct db_value values[] = { db_text(fingerprint) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[ERASED], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	*ret_any = db_get_bool(rows, 0, 0);
	*ret_foreign = db_get_bool(rows, 0, 1);
	return ERR_OK;
}

static enum suppression_kind kind_of(struct view name)
{
	enum suppression_kind kind = SUPPRESSED_ADDRESS;
	while (kind < SUPPRESSION_KIND_COUNT - 1 && !view_eq(name, view_of(kind_names[kind])))
		kind++;
	return kind;
}

struct suppression suppressions_get(const struct db_rows *rows, size_t row)
{
	return (struct suppression){
		.id = db_get_int(rows, row, 0),
		.kind = kind_of(db_get_text(rows, row, 1)),
		.value = db_get_text(rows, row, 2),
		.list_id = db_get_int(rows, row, 3),
		.list_name = db_get_text(rows, row, 4),
		.reason = db_get_text(rows, row, 5),
		.source = db_get_text(rows, row, 6),
		.created_us = db_get_time(rows, row, 7),
		.expires_us = db_get_time(rows, row, 8),
	};
}
