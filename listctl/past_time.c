#include "listctl/past_time.h"

#include <time.h>

#include "base/clock.h"
#include "base/settings.h"

/* "2026-11-01", the beginning of that day in UTC; never 0, which would be no day. */
static bool read_day(struct view text, int64_t *ret_us)
{
	uint64_t year, month, day;
	struct view part[3];
	for (size_t i = 0; i < ARRAY_LEN(part); i++) {
		if (!view_cut(&text, '-', &part[i]))
			return false;
	}
	if (text.len > 0 || !view_to_u64(part[0], 9999, &year) || !view_to_u64(part[1], 12, &month) ||
	    !view_to_u64(part[2], 31, &day) || year < 1970)
		return false;
	struct tm date = { .tm_year = (int)year - 1900, .tm_mon = (int)month - 1, .tm_mday = (int)day };
	time_t seconds = timegm(&date);
	if (date.tm_mday != (int)day) /* there is no 31st of that month */
		return false;
	*ret_us = seconds == 0 ? 1 : (int64_t)seconds * CLOCK_US_PER_SECOND;
	return true;
}

bool past_time_read(struct view text, int64_t *ret_day_us, int64_t *ret_span_us)
{
	int64_t day_us = 0, span_us = 0;
	if (!settings_span(text, &span_us) && !read_day(text, &day_us))
		return false;
	*ret_day_us = day_us;
	*ret_span_us = span_us;
	return true;
}
