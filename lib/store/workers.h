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

/* By what the row and the journal of a worker know each other again. */
struct worker_mark {
	int64_t epoch; /* how often a process has taken the journal up */
	int64_t turn;  /* how many transactions the worker has written */
};

/* Who has a worker's row, for one that would take it up. */
struct worker_holder {
	struct worker_mark mark;
	bool is_running; /* its process did not end in order */
	bool has_opened; /* somebody is in its hands */
	int64_t quiet_us, pid;
	struct view host, journal, place; /* borrowed from the rows; place: empty when not known */
};
/* Locks the worker's row to the end of the transaction. ERR_NOT_FOUND: it was forgotten: its journal is void. */
enum err workers_holder(struct db *db, const char *id, struct worker_holder *ret_holder, struct db_rows **ret_rows,
			struct buf *why) MUST_USE;
/* From now on the worker is who writes under this mark: whoever had it stops at his next statement. */
enum err workers_take(struct db *db, const char *id, struct worker_mark mark, struct buf *why) MUST_USE;

struct worker_start {
	const char *id;
	struct worker_mark mark; /* of a new one; of another one, as it was taken */
	struct view host, journal, place;
	int64_t pid;
};
/* Adds the worker or says that it lives again. */
enum err workers_start(struct db *db, const struct worker_start *start, struct buf *why) MUST_USE;

/* A process as the holder of a worker. */
struct worker_tenure {
	const char *id;
	struct worker_mark mark;
	bool is_over; /* another process has taken the worker up */
};
/* Says that it lives. ERR_NOT_FOUND, here and below: it was forgotten, or the tenure is over; its journal must not be used any more. */
enum err workers_seen(struct db *db, struct worker_tenure *tenure, struct buf *why) MUST_USE;
/* Whether the tenure goes on; and what the database's clock shows. */
enum err workers_check(struct db *db, struct worker_tenure *tenure, int64_t *ret_shown_us, struct buf *why) MUST_USE;
/* The latter alone. */
enum err workers_clock(struct db *db, int64_t *ret_shown_us, struct buf *why) MUST_USE;
/* The first statement of each transaction, which then is one turn more. is_unsure: the commit of the one before was not answered. */
enum err workers_write(struct db *db, struct worker_tenure *tenure, bool is_unsure, struct buf *why) MUST_USE;
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
