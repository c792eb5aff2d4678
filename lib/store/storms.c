#include "store/storms.h"

#include <assert.h>

#include "base/limits.h"

enum statement { LIST, CAMPAIGNS, EXAMPLES, DECIDE, APPLIED, BATCH_OF, REOPEN, STATEMENT_COUNT };

#define OWN                                                                                                            \
	" FROM storm s JOIN bounce_event e ON e.storm_key = s.key AND e.received_at >= s.since AND e.received_at < "   \
	"s.until"
#define NOTED(action)                                                                                                  \
	" noted AS (INSERT INTO audit (actor, action, subject, detail) SELECT $3, " action ", 'storm:' || id,"         \
	" jsonb_build_object('group', group_name, 'because', $4::text, 'batch', applied_batch_id) FROM decided)"

static const struct db_statement statements[] = {
	[LIST] = { "storms_list",
		   "SELECT s.id, s.group_name, s.reason, s.said, s.state, s.since, s.until, s.opened_at, s.sampled,"
		   " s.accepted, s.copies, s.decided_at, s.decided_by, s.decided_why, s.batch_id, s.applied_batch_id,"
		   " s.state = 'applied' AND s.applied_to < 9223372036854775807, n.reports, n.people FROM storm s"
		   " LEFT JOIN LATERAL (SELECT count(*) AS reports, count(DISTINCT subscriber_id) AS people"
		   "  FROM bounce_event e WHERE $3 AND e.storm_key = s.key AND e.received_at >= s.since"
		   "  AND e.received_at < s.until AND NOT e.orphan) AS n ON true"
		   " WHERE ($1::bigint IS NULL OR s.id = $1) AND ($2 OR s.state = 'holding') ORDER BY s.id DESC" },
	[CAMPAIGNS] = { "storms_campaigns",
			"SELECT c.name, count(*), count(DISTINCT e.subscriber_id)" OWN
			" LEFT JOIN campaign c ON c.id = e.campaign_id WHERE s.id = $1 AND NOT e.orphan"
			" GROUP BY 1 ORDER BY 2 DESC, 1" },
	[EXAMPLES] = { "storms_examples",
		       "SELECT e.id, p.address, e.received_at, c.name, e.diagnostic" OWN
		       " LEFT JOIN campaign c ON c.id = e.campaign_id LEFT JOIN subscriber p ON p.id = e.subscriber_id"
		       " WHERE s.id = $1 AND NOT e.orphan ORDER BY e.received_at DESC, e.id DESC LIMIT $2" },
	/* $1 the storm, $2 the state, $3 by whom, $4 why, $5 now, $6 the window. */
	[DECIDE] = { "storms_decide",
		     "WITH made AS (INSERT INTO prune_batch (actor, kind) SELECT $3, 'storm' FROM storm WHERE id = $1"
		     "  AND $2 = 'applied' AND state <> 'applied' RETURNING id),"
		     " decided AS (UPDATE storm s SET state = $2, decided_at = $5::timestamptz, decided_by = $3, "
		     "decided_why = $4,"
		     "  until = CASE WHEN state = 'holding' AND NOT EXISTS (SELECT FROM storm o WHERE o.key = s.key"
		     "   AND o.since >= s.until) THEN greatest(until, $5::timestamptz + $6::bigint * interval '1 "
		     "microsecond')"
		     "   ELSE until END, applied_to = 0,"
		     "  applied_batch_id = coalesce((SELECT id FROM made), applied_batch_id)"
		     "  WHERE id = $1 AND state <> $2 RETURNING *)," NOTED(
			 "'storm.' || CASE $2 WHEN 'void' THEN 'void' ELSE 'apply' END") " SELECT count(*) FROM "
											 "decided" },
	[APPLIED] = { "storms_applied",
		      "UPDATE storm SET applied_to = 9223372036854775807 WHERE id = $1 AND state = 'applied'" },
	/* Which storm the batch restored for, or applied; and one of the same text that is open. */
	[BATCH_OF] = { "storms_batch_of",
		       "SELECT s.id, s.batch_id = $1, s.state = 'applied' AND s.applied_batch_id = $1,"
		       " (SELECT o.id FROM storm o WHERE o.key = s.key AND o.state = 'holding' AND o.id <> s.id)"
		       " FROM storm s WHERE s.batch_id = $1 OR s.applied_batch_id = $1" },
	[REOPEN] = { "storms_reopen",
		     "UPDATE storm SET state = 'holding', decided_at = NULL, decided_by = NULL, decided_why = NULL,"
		     " applied_to = 0 WHERE applied_batch_id = $1 AND state = 'applied'" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

static const char *const verdict_names[] = { [STORM_VOID] = "void", [STORM_APPLIED] = "applied" };

const char *storm_verdict_name(enum storm_verdict verdict)
{
	return verdict_names[verdict];
}

/* ---- reading ---- */

enum err storms_list(struct db *db, bool all, bool with_counts, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_null(), db_bool(all), db_bool(with_counts) };
	return db_run(db, &statements[LIST], values, ARRAY_LEN(values), ret_rows, why);
}

enum err storms_find(struct db *db, uint64_t id, struct storm *ret_storm, struct db_rows **ret_rows, struct buf *why)
{
	struct db_rows *rows = NULL;
	const struct db_value values[] = { db_int((int64_t)id), db_bool(true), db_bool(true) };
	enum err err = db_find(db, &statements[LIST], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_NOT_FOUND)
		buf_addf(why, "there is no storm %llu; `listctl storm ls --all` lists them", (unsigned long long)id);
	if (err != ERR_OK)
		return err;
	storm_at(rows, 0, ret_storm);
	*ret_rows = rows;
	return ERR_OK;
}

void storm_at(const struct db_rows *rows, size_t row, struct storm *ret_storm)
{
	*ret_storm = (struct storm){
		.id = (uint64_t)db_get_int(rows, row, 0),
		.group = db_get_text(rows, row, 1),
		.reason = db_get_text(rows, row, 2),
		.said = db_get_text(rows, row, 3),
		.state = db_get_text(rows, row, 4),
		.since_us = db_get_time(rows, row, 5),
		.until_us = db_get_time(rows, row, 6),
		.opened_us = db_get_time(rows, row, 7),
		.sampled = db_get_int(rows, row, 8),
		.accepted = db_get_int(rows, row, 9),
		.copies = db_get_int(rows, row, 10),
		.decided_us = db_get_time(rows, row, 11),
		.decided_by = db_get_text(rows, row, 12),
		.decided_why = db_get_text(rows, row, 13),
		.batch = (uint64_t)db_get_int(rows, row, 14),
		.applied_batch = (uint64_t)db_get_int(rows, row, 15),
		.is_applying = db_get_bool(rows, row, 16),
		.reports = db_get_int(rows, row, 17),
		.people = db_get_int(rows, row, 18),
	};
}

enum err storms_campaigns(struct db *db, uint64_t id, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value value = db_int((int64_t)id);
	return db_run(db, &statements[CAMPAIGNS], &value, 1, ret_rows, why);
}

enum err storms_examples(struct db *db, uint64_t id, size_t limit, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_int((int64_t)id), db_int((int64_t)limit) };
	return db_run(db, &statements[EXAMPLES], values, ARRAY_LEN(values), ret_rows, why);
}

