#include "store/bounce_counts.h"

#include <assert.h>

#include "store/storm_sql.h"

enum statement {
	TO_ADD,
	ADD,
	CAME_TABLE,
	SENT_TABLE,
	MEMORY,
	EMPTY_CAME,
	EMPTY_SENT,
	EXTENT,
	KEPT,
	CAME,
	SENT,
	BY_REASON,
	BY_DOMAIN,
	BY_BOTH,
	STATEMENT_COUNT
};

/* $1 and $2: the campaign, the list that copies of it went through, or NULL. */
#define CHOSEN                                                                                                         \
	"($1::bigint IS NULL OR c.id = $1) AND ($2::bigint IS NULL OR c.id IN (SELECT campaign_id FROM "               \
	"campaign_target"                                                                                              \
	" WHERE list_id = $2)) AND c.started_at IS NOT NULL"
/* Which of them a person's copy of campaign c went through. */
#define THROUGH(person) " LEFT JOIN campaign_reached h ON h.campaign_id = c.id AND h.subscriber_id = " person
#define OF_LIST "($2::bigint IS NULL OR coalesce(h.list_id, c.list_id) = $2)"
/* What is kept is kept by list: of one campaign all is counted. */
#define NOT_KEPT "($1::bigint IS NOT NULL OR NOT EXISTS (SELECT FROM campaign_added k WHERE k.campaign_id = c.id))"
#define SUMS                                                                                                           \
	"sum(recipients)::bigint, coalesce(max(sent.n), 0)::bigint,"                                                   \
	" (sum(recipients) / greatest(max(sent.n), 1))::float8, sum(disabled)::bigint"
#define OF_DOMAIN                                                                                                      \
	" LEFT JOIN (SELECT domain, sum(copies) AS n FROM report_sent WHERE domain <> '' GROUP BY 1) AS sent"          \
	" USING (domain)"

