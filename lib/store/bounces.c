#include "store/bounces.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/limits.h"
#include "mail/storm_text.h"
#include "store/departures.h"
#include "store/storm_sql.h"
#include "store/storm_watch.h"
#include "store/tallies.h"

static_assert((int)BOUNCE_HASH_SIZE == (int)DIGEST_SIZE, "one kind of hash");

static const char *const source_names[] = {
	[BOUNCE_FROM_REPLY] = "reply",
	[BOUNCE_FROM_REPORT] = "report",
	[BOUNCE_FROM_INGEST] = "ingest",
};
static_assert(ARRAY_LEN(source_names) == BOUNCE_SOURCE_COUNT, "one name per source");

enum statement { STORE, STORE_MESSAGES, SETTLE, PURGE, STATEMENT_COUNT };

/* Counts those that a storm would be made of, and tells how many had come before, of texts of which no storm is known. $16: storm.window. */
#define STORM_COUNTED                                                                                                  \
	", counted AS (INSERT INTO storm_count AS c (key, slot, source, events) SELECT storm_key,"                     \
	"  date_bin('10 minutes', received_at, 'epoch'), pg_backend_pid(), count(*) FROM stored"                       \
	"  WHERE storm_key IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2"                                                    \
	"  ON CONFLICT (key, slot, source) DO UPDATE SET events = c.events + excluded.events"                          \
	"), heat AS MATERIALIZED (SELECT key, came FROM (SELECT DISTINCT storm_key AS key FROM given"                  \
	"   WHERE storm_key IS NOT NULL) AS k CROSS JOIN LATERAL (SELECT coalesce(sum(events), 0)::bigint AS came"     \
	"   FROM storm_count c WHERE c.key = k.key AND c.slot > $15 - $16::bigint * interval '1 microsecond') AS c"    \
	"  WHERE NOT EXISTS (SELECT FROM storm s WHERE s.key = k.key AND s.until > $15))"

/* People are locked first, in the order of their ids; who is not there then was erased, perhaps in this moment, and nothing that may name
 * them is kept. Campaign 0 has no people. An orphan whose block of campaigns is gone is kept under campaign 0, its campaign in the
 * diagnostic. Rows go in by key, so that two who store the same reports wait for each other in one order. */
#define STORED                                                                                                         \
	"WITH people AS MATERIALIZED (SELECT id, address_key FROM subscriber WHERE id = ANY($2::bigint[])"             \
	"  ORDER BY id FOR NO KEY UPDATE"                                                                              \
	"), locked AS MATERIALIZED (SELECT count(*) FROM people"                                                       \
	"), given AS MATERIALIZED (SELECT nextval('bounce_event_id') AS id, g.*, gone,"                                \
	"  CASE WHEN gone THEN 'orphan' ELSE fate END AS fate,"                                                        \
	"  fate = 'sent' OR to_regclass('bounce_event_' || g.campaign_id / 1024) IS NOT NULL AS has_block,"            \
	"  CASE WHEN text IS NOT NULL AND NOT gone THEN hashtextextended(" STORM_GROUP(                                \
	    "p.address_key") ", text) END"                                                                             \
			     "  AS storm_key"                                                                          \
			     "  FROM locked CROSS JOIN unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::text[], "   \
			     "$5::timestamptz[],"                                                                      \
			     "   $6::text[], $7::text[], $8::text[], $9::bigint[], $10::text[], $11::text[], "         \
			     "$12::text[], $13::text[],"                                                               \
			     "   $14::bigint[]) AS g(campaign_id, subscriber_id, hash, source, received_at, kind, "    \
			     "reason, status, code,"                                                                   \
			     "   diagnostic, recipient, reporting_mta, rule, text)"                                    \
			     "  LEFT JOIN people p ON p.id = g.subscriber_id"                                          \
			     "  CROSS JOIN LATERAL (SELECT p.id IS NULL AND g.campaign_id <> 0 AS gone) AS e"          \
			     "  CROSS JOIN LATERAL (SELECT fate FROM bounce_fate_of(g.campaign_id, g.subscriber_id) "  \
			     "OFFSET 0) AS f"                                                                          \
			     "), stored AS (INSERT INTO bounce_event (campaign_id, id, subscriber_id, report_hash, "   \
			     "source, received_at,"                                                                    \
			     "   kind, reason, status, code, diagnostic, recipient, reporting_mta, rule, orphan, "     \
			     "judged_at,"                                                                              \
			     "   storm_key) SELECT CASE WHEN has_block THEN campaign_id ELSE 0 END, id, "              \
			     "subscriber_id, hash, source, received_at,"                                               \
			     "   kind::bounce_kind, reason, status, code,"                                             \
			     "   CASE WHEN has_block THEN '' ELSE 'campaign ' || campaign_id || ': ' END"              \
			     "    || CASE WHEN gone THEN '' ELSE diagnostic END,"                                      \
			     "   CASE WHEN NOT gone THEN recipient END, reporting_mta, rule, fate = 'orphan',"         \
			     "   CASE WHEN fate <> 'waits' OR kind NOT IN ('bounce-hard', 'bounce-soft') THEN "        \
			     "$15::timestamptz END,"                                                                   \
			     "   CASE WHEN fate <> 'orphan' THEN storm_key END"                                        \
			     "  FROM given ORDER BY campaign_id, subscriber_id, hash"                                  \
			     "  ON CONFLICT (campaign_id, subscriber_id, report_hash) DO NOTHING"                      \
			     "  RETURNING campaign_id, id, subscriber_id, report_hash, orphan, judged_at IS NULL AS "  \
			     "waits, storm_key,"                                                                       \
			     "   received_at)" STORM_COUNTED
