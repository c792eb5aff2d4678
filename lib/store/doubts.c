#include "store/doubts.h"

#include <assert.h>

#include "base/limits.h"
#include "store/audit.h"

enum statement { LIST, LIST_ALL, LOCK, STRANGER, BUSY, GONE, RESEND, HOLD, SETTLE, REOPEN, STATEMENT_COUNT };

enum column {
	COL_SUBSCRIBER,
	COL_ADDRESS,
	COL_ATTEMPT,
	COL_AT,
	COL_DECISION,
	COL_DECIDED,
	COL_NEXT,
	COL_WORKER,
	COL_HOST,
	COL_CONNECTION,
	COL_PLACE,
	COL_IN_HAND,
	COL_REPLY
};

/* $2: the keys of those meant, null for all. */
#define ARE_MEANT                                                                                                      \
	" ($2::text[] IS NULL OR f.subscriber_id IN (SELECT id FROM subscriber WHERE address_key = ANY ($2::text[])))"
#define IS_FREE " f.campaign_id = $1 AND f.state = 'in_doubt' AND f.opened_by IS NULL AND" ARE_MEANT
/* Whom the list that the copy goes through still has, and no suppression keeps from being sent to. */
#define MAY_BE_SENT                                                                                                    \
	" EXISTS (SELECT FROM campaign g LEFT JOIN campaign_reached h ON h.campaign_id = g.id"                         \
	" AND h.subscriber_id = f.subscriber_id"                                                                       \
	" JOIN membership m ON m.list_id = coalesce(h.list_id, g.list_id) JOIN subscriber s"                           \
	" ON s.id = m.subscriber_id WHERE g.id = f.campaign_id AND m.subscriber_id = f.subscriber_id"                  \
	" AND m.state = 'active' AND NOT is_suppressed(s.address_key, m.list_id))"
#define NOTED(decided)                                                                                                 \
	" noted AS (UPDATE doubt d SET decision = '" decided "', decided_at = now() FROM moved m"                      \
	" WHERE d.campaign_id = $1 AND d.subscriber_id = m.subscriber_id AND d.attempt = m.attempts)"
#define MOVE(which, next, decided)                                                                                     \
	"WITH moved AS (UPDATE deferral f SET next_attempt_at = " next ", waits_for = NULL WHERE" which                \
	" RETURNING f.subscriber_id, f.attempts)," NOTED(decided) " SELECT count(*) FROM moved"

/* To a copy that was sent again, and not taken. */
#define REPLY "nullif(concat_ws(' ', f.code, f.reply), '')"

