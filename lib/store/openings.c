#include "store/openings.h"

#include <assert.h>

enum statement {
	CONTINUE,
	CLAIM,
	TAKE_WINDOW,
	TAKE_DUE,
	TAKE_PARKED,
	RECHECK,
	LOCK_CHUNKS,
	CLOSE_WINDOWS,
	CLOSE_CHUNKS,
	FREE_WINDOWS,
	FREE_RETRIES,
	FREE_LEASES,
	FREE_LEAVING,
	FREE_UNKNOWN_WINDOWS,
	FREE_UNKNOWN_RETRIES,
	STATEMENT_COUNT
};

/* Columns in the order of the SELECT below. */
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
	KEY_ID,
	DAY,
	DATE_AT,
	VARIANT,
	EXHAUSTED
};

/* Whether s, member m of campaign g's list, may be sent to: null, or why not. Suppression is asked as is_suppressed() does, but in
 * line: a call a row would cost more than all the rest of the query. */
#define SKIP_REASON_SQL                                                                                                \
	" CASE WHEN s.id IS NULL THEN 'erased' WHEN m.state IS NULL THEN 'removed'"                                    \
	" WHEN m.state <> 'active' THEN m.state::text"                                                                 \
	" WHEN EXISTS (SELECT FROM suppression x"                                                                      \
	" WHERE x.value IN (s.address_key, split_part(s.address_key, '@', 2))"                                         \
	" AND (x.list_id IS NULL OR x.list_id = g.list_id)) THEN 'suppressed' END"

#define PERSON_JOINS(of)                                                                                               \
	" JOIN campaign g ON g.id = " of ".campaign_id"                                                                \
	" LEFT JOIN subscriber s ON s.id = " of ".subscriber_id"                                                       \
	" LEFT JOIN membership m ON m.list_id = g.list_id AND m.subscriber_id = " of ".subscriber_id"

/* From o, one row a recipient, all that is needed to send to it. */
#define SELECT_OPENED                                                                                                  \
	" SELECT o.campaign_id, g.list_id, o.subscriber_id, o.chunk_no, o.first, s.address, s.name, "                  \
	"s.attributes," SKIP_REASON_SQL                                                                                \
	", o.attempts, o.first_attempt_at, o.key_id, o.day, o.date_at, o.variant, o.exhausted"                         \
	" FROM o" PERSON_JOINS("o") " ORDER BY o.n"

/* Campaign r may be sent now. */
#define IS_SENDING " r.state = 'running' AND is_in_window(r.windows, r.zone, now())"

/* Opens up to $2 more of the chunk that `choice` picks. $1 worker, $3 lease in microseconds, $4 key, $5 day, $6 date, $7 variant.
 * Nearly all recipients come by here, so that everything is read for all at once: an audience is frozen in the order of the ids, thus
 * subscribers are read as a range, or one by one where too many others lie between; members of the list are a range of its index in any
 * case; and suppressions are joined once, in the way that the planner finds best for their number. */
