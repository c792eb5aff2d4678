/* What a report is made of: copies of the campaigns that it is about, counted in one pass over the ledger together with what came back, so that
 * every number of a report is a sum over the same rows. What is read of them: store/report_facts.h.
 *
 * A copy counts once, by the gravest report about it: hard before complaint before soft, then the first. Orphans, voided reports, delays and automatic
 * replies are left out. */
#ifndef STORE_REPORT_COPIES_H
#define STORE_REPORT_COPIES_H

#include "store/db.h"

/* Which copies. Zero and empty: all. */
struct report_scope {
	uint64_t campaign_id, list_id; /* of a list: those that went through it */
	struct view group;             /* the name of a domain group, or a domain in A-labels */
	int64_t since_us;              /* of campaigns that started since */
	int64_t window_us;             /* bounce.window: an accepted copy without a report for so long has arrived */
};

/* How far it has come, in people. */
typedef void report_progress(void *user, uint64_t done, uint64_t total);

/* First, outside a transaction: the tables of this connection that the copies are counted into. Errors as db_run(). */
enum err report_copies_prepare(struct db *db, struct buf *why) MUST_USE;
/* Then, inside db_begin_snapshot(). ERR_NOT_FOUND: scope->group is no group, and no domain that a member has. */
enum err report_copies_collect(struct db *db, const struct report_scope *scope, report_progress *progress, void *user,
			       struct buf *why) MUST_USE;

#endif
