#include "mail/date.h"

#include <time.h>

#include "base/clock.h"

static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

enum { FIRST_YEAR = 1900, LAST_YEAR = 9999 };

enum err date_write(int64_t us, struct buf *out)
{
	/* Towards the past, before 1970 too: a date must not depend on the sign. */
	time_t seconds = (time_t)(us / CLOCK_US_PER_SECOND - (us % CLOCK_US_PER_SECOND < 0));
	struct tm tm;
	if (gmtime_r(&seconds, &tm) == NULL || tm.tm_year < 0 || tm.tm_year > LAST_YEAR - FIRST_YEAR)
		return ERR_INVALID;
	/* Not strftime(), whose names follow the locale. */
	return buf_addf(out, "%s, %d %s %d %02d:%02d:%02d +0000", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
			tm.tm_year + FIRST_YEAR, tm.tm_hour, tm.tm_min, tm.tm_sec);
}
