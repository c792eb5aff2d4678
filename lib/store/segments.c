#include "store/segments.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "store/near_names.h"

enum statement {
	JUDGE,
	CREATE,
	UPDATE,
	LOCK,
	FORGET,
	USED_BY,
	AHEAD,
	REMOVE,
	LIST,
	COUNT,
	PEOPLE,
	PATIENCE,
	INDEX_TEXT,
	INDEX_PROGRESS,
	STOP_INDEX,
	KNOWN_FIELDS,
	UNUSED_FIELDS,
	STATEMENT_COUNT
};

#define COLUMNS                                                                                                        \
	"about, written, predicate, joined_before, joined_after, joined_days_most, joined_days_least, accepted_days,"  \
	" silent_days, bounced_reasons, bounced_days, member_of, not_member_of"
#define LISTS(names)                                                                                                   \
	"nullif(ARRAY(SELECT id FROM list WHERE name = ANY (string_to_array(" names "::text, ',')) ORDER BY id), "     \
	"'{}')"
#define VALUES                                                                                                         \
	"$2, nullif($3::text, ''), nullif($3::text, '')::jsonpath, $4::timestamptz, $5::timestamptz,"                  \
	" nullif($6::bigint, 0)::integer, nullif($7::bigint, 0)::integer, nullif($8::bigint, 0)::integer,"             \
	" nullif($9::bigint, 0)::integer, nullif(string_to_array($10::text, ','), '{}'),"                              \
	" nullif($11::bigint, 0)::integer, " LISTS("$12") ", " LISTS("$13")

#define LIST_NAMES(ids)                                                                                                \
	"coalesce((SELECT string_agg(l.name, ',' ORDER BY l.name) FROM list l WHERE l.id = ANY (" ids ")), '')"

/* What there is of a segment's index. It is of use when it is whole, and of the predicate of now: a CREATE INDEX that was broken off leaves an
 * invalid one. Unlike format(), what tells an index's predicate doubles no backslashes. */
#define INDEX_STATE                                                                                                    \
	"coalesce((SELECT CASE WHEN EXISTS (SELECT FROM pg_stat_progress_create_index p"                               \
	" WHERE p.datname = current_database() AND p.index_relid = i.indexrelid) THEN 'making'"                        \
	" WHEN i.indisvalid AND pg_get_expr(i.indpred, i.indrelid) = '(attributes @@ '''"                              \
	" || replace(s.predicate::text, '''', '''''') || '''::jsonpath)' THEN 'whole' ELSE 'broken' END"               \
	" FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname = format('segment_%s', s.id)"        \
	" AND i.indrelid = 'subscriber'::regclass), 'none')"

