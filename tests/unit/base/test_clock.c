#include "base/clock.h"

#include "tests/support/unit.h"

START_TEST(sums_end_with_the_year_9999)
	{
		static const struct {
			const char *label;
			int64_t wall_us, us, after_us;
		} rows[] = {
			{ "usual", 1000, 234, 1234 },
			{ "none", 1000, 0, 1000 },
			{ "the last one", CLOCK_WALL_MOST_US - 1, 1, CLOCK_WALL_MOST_US },
			{ "beyond", CLOCK_WALL_MOST_US, 1, CLOCK_WALL_MOST_US },
			{ "far beyond", 1, INT64_MAX - 1, CLOCK_WALL_MOST_US },
			{ "more than there is", 1000, INT64_MAX, CLOCK_WALL_MOST_US },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			ck_row(rows[i].label, clock_after(rows[i].wall_us, rows[i].us) == rows[i].after_us);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { sums_end_with_the_year_9999 };
	return suite_of("clock", tests, ARRAY_LEN(tests));
}
