#include "store/openings.h"

#include <assert.h>
#include <stdlib.h>

#include "store/window_people.h"

enum statement { CONTINUE, CLAIM, TAKE_WINDOW, TAKE_DUE, TAKE_PARKED, RECHECK, STATEMENT_COUNT };

/* Columns of SELECT_OPENED below, each row of which says all about one recipient. */
enum column {
	CAMPAIGN_ID,
	LIST_ID,
	SUBSCRIBER_ID,
	CHUNK_NO,
	WINDOW_FIRST,
	ADDRESS,
	NAME,
	ATTRIBUTES,
	SKIP_REASON,
	ATTEMPTS,
	FIRST_ATTEMPT_AT,
	REFUSED_AT,
	DEFERRED_BY,
	DEFERRED_AT,
	IS_DOUBTFUL,
	DOUBTED,
	HAS_DOUBT,
	KEY_ID,
	DAY,
	DATE_AT,
	VARIANT
};

/* Columns of the one row of OPEN_CHUNK: what all recipients of a new window have in common, and who they are. */
enum window_column {
	OF_CAMPAIGN,
	OF_LIST,
	OF_CHUNK,
	FIRST,
	IDS,
	BY_KEY,
	ON_DAY,
	WITH_DATE,
	IN_VARIANT,
	EXHAUSTED,
	SUPPRESSED_UP_TO,
	YOUNGER_SUPPRESSIONS,
	ADDRESSES_AT
};

/* Whether s, member m of the list that campaign g reaches them through (schema/037), may be sent to: null, or why not. Suppression is asked as is_suppressed() does, but in
 * line: a call a row would cost more than all the rest of the query. */
#define SKIP_REASON_SQL                                                                                                \
	" CASE WHEN s.id IS NULL THEN 'erased' WHEN m.state IS NULL THEN 'removed'"                                    \
	" WHEN m.state <> 'active' THEN m.state::text"                                                                 \
	" WHEN EXISTS (SELECT FROM suppression_in_force x"                                                             \
	" WHERE x.value = ANY (suppression_values(s.address_key, s.canonical))"                                        \
	" AND (x.list_id IS NULL OR x.list_id = coalesce(h.list_id, g.list_id))) THEN 'suppressed'"                    \
	" WHEN (m.list_id, m.subscriber_id) IN (SELECT p.list_id, p.subscriber_id FROM probe_hold p) THEN 'probed' "   \
	"END"

#define PERSON_JOINS(of)                                                                                               \
	" JOIN campaign g ON g.id = " of ".campaign_id"                                                                \
	" LEFT JOIN campaign_reached h ON h.campaign_id = " of ".campaign_id AND h.subscriber_id = " of                \
	".subscriber_id"                                                                                               \
	" LEFT JOIN subscriber s ON s.id = " of ".subscriber_id"                                                       \
	" LEFT JOIN membership m ON m.list_id = coalesce(h.list_id, g.list_id) AND m.subscriber_id = " of              \
	".subscriber_id"

/* From o, one row a recipient, all that is needed to send to it. */
#define SELECT_OPENED                                                                                                  \
	" SELECT o.campaign_id, coalesce(h.list_id, g.list_id), o.subscriber_id, o.chunk_no, o.first, s.address, "     \
	"s.name, "                                                                                                     \
	"s.attributes," SKIP_REASON_SQL                                                                                \
	", o.attempts, o.first_attempt_at, o.refused_at, o.deferred_by, o.deferred_at, o.is_doubtful, o.doubted, "     \
	"o.has_doubt, o.key_id, o.day, o.date_at, o.variant"                                                           \
	" FROM o" PERSON_JOINS("o") " ORDER BY o.n"

/* Campaign r may be sent now. */
#define IS_SENDING " r.state = 'running' AND is_in_window(r.windows, r.zone, now())"

/* Opens up to $2 more of the chunk that `choice` picks: one row. $1 worker, $3 lease in microseconds, $4 key, $5 day, $6 date, $7
 * variant. Chunks are looked at one by one in their order, until one is free. */
