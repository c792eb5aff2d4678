#include "store/runs.h"

#include <assert.h>

#include "store/audit.h"

enum statement {
	START_DUE,
	CLOSE_CHUNKS,
	FINISH,
	CANCEL_CHUNKS,
	CANCEL_RETRIES,
	CANCEL_RESENDS,
	HOLD,
	STATES,
	LOAD,
	FIELDS,
	STATEMENT_COUNT
};

/* How much of a canceled campaign one transaction settles. */
enum { CANCEL_CHUNKS_A_STEP = 20, CANCEL_RETRIES_A_STEP = 5000 };

static const struct db_statement statements[] = {
	/* $1 ids a chunk; $2: only those whose relays were tested for this time. */
	[START_DUE] = { .name = "runs_start_due",
			.sql = "WITH due AS MATERIALIZED ("
			       " SELECT id, list_id FROM campaign WHERE state = 'scheduled' AND start_at <= now()"
			       " AND hold_reason IS NULL AND (tested_for = start_at OR $2::text IS NULL)"
			       " ORDER BY start_at, id LIMIT 1 FOR UPDATE SKIP LOCKED),"
			       " numbered AS ("
			       " SELECT d.id, m.subscriber_id, (row_number() OVER (ORDER BY m.subscriber_id) - 1) / $1 "
			       "AS chunk_no"
			       " FROM due d JOIN membership m ON m.list_id = d.list_id AND m.state = 'active'),"
			       " chunks AS ("
			       " INSERT INTO campaign_chunk (campaign_id, chunk_no, subscriber_ids)"
			       " SELECT id, chunk_no, array_agg(subscriber_id ORDER BY subscriber_id) FROM numbered"
			       " GROUP BY id, chunk_no RETURNING cardinality(subscriber_ids) AS members)"
			       " UPDATE campaign c SET state = 'running', started_at = now(),"
			       " fields = ARRAY(SELECT DISTINCT jsonb_object_keys(s.attributes) COLLATE \"C\""
			       " FROM due d JOIN membership m ON m.list_id = d.list_id"
			       " JOIN subscriber s ON s.id = m.subscriber_id),"
			       " audience = (SELECT coalesce(sum(members), 0) FROM chunks)"
			       " FROM due WHERE c.id = due.id RETURNING c.id, c.audience" },
	/* Two workers that close the last two windows of a chunk at once do not see each other: this looks again. */
	[CLOSE_CHUNKS] = { .name = "runs_close_chunks",
			   .sql = "UPDATE campaign_chunk k SET done = true, lease_owner = NULL, lease_until = NULL"
				  " WHERE NOT k.done AND k.opened > 0 AND k.opened = cardinality(k.subscriber_ids)"
				  " AND NOT EXISTS (SELECT FROM chunk_window w"
				  " WHERE w.campaign_id = k.campaign_id AND w.chunk_no = k.chunk_no)" },
	[FINISH] = { .name = "runs_finish",
		     .sql = "UPDATE campaign c SET state = 'finished', ended_at = now() WHERE c.state = 'running'"
			    " AND NOT EXISTS (SELECT FROM campaign_chunk k WHERE k.campaign_id = c.id AND NOT k.done)"
			    " AND NOT EXISTS (SELECT FROM deferral f WHERE f.campaign_id = c.id"
			    " AND (f.state = 'deferred' OR f.next_attempt_at IS NOT NULL OR f.opened_by IS NOT NULL"
			    " OR f.waits_for IS NOT NULL))"
			    " RETURNING c.id" },
	/* $1 chunks. Those never opened, and those of windows that were given back. */
	[CANCEL_CHUNKS] = { .name = "runs_cancel_chunks",
			    .sql = "WITH pick AS MATERIALIZED ("
				   " SELECT k.campaign_id, k.chunk_no, k.opened, k.subscriber_ids"
				   " FROM campaign_chunk k JOIN campaign c ON c.id = k.campaign_id"
				   " WHERE c.state = 'canceled' AND NOT k.done"
				   " AND (k.opened < cardinality(k.subscriber_ids) OR EXISTS ("
				   " SELECT FROM chunk_window w WHERE w.campaign_id = k.campaign_id"
				   " AND w.chunk_no = k.chunk_no AND w.worker_id IS NULL))"
				   " ORDER BY k.campaign_id, k.chunk_no LIMIT $1 FOR UPDATE OF k SKIP LOCKED),"
				   " given AS ("
				   " DELETE FROM chunk_window w USING pick p WHERE w.campaign_id = p.campaign_id"
				   " AND w.chunk_no = p.chunk_no AND w.worker_id IS NULL"
				   " RETURNING w.campaign_id, w.chunk_no, w.first, w.last),"
				   " people AS ("
				   " SELECT p.campaign_id, a.id FROM pick p"
				   " CROSS JOIN LATERAL unnest(p.subscriber_ids[p.opened + 1:]) AS a(id)"
				   " UNION ALL"
				   " SELECT p.campaign_id, a.id FROM pick p JOIN given g USING (campaign_id, chunk_no)"
				   " CROSS JOIN LATERAL unnest(p.subscriber_ids[g.first:g.last]) AS a(id)),"
				   " ended AS ("
				   " INSERT INTO delivery (campaign_id, subscriber_id, outcome, at, reason)"
				   " SELECT q.campaign_id, q.id, 'skipped', now(), 'canceled' FROM people q"
				   " WHERE NOT EXISTS (SELECT FROM deferral f"
				   " WHERE f.campaign_id = q.campaign_id AND f.subscriber_id = q.id)"
				   " ON CONFLICT DO NOTHING)"
				   " UPDATE campaign_chunk k SET opened = cardinality(k.subscriber_ids),"
				   " lease_owner = NULL, lease_until = NULL,"
				   " done = NOT EXISTS (SELECT FROM chunk_window w WHERE w.campaign_id = k.campaign_id"
				   " AND w.chunk_no = k.chunk_no AND w.worker_id IS NOT NULL)"
				   " FROM pick p WHERE k.campaign_id = p.campaign_id AND k.chunk_no = p.chunk_no" },
	/* $1 rows. */
	[CANCEL_RETRIES] = { .name = "runs_cancel_retries",
			     .sql = "WITH pick AS MATERIALIZED ("
				    " SELECT f.campaign_id, f.subscriber_id FROM campaign c JOIN deferral f ON "
				    "f.campaign_id = c.id"
				    " WHERE c.state = 'canceled' AND f.state = 'deferred' AND f.opened_by IS NULL"
				    " LIMIT $1 FOR UPDATE OF f SKIP LOCKED),"
				    " gone AS ("
				    " DELETE FROM deferral f USING pick p"
				    " WHERE f.campaign_id = p.campaign_id AND f.subscriber_id = p.subscriber_id"
				    " RETURNING f.campaign_id, f.subscriber_id, f.attempts, f.code, f.status, f.reply)"
				    " INSERT INTO delivery (campaign_id, subscriber_id, outcome, attempts, at, code, "
				    "status,"
				    " reason, reply)"
				    " SELECT campaign_id, subscriber_id, 'skipped', attempts, now(), code, status, "
				    "'canceled', reply"
				    " FROM gone ON CONFLICT DO NOTHING" },
	/* The doubtful stay named: they may have got it. Nothing is sent to them again. */
	[CANCEL_RESENDS] = { .name = "runs_cancel_resends",
			     .sql = "UPDATE deferral f SET next_attempt_at = NULL FROM campaign c"
				    " WHERE c.id = f.campaign_id AND c.state = 'canceled' AND f.state = 'in_doubt'"
				    " AND f.next_attempt_at IS NOT NULL AND f.opened_by IS NULL" },
	[HOLD] = { .name = "runs_hold",
		   .sql =
		       "UPDATE campaign SET state = 'paused', hold_reason = $2 WHERE id = $1 AND state = 'running'" },
	[STATES] = { .name = "runs_states",
		     .sql = "SELECT coalesce(c.state, 'canceled'), v.version FROM sending_version v"
			    " LEFT JOIN unnest($1::bigint[]) WITH ORDINALITY AS i(id, n) ON true"
			    " LEFT JOIN campaign c ON c.id = i.id ORDER BY i.n" },
	[LOAD] = { .name = "runs_load",
		   .sql = "SELECT l.id, c.name, l.name, l.title, l.list_id, c.subject, c.from_name, c.from_address, "
			  "c.reply_to,"
			  " c.text_body, c.html_body"
			  " FROM campaign c JOIN list l ON l.id = c.list_id WHERE c.id = $1" },
	[FIELDS] = { .name = "runs_fields", .sql = "SELECT unnest(fields) FROM campaign WHERE id = $1" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

enum err runs_start_due(struct db *db, size_t chunk_size, bool only_tested, int64_t *ret_campaign_id,
			int64_t *ret_audience, struct buf *why)
{
	const struct db_value values[] = { db_int((int64_t)chunk_size),
					   only_tested ? db_text(VIEW_LIT("tested")) : db_null() };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[START_DUE], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	bool any = db_row_count(rows) > 0;
	*ret_campaign_id = any ? db_get_int(rows, 0, 0) : 0;
	*ret_audience = any ? db_get_int(rows, 0, 1) : 0;
	return ERR_OK;
}

enum err runs_finish_complete(struct db *db, void (*told)(void *user, int64_t campaign_id), void *user, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[CLOSE_CHUNKS], NULL, 0, NULL, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[FINISH], NULL, 0, &rows, why);
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < db_row_count(rows); i++)
		told(user, db_get_int(rows, i, 0));
	return ERR_OK;
}

