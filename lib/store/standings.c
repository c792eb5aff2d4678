#include "store/standings.h"

#include <assert.h>

#include "base/limits.h"
#include "store/audit.h"
#include "store/workers.h"

enum statement {
	AUDIENCE,
	ENDED,
	WAITING,
	PENDING,
	ENDED_PAGE,
	WAITING_PAGE,
	PENDING_PAGE,
	LEAVING,
	STRANDED,
	RELAYS,
	STATEMENT_COUNT
};

enum { PAGE = 5000, PAGE_CHUNKS = 8 };

static const struct db_statement statements[] = {
	[AUDIENCE] = { "standings_audience", "SELECT audience FROM campaign WHERE id = $1" },
	[ENDED] = { "standings_ended",
		    "SELECT outcome, reason, count(*), count(*) FILTER (WHERE attempts > 0 AND at > now() -"
		    " interval '60 s') FROM delivery WHERE campaign_id = $1 GROUP BY 1, 2"
		    /* A ledger that was dropped has left its sums. */
		    " UNION ALL SELECT v.outcome::delivery_outcome, CASE WHEN v.outcome <> 'accepted' THEN 'dropped' "
		    "END,"
		    " v.people, 0 FROM campaign_past p CROSS JOIN LATERAL (VALUES ('accepted', p.accepted),"
		    " ('refused', p.refused), ('expired', p.expired), ('skipped', p.skipped)) AS v(outcome, people)"
		    " WHERE p.campaign_id = $1 AND v.people > 0 ORDER BY 3 DESC, 1, 2" },
	[WAITING] = { "standings_waiting", "SELECT state, count(*) FROM deferral WHERE campaign_id = $1 GROUP BY 1" },
	/* Counted from the frozen ids, never by subtraction: a recipient that is nowhere would show in the sum. */
	[PENDING] = { "standings_pending",
		      "SELECT count(*) FROM campaign_chunk c CROSS JOIN LATERAL unnest(c.subscriber_ids) AS a(id)"
		      " WHERE c.campaign_id = $1 AND NOT c.done AND NOT EXISTS (SELECT FROM delivery d"
		      " WHERE d.campaign_id = $1 AND d.subscriber_id = a.id) AND NOT EXISTS (SELECT FROM deferral f"
		      " WHERE f.campaign_id = $1 AND f.subscriber_id = a.id)" },
	[ENDED_PAGE] = { "standings_ended_page",
			 "SELECT d.subscriber_id, d.subscriber_id, s.address, d.at, d.attempts, d.code, d.status,"
			 " d.reason, d.reply, NULL::timestamptz FROM (SELECT * FROM delivery WHERE campaign_id = $1"
			 " AND outcome = $2::text::delivery_outcome AND subscriber_id > $3 ORDER BY subscriber_id"
			 " LIMIT $4) AS d LEFT JOIN subscriber s ON s.id = d.subscriber_id ORDER BY 1" },
	[WAITING_PAGE] = { "standings_waiting_page",
			   "SELECT f.subscriber_id, f.subscriber_id, s.address, f.last_attempt_at, f.attempts, f.code,"
			   " f.status, f.waits_for, f.reply, f.next_attempt_at FROM deferral f"
			   " LEFT JOIN subscriber s ON s.id = f.subscriber_id WHERE f.campaign_id = $1"
			   " AND f.state = $2::text AND f.subscriber_id > $3 ORDER BY 1 LIMIT $4" },
	/* The cursor is the chunk number + 1. A chunk is told whole; one without pending recipients gives one row without an id,
	 * so that the cursor moves past it. */
	[PENDING_PAGE] = { "standings_pending_page",
			   "SELECT c.chunk_no::bigint + 1, p.id, s.address, NULL::timestamptz, 0::bigint, "
			   "NULL::smallint,"
			   " NULL::text, NULL::text, NULL::text, NULL::timestamptz FROM (SELECT * FROM campaign_chunk"
			   " WHERE campaign_id = $1 AND NOT done AND chunk_no >= $2 ORDER BY chunk_no LIMIT $3) AS c"
			   " LEFT JOIN LATERAL (SELECT a.id FROM unnest(c.subscriber_ids) AS a(id)"
			   " WHERE NOT EXISTS (SELECT FROM delivery d WHERE d.campaign_id = $1 AND d.subscriber_id = "
			   "a.id)"
			   " AND NOT EXISTS (SELECT FROM deferral f WHERE f.campaign_id = $1"
			   " AND f.subscriber_id = a.id)) AS p ON true"
			   " LEFT JOIN subscriber s ON s.id = p.id ORDER BY 1, 2" },
	/* $2: a worker that was not seen for so many seconds is dead, and has nothing under way. */
	[LEAVING] = { "standings_leaving",
		      "SELECT count(*), count(l.messages), coalesce(sum(l.messages), 0)::bigint FROM ("
		      " SELECT worker_id FROM chunk_window WHERE campaign_id = $1 AND worker_id IS NOT NULL UNION"
		      " SELECT opened_by FROM deferral WHERE campaign_id = $1 AND opened_by IS NOT NULL) AS h"
		      " JOIN worker w ON w.id = h.worker_id AND w.seen_at > now() - $2 * interval '1 second'"
		      " LEFT JOIN campaign_leaving l ON l.campaign_id = $1 AND l.worker_id = h.worker_id" },
	/* $2: a worker that was not seen for so many seconds. One that ended in order has given back what it had. */
	[STRANDED] = { "standings_stranded",
		       "SELECT w.id, w.host, w.seen_at, w.refused, o.count FROM worker w CROSS JOIN LATERAL (SELECT"
		       " (SELECT count(*) FROM chunk_window c JOIN campaign_chunk k ON k.campaign_id = c.campaign_id"
		       " AND k.chunk_no = c.chunk_no CROSS JOIN LATERAL unnest(k.subscriber_ids[c.first:c.last]) AS "
		       "a(id)"
		       " WHERE c.worker_id = w.id AND c.campaign_id = $1"
		       " AND NOT EXISTS (SELECT FROM delivery d WHERE d.campaign_id = $1 AND d.subscriber_id = a.id)"
		       " AND NOT EXISTS (SELECT FROM deferral f WHERE f.campaign_id = $1 AND f.subscriber_id = a.id))"
		       " + (SELECT count(*) FROM deferral f WHERE f.campaign_id = $1 AND f.opened_by = w.id) AS count) "
		       "AS o"
		       " WHERE (w.refused IS NOT NULL OR w.seen_at < now() - $2 * interval '1 second') AND o.count > 0"
		       " ORDER BY w.id" },
	[RELAYS] = { "standings_relays", "SELECT relay, reason, since, retry_at, is_everywhere FROM "
					 "relay_troubles($1::integer) ORDER BY relay" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

static const char *const place_names[] = {
	[PLACE_ACCEPTED] = "accepted", [PLACE_REFUSED] = "refused",   [PLACE_EXPIRED] = "expired",
	[PLACE_SKIPPED] = "skipped",   [PLACE_IN_DOUBT] = "in_doubt", [PLACE_DEFERRED] = "deferred",
	[PLACE_PENDING] = "pending",
};
static_assert(ARRAY_LEN(place_names) == PLACE_COUNT, "one name per place");

const char *standing_place_name(enum standing_place place)
{
	return place_names[place];
}

bool standing_place_from_name(struct view name, enum standing_place *ret_place)
{
	for (size_t i = 0; i < ARRAY_LEN(place_names); i++) {
		if (view_eq(name, view_of(place_names[i]))) {
			*ret_place = (enum standing_place)i;
			return true;
		}
	}
	return false;
}

int64_t standing_sum(const struct standing *standing)
{
	int64_t sum = 0;
	for (size_t i = 0; i < PLACE_COUNT; i++)
		sum += standing->count[i];
	return sum;
}

/* ---- counting ---- */

/* Adds rows of (place, ..., count) to the standing. */
static void add_counts(const struct db_rows *rows, size_t count_column, struct standing *standing)
{
	for (size_t i = 0; i < db_row_count(rows); i++) {
		enum standing_place place;
		if (standing_place_from_name(db_get_text(rows, i, 0), &place))
			standing->count[place] += db_get_int(rows, i, count_column);
	}
}

static enum err count_waiting(struct db *db, const struct db_value *id, struct standing *standing, struct buf *why)
{
	AUTO_DB_ROWS *waiting = NULL;
	AUTO_DB_ROWS *pending = NULL;
	enum err err = db_run(db, &statements[WAITING], id, 1, &waiting, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[PENDING], id, 1, &pending, why);
	if (err != ERR_OK)
		return err;
	add_counts(waiting, 1, standing);
	standing->count[PLACE_PENDING] = db_get_int(pending, 0, 0);
	return ERR_OK;
}

enum err standings_open(struct db *db, uint64_t campaign_id, struct standing *ret_standing, struct buf *why)
{
	const struct db_value id = db_int((int64_t)campaign_id);
	*ret_standing = (struct standing){ .audience = -1 };
	return count_waiting(db, &id, ret_standing, why);
}

enum err standings_count(struct db *db, uint64_t campaign_id, struct standing *ret_standing, struct db_rows **ret_rows,
			 struct buf *why)
{
	struct standing standing = { .audience = -1 };
	AUTO_DB_ROWS *audience = NULL;
	struct db_rows *ended = NULL;
	const struct db_value id[] = { db_int((int64_t)campaign_id) };
	enum err err = db_run(db, &statements[AUDIENCE], id, 1, &audience, why);
	if (err == ERR_OK)
		err = count_waiting(db, id, &standing, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[ENDED], id, 1, &ended, why);
	if (err != ERR_OK)
		return err;
	if (db_row_count(audience) == 1 && !db_is_null(audience, 0, 0))
		standing.audience = db_get_int(audience, 0, 0);
	add_counts(ended, 2, &standing);
	for (size_t i = 0; i < db_row_count(ended); i++)
		standing.last_minute += db_get_int(ended, i, 3);
	*ret_standing = standing;
	*ret_rows = ended;
	return ERR_OK;
}

void standing_reason_at(const struct db_rows *rows, size_t row, struct standing_reason *ret_reason)
{
	enum standing_place place;
	if (!standing_place_from_name(db_get_text(rows, row, 0), &place))
		place = PLACE_SKIPPED;
	*ret_reason = (struct standing_reason){ .place = place,
						.reason = db_get_text(rows, row, 1),
						.count = db_get_int(rows, row, 2) };
}

/* ---- naming ---- */

enum err standings_recipients(struct db *db, uint64_t campaign_id, enum standing_place place, int64_t *cursor,
			      struct db_rows **ret_rows, struct buf *why)
{
	struct db_rows *rows = NULL;
	enum err err;
	if (place == PLACE_PENDING) {
		const struct db_value values[] = { db_int((int64_t)campaign_id), db_int(*cursor), db_int(PAGE_CHUNKS) };
		err = db_run(db, &statements[PENDING_PAGE], values, ARRAY_LEN(values), &rows, why);
	} else {
		bool waits = place == PLACE_DEFERRED || place == PLACE_IN_DOUBT;
		const struct db_value values[] = { db_int((int64_t)campaign_id), db_text(view_of(place_names[place])),
						   db_int(*cursor), db_int(PAGE) };
		err = db_run(db, &statements[waits ? WAITING_PAGE : ENDED_PAGE], values, ARRAY_LEN(values), &rows, why);
	}
	if (err != ERR_OK)
		return err;
	size_t count = db_row_count(rows);
	if (count > 0)
		*cursor = db_get_int(rows, count - 1, 0);
	*ret_rows = rows;
	return ERR_OK;
}

void standing_recipient_at(const struct db_rows *rows, size_t row, struct standing_recipient *ret_recipient)
{
	*ret_recipient = (struct standing_recipient){
		.subscriber_id = (uint64_t)db_get_int(rows, row, 1),
		.address = db_get_text(rows, row, 2),
		.at_us = db_get_time(rows, row, 3),
		.attempts = db_get_int(rows, row, 4),
		.code = db_get_int(rows, row, 5),
		.status = db_get_text(rows, row, 6),
		.reason = db_get_text(rows, row, 7),
		.reply = db_get_text(rows, row, 8),
		.next_us = db_get_time(rows, row, 9),
	};
}

enum err standings_leaving(struct db *db, uint64_t campaign_id, struct leaving_standing *ret_leaving, struct buf *why)
{
	const struct db_value values[] = { db_int((int64_t)campaign_id), db_int(WORKERS_ALIVE_S) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[LEAVING], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_leaving = (struct leaving_standing){ .workers = db_get_int(rows, 0, 0),
							  .told = db_get_int(rows, 0, 1),
							  .messages = db_get_int(rows, 0, 2) };
	return err;
}

enum err standings_stranded(struct db *db, uint64_t campaign_id, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_int((int64_t)campaign_id), db_int(STRANDED_S) };
	return db_run(db, &statements[STRANDED], values, ARRAY_LEN(values), ret_rows, why);
}

void stranded_at(const struct db_rows *rows, size_t row, struct stranded *ret_stranded)
{
	*ret_stranded = (struct stranded){ .worker = db_get_text(rows, row, 0),
					   .host = db_get_text(rows, row, 1),
					   .seen_us = db_get_time(rows, row, 2),
					   .refused = db_get_text(rows, row, 3),
					   .recipients = db_get_int(rows, row, 4) };
}

enum err standings_relays(struct db *db, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_int(WORKERS_ALIVE_S) };
	return db_run(db, &statements[RELAYS], values, ARRAY_LEN(values), ret_rows, why);
}

void relay_trouble_at(const struct db_rows *rows, size_t row, struct relay_trouble *ret_trouble)
{
	*ret_trouble = (struct relay_trouble){ .relay = db_get_text(rows, row, 0),
					       .reason = db_get_text(rows, row, 1),
					       .since_us = db_get_time(rows, row, 2),
					       .retry_us = db_get_time(rows, row, 3),
					       .is_everywhere = db_get_bool(rows, row, 4) };
}