#define OPEN_CHUNK(choice)                                                                                             \
	"WITH pick AS MATERIALIZED ("                                                                                  \
	" SELECT k.campaign_id, k.chunk_no, k.opened AS was"                                                           \
	" FROM campaign_chunk k JOIN campaign r ON r.id = k.campaign_id"                                               \
	" WHERE" IS_SENDING " AND NOT k.done AND " choice " AND k.opened < cardinality(k.subscriber_ids)"              \
	" AND (k.not_before IS NULL OR k.not_before <= now())"                                                         \
	" ORDER BY k.campaign_id, k.chunk_no LIMIT 1 FOR UPDATE OF k SKIP LOCKED),"                                    \
	" c AS ("                                                                                                      \
	" UPDATE campaign_chunk k SET opened = least(p.was + $2, cardinality(k.subscriber_ids))::integer,"             \
	" lease_owner = $1::uuid, lease_until = now() + $3 * interval '1 microsecond',"                                \
	" key_id = coalesce(k.key_id, $4::smallint), day = coalesce(k.day, $5::integer),"                              \
	" date_at = coalesce(k.date_at, $6::timestamptz),"                                                             \
	" variant = CASE WHEN k.key_id IS NULL THEN $7::smallint ELSE k.variant END"                                   \
	" FROM pick p WHERE k.campaign_id = p.campaign_id AND k.chunk_no = p.chunk_no"                                 \
	" RETURNING k.campaign_id, k.chunk_no, k.subscriber_ids[p.was + 1:k.opened] AS ids, k.opened, p.was,"          \
	" k.key_id, k.day, k.date_at, k.variant, k.opened = cardinality(k.subscriber_ids) AS exhausted),"              \
	" w AS ("                                                                                                      \
	" INSERT INTO chunk_window (campaign_id, chunk_no, first, last, worker_id)"                                    \
	" SELECT campaign_id, chunk_no, was + 1, opened, $1::uuid FROM c),"                                            \
	" r AS MATERIALIZED ("                                                                                         \
	" SELECT g.list_id, e.low, e.high, e.high - e.low < 4 * cardinality(c.ids) AS is_dense"                        \
	" FROM c JOIN campaign g ON g.id = c.campaign_id"                                                              \
	" CROSS JOIN LATERAL (SELECT min(i) AS low, max(i) AS high FROM unnest(c.ids) AS i) e),"                       \
	" s AS MATERIALIZED ("                                                                                         \
	" SELECT s.id, s.address, s.address_key, s.name, s.attributes FROM subscriber s"                               \
	" WHERE (SELECT is_dense FROM r) AND s.id BETWEEN (SELECT low FROM r) AND (SELECT high FROM r)"                \
	" UNION ALL"                                                                                                   \
	" SELECT s.id, s.address, s.address_key, s.name, s.attributes FROM subscriber s"                               \
	" WHERE NOT (SELECT is_dense FROM r) AND s.id = ANY ((SELECT ids FROM c)::bigint[])),"                         \
	" m AS ("                                                                                                      \
	" SELECT m.subscriber_id, m.state FROM membership m WHERE m.list_id = (SELECT list_id FROM r)"                 \
	" AND m.subscriber_id BETWEEN (SELECT low FROM r) AND (SELECT high FROM r)),"                                  \
	" never AS MATERIALIZED ("                                                                                     \
	" SELECT s.id FROM s JOIN suppression x ON x.value = s.address_key"                                            \
	" WHERE x.list_id IS NULL OR x.list_id = (SELECT list_id FROM r)"                                              \
	" UNION ALL"                                                                                                   \
	" SELECT s.id FROM s JOIN suppression x ON x.value = split_part(s.address_key, '@', 2)"                        \
	" WHERE x.list_id IS NULL OR x.list_id = (SELECT list_id FROM r))"                                             \
	" SELECT c.campaign_id, (SELECT list_id FROM r), a.id, c.chunk_no, c.was + 1, s.address, s.name,"              \
	" s.attributes, CASE WHEN s.id IS NULL THEN 'erased' WHEN m.state IS NULL THEN 'removed'"                      \
	" WHEN m.state <> 'active' THEN m.state::text"                                                                 \
	" WHEN a.id IN (SELECT id FROM never) THEN 'suppressed' END,"                                                  \
	" 0, NULL::timestamptz, c.key_id, c.day, c.date_at, c.variant, c.exhausted"                                    \
	" FROM c CROSS JOIN LATERAL unnest(c.ids) WITH ORDINALITY AS a(id, n)"                                         \
	" LEFT JOIN s ON s.id = a.id LEFT JOIN m ON m.subscriber_id = a.id ORDER BY a.n"

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
	" f.attempts, f.first_attempt_at, f.key_id, f.day, f.date_at, f.variant, false AS exhausted)" SELECT_OPENED

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
			      " NULL::timestamptz AS first_attempt_at, k.key_id, k.day, k.date_at, k.variant,"
			      " false AS exhausted"
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
	/* Whoever closes a window of a chunk waits here for others who do, so that the last one sees that it is the last. */
	[LOCK_CHUNKS] = { .name = "openings_lock_chunks",
			  .sql = "SELECT FROM campaign_chunk k WHERE (k.campaign_id, k.chunk_no) IN ("
				 " SELECT i.c, i.k FROM unnest($1::bigint[], $2::bigint[]) AS i(c, k))"
				 " ORDER BY k.campaign_id, k.chunk_no FOR NO KEY UPDATE" },
	/* $1 worker, $2 campaigns, $3 chunks, $4 firsts. */
	[CLOSE_WINDOWS] = { .name = "openings_close_windows",
			    .sql = "DELETE FROM chunk_window w"
				   " USING unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS i(c, k, first)"
				   " WHERE w.campaign_id = i.c AND w.chunk_no = i.k AND w.first = i.first"
				   " AND w.worker_id = $1::uuid" },
	/* Not "NOT k.done", which would lead the planner over all unfinished chunks by their own index, and read the ids of each: statistics
	 * are mostly taken when there are none. */
	[CLOSE_CHUNKS] = { .name = "openings_close_chunks",
			   .sql = "UPDATE campaign_chunk k SET done = true, lease_owner = NULL, lease_until = NULL"
				  " FROM unnest($1::bigint[], $2::bigint[]) AS i(c, k)"
				  " WHERE k.campaign_id = i.c AND k.chunk_no = i.k AND k.done IS NOT TRUE"
				  " AND k.opened = cardinality(k.subscriber_ids)"
				  " AND NOT EXISTS (SELECT FROM chunk_window w"
				  " WHERE w.campaign_id = k.campaign_id AND w.chunk_no = k.chunk_no)" },
	/* $1 worker, $2 campaign or 0. */
	[FREE_WINDOWS] = { .name = "openings_free_windows",
			   .sql = "UPDATE chunk_window SET worker_id = NULL"
				  " WHERE worker_id = $1::uuid AND ($2::bigint = 0 OR campaign_id = $2)" },
	[FREE_RETRIES] = { .name = "openings_free_retries",
			   .sql = "UPDATE deferral SET opened_by = NULL"
				  " WHERE opened_by = $1::uuid AND ($2::bigint = 0 OR campaign_id = $2)" },
	[FREE_LEASES] = { .name = "openings_free_leases",
			  .sql =
			      "UPDATE campaign_chunk SET lease_owner = NULL, lease_until = NULL"
			      " WHERE NOT done AND lease_owner = $1::uuid AND ($2::bigint = 0 OR campaign_id = $2)" },
	[FREE_LEAVING] = { .name = "openings_free_leaving",
			   .sql = "DELETE FROM campaign_leaving"
				  " WHERE worker_id = $1::uuid AND ($2::bigint = 0 OR campaign_id = $2)" },
	/* $1 worker, then what it knows. */
	[FREE_UNKNOWN_WINDOWS] = { .name = "openings_free_unknown_windows",
				   .sql =
				       "UPDATE chunk_window w SET worker_id = NULL WHERE w.worker_id = $1::uuid"
				       " AND NOT EXISTS (SELECT FROM unnest($2::bigint[], $3::bigint[], $4::bigint[])"
				       " AS i(c, k, first)"
				       " WHERE i.c = w.campaign_id AND i.k = w.chunk_no AND i.first = w.first)" },
	[FREE_UNKNOWN_RETRIES] = { .name = "openings_free_unknown_retries",
				   .sql = "UPDATE deferral f SET opened_by = NULL WHERE f.opened_by = $1::uuid"
					  " AND NOT EXISTS (SELECT FROM unnest($2::bigint[], $3::bigint[]) AS i(c, s)"
					  " WHERE i.c = f.campaign_id AND i.s = f.subscriber_id)" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

static enum err open_chunk(struct db *db, enum statement statement, const struct opening *opening,
			   const struct held_chunk *held, struct db_rows **ret_rows, struct buf *why)
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
	return db_run(db, &statements[statement], values, held == NULL ? 7 : 9, ret_rows, why);
}