static const struct db_statement statements[] = {
	/* Those without any ledger row, of which the retention may have dropped all, are passed over. */
	[TO_ADD] = { "bounce_counts_to_add",
		     "SELECT c.id, c.audience FROM campaign c WHERE " CHOSEN " AND c.ended_at IS NOT NULL AND " NOT_KEPT
		     " AND $1::bigint IS NULL AND EXISTS (SELECT FROM delivery d WHERE d.campaign_id = c.id OFFSET 0) "
		     "ORDER BY 1" },
	[ADD] = { "bounce_counts_add", "SELECT add_list_copies($1)" },
	[CAME_TABLE] = { "bounce_counts_came_table",
			 "CREATE TEMPORARY TABLE IF NOT EXISTS report_came (domain text COLLATE \"C\", reason text,"
			 " kind bounce_kind, recipients bigint, disabled bigint)" },
	[SENT_TABLE] = { "bounce_counts_sent_table", "CREATE TEMPORARY TABLE IF NOT EXISTS report_sent (domain text "
						     "COLLATE \"C\", copies bigint)" },
	[MEMORY] = { "bounce_counts_memory",
		     "SELECT set_config('work_mem', '64MB', true), set_config('jit', 'off', true)" },
	[EMPTY_CAME] = { "bounce_counts_empty_came", "DELETE FROM report_came" },
	[EMPTY_SENT] = { "bounce_counts_empty_sent", "DELETE FROM report_sent" },
	/* The last id, and about how many rows there are to read: the planner's number of events, and the audiences. */
	[EXTENT] = { "bounce_counts_extent",
		     "SELECT greatest((SELECT max(id) FROM subscriber), 1),"
		     " (SELECT coalesce(sum(p.reltuples) FILTER (WHERE p.reltuples > 0), 0) FROM pg_inherits i JOIN"
		     "  pg_class p ON p.oid = i.inhrelid WHERE i.inhparent = 'bounce_event'::regclass)::bigint"
		     " + (SELECT coalesce(sum(c.audience), 0) FROM campaign c WHERE " CHOSEN " AND " NOT_KEPT
		     "  AND EXISTS (SELECT FROM delivery d WHERE d.campaign_id = c.id OFFSET 0))::bigint" },
	[KEPT] = { "bounce_counts_kept",
		   "INSERT INTO report_sent SELECT domain, sum(copies) FROM list_copies"
		   " WHERE $1::bigint IS NULL AND ($2::bigint IS NULL OR list_id = $2) GROUP BY 1" },
	/* Of people $3 to $4. One row a person and copy, by the gravest of its reports: hard before complaint before soft, then the first.
	 * Who it is and what became of them is looked up by key: they are few beside all members. */
	[CAME] = { "bounce_counts_came",
		   "INSERT INTO report_came WITH chosen AS MATERIALIZED (SELECT c.id, c.list_id FROM campaign c "
		   "WHERE " CHOSEN
		   "), came AS (SELECT DISTINCT ON (e.campaign_id, e.subscriber_id) e.subscriber_id, e.kind, e.reason,"
		   " coalesce(h.list_id, c.list_id) AS list_id FROM bounce_event e JOIN chosen c ON c.id = "
		   "e.campaign_id" THROUGH(
		       "e.subscriber_id") " WHERE " OF_LIST " AND e.subscriber_id BETWEEN $3 AND $4 AND e.kind IN "
					  "('bounce-hard', 'bounce-soft', 'complaint')"
					  " AND ($1::bigint IS NULL OR e.campaign_id = $1) AND NOT e.orphan "
					  "AND " IS_NOT_VOID(
					      "e") " ORDER BY e.campaign_id, e.subscriber_id, "
						   "array_position(ARRAY['bounce-hard', 'complaint',"
						   " 'bounce-soft']::bounce_kind[], e.kind), e.received_at)"
						   " SELECT split_part(s.address_key, '@', 2), reason, kind, count(*), "
						   "count(*) "
						   "FILTER (WHERE m.gone)"
						   " FROM came LEFT JOIN LATERAL (SELECT address_key FROM subscriber"
						   "  WHERE id = came.subscriber_id OFFSET 0) AS s ON true"
						   " LEFT JOIN LATERAL (SELECT state IN ('disabled', 'removed') AS "
						   "gone FROM "
						   "membership"
						   "  WHERE list_id = came.list_id AND subscriber_id = "
						   "came.subscriber_id "
						   "OFFSET 0) AS m ON true"
						   " GROUP BY 1, 2, 3" },
	/* Added up by person first: a person's many copies look for their domain once. */
	[SENT] = { "bounce_counts_sent",
		   "INSERT INTO report_sent SELECT coalesce(split_part(s.address_key, '@', 2), ''), sum(d.n)"
		   " FROM (SELECT d.subscriber_id, count(*) AS n FROM delivery d JOIN campaign c ON c.id = "
		   "d.campaign_id" THROUGH("d.subscriber_id") "  WHERE d.campaign_id = ANY (ARRAY("
							      "  SELECT c.id FROM campaign c WHERE " CHOSEN
							      " AND " NOT_KEPT ")) AND " OF_LIST
							      "  AND d.subscriber_id BETWEEN $3 AND $4 AND "
							      "is_copy(outcome) GROUP BY 1) AS d"
							      " LEFT JOIN subscriber s ON s.id = d.subscriber_id AND "
							      "s.id BETWEEN $3 AND $4 GROUP BY 1" },
	[BY_REASON] = { "bounce_counts_by_reason",
			"SELECT NULL::text, reason, kind, " SUMS
			" FROM report_came CROSS JOIN (SELECT sum(copies) AS n FROM report_sent) AS sent"
			" GROUP BY reason, kind ORDER BY 4 DESC, 2, 3" },
	[BY_DOMAIN] = { "bounce_counts_by_domain",
			"SELECT domain, NULL::text, NULL::text, " SUMS " FROM report_came" OF_DOMAIN
			" GROUP BY domain ORDER BY 4 DESC, 1" },
	[BY_BOTH] = { "bounce_counts_by_both", "SELECT domain, reason, kind, " SUMS " FROM report_came" OF_DOMAIN
					       " GROUP BY domain, reason, kind ORDER BY 4 DESC, 1, 2, 3" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

/* ---- what is kept ---- */

static enum err add_campaigns(struct db *db, const struct db_rows *campaigns, bounce_counts_progress *progress,
			      void *user, struct buf *why)
{
	uint64_t done = 0, total = 0;
	for (size_t i = 0; i < db_row_count(campaigns); i++)
		total += (uint64_t)db_get_int(campaigns, i, 1);
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < db_row_count(campaigns); i++) {
		const struct db_value campaign = db_int(db_get_int(campaigns, i, 0));
		progress(user, done, total);
		err = db_run(db, &statements[ADD], &campaign, 1, NULL, why);
		done += (uint64_t)db_get_int(campaigns, i, 1);
	}
	return err;
}

enum err bounce_counts_prepare(struct db *db, const struct bounce_counts_scope *scope, bounce_counts_progress *progress,
			       void *user, struct buf *why)
{
	AUTO_DB_ROWS *campaigns = NULL;
	const struct db_value values[] = { db_id_or_null(scope->campaign_id), db_id_or_null(scope->list_id) };
	enum err err = db_run(db, &statements[TO_ADD], values, ARRAY_LEN(values), &campaigns, why);
	if (err == ERR_OK)
		err = add_campaigns(db, campaigns, progress, user, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[CAME_TABLE], NULL, 0, NULL, why);
	return err == ERR_OK ? db_run(db, &statements[SENT_TABLE], NULL, 0, NULL, why) : err;
}

/* ---- counting ---- */

static enum err begin_collecting(struct db *db, const struct db_value *scope, int64_t *ret_last_id, int64_t *ret_step,
				 struct buf *why)
{
	enum { ROWS_A_PORTION = 100000 };
	static const enum statement before[] = { MEMORY, EMPTY_CAME, EMPTY_SENT };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < ARRAY_LEN(before); i++)
		err = db_run(db, &statements[before[i]], NULL, 0, NULL, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[KEPT], scope, 2, NULL, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[EXTENT], scope, 2, &rows, why);
	if (err != ERR_OK)
		return err;
	*ret_last_id = db_get_int(rows, 0, 0);
	*ret_step = *ret_last_id / (db_get_int(rows, 0, 1) / ROWS_A_PORTION + 1) + 1;
	return ERR_OK;
}

