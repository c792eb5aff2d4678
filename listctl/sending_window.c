#include "listctl/sending_window.h"

#include <assert.h>

enum { DAYS = 7, DAY = 24 * 60, WEEK = DAYS * DAY };

static const char *const day_names[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
static_assert(ARRAY_LEN(day_names) == DAYS, "one name per day");

static bool read_day(struct view text, size_t *ret_day)
{
	for (size_t i = 0; i < DAYS; i++) {
		if (view_eq_nocase(text, view_of(day_names[i]))) {
			*ret_day = i;
			return true;
		}
	}
	return false;
}

/* "mon" or "fri-mon" */
static bool read_part(struct view part, bool days[DAYS])
{
	size_t first, last;
	size_t dash = view_find_byte(part, '-');
	if (!read_day(dash == VIEW_NONE ? part : view_head(part, dash), &first))
		return false;
	last = first;
	if (dash != VIEW_NONE && !read_day(view_skip(part, dash + 1), &last))
		return false;
	for (size_t day = first;; day = (day + 1) % DAYS) {
		days[day] = true;
		if (day == last)
			return true;
	}
}

static bool read_days(struct view text, bool days[DAYS])
{
	struct view part;
	while (view_cut(&text, ',', &part)) {
		if (!read_part(part, days))
			return false;
	}
	return true;
}

static bool is_number(struct view text, size_t least, size_t most)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	}
	return text.len >= least && text.len <= most;
}

/* Up to `most` minutes of the day. */
static bool read_time(struct view text, uint64_t most, uint64_t *ret_minute)
{
	uint64_t hour, minute;
	size_t colon = view_find_byte(text, ':');
	if (colon == VIEW_NONE || !is_number(view_head(text, colon), 1, 2) ||
	    !is_number(view_skip(text, colon + 1), 2, 2) || !view_to_u64(view_head(text, colon), 24, &hour) ||
	    !view_to_u64(view_skip(text, colon + 1), 59, &minute) || hour * 60 + minute > most)
		return false;
	*ret_minute = hour * 60 + minute;
	return true;
}

static bool read_times(struct view text, uint64_t *ret_from, uint64_t *ret_until)
{
	size_t dash = view_find_byte(text, '-');
	return dash != VIEW_NONE && read_time(view_head(text, dash), DAY - 1, ret_from) &&
	       read_time(view_skip(text, dash + 1), DAY, ret_until);
}

static void add_range(uint64_t from, uint64_t until, struct buf *ranges)
{
	buf_addf(ranges, "%s[%u,%u)", ranges->len > 0 ? "," : "", (unsigned)from, (unsigned)until);
}

static void add_day(uint64_t from, uint64_t until, struct buf *ranges)
{
	add_range(from, until < WEEK ? until : WEEK, ranges);
	if (until > WEEK)
		add_range(0, until - WEEK, ranges);
}

static enum err refuse(struct view text, struct buf *why)
{
	buf_addf(why,
		 "\"" VIEW_FMT "\" is no sending window; write it as \"mon-fri 08:00-18:00\", \"sat,sun 10:00-12:30\" "
		 "or, for every day, \"22:00-06:00\"",
		 VIEW_ARG(text));
	return ERR_INVALID;
}

enum err sending_window_add(struct view text, struct buf *ranges, struct buf *words, struct buf *why)
{
	bool days[DAYS] = { 0 };
	uint64_t from, until;
	struct view written = view_trim(text);
	size_t blank = view_find_byte(written, ' ');
	struct view times = blank == VIEW_NONE ? written : view_trim(view_skip(written, blank));
	if (!read_days(blank == VIEW_NONE ? VIEW_LIT("mon-sun") : view_head(written, blank), days) ||
	    !read_times(times, &from, &until))
		return refuse(text, why);
	if (from == until) {
		buf_addf(why,
			 "the sending window \"" VIEW_FMT
			 "\" never opens: it ends when it begins; the whole day is 00:00-24:00",
			 VIEW_ARG(written));
		return ERR_INVALID;
	}
	for (size_t day = 0; day < DAYS; day++) {
		if (days[day])
			add_day(day * DAY + from, day * DAY + until + (until < from ? DAY : 0), ranges);
	}
	buf_addf(words, words->len > 0 ? "; " : "");
	for (size_t i = 0; i < written.len; i++)
		buf_add_byte(words, written.data[i] >= 'A' && written.data[i] <= 'Z' ? (char)(written.data[i] + 32)
										     : written.data[i]);
	return buf_err(ranges) != ERR_OK ? buf_err(ranges) : buf_err(words);
}
