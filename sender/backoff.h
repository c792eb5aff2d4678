/* How long something that failed is left alone: a first wait that doubles with each further failure, up to a longest one. */
#ifndef SENDER_BACKOFF_H
#define SENDER_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

struct backoff {
	int64_t first_us, longest_us;
	int64_t wait_us;  /* the last one; 0: it works */
	int64_t until_us; /* monotonic time */
};

struct backoff backoff_new(int64_t first_us, int64_t longest_us);
/* It failed now: waits from now on. */
void backoff_fail(struct backoff *backoff, int64_t now_us);
/* It works. */
void backoff_clear(struct backoff *backoff);
bool backoff_is_failed(const struct backoff *backoff);
/* Failed, and not to be tried yet. */
bool backoff_waits(const struct backoff *backoff, int64_t now_us);

#endif
