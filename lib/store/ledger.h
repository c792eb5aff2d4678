/* What became of each recipient: the ledger (one row at the end), the retry queue and the doubtful. Writing the same outcome again
 * changes nothing, so a worker may repeat what it does not know to be committed.
 *
 * All calls are made inside the caller's transaction. Errors as db_run(). */
#ifndef STORE_LEDGER_H
#define STORE_LEDGER_H

#include "store/db.h"
#include "store/openings.h"

enum ledger_outcome {
	LEDGER_ACCEPTED,
	LEDGER_REFUSED,
	LEDGER_EXPIRED,
	LEDGER_SKIPPED,
	LEDGER_DEFERRED, /* to the retry queue */
	LEDGER_IN_DOUBT, /* its final dot was sent and no reply was read */
	LEDGER_PARKED,   /* to the retry queue untried: its destination is full, closed or held */
	LEDGER_HELD,     /* has been in doubt, and is not sent to again: in doubt, for a person to settle */
	LEDGER_OUTCOME_COUNT
};

/* All views are borrowed for the call; text is UTF-8 without NUL. */
struct ledger_row {
	int64_t campaign_id, subscriber_id;
	enum ledger_outcome outcome;
	unsigned attempts; /* with the one this is about; LEDGER_SKIPPED, LEDGER_PARKED and LEDGER_HELD: made before */
	int64_t at_us;     /* when the last attempt ended, or the skip was decided */
	unsigned code;     /* 0: none */
	bool from_queue;   /* it was, or may have been, opened from the retry queue */
	struct view status, reason, reply; /* empty: none */
	struct view relay;                 /* by whose word; empty: not known, or nobody's */
	/* for LEDGER_DEFERRED and LEDGER_IN_DOUBT; of all the variant, and of ends after several attempts the first one */
	int64_t first_attempt_us,
	    next_attempt_us; /* IN_DOUBT: when to send again, should the campaign say so and it be the first doubt */
	struct copy_terms terms;
	struct view connection; /* LEDGER_IN_DOUBT: which connection, for a person */
	struct view
	    waits_for; /* LEDGER_PARKED: a key of store/budgets.h, or "hold:GROUP": without a time, while the group is held */
};

/* Ends (the first four) and moves (the rest) in one go. What another worker has in hand is left alone. Of somebody who was erased no reply is kept. */
enum err ledger_append(struct db *db, const char *worker_id, const struct ledger_row *rows, size_t count,
		       struct buf *why) MUST_USE;

/* ---- where the database refuses a row ---- */

/* Whether that failure of the transaction is about the values of some row: others beside it can be written. */
bool ledger_is_refusal(const struct db *db, enum err err);
/* A mark in the transaction; back to it, which makes the transaction usable again after such a failure; or no need of it any more. */
enum err ledger_mark(struct db *db, struct buf *why) MUST_USE;
enum err ledger_take_back(struct db *db, struct buf *why) MUST_USE;
enum err ledger_release(struct db *db, struct buf *why) MUST_USE;
/* What of a refused row can be written in any case: who, what came of it and of how many attempts; as of now, and with somebody who waits, until
 * next_us. */
struct ledger_row ledger_plain(const struct ledger_row *row, int64_t now_us, int64_t next_us);
const char *ledger_outcome_name(enum ledger_outcome outcome);

#endif
