/* What the files of exchange share and nobody else includes: exchange.c decides what is due and asks beside the transaction,
 * exchange_transaction.c is the one transaction. */
#ifndef SENDER_EXCHANGE_PRIVATE_H
#define SENDER_EXCHANGE_PRIVATE_H

#include "sender/ahead.h"
#include "sender/backoff.h"
#include "sender/exchange.h"
#include "sender/leaving.h"
#include "sender/opener.h"
#include "sender/settlement.h"
#include "sender/tally.h"

struct exchange {
	struct exchange_parts parts;
	struct settlement settlement;
	struct opener opener;
	struct ahead ahead;
	struct leaving leaving;
	struct worker_tenure tenure;
	struct backoff backoff;
	bool is_away;
	bool is_unsure; /* a commit was not answered: the database may hold what we do not know of */
	int64_t states_us, ledger_us, tally_us, doubtful_us, beat_us; /* when each is to be done next */
	int64_t heard_us;          /* when the states were last asked for that came */
	int64_t cpu_us;            /* spent in transactions */
	int64_t version, followed; /* of what sending has to follow: as last heard, and as it is followed */
	struct tally_sum tallies;
	struct ledger_row *rows;
	struct view *recipients, *groups;
	size_t row_count, row_room;
};

/* ---- exchange.c ---- */

/* What sending has to follow is read again when its version is another one. */
enum err exchange_follow(struct exchange *exchange, struct buf *why) MUST_USE;

/* ---- exchange_transaction.c ---- */

/* Takes what is settled to the ledger, closes and opens windows, lets go of what leaves; then memory follows. On failure nothing has
 * changed. */
enum err exchange_transact(struct exchange *exchange, const struct exchange_turn *turn, struct buf *why) MUST_USE;

bool exchange_is_tally_due(const struct exchange *exchange, const struct exchange_turn *turn);
/* Of a campaign that leaves nothing is in hand any more. */
bool exchange_any_leaves(const struct exchange *exchange);
/* Stopping, and nothing is in hand any more. */
bool exchange_is_last(const struct exchange *exchange, const struct exchange_turn *turn);
bool exchange_has_room(const struct exchange *exchange);
bool exchange_may_open(const struct exchange *exchange, const struct exchange_turn *turn);

#endif
