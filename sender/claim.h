/* Whether a journal that was found is its worker's. A worker is its journal, but a journal can be copied: a folder that was put back, a
 * virtual machine that was cloned or rolled back, a second host. */
#ifndef SENDER_CLAIM_H
#define SENDER_CLAIM_H

#include "sender/journal.h"

enum claim {
	CLAIM_OURS,
	CLAIM_LATER, /* another process may have the worker: once its lease is over, if nothing was heard of it */
	CLAIM_OLD,   /* the database knows more than the journal, and somebody is in the worker's hands */
	CLAIM_VOID,  /* it knows more, and nobody is */
	CLAIM_COUNT
};

/* place: as journal_place(). */
enum claim claim_judge(struct worker_mark mark, struct view place, const struct worker_holder *holder,
		       int64_t lease_us);

/* In a transaction: takes the worker up for this process, and has it stand in the journal before the database is told. ERR_NOT_FOUND: the
 * database does not know it (any more), or it is CLAIM_VOID; ERR_REFUSED: CLAIM_LATER; ERR_INVALID: CLAIM_OLD. */
enum err claim_worker(struct db *db, struct journal *journal, int64_t lease_us, struct buf *why) MUST_USE;

#endif
