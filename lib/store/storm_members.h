/* What storms do to memberships: those that their reports have disabled, or a prune removed for it, are restored while they hold or are void, and
 * disabled when they are applied. In portions, each a transaction; one that is cut off is gone on with by whoever comes next. */
#ifndef STORE_STORM_MEMBERS_H
#define STORE_STORM_MEMBERS_H

#include "store/id_list.h"
#include "store/verdicts.h"

typedef void storm_members_progress(void *user, uint64_t done, uint64_t total);

struct storm_work {
	const struct verdict_terms *terms;
	struct view actor;
	const char *
	    dry; /* NULL, or the state in which the storm is tried: each portion is rolled back, to see what would be */
	storm_members_progress *progress;
	void *progress_user;
};

struct storm_done {
	size_t memberships; /* restored, or disabled */
	uint64_t batch;     /* that keeps them; 0: none yet */
};

/* Restores for one storm, whatever its state is: the caller knows that its reports do not count. Who is condemned by something else stays out. What is
 * already done is passed over. */
enum err storm_members_restore(struct db *db, uint64_t storm_id, const struct storm_work *work,
			       struct storm_done *ret_done, struct buf *why) MUST_USE;
/* For all storms that hold reports just now. */
enum err storm_members_restore_all(struct db *db, const struct verdict_terms *terms, struct view actor,
				   struct buf *why) MUST_USE;
/* Judges everybody whom a report of this applied storm is about, from where an earlier run was cut off. */
enum err storm_members_apply(struct db *db, uint64_t storm_id, const struct storm_work *work,
			     struct storm_done *ret_done, struct buf *why) MUST_USE;

#endif
