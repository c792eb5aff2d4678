#include "listctl/campaign_verbs.h"

#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "listctl/pace_text.h"
#include "listctl/schedule.h"
#include "listctl/standing_report.h"

/* What a watcher sees; a line is written when it changes. */
struct sight {
	const char *state; /* NULL: nothing was seen yet */
	int64_t under_way, opens_us;
	int64_t count[PLACE_COUNT];
	size_t held_groups, waits;
	int64_t closed_until_us; /* the latest of what recipients wait for */
};

static struct sight sight_of(const struct standing_report *report)
{
	struct sight sight = { .state = standing_report_state(report),
			       .under_way = standing_report_under_way(report),
			       .opens_us = report->campaign.opens_us,
			       .held_groups = db_row_count(report->holds),
			       .waits = db_row_count(report->waits) };
	for (size_t i = 0; i < sight.waits; i++) {
		const struct budget_wait wait = budgets_wait_get(report->waits, i);
		if (wait.standing.closed_until_us > sight.closed_until_us)
			sight.closed_until_us = wait.standing.closed_until_us;
	}
	memcpy(sight.count, report->standing.count, sizeof(sight.count));
	return sight;
}

static bool is_alike(const struct sight *sight, const struct sight *other)
{
	return other->state != NULL && strcmp(sight->state, other->state) == 0 &&
	       sight->under_way == other->under_way && sight->opens_us == other->opens_us &&
	       sight->held_groups == other->held_groups && sight->waits == other->waits &&
	       sight->closed_until_us == other->closed_until_us &&
	       memcmp(sight->count, other->count, sizeof(sight->count)) == 0;
}

/* A canceled one has when its last recipient has. */
static bool has_ended(const struct standing_report *report)
{
	return report->campaign.ended_us != 0 && report->leaving.workers == 0;
}

enum { BAR_WIDTH = 30 };

static void write_bar(int64_t done, int64_t total, struct buf *line)
{
	int64_t filled = total > 0 ? done * BAR_WIDTH / total : 0;
	buf_add_byte(line, '[');
	for (int64_t i = 0; i < BAR_WIDTH; i++)
		buf_add_byte(line, i < filled ? '#' : '.');
	buf_addf(line, "] %3lld%% ", (long long)(total > 0 ? done * 100 / total : 0));
}

/* Where most wait; status shows all. */
static void add_waits(const struct db_rows *rows, struct buf *line)
{
	enum { SHOWN_MOST = 3 };
	for (size_t i = 0; i < db_row_count(rows) && i < SHOWN_MOST; i++) {
		const struct budget_wait wait = budgets_wait_get(rows, i);
		buf_addf(line, "; ");
		pace_text_add_wait(&wait, line);
	}
	if (db_row_count(rows) > SHOWN_MOST)
		buf_addf(line, "; `listctl campaign status` shows what else slows it");
}

/* "running 12000 of 50000: accepted 11900, refused 80, deferred 20; 812/s" */
static void write_line(const struct standing_report *report, bool bar, struct buf *line)
{
	const struct standing *standing = &report->standing;
	int64_t waits =
	    standing->count[PLACE_PENDING] + standing->count[PLACE_DEFERRED] + standing->count[PLACE_IN_DOUBT];
	int64_t total = standing->audience < 0 ? 0 : standing->audience;
	if (bar)
		write_bar(total - waits, total, line);
	buf_addf(line, "%s", standing_report_state(report));
	if (standing->audience >= 0)
		buf_addf(line, " %lld of %lld", (long long)(total - waits), (long long)total);
	else if (report->campaign.hold_reason.len > 0)
		buf_addf(line, ", waits for a person");
	if (audience_was_nobody(&report->campaign))
		buf_addf(line, "; nobody was in its audience when it started");
	bool first = true;
	for (size_t i = 0; i < PLACE_COUNT; i++) {
		if (standing->count[i] == 0)
			continue;
		buf_addf(line, "%s %s %lld", first ? ":" : ",", standing_place_name((enum standing_place)i),
			 (long long)standing->count[i]);
		first = false;
	}
	if (report->campaign.state == CAMPAIGN_RUNNING && report->rate >= 1)
		buf_addf(line, "; %.0f/s", report->rate);
	if (standing_report_under_way(report) >= 0)
		buf_addf(line, "; %lld still under way", (long long)standing_report_under_way(report));
	if (report->campaign.opens_us != 0) {
		buf_addf(line, "; the next window opens at ");
		schedule_write_instant(report->campaign.opens_us, line);
	}
	if (report->campaign.hold_reason.len > 0)
		buf_addf(line, "; " VIEW_FMT, VIEW_ARG(report->campaign.hold_reason));
	for (size_t i = 0; i < db_row_count(report->relays); i++) {
		struct relay_trouble trouble;
		relay_trouble_at(report->relays, i, &trouble);
		buf_addf(line, "; relay " VIEW_FMT, VIEW_ARG(trouble.relay));
		if (trouble.retry_us != 0) {
			buf_addf(line, " (next try at ");
			schedule_write_instant(trouble.retry_us, line);
			buf_addf(line, ")");
		}
		buf_addf(line, ": " VIEW_FMT, VIEW_ARG(trouble.reason));
	}
	for (size_t i = 0; i < db_row_count(report->holds); i++) {
		struct held_group held;
		holds_at(report->holds, i, &held);
		buf_addf(line, "; " VIEW_FMT " held: " VIEW_FMT, VIEW_ARG(held.group), VIEW_ARG(held.reason));
	}
	add_waits(report->waits, line);
	for (size_t i = 0; i < db_row_count(report->stranded); i++) {
		buf_addf(line, "; ");
		standing_report_tell_stranded(report, i, line);
	}
}

