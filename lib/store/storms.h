/* Storms as people see and decide them. Seen: store/storm_watch.h; what follows for memberships: store/storm_members.h. */
#ifndef STORE_STORMS_H
#define STORE_STORMS_H

#include "store/storm_members.h"

/* Views are borrowed from the rows. */
struct storm {
	uint64_t id;
	struct view group, reason, said;
	struct view state;                     /* "holding", "void", "applied" */
	int64_t since_us, until_us, opened_us; /* reports of the first to the second are its own */
	int64_t sampled, accepted, copies;     /* by which it was seen */
	int64_t decided_us;                    /* 0: not yet */
	struct view decided_by, decided_why;
	uint64_t batch, applied_batch; /* 0: none */
	bool is_applying;              /* it is applied, but not to everybody yet */
	int64_t reports, people;       /* with_counts */
};

/* Newest first: those that hold, or all. with_counts reads all of their reports. */
enum err storms_list(struct db *db, bool all, bool with_counts, struct db_rows **ret_rows, struct buf *why) MUST_USE;
/* One of them, counted. ERR_NOT_FOUND. */
enum err storms_find(struct db *db, uint64_t id, struct storm *ret_storm, struct db_rows **ret_rows,
		     struct buf *why) MUST_USE;
void storm_at(const struct db_rows *rows, size_t row, struct storm *ret_storm);

/* By campaign: rows (name, reports, people); and some of the newest: rows (event, address, received_at, campaign, diagnostic). */
enum err storms_campaigns(struct db *db, uint64_t id, struct db_rows **ret_rows, struct buf *why) MUST_USE;
enum err storms_examples(struct db *db, uint64_t id, size_t limit, struct db_rows **ret_rows, struct buf *why) MUST_USE;

enum storm_verdict { STORM_VOID, STORM_APPLIED };
const char *storm_verdict_name(enum storm_verdict verdict);

/* In a transaction of its own: decided, and audited. What comes within the window after a first decision belongs to it. Deciding what is decided so
 * changes nothing. The memberships are changed afterwards. */
enum err storms_decide(struct db *db, uint64_t id, enum storm_verdict verdict, struct view because,
		       const struct storm_work *work, struct buf *why) MUST_USE;
/* The portions of an applied storm are through. */
enum err storms_applied(struct db *db, uint64_t id, struct buf *why) MUST_USE;

/* Inside the caller's transaction: whether this batch of a storm can be taken back. ERR_REFUSED: not by undo; `why` names the remedy. */
enum err storms_check_undo(struct db *db, uint64_t batch_id, struct buf *why) MUST_USE;
/* Inside the caller's transaction: the storm that was applied by this batch, if any, holds again. */
enum err storms_reopen(struct db *db, uint64_t batch_id, struct buf *why) MUST_USE;

#endif
