#include "store/warmups.h"

#include <assert.h>

#include "store/relay_tests.h"

enum statement { REMOVE, SET, HAS_RELAY, LIST, STATEMENT_COUNT };

enum { NUMBER_MOST = 64 };

/* $1 relay, $2 group. */
#define IS_FOR                                                                                                         \
	" w.relay IS NOT DISTINCT FROM $1 AND w.group_id IS NOT DISTINCT FROM"                                         \
	" (SELECT id FROM domain_group WHERE name = $2) AND ($2::text IS NULL OR w.group_id IS NOT NULL)"

/* Who was parked for it looks again. A new one has a key of its own, so nothing of an older day is counted. */
static const struct db_statement statements[] = {
	[REMOVE] = { .name = "warmups_remove",
		     .sql = "WITH gone AS (DELETE FROM warmup w WHERE" IS_FOR " RETURNING 'warmup:' || w.id AS key),"
			    " woken AS (UPDATE deferral f SET next_attempt_at = now() FROM gone"
			    " WHERE f.waits_for = gone.key AND f.opened_by IS NULL AND f.next_attempt_at > now()),"
			    " cleared AS (DELETE FROM budget b USING gone WHERE b.key = gone.key)"
			    " SELECT key FROM gone" },
	[SET] = { .name = "warmups_set",
		  .sql = "INSERT INTO warmup (relay, group_id, first, growth, until) SELECT $1, g.id, $3, "
			 "$4::text::float8, $5"
			 " FROM (SELECT) AS one LEFT JOIN domain_group g ON g.name = $2"
			 " WHERE $2::text IS NULL OR g.id IS NOT NULL RETURNING id" },
	[HAS_RELAY] = { .name = "warmups_has_relay", .sql = "SELECT FROM relay WHERE name = $1" },
	[LIST] = { .name = "warmups_list",
		   .sql = "SELECT w.relay, g.name, w.first, w.until, w.growth, today.day - w.began_on + 1, coalesce("
			  "warmup_number(w.first, w.growth, w.until, w.began_on, today.day), -1),"
			  " coalesce((SELECT b.used FROM budget b WHERE b.key = 'warmup:' || w.id AND b.day = "
			  "today.day), 0)"
			  " FROM warmup w CROSS JOIN (SELECT (now() AT TIME ZONE 'UTC')::date AS day) AS today"
			  " LEFT JOIN domain_group g ON g.id = w.group_id ORDER BY w.relay, g.name" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

static enum err remove_row(struct db *db, struct view relay, struct view group, size_t *ret_removed, struct buf *why)
{
	const struct db_value values[] = { db_text_or_null(relay), db_text_or_null(group) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[REMOVE], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_removed = db_row_count(rows);
	return err;
}

/* A warm-up for a name that no relay has would hold nothing back. */
static enum err find_relay(struct db *db, struct view name, struct buf *why)
{
	if (name.len == 0)
		return ERR_OK;
	const struct db_value values[] = { db_text(name) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[HAS_RELAY], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK || db_row_count(rows) > 0)
		return err;
	if (view_eq(name, VIEW_LIT(RELAY_TESTS_DEFAULT)))
		buf_addf(why, "the relay of the settings is used while no other is enabled: a warm-up without --relay "
			      "is for all that goes through it");
	else
		buf_addf(why, "there is no relay \"" VIEW_FMT "\"; `listctl relay ls` shows those there are",
			 VIEW_ARG(view_head(name, NUMBER_MOST)));
	return ERR_NOT_FOUND;
}

static enum err set_row(struct db *db, const struct warmup_row *row, struct buf *why)
{
	AUTO_BUF growth = buf_with_ceiling(NUMBER_MOST);
	AUTO_DB_ROWS *rows = NULL;
	buf_addf(&growth, "%.9g", row->growth);
	const struct db_value values[] = { db_text_or_null(row->relay), db_text_or_null(row->group), db_int(row->first),
					   db_text(buf_view(&growth)), db_int(row->until) };
	enum err err = db_run(db, &statements[SET], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK || db_row_count(rows) > 0)
		return err;
	buf_addf(why, "there is no domain group \"" VIEW_FMT "\"; `listctl group ls` shows those there are",
		 VIEW_ARG(view_head(row->group, NUMBER_MOST)));
	return ERR_NOT_FOUND;
}

enum err warmups_set(struct db *db, const struct warmup_row *row, struct buf *why)
{
	size_t removed;
	enum err err = db_begin(db, why);
	if (err == ERR_OK)
		err = find_relay(db, row->relay, why);
	if (err == ERR_OK)
		err = remove_row(db, row->relay, row->group, &removed, why);
	if (err == ERR_OK)
		err = set_row(db, row, why);
	if (err == ERR_OK)
		return db_commit(db, why);
	db_rollback(db);
	return err;
}

enum err warmups_remove(struct db *db, struct view relay, struct view group, struct buf *why)
{
	size_t removed = 0;
	enum err err = remove_row(db, relay, group, &removed, why);
	if (err != ERR_OK || removed > 0)
		return err;
	buf_addf(why, "no warm-up is set for that; `listctl warmup ls` shows those there are");
	return ERR_NOT_FOUND;
}

enum err warmups_list(struct db *db, struct db_rows **ret_rows, struct buf *why)
{
	return db_run(db, &statements[LIST], NULL, 0, ret_rows, why);
}

struct warmup_row warmups_get(const struct db_rows *rows, size_t row)
{
	return (struct warmup_row){
		.relay = db_get_text(rows, row, 0),
		.group = db_get_text(rows, row, 1),
		.first = db_get_int(rows, row, 2),
		.until = db_get_int(rows, row, 3),
		.growth = db_get_double(rows, row, 4),
		.day = db_get_int(rows, row, 5),
		.today = db_get_int(rows, row, 6),
		.used = db_get_int(rows, row, 7),
	};
}
