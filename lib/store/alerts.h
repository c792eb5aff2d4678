/* What wants a person (schema/056): noticed as often as somebody looks, told once and, while it lasts, again after an interval. */
#ifndef STORE_ALERTS_H
#define STORE_ALERTS_H

#include "store/db.h"

/* Views are borrowed from the rows. */
struct alert {
	struct view kind, subject, said;
	int64_t first_us, last_us;
	int64_t ended_us, told_us; /* 0: it lasts; it was not told */
};

/* What is wrong by the tables: campaigns that wait for a person, held groups, storms, relays. What is not wrong any more has ended. */
enum err alerts_look(struct db *db, struct buf *why) MUST_USE;
/* What somebody has found otherwise, of a kind that has one subject; said empty: nothing is wrong. */
enum err alerts_report(struct db *db, const char *kind, struct view subject, struct view said,
		       struct buf *why) MUST_USE;

/* Those that last, or all: rows for alert_at(). */
enum err alerts_list(struct db *db, bool all, struct db_rows **ret_rows, struct buf *why) MUST_USE;
void alert_at(const struct db_rows *rows, size_t row, struct alert *ret_alert);

/* Inside a transaction: locks one that is to be told and that nobody else is telling, the oldest. ERR_NOT_FOUND without a sentence: none. What is told is
 * told in the same transaction: who dies between has it told again. */
enum err alerts_next(struct db *db, int64_t interval_us, struct db_rows **ret_rows, struct buf *why) MUST_USE;
enum err alerts_told(struct db *db, const struct alert *alert, struct buf *why) MUST_USE;

#endif
