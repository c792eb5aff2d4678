#include "store/probe_reports.h"

#include <assert.h>
#include <stdlib.h>

#include "store/departures.h"

enum statement { PEOPLE, STORE, PURGE, STATEMENT_COUNT };

/* bounced's session forbids plans that scan a table, hence the look-ups one by one. */
static const struct db_statement statements[] = {
	[PEOPLE] = { "probe_reports_people",
		     "SELECT g.id, p.subscriber_id FROM unnest($1::bigint[]) AS g(id) CROSS JOIN LATERAL"
		     " (SELECT subscriber_id FROM probe_letter WHERE id = g.id OFFSET 0) AS p" },
	/* Of several about one probe the first that decides. */
	[STORE] = { "probe_reports_store",
		    "UPDATE probe_letter p SET reported_at = g.at, report_kind = g.kind::bounce_kind,"
		    " report_reason = g.reason, decides = g.decides, diagnostic = g.diagnostic,"
		    " reporting_mta = g.mta, message = g.message, held_until = least(p.held_until, now()),"
		    " void_reason = CASE WHEN NOT g.decides THEN coalesce(p.void_reason, g.reason) END"
		    " FROM (SELECT DISTINCT ON (id) * FROM unnest($1::bigint[], $2::timestamptz[], $3::text[],"
		    " $4::text[], $5::boolean[], $6::text[], $7::text[], $8::bytea[])"
		    " AS u(id, at, kind, reason, decides, diagnostic, mta, message) ORDER BY id, NOT decides, at) AS g"
		    " WHERE p.id = g.id AND p.tries > 0 AND p.decides IS NOT TRUE"
		    " AND (g.decides OR p.reported_at IS NULL) RETURNING p.subscriber_id" },
	[PURGE] = { "probe_reports_purge",
		    "UPDATE probe_letter SET message = NULL WHERE id IN (SELECT id FROM probe_letter"
		    " WHERE message IS NOT NULL AND reported_at < $1 ORDER BY reported_at LIMIT $2)" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row a statement");

static bool is_bounce(const struct probe_report *report)
{
	return report->kind == KIND_HARD || report->kind == KIND_SOFT;
}

/* About the address, as far as a relay of ours can know. */
static bool decides(const struct probe_report *report)
{
	return !reason_is_about_us(report->reason) && (!report->is_reply || reason_counts_from_relay(report->reason));
}

static enum err find_people(struct db *db, const struct probe_report *reports, size_t count, struct db_rows **ret_rows,
			    struct buf *why)
{
	AUTO_DB_ARRAY ids = db_array_of(DB_INT);
	for (size_t i = 0; i < count; i++)
		db_array_add_int(&ids, reports[i].probe_id);
	const struct db_value values[] = { db_values(&ids) };
	return db_run(db, &statements[PEOPLE], values, ARRAY_LEN(values), ret_rows, why);
}

enum err probe_reports_people(struct db *db, const struct probe_report *reports, size_t count, int64_t *ids,
			      size_t *id_count, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = count == 0 ? ERR_OK : find_people(db, reports, count, &rows, why);
	for (size_t row = 0; err == ERR_OK && rows != NULL && row < db_row_count(rows); row++)
		ids[(*id_count)++] = db_get_int(rows, row, 1);
	return err;
}

/* ---- storing ---- */

enum column { IN_ID, IN_AT, IN_KIND, IN_REASON, IN_DECIDES, IN_DIAGNOSTIC, IN_MTA, IN_MESSAGE, IN_COUNT };

static const enum db_type column_types[] = {
	[IN_ID] = DB_INT,       [IN_AT] = DB_TIME,         [IN_KIND] = DB_TEXT, [IN_REASON] = DB_TEXT,
	[IN_DECIDES] = DB_BOOL, [IN_DIAGNOSTIC] = DB_TEXT, [IN_MTA] = DB_TEXT,  [IN_MESSAGE] = DB_BYTES,
};
static_assert(ARRAY_LEN(column_types) == IN_COUNT, "one type per column");

static void add_or_null(struct db_array *array, struct view text)
{
	if (text.len == 0)
		db_array_add_null(array);
	else
		db_array_add_bytes(array, text);
}

static void add_report(struct db_array columns[IN_COUNT], const struct probe_report *report)
{
	db_array_add_int(&columns[IN_ID], report->probe_id);
	db_array_add_int(&columns[IN_AT], report->received_us);
	db_array_add_bytes(&columns[IN_KIND], view_of(kind_name(report->kind)));
	db_array_add_bytes(&columns[IN_REASON], view_of(reason_name(report->reason)));
	db_array_add_int(&columns[IN_DECIDES], decides(report));
	db_array_add_bytes(&columns[IN_DIAGNOSTIC], report->diagnostic);
	add_or_null(&columns[IN_MTA], report->reporting_mta);
	add_or_null(&columns[IN_MESSAGE], report->message);
}

static enum err store(struct db *db, const struct probe_report *reports, size_t count, struct db_rows **ret_rows,
		      struct buf *why)
{
	struct db_array columns[IN_COUNT];
	struct db_value values[IN_COUNT];
	for (size_t i = 0; i < IN_COUNT; i++) {
		columns[i] = db_array_of(column_types[i]);
		values[i] = db_values(&columns[i]);
	}
	for (size_t i = 0; i < count; i++) {
		if (is_bounce(&reports[i]))
			add_report(columns, &reports[i]);
	}
	enum err err =
	    columns[IN_ID].count == 0 ? ERR_OK : db_run(db, &statements[STORE], values, IN_COUNT, ret_rows, why);
	for (size_t i = 0; i < IN_COUNT; i++)
		db_array_done(&columns[i]);
	return err;
}

static enum err judge(struct db *db, const struct db_rows *rows, const struct verdict_terms *terms,
		      struct probe_tally *tally, struct buf *why)
{
	tally->stored = rows == NULL ? 0 : db_row_count(rows);
	if (tally->stored == 0)
		return ERR_OK;
	int64_t *ids = calloc(tally->stored, sizeof(*ids));
	if (ids == NULL)
		return ERR_MEMORY;
	for (size_t row = 0; row < tally->stored; row++)
		ids[row] = db_get_int(rows, row, 0);
	enum err err = verdicts_judge(db, ids, tally->stored, terms, &tally->disabled, why);
	free(ids);
	return err;
}

static bool is_about(const struct probe_report *reports, size_t count, int64_t probe_id)
{
	for (size_t i = 0; i < count; i++) {
		if (reports[i].probe_id == probe_id && reports[i].kind == KIND_COMPLAINT)
			return true;
	}
	return false;
}

static enum err obey_complaints(struct db *db, const struct probe_report *reports, size_t count,
				struct probe_tally *tally, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	size_t changed = 0;
	bool any = false;
	for (size_t i = 0; i < count; i++)
		any = any || reports[i].kind == KIND_COMPLAINT;
	enum err err = any ? find_people(db, reports, count, &rows, why) : ERR_OK;
	if (err != ERR_OK || rows == NULL || db_row_count(rows) == 0)
		return err;
	struct departure *leaving = calloc(db_row_count(rows), sizeof(*leaving));
	if (leaving == NULL)
		return ERR_MEMORY;
	for (size_t row = 0; row < db_row_count(rows); row++) {
		if (is_about(reports, count, db_get_int(rows, row, 0)))
			leaving[tally->complaints++].subscriber_id = (uint64_t)db_get_int(rows, row, 1);
	}
	if (tally->complaints > 0)
		err = departures_complain(db, leaving, tally->complaints, VIEW_LIT("complaint"), &changed, why);
	free(leaving);
	return err;
}

enum err probe_reports_store(struct db *db, const struct probe_report *reports, size_t count,
			     const struct verdict_terms *terms, struct probe_tally *ret_tally, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	struct probe_tally tally = { 0 };
	enum err err = obey_complaints(db, reports, count, &tally, why);
	if (err == ERR_OK)
		err = store(db, reports, count, &rows, why);
	if (err == ERR_OK)
		err = judge(db, rows, terms, &tally, why);
	if (err == ERR_OK)
		*ret_tally = tally;
	return err;
}

enum err probe_reports_purge_messages(struct db *db, int64_t before_us, size_t limit, size_t *ret_removed,
				      struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	const struct db_value values[] = { db_time(before_us), db_int((int64_t)limit) };
	enum err err = db_run(db, &statements[PURGE], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_removed = db_changed(rows);
	return err;
}
