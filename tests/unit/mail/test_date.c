#include "mail/date.h"

#include "base/clock.h"
#include "tests/support/unit.h"

struct row {
	const char *label;
	int64_t us;
	const char *text; /* NULL: refused */
};

static const struct row rows[] = {
	{ "the epoch", 0, "Thu, 1 Jan 1970 00:00:00 +0000" },
	{ "one digit day", INT64_C(1767311999) * CLOCK_US_PER_SECOND, "Thu, 1 Jan 2026 23:59:59 +0000" },
	{ "two digit day", INT64_C(1795325761) * CLOCK_US_PER_SECOND, "Sun, 22 Nov 2026 05:36:01 +0000" },
	{ "microseconds are cut", INT64_C(1795325761999999), "Sun, 22 Nov 2026 05:36:01 +0000" },
	{ "leap day", INT64_C(951782400) * CLOCK_US_PER_SECOND, "Tue, 29 Feb 2000 00:00:00 +0000" },
	{ "just before the epoch", -1, "Wed, 31 Dec 1969 23:59:59 +0000" },
	{ "last second", INT64_C(253402300799) * CLOCK_US_PER_SECOND, "Fri, 31 Dec 9999 23:59:59 +0000" },
	{ "year 10000", INT64_C(253402300800) * CLOCK_US_PER_SECOND, NULL },
	{ "year 1899", INT64_C(-2208988801) * CLOCK_US_PER_SECOND, NULL },
	{ "the largest number", INT64_MAX, NULL },
	{ "the smallest number", INT64_MIN, NULL },
};

START_TEST(dates)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF out = buf_with_ceiling(64);
			enum err err = date_write(rows[i].us, &out);
			ck_row(rows[i].label, err == (rows[i].text == NULL ? ERR_INVALID : ERR_OK));
			ck_view_eq(buf_view(&out), rows[i].text == NULL ? "" : rows[i].text);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { dates };
	return suite_of("date", tests, ARRAY_LEN(tests));
}