#define OPEN_CHUNK(choice)                                                                                             \
	"WITH pick AS MATERIALIZED ("                                                                                  \
	" SELECT q.campaign_id, q.chunk_no, q.opened AS was, coalesce(q.list_id, r.list_id) AS list_id,"               \
	" CASE WHEN r.addresses_at = (SELECT version FROM address_version) THEN r.suppressed_up_to ELSE 0 END AS mark" \
	" FROM campaign r CROSS JOIN LATERAL ("                                                                        \
	" SELECT k.campaign_id, k.chunk_no, k.opened, k.list_id FROM campaign_chunk k"                                 \
	" WHERE k.campaign_id = r.id AND k.opened < k.size AND " choice                                                \
	" AND (k.not_before IS NULL OR k.not_before <= now())"                                                         \
	" ORDER BY k.chunk_no LIMIT 1 FOR UPDATE OF k SKIP LOCKED) q"                                                  \
	" WHERE" IS_SENDING " ORDER BY r.id LIMIT 1),"                                                                 \
	" c AS ("                                                                                                      \
	" UPDATE campaign_chunk k SET opened = least(p.was + $2, k.size)::integer,"                                    \
	" lease_owner = $1::uuid, lease_until = now() + $3 * interval '1 microsecond',"                                \
	" key_id = coalesce(k.key_id, $4::smallint), day = coalesce(k.day, $5::integer),"                              \
	" date_at = coalesce(k.date_at, $6::timestamptz),"                                                             \
	" variant = CASE WHEN k.key_id IS NULL THEN $7::smallint ELSE k.variant END"                                   \
	" FROM pick p WHERE k.campaign_id = p.campaign_id AND k.chunk_no = p.chunk_no"                                 \
	" RETURNING k.campaign_id, p.list_id, p.mark, k.chunk_no, p.was + 1 AS first, k.opened,"                       \
	" k.subscriber_ids[p.was + 1:k.opened] AS ids,"                                                                \
	" k.key_id, k.day, k.date_at, k.variant, k.opened = k.size AS exhausted),"                                     \
	" w AS ("                                                                                                      \
	" INSERT INTO chunk_window (campaign_id, chunk_no, first, last, worker_id)"                                    \
	" SELECT campaign_id, chunk_no, first, opened, $1::uuid FROM c)"                                               \
	" SELECT campaign_id, list_id, chunk_no, first, ids, key_id, day, date_at, variant, exhausted, mark,"          \
	" coalesce((SELECT max(id) FROM suppression) - mark, 0),"                                                      \
	" (SELECT version FROM address_version) FROM c"

#define TAKE_RETRIES(which)                                                                                            \
	"WITH pick AS MATERIALIZED ("                                                                                  \
	" SELECT q.campaign_id, q.subscriber_id FROM campaign r CROSS JOIN LATERAL ("                                  \
	" SELECT f.campaign_id, f.subscriber_id FROM deferral f"                                                       \
	" WHERE f.campaign_id = r.id AND f.opened_by IS NULL AND " which                                               \
	" ORDER BY f.next_attempt_at LIMIT $2 FOR UPDATE OF f SKIP LOCKED) q"                                          \
	" WHERE" IS_SENDING " LIMIT $2),"                                                                              \
	" o AS ("                                                                                                      \
	" UPDATE deferral f SET opened_by = $1::uuid, waits_for = NULL FROM pick p"                                    \
	" WHERE f.campaign_id = p.campaign_id AND f.subscriber_id = p.subscriber_id"                                   \
	" RETURNING f.campaign_id, 0 AS chunk_no, 0 AS first, f.subscriber_id, f.next_attempt_at AS n,"                \
	" f.attempts, f.first_attempt_at,"                                                                             \
	" CASE WHEN f.state = 'deferred' AND f.code >= 500 THEN f.last_attempt_at END AS refused_at,"                  \
	" f.relay AS deferred_by, CASE WHEN f.relay IS NOT NULL THEN f.last_attempt_at END AS deferred_at,"            \
	" f.state = 'in_doubt' AS is_doubtful, CASE WHEN f.state = 'in_doubt' THEN (SELECT d.connection FROM doubt d"  \
	" WHERE d.campaign_id = f.campaign_id AND d.subscriber_id = f.subscriber_id AND d.attempt = f.attempts) END"   \
	" AS doubted, EXISTS (SELECT FROM doubt d WHERE d.campaign_id = f.campaign_id"                                 \
	" AND d.subscriber_id = f.subscriber_id) AS has_doubt,"                                                        \
	" f.key_id, f.day, f.date_at, f.variant)" SELECT_OPENED

