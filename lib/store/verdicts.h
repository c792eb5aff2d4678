/* The verdict over a membership: the attempts of its address over all lists, judged by the policy of its list. Called
 * by everyone who stores evidence (sender, bounced, listctl), inside the transaction that stores it. */
#ifndef STORE_VERDICTS_H
#define STORE_VERDICTS_H

#include "mail/policy.h"
#include "store/db.h"
#include "store/policies.h"
#include "store/storm_terms.h"

/* Times in microseconds. */
struct verdict_terms {
	int64_t now_us;    /* wall clock */
	int64_t window_us; /* bounce.window: an accepted message without a report for so long has arrived */
	int64_t life_us;   /* bounce.token_life: a report that comes later than this after sending decides nothing */
	int64_t since_us;  /* what was sent before counts for nothing; 0: everything counts */
	const struct policies *policies; /* NULL: those in force, read from the database when a list has one */
	struct storm_terms storms;       /* for who stores reports */
};

/* Locks these subscribers until the end of the transaction, in the order of their ids, so that two who judge the same person come one
 * after the other. Who also changes other people in the same transaction locks them all in one call, before anything else.
 * Ids that do not exist are passed over; order and repetition do not matter. Errors as db_run(). */
enum err verdicts_lock(struct db *db, const int64_t *subscriber_ids, size_t count, struct buf *why) MUST_USE;

/* Judges these subscribers by all evidence visible now: memberships that are active move to disabled, with the reason, the
 * time and the campaign that decided; who is to be probed first (mail/policy.h) stays, and the letter is asked for. Locks them first. Doing it again changes nothing. *ret_disabled counts memberships. The next statement of the
 * transaction, or its commit, tells if that fails (db_run_later()). */
enum err verdicts_judge(struct db *db, const int64_t *subscriber_ids, size_t count, const struct verdict_terms *terms,
			size_t *ret_disabled, struct buf *why) MUST_USE;
/* The same in two steps, for who locks them by a statement of his own: their evidence, which is read in the round trip of that statement and sees
 * what it did; then the verdict over those of them who are to be judged. The caller releases *ret_evidence with db_rows_done(). */
enum err verdicts_gather(struct db *db, const struct db_call *lock, const int64_t *subscriber_ids, size_t count,
			 struct db_rows **ret_evidence, struct buf *why) MUST_USE;
enum err verdicts_pass(struct db *db, const struct db_rows *evidence, const int64_t *subscriber_ids, size_t count,
		       const struct verdict_terms *terms, size_t *ret_disabled, struct buf *why) MUST_USE;

/* What the evidence says about one membership, by its list's policy. */
struct list_verdict {
	int64_t list_id;
	bool is_active;
	struct verdict verdict;
};

/* What the evidence says about one person now. */
struct verdict_history {
	int64_t subscriber_id;
	const struct attempt *attempts; /* since the oldest failure, oldest first */
	size_t count;
	const struct list_verdict *lists; /* in the order of their ids */
	size_t list_count;
	struct verdict
	    verdict; /* of the list that is nearest to losing them, an active membership first; by the default policy without a list */
	const struct policy *policy; /* that gave it */
};

/* Which memberships are condemned, why, and by the report about which campaign: an element each. */
struct verdict_sentences {
	struct db_array subscribers, lists, reasons, campaigns;
};
struct verdict_sentences verdict_sentences(void);
void verdict_sentences_done(struct verdict_sentences *sentences);
/* Those memberships that are condemned, with only_active those that are active; false: there is none. An error is sticky in the arrays:
 * verdicts_disable() returns it. */
bool verdict_sentences_add(struct verdict_sentences *sentences, const struct verdict_history *history,
			   bool only_active);
/* Those active ones that a probe keeps from being condemned: it has to be sent, or is under way. */
bool verdict_sentences_add_waiting(struct verdict_sentences *sentences, const struct verdict_history *history);
size_t verdict_sentences_count(const struct verdict_sentences *sentences);

/* Changes and locks nothing: tells the history of each of these subscribers that has a failure, in the order of their ids. */
enum err verdicts_read(struct db *db, const int64_t *subscriber_ids, size_t count, const struct verdict_terms *terms,
		       void (*told)(void *user, const struct verdict_history *history), void *user,
		       struct buf *why) MUST_USE;
/* The same of evidence that the caller has read (store/suspects.h). */
enum err verdicts_tell(struct db *db, const struct db_rows *evidence, const struct verdict_terms *terms,
		       void (*told)(void *user, const struct verdict_history *history), void *user,
		       struct buf *why) MUST_USE;
/* Asks for the probes of those who wait for one and have none, for who has locked them. *ret_asked counts them. */
enum err verdicts_ask_probes(struct db *db, const struct verdict_sentences *waiting, size_t *ret_asked,
			     struct buf *why) MUST_USE;
/* These memberships, as far as they are active, are disabled: the verdicts that were told, for who has locked them. As verdicts_judge(). */
enum err verdicts_disable(struct db *db, const struct verdict_sentences *sentences, int64_t now_us,
			  struct buf *why) MUST_USE;

#endif
