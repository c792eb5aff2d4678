#include "listctl/campaign_verbs.h"

#include <assert.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/settings.h"
#include "listctl/audience_text.h"
#include "listctl/schedule.h"
#include "listctl/sending_window.h"

/* The east of the date line is where a local time comes first: UTC+14. */
#define FIRST_OFFSET_US (INT64_C(14) * 3600 * CLOCK_US_PER_SECOND)

#define EXPIRE_LEAST_US (INT64_C(60) * CLOCK_US_PER_SECOND)
#define EXPIRE_MOST_US (INT64_C(30) * CLOCK_US_PER_DAY)

/* What the options say, and what it means. */
struct plan {
	struct buf local, ranges, words;
	struct zone_readings readings;
	struct zone_reading reading;
	struct campaign_time time;
	struct campaign_local members; /* with --local-to */
	int64_t now_us,
	    opens_us; /* opens_us: the first instant of a window from the start on; without windows the start */
};

static void plan_done(struct plan *plan)
{
	buf_done(&plan->local);
	buf_done(&plan->ranges);
	buf_done(&plan->words);
}

/* ---- when it starts ---- */

static enum err read_start(struct call *call, struct plan *plan)
{
	const char *offset_text = call_option(call, "offset");
	int offset = 0;
	if (offset_text != NULL && !schedule_read_offset(view_of(offset_text), &offset))
		return call_misused(call, "--offset is written as +07:00, not %s", offset_text);
	enum err err = schedule_read_local(view_of(call_option(call, "at")), &plan->local, call->why);
	if (err == ERR_OK)
		err = zones_read(call->db, buf_view(&plan->local), view_of(call_option(call, "zone")), &plan->readings,
				 call->why);
	if (err != ERR_OK)
		return err;
	plan->time.local = buf_view(&plan->local);
	plan->time.zone = view_of(plan->readings.zone);
	if (call_has(call, "local-to"))
		err = schedule_choose_local(&plan->readings, plan->time.local, plan->now_us, &plan->reading, call->why);
	else
		err = schedule_choose(&plan->readings, plan->time.local, offset_text == NULL ? NULL : &offset,
				      plan->now_us, &plan->reading, call->why);
	if (err == ERR_OK)
		err = schedule_check_ahead("--at", plan->time.local, plan->reading.instant_us, plan->now_us, call->why);
	plan->time.instant_us = plan->reading.instant_us;
	if (call_has(call, "local-to"))
		plan->time.instant_us += (int64_t)plan->reading.offset_s * CLOCK_US_PER_SECOND - FIRST_OFFSET_US;
	return err;
}

/* With --local-to the start can be in the past, and all of the time that it had left, too. */
static enum err refuse_late(struct call *call, const struct plan *plan)
{
	call_refuse(
	    call, ERR_INVALID,
	    "it could not start: with --local-to the first instant is when that time comes at UTC+14, which was at ");
	schedule_write_instant(plan->time.instant_us, call->why);
	call_refuse(call, ERR_INVALID, ", and --not-after, which counts from there, was over at ");
	schedule_write_instant(plan->time.not_after_us, call->why);
	return call_refuse(call, ERR_INVALID, "; take a later one, or none");
}

/* A length of time after the start, or a local time of the zone. With --local-to the same length counts from the first place. */
static enum err read_not_after(struct call *call, struct plan *plan)
{
	const char *text = call_option(call, "not-after");
	int64_t end_us = 0, length_us = 0;
	if (text == NULL)
		return ERR_OK;
	if (settings_span(view_of(text), &length_us)) {
		bool is_near = length_us <= SCHEDULE_AHEAD_US;
		end_us = is_near ? plan->reading.instant_us + length_us : INT64_MAX;
	} else {
		AUTO_BUF local = buf_with_ceiling(LIMIT_WHY);
		AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
		struct zone_readings readings;
		enum err err = schedule_read_local(view_of(text), &local, &cause);
		if (err == ERR_INVALID)
			return call_misused(call,
					    "--not-after is a time such as 2026-12-24 20:00, or how long after --at, "
					    "such as 2h or 30m; not %s",
					    text);
		if (err == ERR_OK)
			err = zones_read(call->db, buf_view(&local), plan->time.zone, &readings, call->why);
		if (err == ERR_OK)
			err = schedule_choose_end(&readings, buf_view(&local), &end_us, call->why);
		if (err != ERR_OK)
			return err;
	}
	enum err err = schedule_check_ahead("--not-after", view_of(text), end_us, plan->now_us, call->why);
	if (err != ERR_OK)
		return err;
	length_us = end_us - plan->reading.instant_us;
	if (length_us <= 0)
		return call_refuse(call, ERR_INVALID, "--not-after %s is not later than --at %s", text,
				   call_option(call, "at"));
	plan->time.not_after_us = plan->time.instant_us + length_us;
	return plan->time.not_after_us > plan->now_us ? ERR_OK : refuse_late(call, plan);
}

