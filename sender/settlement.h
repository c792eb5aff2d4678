/* Outcomes on their way into the database: ledger and retry queue, and for a refusal that counts against the address, the evidence and
 * the verdict, in the caller's transaction. */
#ifndef SENDER_SETTLEMENT_H
#define SENDER_SETTLEMENT_H

#include "mail/classify.h"
#include "sender/setup.h"
#include "store/ledger.h"

struct settlement {
	const struct setup *setup;
	const struct classifier *classifier;
	const char *worker_id;
	int64_t now_us; /* wall clock */
	bool is_apart;  /* row by row: the database has refused all of them together */
};

/* Apart, a row that the database refuses is written without what it may have refused (ledger_plain()), and told. recipients: the addresses of the rows in the same order, or NULL when they are not known any more. *ret_disabled: memberships that a
 * verdict has disabled. Errors as db_run(). */
enum err settlement_write(const struct settlement *settlement, struct db *db, const struct ledger_row *rows,
			  const struct view *recipients, size_t count, size_t *ret_disabled, struct buf *why) MUST_USE;

#endif