enum err openings_continue(struct db *db, const struct opening *opening, const struct held_chunk *held,
			   struct db_rows **ret_rows, struct buf *why)
{
	return open_chunk(db, CONTINUE, opening, held, ret_rows, why);
}

enum err openings_claim(struct db *db, const struct opening *opening, struct db_rows **ret_rows, struct buf *why)
{
	return open_chunk(db, CLAIM, opening, NULL, ret_rows, why);
}

enum err openings_take_window(struct db *db, const struct opening *opening, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_text(view_of(opening->worker_id)) };
	return db_run(db, &statements[TAKE_WINDOW], values, ARRAY_LEN(values), ret_rows, why);
}

enum err openings_take_due(struct db *db, const struct opening *opening, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_text(view_of(opening->worker_id)), db_int((int64_t)opening->limit) };
	return db_run(db, &statements[TAKE_DUE], values, ARRAY_LEN(values), ret_rows, why);
}

enum err openings_take_parked(struct db *db, const struct opening *opening, struct view waits_for,
			      struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_text(view_of(opening->worker_id)), db_int((int64_t)opening->limit),
					   db_text(waits_for) };
	return db_run(db, &statements[TAKE_PARKED], values, ARRAY_LEN(values), ret_rows, why);
}

struct opened opened_get(const struct db_rows *rows, size_t row)
{
	return (struct opened){
		.campaign_id = db_get_int(rows, row, CAMPAIGN_ID),
		.list_id = db_get_int(rows, row, LIST_ID),
		.subscriber_id = db_get_int(rows, row, SUBSCRIBER_ID),
		.chunk_no = (int)db_get_int(rows, row, CHUNK_NO),
		.window_first = (int)db_get_int(rows, row, WINDOW_FIRST),
		.address = db_get_text(rows, row, ADDRESS),
		.name = db_get_text(rows, row, NAME),
		.attributes = db_get_text(rows, row, ATTRIBUTES),
		.skip_reason = db_get_text(rows, row, SKIP_REASON),
		.attempts = (unsigned)db_get_int(rows, row, ATTEMPTS),
		.first_attempt_us = db_get_time(rows, row, FIRST_ATTEMPT_AT),
		.terms = { .key_id = (unsigned)db_get_int(rows, row, KEY_ID),
			   .day = (unsigned)db_get_int(rows, row, DAY),
			   .date_us = db_get_time(rows, row, DATE_AT),
			   .variant = (unsigned)db_get_int(rows, row, VARIANT) },
		.chunk_exhausted = db_get_bool(rows, row, EXHAUSTED),
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

enum err openings_close(struct db *db, const char *worker_id, const struct db_array *campaign_ids,
			const struct db_array *chunk_nos, const struct db_array *firsts, struct buf *why)
{
	const struct db_value windows[] = { db_text(view_of(worker_id)), db_values(campaign_ids), db_values(chunk_nos),
					    db_values(firsts) };
	const struct db_value chunks[] = { db_values(campaign_ids), db_values(chunk_nos) };
	enum err err = db_run(db, &statements[LOCK_CHUNKS], chunks, ARRAY_LEN(chunks), NULL, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[CLOSE_WINDOWS], windows, ARRAY_LEN(windows), NULL, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[CLOSE_CHUNKS], chunks, ARRAY_LEN(chunks), NULL, why);
	return err;
}

enum err openings_give_back(struct db *db, const char *worker_id, int64_t campaign_id, struct buf *why)
{
	static const enum statement steps[] = { FREE_WINDOWS, FREE_RETRIES, FREE_LEASES, FREE_LEAVING };
	const struct db_value values[] = { db_text(view_of(worker_id)), db_int(campaign_id) };
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < ARRAY_LEN(steps); i++)
		err = db_run(db, &statements[steps[i]], values, ARRAY_LEN(values), NULL, why);
	return err;
}

enum err openings_give_back_unknown(struct db *db, const char *worker_id, const struct openings_known *known,
				    struct buf *why)
{
	const struct db_value windows[] = { db_text(view_of(worker_id)), db_values(&known->window_campaigns),
					    db_values(&known->window_chunks), db_values(&known->window_firsts) };
	const struct db_value retries[] = { db_text(view_of(worker_id)), db_values(&known->retry_campaigns),
					    db_values(&known->retry_subscribers) };
	enum err err = db_run(db, &statements[FREE_UNKNOWN_WINDOWS], windows, ARRAY_LEN(windows), NULL, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[FREE_UNKNOWN_RETRIES], retries, ARRAY_LEN(retries), NULL, why);
	return err;
}
