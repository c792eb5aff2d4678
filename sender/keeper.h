/* A worker's journal while it works: each intent before the content leaves, each outcome when it is known, so that a death in between loses
 * nobody. Once it cannot be written, nothing may be sent any more. */
#ifndef SENDER_KEEPER_H
#define SENDER_KEEPER_H

#include "sender/journal.h"
#include "sender/queue.h"

struct keeper {
	/* borrowed */
	struct journal *journal;
	const struct queue *queue;
	bool has_failed;  /* given up: nothing may be sent */
	uint64_t checked; /* what keeper_check_size() was last asked for */
};

/* Gathers a record. False: it could not be kept, and the keeper has given up. */
bool keeper_note(struct keeper *keeper, enum journal_kind kind, const struct ledger_row *row);
/* Gathers what the worker is about to write to the database under. False as above. */
bool keeper_announce(struct keeper *keeper, struct worker_mark mark);
/* What was gathered is written: only then may content leave. False: not, and the keeper has given up. */
bool keeper_flush(struct keeper *keeper);
/* Before a flush: what still matters is written anew when much of the journal does not. */
void keeper_rewrite_when_worn(struct keeper *keeper);
/* Nothing may be sent any more; logs the event once. */
void keeper_give_up(struct keeper *keeper, const char *event, struct view why);

/* How many messages may be in hand at once, whatever their records hold. */
uint64_t keeper_messages(const struct keeper *keeper);
/* For another message beside those in hand. */
bool keeper_has_room(const struct keeper *keeper);
/* The relays may have so many messages in hand: logs, once for each number, when the journal holds them back. */
void keeper_check_size(struct keeper *keeper, uint64_t messages);

#endif
