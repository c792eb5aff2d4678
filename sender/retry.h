/* When a temporarily refused recipient is tried again, and when it is given up. */
#ifndef SENDER_RETRY_H
#define SENDER_RETRY_H

#include "base/buf.h"

enum { RETRY_WAITS = 32 };

struct retry {
	int64_t waits_us[RETRY_WAITS]; /* before the second, third ... attempt; the last one repeats */
	size_t count;
	int64_t expire_us; /* after the first attempt */
};

/* "5m 15m 30m 2h": ERR_INVALID when a word is no time, is zero, or there are none or too many. */
enum err retry_parse(struct view text, int64_t expire_us, struct retry *ret_retry, struct buf *why) MUST_USE;

/* When to try again after the attempt that ended now; 0: never, it has expired. expire_us: after the first attempt; 0: as in retry. The last wait is cut so that a last attempt is made when it
 * expires. attempts: made so far, at least 1. */
int64_t retry_next(const struct retry *retry, int64_t expire_us, unsigned attempts, int64_t first_attempt_us,
		   int64_t now_us);
/* Sooner than that (next_us): after first_us, twice as long with each attempt. */
int64_t retry_sooner(int64_t first_us, unsigned attempts, int64_t now_us, int64_t next_us);

#endif