/* Two with the same hash hold the same message, so either's serves. */
#define KEPT                                                                                                           \
	", kept AS (INSERT INTO bounce_raw (campaign_id, event_id, stored_at, message)"                                \
	"  SELECT s.campaign_id, s.id, $15, message FROM stored s JOIN given g ON g.id = s.id AND NOT g.gone"          \
	"  CROSS JOIN LATERAL (SELECT ($17::bytea[])[array_position($3, s.report_hash)] AS message OFFSET 0) AS m"     \
	"  WHERE message <> '')"
#define STORED_ROWS                                                                                                    \
	" SELECT campaign_id, id, subscriber_id, report_hash, orphan, waits, storm_key, came"                          \
	" FROM stored LEFT JOIN heat ON key = storm_key"

/* sender has no messages, and no right to store any: hence two. */
static const struct db_statement statements[] = {
	[STORE] = { .name = "bounces_store", .sql = STORED STORED_ROWS },
	[STORE_MESSAGES] = { .name = "bounces_store_messages", .sql = STORED KEPT STORED_ROWS },
	[SETTLE] = { .name = "bounces_settle",
		     .sql = "WITH waiting AS MATERIALIZED (SELECT campaign_id, id, subscriber_id, f.fate"
			    "  FROM bounce_event CROSS JOIN LATERAL bounce_fate_of(campaign_id, subscriber_id) AS f"
			    "  WHERE judged_at IS NULL AND (campaign_id, id) > ($1, $2)"
			    "  ORDER BY campaign_id, id LIMIT $3 FOR UPDATE OF bounce_event SKIP LOCKED"
			    "), settled AS (UPDATE bounce_event e SET judged_at = $4, orphan = w.fate = 'orphan'"
			    "  FROM waiting w WHERE e.campaign_id = w.campaign_id AND e.id = w.id"
			    "  AND w.fate <> 'waits')"
			    " SELECT campaign_id, id, subscriber_id, fate FROM waiting ORDER BY campaign_id, id" },
	[PURGE] = { .name = "bounces_purge",
		    .sql = "DELETE FROM bounce_raw WHERE (campaign_id, event_id) IN (SELECT campaign_id, event_id"
			   " FROM bounce_raw WHERE stored_at < $1 ORDER BY stored_at LIMIT $2)" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

/* Results of STORE and STORE_MESSAGES. */
enum { COL_CAMPAIGN, COL_ID, COL_SUBSCRIBER, COL_HASH, COL_ORPHAN, COL_WAITS, COL_STORM_KEY, COL_CAME };

/* The parameters of STORE, in their order; IN_NOW and IN_WINDOW are no arrays. STORE_MESSAGES has one more. */
enum column {
	IN_CAMPAIGN,
	IN_SUBSCRIBER,
	IN_HASH,
	IN_SOURCE,
	IN_RECEIVED,
	IN_KIND,
	IN_REASON,
	IN_STATUS,
	IN_CODE,
	IN_DIAGNOSTIC,
	IN_RECIPIENT,
	IN_MTA,
	IN_RULE,
	IN_TEXT, /* a number for reason and text, of what a storm could be made of */
	IN_NOW,
	IN_WINDOW,
	IN_MESSAGE,
	IN_COUNT
};

static const enum db_type column_types[] = {
	[IN_CAMPAIGN] = DB_INT,  [IN_SUBSCRIBER] = DB_INT,  [IN_HASH] = DB_BYTES,     [IN_SOURCE] = DB_TEXT,
	[IN_RECEIVED] = DB_TIME, [IN_KIND] = DB_TEXT,       [IN_REASON] = DB_TEXT,    [IN_STATUS] = DB_TEXT,
	[IN_CODE] = DB_INT,      [IN_DIAGNOSTIC] = DB_TEXT, [IN_RECIPIENT] = DB_TEXT, [IN_MTA] = DB_TEXT,
	[IN_RULE] = DB_TEXT,     [IN_TEXT] = DB_INT,        [IN_NOW] = DB_NULL,       [IN_WINDOW] = DB_NULL,
	[IN_MESSAGE] = DB_BYTES,
};
static_assert(ARRAY_LEN(column_types) == IN_COUNT, "one type per column");

enum err bounces_reply_hash(uint64_t campaign_id, uint64_t subscriber_id, unsigned attempt, struct view reply,
			    unsigned char ret_hash[BOUNCE_HASH_SIZE])
{
	AUTO_BUF ids = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&ids, "%llu %llu %u", (unsigned long long)campaign_id, (unsigned long long)subscriber_id, attempt);
	if (buf_err(&ids) != ERR_OK)
		return buf_err(&ids);
	const struct view parts[] = { buf_view(&ids), reply };
	return digest_of_parts(parts, ARRAY_LEN(parts), ret_hash) ? ERR_OK : ERR_MEMORY;
}

static void add_or_null(struct db_array *array, struct view text)
{
	if (text.len == 0)
		db_array_add_null(array);
	else
		db_array_add_bytes(array, text);
}

static void add_status(struct db_array *array, struct status status)
{
	AUTO_BUF text = buf_with_ceiling(LIMIT_WHY);
	if (status_write(status, &text) == ERR_OK)
		add_or_null(array, buf_view(&text));
	else
		db_array_add_null(array);
}

/* Of what a storm could be made of: hard, and the address's own fault as far as it goes. */
static void add_text(struct db_array *array, const struct bounce_event *event, const struct storm_terms *storms)
{
	const struct finding *finding = &event->finding;
	AUTO_BUF text = buf_with_ceiling(LIMIT_STORM_TEXT);
	int64_t hash;
	if (storms->share > 0 && finding->kind == KIND_HARD && !reason_is_about_us(finding->reason) &&
	    (event->source != BOUNCE_FROM_REPLY || reason_counts_from_relay(finding->reason)) &&
	    storm_text_write(event->diagnostic, event->recipient, &text) == ERR_OK &&
	    storm_text_hash(view_of(reason_name(finding->reason)), buf_view(&text), &hash))
		db_array_add_int(array, hash);
	else
		db_array_add_null(array);
}

static void add_event(struct db_array columns[IN_COUNT], const struct bounce_event *event,
		      const struct storm_terms *storms)
{
	const struct finding *finding = &event->finding;
	db_array_add_int(&columns[IN_CAMPAIGN], (int64_t)event->campaign_id);
	db_array_add_int(&columns[IN_SUBSCRIBER], (int64_t)event->subscriber_id);
	db_array_add_bytes(&columns[IN_HASH], view_from(event->report_hash, BOUNCE_HASH_SIZE));
	db_array_add_bytes(&columns[IN_SOURCE], view_of(source_names[event->source]));
	db_array_add_int(&columns[IN_RECEIVED], event->received_us);
	db_array_add_bytes(&columns[IN_KIND], view_of(kind_name(finding->kind)));
	db_array_add_bytes(&columns[IN_REASON], view_of(reason_name(finding->reason)));
	add_status(&columns[IN_STATUS], finding->status);
	if (finding->code == 0)
		db_array_add_null(&columns[IN_CODE]);
	else
		db_array_add_int(&columns[IN_CODE], finding->code);
	db_array_add_bytes(&columns[IN_DIAGNOSTIC], event->diagnostic);
	add_or_null(&columns[IN_RECIPIENT], event->recipient);
	add_or_null(&columns[IN_MTA], event->reporting_mta);
	add_or_null(&columns[IN_RULE], view_of(finding->rule));
	add_text(&columns[IN_TEXT], event, storms);
	db_array_add_bytes(&columns[IN_MESSAGE], event->message);
}

static bool kind_counts(enum bounce_kind kind)
{
	return kind == KIND_HARD || kind == KIND_SOFT;
}

/* The people whose attempts may turn out to have failed. */
static size_t list_suspects(const struct bounce_event *events, size_t count, int64_t *ids)
{
	size_t used = 0;
	for (size_t i = 0; i < count; i++)
		if (kind_counts(events[i].finding.kind))
			ids[used++] = (int64_t)events[i].subscriber_id;
	return used;
}

/* Stores them; in the same round trip the evidence is read for those who may have to be judged. */
static enum err run_store(struct db *db, const struct bounce_event *events, size_t count, const struct db_call *call,
			  struct db_rows **ret_evidence, struct buf *why)
{
	int64_t *suspects = calloc(count, sizeof(*suspects));
	if (suspects == NULL)
		return ERR_MEMORY;
	size_t suspect_count = list_suspects(events, count, suspects);
	enum err err = suspect_count > 0 ? verdicts_gather(db, call, suspects, suspect_count, ret_evidence, why)
					 : db_run(db, call->statement, call->values, call->count, call->ret_rows, why);
	free(suspects);
	return err;
}

static enum err store(struct db *db, const struct bounce_event *events, size_t count, const struct verdict_terms *terms,
		      struct db_rows **ret_rows, struct db_rows **ret_evidence, struct buf *why)
{
	struct db_array columns[IN_COUNT];
	struct db_value values[IN_COUNT];
	for (size_t i = 0; i < IN_COUNT; i++) {
		columns[i] = db_array_of(column_types[i]);
		values[i] = db_values(&columns[i]);
	}
	values[IN_NOW] = db_time(terms->now_us);
	values[IN_WINDOW] = db_int(terms->storms.window_us);
	bool has_messages = false;
	for (size_t i = 0; i < count; i++) {
		add_event(columns, &events[i], &terms->storms);
		has_messages = has_messages || events[i].message.len > 0;
	}
	const struct db_call call = { .statement = &statements[has_messages ? STORE_MESSAGES : STORE],
				      .values = values,
				      .count = has_messages ? IN_COUNT : IN_MESSAGE,
				      .ret_rows = ret_rows };
	enum err err = run_store(db, events, count, &call, ret_evidence, why);
	for (size_t i = 0; i < IN_COUNT; i++)
		db_array_done(&columns[i]);
	return err;
}

/* The given event that became this row. Two with the same person and hash hold the same message, so either serves. */
static const struct bounce_event *find_event(const struct bounce_event *events, size_t count,
					     const struct db_rows *rows, size_t row)
{
	uint64_t subscriber = (uint64_t)db_get_int(rows, row, COL_SUBSCRIBER);
	struct view hash = db_get_text(rows, row, COL_HASH);
	for (size_t i = 0; i < count; i++) {
		if (events[i].subscriber_id == subscriber &&
		    view_eq(view_from(events[i].report_hash, BOUNCE_HASH_SIZE), hash))
			return &events[i];
	}
	return NULL;
}

/* What a report counts as for the breakers; false: for nothing. A refusal that sender heard is counted where it is settled. */
static bool tally_kind_of(const struct bounce_event *event, enum tally_kind *ret_kind)
{
	if (event == NULL || event->source == BOUNCE_FROM_REPLY || event->campaign_id == 0)
		return false;
	bool about_us = reason_is_about_us(event->finding.reason);
	switch (event->finding.kind) {
	case KIND_HARD:
		*ret_kind = about_us ? TALLY_POLICY : TALLY_HARD;
		return true;
	case KIND_SOFT:
		*ret_kind = about_us ? TALLY_POLICY : TALLY_SOFT;
		return true;
	case KIND_COMPLAINT:
		*ret_kind = TALLY_COMPLAINT;
		return true;
	case KIND_UNKNOWN:
	case KIND_DELAY:
	case KIND_AUTO_REPLY:
	case KIND_NOT_BOUNCE:
	case KIND_COUNT:
		break;
	}
	return false;
}

static enum err tally_reports(struct db *db, const struct bounce_event *events, size_t count,
			      const struct db_rows *rows, struct buf *why)
{
	struct tally_report *reports = calloc(db_row_count(rows), sizeof(*reports));
	if (reports == NULL)
		return ERR_MEMORY;
	size_t used = 0;
	for (size_t row = 0; row < db_row_count(rows); row++) {
		if (db_get_bool(rows, row, COL_ORPHAN) ||
		    !tally_kind_of(find_event(events, count, rows, row), &reports[used].kind))
			continue;
		reports[used].campaign_id = db_get_int(rows, row, COL_CAMPAIGN);
		reports[used++].subscriber_id = db_get_int(rows, row, COL_SUBSCRIBER);
	}
	enum err err = used == 0 ? ERR_OK : tallies_add_reports(db, reports, used, why);
	free(reports);
	return err;
}

/* What the new events ask for: people to judge and people who complained. */
struct consequences {
	int64_t *judged;
	struct departure *complaints;
	size_t judged_count, complaint_count;
};

static bool consequences_new(size_t room, struct consequences *ret_consequences)
{
	*ret_consequences = (struct consequences){ .judged = calloc(room + 1, sizeof(int64_t)),
						   .complaints = calloc(room + 1, sizeof(struct departure)) };
	return ret_consequences->judged != NULL && ret_consequences->complaints != NULL;
}

static void consequences_done(struct consequences *consequences)
{
	free(consequences->judged);
	free(consequences->complaints);
}

static void sort_rows(const struct bounce_event *events, size_t count, const struct db_rows *rows,
		      struct consequences *consequences, struct bounces_tally *tally)
{
	for (size_t row = 0; row < db_row_count(rows); row++) {
		const struct bounce_event *event = find_event(events, count, rows, row);
		tally->stored++;
		if (db_get_bool(rows, row, COL_ORPHAN))
			tally->orphans++;
		else if (db_get_bool(rows, row, COL_WAITS))
			tally->waiting++;
		else if (event == NULL)
			continue;
		else if (kind_counts(event->finding.kind))
			consequences->judged[consequences->judged_count++] = (int64_t)event->subscriber_id;
		else if (event->finding.kind == KIND_COMPLAINT)
			consequences->complaints[consequences->complaint_count++] =
			    (struct departure){ .subscriber_id = event->subscriber_id,
						.campaign_id = (uint64_t)db_get_int(rows, row, COL_CAMPAIGN) };
	}
	tally->complaints = consequences->complaint_count;
}

static enum err notice_storms(struct db *db, const struct db_rows *rows, const struct verdict_terms *terms,
			      bool *ret_opened, struct buf *why)
{
	size_t count = 0;
	struct storm_sighting *sightings = calloc(db_row_count(rows) + 1, sizeof(*sightings));
	if (sightings == NULL)
		return ERR_MEMORY;
	for (size_t row = 0; row < db_row_count(rows); row++)
		if (!db_is_null(rows, row, COL_CAME))
			sightings[count++] = (struct storm_sighting){ .key = db_get_int(rows, row, COL_STORM_KEY),
								      .before = db_get_int(rows, row, COL_CAME),
								      .added = 1 };
	enum err err = storm_watch_notice(db, sightings, count, terms, ret_opened, why);
	free(sightings);
	return err;
}

static enum err follow(struct db *db, const struct consequences *consequences, const struct db_rows *rows,
		       const struct db_rows *evidence, const struct verdict_terms *terms, struct bounces_tally *tally,
		       struct buf *why)
{
	enum err err = ERR_OK;
	size_t left = 0;
	bool opened = false;
	if (consequences->complaint_count > 0)
		err = departures_complain(db, consequences->complaints, consequences->complaint_count,
					  VIEW_LIT("complaint"), &left, why);
	if (err == ERR_OK)
		err = notice_storms(db, rows, terms, &opened, why);
	if (err != ERR_OK || consequences->judged_count == 0)
		return err;
	/* What was read before the storm opened says nothing of it. */
	if (opened)
		return verdicts_judge(db, consequences->judged, consequences->judged_count, terms, &tally->disabled,
				      why);
	return verdicts_pass(db, evidence, consequences->judged, consequences->judged_count, terms, &tally->disabled,
			     why);
}

enum err bounces_append(struct db *db, const struct bounce_event *events, size_t count,
			const struct verdict_terms *terms, struct bounces_tally *ret_tally, struct buf *why)
{
	struct bounces_tally tally = { 0 };
	struct consequences consequences = { 0 };
	AUTO_DB_ROWS *rows = NULL, *evidence = NULL;
	enum err err = count == 0 ? ERR_OK : store(db, events, count, terms, &rows, &evidence, why);
	if (err == ERR_OK && rows != NULL && db_row_count(rows) > 0) {
		err = tally_reports(db, events, count, rows, why);
		if (err == ERR_OK && !consequences_new(db_row_count(rows), &consequences))
			err = ERR_MEMORY;
		if (err == ERR_OK) {
			sort_rows(events, count, rows, &consequences, &tally);
			err = follow(db, &consequences, rows, evidence, terms, &tally, why);
		}
		consequences_done(&consequences);
	}
	if (err == ERR_OK)
		*ret_tally = tally;
	return err;
}

/* People whose ledger row has come; moves the cursor behind what was looked at. */
static void sort_settled(const struct db_rows *rows, struct consequences *consequences, struct bounces_cursor *cursor,
			 struct bounces_tally *tally)
{
	for (size_t row = 0; row < db_row_count(rows); row++) {
		struct view fate = db_get_text(rows, row, 3);
		if (view_eq(fate, VIEW_LIT("waits")))
			tally->waiting++;
		else if (view_eq(fate, VIEW_LIT("orphan")))
			tally->orphans++;
		else
			consequences->judged[consequences->judged_count++] = db_get_int(rows, row, 2);
		cursor->campaign_id = db_get_int(rows, row, 0);
		cursor->event_id = db_get_int(rows, row, 1);
	}
}

static enum err settle(struct db *db, size_t limit, const struct verdict_terms *terms, struct bounces_cursor *cursor,
		       struct bounces_tally *tally, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	struct consequences consequences;
	const struct db_value values[] = { db_int(cursor->campaign_id), db_int(cursor->event_id),
					   db_int((int64_t)limit), db_time(terms->now_us) };
	enum err err = db_run(db, &statements[SETTLE], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	if (!consequences_new(db_row_count(rows), &consequences))
		err = ERR_MEMORY;
	if (err == ERR_OK) {
		*cursor = (struct bounces_cursor){ 0 };
		sort_settled(rows, &consequences, cursor, tally);
		err = verdicts_judge(db, consequences.judged, consequences.judged_count, terms, &tally->disabled, why);
	}
	consequences_done(&consequences);
	if (err == ERR_OK && db_row_count(rows) < limit)
		*cursor = (struct bounces_cursor){ 0 };
	return err;
}

enum err bounces_settle(struct db *db, size_t limit, const struct verdict_terms *terms, struct bounces_cursor *cursor,
			struct bounces_tally *ret_tally, struct buf *why)
{
	struct bounces_tally tally = { 0 };
	struct bounces_cursor moved = *cursor;
	enum err err = db_begin(db, why);
	if (err != ERR_OK)
		return err;
	err = settle(db, limit, terms, &moved, &tally, why);
	if (err == ERR_OK)
		err = db_commit(db, why);
	if (err != ERR_OK) {
		db_rollback(db);
		return err;
	}
	*cursor = moved;
	*ret_tally = tally;
	return ERR_OK;
}

enum err bounces_purge_messages(struct db *db, int64_t before_us, size_t limit, size_t *ret_removed, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	const struct db_value values[] = { db_time(before_us), db_int((int64_t)limit) };
	enum err err = db_run(db, &statements[PURGE], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_removed = db_changed(rows);
	return err;
}