enum err bounce_counts_collect(struct db *db, const struct bounce_counts_scope *scope, bounce_counts_progress *progress,
			       void *user, struct buf *why)
{
	int64_t last_id = 0, step = 1;
	struct db_value values[] = { db_id_or_null(scope->campaign_id), db_id_or_null(scope->list_id), db_null(),
				     db_null() };
	enum err err = begin_collecting(db, values, &last_id, &step, why);
	for (int64_t first = 0; err == ERR_OK && first <= last_id; first += step) {
		progress(user, (uint64_t)first, (uint64_t)last_id);
		values[2] = db_int(first);
		/* The last portion has those too whose ids are behind everybody's: people who are gone. */
		values[3] = db_int(first + step <= last_id ? first + step - 1 : INT64_MAX);
		err = db_run(db, &statements[CAME], values, ARRAY_LEN(values), NULL, why);
		if (err == ERR_OK)
			err = db_run(db, &statements[SENT], values, ARRAY_LEN(values), NULL, why);
	}
	return err;
}

/* ---- what was counted ---- */

enum err bounce_counts_read(struct db *db, enum bounce_axis axis, struct db_rows **ret_rows, struct buf *why)
{
	static const enum statement by_axis[] = {
		[BOUNCE_BY_REASON] = BY_REASON, [BOUNCE_BY_DOMAIN] = BY_DOMAIN, [BOUNCE_BY_BOTH] = BY_BOTH
	};
	static_assert(ARRAY_LEN(by_axis) == BOUNCE_AXIS_COUNT, "one statement per axis");
	return db_run(db, &statements[by_axis[axis]], NULL, 0, ret_rows, why);
}

void bounce_count_at(const struct db_rows *rows, size_t row, struct bounce_count *ret_count)
{
	*ret_count = (struct bounce_count){
		.domain = db_get_text(rows, row, 0),
		.reason = db_get_text(rows, row, 1),
		.kind = db_get_text(rows, row, 2),
		.recipients = db_get_int(rows, row, 3),
		.sent = db_get_int(rows, row, 4),
		.share = db_get_double(rows, row, 5),
		.disabled = db_get_int(rows, row, 6),
	};
}
