#include "listctl/campaign_verbs.h"

#include "base/clock.h"
#include "base/limits.h"
#include "listctl/confirm.h"
#include "listctl/schedule.h"
#include "store/tallies.h"

/* ---- schedule ---- */

static const struct output_column schedule_columns[] = {
	{ "campaign", OUTPUT_TEXT, false }, { "local_time", OUTPUT_TEXT, false }, { "zone", OUTPUT_TEXT, false },
	{ "offset", OUTPUT_TEXT, false },   { "starts_at", OUTPUT_TIME, false },  { "starts_in", OUTPUT_TEXT, false },
};

/* "33 d 17 h", "2 h 5 min", "40 s" */
static void write_span(int64_t us, struct buf *out)
{
	int64_t seconds = us / CLOCK_US_PER_SECOND;
	if (seconds >= 86400)
		buf_addf(out, "%lld d %lld h", (long long)(seconds / 86400), (long long)(seconds / 3600 % 24));
	else if (seconds >= 3600)
		buf_addf(out, "%lld h %lld min", (long long)(seconds / 3600), (long long)(seconds / 60 % 60));
	else if (seconds >= 60)
		buf_addf(out, "%lld min", (long long)(seconds / 60));
	else
		buf_addf(out, "%lld s", (long long)seconds);
}

static enum err tell_schedule(struct call *call, const struct zone_readings *readings,
			      const struct zone_reading *reading, struct view local, int64_t now_us)
{
	AUTO_BUF offset = buf_with_ceiling(16);
	AUTO_BUF span = buf_with_ceiling(64);
	schedule_write_offset(reading->offset_s, &offset);
	write_span(reading->instant_us - now_us, &span);
	const struct output_cell cells[] = { cell_text(view_of(call->operands[0])), cell_text(local),
					     cell_text(view_of(readings->zone)),    cell_text(buf_view(&offset)),
					     cell_time(reading->instant_us),        cell_text(buf_view(&span)) };
	return output_object(call->out, schedule_columns, ARRAY_LEN(schedule_columns), cells, call->why);
}

static enum err choose_time(struct call *call, struct view local, int64_t now_us, struct zone_readings *readings,
			    struct zone_reading *ret_reading)
{
	const char *offset_text = call_option(call, "offset");
	int offset = 0;
	if (offset_text != NULL && !schedule_read_offset(view_of(offset_text), &offset))
		return call_misused(call, "--offset is written as +07:00, not %s", offset_text);
	enum err err = zones_read(call->db, local, view_of(call_option(call, "zone")), readings, call->why);
	if (err != ERR_OK)
		return err;
	return schedule_choose(readings, local, offset_text == NULL ? NULL : &offset, now_us, ret_reading, call->why);
}

static enum err set_schedule(struct call *call)
{
	AUTO_BUF local = buf_with_ceiling(LIMIT_WHY);
	struct zone_readings readings;
	struct zone_reading reading;
	int64_t now_us = clock_wall_us();
	enum err err = schedule_read_local(view_of(call_option(call, "at")), &local, call->why);
	if (err == ERR_OK)
		err = choose_time(call, buf_view(&local), now_us, &readings, &reading);
	if (err != ERR_OK)
		return err;
	const struct campaign_time time = { .local = buf_view(&local),
					    .zone = view_of(readings.zone),
					    .instant_us = reading.instant_us };
	err = campaigns_schedule(call->db, view_of(call->operands[0]), &time, call_actor(call), call->why);
	return err != ERR_OK ? err : tell_schedule(call, &readings, &reading, buf_view(&local), now_us);
}

enum err campaign_schedule(struct call *call)
{
	bool clear = call_has(call, "clear"), at = call_has(call, "at"), zone = call_has(call, "zone");
	if (clear && (at || zone))
		return call_misused(call, "--clear goes without --at and --zone");
	if (clear)
		return campaigns_schedule(call->db, view_of(call->operands[0]), &(struct campaign_time){ 0 },
					  call_actor(call), call->why);
	if (!at || !zone)
		return call_misused(call, "a schedule needs --at and --zone");
	return set_schedule(call);
}

/* ---- start, pause, resume, cancel, delete ---- */

enum err campaign_start(struct call *call)
{
	enum err err = campaigns_start(call->db, view_of(call->operands[0]), call_actor(call), call->why);
	if (err == ERR_OK)
		call_note(call, "campaign %s is due now: sender takes it up; `listctl campaign watch %s` follows it",
			  call->operands[0], call->operands[0]);
	return err;
}

enum err campaign_pause(struct call *call)
{
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	const char *given = call_option(call, "reason");
	if (given != NULL && (!view_is_utf8(view_of(given)) || view_has_control(view_of(given))))
		return call_misused(call, "--reason must be one line of text");
	buf_addf(&reason, "paused by %s%s%s", call->actor, given == NULL ? "" : ": ", given == NULL ? "" : given);
	if (buf_err(&reason) != ERR_OK)
		return call_refuse(call, buf_err(&reason), "--reason is too long");
	enum err err =
	    campaigns_pause(call->db, view_of(call->operands[0]), buf_view(&reason), call_actor(call), call->why);
	if (err == ERR_OK)
		call_note(call, "campaign %s is paused; `listctl campaign resume %s` goes on", call->operands[0],
			  call->operands[0]);
	return err;
}

static enum err resume_group(struct call *call, const char *group)
{
	AUTO_DB_ROWS *rows = NULL;
	struct campaign campaign;
	size_t freed = 0;
	enum err err = campaign_named(call, &campaign, &rows);
	if (err == ERR_OK)
		err = holds_lift(call->db, campaign.name, view_of(group), call_actor(call), &freed, call->why);
	if (err == ERR_OK)
		call_note(call, "%s of campaign %s goes on: %zu recipients waited", group, call->operands[0], freed);
	return err;
}

enum err campaign_resume(struct call *call)
{
	if (call_has(call, "group"))
		return resume_group(call, call_option(call, "group"));
	enum err err = campaigns_resume(call->db, view_of(call->operands[0]), call_actor(call), call->why);
	if (err == ERR_OK)
		call_note(call, "campaign %s goes on", call->operands[0]);
	return err;
}

enum err campaign_cancel(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	struct campaign campaign;
	enum err err = campaign_named(call, &campaign, &rows);
	if (err == ERR_OK)
		err = confirm(call, "cancel campaign %s for good? It cannot be resumed.", call->operands[0]);
	if (err == ERR_OK)
		err = campaigns_cancel(call->db, campaign.name, call_actor(call), call->why);
	if (err == ERR_OK)
		call_note(call, "campaign %s is canceled; who has not been sent to is skipped", call->operands[0]);
	return err;
}

enum err campaign_delete(struct call *call)
{
	return campaigns_delete(call->db, view_of(call->operands[0]), call_actor(call), call->why);
}
