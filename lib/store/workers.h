/* The workers of all hosts. A worker is its journal: a process that continues a journal is the same worker. */
#ifndef STORE_WORKERS_H
#define STORE_WORKERS_H

#include "store/db.h"

struct worker_row {
	struct view id, host, journal;
	int64_t pid; /* 0: stopped */
	int64_t started_us, seen_us;
	int64_t windows, opened; /* windows held; recipients in them and in the retry queue without an end */
};

/* Adds the worker or says that it lives again. */
enum err workers_start(struct db *db, const char *id, struct view host, struct view journal, int64_t pid,
		       struct buf *why) MUST_USE;
/* Says that it lives. ERR_NOT_FOUND: it was forgotten, and its journal must not be used any more. */
enum err workers_seen(struct db *db, const char *id, struct buf *why) MUST_USE;
/* Says that it stopped with nothing in hand. */
enum err workers_stop(struct db *db, const char *id, struct buf *why) MUST_USE;

/* Its journal was found and cannot be used: why, for people. Until it starts again. */
enum err workers_refuse(struct db *db, const char *id, struct view reason, struct buf *why) MUST_USE;

/* A worker that holds anything says more often than this that it lives: one that does not is dead, or its host is. */
enum { WORKERS_ALIVE_S = 15 };
/* How many messages it still has under way of campaigns that it leaves; what was said before of a campaign no longer holds.
 * releases_give_back() forgets it. */
enum err workers_leave(struct db *db, const char *id, const struct db_array *campaign_ids,
		       const struct db_array *messages, struct buf *why) MUST_USE;

/* All of them, the one seen longest ago first; see workers_get(). */
enum err workers_list(struct db *db, struct db_rows **ret_rows, struct buf *why) MUST_USE;
struct worker_row workers_get(const struct db_rows *rows, size_t row);

/* Whether workers_forget() would refuse now, and why. */
enum err workers_may_forget(struct db *db, const char *id, int64_t quiet_us, struct buf *why) MUST_USE;
/* In one transaction: the worker's host is lost with its journal. Whom it had opened without an end comes in doubt, is named in `doubt`
 * (decision "forgotten") and is sent to again, or held, as the campaign says; the worker's row goes. ERR_NOT_FOUND; ERR_REFUSED when it was
 * seen less than quiet_us ago. */
enum err workers_forget(struct db *db, const char *id, int64_t quiet_us, int64_t *ret_doubtful,
			struct buf *why) MUST_USE;

#endif
