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
 * time and the campaign that decided. Locks them first. Doing it again changes nothing. *ret_disabled counts memberships. The next statement of the
 * transaction, or its commit, tells if that fails (db_run_later()). */
enum err verdicts_judge(struct db *db, const int64_t *subscriber_ids, size_t count, const struct verdict_terms *terms,
			size_t *ret_disabled, struct buf *why) MUST_USE;
/* The same in two steps, for who locks them by a statement of his own: their evidence, which is read in the round trip of that statement and sees
 * what it did; then the verdict over those of them who are to be judged. The caller releases *ret_evidence with db_rows_done(). */
enum err verdicts_gather(struct db *db, const struct db_call *lock, const int64_t *subscriber_ids, size_t count,
			 struct db_rows **ret_evidence, struct buf *why) MUST_USE;
enum err verdicts_pass(struct db *db, const struct db_rows *evidence, const int64_t *subscriber_ids, size_t count,
		       const struct verdict_terms *terms, size_t *ret_disabled, struct buf *why) MUST_USE;

/* What the evidence says about one person now. */
struct verdict_history {
	int64_t subscriber_id;
	const struct attempt *attempts; /* since the oldest failure, oldest first */
	size_t count;
	size_t active;          /* memberships of theirs */
	struct verdict verdict; /* by the policy in force */
};

/* Who is condemned, why, and by the report about which campaign: one element a person. */
struct verdict_sentences {
	struct db_array subscribers, reasons, campaigns;
	size_t memberships; /* active ones of theirs */
};
struct verdict_sentences verdict_sentences(void);
void verdict_sentences_done(struct verdict_sentences *sentences);
/* Only who is condemned and has an active membership. An error is sticky in the arrays: verdicts_disable() returns it. */
void verdict_sentences_add(struct verdict_sentences *sentences, const struct verdict_history *history);

/* Changes and locks nothing: tells the history of each of these subscribers that has a failure, in the order of their ids. */
enum err verdicts_read(struct db *db, const int64_t *subscriber_ids, size_t count, const struct verdict_terms *terms,
		       void (*told)(void *user, const struct verdict_history *history), void *user,
		       struct buf *why) MUST_USE;
/* The same of evidence that the caller has read (store/suspects.h). */
enum err verdicts_tell(const struct db_rows *evidence, const struct verdict_terms *terms,
		       void (*told)(void *user, const struct verdict_history *history), void *user) MUST_USE;
/* These people's active memberships are disabled: the verdicts that were told, for who has locked them. As verdicts_judge(). */
enum err verdicts_disable(struct db *db, const struct verdict_sentences *sentences, int64_t now_us,
			  struct buf *why) MUST_USE;

#endif
