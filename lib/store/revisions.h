/* Reports read again by newer rules: what was stored with its message, and what follows when it means something else now.
 *
 * Each change is kept (bounce_revision, prune_change) under one batch, which prunes_undo() takes back. */
#ifndef STORE_REVISIONS_H
#define STORE_REVISIONS_H

#include "mail/classify.h"
#include "store/verdicts.h"

/* Which reports. Zero: all. */
struct revision_scope {
	int64_t since_us;
	uint64_t campaign_id, list_id;
};

struct revision_counts {
	int64_t messages; /* there to be read */
	int64_t not_kept; /* reports whose message is gone (bounce.keep_raw) */
	int64_t unread;   /* messages that no parser could read: they are left alone */
	int64_t replies;  /* refusals that sender heard: there is no message */
};
enum err revisions_count(struct db *db, const struct revision_scope *scope, struct revision_counts *ret_counts,
			 struct buf *why) MUST_USE;

/* Goes by people, so that all reports about one are in one portion, unless they fill it. Zero: at the beginning. */
struct revision_cursor {
	int64_t subscriber_id, event_id;
};

struct stored_report {
	uint64_t campaign_id, event_id, subscriber_id;
	struct view kind, reason, status, diagnostic;
	struct view message; /* its first LIMIT_INTAKE octets, which are all that is read of it */
};

/* At most `limit` reports behind the cursor, which moves behind them; *ret_count 0: that was all. */
enum err revisions_next(struct db *db, const struct revision_scope *scope, size_t limit, struct revision_cursor *cursor,
			struct db_rows **ret_rows, size_t *ret_count, struct buf *why) MUST_USE;
void stored_report_at(const struct db_rows *rows, size_t row, struct stored_report *ret_report);

struct revision {
	struct stored_report was;
	struct finding now;
};

struct revision_tally {
	size_t revised;    /* reports */
	size_t busy;       /* reports that somebody else had in hand, or changed meanwhile: to be looked at again */
	size_t disabled;   /* memberships that the verdict disables now */
	size_t restored;   /* memberships that it had disabled, or a prune removed for it, and does not any more */
	size_t complaints; /* memberships ended by what is a complaint now */
};

/* For who applies revisions, until his connection ends: nobody else does, and no batch of them is taken back meanwhile. ERR_REFUSED: somebody does. */
enum err revisions_lock(struct db *db, struct buf *why) MUST_USE;
/* The key of the lock, an SQL expression, and what to say when another holds it. */
#define REVISIONS_LOCK "hashtextextended('verpost.revisions', 0)"
#define REVISIONS_BUSY "reports are being read anew by another `listctl bounce reclassify --apply`; wait for its end"
/* Inside the caller's transaction: a batch for what follows. Written to the audit. */
enum err revisions_open(struct db *db, uint64_t list_id, struct view actor, uint64_t *ret_batch,
			struct buf *why) MUST_USE;
/* Inside the caller's transaction, which commits it, or rolls it back when it was only to be seen (batch 0 then). Locks the people concerned,
 * waits for no report that another one holds. Adds to *tally. */
enum err revisions_apply(struct db *db, uint64_t batch, const struct revision *revisions, size_t count,
			 const struct verdict_terms *terms, struct revision_tally *tally, struct buf *why) MUST_USE;
/* The sums, for the audit. */
enum err revisions_close(struct db *db, uint64_t batch, const struct revision_tally *tally, struct view actor,
			 struct buf *why) MUST_USE;

#endif
