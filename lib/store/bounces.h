/* What came back: the events of bounce_event and the messages beside them. An event is stored once, however often the same report
 * comes; it counts when the ledger shows the attempt it is about, and waits until then. */
#ifndef STORE_BOUNCES_H
#define STORE_BOUNCES_H

#include "mail/classify.h"
#include "store/db.h"
#include "store/verdicts.h"

enum bounce_source {
	BOUNCE_FROM_REPLY,  /* a 5xx that sender heard */
	BOUNCE_FROM_REPORT, /* a message that bounced received */
	BOUNCE_FROM_INGEST, /* a message given to `listctl bounce ingest` */
	BOUNCE_SOURCE_COUNT
};

enum { BOUNCE_HASH_SIZE = 32 };

/* All views are borrowed for the call; text is UTF-8 without NUL. */
struct bounce_event {
	uint64_t campaign_id, subscriber_id; /* from the token or the ledger, never from an address in a report */
	unsigned char report_hash[BOUNCE_HASH_SIZE]; /* intake_hash(), or bounces_reply_hash() */
	enum bounce_source source;
	int64_t received_us;
	struct finding finding;
	struct view diagnostic;
	struct view recipient, reporting_mta; /* empty: not known */
	struct view message;                  /* the returned message, kept for bounce.keep_raw; empty: none */
};

/* What bounces_append() or bounces_settle() did. */
struct bounces_tally {
	size_t stored;     /* events that are new; the others were there already */
	size_t orphans;    /* of these: campaign or subscriber gone, or never sent to; counts for nothing */
	size_t waiting;    /* of these: the ledger row has not come yet; bounces_settle() will see to them */
	size_t complaints; /* of these: people unsubscribed everywhere and suppressed */
	size_t disabled;   /* memberships that the verdict disabled */
};

/* The hash of a refusal that sender heard: the same attempt with the same reply gives the same hash. */
enum err bounces_reply_hash(uint64_t campaign_id, uint64_t subscriber_id, unsigned attempt, struct view reply,
			    unsigned char ret_hash[BOUNCE_HASH_SIZE]) MUST_USE;

/* Inside the caller's transaction, after the ledger rows that belong to it: stores the events, obeys complaints, and judges the
 * people whose attempts failed. Locks the subscribers concerned (see verdicts_lock()). Errors as db_run(). */
enum err bounces_append(struct db *db, const struct bounce_event *events, size_t count,
			const struct verdict_terms *terms, struct bounces_tally *ret_tally, struct buf *why) MUST_USE;

/* Where bounces_settle() goes on; zero: at the beginning. */
struct bounces_cursor {
	int64_t campaign_id, event_id;
};

/* In one transaction of its own: looks at up to limit events behind the cursor that wait for their ledger row, and judges those
 * whose row has come. The cursor moves on, and back to the beginning after the last. tally->waiting: how many of those looked
 * at still wait; stored stays 0. */
enum err bounces_settle(struct db *db, size_t limit, const struct verdict_terms *terms, struct bounces_cursor *cursor,
			struct bounces_tally *ret_tally, struct buf *why) MUST_USE;

/* Removes up to limit returned messages stored before then. */
enum err bounces_purge_messages(struct db *db, int64_t before_us, size_t limit, size_t *ret_removed,
				struct buf *why) MUST_USE;

#endif