static const struct db_statement statements[] = {
	/* A predicate gives true, false or unknown for whatever it is asked about, once. */
	[JUDGE] = { .name = "segments_judge",
		    .sql = "SELECT count(*) = 1 AND bool_and(jsonb_typeof(answer) IN ('boolean', 'null'))"
			   " FROM jsonb_path_query('{}', $1::text::jsonpath, '{}', true) AS answer" },
	[CREATE] = { .name = "segments_create",
		     .sql = "INSERT INTO segment (name, " COLUMNS ") VALUES ($1, " VALUES ")" },
	[UPDATE] = { .name = "segments_update",
		     .sql = "UPDATE segment SET (" COLUMNS ") = (" VALUES ") WHERE name = $1" },
	[LOCK] = { .name = "segments_lock", .sql = "SELECT id FROM segment WHERE name = $1 FOR UPDATE" },
	/* Campaigns that have ended keep what it was. */
	[FORGET] = { .name = "segments_forget",
		     .sql =
			 "UPDATE campaign_audience a SET segment_id = NULL FROM segment s, campaign c WHERE s.name = $1"
			 " AND a.segment_id = s.id AND c.id = a.campaign_id AND c.ended_at IS NOT NULL" },
	[USED_BY] = { .name = "segments_used_by",
		      .sql = "SELECT c.name FROM segment s JOIN campaign_audience a ON a.segment_id = s.id"
			     " JOIN campaign c ON c.id = a.campaign_id WHERE s.name = $1 ORDER BY c.id LIMIT 1" },
	/* $1 segment: campaigns that have not asked it yet. */
	[AHEAD] = { .name = "segments_ahead",
		    .sql =
			"SELECT c.id, c.name, c.state = 'scheduled', bool_and(a.is_left_out) FROM campaign_audience a"
			" JOIN campaign c ON c.id = a.campaign_id WHERE a.segment_id = $1::bigint"
			" AND c.state IN ('draft', 'scheduled') GROUP BY c.id ORDER BY c.state DESC, c.start_at, "
			"c.id" },
	[REMOVE] = { .name = "segments_remove", .sql = "DELETE FROM segment WHERE name = $1" },
	[LIST] = { .name = "segments_list",
		   .sql =
		       "SELECT s.id, s.name, s.about, coalesce(s.written, ''), s.joined_before, s.joined_after, "
		       "s.joined_days_most,"
		       " s.joined_days_least, s.accepted_days, s.silent_days,"
		       " coalesce(array_to_string(s.bounced_reasons, ','), ''), s.bounced_days,"
		       " " LIST_NAMES("s.member_of") ", " LIST_NAMES(
			   "s.not_member_of") ", segment_text(s.id), " INDEX_STATE ", s.created_at"
					      " FROM segment s WHERE $1::text IS NULL OR s.name = $1 ORDER BY s.name" },
	[COUNT] = { .name = "segments_count", .sql = "SELECT segment_count($1::bigint, nullif($2::bigint, 0))" },
	[PEOPLE] = { .name = "segments_people",
		     .sql = "SELECT s.address, s.name, s.attributes::text FROM"
			    " segment_first_people($1::bigint, nullif($2::bigint, 0), $3::bigint) AS p(id)"
			    " JOIN subscriber s ON s.id = p.id ORDER BY s.id" },
	/* A regular expression may take for ever; and millions are joined in memory or slowly. What the index of a segment finds is looked up in the
	 * list, in the order of the ids: planned as if each of them were a seek on a disk, the whole list would be read instead, for four times as
	 * long. To compile such a query takes longer than it saves. */
	[PATIENCE] = { .name = "segments_patience",
		       .sql = "SELECT set_config('statement_timeout', '600s', false), set_config('work_mem', '64MB', "
			      "false), set_config('random_page_cost', '1.1', false), set_config('jit', 'off', false)" },
	[INDEX_TEXT] = { .name = "segments_index_text",
			 .sql =
			     "SELECT format('CREATE INDEX CONCURRENTLY segment_%s ON subscriber (id)"
			     " WHERE attributes @@ %L::jsonpath', id, predicate) FROM segment WHERE id = $1::bigint" },
	/* The table is read twice: to make the index, and for what came meanwhile. */
	[INDEX_PROGRESS] = { .name = "segments_index_progress",
			     .sql = "SELECT blocks_done + CASE WHEN phase LIKE 'index validation%' THEN blocks_total "
				    "ELSE 0 END,"
				    " 2 * blocks_total FROM pg_stat_progress_create_index"
				    " WHERE index_relid = to_regclass('segment_' || $1::bigint) AND phase LIKE "
				    "'%scanning table%'" },
	[STOP_INDEX] = { .name = "segments_stop_index",
			 .sql = "SELECT pg_cancel_backend(pid) FROM pg_stat_progress_create_index"
				" WHERE datname = current_database() AND index_relid = to_regclass('segment_' || "
				"$1::bigint)" },
	[KNOWN_FIELDS] = { .name = "segments_known_fields",
			   .sql = "SELECT DISTINCT jsonb_object_keys(attributes) COLLATE \"C\" AS name"
				  " FROM (SELECT attributes FROM subscriber LIMIT 10000) AS sample ORDER BY name" },
	/* Whether there is anybody is known as soon as one is found: only for a name that nobody has all are looked at. */
	[UNUSED_FIELDS] = { .name = "segments_unused_fields",
			    .sql = "SELECT f.name FROM unnest($1::text[]) WITH ORDINALITY AS f(name, at)"
				   " WHERE NOT EXISTS (SELECT FROM subscriber s WHERE s.attributes ? f.name) ORDER BY "
				   "f.at" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row a statement");

enum { VALUE_COUNT = 13 };

enum err segments_judge(struct db *db, struct view predicate, bool *ret_is_predicate, struct buf *why)
{
	const struct db_value values[] = { db_text(predicate) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[JUDGE], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_is_predicate = db_get_bool(rows, 0, 0);
	return err;
}

enum err segments_judge_part(struct db *db, struct view question, struct buf *why)
{
	bool unused;
	AUTO_BUF predicate = buf_with_ceiling(LIMIT_DB_PARAMETER);
	bool is_test = view_starts_nocase(question, VIEW_LIT("like_regex"));
	buf_addf(&predicate, "$ %s " VIEW_FMT, is_test ? "" : "==", VIEW_ARG(question));
	return segments_judge(db, buf_view(&predicate), &unused, why);
}

static struct db_value time_or_null(int64_t wall_us)
{
	return wall_us == 0 ? db_null() : db_time(wall_us);
}

static enum err write_row(struct db *db, enum statement statement, const struct segment *segment, struct buf *why)
{
	const struct db_value values[VALUE_COUNT] = {
		db_text(segment->name),
		db_text(segment->about),
		db_text(segment->predicate),
		time_or_null(segment->joined_before_us),
		time_or_null(segment->joined_after_us),
		db_int(segment->joined_days_most),
		db_int(segment->joined_days_least),
		db_int(segment->accepted_days),
		db_int(segment->silent_days),
		db_text(segment->bounced_reasons),
		db_int(segment->bounced_days),
		db_text(segment->member_of),
		db_text(segment->not_member_of),
	};
	return db_run(db, &statements[statement], values, ARRAY_LEN(values), NULL, why);
}

enum err segments_create(struct db *db, const struct segment *segment, struct buf *why)
{
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	enum err err = write_row(db, CREATE, segment, &cause);
	if (err == ERR_EXISTS)
		buf_addf(why, "there is a segment " VIEW_FMT " already; `listctl segment edit` changes it",
			 VIEW_ARG(segment->name));
	else if (err == ERR_REFUSED)
		buf_addf(why,
			 "\"" VIEW_FMT "\" is no segment name: 1 to 64 characters a-z, 0-9 and -, no - at the ends",
			 VIEW_ARG(segment->name));
	else if (err != ERR_OK)
		buf_add(why, buf_view(&cause));
	return err;
}

static enum err no_such_segment(struct db *db, struct view name, struct buf *why)
{
	if (view_is_utf8(name) && !view_has_control(name) && name.len <= 64)
		buf_addf(why, "there is no segment " VIEW_FMT, VIEW_ARG(name));
	else
		buf_addf(why, "there is no such segment");
	buf_addf(why, "%s `listctl segment ls` shows those there are",
		 near_names_add(db, NAMED_SEGMENT, name, why) ? "" : ";");
	return ERR_NOT_FOUND;
}

enum err segments_lock(struct db *db, struct view name, struct buf *why)
{
	if (!view_is_utf8(name))
		return no_such_segment(db, name, why);
	const struct db_value values[] = { db_text(name) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[LOCK], values, ARRAY_LEN(values), &rows, why);
	return err == ERR_OK && db_row_count(rows) == 0 ? no_such_segment(db, name, why) : err;
}

enum err segments_update(struct db *db, const struct segment *segment, struct buf *why)
{
	return write_row(db, UPDATE, segment, why);
}

/* The foreign key would refuse it too, in words that say less. */
static enum err refuse_used(struct db *db, struct view name, struct buf *why)
{
	const struct db_value values[] = { db_text(name) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[USED_BY], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK || db_row_count(rows) == 0)
		return err;
	buf_addf(why,
		 "the campaign " VIEW_FMT
		 " is for this segment, or leaves it out; `listctl campaign edit` changes that",
		 VIEW_ARG(db_get_text(rows, 0, 0)));
	return ERR_REFUSED;
}

enum err segments_remove(struct db *db, struct view name, struct buf *why)
{
	const struct db_value values[] = { db_text(name) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[FORGET], values, ARRAY_LEN(values), NULL, why);
	if (err == ERR_OK)
		err = refuse_used(db, name, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[REMOVE], values, ARRAY_LEN(values), &rows, why);
	return err == ERR_OK && db_changed(rows) == 0 ? no_such_segment(db, name, why) : err;
}

enum err segments_list(struct db *db, struct view name_or_empty, struct db_rows **ret_rows, struct buf *why)
{
	if (!view_is_utf8(name_or_empty))
		return no_such_segment(db, name_or_empty, why);
	const struct db_value values[] = { db_text_or_null(name_or_empty) };
	enum err err = db_run(db, &statements[LIST], values, ARRAY_LEN(values), ret_rows, why);
	if (err != ERR_OK || name_or_empty.len == 0 || db_row_count(*ret_rows) > 0)
		return err;
	db_rows_done(*ret_rows);
	*ret_rows = NULL;
	return no_such_segment(db, name_or_empty, why);
}

static enum segment_index index_state_of(struct view word)
{
	static const char *const words[] = { [SEGMENT_INDEX_NONE] = "none",
					     [SEGMENT_INDEX_MAKING] = "making",
					     [SEGMENT_INDEX_BROKEN] = "broken",
					     [SEGMENT_INDEX_WHOLE] = "whole" };
	size_t i = 0;
	while (i + 1 < ARRAY_LEN(words) && !view_eq(word, view_of(words[i])))
		i++;
	return (enum segment_index)i;
}

struct segment segments_get(const struct db_rows *rows, size_t row)
{
	return (struct segment){
		.id = db_get_int(rows, row, 0),
		.name = db_get_text(rows, row, 1),
		.about = db_get_text(rows, row, 2),
		.predicate = db_get_text(rows, row, 3),
		.joined_before_us = db_get_time(rows, row, 4),
		.joined_after_us = db_get_time(rows, row, 5),
		.joined_days_most = db_get_int(rows, row, 6),
		.joined_days_least = db_get_int(rows, row, 7),
		.accepted_days = db_get_int(rows, row, 8),
		.silent_days = db_get_int(rows, row, 9),
		.bounced_reasons = db_get_text(rows, row, 10),
		.bounced_days = db_get_int(rows, row, 11),
		.member_of = db_get_text(rows, row, 12),
		.not_member_of = db_get_text(rows, row, 13),
		.text = db_get_text(rows, row, 14),
		.index = index_state_of(db_get_text(rows, row, 15)),
		.created_us = db_get_time(rows, row, 16),
	};
}

/* What a canceled query means here. */
static enum err explain_patience(struct db *db, enum err err, struct buf *why)
{
	static const char query_canceled[] = "57014";
	if (err != ERR_OK && strcmp(db_sqlstate(db), query_canceled) == 0)
		buf_addf(why, "; it took longer than ten minutes: is there a regular expression in its predicate that "
			      "could be simpler?");
	return err;
}

enum err segments_count(struct db *db, int64_t id, int64_t list_id, uint64_t *ret_count, struct buf *why)
{
	const struct db_value values[] = { db_int(id), db_int(list_id) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[PATIENCE], NULL, 0, NULL, why);
	if (err == ERR_OK)
		err = explain_patience(db, db_run(db, &statements[COUNT], values, ARRAY_LEN(values), &rows, why), why);
	if (err == ERR_OK)
		*ret_count = (uint64_t)db_get_int(rows, 0, 0);
	return err;
}

enum err segments_people(struct db *db, int64_t id, int64_t list_id, uint64_t limit, struct db_rows **ret_rows,
			 struct buf *why)
{
	const struct db_value values[] = { db_int(id), db_int(list_id), db_int((int64_t)limit) };
	enum err err = db_run(db, &statements[PATIENCE], NULL, 0, NULL, why);
	if (err != ERR_OK)
		return err;
	return explain_patience(db, db_run(db, &statements[PEOPLE], values, ARRAY_LEN(values), ret_rows, why), why);
}

enum err segments_drop_index(struct db *db, int64_t id, struct buf *why)
{
	const struct db_value values[] = { db_int(id) };
	AUTO_BUF sql = buf_with_ceiling(LIMIT_WHY);
	enum err err = db_run(db, &statements[STOP_INDEX], values, ARRAY_LEN(values), NULL, why);
	if (err != ERR_OK)
		return err;
	buf_addf(&sql, "DROP INDEX CONCURRENTLY IF EXISTS segment_%lld", (long long)id);
	return db_run_script(db, buf_view(&sql), why);
}

/* What a CREATE INDEX CONCURRENTLY that failed has left is of no use to a query, and in the way of every import. */
static enum err clear_index(struct db *db, int64_t id, enum err err, struct buf *why)
{
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	if (segments_drop_index(db, id, &cause) == ERR_OK)
		buf_addf(why, "; what was there of it is removed");
	else
		buf_addf(why, "; what was there of it could not be removed: %s", buf_text(&cause));
	return err;
}

enum err segments_make_index(struct db *db, const struct segment *segment, struct buf *why)
{
	const struct db_value values[] = { db_int(segment->id) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = segments_drop_index(db, segment->id, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[INDEX_TEXT], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	err = db_run_script(db, db_get_text(rows, 0, 0), why);
	return err == ERR_OK ? ERR_OK : clear_index(db, segment->id, err, why);
}

enum err segments_index_progress(struct db *db, int64_t id, uint64_t *ret_done, uint64_t *ret_total, struct buf *why)
{
	const struct db_value values[] = { db_int(id) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[INDEX_PROGRESS], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	bool any = db_row_count(rows) > 0;
	*ret_done = any ? (uint64_t)db_get_int(rows, 0, 0) : 0;
	*ret_total = any ? (uint64_t)db_get_int(rows, 0, 1) : 0;
	return ERR_OK;
}

enum err segments_ahead(struct db *db, int64_t id, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_int(id) };
	return db_run(db, &statements[AHEAD], values, ARRAY_LEN(values), ret_rows, why);
}

struct segment_use segments_use_get(const struct db_rows *rows, size_t row)
{
	return (struct segment_use){
		.campaign_id = (uint64_t)db_get_int(rows, row, 0),
		.campaign = db_get_text(rows, row, 1),
		.is_scheduled = db_get_bool(rows, row, 2),
		.is_left_out = db_get_bool(rows, row, 3),
	};
}

enum err segments_known_fields(struct db *db, struct db_rows **ret_rows, struct buf *why)
{
	return db_run(db, &statements[KNOWN_FIELDS], NULL, 0, ret_rows, why);
}

enum err segments_unused_fields(struct db *db, const struct db_array *names, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_values(names) };
	return db_run(db, &statements[UNUSED_FIELDS], values, ARRAY_LEN(values), ret_rows, why);
}
