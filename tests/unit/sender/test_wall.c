#include "sender/wall.h"

#include "base/clock.h"
#include "tests/support/unit.h"

START_TEST(an_offset_that_may_be_right_is_kept)
	{
		static const struct row {
			const char *label;
			int64_t asked_us, heard_us, shown_us, wall_at_0;
		} rows[] = {
			{ "first", 100, 120, 1110, 1000 },
			{ "within", 200, 220, 1201, 1000 },
			{ "slow answer", 300, 900, 1890, 1000 },
			{ "ahead", 1000, 1010, 2030, 1020 },
			{ "behind", 1100, 1110, 2000, 900 },
			{ "an hour ahead", 1200, 1210, INT64_C(3600001200), INT64_C(3599999990) },
		};
		struct wall wall = { 0 };
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			wall_hear(&wall, rows[i].asked_us, rows[i].heard_us, rows[i].shown_us);
			ck_assert_msg(wall_at(&wall, 0) == rows[i].wall_at_0, "%s: %lld", rows[i].label,
				      (long long)wall_at(&wall, 0));
		}
	}
END_TEST

START_TEST(a_clock_apart_is_told_once)
	{
		static const struct row {
			const char *label;
			int64_t ahead_s;
			bool is_told;
		} rows[] = {
			{ "together", 0, false },     { "a little", 5, false }, { "ahead", 6, true },
			{ "still ahead", 60, false }, { "again", -5, false },   { "behind", -6, true },
		};
		struct wall wall = { 0 };
		wall_hear(&wall, 0, 0, 1000);
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			int64_t ahead_us = 0, told_us = rows[i].ahead_s * CLOCK_US_PER_SECOND;
			ck_assert_msg(wall_gets_apart(&wall, 50, 1050 + told_us, &ahead_us) == rows[i].is_told, "%s",
				      rows[i].label);
			ck_assert_msg(ahead_us == (rows[i].is_told ? told_us : 0), "%s", rows[i].label);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { an_offset_that_may_be_right_is_kept, a_clock_apart_is_told_once };
	return suite_of("wall", tests, ARRAY_LEN(tests));
}