/* ---- deciding ---- */

enum err storms_decide(struct db *db, uint64_t id, enum storm_verdict verdict, struct view because,
		       const struct storm_work *work, struct buf *why)
{
	const struct db_value values[] = { db_int((int64_t)id),          db_text(view_of(verdict_names[verdict])),
					   db_text(work->actor),         db_text(because),
					   db_time(work->terms->now_us), db_int(work->terms->storms.window_us) };
	return db_run(db, &statements[DECIDE], values, ARRAY_LEN(values), NULL, why);
}

enum err storms_applied(struct db *db, uint64_t id, struct buf *why)
{
	const struct db_value value = db_int((int64_t)id);
	return db_run(db, &statements[APPLIED], &value, 1, NULL, why);
}

/* ---- batches ---- */

enum err storms_check_undo(struct db *db, uint64_t batch_id, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	const struct db_value batch = db_int((int64_t)batch_id);
	enum err err = db_run(db, &statements[BATCH_OF], &batch, 1, &rows, why);
	if (err != ERR_OK || db_row_count(rows) == 0)
		return err;
	long long storm = (long long)db_get_int(rows, 0, 0), open = (long long)db_get_int(rows, 0, 3);
	if (db_get_bool(rows, 0, 1)) {
		buf_addf(
		    why,
		    "batch %llu brought back whom the bounces of storm %lld had disabled; `listctl storm apply %lld` "
		    "lets these count again",
		    (unsigned long long)batch_id, storm, storm);
		return ERR_REFUSED;
	}
	if (db_get_bool(rows, 0, 2) && open != 0) {
		buf_addf(why,
			 "storm %lld, which this batch has applied, would hold again beside storm %lld of the same "
			 "text; decide on that one first: `listctl storm show %lld`",
			 storm, open, open);
		return ERR_REFUSED;
	}
	return ERR_OK;
}

enum err storms_reopen(struct db *db, uint64_t batch_id, struct buf *why)
{
	const struct db_value batch = db_int((int64_t)batch_id);
	return db_run(db, &statements[REOPEN], &batch, 1, NULL, why);
}
