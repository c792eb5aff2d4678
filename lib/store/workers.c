#include "store/workers.h"

#include <assert.h>

enum statement {
	HOLDER,
	TAKE,
	START,
	SEEN,
	CHECK,
	CLOCK,
	WRITE,
	IS_KNOWN,
	STOP,
	REFUSE,
	LEAVE,
	LIST,
	LOCK,
	NAME_DOUBTFUL,
	DOUBT_WINDOWS,
	DOUBT_RETRIES,
	CLOSE_CHUNKS,
	DROP_WINDOWS,
	DROP_LEASES,
	DROP,
	STATEMENT_COUNT
};

/* Whom worker $1 has opened in its windows and who has no end and no place in the retry queue. */
#define OPENED_OF_WORKER                                                                                               \
	" SELECT w.campaign_id, a.id AS subscriber_id, w.opened_at, k.key_id, k.day, k.date_at, k.variant"             \
	" FROM chunk_window w JOIN campaign_chunk k ON k.campaign_id = w.campaign_id AND k.chunk_no = w.chunk_no"      \
	" CROSS JOIN LATERAL unnest(k.subscriber_ids[w.first:w.last]) AS a(id)"                                        \
	" WHERE w.worker_id = $1::uuid"                                                                                \
	" AND NOT EXISTS (SELECT FROM delivery d WHERE d.campaign_id = w.campaign_id AND d.subscriber_id = a.id)"      \
	" AND NOT EXISTS (SELECT FROM deferral f WHERE f.campaign_id = w.campaign_id AND f.subscriber_id = a.id)"

/* When a doubtful recipient is sent to again: now if the campaign says so and it is the first doubt, else never. */
#define NEXT_ATTEMPT(of)                                                                                               \
	" CASE WHEN c.in_doubt = 'resend' AND c.state <> 'canceled' AND NOT EXISTS (SELECT FROM doubt d"               \
	" WHERE d.campaign_id = " of ".campaign_id AND d.subscriber_id = " of ".subscriber_id"                         \
	" AND d.attempt <= " of ".attempts) THEN now() END"

