/* A worker's count of what became of messages, by campaign and group, until it is in the database; see store/tallies.h. Pure. */
#ifndef SENDER_TALLY_H
#define SENDER_TALLY_H

#include "store/ledger.h"
#include "store/tallies.h"

enum { TALLY_ROWS_MOST = 256 };

/* Begins zeroed. */
struct tally_sum {
	struct tally rows[TALLY_ROWS_MOST];
	size_t count;
};

/* Counts an end or a move of the ledger; parked, skipped and doubtful ones count for nothing. The group's name is borrowed until the sum is
 * emptied. What finds no room is left out: a breaker goes by shares. */
void tally_note(struct tally_sum *sum, const struct ledger_row *row, struct view group);
/* Whether it is counted as a hard refusal. */
bool tally_is_hard(const struct ledger_row *row);

#endif
