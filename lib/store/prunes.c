#include "store/prunes.h"

#include <assert.h>

#include "base/limits.h"
#include "store/audit.h"
#include "store/batch_changes.h"
#include "store/id_list.h"
#include "store/revisions.h"
#include "store/storms.h"

enum statement {
	OPEN_BATCH,
	REMOVE,
	BATCHES,
	CHANGES,
	PEOPLE_CHANGED,
	LOCK_MEMBERSHIPS,
	RESTORE,
	VOID_EVENTS,
	RECALL_REVISIONS,
	LOCK_REVISIONS,
	YOUNGER,
	CLOSE_BATCH,
	STATEMENT_COUNT
};

#define BATCH_COLUMNS                                                                                                  \
	"SELECT b.id, b.created_at, b.undone_at, b.actor, l.name, n.removed, n.restored, CASE WHEN EXISTS (SELECT"     \
	" FROM storm s WHERE s.batch_id = b.id) THEN 'storm-restored' ELSE b.kind END FROM prune_batch b"              \
	" LEFT JOIN list l ON l.id = b.list_id CROSS JOIN LATERAL (SELECT count(*) AS removed,"                        \
	" count(*) FILTER (WHERE c.restored) AS restored FROM prune_change c WHERE c.batch_id = b.id) AS n"