/* ---- when it may be sent ---- */

static enum err read_windows(struct call *call, struct plan *plan)
{
	const char *text;
	buf_add_byte(&plan->ranges, '{');
	AUTO_BUF ranges = buf_with_ceiling(LIMIT_WHY);
	for (size_t i = 0; (text = call_option_at(call, "window", i)) != NULL; i++) {
		enum err err = sending_window_add(view_of(text), &ranges, &plan->words, call->why);
		if (err == ERR_TOO_BIG)
			return call_refuse(call, err, "there are too many --window");
		if (err != ERR_OK)
			return err;
	}
	buf_add(&plan->ranges, buf_view(&ranges));
	buf_add_byte(&plan->ranges, '}');
	if (ranges.len == 0)
		return ERR_OK;
	plan->time.windows = buf_view(&plan->ranges);
	plan->time.window_text = buf_view(&plan->words);
	return buf_err(&plan->ranges);
}

/* It starts when it is due and a window is open: that must be possible. */
static enum err find_opening(struct call *call, struct plan *plan)
{
	plan->opens_us = plan->time.instant_us;
	if (plan->time.windows.len == 0)
		return ERR_OK;
	enum err err = campaigns_next_opening(call->db, plan->time.windows, plan->time.zone, plan->time.instant_us,
					      &plan->opens_us, call->why);
	if (err != ERR_OK)
		return err;
	if (plan->opens_us == 0)
		return call_refuse(call, ERR_INVALID, "no sending window opens within three weeks of the start");
	if (plan->time.not_after_us == 0 || plan->opens_us <= plan->time.not_after_us)
		return ERR_OK;
	call_refuse(call, ERR_INVALID,
		    "it could not start: no sending window opens between --at and --not-after; the next one opens at ");
	schedule_write_instant(plan->opens_us, call->why);
	return ERR_INVALID;
}

static enum err read_expire(struct call *call, struct plan *plan)
{
	const char *text = call_option(call, "expire");
	if (text != NULL && (!settings_span(view_of(text), &plan->time.expire_us) || plan->time.expire_us == 0))
		return call_misused(call, "--expire is a time with its unit, such as 90m, 8h or 2d, not %s", text);
	if (text != NULL && (plan->time.expire_us < EXPIRE_LEAST_US || plan->time.expire_us > EXPIRE_MOST_US))
		return call_misused(call, "--expire is from 1m to 30d, not %s", text);
	return ERR_OK;
}

/* ---- each at their local time ---- */

static enum err count_members(struct call *call, struct plan *plan)
{
	const char *attribute = call_option(call, "local-to");
	if (attribute == NULL)
		return ERR_OK;
	if (*attribute == '\0' || !view_is_utf8(view_of(attribute)))
		return call_misused(call, "--local-to is the name of an attribute");
	plan->time.local_attribute = view_of(attribute);
	enum err err =
	    campaigns_count_local(call->db, view_of(call->operands[0]), &plan->time, &plan->members, call->why);
	if (err == ERR_OK && plan->members.members > 0 && plan->members.fallback == plan->members.members)
		return call_refuse(call, ERR_INVALID,
				   "no active member of its list has the name of a time zone in \"%s\"; `listctl "
				   "export` shows the attributes",
				   attribute);
	return err;
}

static void warn_of_members(const struct call *call, const struct plan *plan)
{
	const struct campaign_local *members = &plan->members;
	if (members->fallback > 0)
		call_warn(call, "of %lld members %lld have no time zone in \"%s\": they follow %s",
			  (long long)members->members, (long long)members->fallback, call_option(call, "local-to"),
			  plan->readings.zone);
	if (members->past > 0)
		call_warn(
		    call,
		    "for %lld members that local time has passed already: they get it as soon as the campaign starts",
		    (long long)members->past);
}

/* ---- telling ---- */

