#include "listctl/schedule.h"

#include "base/clock.h"
#include "base/limits.h"
#include "tests/support/unit.h"

struct local_row {
	const char *label, *text, *local; /* local NULL: refused */
};

static const struct local_row locals[] = {
	{ "minutes", "2026-12-24 18:00", "2026-12-24 18:00:00" },
	{ "seconds", "2026-12-24 18:00:59", "2026-12-24 18:00:59" },
	{ "ISO 8601's T", "2026-12-24T18:00", "2026-12-24 18:00:00" },
	{ "blanks around", " 2026-12-24 18:00 ", "2026-12-24 18:00:00" },
	{ "the first minute", "2026-12-24 00:00", "2026-12-24 00:00:00" },
	{ "the last second", "2026-12-24 23:59:59", "2026-12-24 23:59:59" },
	{ "the end of a day", "2026-12-24 24:00", NULL },
	{ "sixty minutes", "2026-12-24 18:60", NULL },
	{ "a leap second", "2026-12-24T18:00:60", NULL },
	{ "a day alone", "2026-12-24", NULL },
	{ "an instant", "2026-12-24 18:00Z", NULL },
	{ "another order", "24.12.2026 18:00", NULL },
	{ "a letter", "2026-12-24 18:0o", NULL },
	{ "nothing", "", NULL },
};

START_TEST(local_times_have_one_form)
	{
		for (size_t i = 0; i < ARRAY_LEN(locals); i++) {
			const struct local_row *row = &locals[i];
			AUTO_BUF local = buf_with_ceiling(64);
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			enum err err = schedule_read_local(view_of(row->text), &local, &why);
			ck_row(row->label, err == (row->local == NULL ? ERR_INVALID : ERR_OK));
			ck_row(row->label, (why.len > 0) == (row->local == NULL));
			if (row->local != NULL)
				ck_view_eq(buf_view(&local), row->local);
		}
	}
END_TEST

struct offset_row {
	const char *label, *text;
	bool valid;
	int seconds;
	const char *written;
};

static const struct offset_row offsets[] = {
	{ "east", "+07:00", true, 25200, "+07:00" },
	{ "west", "-03:30", true, -12600, "-03:30" },
	{ "hours alone", "+7", true, 25200, "+07:00" },
	{ "two digits", "+07", true, 25200, "+07:00" },
	{ "four digits", "-0930", true, -34200, "-09:30" },
	{ "UTC", "Z", true, 0, "+00:00" },
	{ "no sign", "07:00", false, 0, NULL },
	{ "too far", "+16:00", false, 0, NULL },
	{ "sixty minutes", "+07:60", false, 0, NULL },
	{ "three digits", "+730", false, 0, NULL },
	{ "a sign alone", "+", false, 0, NULL },
};

START_TEST(offsets_both_ways)
	{
		for (size_t i = 0; i < ARRAY_LEN(offsets); i++) {
			const struct offset_row *row = &offsets[i];
			int seconds = 1;
			ck_row(row->label, schedule_read_offset(view_of(row->text), &seconds) == row->valid);
			ck_row(row->label, seconds == (row->valid ? row->seconds : 1));
			AUTO_BUF written = buf_with_ceiling(16);
			schedule_write_offset(seconds, &written);
			if (row->valid)
				ck_view_eq(buf_view(&written), row->written);
		}
	}
END_TEST

/* Noon UTC of day 20,000, which two offsets may read. */
#define NOON (INT64_C(20000) * CLOCK_US_PER_DAY + CLOCK_US_PER_DAY / 2)
#define HOUR (INT64_C(3600) * CLOCK_US_PER_SECOND)

static const struct zone_readings plain = {
	.zone = "Test/Plain", .at = { { NOON, 7200, true, "2024-10-04 14:00:00" } }, .count = 1, .exact = true
};
static const struct zone_readings fold = { .zone = "Test/Fold",
					   .at = { { NOON, 7200, true, "2024-10-04 14:00:00" },
						   { NOON + HOUR, 3600, true, "2024-10-04 14:00:00" } },
					   .count = 2,
					   .exact = true };
static const struct zone_readings gap = { .zone = "Test/Gap",
					  .at = { { NOON, 7200, false, "2024-10-04 13:00:00" },
						  { NOON + HOUR, 3600, false, "2024-10-04 15:00:00" } },
					  .count = 2,
					  .exact = false };

struct choice_row {
	const char *label;
	const struct zone_readings *readings;
	int offset; /* NO_OFFSET: none given */
	int64_t now_us;
	int64_t instant_us; /* 0: refused */
	const char *says;
};

enum { NO_OFFSET = 1 };

static const struct choice_row choices[] = {
	{ "one instant", &plain, NO_OFFSET, NOON - 1, NOON, NULL },
	{ "its own offset", &plain, 7200, NOON - 1, NOON, NULL },
	{ "another offset", &plain, 3600, NOON - 1, 0, "not at offset +01:00" },
	{ "now is too late", &plain, NO_OFFSET, NOON, 0, "in the past" },
	{ "shown twice", &fold, NO_OFFSET, 0, 0,
	  "twice; say which is meant: --offset +02:00 (2024-10-04 12:00:00 UTC) or" },
	{ "the first of two", &fold, 7200, 0, NOON, NULL },
	{ "the second of two", &fold, 3600, 0, NOON + HOUR, NULL },
	{ "the first has passed", &fold, 7200, NOON + 1, 0, "in the past" },
	{ "never shown", &gap, NO_OFFSET, 0, 0, "never" },
	{ "never shown, and said how to read it", &gap, 3600, 0, NOON + HOUR, NULL },
};

START_TEST(choices_are_one_instant_or_refused)
	{
		for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
			const struct choice_row *row = &choices[i];
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			struct zone_reading reading = { .instant_us = -1 };
			enum err err = schedule_choose(row->readings, VIEW_LIT("2024-10-04 14:00:00"),
						       row->offset == NO_OFFSET ? NULL : &row->offset, row->now_us,
						       &reading, &why);
			ck_row(row->label, err == (row->instant_us == 0 ? ERR_INVALID : ERR_OK));
			ck_row(row->label, reading.instant_us == (row->instant_us == 0 ? -1 : row->instant_us));
			if (row->says != NULL)
				ck_assert_msg(view_find(buf_view(&why), view_of(row->says)) != VIEW_NONE, "%s: %s",
					      row->label, buf_text(&why));
		}
	}
END_TEST

START_TEST(a_time_far_ahead_is_refused)
	{
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert(schedule_check_ahead("--at", VIEW_LIT("x"), NOON + SCHEDULE_AHEAD_US, NOON, &why) == ERR_OK);
		ck_assert(schedule_check_ahead("--at", VIEW_LIT("x"), NOON + SCHEDULE_AHEAD_US + 1, NOON, &why) ==
			  ERR_INVALID);
		ck_view_eq(buf_view(&why), "--at x is more than a hundred years ahead");
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { local_times_have_one_form, offsets_both_ways, choices_are_one_instant_or_refused,
				       a_time_far_ahead_is_refused };
	return suite_of("schedule", tests, ARRAY_LEN(tests));
}
