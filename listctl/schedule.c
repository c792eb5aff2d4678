#include "listctl/schedule.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- reading ---- */

/* 9: a digit; anything else stands for itself. */
static bool has_shape(struct view text, const char *shape)
{
	if (text.len != strlen(shape))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		bool digit = text.data[i] >= '0' && text.data[i] <= '9';
		if (shape[i] == '9' ? !digit : text.data[i] != shape[i])
			return false;
	}
	return true;
}

/* Of a time of one of the shapes. PostgreSQL would take 24:00 and second 60 for the next day and minute. */
static bool is_of_a_day(struct view time)
{
	static const uint64_t most[] = { 23, 59, 59 };
	uint64_t number;
	for (size_t i = 0; i * 3 < time.len; i++) {
		if (!view_to_u64(view_head(view_skip(time, i * 3), 2), most[i], &number))
			return false;
	}
	return true;
}

enum err schedule_read_local(struct view text, struct buf *ret_local, struct buf *why)
{
	static const char *const shapes[] = { "9999-99-99 99:99", "9999-99-99 99:99:99", "9999-99-99T99:99",
					      "9999-99-99T99:99:99" };
	text = view_trim(text);
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		if (!has_shape(text, shapes[i]))
			continue;
		if (!is_of_a_day(view_skip(text, 11))) {
			buf_addf(why,
				 "there is no time \"" VIEW_FMT
				 "\": a day has 00:00:00 to 23:59:59, and ends with 00:00 of the next",
				 VIEW_ARG(text));
			return ERR_INVALID;
		}
		buf_add(ret_local, view_head(text, 10));
		buf_add_byte(ret_local, ' ');
		buf_add(ret_local, view_skip(text, 11));
		if (text.len == 16)
			buf_add(ret_local, VIEW_LIT(":00"));
		return buf_err(ret_local);
	}
	buf_addf(why, "\"" VIEW_FMT "\" is no date and time; write it as 2026-12-24 18:00", VIEW_ARG(text));
	return ERR_INVALID;
}

bool schedule_read_offset(struct view text, int *ret_offset_s)
{
	if (view_eq(text, VIEW_LIT("Z"))) {
		*ret_offset_s = 0;
		return true;
	}
	if (text.len < 2 || (text.data[0] != '+' && text.data[0] != '-'))
		return false;
	struct view digits = view_skip(text, 1);
	uint64_t hours, minutes = 0;
	bool whole = has_shape(digits, "9") || has_shape(digits, "99");
	bool colon = has_shape(digits, "99:99");
	if (!whole && !colon && !has_shape(digits, "9999"))
		return false;
	if (!view_to_u64(view_head(digits, whole ? digits.len : 2), 15, &hours))
		return false;
	if (!whole && !view_to_u64(view_skip(digits, colon ? 3 : 2), 59, &minutes))
		return false;
	int seconds = (int)(hours * 3600 + minutes * 60);
	*ret_offset_s = text.data[0] == '-' ? -seconds : seconds;
	return true;
}

/* ---- writing ---- */

void schedule_write_offset(int offset_s, struct buf *out)
{
	int size = abs(offset_s);
	buf_addf(out, "%c%02d:%02d", offset_s < 0 ? '-' : '+', size / 3600, size / 60 % 60);
}

void schedule_write_instant(int64_t instant_us, struct buf *out)
{
	time_t seconds = (time_t)(instant_us / CLOCK_US_PER_SECOND);
	struct tm parts;
	if (gmtime_r(&seconds, &parts) == NULL)
		return;
	buf_addf(out, "%04d-%02d-%02d %02d:%02d:%02d UTC", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
		 parts.tm_hour, parts.tm_min, parts.tm_sec);
}

void schedule_write_span(int64_t us, struct buf *out)
{
	int64_t seconds = llabs(us) / CLOCK_US_PER_SECOND;
	buf_addf(out, us < 0 ? "-" : "");
	if (seconds >= 86400)
		buf_addf(out, "%lld d %lld h", (long long)(seconds / 86400), (long long)(seconds / 3600 % 24));
	else if (seconds >= 3600)
		buf_addf(out, "%lld h %lld min", (long long)(seconds / 3600), (long long)(seconds / 60 % 60));
	else if (seconds >= 60)
		buf_addf(out, "%lld min", (long long)(seconds / 60));
	else
		buf_addf(out, "%lld s", (long long)seconds);
}