static const struct db_statement statements[] = {
	[OPEN_BATCH] = { "prunes_open_batch", "INSERT INTO prune_batch (actor, list_id) VALUES ($1, $2) RETURNING id" },
	[REMOVE] = { "prunes_remove",
		     "WITH old AS MATERIALIZED (SELECT m.* FROM membership m JOIN unnest($2::bigint[], $3::bigint[])"
		     " AS u(list_id, subscriber_id) USING (list_id, subscriber_id) WHERE m.state = 'disabled'"
		     " FOR UPDATE OF m), changed AS (UPDATE membership m SET state = 'removed', since = now() FROM old"
		     " WHERE m.list_id = old.list_id AND m.subscriber_id = old.subscriber_id"
		     " RETURNING m.list_id, m.subscriber_id, m.since)"
		     " INSERT INTO prune_change (batch_id, list_id, subscriber_id, old_state, old_reason, old_since,"
		     " old_campaign_id, new_state, new_since) SELECT $1, list_id, subscriber_id, old.state, old.reason,"
		     " old.since, old.campaign_id, 'removed', changed.since FROM old JOIN changed"
		     " USING (list_id, subscriber_id)" },
	[BATCHES] = { "prunes_batches", BATCH_COLUMNS " WHERE $1::bigint IS NULL OR b.id = $1 ORDER BY b.id DESC" },
	/* $2: the bounce reasons, whose verdict an undo overrules. */
	[CHANGES] = { "prunes_changes",
		      "SELECT c.list_id, c.subscriber_id, l.name, s.address, c.old_reason,"
		      " CASE WHEN c.restored THEN 'restored before'"
		      " WHEN s.id IS NULL OR m.state IS NULL THEN 'erased since'"
		      " WHEN m.state = 'unsubscribed' THEN 'unsubscribed since (' || m.reason || ')'"
		      " WHEN m.state <> c.new_state OR m.since <> c.new_since THEN 'changed since: ' || m.state"
		      " WHEN t.state = 'active' AND is_suppressed(s.address_key, c.list_id) THEN 'suppressed'"
		      " WHEN t.state = 'active' AND EXISTS (SELECT FROM reported e WHERE e.subscriber_id = "
		      "c.subscriber_id"
		      " AND e.kind = 'complaint' AND NOT e.voided AND NOT e.orphan) THEN 'complained' END,"
		      " t.state, c.restored FROM prune_change c JOIN prune_batch b ON b.id = c.batch_id"
		      " CROSS JOIN LATERAL (SELECT CASE WHEN b.kind = 'prune' AND c.old_reason = ANY($2::text[])"
		      " THEN 'active' ELSE c.old_state::text END AS state) AS t LEFT JOIN list l ON l.id = c.list_id"
		      " LEFT JOIN subscriber s ON s.id = c.subscriber_id LEFT JOIN membership m"
		      " ON m.list_id = c.list_id AND m.subscriber_id = c.subscriber_id"
		      " WHERE c.batch_id = $1 ORDER BY 1, 5, 2" },
	[PEOPLE_CHANGED] = { "prunes_people_changed",
			     "SELECT subscriber_id FROM prune_change WHERE batch_id = $1 UNION"
			     " SELECT e.subscriber_id FROM bounce_revision r JOIN bounce_event e"
			     " ON e.campaign_id = r.campaign_id AND e.id = r.event_id WHERE r.batch_id = $1 ORDER BY "
			     "1" },
	[LOCK_MEMBERSHIPS] = { "prunes_lock_memberships",
			       "SELECT m.subscriber_id FROM membership m JOIN prune_change c USING (list_id, "
			       "subscriber_id)"
			       " WHERE c.batch_id = $1 ORDER BY m.list_id, m.subscriber_id FOR UPDATE OF m" },
	[RESTORE] = { "prunes_restore",
		      "WITH back AS (SELECT * FROM unnest($2::bigint[], $3::bigint[], $4::text[])"
		      " AS u(list_id, subscriber_id, state)), marked AS (UPDATE prune_change c SET restored = true"
		      " FROM back WHERE c.batch_id = $1 AND c.list_id = back.list_id"
		      " AND c.subscriber_id = back.subscriber_id AND NOT c.restored"
		      " RETURNING c.*, back.state AS to_state,"
		      " back.state = 'active' AND c.old_state <> 'active' AS begins_anew) UPDATE membership m"
		      " SET state = marked.to_state::membership_state,"
		      " since = CASE WHEN marked.begins_anew THEN now() ELSE marked.old_since END,"
		      " reason = CASE WHEN marked.begins_anew THEN 'undo' ELSE marked.old_reason END,"
		      " campaign_id = CASE WHEN marked.begins_anew THEN NULL"
		      " ELSE marked.old_campaign_id END FROM marked WHERE m.list_id = marked.list_id"
		      " AND m.subscriber_id = marked.subscriber_id AND m.state = marked.new_state"
		      " AND m.since = marked.new_since" },
	/* The evidence the batch acted on is no more to count; it stays to be seen. */
	[VOID_EVENTS] = { "prunes_void_events",
			  "WITH past AS (UPDATE past_report p SET voided = true FROM prune_batch b WHERE b.id = $1"
			  " AND b.kind = 'prune' AND p.subscriber_id = ANY($2::bigint[]) AND p.kind <> 'complaint'"
			  " AND p.received_at <= b.created_at AND NOT p.voided)"
			  " UPDATE bounce_event e SET voided = true FROM prune_batch b WHERE b.id = $1 AND b.kind = "
			  "'prune'"
			  " AND e.subscriber_id = ANY($2::bigint[]) AND e.kind IN ('bounce-hard', 'bounce-soft')"
			  " AND e.received_at <= b.created_at AND NOT e.voided" },
	/* Reports mean again what they meant before, where nobody has read them anew since. */
	[RECALL_REVISIONS] = { "prunes_recall_revisions",
			       "UPDATE bounce_event e SET kind = r.old_kind, reason = r.old_reason,"
			       " status = r.old_status, code = r.old_code, rule = r.old_rule FROM bounce_revision r"
			       " WHERE r.batch_id = $1"
			       " AND e.campaign_id = r.campaign_id AND e.id = r.event_id AND e.kind = r.new_kind"
			       " AND e.reason = r.new_reason AND e.status IS NOT DISTINCT FROM r.new_status" },
	/* Until the end of the transaction; false: reports are being read anew. */
	[LOCK_REVISIONS] = { "prunes_lock_revisions", "SELECT pg_try_advisory_xact_lock(" REVISIONS_LOCK ")"
						      " FROM prune_batch WHERE id = $1 AND kind = 'reclassify'" },
	/* The last one that has read one of the batch's reports anew since. */
	[YOUNGER] = { "prunes_younger",
		      "SELECT max(y.batch_id) FROM bounce_revision r JOIN bounce_revision y"
		      " ON y.campaign_id = r.campaign_id AND y.event_id = r.event_id AND y.batch_id > r.batch_id"
		      " JOIN prune_batch b ON b.id = y.batch_id AND b.undone_at IS NULL"
		      " WHERE r.batch_id = $1" },
	[CLOSE_BATCH] = { "prunes_close_batch", "UPDATE prune_batch SET undone_at = coalesce(undone_at, now()),"
						" undone_by = coalesce(undone_by, $2::text) WHERE id = $1" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

/* ---- removing ---- */

static enum err note(struct db *db, struct view actor, const char *action, uint64_t batch_id, size_t count,
		     struct buf *why)
{
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF detail = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&subject, "batch:%llu", (unsigned long long)batch_id);
	buf_addf(&detail, "{\"memberships\": %zu}", count);
	return audit_append(db, actor, action, buf_view(&subject), buf_view(&detail), why);
}

static enum err open_batch(struct db *db, uint64_t list_id, struct view actor, uint64_t *ret_batch, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	const struct db_value values[] = { db_text(actor), db_id_or_null(list_id) };
	enum err err = db_run(db, &statements[OPEN_BATCH], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_batch = (uint64_t)db_get_int(rows, 0, 0);
	return err;
}

static enum err remove_all(struct db *db, uint64_t batch_id, const struct db_rows *candidates, size_t *ret_removed,
			   struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_DB_ARRAY lists = db_array_of(DB_INT);
	AUTO_DB_ARRAY subscribers = db_array_of(DB_INT);
	for (size_t i = 0; i < db_row_count(candidates); i++) {
		db_array_add_int(&lists, db_get_int(candidates, i, 0));
		db_array_add_int(&subscribers, db_get_int(candidates, i, 1));
	}
	const struct db_value values[] = { db_int((int64_t)batch_id), db_values(&lists), db_values(&subscribers) };
	enum err err = db_run(db, &statements[REMOVE], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_removed = db_changed(rows);
	return err;
}

enum err prunes_remove(struct db *db, uint64_t list_id, const struct db_rows *candidates, struct view actor,
		       uint64_t *ret_batch, size_t *ret_removed, struct buf *why)
{
	uint64_t batch = 0;
	size_t removed = 0;
	if (db_row_count(candidates) > 0) {
		enum err err = open_batch(db, list_id, actor, &batch, why);
		if (err == ERR_OK)
			err = remove_all(db, batch, candidates, &removed, why);
		if (err == ERR_OK)
			err = note(db, actor, "prune.apply", batch, removed, why);
		if (err != ERR_OK)
			return err;
	}
	*ret_batch = batch;
	*ret_removed = removed;
	return ERR_OK;
}

/* ---- batches ---- */

enum err prunes_batches(struct db *db, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_null() };
	return db_run(db, &statements[BATCHES], values, ARRAY_LEN(values), ret_rows, why);
}

enum err prunes_batch(struct db *db, uint64_t batch_id, struct prune_batch *ret_batch, struct db_rows **ret_rows,
		      struct buf *why)
{
	struct db_rows *rows = NULL;
	const struct db_value values[] = { db_int((int64_t)batch_id) };
	enum err err = db_run(db, &statements[BATCHES], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	if (db_row_count(rows) == 0) {
		db_rows_done(rows);
		buf_addf(why, "there is no batch %llu; `listctl batch ls` lists them", (unsigned long long)batch_id);
		return ERR_NOT_FOUND;
	}
	prune_batch_at(rows, 0, ret_batch);
	*ret_rows = rows;
	return ERR_OK;
}

void prune_batch_at(const struct db_rows *rows, size_t row, struct prune_batch *ret_batch)
{
	*ret_batch = (struct prune_batch){
		.id = (uint64_t)db_get_int(rows, row, 0),
		.created_us = db_get_time(rows, row, 1),
		.undone_us = db_get_time(rows, row, 2),
		.actor = db_get_text(rows, row, 3),
		.list = db_get_text(rows, row, 4),
		.removed = db_get_int(rows, row, 5),
		.restored = db_get_int(rows, row, 6),
		.kind = db_get_text(rows, row, 7),
	};
}

enum err prunes_changes(struct db *db, uint64_t batch_id, struct db_rows **ret_rows, struct buf *why)
{
	AUTO_DB_ARRAY reasons = batch_verdict_reasons();
	const struct db_value values[] = { db_int((int64_t)batch_id), db_values(&reasons) };
	return db_run(db, &statements[CHANGES], values, ARRAY_LEN(values), ret_rows, why);
}

void prune_change_at(const struct db_rows *rows, size_t row, struct prune_change *ret_change)
{
	*ret_change = (struct prune_change){
		.list_id = (uint64_t)db_get_int(rows, row, 0),
		.subscriber_id = (uint64_t)db_get_int(rows, row, 1),
		.list = db_get_text(rows, row, 2),
		.address = db_get_text(rows, row, 3),
		.reason = db_get_text(rows, row, 4),
		.obstacle = db_get_text(rows, row, 5),
		.restored_to = db_get_text(rows, row, 6),
		.restored = db_get_bool(rows, row, 7),
	};
}

/* ---- undoing ---- */

/* The changes to restore, as arrays for the statements. */
struct restoration {
	struct db_array lists, subscribers, states;
	struct db_array acquitted; /* subscribers whose events are voided */
	size_t count;
};

static struct restoration restoration_of(const struct db_rows *changes)
{
	struct restoration back = { db_array_of(DB_INT), db_array_of(DB_INT), db_array_of(DB_TEXT), db_array_of(DB_INT),
				    0 };
	for (size_t i = 0; i < db_row_count(changes); i++) {
		struct prune_change change;
		prune_change_at(changes, i, &change);
		if (change.obstacle.len > 0)
			continue;
		db_array_add_int(&back.lists, (int64_t)change.list_id);
		db_array_add_int(&back.subscribers, (int64_t)change.subscriber_id);
		db_array_add_bytes(&back.states, change.restored_to);
		if (view_eq(change.restored_to, VIEW_LIT("active")))
			db_array_add_int(&back.acquitted, (int64_t)change.subscriber_id);
		back.count++;
	}
	return back;
}

static void restoration_done(struct restoration *back)
{
	db_array_done(&back->lists);
	db_array_done(&back->subscribers);
	db_array_done(&back->states);
	db_array_done(&back->acquitted);
}

static enum err restore(struct db *db, uint64_t batch_id, const struct restoration *back, struct view actor,
			struct buf *why)
{
	const struct db_value memberships[] = { db_int((int64_t)batch_id), db_values(&back->lists),
						db_values(&back->subscribers), db_values(&back->states) };
	const struct db_value events[] = { db_int((int64_t)batch_id), db_values(&back->acquitted) };
	const struct db_value batch[] = { db_int((int64_t)batch_id), db_text(actor) };
	enum err err = db_run(db, &statements[RESTORE], memberships, ARRAY_LEN(memberships), NULL, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[VOID_EVENTS], events, ARRAY_LEN(events), NULL, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[RECALL_REVISIONS], batch, 1, NULL, why);
	if (err == ERR_OK)
		err = storms_reopen(db, batch_id, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[CLOSE_BATCH], batch, ARRAY_LEN(batch), NULL, why);
	if (err == ERR_OK)
		err = note(db, actor, "prune.undo", batch_id, back->count, why);
	return err;
}

/* What reports mean is taken back in the order in which it came, and not while it comes. */
static enum err refuse_unless_last(struct db *db, const struct db_value *batch, struct buf *why)
{
	AUTO_DB_ROWS *lock = NULL;
	AUTO_DB_ROWS *younger = NULL;
	enum err err = storms_check_undo(db, (uint64_t)batch->number, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[LOCK_REVISIONS], batch, 1, &lock, why);
	if (err == ERR_OK && db_row_count(lock) > 0 && !db_get_bool(lock, 0, 0)) {
		buf_add(why, VIEW_LIT(REVISIONS_BUSY));
		return ERR_REFUSED;
	}
	if (err == ERR_OK)
		err = db_run(db, &statements[YOUNGER], batch, 1, &younger, why);
	if (err != ERR_OK || db_is_null(younger, 0, 0))
		return err;
	long long id = (long long)db_get_int(younger, 0, 0);
	buf_addf(why, "batch %lld has read some of its reports anew since; take that back first: `listctl undo %lld`",
		 id, id);
	return ERR_REFUSED;
}

enum err prunes_check_undo(struct db *db, uint64_t batch_id, struct buf *why)
{
	const struct db_value batch = db_int((int64_t)batch_id);
	return refuse_unless_last(db, &batch, why);
}

enum err prunes_undo(struct db *db, uint64_t batch_id, struct view actor, size_t *ret_restored,
		     struct db_rows **ret_rows, struct buf *why)
{
	struct id_list people = { 0 };
	struct db_rows *changes = NULL;
	const struct db_value batch = db_int((int64_t)batch_id);
	enum err err = refuse_unless_last(db, &batch, why);
	if (err == ERR_OK)
		err = id_list_read(db, &statements[PEOPLE_CHANGED], batch, &people, why);
	/* Locked first: whoever unsubscribes or complains meanwhile comes before, and is seen, or after. */
	if (err == ERR_OK)
		err = verdicts_lock(db, people.ids, people.count, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[LOCK_MEMBERSHIPS], &batch, 1, NULL, why);
	if (err == ERR_OK)
		err = prunes_changes(db, batch_id, &changes, why);
	id_list_done(&people);
	if (err != ERR_OK)
		return err;
	struct restoration back = restoration_of(changes);
	err = restore(db, batch_id, &back, actor, why);
	if (err == ERR_OK) {
		*ret_restored = back.count;
		*ret_rows = changes;
	} else {
		db_rows_done(changes);
	}
	restoration_done(&back);
	return err;
}