static const struct db_statement statements[] = {
	[HOLDER] = { .name = "workers_holder",
		     .sql = "SELECT w.epoch, w.turn, w.pid IS NOT NULL,"
			    " EXISTS (SELECT FROM chunk_window c WHERE c.worker_id = w.id)"
			    " OR EXISTS (SELECT FROM deferral f WHERE f.opened_by = w.id),"
			    " floor(extract(epoch FROM now() - w.seen_at) * 1000000)::bigint,"
			    " coalesce(w.pid, 0), w.host, w.journal, coalesce(w.place, '')"
			    " FROM worker w WHERE w.id = $1::uuid FOR UPDATE OF w" },
	[TAKE] = { .name = "workers_take",
		   .sql = "UPDATE worker SET epoch = $2, turn = $3, seen_at = now() WHERE id = $1::uuid" },
	[START] = { .name = "workers_start",
		    .sql = "WITH found AS (DELETE FROM relay_finding WHERE worker_id = $1::uuid)"
			   " INSERT INTO worker AS w (id, host, journal, pid, epoch, turn, place)"
			   " VALUES ($1::uuid, $2, $3, $4::integer, $5, $6, nullif($7, ''))"
			   " ON CONFLICT (id) DO UPDATE SET host = excluded.host, journal = excluded.journal,"
			   " pid = excluded.pid, place = excluded.place, started_at = now(), seen_at = now(),"
			   " refused = NULL WHERE w.epoch = excluded.epoch" },
	/* Who lives has its journal. */
	[SEEN] = { .name = "workers_seen",
		   .sql = "UPDATE worker SET seen_at = now(), refused = NULL WHERE id = $1::uuid AND epoch = $2" },
	[CHECK] = { .name = "workers_check",
		    .sql = "SELECT clock_timestamp() FROM worker WHERE id = $1::uuid AND epoch = $2" },
	[CLOCK] = { .name = "workers_clock", .sql = "SELECT clock_timestamp()" },
	/* $3 turns are written, or, where that is not sure, up to $4. */
	[WRITE] = { .name = "workers_write",
		    .sql = "UPDATE worker SET seen_at = now(), refused = NULL, turn = $3::bigint + 1"
			   " WHERE id = $1::uuid AND epoch = $2"
			   " AND turn BETWEEN $3::bigint AND $4::bigint" },
	[IS_KNOWN] = { .name = "workers_is_known", .sql = "SELECT host, pid FROM worker WHERE id = $1::uuid" },
	[STOP] = { .name = "workers_stop", .sql = "UPDATE worker SET seen_at = now(), pid = NULL WHERE id = $1::uuid" },
	[REFUSE] = { .name = "workers_refuse", .sql = "UPDATE worker SET refused = $2 WHERE id = $1::uuid" },
	/* $1 worker, $2 campaigns, $3 messages. */
	[LEAVE] = { .name = "workers_leave",
		    .sql = "INSERT INTO campaign_leaving AS l (worker_id, campaign_id, messages)"
			   " SELECT $1::uuid, i.c, i.m FROM unnest($2::bigint[], $3::bigint[]) AS i(c, m)"
			   " ON CONFLICT (campaign_id, worker_id) DO UPDATE SET messages = excluded.messages" },
	[LIST] = { .name = "workers_list",
		   .sql = "SELECT w.id, w.host, w.journal, coalesce(w.pid, 0), w.started_at, w.seen_at,"
			  " (SELECT count(*) FROM chunk_window c WHERE c.worker_id = w.id),"
			  " (SELECT count(*) FROM chunk_window c JOIN campaign_chunk k"
			  " ON k.campaign_id = c.campaign_id AND k.chunk_no = c.chunk_no"
			  " CROSS JOIN LATERAL unnest(k.subscriber_ids[c.first:c.last]) AS a(id)"
			  " WHERE c.worker_id = w.id"
			  " AND NOT EXISTS (SELECT FROM delivery d"
			  " WHERE d.campaign_id = c.campaign_id AND d.subscriber_id = a.id)"
			  " AND NOT EXISTS (SELECT FROM deferral f"
			  " WHERE f.campaign_id = c.campaign_id AND f.subscriber_id = a.id))"
			  " + (SELECT count(*) FROM deferral f WHERE f.opened_by = w.id)"
			  " FROM worker w ORDER BY w.seen_at, w.id" },
	/* $2: at least so many microseconds of silence. */
	[LOCK] = { .name = "workers_lock",
		   .sql = "SELECT seen_at <= now() - $2 * interval '1 microsecond',"
			  " floor(extract(epoch FROM now() - seen_at))::bigint,"
			  " ceil(extract(epoch FROM seen_at + $2 * interval '1 microsecond' - now()))::bigint"
			  " FROM worker WHERE id = $1::uuid FOR UPDATE" },
	[NAME_DOUBTFUL] = { .name = "workers_name_doubtful",
			    .sql =
				"INSERT INTO doubt (campaign_id, subscriber_id, attempt, worker_id, connection, at,"
				" decision, decided_at)"
				" SELECT campaign_id, subscriber_id, attempt, $1::uuid, '', now(), 'forgotten', now() "
				"FROM ("
				" SELECT campaign_id, subscriber_id, 1 AS attempt FROM (" OPENED_OF_WORKER ") AS opened"
				" UNION ALL"
				" SELECT campaign_id, subscriber_id, attempts + 1 FROM deferral WHERE opened_by = "
				"$1::uuid"
				") AS lost ON CONFLICT DO NOTHING" },
	[DOUBT_RETRIES] = { .name = "workers_doubt_retries",
			    .sql = "UPDATE deferral f SET state = 'in_doubt', attempts = f.attempts + 1,"
				   " first_attempt_at = coalesce(f.first_attempt_at, now()),"
				   " last_attempt_at = greatest(now(), f.first_attempt_at), opened_by = NULL, "
				   "next_attempt_at =" NEXT_ATTEMPT(
				       "f") " FROM campaign c WHERE c.id = f.campaign_id AND f.opened_by = $1::uuid" },
	[DOUBT_WINDOWS] = { .name = "workers_doubt_windows",
			    .sql =
				"INSERT INTO deferral (campaign_id, subscriber_id, state, attempts, first_attempt_at,"
				" last_attempt_at, next_attempt_at, key_id, day, date_at, variant)"
				" SELECT o.campaign_id, o.subscriber_id, 'in_doubt', 1, o.opened_at, greatest(now(), "
				"o.opened_at),"
				" CASE WHEN c.in_doubt = 'resend' AND c.state <> 'canceled' THEN now() END,"
				" o.key_id, o.day, o.date_at, o.variant"
				" FROM (" OPENED_OF_WORKER ") AS o JOIN campaign c ON c.id = o.campaign_id"
				" ON CONFLICT DO NOTHING" },
	[DROP_WINDOWS] = { .name = "workers_drop_windows",
			   .sql = "DELETE FROM chunk_window WHERE worker_id = $1::uuid" },
	[DROP_LEASES] = { .name = "workers_drop_leases",
			  .sql = "UPDATE campaign_chunk SET lease_owner = NULL, lease_until = NULL WHERE lease_owner = "
				 "$1::uuid" },
	[CLOSE_CHUNKS] = { .name = "workers_close_chunks",
			   .sql = "UPDATE campaign_chunk k SET done = true WHERE NOT k.done AND k.opened > 0"
				  " AND k.opened = k.size"
				  " AND NOT EXISTS (SELECT FROM chunk_window w"
				  " WHERE w.campaign_id = k.campaign_id AND w.chunk_no = k.chunk_no)" },
	[DROP] = { .name = "workers_drop", .sql = "DELETE FROM worker WHERE id = $1::uuid" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

enum err workers_holder(struct db *db, const char *id, struct worker_holder *ret_holder, struct db_rows **ret_rows,
			struct buf *why)
{
	const struct db_value values[] = { db_text(view_of(id)) };
	struct db_rows *rows = NULL;
	enum err err = db_run(db, &statements[HOLDER], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	if (db_row_count(rows) == 0) {
		db_rows_done(rows);
		buf_addf(why, "the worker %s was forgotten (`listctl worker forget`)", id);
		return ERR_NOT_FOUND;
	}
	*ret_holder = (struct worker_holder){
		.mark = { .epoch = db_get_int(rows, 0, 0), .turn = db_get_int(rows, 0, 1) },
		.is_running = db_get_bool(rows, 0, 2),
		.has_opened = db_get_bool(rows, 0, 3),
		.quiet_us = db_get_int(rows, 0, 4),
		.pid = db_get_int(rows, 0, 5),
		.host = db_get_text(rows, 0, 6),
		.journal = db_get_text(rows, 0, 7),
		.place = db_get_text(rows, 0, 8),
	};
	*ret_rows = rows;
	return ERR_OK;
}

enum err workers_take(struct db *db, const char *id, struct worker_mark mark, struct buf *why)
{
	const struct db_value values[] = { db_text(view_of(id)), db_int(mark.epoch), db_int(mark.turn) };
	return db_run(db, &statements[TAKE], values, ARRAY_LEN(values), NULL, why);
}

enum err workers_start(struct db *db, const struct worker_start *start, struct buf *why)
{
	const struct db_value values[] = {
		db_text(view_of(start->id)), db_text(start->host),     db_text(start->journal), db_int(start->pid),
		db_int(start->mark.epoch),   db_int(start->mark.turn), db_text(start->place),
	};
	return db_run(db, &statements[START], values, ARRAY_LEN(values), NULL, why);
}

/* The statement was to find the worker's row as the tenure says, and did not. */
static enum err tell_lost(struct db *db, struct worker_tenure *tenure, struct buf *why)
{
	const struct db_value values[] = { db_text(view_of(tenure->id)) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[IS_KNOWN], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	tenure->is_over = db_row_count(rows) > 0;
	if (tenure->is_over)
		buf_addf(why, "another process has taken up the worker %s: host " VIEW_FMT, tenure->id,
			 VIEW_ARG(db_get_text(rows, 0, 0)));
	else
		buf_addf(why, "the worker %s was forgotten (`listctl worker forget`)", tenure->id);
	return ERR_NOT_FOUND;
}

enum err workers_seen(struct db *db, struct worker_tenure *tenure, struct buf *why)
{
	const struct db_value values[] = { db_text(view_of(tenure->id)), db_int(tenure->mark.epoch) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[SEEN], values, ARRAY_LEN(values), &rows, why);
	return err != ERR_OK || db_changed(rows) > 0 ? err : tell_lost(db, tenure, why);
}

enum err workers_check(struct db *db, struct worker_tenure *tenure, int64_t *ret_shown_us, struct buf *why)
{
	const struct db_value values[] = { db_text(view_of(tenure->id)), db_int(tenure->mark.epoch) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[CHECK], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	if (db_row_count(rows) == 0)
		return tell_lost(db, tenure, why);
	*ret_shown_us = db_get_time(rows, 0, 0);
	return ERR_OK;
}

enum err workers_clock(struct db *db, int64_t *ret_shown_us, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[CLOCK], NULL, 0, &rows, why);
	if (err == ERR_OK)
		*ret_shown_us = db_get_time(rows, 0, 0);
	return err;
}

enum err workers_write(struct db *db, struct worker_tenure *tenure, bool is_unsure, struct buf *why)
{
	const struct db_value values[] = { db_text(view_of(tenure->id)), db_int(tenure->mark.epoch),
					   db_int(tenure->mark.turn), db_int(tenure->mark.turn + (is_unsure ? 1 : 0)) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[WRITE], values, ARRAY_LEN(values), &rows, why);
	return err != ERR_OK || db_changed(rows) > 0 ? err : tell_lost(db, tenure, why);
}

enum err workers_stop(struct db *db, const char *id, struct buf *why)
{
	const struct db_value values[] = { db_text(view_of(id)) };
	return db_run(db, &statements[STOP], values, ARRAY_LEN(values), NULL, why);
}

enum err workers_refuse(struct db *db, const char *id, struct view reason, struct buf *why)
{
	const struct db_value values[] = { db_text(view_of(id)), db_text(reason) };
	return db_run(db, &statements[REFUSE], values, ARRAY_LEN(values), NULL, why);
}

enum err workers_leave(struct db *db, const char *id, const struct db_array *campaign_ids,
		       const struct db_array *messages, struct buf *why)
{
	const struct db_value values[] = { db_text(view_of(id)), db_values(campaign_ids), db_values(messages) };
	return db_run(db, &statements[LEAVE], values, ARRAY_LEN(values), NULL, why);
}

enum err workers_list(struct db *db, struct db_rows **ret_rows, struct buf *why)
{
	return db_run(db, &statements[LIST], NULL, 0, ret_rows, why);
}

struct worker_row workers_get(const struct db_rows *rows, size_t row)
{
	return (struct worker_row){
		.id = db_get_text(rows, row, 0),
		.host = db_get_text(rows, row, 1),
		.journal = db_get_text(rows, row, 2),
		.pid = db_get_int(rows, row, 3),
		.started_us = db_get_time(rows, row, 4),
		.seen_us = db_get_time(rows, row, 5),
		.windows = db_get_int(rows, row, 6),
		.opened = db_get_int(rows, row, 7),
	};
}

/* The worker updates its own row at the start of each of its transactions: whoever holds this lock keeps it out, and once the
 * row is gone nothing of it is written any more. */
static enum err lock(struct db *db, const char *id, int64_t quiet_us, struct buf *why)
{
	const struct db_value values[] = { db_text(view_of(id)), db_int(quiet_us) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[LOCK], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	if (db_row_count(rows) == 0) {
		buf_addf(why, "there is no worker %s; `listctl worker ls` lists them", id);
		return ERR_NOT_FOUND;
	}
	if (!db_get_bool(rows, 0, 0)) {
		buf_addf(why,
			 "the worker %s was last heard of %lld s ago; once its sender has stopped it can be forgotten "
			 "in %lld s",
			 id, (long long)db_get_int(rows, 0, 1), (long long)db_get_int(rows, 0, 2));
		return ERR_REFUSED;
	}
	return ERR_OK;
}

static enum err forget(struct db *db, const char *id, int64_t *ret_doubtful, struct buf *why)
{
	static const enum statement steps[] = { NAME_DOUBTFUL, DOUBT_WINDOWS, DOUBT_RETRIES, DROP_WINDOWS,
						DROP_LEASES,   CLOSE_CHUNKS,  DROP };
	const struct db_value values[] = { db_text(view_of(id)) };
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		AUTO_DB_ROWS *rows = NULL;
		enum err err = db_run(db, &statements[steps[i]], values, steps[i] == CLOSE_CHUNKS ? 0 : 1, &rows, why);
		if (err != ERR_OK)
			return err;
		if (steps[i] == NAME_DOUBTFUL)
			*ret_doubtful = (int64_t)db_changed(rows);
	}
	return ERR_OK;
}

enum err workers_may_forget(struct db *db, const char *id, int64_t quiet_us, struct buf *why)
{
	enum err err = db_begin(db, why);
	if (err == ERR_OK)
		err = lock(db, id, quiet_us, why);
	db_rollback(db);
	return err;
}

enum err workers_forget(struct db *db, const char *id, int64_t quiet_us, int64_t *ret_doubtful, struct buf *why)
{
	int64_t doubtful = 0;
	enum err err = db_begin(db, why);
	if (err == ERR_OK)
		err = lock(db, id, quiet_us, why);
	if (err == ERR_OK)
		err = forget(db, id, &doubtful, why);
	if (err == ERR_OK)
		err = db_commit(db, why);
	if (err != ERR_OK) {
		db_rollback(db);
		return err;
	}
	*ret_doubtful = doubtful;
	return ERR_OK;
}
