#include "listctl/field_date.h"

#include <string.h>

#include "base/clock.h"

enum { NUMBER_MOST = 8, FRACTION_MOST = 9, ZONE_MOST = 14 * 60, MONTHS = 12 };

static const char *const months[MONTHS] = { "january", "february", "march",     "april",   "may",      "june",
					    "july",    "august",   "september", "october", "november", "december" };

bool date_order_from_name(struct view name, enum date_order *ret_order)
{
	static const struct {
		const char *name;
		enum date_order order;
	} names[] = {
		{ "dmy", DATE_ORDER_DAY_FIRST },
		{ "day-first", DATE_ORDER_DAY_FIRST },
		{ "mdy", DATE_ORDER_MONTH_FIRST },
		{ "month-first", DATE_ORDER_MONTH_FIRST },
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (view_eq_nocase(name, view_of(names[i].name))) {
			*ret_order = names[i].order;
			return true;
		}
	}
	return false;
}

/* ---- pieces ---- */

/* *ret_digits is how many there were: 0 for none. */
static int take_number(struct view *text, size_t *ret_digits)
{
	int number = 0;
	size_t at = 0;
	while (at < text->len && at < NUMBER_MOST && text->data[at] >= '0' && text->data[at] <= '9')
		number = number * 10 + (text->data[at++] - '0');
	*text = view_skip(*text, at);
	*ret_digits = at;
	return number;
}

static bool take(struct view *text, char octet)
{
	if (text->len == 0 || text->data[0] != octet)
		return false;
	*text = view_skip(*text, 1);
	return true;
}

static bool take_any(struct view *text, const char *octets, char *ret_octet)
{
	if (text->len == 0 || strchr(octets, text->data[0]) == NULL || text->data[0] == '\0')
		return false;
	*ret_octet = text->data[0];
	*text = view_skip(*text, 1);
	return true;
}

/* A month by its English name or the first three letters. 0: none. */
static int take_month(struct view *text)
{
	size_t len = 0;
	while (len < text->len && ((text->data[len] | 0x20) >= 'a' && (text->data[len] | 0x20) <= 'z'))
		len++;
	struct view word = view_head(*text, len);
	for (int i = 0; i < MONTHS; i++) {
		struct view name = view_of(months[i]);
		if (view_eq_nocase(word, name) || (len == 3 && view_eq_nocase(word, view_head(name, 3)))) {
			*text = view_skip(*text, len);
			if (take(text, '.')) {
				/* "Mar. 4" */
			}
			return i + 1;
		}
	}
	return 0;
}

static bool refuse(struct buf *why, const char *what)
{
	buf_add(why, view_of(what));
	return false;
}

/* ---- the day ---- */

static int days_of(int year, int month)
{
	static const int days[MONTHS] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return month == 2 && leap ? 29 : days[month - 1];
}

/* Two numbers in front of a year: which is the day. */
static bool order_day(int first, int second, char separator, enum date_order order, struct field_date *date,
		      struct buf *why)
{
	bool day_first = separator == '.' || order == DATE_ORDER_DAY_FIRST;
	bool unknown = order == DATE_ORDER_UNKNOWN || order == DATE_ORDER_UNSAYABLE;
	if (separator != '.' && unknown) {
		if (first <= MONTHS && second <= MONTHS && first != second)
			return refuse(why,
				      order == DATE_ORDER_UNKNOWN
					  ? "the date may have its day or its month first; say --date-order dmy or mdy"
					  : "the date may have its day or its month first; write it as 2025-12-31");
		day_first = first > MONTHS;
	}
	date->day = day_first ? first : second;
	date->month = day_first ? second : first;
	return true;
}

/* 2025-03-04, 20250304, and 4/3/2025 */
static bool read_numbers(struct view *text, enum date_order order, struct field_date *date, struct buf *why)
{
	size_t digits, year_digits;
	char separator, again;
	int first = take_number(text, &digits);
	if (digits == 8) {
		date->year = first / 10000;
		date->month = first / 100 % 100;
		date->day = first % 100;
		return true;
	}
	if (!take_any(text, "-/.", &separator))
		return refuse(why, "it is no date; write it as 2025-12-31");
	int second = take_number(text, &year_digits);
	if (year_digits == 0 || year_digits > 2 || !take_any(text, "-/.", &again) || again != separator)
		return refuse(why, "it is no date; write it as 2025-12-31");
	int third = take_number(text, &year_digits);
	if (digits == 4 && year_digits > 0 && year_digits <= 2) {
		date->year = first;
		date->month = second;
		date->day = third;
		return true;
	}
	if (digits > 2 || year_digits != 4)
		return refuse(why, "the year needs four digits; write the date as 2025-12-31");
	date->year = third;
	return order_day(first, second, separator, order, date, why);
}

/* 4 March 2025, 4-Mar-2025, March 4, 2025 */
static bool read_words(struct view *text, struct field_date *date)
{
	size_t digits = 0;
	char separator;
	date->month = take_month(text);
	if (date->month == 0) {
		date->day = take_number(text, &digits);
		if (digits == 0 || digits > 2)
			return false;
		if (take(text, '.')) {
			/* "4. March" */
		}
		if (!take_any(text, " -", &separator)) {
			/* "4March" is understood too */
		}
		date->month = take_month(text);
		if (date->month == 0 || !take_any(text, " -", &separator))
			return false;
	} else {
		if (!take(text, ' '))
			return false;
		date->day = take_number(text, &digits);
		if (digits == 0 || digits > 2)
			return false;
		bool comma = take(text, ',');
		if (!take(text, ' ') && !comma)
			return false;
	}
	date->year = take_number(text, &digits);
	return digits == 4;
}

