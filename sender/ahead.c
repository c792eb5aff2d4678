#include "sender/ahead.h"

#include "base/clock.h"

/* Gone sooner than this, they were too few; they lasted longer than that, and were too many. */
#define SOON_US (INT64_C(200) * CLOCK_US_PER_MS)
#define LONG_US CLOCK_US_PER_SECOND

static size_t least(const struct ahead *ahead)
{
	return ahead->most < AHEAD_LEAST ? ahead->most : AHEAD_LEAST;
}

struct ahead ahead_new(size_t most)
{
	struct ahead ahead = { .most = most };
	ahead.size = least(&ahead);
	return ahead;
}

void ahead_opened(struct ahead *ahead, int64_t now_us)
{
	int64_t lasted_us = now_us - ahead->opened_us;
	size_t size = ahead->size;
	if (lasted_us < SOON_US)
		size = size > ahead->most / 2 ? ahead->most : size * 2;
	else if (lasted_us > LONG_US)
		size = size / 2 < least(ahead) ? least(ahead) : size / 2;
	ahead->size = size;
	ahead->opened_us = now_us;
}
