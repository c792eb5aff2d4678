/* What came back, counted: people, not messages, and several reports about one copy are one. Beside them how many copies were sent, of which the
 * share is: of campaigns that are over that is kept by list and domain (schema/033), of others it is counted. */
#ifndef STORE_BOUNCE_COUNTS_H
#define STORE_BOUNCE_COUNTS_H

#include "store/db.h"

/* Of one campaign, of one list, or of all (both 0). */
struct bounce_counts_scope {
	uint64_t campaign_id, list_id;
};

/* How far it has come; in people or copies, as far as is known. */
typedef void bounce_counts_progress(void *user, uint64_t done, uint64_t total);

/* First, outside a transaction, since each campaign that is over is added in one of its own: what is kept is brought up to date. However often
 * it is interrupted or run beside itself, each campaign is added once. Errors as db_run(). */
enum err bounce_counts_prepare(struct db *db, const struct bounce_counts_scope *scope, bounce_counts_progress *progress,
			       void *user, struct buf *why) MUST_USE;
/* Then, inside db_begin_snapshot(): counts, into tables of this connection. Failures and complaints; orphans, voided events, delays and automatic
 * replies are left out. */
enum err bounce_counts_collect(struct db *db, const struct bounce_counts_scope *scope, bounce_counts_progress *progress,
			       void *user, struct buf *why) MUST_USE;

struct bounce_count {
	struct view domain;       /* by domain and by both; empty: of people who are gone */
	struct view reason, kind; /* by reason and by both */
	int64_t recipients;
	int64_t sent;     /* copies handed to the relay: of the domain, or of all */
	double share;     /* recipients / sent, 0 to 1 */
	int64_t disabled; /* of them, no longer mailed: disabled or removed */
};
enum bounce_axis { BOUNCE_BY_REASON, BOUNCE_BY_DOMAIN, BOUNCE_BY_BOTH, BOUNCE_AXIS_COUNT };
/* What was collected last, the most recipients first. */
enum err bounce_counts_read(struct db *db, enum bounce_axis axis, struct db_rows **ret_rows, struct buf *why) MUST_USE;
void bounce_count_at(const struct db_rows *rows, size_t row, struct bounce_count *ret_count);

#endif