static const struct db_statement statements[] = {
	[LIST] = { "doubts_list",
		   "SELECT f.subscriber_id, s.address, f.attempts, f.last_attempt_at, d.decision, d.decided_at,"
		   " f.next_attempt_at, d.worker_id, w.host, d.connection, f.state, f.opened_by IS NOT NULL,"
		   " " REPLY " FROM deferral f"
		   " LEFT JOIN subscriber s ON s.id = f.subscriber_id LEFT JOIN doubt d ON d.campaign_id = "
		   "f.campaign_id"
		   " AND d.subscriber_id = f.subscriber_id AND d.attempt = f.attempts"
		   " LEFT JOIN worker w ON w.id = d.worker_id"
		   " WHERE f.campaign_id = $1 AND f.state = 'in_doubt' ORDER BY f.last_attempt_at, 1" },
	[LIST_ALL] = { "doubts_list_all",
		       "SELECT d.subscriber_id, s.address, d.attempt, d.at, d.decision, d.decided_at,"
		       " CASE WHEN f.state = 'in_doubt' AND f.attempts = d.attempt THEN f.next_attempt_at END,"
		       " d.worker_id, w.host, d.connection, coalesce(e.outcome::text, f.state, 'pending'),"
		       " coalesce(f.state = 'in_doubt' AND f.attempts = d.attempt AND f.opened_by IS NOT NULL, false),"
		       " CASE WHEN f.state = 'in_doubt' AND f.attempts = d.attempt THEN " REPLY " END"
		       " FROM doubt d"
		       " LEFT JOIN subscriber s ON s.id = d.subscriber_id LEFT JOIN worker w ON w.id = d.worker_id"
		       " LEFT JOIN deferral f ON f.campaign_id = d.campaign_id AND f.subscriber_id = d.subscriber_id"
		       " LEFT JOIN delivery e ON e.campaign_id = d.campaign_id AND e.subscriber_id = d.subscriber_id"
		       " WHERE d.campaign_id = $1 ORDER BY d.at, 1, d.attempt" },
	/* Whoever finishes a campaign locks it, too, before it looks whether anybody is left. */
	[LOCK] = { "doubts_lock", "SELECT state, name FROM campaign WHERE id = $1 FOR NO KEY UPDATE" },
	[STRANGER] = { "doubts_stranger",
		       "SELECT k.key FROM unnest($2::text[]) AS k(key) WHERE NOT EXISTS (SELECT FROM subscriber s"
		       " JOIN deferral f ON f.subscriber_id = s.id AND f.campaign_id = $1 AND f.state = 'in_doubt'"
		       " WHERE s.address_key = k.key) LIMIT 1" },
	[BUSY] = { "doubts_busy", "SELECT count(*) FROM deferral f WHERE f.campaign_id = $1 AND f.state = 'in_doubt'"
				  " AND f.opened_by IS NOT NULL AND" ARE_MEANT },
	[GONE] = { "doubts_gone", "SELECT count(*) FROM deferral f WHERE" IS_FREE " AND NOT" MAY_BE_SENT },
	[RESEND] = { "doubts_resend", MOVE(IS_FREE " AND" MAY_BE_SENT, "now()", "resend") },
	[HOLD] = { "doubts_hold", MOVE(IS_FREE, "NULL", "hold") },
	[SETTLE] = { "doubts_settle", "WITH moved AS (DELETE FROM deferral f WHERE" IS_FREE
				      " RETURNING f.subscriber_id, f.attempts, f.last_attempt_at)," NOTED(
					  "settled") ","
						     " ended AS (INSERT INTO delivery (campaign_id, subscriber_id, "
						     "outcome, attempts, at, reply, variant)"
						     " SELECT $1, subscriber_id, 'accepted', attempts, last_attempt_at,"
						     " 'in doubt, settled by an administrator',"
						     " variant_of($1, subscriber_id) FROM moved)"
						     " SELECT count(*) FROM moved" },
	[REOPEN] = { "doubts_reopen",
		     "UPDATE campaign SET state = 'running', ended_at = NULL WHERE id = $1 AND state = 'finished'" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

struct decision_row {
	enum statement statement;
	const char *action;
};

static const struct decision_row decisions[] = {
	[DOUBT_RESEND] = { RESEND, "campaign.in-doubt.resend" },
	[DOUBT_HOLD] = { HOLD, "campaign.in-doubt.hold" },
	[DOUBT_SETTLE] = { SETTLE, "campaign.in-doubt.settle" },
};
static_assert(ARRAY_LEN(decisions) == DOUBT_DECISION_COUNT, "one row per decision");

enum err doubts_list(struct db *db, uint64_t campaign_id, bool all, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_int((int64_t)campaign_id) };
	return db_run(db, &statements[all ? LIST_ALL : LIST], values, ARRAY_LEN(values), ret_rows, why);
}

void doubtful_at(const struct db_rows *rows, size_t row, struct doubtful *ret_doubtful)
{
	*ret_doubtful = (struct doubtful){
		.subscriber_id = (uint64_t)db_get_int(rows, row, COL_SUBSCRIBER),
		.address = db_get_text(rows, row, COL_ADDRESS),
		.attempt = (unsigned)db_get_int(rows, row, COL_ATTEMPT),
		.at_us = db_get_time(rows, row, COL_AT),
		.decision = db_get_text(rows, row, COL_DECISION),
		.decided_us = db_get_time(rows, row, COL_DECIDED),
		.next_us = db_get_time(rows, row, COL_NEXT),
		.worker = db_get_text(rows, row, COL_WORKER),
		.host = db_get_text(rows, row, COL_HOST),
		.connection = db_get_text(rows, row, COL_CONNECTION),
		.place = db_get_text(rows, row, COL_PLACE),
		.is_in_hand = db_get_bool(rows, row, COL_IN_HAND),
		.reply = db_get_text(rows, row, COL_REPLY),
	};
}

/* ---- deciding ---- */

struct question {
	struct db *db;
	struct db_value values[2]; /* the campaign, the keys */
	enum doubt_decision decision;
	struct buf *why;
};

static enum err ask(const struct question *question, enum statement statement, size_t count, struct db_rows **ret_rows)
{
	return db_run(question->db, &statements[statement], question->values, count, ret_rows, question->why);
}

static enum err count_of(const struct question *question, enum statement statement, size_t *ret_count)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = ask(question, statement, ARRAY_LEN(question->values), &rows);
	if (err == ERR_OK)
		*ret_count = (size_t)db_get_int(rows, 0, 0);
	return err;
}