static const struct output_column columns[] = {
	{ "campaign", OUTPUT_TEXT, false },      { "local_time", OUTPUT_TEXT, false },
	{ "zone", OUTPUT_TEXT, false },          { "offset", OUTPUT_TEXT, false },
	{ "starts_at", OUTPUT_TIME, false },     { "starts_in", OUTPUT_TEXT, false },
	{ "not_after", OUTPUT_TIME, false },     { "windows", OUTPUT_TEXT, true },
	{ "sends_from", OUTPUT_TIME, false },    { "local_to", OUTPUT_TEXT, false },
	{ "local_fallback", OUTPUT_INT, false }, { "local_past", OUTPUT_INT, false },
	{ "expire", OUTPUT_TEXT, false },
};

static enum err tell(struct call *call, const struct plan *plan)
{
	AUTO_BUF offset = buf_with_ceiling(16);
	AUTO_BUF wait = buf_with_ceiling(64);
	AUTO_BUF expire = buf_with_ceiling(64);
	const struct campaign_time *time = &plan->time;
	bool is_local = time->local_attribute.len > 0;
	schedule_write_offset(plan->reading.offset_s, &offset);
	schedule_write_span(time->instant_us - plan->now_us, &wait);
	if (time->expire_us != 0)
		schedule_write_span(time->expire_us, &expire);
	const struct output_cell cells[] = {
		cell_text(view_of(call->operands[0])),
		cell_text(time->local),
		cell_text(time->zone),
		cell_text(buf_view(&offset)),
		cell_time(time->instant_us),
		cell_text(buf_view(&wait)),
		cell_time_or_null(time->not_after_us),
		cell_text_or_null(time->window_text),
		cell_time(plan->opens_us),
		cell_text_or_null(time->local_attribute),
		is_local ? cell_int(plan->members.fallback) : cell_null(),
		is_local ? cell_int(plan->members.past) : cell_null(),
		cell_text_or_null(buf_view(&expire)),
	};
	static_assert(ARRAY_LEN(cells) == ARRAY_LEN(columns), "one cell per column");
	return output_object(call->out, columns, ARRAY_LEN(columns), cells, call->why);
}

/* ---- the verb ---- */

static enum err make(struct call *call, struct plan *plan)
{
	typedef enum err step(struct call *, struct plan *);
	static step *const steps[] = { read_start,   read_not_after, read_windows,
				       find_opening, read_expire,    count_members };
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < ARRAY_LEN(steps); i++)
		err = steps[i](call, plan);
	return err;
}

static enum err set_schedule(struct call *call)
{
	struct plan plan = { .local = buf_with_ceiling(LIMIT_WHY),
			     .ranges = buf_with_ceiling(2 * LIMIT_WHY),
			     .words = buf_with_ceiling(LIMIT_WHY),
			     .now_us = clock_wall_us() };
	enum err err = campaigns_may_schedule(call->db, view_of(call->operands[0]), call->why);
	if (err == ERR_OK)
		err = make(call, &plan);
	if (err == ERR_OK)
		err = campaign_check_sending(call);
	if (err == ERR_OK)
		err = campaigns_schedule(call->db, view_of(call->operands[0]), &plan.time, call_actor(call), call->why);
	if (err == ERR_OK) {
		warn_of_members(call, &plan);
		err = tell(call, &plan);
		audience_warn_ahead(call);
	}
	plan_done(&plan);
	return err;
}

static const char *given_of(const struct call *call, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (call_has(call, names[i]))
			return names[i];
	}
	return NULL;
}

enum err campaign_schedule(struct call *call)
{
	static const char *const parts[] = { "at", "zone", "offset", "not-after", "window", "local-to", "expire" };
	static const char *const not_local[] = { "offset", "window" };
	const char *given = given_of(call, parts, ARRAY_LEN(parts));
	if (call_has(call, "clear") && given != NULL)
		return call_misused(call, "--clear goes without --%s", given);
	if (call_has(call, "clear"))
		return campaigns_schedule(call->db, view_of(call->operands[0]), &(struct campaign_time){ 0 },
					  call_actor(call), call->why);
	if (!call_has(call, "at") || !call_has(call, "zone"))
		return call_misused(call,
				    "a schedule needs --at and --zone: --at \"2026-01-31 08:00\" --zone Europe/Berlin");
	given = given_of(call, not_local, ARRAY_LEN(not_local));
	if (call_has(call, "local-to") && given != NULL)
		return call_misused(call, "--local-to goes without --%s, which is of one zone", given);
	return set_schedule(call);
}
