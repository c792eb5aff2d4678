/* Pruning: memberships that the verdict disabled are removed in batches, each of which can be seen before and undone after.
 *
 * prune: disabled -> removed. undo: removed -> active when a bounce verdict had disabled it (its events up to the batch are voided, so that
 * the verdict does not disable it again), else back to what it was. Memberships and reports of a reclassification go back to what they were, as do memberships of an
 * applied storm, which holds its reports again. */
#ifndef STORE_PRUNES_H
#define STORE_PRUNES_H

#include "store/candidates.h"

/* Inside the transaction of candidates_hold(): removes the candidates as one batch. *ret_batch is 0 and nothing is written when there
 * are none. */
enum err prunes_remove(struct db *db, uint64_t list_id, const struct db_rows *candidates, struct view actor,
		       uint64_t *ret_batch, size_t *ret_removed, struct buf *why) MUST_USE;

/* ---- batches ---- */

struct prune_batch {
	uint64_t id;
	int64_t created_us, undone_us; /* undone 0: not */
	struct view actor, list;       /* list empty: all */
	int64_t removed, restored;     /* memberships that it changed, and those that have been put back */
	struct view
	    kind; /* "prune", "reclassify" (store/revisions.h), "storm" that was applied, or "storm-restored" (store/storms.h) */
};
/* Newest first. */
enum err prunes_batches(struct db *db, struct db_rows **ret_rows, struct buf *why) MUST_USE;
/* One of them. ERR_NOT_FOUND. */
enum err prunes_batch(struct db *db, uint64_t batch_id, struct prune_batch *ret_batch, struct db_rows **ret_rows,
		      struct buf *why) MUST_USE;
void prune_batch_at(const struct db_rows *rows, size_t row, struct prune_batch *ret_batch);

/* What a batch changed, and why each change can not be undone (obstacle empty: it can). */
struct prune_change {
	uint64_t list_id, subscriber_id;
	struct view list, address, reason, obstacle;
	struct view restored_to; /* the state that undo gives: "active", or what it was */
	bool restored;           /* it has been undone */
};
enum err prunes_changes(struct db *db, uint64_t batch_id, struct db_rows **ret_rows, struct buf *why) MUST_USE;
void prune_change_at(const struct db_rows *rows, size_t row, struct prune_change *ret_change);

/* Inside the caller's transaction. ERR_REFUSED: reports are being read anew, or another batch has read some of this one's anew since, or it is what a storm has
 * restored; `why` says what to
 * do. prunes_undo() asks it too. */
enum err prunes_check_undo(struct db *db, uint64_t batch_id, struct buf *why) MUST_USE;
/* Inside the caller's transaction: restores what can be, and marks the batch undone. *ret_rows: every change as it was found, for
 * prune_change_at(); those without an obstacle have been restored. Doing it again restores what has become possible. */
enum err prunes_undo(struct db *db, uint64_t batch_id, struct view actor, size_t *ret_restored,
		     struct db_rows **ret_rows, struct buf *why) MUST_USE;

#endif
