#include "sender/backoff.h"

struct backoff backoff_new(int64_t first_us, int64_t longest_us)
{
	return (struct backoff){ .first_us = first_us, .longest_us = longest_us < first_us ? first_us : longest_us };
}

void backoff_fail(struct backoff *backoff, int64_t now_us)
{
	int64_t wait_us = backoff->wait_us == 0 ? backoff->first_us : backoff->wait_us * 2;
	backoff->wait_us = wait_us < backoff->longest_us ? wait_us : backoff->longest_us;
	backoff->until_us = now_us + backoff->wait_us;
}

void backoff_clear(struct backoff *backoff)
{
	backoff->wait_us = 0;
	backoff->until_us = 0;
}

bool backoff_is_failed(const struct backoff *backoff)
{
	return backoff->wait_us != 0;
}

bool backoff_waits(const struct backoff *backoff, int64_t now_us)
{
	return backoff_is_failed(backoff) && now_us < backoff->until_us;
}
