#include "store/revisions.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "store/audit.h"
#include "store/batch_changes.h"
#include "store/departures.h"

enum statement { LOCK, COUNT, NEXT, OPEN, REVISE, RESTORE, STATEMENT_COUNT };

/* $1 since, $2 campaign, $3 list. */
#define IN_SCOPE                                                                                                       \
	"($1::timestamptz IS NULL OR e.received_at >= $1) AND ($2::bigint IS NULL OR e.campaign_id = $2)"              \
	" AND ($3::bigint IS NULL OR $3 = (SELECT coalesce(h.list_id, c.list_id) FROM campaign c"                      \
	" LEFT JOIN campaign_reached h ON h.campaign_id = c.id AND h.subscriber_id = e.subscriber_id"                  \
	" WHERE c.id = e.campaign_id))"

static const struct db_statement statements[] = {
	[COUNT] = { "revisions_count",
		    "SELECT count(*) FILTER (WHERE source <> 'reply' AND is_kept AND NOT is_unread),"
		    " count(*) FILTER (WHERE source <> 'reply' AND NOT is_kept),"
		    " count(*) FILTER (WHERE source <> 'reply' AND is_kept AND is_unread),"
		    " count(*) FILTER (WHERE source = 'reply') FROM (SELECT e.source,"
		    " coalesce(e.rule = 'unread', false) AS is_unread, r.event_id IS NOT NULL AS is_kept"
		    " FROM bounce_event e LEFT JOIN bounce_raw r ON r.campaign_id = e.campaign_id AND r.event_id = e.id"
		    " WHERE " IN_SCOPE ") AS x" },
	/* $4, $5: the cursor; $6: how many; $7: octets of a message. */
	[NEXT] = { "revisions_next",
		   "SELECT e.campaign_id, e.id, e.subscriber_id, e.kind::text, e.reason, e.status, e.diagnostic,"
		   " substr(r.message, 1, $7::int) FROM bounce_event e JOIN bounce_raw r"
		   " ON r.campaign_id = e.campaign_id AND r.event_id = e.id WHERE " IN_SCOPE
		   " AND (e.subscriber_id, e.id) > ($4, $5) AND e.source <> 'reply' AND e.rule IS DISTINCT FROM "
		   "'unread'"
		   " ORDER BY e.subscriber_id, e.id LIMIT $6" },
	[LOCK] = { .name = "revisions_lock", .sql = "SELECT pg_try_advisory_lock(" REVISIONS_LOCK ")" },
	[OPEN] = { "revisions_open",
		   "INSERT INTO prune_batch (actor, list_id, kind) VALUES ($1, $2, 'reclassify') RETURNING id" },
	/* A report whose ledger row has not come waits for it once it counts. Who holds an event may wait for a person that is locked here:
	 * so nobody is waited for. */
	[REVISE] = { "revisions_revise",
		     "WITH given AS (SELECT * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], "
		     "$6::text[],"
		     " $7::text[], $8::text[], $9::text[], $10::bigint[], $11::text[]) AS g(campaign_id, id, old_kind,"
		     " old_reason, old_status, kind, reason, status, code, rule)),"
		     " held AS MATERIALIZED (SELECT e.campaign_id, e.id, e.subscriber_id, e.kind, e.reason, e.status,"
		     " e.code, e.rule, bounce_fate(e.campaign_id, e.subscriber_id) AS fate FROM bounce_event e JOIN "
		     "given g"
		     " ON g.campaign_id = e.campaign_id AND g.id = e.id WHERE e.kind::text = g.old_kind"
		     " AND e.reason = g.old_reason AND e.status IS NOT DISTINCT FROM g.old_status"
		     " FOR UPDATE OF e SKIP LOCKED),"
		     " changed AS (UPDATE bounce_event e SET kind = g.kind::bounce_kind, reason = g.reason,"
		     " status = g.status, code = g.code, rule = g.rule,"
		     " orphan = e.orphan OR (e.judged_at IS NULL AND h.fate = 'orphan'),"
		     " judged_at = CASE WHEN h.fate = 'waits' AND g.kind IN ('bounce-hard', 'bounce-soft') THEN NULL"
		     " ELSE coalesce(e.judged_at, $12::timestamptz) END FROM held h JOIN given g USING (campaign_id, "
		     "id)"
		     " WHERE e.campaign_id = h.campaign_id AND e.id = h.id"
		     " RETURNING e.campaign_id, e.id, e.subscriber_id, e.kind, e.orphan),"
		     " kept AS (INSERT INTO bounce_revision SELECT $1::bigint, h.campaign_id, h.id, h.kind, h.reason,"
		     " h.status, h.code, h.rule, g.kind::bounce_kind, g.reason, g.status FROM held h JOIN given g"
		     " USING (campaign_id, id) WHERE $1::bigint IS NOT NULL)"
		     " SELECT campaign_id, subscriber_id, kind::text FROM changed WHERE NOT orphan"
		     " UNION ALL SELECT NULL, NULL, NULL FROM changed WHERE orphan" },
	/* $2: the people. $4: bounce reasons. $5, $6: the reports that are changed. $3, $8: memberships that the verdict was against before; $9, $10: that
	 * it is against now. */
	[RESTORE] = { "revisions_restore",
		      "WITH old AS MATERIALIZED (SELECT m.* FROM membership m"
		      " JOIN subscriber s ON s.id = m.subscriber_id WHERE m.subscriber_id = ANY($2::bigint[])"
		      " AND (m.subscriber_id, m.list_id) NOT IN (SELECT * FROM unnest($9::bigint[], $10::bigint[]))"
		      " AND m.state IN ('disabled', 'removed') AND m.reason = ANY($4::text[])"
		      " AND m.campaign_id IS NOT NULL AND ((m.subscriber_id, m.list_id) IN (SELECT * FROM"
		      " unnest($3::bigint[], $8::bigint[])) OR EXISTS (SELECT FROM unnest($5::bigint[],"
		      " $6::bigint[]) AS r(subscriber_id, campaign_id) WHERE r.subscriber_id = m.subscriber_id"
		      " AND r.campaign_id = m.campaign_id)) AND" BATCH_MAY_RETURN " FOR UPDATE OF m),"
		      " changed AS (UPDATE membership m SET state = 'active', reason = 'reclassify', since = $7,"
		      " campaign_id = NULL FROM old WHERE m.list_id = old.list_id"
		      " AND m.subscriber_id = old.subscriber_id RETURNING 1), kept AS (" BATCH_KEEP_CHANGE(
			  "active", "$7") ") SELECT count(*) FROM changed" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

static struct db_value time_or_null(int64_t us)
{
	return us == 0 ? db_null() : db_time(us);
}

/* ---- reading ---- */

enum err revisions_count(struct db *db, const struct revision_scope *scope, struct revision_counts *ret_counts,
			 struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	const struct db_value values[] = { time_or_null(scope->since_us), db_id_or_null(scope->campaign_id),
					   db_id_or_null(scope->list_id) };
	enum err err = db_run(db, &statements[COUNT], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_counts = (struct revision_counts){ db_get_int(rows, 0, 0), db_get_int(rows, 0, 1),
							db_get_int(rows, 0, 2), db_get_int(rows, 0, 3) };
	return err;
}

enum { COL_CAMPAIGN, COL_ID, COL_SUBSCRIBER, COL_KIND, COL_REASON, COL_STATUS, COL_DIAGNOSTIC, COL_MESSAGE };

/* A full portion may end in the middle of a person, who is left for the next one. */
static size_t whole_people(const struct db_rows *rows, size_t limit)
{
	size_t count = db_row_count(rows);
	if (count < limit)
		return count;
	int64_t last = db_get_int(rows, count - 1, COL_SUBSCRIBER);
	while (count > 0 && db_get_int(rows, count - 1, COL_SUBSCRIBER) == last)
		count--;
	return count > 0 ? count : db_row_count(rows);
}

enum err revisions_next(struct db *db, const struct revision_scope *scope, size_t limit, struct revision_cursor *cursor,
			struct db_rows **ret_rows, size_t *ret_count, struct buf *why)
{
	struct db_rows *rows = NULL;
	const struct db_value values[] = {
		time_or_null(scope->since_us), db_id_or_null(scope->campaign_id), db_id_or_null(scope->list_id),
		db_int(cursor->subscriber_id), db_int(cursor->event_id),          db_int((int64_t)limit),
		db_int((int64_t)LIMIT_INTAKE),
	};
	enum err err = db_run(db, &statements[NEXT], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	size_t count = whole_people(rows, limit);
	if (count > 0)
		*cursor = (struct revision_cursor){ db_get_int(rows, count - 1, COL_SUBSCRIBER),
						    db_get_int(rows, count - 1, COL_ID) };
	*ret_count = count;
	*ret_rows = rows;
	return ERR_OK;
}

void stored_report_at(const struct db_rows *rows, size_t row, struct stored_report *ret_report)
{
	*ret_report = (struct stored_report){
		.campaign_id = (uint64_t)db_get_int(rows, row, COL_CAMPAIGN),
		.event_id = (uint64_t)db_get_int(rows, row, COL_ID),
		.subscriber_id = (uint64_t)db_get_int(rows, row, COL_SUBSCRIBER),
		.kind = db_get_text(rows, row, COL_KIND),
		.reason = db_get_text(rows, row, COL_REASON),
		.status = db_get_text(rows, row, COL_STATUS),
		.diagnostic = db_get_text(rows, row, COL_DIAGNOSTIC),
		.message = db_get_text(rows, row, COL_MESSAGE),
	};
}

/* ---- people ---- */

/* Those whose report is another one now, and the verdicts over their memberships. */
struct people {
	int64_t *ids;
	size_t count;
	struct verdict_sentences before, after;
};

static void people_done(struct people *people)
{
	free(people->ids);
	verdict_sentences_done(&people->before);
	verdict_sentences_done(&people->after);
}

static bool people_new(const struct revision *revisions, size_t count, struct people *ret_people)
{
	struct people people = { .ids = calloc(count, sizeof(*people.ids)) };
	if (people.ids == NULL)
		return false;
	people.before = verdict_sentences();
	people.after = verdict_sentences();
	/* The revisions go by people. */
	for (size_t i = 0; i < count; i++) {
		int64_t id = (int64_t)revisions[i].was.subscriber_id;
		if (people.count == 0 || people.ids[people.count - 1] != id)
			people.ids[people.count++] = id;
	}
	*ret_people = people;
	return true;
}

static void note_verdict(void *user, const struct verdict_history *history)
{
	verdict_sentences_add(user, history, false);
}

static enum err read_verdicts(struct db *db, const struct people *people, struct verdict_sentences *sentences,
			      const struct verdict_terms *terms, struct buf *why)
{
	return verdicts_read(db, people->ids, people->count, terms, note_verdict, sentences, why);
}

/* ---- the reports ---- */

enum revise_column {
	IN_CAMPAIGN,
	IN_ID,
	IN_OLD_KIND,
	IN_OLD_REASON,
	IN_OLD_STATUS,
	IN_KIND,
	IN_REASON,
	IN_STATUS,
	IN_CODE,
	IN_RULE,
	IN_COUNT
};

static void add_or_null(struct db_array *array, struct view text)
{
	if (text.len == 0)
		db_array_add_null(array);
	else
		db_array_add_bytes(array, text);
}

static void add_revision(struct db_array columns[IN_COUNT], const struct revision *revision)
{
	const struct stored_report *was = &revision->was;
	const struct finding *now = &revision->now;
	AUTO_BUF status = buf_with_ceiling(LIMIT_WHY);
	if (status_write(now->status, &status) != ERR_OK)
		buf_reset(&status);
	db_array_add_int(&columns[IN_CAMPAIGN], (int64_t)was->campaign_id);
	db_array_add_int(&columns[IN_ID], (int64_t)was->event_id);
	db_array_add_bytes(&columns[IN_OLD_KIND], was->kind);
	db_array_add_bytes(&columns[IN_OLD_REASON], was->reason);
	add_or_null(&columns[IN_OLD_STATUS], was->status);
	db_array_add_bytes(&columns[IN_KIND], view_of(kind_name(now->kind)));
	db_array_add_bytes(&columns[IN_REASON], view_of(reason_name(now->reason)));
	add_or_null(&columns[IN_STATUS], buf_view(&status));
	if (now->code == 0)
		db_array_add_null(&columns[IN_CODE]);
	else
		db_array_add_int(&columns[IN_CODE], now->code);
	add_or_null(&columns[IN_RULE], view_of(now->rule));
}

static enum err revise(struct db *db, uint64_t batch, const struct revision *revisions, size_t count, int64_t now_us,
		       struct db_rows **ret_rows, struct buf *why)
{
	struct db_array columns[IN_COUNT];
	struct db_value values[IN_COUNT + 2] = { db_id_or_null(batch) };
	for (size_t i = 0; i < IN_COUNT; i++) {
		bool is_number = i == IN_CAMPAIGN || i == IN_ID || i == IN_CODE;
		columns[i] = db_array_of(is_number ? DB_INT : DB_TEXT);
		values[i + 1] = db_values(&columns[i]);
	}
	values[IN_COUNT + 1] = db_time(now_us);
	for (size_t i = 0; i < count; i++)
		add_revision(columns, &revisions[i]);
	enum err err = db_run(db, &statements[REVISE], values, ARRAY_LEN(values), ret_rows, why);
	for (size_t i = 0; i < IN_COUNT; i++)
		db_array_done(&columns[i]);
	return err;
}

/* ---- what follows ---- */

static enum err run_count(struct db *db, enum statement statement, const struct db_value *values, size_t count,
			  size_t *sum, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[statement], values, count, &rows, why);
	if (err == ERR_OK)
		*sum += (size_t)db_get_int(rows, 0, 0);
	return err;
}

/* revised: the rows of REVISE. */
static enum err restore(struct db *db, uint64_t batch, const struct people *people, const struct db_rows *revised,
			int64_t now_us, struct revision_tally *tally, struct buf *why)
{
	AUTO_DB_ARRAY ids = db_array_of(DB_INT);
	AUTO_DB_ARRAY reasons = batch_verdict_reasons();
	AUTO_DB_ARRAY revised_people = db_array_of(DB_INT);
	AUTO_DB_ARRAY revised_campaigns = db_array_of(DB_INT);
	for (size_t i = 0; i < people->count; i++)
		db_array_add_int(&ids, people->ids[i]);
	for (size_t i = 0; i < db_row_count(revised); i++) {
		if (db_is_null(revised, i, 0))
			continue;
		db_array_add_int(&revised_people, db_get_int(revised, i, 1));
		db_array_add_int(&revised_campaigns, db_get_int(revised, i, 0));
	}
	const struct db_value values[] = { db_id_or_null(batch),
					   db_values(&ids),
					   db_values(&people->before.subscribers),
					   db_values(&reasons),
					   db_values(&revised_people),
					   db_values(&revised_campaigns),
					   db_time(now_us),
					   db_values(&people->before.lists),
					   db_values(&people->after.subscribers),
					   db_values(&people->after.lists) };
	return run_count(db, RESTORE, values, ARRAY_LEN(values), &tally->restored, why);
}

static enum err complain(struct db *db, const struct db_rows *revised, struct revision_tally *tally, struct buf *why)
{
	size_t total = db_row_count(revised), count = 0, left = 0;
	struct departure *departures = calloc(total + 1, sizeof(*departures));
	if (departures == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < total; i++) {
		if (view_eq(db_get_text(revised, i, 2), view_of(kind_name(KIND_COMPLAINT))))
			departures[count++] = (struct departure){ .subscriber_id = (uint64_t)db_get_int(revised, i, 1),
								  .campaign_id = (uint64_t)db_get_int(revised, i, 0) };
	}
	enum err err =
	    count == 0 ? ERR_OK : departures_complain(db, departures, count, VIEW_LIT("complaint"), &left, why);
	tally->complaints += left;
	free(departures);
	return err;
}

static enum err apply(struct db *db, uint64_t batch, const struct revision *revisions, size_t count,
		      struct people *people, const struct verdict_terms *terms, struct revision_tally *tally,
		      struct buf *why)
{
	AUTO_DB_ROWS *revised = NULL;
	enum err err = verdicts_lock(db, people->ids, people->count, why);
	if (err == ERR_OK)
		err = read_verdicts(db, people, &people->before, terms, why);
	if (err == ERR_OK)
		err = revise(db, batch, revisions, count, terms->now_us, &revised, why);
	if (err != ERR_OK)
		return err;
	tally->revised += db_row_count(revised);
	tally->busy += count - db_row_count(revised);
	err = complain(db, revised, tally, why);
	if (err == ERR_OK)
		err = read_verdicts(db, people, &people->after, terms, why);
	if (err == ERR_OK)
		err = batch_disable(db, batch, &people->after, terms->now_us, &tally->disabled, why);
	return err == ERR_OK ? restore(db, batch, people, revised, terms->now_us, tally, why) : err;
}

enum err revisions_apply(struct db *db, uint64_t batch, const struct revision *revisions, size_t count,
			 const struct verdict_terms *terms, struct revision_tally *tally, struct buf *why)
{
	struct people people;
	struct revision_tally sums = *tally;
	if (count == 0)
		return ERR_OK;
	if (!people_new(revisions, count, &people))
		return ERR_MEMORY;
	enum err err = apply(db, batch, revisions, count, &people, terms, &sums, why);
	people_done(&people);
	if (err == ERR_OK)
		*tally = sums;
	return err;
}

/* ---- the batch ---- */

static enum err note(struct db *db, uint64_t batch, const char *action, struct view detail, struct view actor,
		     struct buf *why)
{
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&subject, "batch:%llu", (unsigned long long)batch);
	return audit_append(db, actor, action, buf_view(&subject), detail, why);
}

enum err revisions_lock(struct db *db, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[LOCK], NULL, 0, &rows, why);
	if (err != ERR_OK || db_get_bool(rows, 0, 0))
		return err;
	buf_add(why, VIEW_LIT(REVISIONS_BUSY));
	return ERR_REFUSED;
}

enum err revisions_open(struct db *db, uint64_t list_id, struct view actor, uint64_t *ret_batch, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	const struct db_value values[] = { db_text(actor), db_id_or_null(list_id) };
	enum err err = db_run(db, &statements[OPEN], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	uint64_t batch = (uint64_t)db_get_int(rows, 0, 0);
	err = note(db, batch, "reclassify.apply", (struct view){ 0 }, actor, why);
	if (err == ERR_OK)
		*ret_batch = batch;
	return err;
}

enum err revisions_close(struct db *db, uint64_t batch, const struct revision_tally *tally, struct view actor,
			 struct buf *why)
{
	AUTO_BUF detail = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&detail, "{\"reports\": %zu, \"disabled\": %zu, \"restored\": %zu, \"complaints\": %zu}",
		 tally->revised, tally->disabled, tally->restored, tally->complaints);
	return note(db, batch, "reclassify.done", buf_view(&detail), actor, why);
}
