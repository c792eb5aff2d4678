#include "listctl/sending_window.h"

#include "base/limits.h"
#include "tests/support/unit.h"

struct row {
	const char *label, *text;
	const char *ranges; /* NULL: refused */
	const char *says;   /* a part of the refusal, or the words */
};

static const struct row rows[] = {
	{ "one day", "mon 08:00-18:00", "[480,1080)", "mon 08:00-18:00" },
	{ "a range of days", "tue-wed 00:00-24:00", "[1440,2880),[2880,4320)", "tue-wed 00:00-24:00" },
	{ "a range over the end of the week", "sun-mon 10:00-11:00", "[600,660),[9240,9300)", "sun-mon 10:00-11:00" },
	{ "a list", "sat,mon 10:00-11:00", "[600,660),[7800,7860)", "sat,mon 10:00-11:00" },
	{ "any case, blanks", "  Mon   08:00-18:00 ", "[480,1080)", "mon   08:00-18:00" },
	{ "over midnight", "mon 22:00-06:00", "[1320,1800)", "mon 22:00-06:00" },
	{ "until midnight", "mon 22:00-00:00", "[1320,1440)", "mon 22:00-00:00" },
	{ "over the end of the week", "sun 22:00-06:00", "[9960,10080),[0,360)", "sun 22:00-06:00" },
	{ "until the end of the week", "sun 22:00-24:00", "[9960,10080)", "sun 22:00-24:00" },
	{ "every day", "12:00-12:01",
	  "[720,721),[2160,2161),[3600,3601),[5040,5041),[6480,6481),[7920,7921),[9360,9361)", "12:00-12:01" },
	{ "never opens", "mon 08:00-08:00", NULL, "never opens" },
	{ "begins at the end of the day", "mon 24:00-06:00", NULL, "is no sending window" },
	{ "an hour that is none", "mon 25:00-26:00", NULL, "is no sending window" },
	{ "a minute that is none", "mon 08:60-09:00", NULL, "is no sending window" },
	{ "after the end of the day", "mon 08:00-24:01", NULL, "is no sending window" },
	{ "one digit, any case", "Mon 8:00-9:30", "[480,570)", "mon 8:00-9:30" },
	{ "no hour", "mon :00-18:00", NULL, "is no sending window" },
	{ "three digits", "mon 008:00-18:00", NULL, "is no sending window" },
	{ "one digit of minutes", "mon 8:0-18:00", NULL, "is no sending window" },
	{ "a day that is none", "lun 08:00-18:00", NULL, "is no sending window" },
	{ "an open range", "mon- 08:00-18:00", NULL, "is no sending window" },
	{ "an empty part", "mon,,tue 08:00-18:00", NULL, "is no sending window" },
	{ "days alone", "mon-fri", NULL, "is no sending window" },
	{ "no end", "mon 08:00", NULL, "is no sending window" },
	{ "a sign", "mon +8:00-18:00", NULL, "is no sending window" },
	{ "nothing", "", NULL, "is no sending window" },
};

START_TEST(windows_are_minutes_of_the_week)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			const struct row *row = &rows[i];
			AUTO_BUF ranges = buf_with_ceiling(LIMIT_WHY);
			AUTO_BUF words = buf_with_ceiling(LIMIT_WHY);
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			enum err err = sending_window_add(view_of(row->text), &ranges, &words, &why);
			ck_row(row->label, err == (row->ranges == NULL ? ERR_INVALID : ERR_OK));
			if (row->ranges == NULL) {
				ck_assert_msg(view_find(buf_view(&why), view_of(row->says)) != VIEW_NONE, "%s: %s",
					      row->label, buf_text(&why));
				ck_row(row->label, ranges.len == 0 && words.len == 0);
				continue;
			}
			ck_view_eq(buf_view(&ranges), row->ranges);
			ck_view_eq(buf_view(&words), row->says);
		}
	}
END_TEST

START_TEST(several_windows_add_up)
	{
		AUTO_BUF ranges = buf_with_ceiling(LIMIT_WHY);
		AUTO_BUF words = buf_with_ceiling(LIMIT_WHY);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert(sending_window_add(VIEW_LIT("mon 08:00-10:00"), &ranges, &words, &why) == ERR_OK);
		ck_assert(sending_window_add(VIEW_LIT("mon 09:00-12:00"), &ranges, &words, &why) == ERR_OK);
		ck_view_eq(buf_view(&ranges), "[480,600),[540,720)");
		ck_view_eq(buf_view(&words), "mon 08:00-10:00; mon 09:00-12:00");
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { windows_are_minutes_of_the_week, several_windows_add_up };
	return suite_of("sending_window", tests, ARRAY_LEN(tests));
}
