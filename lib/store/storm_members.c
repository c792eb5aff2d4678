#include "store/storm_members.h"

#include <assert.h>

#include "base/limits.h"
#include "store/audit.h"
#include "store/batch_changes.h"

enum statement { HOLDING, TRY_LOCK, VICTIMS, RESTORE, STRUCK, BATCH, TRY, REACHED, STATEMENT_COUNT };

enum { PORTION = 500 };

static const struct db_statement statements[] = {
	[HOLDING] = { "storm_members_holding",
		      "SELECT id FROM storm WHERE until > $1 AND state <> 'applied' ORDER BY 1" },
	/* One at a time restores: what another one does is seen afterwards. */
	[TRY_LOCK] = { "storm_members_try_lock",
		       "SELECT pg_try_advisory_xact_lock(hashtextextended('verpost.storms', 0)), batch_id"
		       " FROM storm WHERE id = $1" },
	/* Whom a verdict has put out since the storm began, or a prune since then for it, and whom one of its reports is about. */
	[VICTIMS] = { "storm_members_victims",
		      "SELECT DISTINCT m.subscriber_id FROM storm s CROSS JOIN LATERAL ("
		      " SELECT d.subscriber_id FROM list l CROSS JOIN LATERAL (SELECT subscriber_id FROM membership"
		      "  WHERE list_id = l.id AND state = 'disabled' AND since >= s.since"
		      "  AND campaign_id IS NOT NULL OFFSET 0) AS d"
		      " UNION ALL SELECT c.subscriber_id FROM prune_batch b JOIN prune_change c ON c.batch_id = b.id"
		      " JOIN membership r ON r.list_id = c.list_id AND r.subscriber_id = c.subscriber_id"
		      " WHERE b.kind = 'prune' AND b.created_at >= s.since AND r.state = 'removed'"
		      " AND r.campaign_id IS NOT NULL) AS m WHERE s.id = $1 AND EXISTS (SELECT FROM bounce_event e"
		      " WHERE e.subscriber_id = m.subscriber_id AND e.received_at >= s.since"
		      " AND e.received_at < s.until AND e.storm_key = s.key AND NOT e.orphan) ORDER BY 1" },
	/* $1 the batch, $2 people, $3, $4 memberships that the verdict is still against, $5 reasons, $6 now, $7 the storm, $8 the actor. A batch is made
	 * for the first who is restored. */
	[RESTORE] = { "storm_members_restore",
		      "WITH old AS MATERIALIZED (SELECT m.* FROM membership m JOIN subscriber s ON s.id = "
		      "m.subscriber_id"
		      " WHERE m.subscriber_id = ANY($2::bigint[]) AND m.state IN ('disabled', 'removed')"
		      " AND m.reason = ANY($5::text[]) AND m.campaign_id IS NOT NULL"
		      " AND (m.subscriber_id, m.list_id) NOT IN (SELECT * FROM unnest($3::bigint[], $4::bigint[]))"
		      " AND m.since >= (SELECT since FROM storm WHERE id = $7) AND" BATCH_MAY_RETURN
		      " FOR UPDATE OF m),"
		      " made AS (INSERT INTO prune_batch (actor, kind) SELECT $8, 'storm' WHERE $1::bigint IS NULL"
		      "  AND EXISTS (SELECT FROM old) RETURNING id),"
		      " noted AS (INSERT INTO audit (actor, action, subject, detail)"
		      "  SELECT $8, 'storm.restore', 'storm:' || $7, jsonb_build_object('batch', id) FROM made),"
		      " known AS (UPDATE storm SET batch_id = made.id FROM made WHERE storm.id = $7),"
		      " changed AS (UPDATE membership m SET state = 'active', reason = 'storm', since = $6,"
		      "  campaign_id = NULL FROM old WHERE m.list_id = old.list_id"
		      "  AND m.subscriber_id = old.subscriber_id RETURNING 1),"
		      " kept AS (INSERT INTO prune_change (batch_id, list_id, subscriber_id, old_state, old_reason,"
		      "  old_since, old_campaign_id, new_state, new_since) SELECT coalesce($1, (SELECT id FROM made)),"
		      "  list_id, subscriber_id, old.state, old.reason, old.since, old.campaign_id, 'active', $6 FROM "
		      "old"
		      "  ON CONFLICT (batch_id, list_id, subscriber_id) DO UPDATE"
		      "  SET new_state = excluded.new_state, new_since = excluded.new_since, restored = false)"
		      " SELECT count(*), coalesce($1, (SELECT id FROM made)) FROM changed" },
	[STRUCK] = { "storm_members_struck",
		     "SELECT DISTINCT e.subscriber_id FROM storm s JOIN bounce_event e ON e.storm_key = s.key"
		     " AND e.received_at >= s.since AND e.received_at < s.until WHERE s.id = $1"
		     " AND e.subscriber_id > s.applied_to AND NOT e.orphan AND e.judged_at IS NOT NULL ORDER BY 1" },
	[BATCH] = { "storm_members_batch", "SELECT applied_batch_id FROM storm WHERE id = $1" },
	[TRY] = { "storm_members_try",
		  "UPDATE storm SET state = $2, decided_at = now(), decided_by = '', decided_why = ''"
		  " WHERE id = $1" },
	[REACHED] = { "storm_members_reached", "UPDATE storm SET applied_to = $2 WHERE id = $1" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

/* ---- a portion ---- */

struct portion {
	const int64_t *ids;
	size_t count;
	uint64_t storm_id;
	struct verdict_sentences sentences;
};

static void note_verdict(void *user, const struct verdict_history *history)
{
	verdict_sentences_add(user, history, false);
}

/* Locks them, and asks whom the evidence is against now. */
static enum err judge(struct db *db, struct portion *portion, const struct storm_work *work, struct buf *why)
{
	enum err err = verdicts_lock(db, portion->ids, portion->count, why);
	return err == ERR_OK ? verdicts_read(db, portion->ids, portion->count, work->terms, note_verdict,
					     &portion->sentences, why)
			     : err;
}

static enum err restore(struct db *db, struct portion *portion, const struct storm_work *work, struct storm_done *done,
			struct buf *why)
{
	AUTO_DB_ROWS *lock = NULL, *rows = NULL;
	const struct db_value storm = db_int((int64_t)portion->storm_id);
	enum err err = db_run(db, &statements[TRY_LOCK], &storm, 1, &lock, why);
	if (err != ERR_OK || db_row_count(lock) == 0 || !db_get_bool(lock, 0, 0))
		return err;
	err = judge(db, portion, work, why);
	if (err != ERR_OK)
		return err;
	AUTO_DB_ARRAY reasons = batch_verdict_reasons();
	AUTO_DB_ARRAY ids = db_array_of(DB_INT);
	for (size_t i = 0; i < portion->count; i++)
		db_array_add_int(&ids, portion->ids[i]);
	const struct db_value values[] = { db_is_null(lock, 0, 1) ? db_null() : db_int(db_get_int(lock, 0, 1)),
					   db_values(&ids),
					   db_values(&portion->sentences.subscribers),
					   db_values(&portion->sentences.lists),
					   db_values(&reasons),
					   db_time(work->terms->now_us),
					   storm,
					   db_text(work->actor) };
	err = db_run(db, &statements[RESTORE], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	done->memberships += (size_t)db_get_int(rows, 0, 0);
	done->batch = work->dry != NULL ? 0 : (uint64_t)db_get_int(rows, 0, 1);
	return ERR_OK;
}

static enum err disable(struct db *db, struct portion *portion, const struct storm_work *work, struct storm_done *done,
			struct buf *why)
{
	const struct db_value reached[] = { db_int((int64_t)portion->storm_id),
					    db_int(portion->ids[portion->count - 1]) };
	enum err err = judge(db, portion, work, why);
	if (err == ERR_OK)
		err = batch_disable(db, done->batch, &portion->sentences, work->terms->now_us, &done->memberships, why);
	return err == ERR_OK ? db_run(db, &statements[REACHED], reached, ARRAY_LEN(reached), NULL, why) : err;
}

/* ---- all of it ---- */

typedef enum err portion_step(struct db *db, struct portion *portion, const struct storm_work *work,
			      struct storm_done *done, struct buf *why);

static enum err in_transaction(struct db *db, portion_step *step, struct portion *portion,
			       const struct storm_work *work, struct storm_done *done, struct buf *why)
{
	const bool dry = work->dry != NULL;
	const struct db_value tried[] = { db_int((int64_t)portion->storm_id),
					  dry ? db_text(view_of(work->dry)) : db_null() };
	enum err err = db_begin(db, why);
	if (err == ERR_OK && dry)
		err = db_run(db, &statements[TRY], tried, ARRAY_LEN(tried), NULL, why);
	if (err == ERR_OK)
		err = step(db, portion, work, done, why);
	if (err == ERR_OK && !dry)
		err = db_commit(db, why);
	if (err != ERR_OK || dry)
		db_rollback(db);
	return err;
}

static enum err in_portions(struct db *db, portion_step *step, uint64_t storm_id, const struct id_list *people,
			    const struct storm_work *work, struct storm_done *done, struct buf *why)
{
	enum err err = ERR_OK;
	for (size_t at = 0; err == ERR_OK && at < people->count; at += PORTION) {
		size_t left = people->count - at;
		struct portion portion = { .ids = people->ids + at,
					   .count = left < PORTION ? left : PORTION,
					   .storm_id = storm_id,
					   .sentences = verdict_sentences() };
		err = in_transaction(db, step, &portion, work, done, why);
		verdict_sentences_done(&portion.sentences);
		if (work->progress != NULL)
			work->progress(work->progress_user, at + portion.count, people->count);
	}
	return err;
}

static enum err work_off(struct db *db, enum statement whom, portion_step *step, uint64_t storm_id,
			 const struct storm_work *work, struct storm_done *done, struct buf *why)
{
	struct id_list people = { 0 };
	enum err err = id_list_read(db, &statements[whom], db_int((int64_t)storm_id), &people, why);
	if (err == ERR_OK)
		err = in_portions(db, step, storm_id, &people, work, done, why);
	id_list_done(&people);
	return err;
}

enum err storm_members_restore(struct db *db, uint64_t storm_id, const struct storm_work *work,
			       struct storm_done *ret_done, struct buf *why)
{
	*ret_done = (struct storm_done){ 0 };
	return work_off(db, VICTIMS, restore, storm_id, work, ret_done, why);
}

enum err storm_members_restore_all(struct db *db, const struct verdict_terms *terms, struct view actor, struct buf *why)
{
	struct id_list storms = { 0 };
	const struct storm_work work = { .terms = terms, .actor = actor };
	enum err err = id_list_read(db, &statements[HOLDING], db_time(terms->now_us), &storms, why);
	for (size_t i = 0; err == ERR_OK && i < storms.count; i++) {
		struct storm_done done;
		err = storm_members_restore(db, (uint64_t)storms.ids[i], &work, &done, why);
	}
	id_list_done(&storms);
	return err;
}

enum err storm_members_apply(struct db *db, uint64_t storm_id, const struct storm_work *work,
			     struct storm_done *ret_done, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	const struct db_value storm = db_int((int64_t)storm_id);
	enum err err = db_run(db, &statements[BATCH], &storm, 1, &rows, why);
	if (err != ERR_OK)
		return err;
	*ret_done = (struct storm_done){ .batch = work->dry != NULL ? 0 : (uint64_t)db_get_int(rows, 0, 0) };
	return work_off(db, STRUCK, disable, storm_id, work, ret_done, why);
}
