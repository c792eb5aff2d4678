/* The verdict over an address: its attempts over all lists, judged by lib/mail/policy, and what follows for its memberships. Called
 * by everyone who stores evidence (sender, bounced, listctl), inside the transaction that stores it. */
#ifndef STORE_VERDICTS_H
#define STORE_VERDICTS_H

#include "mail/policy.h"
#include "store/db.h"

/* Times in microseconds. */
struct verdict_terms {
	int64_t now_us;    /* wall clock */
	int64_t window_us; /* bounce.window: an accepted message without a report for so long has arrived */
	int64_t life_us;   /* bounce.token_life: a report that comes later than this after sending decides nothing */
};

/* Locks these subscribers until the end of the transaction, in the order of their ids, so that two who judge the same person come one
 * after the other. Who also changes other people in the same transaction locks them all in one call, before anything else.
 * Ids that do not exist are passed over; order and repetition do not matter. Errors as db_run(). */
enum err verdicts_lock(struct db *db, const int64_t *subscriber_ids, size_t count, struct buf *why) MUST_USE;

/* Judges these subscribers by all evidence visible now: memberships that are active move to disabled, with the reason, the
 * time and the campaign that decided. Locks them first. Doing it again changes nothing. *ret_disabled counts memberships. */
enum err verdicts_judge(struct db *db, const int64_t *subscriber_ids, size_t count, const struct verdict_terms *terms,
			size_t *ret_disabled, struct buf *why) MUST_USE;
/* The same for people whom an earlier statement of this transaction has locked. */
enum err verdicts_judge_locked(struct db *db, const int64_t *subscriber_ids, size_t count,
			       const struct verdict_terms *terms, size_t *ret_disabled, struct buf *why) MUST_USE;

/* What the evidence says about one person now. */
struct verdict_history {
	int64_t subscriber_id;
	const struct attempt *attempts; /* since the oldest failure, oldest first */
	size_t count;
	struct verdict verdict; /* by the policy in force */
};

/* Changes and locks nothing: tells the history of each of these subscribers that has a failure, in the order of their ids. */
enum err verdicts_read(struct db *db, const int64_t *subscriber_ids, size_t count, const struct verdict_terms *terms,
		       void (*told)(void *user, const struct verdict_history *history), void *user,
		       struct buf *why) MUST_USE;

#endif
