/* A worker's dealings with the database. One short transaction at a time takes the settled recipients to the ledger, closes their
 * windows and opens new ones; beside it the states of campaigns are asked for, and recipients that wait too long are checked
 * again. Calls block; what is under way at the relay goes on in the kernel.
 *
 * While the database is away everything stays as it is, in memory and in the journal, nothing is begun, and the exchange tries again with
 * growing waits. */
#ifndef SENDER_EXCHANGE_H
#define SENDER_EXCHANGE_H

#include "sender/pacer.h"
#include "sender/queue.h"
#include "sender/relays.h"
#include "sender/setup.h"
#include "sender/wall.h"

struct exchange;

struct exchange_parts {
	const struct setup *setup;
	const struct classifier *classifier;
	const char *worker_id;
	const struct journal *journal;
	struct db *db;
	struct queue *queue;
	struct pacer *pacer;
	struct runs *runs;
	struct relays *relays;
	struct wall *wall; /* set by what the database's clock shows */
};

/* Borrows all parts. */
enum err exchange_new(const struct exchange_parts *parts, struct exchange **ret_exchange) MUST_USE;
void exchange_done(struct exchange *exchange); /* accepts NULL */

struct exchange_turn {
	int64_t boot_us, wall_us;
	bool is_stopping;   /* opens nothing; gives all back when nobody is in hand */
	bool needs_recheck; /* somebody waits whose check is too old */
};

/* What has come of a turn. */
struct exchange_result {
	bool is_committed; /* all that was settled is in the database */
	bool is_over;      /* stopping, and nothing is left */
	bool is_forgotten; /* the worker's row is gone: nothing may be sent or written any more */
	bool is_replaced;  /* another process has taken the worker up: likewise */
	bool is_next;      /* a transaction is due and is to stand in the journal before it: announced */
	struct worker_mark announced;
};

/* Does what is due now. Failures are logged and tried again. */
struct exchange_result exchange_take_turn(struct exchange *exchange, const struct exchange_turn *turn);

/* Microseconds of processor time spent in transactions so far: claiming, expanding, the ledger. */
int64_t exchange_cpu(const struct exchange *exchange);
/* Whether the states of the campaigns were heard so lately that messages may be begun: a pause is obeyed within a second. */
bool exchange_may_begin(const struct exchange *exchange, int64_t boot_us);
bool exchange_is_away(const struct exchange *exchange);
/* What was last tried has failed, for whatever reason. */
bool exchange_is_failing(const struct exchange *exchange);
/* How long the worker may sleep at most. */
int64_t exchange_wait(const struct exchange *exchange, bool is_stopping, int64_t boot_us);

#endif
