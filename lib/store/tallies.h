/* What became of a campaign's messages, minute by minute and group by group, for the breakers; and the groups that a breaker holds. A
 * tally is for shares: a commit that is repeated may count something twice. The ledger never does. */
#ifndef STORE_TALLIES_H
#define STORE_TALLIES_H

#include "store/db.h"

struct tally {
	int64_t campaign_id;
	struct view group; /* empty: domains in none */
	int64_t accepted;
	int64_t hard;   /* for good, for the address's own reasons */
	int64_t policy; /* because of us */
	int64_t soft;   /* put off, or for other reasons */
	int64_t complaints;
};

/* Inside the caller's transaction, under this minute. source: a worker. */
enum err tallies_add(struct db *db, const char *source, const struct tally *tallies, size_t count,
		     struct buf *why) MUST_USE;

/* What came back: reports just stored, in the caller's transaction, whose next statement tells of a failure (db_run_later()). */
enum tally_kind { TALLY_HARD, TALLY_POLICY, TALLY_SOFT, TALLY_COMPLAINT, TALLY_KIND_COUNT };
struct tally_report {
	int64_t campaign_id, subscriber_id;
	enum tally_kind kind;
};
enum err tallies_add_reports(struct db *db, const struct tally_report *reports, size_t count, struct buf *why) MUST_USE;

/* When a breaker trips: a share in thousandths, and at least so many within the window. What the relay refused is a share of what ended
 * within it; reports come late, so with them it is a share of all that was sent so far. A share of 0: never. */
struct tally_limit {
	uint64_t share, least;
};
struct tally_terms {
	int64_t window_us;
	struct tally_limit hard, policy, complaints;
};

struct tally_tripped {
	int64_t campaign_id;
	struct view group; /* empty: the whole campaign */
	struct view reason;
};

/* In a transaction of its own: groups of running campaigns whose share is too large are held, and campaigns, counted without the groups that
 * are, paused; with audit rows. Calls told() for each. No membership is touched. */
enum err tallies_trip(struct db *db, const struct tally_terms *terms,
		      void (*told)(void *user, const struct tally_tripped *tripped), void *user,
		      struct buf *why) MUST_USE;

/* The word of a worker's own breaker, inside the caller's transaction: that group of a running campaign is held, with an audit row. *ret_held
 * is false when it was before, or the campaign does not run. */
enum err tallies_hold(struct db *db, int64_t campaign_id, struct view group, struct view reason, bool *ret_held,
		      struct buf *why) MUST_USE;

/* Tallies from before then are forgotten, save how many a campaign that goes on had accepted: reports come for those still. */
enum err tallies_purge(struct db *db, int64_t before_us, struct buf *why) MUST_USE;

/* ---- held groups ---- */

/* All of running and paused campaigns: rows (campaign, group). */
enum err tallies_holds(struct db *db, struct db_rows **ret_rows, struct buf *why) MUST_USE;

/* Of one campaign; for holds_at(). */
enum err holds_of(struct db *db, uint64_t campaign_id, struct db_rows **ret_rows, struct buf *why) MUST_USE;
struct held_group {
	struct view group, reason;
	int64_t since_us, waiting; /* recipients that wait for it */
};
void holds_at(const struct db_rows *rows, size_t row, struct held_group *ret_held);

/* A person lifts it: in a transaction of its own, whom it parked may go, its tallies begin anew. ERR_NOT_FOUND: it is not held; `why` names those
 * that are. */
enum err holds_lift(struct db *db, struct view campaign, struct view group, struct view actor, size_t *ret_freed,
		    struct buf *why) MUST_USE;

#endif
