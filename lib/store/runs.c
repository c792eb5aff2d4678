#include "store/runs.h"

#include <assert.h>

#include "base/limits.h"
#include "store/audit.h"
#include "store/freezes.h"

enum statement {
	PICK_DUE,
	RUN,
	HOLD_START,
	HOLD_LATE,
	CLOSE_CHUNKS,
	COMPLETE,
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

/* A canceled campaign ends with its last recipient. */
#define MOVE_END(of)                                                                                                   \
	"UPDATE campaign SET ended_at = now() WHERE state = 'canceled' AND id IN (SELECT campaign_id FROM " of ")"

/* Of a retry f: a relay may have an earlier copy. */
#define WAS_DOUBTED                                                                                                    \
	" EXISTS (SELECT FROM doubt d WHERE d.campaign_id = f.campaign_id AND d.subscriber_id = f.subscriber_id)"

/* How much of a canceled campaign one transaction settles. */
enum { CANCEL_CHUNKS_A_STEP = 20, CANCEL_RETRIES_A_STEP = 5000 };

#define IS_COMPLETE                                                                                                    \
	" c.state = 'running'"                                                                                         \
	" AND NOT EXISTS (SELECT FROM campaign_chunk k WHERE k.campaign_id = c.id AND NOT k.done)"                     \
	" AND NOT EXISTS (SELECT FROM deferral f WHERE f.campaign_id = c.id"                                           \
	" AND (f.state = 'deferred' OR f.next_attempt_at IS NOT NULL OR f.opened_by IS NOT NULL"                       \
	" OR f.waits_for IS NOT NULL))"

/* Fields of every copy; one that is missing here costs time only. */
#define OWN_NAMES "('name', 'email', 'unsubscribe', 'list.name', 'list.title', 'campaign.name')"

static const struct db_statement statements[] = {
	/* One that is due and may start: in a window, and not too late; $1: only if its relays were tested for this time; $2 is the last to
	 * be tried. A lock of this row alone: no other campaign waits for it. */
	[PICK_DUE] = { .name = "runs_pick_due",
		       .sql = "SELECT id FROM campaign WHERE state = 'scheduled'"
			      " AND hold_reason IS NULL AND start_at <= now() AND (not_after IS NULL OR not_after >= "
			      "now())"
			      " AND is_in_window(windows, zone, now()) AND (tested_for = start_at OR $1::text IS NULL)"
			      " ORDER BY id = $2::bigint, start_at, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED" },
	/* $1 campaign, $2 audience, $3 whose zone is not known. Most members have the attributes that the first thousand have: the others are read only
	 * for a template with a tag that is more than such a name, and then only what is left of them is taken apart. */
	[RUN] = { .name = "runs_run",
		  .sql =
		      "WITH known AS MATERIALIZED ("
		      " SELECT coalesce(array_agg(DISTINCT k.name), '{}') AS names FROM ("
		      " SELECT s.attributes FROM campaign_target c JOIN membership m ON m.list_id = c.list_id"
		      " JOIN subscriber s ON s.id = m.subscriber_id WHERE c.campaign_id = $1 LIMIT 1000) AS sample"
		      " CROSS JOIN LATERAL jsonb_object_keys(sample.attributes) AS k(name)),"
		      " wanted AS MATERIALIZED ("
		      " SELECT t.list_id FROM campaign c JOIN campaign_target t ON t.campaign_id = c.id CROSS JOIN "
		      "known"
		      " WHERE c.id = $1 AND EXISTS ("
		      " SELECT FROM (SELECT unnest(ARRAY[c.subject, c.text_body, c.html_body])"
		      " UNION ALL SELECT unnest(ARRAY[v.subject, v.text_body, v.html_body])"
		      " FROM campaign_variant v WHERE v.campaign_id = c.id) AS template(text)"
		      " CROSS JOIN LATERAL regexp_matches(text, '\\{\\{+\\s*([^{}|]*[^{}|\\s])', 'g') AS tag(parts)"
		      " WHERE parts[1] NOT LIKE '!%' AND parts[1] NOT IN " OWN_NAMES
		      " AND parts[1] <> ALL (known.names))),"
		      " more AS ("
		      " SELECT DISTINCT jsonb_object_keys(s.attributes - known.names) AS name"
		      " FROM known, wanted w JOIN membership m ON m.list_id = w.list_id"
		      " JOIN subscriber s ON s.id = m.subscriber_id WHERE s.attributes - known.names <> '{}')"
		      " UPDATE campaign c SET state = 'running', started_at = now(), hold_reason = NULL, audience = $2,"
		      " local_fallback = $3, list_name = l.name, list_title = l.title, list_header_id = l.list_id, "
		      "list_headers = l.headers,"
		      " fields = ARRAY(SELECT name COLLATE \"C\" FROM more UNION SELECT unnest(names) FROM known"
		      " UNION SELECT field_paths(w.list_id, NULL) FROM wanted w ORDER BY 1)"
		      " FROM list l WHERE c.id = $1 AND l.id = c.list_id" },
	[HOLD_START] = { .name = "runs_hold_start",
			 .sql =
			     "WITH held AS (UPDATE campaign SET hold_reason = 'its audience could not be frozen: ' || "
			     "$2::text"
			     " || '; `listctl campaign audience ' || name || '` shows what it is for, `listctl "
			     "campaign resume '"
			     " || name || '` tries again'"
			     " WHERE id = $1 AND state = 'scheduled' AND hold_reason IS NULL RETURNING name, "
			     "hold_reason),"
			     " noted AS (INSERT INTO audit (actor, action, subject, detail)"
			     " SELECT 'sender', 'campaign.hold', 'campaign:' || name,"
			     " jsonb_build_object('reason', hold_reason) FROM held)"
			     " SELECT hold_reason FROM held" },
	[HOLD_LATE] = { .name = "runs_hold_late",
			.sql = "WITH late AS (UPDATE campaign SET hold_reason = 'it was not to start after '"
			       " || to_char(not_after AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC; `listctl "
			       "campaign resume '"
			       " || name || '` starts it now and keeps its windows and local times, `start` drops the "
			       "local times,"
			       " `schedule` takes another time'"
			       " WHERE state = 'scheduled' AND hold_reason IS NULL AND start_at <= now() AND not_after "
			       "< now()"
			       " RETURNING id, name, hold_reason),"
			       " noted AS (INSERT INTO audit (actor, action, subject, detail)"
			       " SELECT 'sender', 'campaign.hold', 'campaign:' || name,"
			       " jsonb_build_object('reason', hold_reason) FROM late)"
			       " SELECT id, hold_reason FROM late" },
	/* Two workers that close the last two windows of a chunk at once do not see each other: this looks again. */
	[CLOSE_CHUNKS] = { .name = "runs_close_chunks",
			   .sql = "UPDATE campaign_chunk k SET done = true, lease_owner = NULL, lease_until = NULL"
				  " WHERE NOT k.done AND k.opened > 0 AND k.opened = k.size"
				  " AND NOT EXISTS (SELECT FROM chunk_window w"
				  " WHERE w.campaign_id = k.campaign_id AND w.chunk_no = k.chunk_no)" },
	/* Locked first and asked again after that: who makes a doubtful one be sent again locks the campaign, too. */
	[COMPLETE] = { .name = "runs_complete",
		       .sql = "SELECT c.id FROM campaign c WHERE" IS_COMPLETE " FOR NO KEY UPDATE OF c SKIP LOCKED" },
	[FINISH] = { .name = "runs_finish",
		     .sql = "UPDATE campaign c SET state = 'finished', ended_at = now() WHERE c.id = ANY ($1::bigint[])"
			    " AND" IS_COMPLETE " RETURNING c.id" },
	/* $1 campaign or 0, $2 chunks. Those never opened, and those of windows that were given back. */
	[CANCEL_CHUNKS] = { .name = "runs_cancel_chunks",
			    .sql = "WITH pick AS MATERIALIZED ("
				   " SELECT k.campaign_id, k.chunk_no, k.opened, k.subscriber_ids"
				   " FROM campaign_chunk k JOIN campaign c ON c.id = k.campaign_id"
				   " WHERE c.state = 'canceled' AND ($1::bigint = 0 OR c.id = $1) AND NOT k.done"
				   " AND (k.opened < k.size OR EXISTS ("
				   " SELECT FROM chunk_window w WHERE w.campaign_id = k.campaign_id"
				   " AND w.chunk_no = k.chunk_no AND w.worker_id IS NULL))"
				   " ORDER BY k.campaign_id, k.chunk_no LIMIT $2 FOR UPDATE OF k SKIP LOCKED),"
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
				   " ON CONFLICT DO NOTHING),"
				   " moved AS (" MOVE_END(
				       "pick") ")"
					       " UPDATE campaign_chunk k SET opened = k.size,"
					       " lease_owner = NULL, lease_until = NULL,"
					       " done = NOT EXISTS (SELECT FROM chunk_window w WHERE w.campaign_id = "
					       "k.campaign_id"
					       " AND w.chunk_no = k.chunk_no AND w.worker_id IS NOT NULL)"
					       " FROM pick p WHERE k.campaign_id = p.campaign_id AND k.chunk_no = "
					       "p.chunk_no"
					       " RETURNING k.size::bigint" },
	/* $1 campaign or 0, $2 rows. */
	[CANCEL_RETRIES] = { .name = "runs_cancel_retries",
			     .sql = "WITH pick AS MATERIALIZED ("
				    " SELECT f.campaign_id, f.subscriber_id FROM campaign c JOIN deferral f ON "
				    "f.campaign_id = c.id"
				    " WHERE c.state = 'canceled' AND ($1::bigint = 0 OR c.id = $1)"
				    " AND f.state = 'deferred' AND f.opened_by IS NULL AND NOT" WAS_DOUBTED
				    " LIMIT $2 FOR UPDATE OF f SKIP LOCKED),"
				    " gone AS ("
				    " DELETE FROM deferral f USING pick p"
				    " WHERE f.campaign_id = p.campaign_id AND f.subscriber_id = p.subscriber_id"
				    " RETURNING f.campaign_id, f.subscriber_id, f.attempts, f.code, f.status, f.reply),"
				    " moved AS (" MOVE_END(
					"gone") ")"
						" INSERT INTO delivery (campaign_id, subscriber_id, outcome, attempts, "
						"at, code, "
						"status,"
						" reason, reply)"
						" SELECT campaign_id, subscriber_id, 'skipped', attempts, now(), code, "
						"status, "
						"'canceled', reply"
						" FROM gone ON CONFLICT DO NOTHING RETURNING 1::bigint" },
	/* $1 campaign or 0. The doubtful stay named, also those whose second copy was put off: they may have got it. Nothing is sent to them again. */
	[CANCEL_RESENDS] = { .name = "runs_cancel_resends",
			     .sql = "WITH held AS (UPDATE deferral f SET next_attempt_at = NULL, waits_for = NULL,"
				    " reply = CASE f.state WHEN 'in_doubt' THEN f.reply ELSE 'not sent again: "
				    "canceled' END,"
				    " code = CASE f.state WHEN 'in_doubt' THEN f.code END,"
				    " status = CASE f.state WHEN 'in_doubt' THEN f.status END,"
				    " relay = CASE f.state WHEN 'in_doubt' THEN f.relay END, state = 'in_doubt'"
				    " FROM campaign c WHERE c.id = f.campaign_id AND c.state = 'canceled'"
				    " AND ($1::bigint = 0 OR c.id = $1) AND f.opened_by IS NULL"
				    " AND (CASE f.state WHEN 'in_doubt' THEN f.next_attempt_at IS NOT NULL "
				    "ELSE" WAS_DOUBTED
				    " END) RETURNING f.campaign_id, f.subscriber_id, f.attempts, f.last_attempt_at)"
				    " INSERT INTO doubt (campaign_id, subscriber_id, attempt, connection, at, "
				    "decision, decided_at)"
				    " SELECT campaign_id, subscriber_id, attempts, '', last_attempt_at, 'hold', now() "
				    "FROM held"
				    " ON CONFLICT DO NOTHING" },
	[HOLD] = { .name = "runs_hold",
		   .sql =
		       "UPDATE campaign SET state = 'paused', hold_reason = $2 WHERE id = $1 AND state = 'running'" },
	[STATES] = { .name = "runs_states",
		     .sql = "SELECT CASE WHEN c.state = 'running' AND NOT is_in_window(c.windows, c.zone, now()) THEN "
			    "'paused'"
			    " ELSE coalesce(c.state, 'canceled') END, v.version FROM sending_version v"
			    " LEFT JOIN unnest($1::bigint[]) WITH ORDINALITY AS i(id, n) ON true"
			    " LEFT JOIN campaign c ON c.id = i.id ORDER BY i.n" },
	[LOAD] = { .name = "runs_load",
		   .sql =
		       "SELECT l.id, c.name, coalesce(a.name, l.name), coalesce(a.list_title, l.title),"
		       " coalesce(a.list_header_id, l.list_id), c.subject, c.from_name, c.from_address, c.reply_to,"
		       " c.text_body, c.html_body,"
		       " (extract(epoch FROM c.expire) * 1000000)::bigint, coalesce(a.list_headers, l.headers),"
		       " coalesce(c.list_name, o.name), c.list_id FROM campaign c JOIN list o ON o.id = c.list_id JOIN "
		       "list l ON "
		       "l.id = coalesce(nullif($2::bigint, 0), c.list_id)"
		       " LEFT JOIN LATERAL (SELECT c.list_name AS name, c.list_title, c.list_header_id, c.list_headers"
		       " WHERE l.id = c.list_id UNION ALL SELECT name, list_title, list_header_id, list_headers"
		       " FROM campaign_audience WHERE campaign_id = c.id AND list_id = l.id AND NOT is_left_out"
		       " AND l.id <> c.list_id) AS a ON true WHERE c.id = $1" },
	[FIELDS] = { .name = "runs_fields", .sql = "SELECT unnest(fields) FROM campaign WHERE id = $1" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

/* ---- beginning ---- */

static enum err pick_due(struct db *db, bool only_tested, int64_t put_off, int64_t *ret_id, struct buf *why)
{
	const struct db_value values[] = { only_tested ? db_text(VIEW_LIT("tested")) : db_null(), db_int(put_off) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[PICK_DUE], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	bool any = db_row_count(rows) > 0;
	*ret_id = any ? db_get_int(rows, 0, 0) : 0;
	return ERR_OK;
}

static enum err set_running(struct db *db, const struct run_start *start, struct buf *why)
{
	const struct db_value values[] = { db_int(start->campaign_id), db_int(start->audience),
					   start->local_fallback < 0 ? db_null() : db_int(start->local_fallback) };
	return db_run(db, &statements[RUN], values, ARRAY_LEN(values), NULL, why);
}

static enum err start(struct db *db, size_t chunk_size, struct run_start *start, struct buf *why)
{
	enum err err = freezes_make(db, start->campaign_id, chunk_size, &start->audience, &start->local_fallback, why);
	if (err == ERR_OK)
		err = set_running(db, start, why);
	return err == ERR_OK ? db_commit(db, why) : err;
}

/* What another attempt may not meet: no server, no right to anything, or another transaction that was in the way. */
static bool will_pass(const struct db *db, enum err err)
{
	static const char *const in_the_way[] = { "40", "55P03" };
	for (size_t i = 0; i < ARRAY_LEN(in_the_way); i++) {
		if (view_starts(view_of(db_sqlstate(db)), view_of(in_the_way[i])))
			return true;
	}
	return err == ERR_UNAVAILABLE || err == ERR_DENIED || err == ERR_MEMORY;
}

static enum err hold_start(struct db *db, int64_t campaign_id, struct view reason, struct buf *why)
{
	const struct db_value values[] = { db_int(campaign_id), db_text(reason) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[HOLD_START], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK && db_row_count(rows) > 0)
		buf_add(why, db_get_text(rows, 0, 0));
	return err;
}

/* The one picked: started, or held. */
static enum err start_picked(struct db *db, const struct run_terms *terms, int64_t *put_off, struct run_start *picked,
			     struct buf *why)
{
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	if (terms->begins != NULL)
		terms->begins(picked->campaign_id);
	enum err err = start(db, terms->chunk_size, picked, &reason);
	if (err == ERR_OK)
		return ERR_OK;
	if (will_pass(db, err)) {
		*put_off = picked->campaign_id;
		buf_add(why, buf_view(&reason));
		return err;
	}
	db_rollback(db);
	picked->is_held = true;
	return hold_start(db, picked->campaign_id, buf_view(&reason), why);
}

enum err runs_start_due(struct db *db, const struct run_terms *terms, int64_t *put_off, struct run_start *ret_start,
			struct buf *why)
{
	struct run_start picked = { .local_fallback = -1 };
	enum err err = db_begin(db, why);
	if (err == ERR_OK)
		err = pick_due(db, terms->only_tested, *put_off, &picked.campaign_id, why);
	if (err == ERR_OK)
		err = picked.campaign_id == 0 ? db_commit(db, why) : start_picked(db, terms, put_off, &picked, why);
	if (err != ERR_OK) {
		db_rollback(db);
		return err;
	}
	*ret_start = picked;
	return ERR_OK;
}

enum err runs_hold_late(struct db *db, void (*told)(void *user, int64_t campaign_id, struct view reason), void *user,
			struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[HOLD_LATE], NULL, 0, &rows, why);
	for (size_t i = 0; err == ERR_OK && i < db_row_count(rows); i++)
		told(user, db_get_int(rows, i, 0), db_get_text(rows, i, 1));
	return err;
}

/* ---- ending ---- */

static enum err find_complete(struct db *db, struct db_array *ids, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[COMPLETE], NULL, 0, &rows, why);
	for (size_t i = 0; err == ERR_OK && i < db_row_count(rows); i++)
		db_array_add_int(ids, db_get_int(rows, i, 0));
	return err;
}

static enum err finish(struct db *db, struct db_rows **ret_rows, struct buf *why)
{
	AUTO_DB_ARRAY ids = db_array_of(DB_INT);
	enum err err = db_begin(db, why);
	if (err == ERR_OK)
		err = find_complete(db, &ids, why);
	const struct db_value values[] = { db_values(&ids) };
	if (err == ERR_OK && ids.count > 0)
		err = db_run(db, &statements[FINISH], values, ARRAY_LEN(values), ret_rows, why);
	if (err == ERR_OK)
		err = db_commit(db, why);
	if (err != ERR_OK)
		db_rollback(db);
	return err;
}

enum err runs_finish_complete(struct db *db, void (*told)(void *user, int64_t campaign_id), void *user, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[CLOSE_CHUNKS], NULL, 0, NULL, why);
	if (err == ERR_OK)
		err = finish(db, &rows, why);
	if (err != ERR_OK || rows == NULL)
		return err;
	for (size_t i = 0; i < db_row_count(rows); i++)
		told(user, db_get_int(rows, i, 0));
	return ERR_OK;
}

static enum err run_step(struct db *db, enum statement statement, size_t limit, int64_t campaign_id,
			 struct runs_settled *settled, struct buf *why)
{
	const struct db_value values[] = { db_int(campaign_id), db_int((int64_t)limit) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[statement], values, limit > 0 ? 2 : 1, &rows, why);
	if (err != ERR_OK)
		return err;
	settled->more = settled->more || (limit > 0 && db_row_count(rows) == limit);
	for (size_t i = 0; i < db_row_count(rows); i++)
		settled->recipients += db_get_int(rows, i, 0);
	return ERR_OK;
}

enum err runs_settle_canceled(struct db *db, int64_t campaign_id, struct runs_settled *ret_settled, struct buf *why)
{
	static const struct {
		enum statement statement;
		size_t limit; /* 0: it has none */
	} steps[] = {
		{ CANCEL_CHUNKS, CANCEL_CHUNKS_A_STEP },
		{ CANCEL_RETRIES, CANCEL_RETRIES_A_STEP },
		{ CANCEL_RESENDS, 0 },
	};
	struct runs_settled settled = { 0 };
	enum err err = db_begin(db, why);
	for (size_t i = 0; err == ERR_OK && i < ARRAY_LEN(steps); i++)
		err = run_step(db, steps[i].statement, steps[i].limit, campaign_id, &settled, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[CLOSE_CHUNKS], NULL, 0, NULL, why);
	if (err == ERR_OK)
		err = db_commit(db, why);
	if (err != ERR_OK) {
		db_rollback(db);
		return err;
	}
	*ret_settled = settled;
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

enum err runs_load(struct db *db, int64_t campaign_id, int64_t list_id, struct run_source *ret_source,
		   struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_int(campaign_id), db_int(list_id) };
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
		.expire_us = db_get_int(rows, 0, 11),
		.list_headers = db_get_text(rows, 0, 12),
		.own_list_name = db_get_text(rows, 0, 13),
		.own_list_id = db_get_int(rows, 0, 14),
	};
	*ret_rows = rows;
	return ERR_OK;
}

enum err runs_fields(struct db *db, int64_t campaign_id, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_int(campaign_id) };
	return db_run(db, &statements[FIELDS], values, ARRAY_LEN(values), ret_rows, why);
}
