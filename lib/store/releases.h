/* What a worker lets go of: windows whose recipients all have their end, and what it gives back unfinished (store/openings.h).
 *
 * All calls are made inside the caller's transaction. Errors as db_run(). */
#ifndef STORE_RELEASES_H
#define STORE_RELEASES_H

#include "store/db.h"

/* Closes windows whose recipients all have a ledger row or a retry row, and marks chunks done that are finished by it. */
enum err releases_close(struct db *db, const char *worker_id, const struct db_array *campaign_ids,
			const struct db_array *chunk_nos, const struct db_array *firsts, struct buf *why) MUST_USE;

/* Gives back what the worker holds: windows and retry rows of that campaign (0: of all), and its leases. Only when no journal record is left
 * about them that the database has not. */
enum err releases_give_back(struct db *db, const char *worker_id, int64_t campaign_id, struct buf *why) MUST_USE;

/* What a worker has in memory. */
struct releases_known {
	struct db_array window_campaigns, window_chunks, window_firsts;
	struct db_array retry_campaigns, retry_subscribers;
};

/* After a commit whose result was never heard: gives back what the database has under this worker's name and the worker does not know of:
 * windows other than these, retry rows other than these. */
enum err releases_give_back_unknown(struct db *db, const char *worker_id, const struct releases_known *known,
				    struct buf *why) MUST_USE;

#endif
