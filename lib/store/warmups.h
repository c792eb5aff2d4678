/* Warm-up: a daily number of messages for a relay, a domain group, both or all mail, that grows until nothing holds it. */
#ifndef STORE_WARMUPS_H
#define STORE_WARMUPS_H

#include "store/db.h"

/* Views from warmups_get() are borrowed from its rows. */
struct warmup_row {
	struct view relay, group; /* empty: any */
	int64_t first, until;     /* messages of the first day; the number at which it ends */
	double growth;            /* a day's number, times the day's before */
	int64_t day;              /* 1: the first one */
	int64_t today;            /* today's number; -1: it has ended */
	int64_t used;             /* of it */
};

/* Sets it, from today on, in place of what was set for the same; only relay, group, first, until and growth are read. ERR_NOT_FOUND: no
 * such relay or group. ERR_REFUSED: until is not more than first. */
enum err warmups_set(struct db *db, const struct warmup_row *row, struct buf *why) MUST_USE;
/* ERR_NOT_FOUND. */
enum err warmups_remove(struct db *db, struct view relay, struct view group, struct buf *why) MUST_USE;
enum err warmups_list(struct db *db, struct db_rows **ret_rows, struct buf *why) MUST_USE;
struct warmup_row warmups_get(const struct db_rows *rows, size_t row);

#endif