static bool has_letter_month(struct view text)
{
	size_t digits;
	struct view rest = text;
	int number = take_number(&rest, &digits);
	(void)number;
	while (rest.len > 0 && strchr(". -", rest.data[0]) != NULL && rest.data[0] != '\0')
		rest = view_skip(rest, 1);
	return digits <= 2 && take_month(&rest) != 0;
}

/* ---- the time ---- */

static bool read_zone(struct view *text, struct field_date *date)
{
	char sign;
	size_t digits;
	struct view rest = view_trim(*text);
	if (view_eq_nocase(rest, VIEW_LIT("z")) || view_eq_nocase(rest, VIEW_LIT("utc")) ||
	    view_eq_nocase(rest, VIEW_LIT("gmt"))) {
		date->has_zone = true;
		*text = view_head(*text, 0);
		return true;
	}
	if (!take_any(&rest, "+-", &sign))
		return rest.len == 0;
	int hours = take_number(&rest, &digits);
	int minutes = 0;
	if (digits == 4) {
		minutes = hours % 100;
		hours /= 100;
	} else if (take(&rest, ':')) {
		minutes = take_number(&rest, &digits);
	}
	date->zone_minutes = (hours * 60 + minutes) * (sign == '-' ? -1 : 1);
	date->has_zone = true;
	/* Go's "+0000 UTC", as PostgreSQL's clients print it */
	bool is_over = rest.len == 0 || view_eq_nocase(view_trim(rest), VIEW_LIT("utc"));
	*text = view_head(*text, 0);
	return is_over && hours <= 14 && minutes < 60 && hours * 60 + minutes <= ZONE_MOST;
}

static bool read_half_day(struct view *text, struct field_date *date)
{
	struct view rest = view_trim(*text);
	bool is_pm = view_starts_nocase(rest, VIEW_LIT("pm"));
	if (!is_pm && !view_starts_nocase(rest, VIEW_LIT("am")))
		return true;
	*text = view_skip(rest, 2);
	if (date->hour < 1 || date->hour > 12)
		return false;
	date->hour = date->hour % 12 + (is_pm ? 12 : 0);
	return true;
}

static bool read_time(struct view *text, struct field_date *date)
{
	size_t digits;
	date->has_time = true;
	date->hour = take_number(text, &digits);
	if (digits == 0 || digits > 2 || !take(text, ':'))
		return false;
	date->minute = take_number(text, &digits);
	if (digits != 2)
		return false;
	if (take(text, ':')) {
		date->second = take_number(text, &digits);
		if (digits != 2)
			return false;
		struct view fraction = view_skip(*text, 1);
		if (take(text, '.')) {
			int number = take_number(text, &digits);
			(void)number;
			if (digits == 0)
				return false;
			date->fraction = view_head(fraction, digits < FRACTION_MOST ? digits : FRACTION_MOST);
		}
	}
	if (!read_half_day(text, date))
		return false;
	return date->hour < 24 && date->minute < 60 && date->second < 60 && read_zone(text, date);
}

bool field_date_read(struct view text, enum date_order order, struct field_date *ret_date, struct buf *why)
{
	struct field_date date = { 0 };
	struct view rest = view_trim(text);
	if (has_letter_month(rest)) {
		if (!read_words(&rest, &date))
			return refuse(why, "it is no date; write it as 2025-12-31");
	} else if (!read_numbers(&rest, order, &date, why)) {
		return false;
	}
	if (date.month < 1 || date.month > MONTHS || date.year < 1 || date.day < 1 ||
	    date.day > days_of(date.year, date.month))
		return refuse(why, "there is no such day");
	bool comma = take(&rest, ',');
	if (rest.len > 0) {
		if (!take(&rest, 'T') && !take(&rest, ' ') && !comma)
			return refuse(why, "it is no date; write it as 2025-12-31");
		rest = view_trim(rest);
		if (!read_time(&rest, &date))
			return refuse(why, "its time is none; write it as 2025-12-31 23:59:59");
	}
	*ret_date = date;
	return true;
}

/* ---- out ---- */

void field_date_write(const struct field_date *date, struct buf *out)
{
	buf_addf(out, "%04d-%02d-%02d", date->year, date->month, date->day);
	if (!date->has_time)
		return;
	buf_addf(out, "T%02d:%02d:%02d", date->hour, date->minute, date->second);
	if (date->fraction.len > 0)
		buf_addf(out, "." VIEW_FMT, VIEW_ARG(date->fraction));
	if (!date->has_zone)
		return;
	int minutes = date->zone_minutes < 0 ? -date->zone_minutes : date->zone_minutes;
	if (minutes == 0)
		buf_add_byte(out, 'Z');
	else
		buf_addf(out, "%c%02d:%02d", date->zone_minutes < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

/* Days since 1970-01-01 in the Gregorian calendar, counted from March so that the leap day is a year's last. */
static int64_t days_since_1970(const struct field_date *date)
{
	int64_t year = date->month <= 2 ? date->year - 1 : date->year;
	int64_t month = date->month <= 2 ? date->month + 9 : date->month - 3;
	return year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + date->day - 1 - 719468;
}

int64_t field_date_us(const struct field_date *date)
{
	int64_t seconds =
	    days_since_1970(date) * 86400 + date->hour * 3600 + (date->minute - date->zone_minutes) * 60 + date->second;
	int64_t us = 0;
	for (size_t i = 0; i < 6; i++)
		us = us * 10 + (i < date->fraction.len ? date->fraction.data[i] - '0' : 0);
	return seconds * CLOCK_US_PER_SECOND + us;
}