static enum err lock(const struct question *question, struct buf *subject)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = ask(question, LOCK, 1, &rows);
	if (err != ERR_OK)
		return err;
	if (db_row_count(rows) == 0) {
		buf_addf(question->why, "there is no such campaign any more");
		return ERR_NOT_FOUND;
	}
	buf_addf(subject, "campaign:" VIEW_FMT, VIEW_ARG(db_get_text(rows, 0, 1)));
	if (question->decision != DOUBT_RESEND || !view_eq(db_get_text(rows, 0, 0), VIEW_LIT("canceled")))
		return ERR_OK;
	buf_addf(question->why, "a canceled campaign sends nothing again; --settle ends the doubt");
	return ERR_REFUSED;
}

static enum err refuse_stranger(const struct question *question)
{
	AUTO_DB_ROWS *rows = NULL;
	if (question->values[1].type == DB_NULL)
		return ERR_OK;
	enum err err = ask(question, STRANGER, ARRAY_LEN(question->values), &rows);
	if (err != ERR_OK || db_row_count(rows) == 0)
		return err;
	buf_addf(question->why, VIEW_FMT " is not in doubt in this campaign; nothing was decided",
		 VIEW_ARG(db_get_text(rows, 0, 0)));
	return ERR_NOT_FOUND;
}

static enum err reopen(const struct question *question, struct doubts_decided *decided)
{
	AUTO_DB_ROWS *rows = NULL;
	if (question->decision != DOUBT_RESEND || decided->count == 0)
		return ERR_OK;
	enum err err = ask(question, REOPEN, 1, &rows);
	if (err == ERR_OK)
		decided->has_reopened = db_changed(rows) > 0;
	return err;
}

static enum err note(const struct question *question, struct view actor, struct view subject,
		     const struct doubts_decided *decided)
{
	AUTO_BUF detail = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&detail, "{\"recipients\": %zu, \"named\": %s, \"reopened\": %s}", decided->count,
		 question->values[1].type == DB_NULL ? "false" : "true", decided->has_reopened ? "true" : "false");
	return audit_append(question->db, actor, decisions[question->decision].action, subject, buf_view(&detail),
			    question->why);
}

static enum err decide(const struct question *question, struct view actor, struct doubts_decided *decided)
{
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	enum err err = lock(question, &subject);
	if (err == ERR_OK)
		err = refuse_stranger(question);
	if (err == ERR_OK)
		err = count_of(question, BUSY, &decided->busy);
	if (err == ERR_OK && question->decision == DOUBT_RESEND)
		err = count_of(question, GONE, &decided->gone);
	if (err == ERR_OK)
		err = count_of(question, decisions[question->decision].statement, &decided->count);
	if (err == ERR_OK)
		err = reopen(question, decided);
	return err == ERR_OK ? note(question, actor, buf_view(&subject), decided) : err;
}

enum err doubts_decide(struct db *db, uint64_t campaign_id, enum doubt_decision decision,
		       const struct db_array *address_keys, struct view actor, struct doubts_decided *ret_decided,
		       struct buf *why)
{
	const struct question question = {
		.db = db,
		.values = { db_int((int64_t)campaign_id), address_keys == NULL ? db_null() : db_values(address_keys) },
		.decision = decision,
		.why = why,
	};
	struct doubts_decided decided = { 0 };
	enum err err = db_begin(db, why);
	if (err == ERR_OK)
		err = decide(&question, actor, &decided);
	if (err == ERR_OK)
		err = db_commit(db, why);
	if (err != ERR_OK) {
		db_rollback(db);
		return err;
	}
	*ret_decided = decided;
	return ERR_OK;
}