static enum err run_step(struct db *db, enum statement statement, size_t limit, size_t *ret_changed, struct buf *why)
{
	const struct db_value values[] = { db_int((int64_t)limit) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[statement], values, limit > 0 ? 1 : 0, &rows, why);
	if (err == ERR_OK)
		*ret_changed = db_changed(rows);
	return err;
}

enum err runs_settle_canceled(struct db *db, bool *ret_more, struct buf *why)
{
	size_t chunks = 0, retries = 0, resends = 0;
	enum err err = db_begin(db);
	if (err == ERR_OK)
		err = run_step(db, CANCEL_CHUNKS, CANCEL_CHUNKS_A_STEP, &chunks, why);
	if (err == ERR_OK)
		err = run_step(db, CANCEL_RETRIES, CANCEL_RETRIES_A_STEP, &retries, why);
	if (err == ERR_OK)
		err = run_step(db, CANCEL_RESENDS, 0, &resends, why);
	if (err == ERR_OK)
		err = db_commit(db, why);
	if (err != ERR_OK) {
		db_rollback(db);
		return err;
	}
	*ret_more = chunks == CANCEL_CHUNKS_A_STEP || retries == CANCEL_RETRIES_A_STEP;
	return ERR_OK;
}

enum err runs_hold(struct db *db, int64_t campaign_id, struct view reason, bool *ret_held, struct buf *why)
{
	const struct db_value values[] = { db_int(campaign_id), db_text(reason) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[HOLD], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	*ret_held = db_changed(rows) > 0;
	if (!*ret_held)
		return ERR_OK;
	AUTO_BUF subject = buf_with_ceiling(64);
	buf_addf(&subject, "campaign:%lld", (long long)campaign_id);
	return audit_append(db, VIEW_LIT("sender"), "campaign.hold", buf_view(&subject), VIEW_LIT(""), why);
}

enum err runs_states(struct db *db, const int64_t *campaign_ids, size_t count, enum campaign_state *ret_states,
		     int64_t *ret_sending_version, struct buf *why)
{
	AUTO_DB_ARRAY ids = db_array_of(DB_INT);
	for (size_t i = 0; i < count; i++)
		db_array_add_int(&ids, campaign_ids[i]);
	const struct db_value values[] = { db_values(&ids) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[STATES], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < count && i < db_row_count(rows); i++) {
		if (!campaign_state_from_name(db_get_text(rows, i, 0), &ret_states[i]))
			ret_states[i] = CAMPAIGN_CANCELED;
	}
	*ret_sending_version = db_get_int(rows, 0, 1);
	return ERR_OK;
}

enum err runs_load(struct db *db, int64_t campaign_id, struct run_source *ret_source, struct db_rows **ret_rows,
		   struct buf *why)
{
	const struct db_value values[] = { db_int(campaign_id) };
	struct db_rows *rows = NULL;
	enum err err = db_run(db, &statements[LOAD], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	if (db_row_count(rows) == 0) {
		db_rows_done(rows);
		buf_addf(why, "there is no campaign %lld", (long long)campaign_id);
		return ERR_NOT_FOUND;
	}
	*ret_source = (struct run_source){
		.list_id = db_get_int(rows, 0, 0),
		.campaign_name = db_get_text(rows, 0, 1),
		.list_name = db_get_text(rows, 0, 2),
		.list_title = db_get_text(rows, 0, 3),
		.list_header_id = db_get_text(rows, 0, 4),
		.subject = db_get_text(rows, 0, 5),
		.from_name = db_get_text(rows, 0, 6),
		.from_address = db_get_text(rows, 0, 7),
		.reply_to = db_get_text(rows, 0, 8),
		.text_body = db_get_text(rows, 0, 9),
		.html_body = db_get_text(rows, 0, 10),
	};
	*ret_rows = rows;
	return ERR_OK;
}

enum err runs_fields(struct db *db, int64_t campaign_id, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_int(campaign_id) };
	return db_run(db, &statements[FIELDS], values, ARRAY_LEN(values), ret_rows, why);
}
