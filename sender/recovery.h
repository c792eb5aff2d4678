/* From a journal that was left behind to the database: what its worker knew and had not written. */
#ifndef SENDER_RECOVERY_H
#define SENDER_RECOVERY_H

#include "mail/classify.h"
#include "sender/journal.h"
#include "sender/setup.h"
#include "sender/wall.h"

/* What a journal says of each recipient in the end; see sender/journal.h. Begins zeroed. */
struct recovered {
	struct ledger_row *rows; /* outcomes, and intents as IN_DOUBT; views borrow from the journal */
	bool *is_outcome;
	size_t count, room;
};
/* A journal_told for journal_read(); owner is a struct recovered. ERR_MEMORY. */
enum err recovered_fold(void *owner, const struct journal_record *record) MUST_USE;
void recovered_done(struct recovered *recovered);

struct recovery {
	const struct setup *setup;
	const struct classifier *classifier;
	struct db *db;
	const struct wall *wall;
};

/* A journal for the worker in this slot: its own of last time with all that stood in it brought into the database, or a new one.
 * Beside it, slot 0 clears the journals of slots that no longer exist. A journal that is damaged is named in the log and left.
 * The worker is in the database then. ERR_UNAVAILABLE: the database went away: try again. */
enum err recovery_adopt(const struct recovery *recovery, unsigned slot, struct journal **ret_journal,
			struct buf *why) MUST_USE;

#endif