static const struct db_statement statements[] = {
	/* $8 campaign, $9 chunk. */
	[CONTINUE] = { .name = "openings_continue",
		       .sql = OPEN_CHUNK("k.campaign_id = $8 AND k.chunk_no = $9 AND k.lease_owner = $1::uuid") },
	[CLAIM] = { .name = "openings_claim",
		    .sql =
			OPEN_CHUNK("(k.lease_until IS NULL OR k.lease_until <= now() OR k.lease_owner = $1::uuid)") },
	/* $1 worker. A window of which nobody is left gives one row without a subscriber, so that it can be closed. */
	[TAKE_WINDOW] = { .name = "openings_take_window",
			  .sql =
			      "WITH pick AS MATERIALIZED ("
			      " SELECT w.campaign_id, w.chunk_no, w.first FROM chunk_window w JOIN campaign r ON r.id "
			      "= w.campaign_id"
			      " WHERE w.worker_id IS NULL AND" IS_SENDING
			      " ORDER BY w.campaign_id, w.chunk_no, w.first LIMIT 1 FOR UPDATE OF w SKIP LOCKED),"
			      " t AS ("
			      " UPDATE chunk_window w SET worker_id = $1::uuid, opened_at = now() FROM pick p"
			      " WHERE w.campaign_id = p.campaign_id AND w.chunk_no = p.chunk_no AND w.first = p.first"
			      " RETURNING w.campaign_id, w.chunk_no, w.first, w.last),"
			      " o AS ("
			      " SELECT t.campaign_id, t.chunk_no, t.first, a.id AS subscriber_id, a.n, 0 AS attempts,"
			      " NULL::timestamptz AS first_attempt_at, NULL::timestamptz AS refused_at, NULL::text AS "
			      "deferred_by, NULL::timestamptz AS deferred_at, false AS is_doubtful,"
			      " NULL::text AS doubted, false AS has_doubt, k.key_id, "
			      "k.day, k.date_at, k.variant"
			      " FROM t JOIN campaign_chunk k ON k.campaign_id = t.campaign_id AND k.chunk_no = "
			      "t.chunk_no"
			      " LEFT JOIN LATERAL (SELECT u.id, u.n"
			      " FROM unnest(k.subscriber_ids[t.first:t.last]) WITH ORDINALITY AS u(id, n)"
			      " WHERE NOT EXISTS (SELECT FROM delivery d"
			      " WHERE d.campaign_id = t.campaign_id AND d.subscriber_id = u.id)"
			      " AND NOT EXISTS (SELECT FROM deferral f"
			      " WHERE f.campaign_id = t.campaign_id AND f.subscriber_id = u.id)) a ON "
			      "true)" SELECT_OPENED },
	/* $1 worker, $2 rows. */
	[TAKE_DUE] = { .name = "openings_take_due", .sql = TAKE_RETRIES("f.next_attempt_at <= now()") },
	/* $3 what they are parked for. */
	[TAKE_PARKED] = { .name = "openings_take_parked",
			  .sql = TAKE_RETRIES("f.waits_for = $3 AND f.next_attempt_at IS NOT NULL") },
	/* $1 campaigns, $2 subscribers. */
	[RECHECK] = { .name = "openings_recheck",
		      .sql = "SELECT * FROM (SELECT o.campaign_id, o.subscriber_id," SKIP_REASON_SQL " AS reason"
			     " FROM unnest($1::bigint[], $2::bigint[]) AS o(campaign_id, subscriber_id)" PERSON_JOINS(
				 "o") ") AS asked WHERE reason IS NOT NULL" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

struct openings {
	struct db_rows *rows;   /* SELECT_OPENED, or the people of window (store/window_people) */
	struct db_rows *window; /* OPEN_CHUNK; NULL: each row of rows says all */
	struct opened common;   /* of window */
	struct db_ints ids;     /* of window */
};

void openings_done(struct openings *openings)
{
	if (openings == NULL)
		return;
	db_rows_done(openings->rows);
	db_rows_done(openings->window);
	free(openings);
}

static struct opened window_get(const struct db_rows *window)
{
	return (struct opened){
		.campaign_id = db_get_int(window, 0, OF_CAMPAIGN),
		.list_id = db_get_int(window, 0, OF_LIST),
		.chunk_no = (int)db_get_int(window, 0, OF_CHUNK),
		.window_first = (int)db_get_int(window, 0, FIRST),
		.terms = { .key_id = (unsigned)db_get_int(window, 0, BY_KEY),
			   .day = (unsigned)db_get_int(window, 0, ON_DAY),
			   .date_us = db_get_time(window, 0, WITH_DATE),
			   .variant = (unsigned)db_get_int(window, 0, IN_VARIANT) },
		.chunk_exhausted = db_get_bool(window, 0, EXHAUSTED),
	};
}

static enum err open_chunk(struct db *db, enum statement statement, const struct opening *opening,
			   const struct held_chunk *held, struct openings *openings, struct buf *why)
{
	const struct db_value values[] = {
		db_text(view_of(opening->worker_id)),
		db_int((int64_t)opening->limit),
		db_int(opening->lease_us),
		db_int(opening->terms.key_id),
		db_int(opening->terms.day),
		db_time(opening->terms.date_us),
		db_int(opening->terms.variant),
		db_int(held == NULL ? 0 : held->campaign_id),
		db_int(held == NULL ? 0 : held->chunk_no),
	};
	enum err err = db_run(db, &statements[statement], values, held == NULL ? 7 : 9, &openings->window, why);
	if (err != ERR_OK || db_row_count(openings->window) == 0)
		return err;
	openings->common = window_get(openings->window);
	openings->ids = db_get_ints(openings->window, 0, IDS);
	const struct window_asked asked = {
		.list_id = openings->common.list_id,
		.ids = &openings->ids,
		.suppressed_up_to = db_get_int(openings->window, 0, SUPPRESSED_UP_TO),
		.younger = db_get_int(openings->window, 0, YOUNGER_SUPPRESSIONS),
		.addresses_at = db_get_int(openings->window, 0, ADDRESSES_AT),
	};
	return window_people_read(db, &asked, &openings->rows, why);
}

static struct openings *openings_new(void)
{
	return calloc(1, sizeof(struct openings));
}

/* Takes openings over: the caller's when err says so. */
static enum err hand_out(struct openings *openings, enum err err, struct openings **ret_openings)
{
	if (err == ERR_OK)
		*ret_openings = openings;
	else
		openings_done(openings);
	return err;
}

enum err openings_continue(struct db *db, const struct opening *opening, const struct held_chunk *held,
			   struct openings **ret_openings, struct buf *why)
{
	struct openings *openings = openings_new();
	if (openings == NULL)
		return ERR_MEMORY;
	return hand_out(openings, open_chunk(db, CONTINUE, opening, held, openings, why), ret_openings);
}

enum err openings_claim(struct db *db, const struct opening *opening, struct openings **ret_openings, struct buf *why)
{
	struct openings *openings = openings_new();
	if (openings == NULL)
		return ERR_MEMORY;
	return hand_out(openings, open_chunk(db, CLAIM, opening, NULL, openings, why), ret_openings);
}

static enum err take(struct db *db, enum statement statement, const struct db_value *values, size_t count,
		     struct openings **ret_openings, struct buf *why)
{
	struct openings *openings = openings_new();
	if (openings == NULL)
		return ERR_MEMORY;
	enum err err = db_run(db, &statements[statement], values, count, &openings->rows, why);
	return hand_out(openings, err, ret_openings);
}

enum err openings_take_window(struct db *db, const struct opening *opening, struct openings **ret_openings,
			      struct buf *why)
{
	const struct db_value values[] = { db_text(view_of(opening->worker_id)) };
	return take(db, TAKE_WINDOW, values, ARRAY_LEN(values), ret_openings, why);
}

enum err openings_take_due(struct db *db, const struct opening *opening, struct openings **ret_openings,
			   struct buf *why)
{
	const struct db_value values[] = { db_text(view_of(opening->worker_id)), db_int((int64_t)opening->limit) };
	return take(db, TAKE_DUE, values, ARRAY_LEN(values), ret_openings, why);
}

enum err openings_take_parked(struct db *db, const struct opening *opening, struct view waits_for,
			      struct openings **ret_openings, struct buf *why)
{
	const struct db_value values[] = { db_text(view_of(opening->worker_id)), db_int((int64_t)opening->limit),
					   db_text(waits_for) };
	return take(db, TAKE_PARKED, values, ARRAY_LEN(values), ret_openings, why);
}

size_t openings_count(const struct openings *openings)
{
	if (openings->window != NULL)
		return openings->ids.count;
	return db_row_count(openings->rows);
}

static struct opened person_get(const struct openings *openings, size_t at)
{
	struct opened opened = openings->common;
	opened.subscriber_id = db_int_at(&openings->ids, at);
	const struct window_person person = window_people_get(openings->rows, opened.subscriber_id, at);
	opened.address = person.address;
	opened.name = person.name;
	opened.attributes = person.attributes;
	opened.skip_reason = person.skip_reason;
	return opened;
}

struct opened openings_get(const struct openings *openings, size_t at)
{
	if (openings->window != NULL)
		return person_get(openings, at);
	const struct db_rows *rows = openings->rows;
	return (struct opened){
		.campaign_id = db_get_int(rows, at, CAMPAIGN_ID),
		.list_id = db_get_int(rows, at, LIST_ID),
		.subscriber_id = db_get_int(rows, at, SUBSCRIBER_ID),
		.chunk_no = (int)db_get_int(rows, at, CHUNK_NO),
		.window_first = (int)db_get_int(rows, at, WINDOW_FIRST),
		.address = db_get_text(rows, at, ADDRESS),
		.name = db_get_text(rows, at, NAME),
		.attributes = db_get_text(rows, at, ATTRIBUTES),
		.skip_reason = db_get_text(rows, at, SKIP_REASON),
		.attempts = (unsigned)db_get_int(rows, at, ATTEMPTS),
		.first_attempt_us = db_get_time(rows, at, FIRST_ATTEMPT_AT),
		.refused_us = db_get_time(rows, at, REFUSED_AT),
		.deferred_by = db_get_text(rows, at, DEFERRED_BY),
		.deferred_us = db_get_time(rows, at, DEFERRED_AT),
		.is_doubtful = db_get_bool(rows, at, IS_DOUBTFUL),
		.doubted = db_get_text(rows, at, DOUBTED),
		.has_doubt = db_get_bool(rows, at, HAS_DOUBT),
		.terms = { .key_id = (unsigned)db_get_int(rows, at, KEY_ID),
			   .day = (unsigned)db_get_int(rows, at, DAY),
			   .date_us = db_get_time(rows, at, DATE_AT),
			   .variant = (unsigned)db_get_int(rows, at, VARIANT) },
	};
}

enum err openings_recheck(struct db *db, const struct db_array *campaign_ids, const struct db_array *subscriber_ids,
			  struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_values(campaign_ids), db_values(subscriber_ids) };
	return db_run(db, &statements[RECHECK], values, ARRAY_LEN(values), ret_rows, why);
}

struct refusal refusal_get(const struct db_rows *rows, size_t row)
{
	return (struct refusal){
		.campaign_id = db_get_int(rows, row, 0),
		.subscriber_id = db_get_int(rows, row, 1),
		.reason = db_get_text(rows, row, 2),
	};
}
