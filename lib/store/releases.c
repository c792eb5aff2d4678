#include "store/releases.h"

#include <assert.h>

enum statement {
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

static const struct db_statement statements[] = {
	/* Whoever closes a window of a chunk waits here for others who do, so that the last one sees that it is the last. */
	[LOCK_CHUNKS] = { .name = "releases_lock_chunks",
			  .sql = "SELECT FROM campaign_chunk k WHERE (k.campaign_id, k.chunk_no) IN ("
				 " SELECT i.c, i.k FROM unnest($1::bigint[], $2::bigint[]) AS i(c, k))"
				 " ORDER BY k.campaign_id, k.chunk_no FOR NO KEY UPDATE" },
	/* $1 worker, $2 campaigns, $3 chunks, $4 firsts. */
	[CLOSE_WINDOWS] = { .name = "releases_close_windows",
			    .sql = "DELETE FROM chunk_window w"
				   " USING unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS i(c, k, first)"
				   " WHERE w.campaign_id = i.c AND w.chunk_no = i.k AND w.first = i.first"
				   " AND w.worker_id = $1::uuid" },
	/* Not "NOT k.done", which would lead the planner over all unfinished chunks by their own index, and read the ids of each: statistics
	 * are mostly taken when there are none. */
	[CLOSE_CHUNKS] = { .name = "releases_close_chunks",
			   .sql = "UPDATE campaign_chunk k SET done = true, lease_owner = NULL, lease_until = NULL"
				  " FROM unnest($1::bigint[], $2::bigint[]) AS i(c, k)"
				  " WHERE k.campaign_id = i.c AND k.chunk_no = i.k AND k.done IS NOT TRUE"
				  " AND k.opened = k.size"
				  " AND NOT EXISTS (SELECT FROM chunk_window w"
				  " WHERE w.campaign_id = k.campaign_id AND w.chunk_no = k.chunk_no)" },
	/* $1 worker, $2 campaign or 0. */
	[FREE_WINDOWS] = { .name = "releases_free_windows",
			   .sql = "UPDATE chunk_window SET worker_id = NULL"
				  " WHERE worker_id = $1::uuid AND ($2::bigint = 0 OR campaign_id = $2)" },
	[FREE_RETRIES] = { .name = "releases_free_retries",
			   .sql = "UPDATE deferral SET opened_by = NULL"
				  " WHERE opened_by = $1::uuid AND ($2::bigint = 0 OR campaign_id = $2)" },
	[FREE_LEASES] = { .name = "releases_free_leases",
			  .sql =
			      "UPDATE campaign_chunk SET lease_owner = NULL, lease_until = NULL"
			      " WHERE NOT done AND lease_owner = $1::uuid AND ($2::bigint = 0 OR campaign_id = $2)" },
	[FREE_LEAVING] = { .name = "releases_free_leaving",
			   .sql = "DELETE FROM campaign_leaving"
				  " WHERE worker_id = $1::uuid AND ($2::bigint = 0 OR campaign_id = $2)" },
	/* $1 worker, then what it knows. */
	[FREE_UNKNOWN_WINDOWS] = { .name = "releases_free_unknown_windows",
				   .sql =
				       "UPDATE chunk_window w SET worker_id = NULL WHERE w.worker_id = $1::uuid"
				       " AND NOT EXISTS (SELECT FROM unnest($2::bigint[], $3::bigint[], $4::bigint[])"
				       " AS i(c, k, first)"
				       " WHERE i.c = w.campaign_id AND i.k = w.chunk_no AND i.first = w.first)" },
	[FREE_UNKNOWN_RETRIES] = { .name = "releases_free_unknown_retries",
				   .sql = "UPDATE deferral f SET opened_by = NULL WHERE f.opened_by = $1::uuid"
					  " AND NOT EXISTS (SELECT FROM unnest($2::bigint[], $3::bigint[]) AS i(c, s)"
					  " WHERE i.c = f.campaign_id AND i.s = f.subscriber_id)" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

enum err releases_close(struct db *db, const char *worker_id, const struct db_array *campaign_ids,
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

enum err releases_give_back(struct db *db, const char *worker_id, int64_t campaign_id, struct buf *why)
{
	static const enum statement steps[] = { FREE_WINDOWS, FREE_RETRIES, FREE_LEASES, FREE_LEAVING };
	const struct db_value values[] = { db_text(view_of(worker_id)), db_int(campaign_id) };
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < ARRAY_LEN(steps); i++)
		err = db_run(db, &statements[steps[i]], values, ARRAY_LEN(values), NULL, why);
	return err;
}

enum err releases_give_back_unknown(struct db *db, const char *worker_id, const struct releases_known *known,
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
