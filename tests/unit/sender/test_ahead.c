#include "sender/ahead.h"

#include "base/clock.h"
#include "tests/support/unit.h"

enum { OPENINGS = 200 };

/* A worker sends so many a second, and opens more when a quarter of what it opened is left. */
static size_t settles_at(struct ahead *ahead, unsigned rate, int64_t *now_us)
{
	for (size_t i = 0; i < OPENINGS; i++) {
		*now_us += (int64_t)(ahead->size - ahead->size / 4) * CLOCK_US_PER_SECOND / rate;
		ahead_opened(ahead, *now_us);
		ck_assert_uint_le(ahead->size, ahead->most);
		ck_assert_uint_gt(ahead->size, 0);
	}
	return ahead->size;
}

static const struct row {
	const char *label;
	size_t most;
	unsigned rate;
	size_t at_least, at_most;
} rows[] = {
	{ "slow: the least", 8000, 20, AHEAD_LEAST, AHEAD_LEAST },
	{ "what is sent in about a second at most", 32000, 10000, AHEAD_LEAST, 14000 },
	{ "fast: all that may be", 8000, 60000, 8000, 8000 },
	{ "a setting below the least", 10, 60000, 10, 10 },
	{ "a setting below the least, slow", 10, 1, 10, 10 },
	{ "one", 1, 60000, 1, 1 },
	{ "no power of two between", 1500, 60000, 1500, 1500 },
};

START_TEST(follows_the_rate)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct ahead ahead = ahead_new(rows[i].most);
			int64_t now_us = CLOCK_US_PER_SECOND;
			size_t size = settles_at(&ahead, rows[i].rate, &now_us);
			ck_row(rows[i].label, size >= rows[i].at_least && size <= rows[i].at_most);
		}
	}
END_TEST

START_TEST(shrinks_when_the_relay_gets_slow)
	{
		struct ahead ahead = ahead_new(8000);
		int64_t now_us = 0;
		ck_assert_uint_eq(settles_at(&ahead, 60000, &now_us), 8000);
		ck_assert_uint_eq(settles_at(&ahead, 100, &now_us), AHEAD_LEAST);
		ck_assert_uint_eq(settles_at(&ahead, 60000, &now_us), 8000);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { follows_the_rate, shrinks_when_the_relay_gets_slow };
	return suite_of("ahead", tests, ARRAY_LEN(tests));
}