/* "--offset +02:00 ( 2026-10-25 00:30:00 UTC)" for each reading. */
static void list_readings(const struct zone_readings *readings, struct buf *why)
{
	for (size_t i = 0; i < readings->count; i++) {
		const struct zone_reading *reading = &readings->at[i];
		buf_addf(why, i == 0 ? "" : i + 1 == readings->count ? " or " : ", ");
		buf_addf(why, "--offset ");
		schedule_write_offset(reading->offset_s, why);
		buf_addf(why, " (");
		schedule_write_instant(reading->instant_us, why);
		if (!reading->exact)
			buf_addf(why, ", when the clocks show %s", reading->shows);
		buf_addf(why, ")");
	}
}

/* ---- choosing ---- */

static enum err refuse_reading(const struct zone_readings *readings, struct view local, struct buf *why)
{
	if (readings->exact)
		buf_addf(why, "the clocks of %s show " VIEW_FMT " twice; say which is meant: ", readings->zone,
			 VIEW_ARG(local));
	else
		buf_addf(why,
			 "the clocks of %s never show " VIEW_FMT
			 ", they are set forward over it; choose another time or say which is meant: ",
			 readings->zone, VIEW_ARG(local));
	list_readings(readings, why);
	return ERR_INVALID;
}

static const struct zone_reading *with_offset(const struct zone_readings *readings, int offset_s)
{
	for (size_t i = 0; i < readings->count; i++) {
		if (readings->at[i].offset_s == offset_s)
			return &readings->at[i];
	}
	return NULL;
}

static enum err refuse_offset(const struct zone_readings *readings, int offset_s, struct buf *why)
{
	buf_addf(why, "%s is not at offset ", readings->zone);
	schedule_write_offset(offset_s, why);
	buf_addf(why, " then; possible: ");
	list_readings(readings, why);
	return ERR_INVALID;
}

static enum err refuse_past(const struct zone_readings *readings, const struct zone_reading *reading, struct view local,
			    int64_t now_us, struct buf *why)
{
	buf_addf(why, VIEW_FMT " in %s is in the past: it was ", VIEW_ARG(local), readings->zone);
	schedule_write_instant(reading->instant_us, why);
	buf_addf(why, " and now it is ");
	schedule_write_instant(now_us, why);
	buf_addf(why, "; `listctl campaign start` starts at once");
	return ERR_INVALID;
}

enum err schedule_choose(const struct zone_readings *readings, struct view local, const int *offset_s, int64_t now_us,
			 struct zone_reading *ret_reading, struct buf *why)
{
	const struct zone_reading *chosen = NULL;
	if (offset_s != NULL) {
		chosen = with_offset(readings, *offset_s);
		if (chosen == NULL)
			return refuse_offset(readings, *offset_s, why);
	} else if (!readings->exact || readings->count != 1) {
		return refuse_reading(readings, local, why);
	} else {
		chosen = &readings->at[0];
	}
	if (chosen->instant_us <= now_us)
		return refuse_past(readings, chosen, local, now_us, why);
	*ret_reading = *chosen;
	return ERR_OK;
}

enum err schedule_choose_local(const struct zone_readings *readings, struct view local, int64_t now_us,
			       struct zone_reading *ret_reading, struct buf *why)
{
	/* By instant: of a time shown twice the last one is the second, and a skipped one read with the offset before is later. */
	const struct zone_reading *last = &readings->at[readings->count - 1];
	if (last->instant_us <= now_us)
		return refuse_past(readings, last, local, now_us, why);
	*ret_reading = *last;
	return ERR_OK;
}

enum err schedule_choose_end(const struct zone_readings *readings, struct view local, int64_t *ret_end_us,
			     struct buf *why)
{
	if (!readings->exact) {
		buf_addf(why,
			 "the clocks of %s never show " VIEW_FMT ", they are set forward over it; choose another time",
			 readings->zone, VIEW_ARG(local));
		return ERR_INVALID;
	}
	*ret_end_us = readings->at[readings->count - 1].instant_us;
	return ERR_OK;
}

enum err schedule_check_ahead(const char *what, struct view text, int64_t instant_us, int64_t now_us, struct buf *why)
{
	if (instant_us - now_us <= SCHEDULE_AHEAD_US)
		return ERR_OK;
	buf_addf(why, "%s " VIEW_FMT " is more than a hundred years ahead", what, VIEW_ARG(text));
	return ERR_INVALID;
}