/* A line that wraps could not be drawn over. */
static void cut_to_width(struct buf *line)
{
	struct winsize size;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
		buf_cut(line, size.ws_col - 1U);
}

/* One JSON object a line, for machines that follow. */
static void show_object(const struct standing_report *report)
{
	enum { ROOM = (64 << 10) + BUDGET_WAITS_MOST * 3 * LIMIT_WHY };
	AUTO_BUF line = buf_with_ceiling(ROOM);
	buf_addf(&line, "{\"state\": \"%s\", \"hold_reason\": ", standing_report_state(report));
	if (report->campaign.hold_reason.len > 0)
		output_json_string(&line, report->campaign.hold_reason);
	else
		buf_add(&line, VIEW_LIT("null"));
	buf_addf(&line, ", \"under_way\": ");
	if (standing_report_under_way(report) >= 0)
		buf_addf(&line, "%lld", (long long)standing_report_under_way(report));
	else
		buf_add(&line, VIEW_LIT("null"));
	buf_addf(&line, ", \"audience\": ");
	if (report->standing.audience < 0)
		buf_add(&line, VIEW_LIT("null"));
	else
		buf_addf(&line, "%lld", (long long)report->standing.audience);
	for (size_t i = 0; i < PLACE_COUNT; i++)
		buf_addf(&line, ", \"%s\": %lld", standing_place_name((enum standing_place)i),
			 (long long)report->standing.count[i]);
	buf_add(&line, VIEW_LIT(", \"holds\": "));
	standing_report_add_holds(report, &line);
	buf_add(&line, VIEW_LIT(", \"waits\": "));
	standing_report_add_waits(report, &line);
	buf_add_byte(&line, '}');
	puts(buf_text(&line));
	fflush(stdout);
}

static void show(const struct standing_report *report, bool terminal, bool last)
{
	enum { ROOM = 8192 };
	AUTO_BUF line = buf_with_ceiling(ROOM);
	write_line(report, terminal, &line);
	if (terminal && !last)
		cut_to_width(&line);
	printf("%s%s", terminal ? "\r\033[K" : "", buf_text(&line));
	if (!terminal || last)
		fputc('\n', stdout);
	fflush(stdout);
}

/* *ret_goal: what was waited for is reached. */
static enum err look(struct call *call, bool until_sent, struct sight *seen, bool *ret_goal)
{
	struct standing_report report;
	bool json = output_format_of(call->out) == FORMAT_JSON;
	bool terminal = !json && isatty(STDOUT_FILENO) != 0;
	enum err err = standing_report_read(call, &report);
	if (err != ERR_OK)
		return err;
	struct sight sight = sight_of(&report);
	bool sent = report.standing.audience >= 0 && report.standing.count[PLACE_PENDING] == 0;
	bool goal = has_ended(&report) || (until_sent && sent);
	bool changed = !is_alike(&sight, seen);
	if (json && (goal || changed))
		show_object(&report);
	else if (!json && (goal || terminal || changed))
		show(&report, terminal, goal);
	*seen = sight;
	*ret_goal = goal;
	standing_report_done(&report);
	return ERR_OK;
}

enum err campaign_watch(struct call *call)
{
	enum { HOUR_S = 3600 };
	const char *until = call_option(call, "until");
	if (until != NULL && strcmp(until, "finished") != 0 && strcmp(until, "sent") != 0)
		return call_misused(call, "--until is finished or sent, not %s", until);
	if (output_format_of(call->out) == FORMAT_CSV)
		return call_misused(call, "a campaign is watched as text or, line by line, as JSON");
	bool until_sent = until != NULL && strcmp(until, "sent") == 0;
	uint64_t interval;
	enum err err = call_number(call, "interval", HOUR_S, 1, &interval);
	struct sight seen = { 0 };
	for (bool goal = false; err == ERR_OK && !goal;) {
		err = look(call, until_sent, &seen, &goal);
		if (err == ERR_OK && !goal)
			nanosleep(&(struct timespec){ .tv_sec = interval > 0 ? (time_t)interval : 1 }, NULL);
	}
	return err;
}
