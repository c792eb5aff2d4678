#include "listctl/campaign_verbs.h"

#include <assert.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "listctl/confirm.h"
#include "listctl/pace_text.h"
#include "listctl/retained.h"
#include "listctl/signing.h"
#include "listctl/standing_report.h"
#include "listctl/waiting.h"
#include "listctl/storm_warning.h"

#define TELLING_US (INT64_C(5) * CLOCK_US_PER_SECOND)
#define LOOK_US (INT64_C(200) * CLOCK_US_PER_MS)

/* ---- status ---- */

/* The last six are for machines; people get tables of their own. */
static const struct output_column columns[] = {
	{ "campaign", OUTPUT_TEXT, false },
	{ "list", OUTPUT_TEXT, false },
	{ "also_lists", OUTPUT_TEXT, true },
	{ "segments", OUTPUT_TEXT, true },
	{ "excluded_lists", OUTPUT_TEXT, true },
	{ "excluded_segments", OUTPUT_TEXT, true },
	{ "state", OUTPUT_TEXT, false },
	{ "hold_reason", OUTPUT_TEXT, true },
	{ "starts_at", OUTPUT_TIME, false },
	{ "started_at", OUTPUT_TIME, false },
	{ "ended_at", OUTPUT_TIME, false },
	{ "not_after", OUTPUT_TIME, false },
	{ "windows", OUTPUT_TEXT, true },
	{ "window_opens_at", OUTPUT_TIME, false },
	{ "local_to", OUTPUT_TEXT, false },
	{ "local_fallback", OUTPUT_INT, false },
	{ "signed_by", OUTPUT_TEXT, true },
	{ "under_way", OUTPUT_INT, false },
	{ "audience", OUTPUT_INT, false },
	{ "accepted", OUTPUT_INT, false },
	{ "refused", OUTPUT_INT, false },
	{ "expired", OUTPUT_INT, false },
	{ "skipped", OUTPUT_INT, false },
	{ "in_doubt", OUTPUT_INT, false },
	{ "deferred", OUTPUT_INT, false },
	{ "pending", OUTPUT_INT, false },
	{ "rate", OUTPUT_REAL, false },
	{ "refused_reasons", OUTPUT_JSON, false },
	{ "skipped_reasons", OUTPUT_JSON, false },
	{ "relay_trouble", OUTPUT_JSON, false },
	{ "holds", OUTPUT_JSON, false },
	{ "stranded", OUTPUT_JSON, false },
	{ "waits", OUTPUT_JSON, false },
};
enum { FOR_MACHINES = 6 };

/* {"user-unknown": 12, ...} */
static void add_reasons(const struct db_rows *rows, enum standing_place place, struct buf *out)
{
	bool first = true;
	buf_add_byte(out, '{');
	for (size_t i = 0; i < db_row_count(rows); i++) {
		struct standing_reason reason;
		standing_reason_at(rows, i, &reason);
		if (reason.place != place)
			continue;
		buf_addf(out, first ? "" : ", ");
		first = false;
		output_json_string(out, reason.reason);
		buf_addf(out, ": %lld", (long long)reason.count);
	}
	buf_add_byte(out, '}');
}

/* {"relay.example:25": "why", ...} */
static void add_relays(const struct db_rows *rows, struct buf *out)
{
	buf_add_byte(out, '{');
	for (size_t i = 0; i < db_row_count(rows); i++) {
		struct relay_trouble trouble;
		relay_trouble_at(rows, i, &trouble);
		buf_addf(out, i == 0 ? "" : ", ");
		output_json_string(out, trouble.relay);
		buf_addf(out, ": ");
		output_json_string(out, trouble.reason);
	}
	buf_add_byte(out, '}');
}

static enum err write_standing(struct call *call, const struct standing_report *report, size_t column_count)
{
	enum { ROOM = 64 << 10 };
	AUTO_BUF refused = buf_with_ceiling(ROOM);
	AUTO_BUF skipped = buf_with_ceiling(ROOM);
	AUTO_BUF relays = buf_with_ceiling(ROOM);
	AUTO_BUF holds = buf_with_ceiling(ROOM);
	AUTO_BUF stranded = buf_with_ceiling(ROOM);
	AUTO_BUF waits = buf_with_ceiling(BUDGET_WAITS_MOST * 3 * LIMIT_WHY);
	AUTO_BUF signed_by = buf_with_ceiling(ROOM);
	const struct campaign *campaign = &report->campaign;
	const struct audience_text *audience = &report->audience;
	const int64_t *count = report->standing.count;
	int64_t under_way = standing_report_under_way(report);
	add_reasons(report->reasons, PLACE_REFUSED, &refused);
	add_reasons(report->reasons, PLACE_SKIPPED, &skipped);
	add_relays(report->relays, &relays);
	standing_report_add_holds(report, &holds);
	standing_report_add_stranded(report, &stranded);
	standing_report_add_waits(report, &waits);
	if (campaign->ended_us == 0)
		signing_describe(call->settings, campaign->content.from_address, &signed_by);
	const struct output_cell cells[] = {
		cell_text(campaign->name),
		cell_text(campaign->list_name),
		cell_text_or_null(buf_view(&audience->also_lists)),
		cell_text_or_null(buf_view(&audience->segments)),
		cell_text_or_null(buf_view(&audience->excluded_lists)),
		cell_text_or_null(buf_view(&audience->excluded_segments)),
		cell_text(view_of(standing_report_state(report))),
		cell_text_or_null(campaign->hold_reason),
		cell_time_or_null(campaign->start_us),
		cell_time_or_null(campaign->started_us),
		cell_time_or_null(campaign->ended_us),
		cell_time_or_null(campaign->not_after_us),
		cell_text_or_null(campaign->windows),
		cell_time_or_null(campaign->opens_us),
		cell_text_or_null(campaign->local_attribute),
		campaign->local_fallback < 0 ? cell_null() : cell_int(campaign->local_fallback),
		cell_text_or_null(buf_view(&signed_by)),
		under_way < 0 ? cell_null() : cell_int(under_way),
		report->standing.audience < 0 ? cell_null() : cell_int(report->standing.audience),
		cell_int(count[PLACE_ACCEPTED]),
		cell_int(count[PLACE_REFUSED]),
		cell_int(count[PLACE_EXPIRED]),
		cell_int(count[PLACE_SKIPPED]),
		cell_int(count[PLACE_IN_DOUBT]),
		cell_int(count[PLACE_DEFERRED]),
		cell_int(count[PLACE_PENDING]),
		cell_real(report->rate),
		cell_text(buf_view(&refused)),
		cell_text(buf_view(&skipped)),
		cell_text(buf_view(&relays)),
		cell_text(buf_view(&holds)),
		cell_text(buf_view(&stranded)),
		cell_text(buf_view(&waits)),
	};
	static_assert(ARRAY_LEN(cells) == ARRAY_LEN(columns), "one cell per column");
	return output_object(call->out, columns, column_count, cells, call->why);
}

/* ---- the same for people ---- */

static const struct output_column reason_columns[] = {
	{ "outcome", OUTPUT_TEXT, false },
	{ "reason", OUTPUT_TEXT, false },
	{ "recipients", OUTPUT_INT, false },
};

static enum err write_reasons(struct call *call, const struct db_rows *rows)
{
	bool any = false;
	for (size_t i = 0; i < db_row_count(rows); i++) {
		struct standing_reason reason;
		standing_reason_at(rows, i, &reason);
		if (reason.reason.len == 0)
			continue;
		if (!any) {
			output_section(call->out, "reasons", "Why not:");
			output_begin(call->out, reason_columns, ARRAY_LEN(reason_columns));
		}
		any = true;
		output_row(call->out, (struct output_cell[]){ cell_text(view_of(standing_place_name(reason.place))),
							      cell_text(reason.reason), cell_int(reason.count) });
	}
	return any ? output_end(call->out, call->why) : ERR_OK;
}

static const struct output_column relay_columns[] = {
	{ "relay", OUTPUT_TEXT, false },
	{ "since", OUTPUT_TIME, false },
	{ "tries_again_at", OUTPUT_TIME, false },
	{ "reason", OUTPUT_TEXT, true },
};

static enum err write_relays(struct call *call, const struct db_rows *rows)
{
	if (db_row_count(rows) == 0)
		return ERR_OK;
	output_section(call->out, "relays", "Relays in trouble:");
	output_begin(call->out, relay_columns, ARRAY_LEN(relay_columns));
	for (size_t i = 0; i < db_row_count(rows); i++) {
		struct relay_trouble trouble;
		relay_trouble_at(rows, i, &trouble);
		output_row(call->out,
			   (struct output_cell[]){ cell_text(trouble.relay), cell_time(trouble.since_us),
						   cell_time_or_null(trouble.retry_us), cell_text(trouble.reason) });
	}
	return output_end(call->out, call->why);
}

static const struct output_column hold_columns[] = {
	{ "group", OUTPUT_TEXT, false },
	{ "since", OUTPUT_TIME, false },
	{ "recipients", OUTPUT_INT, false },
	{ "reason", OUTPUT_TEXT, true },
};

static enum err write_holds(struct call *call, const struct db_rows *rows)
{
	AUTO_BUF title = buf_with_ceiling(LIMIT_WHY);
	if (db_row_count(rows) == 0)
		return ERR_OK;
	buf_addf(&title,
		 "Groups of domains that wait for `listctl campaign resume %s --group GROUP`:", call->operands[0]);
	output_section(call->out, "holds", buf_text(&title));
	output_begin(call->out, hold_columns, ARRAY_LEN(hold_columns));
	for (size_t i = 0; i < db_row_count(rows); i++) {
		struct held_group held;
		holds_at(rows, i, &held);
		output_row(call->out, (struct output_cell[]){ cell_text(held.group), cell_time(held.since_us),
							      cell_int(held.waiting), cell_text(held.reason) });
	}
	return output_end(call->out, call->why);
}

static const struct output_column wait_columns[] = {
	{ "what_and_why", OUTPUT_TEXT, true },
};

static enum err write_waits(struct call *call, const struct db_rows *rows)
{
	if (db_row_count(rows) == 0)
		return ERR_OK;
	output_section(call->out, "waits", "What slows it:");
	output_begin(call->out, wait_columns, ARRAY_LEN(wait_columns));
	for (size_t i = 0; i < db_row_count(rows); i++) {
		AUTO_BUF text = buf_with_ceiling(2 * LIMIT_WHY);
		const struct budget_wait wait = budgets_wait_get(rows, i);
		pace_text_add_wait(&wait, &text);
		output_row(call->out, (struct output_cell[]){ cell_text(buf_view(&text)) });
	}
	return output_end(call->out, call->why);
}

static const struct output_column stranded_columns[] = {
	{ "what_and_why", OUTPUT_TEXT, true },
};

static enum err write_stranded(struct call *call, const struct standing_report *report)
{
	if (db_row_count(report->stranded) == 0)
		return ERR_OK;
	output_section(call->out, "stranded", "Recipients that only one worker may send to, and it does not go on:");
	output_begin(call->out, stranded_columns, ARRAY_LEN(stranded_columns));
	for (size_t i = 0; i < db_row_count(report->stranded); i++) {
		AUTO_BUF text = buf_with_ceiling(2 * LIMIT_WHY);
		standing_report_tell_stranded(report, i, &text);
		output_row(call->out, (struct output_cell[]){ cell_text(buf_view(&text)) });
	}
	return output_end(call->out, call->why);
}

static enum err write_for_people(struct call *call, const struct standing_report *report)
{
	output_document_begin(call->out);
	output_section(call->out, "status", "Status:");
	enum err err = write_standing(call, report, ARRAY_LEN(columns) - FOR_MACHINES);
	if (err == ERR_OK)
		err = write_reasons(call, report->reasons);
	if (err == ERR_OK)
		err = write_relays(call, report->relays);
	if (err == ERR_OK)
		err = write_holds(call, report->holds);
	if (err == ERR_OK)
		err = write_waits(call, report->waits);
	if (err == ERR_OK)
		err = write_stranded(call, report);
	return err == ERR_OK ? output_document_end(call->out, call->why) : err;
}

/* ---- status --recipients ---- */

static const struct output_column recipient_columns[] = {
	{ "subscriber", OUTPUT_INT, false }, { "email", OUTPUT_TEXT, false },
	{ "place", OUTPUT_TEXT, false },     { "at", OUTPUT_TIME, false },
	{ "attempts", OUTPUT_INT, false },   { "next_attempt_at", OUTPUT_TIME, false },
	{ "code", OUTPUT_INT, false },       { "status", OUTPUT_TEXT, false },
	{ "reason", OUTPUT_TEXT, false },    { "reply", OUTPUT_TEXT, true },
};

static void write_page(struct call *call, enum standing_place place, const struct db_rows *rows)
{
	for (size_t i = 0; i < db_row_count(rows); i++) {
		struct standing_recipient r;
		standing_recipient_at(rows, i, &r);
		if (r.subscriber_id == 0)
			continue;
		output_row(call->out, (struct output_cell[]){
					  cell_int((int64_t)r.subscriber_id), cell_text_or_null(r.address),
					  cell_text(view_of(standing_place_name(place))), cell_time_or_null(r.at_us),
					  cell_int(r.attempts), cell_time_or_null(r.next_us),
					  r.code == 0 ? cell_null() : cell_int(r.code), cell_text_or_null(r.status),
					  cell_text_or_null(r.reason), cell_text_or_null(r.reply) });
	}
}

static enum err write_pages(struct call *call, uint64_t campaign_id, enum standing_place place)
{
	int64_t cursor = 0;
	struct waiting waiting;
	enum err err;
	size_t got;
	waiting_begin_rows(call, "listing", &waiting);
	do {
		AUTO_DB_ROWS *rows = NULL;
		err = standings_recipients(call->db, campaign_id, place, &cursor, &rows, call->why);
		got = err == ERR_OK ? db_row_count(rows) : 0;
		waiting_rows(&waiting, got);
		if (got > 0)
			write_page(call, place, rows);
	} while (got > 0);
	waiting_end(&waiting);
	return err;
}

static enum err list_recipients(struct call *call, const char *word)
{
	enum standing_place place;
	if (!standing_place_from_name(view_of(word), &place))
		return call_misused(
		    call,
		    "--recipients is accepted, refused, expired, skipped, in_doubt, deferred or pending, "
		    "not %s",
		    word);
	AUTO_DB_ROWS *rows = NULL;
	struct campaign campaign;
	enum err err = db_begin_snapshot(call->db, call->why);
	if (err != ERR_OK)
		return call_refuse(call, err, "the database does not answer");
	err = campaign_named(call, &campaign, &rows);
	if (err == ERR_OK)
		err = retained_require(call, campaign.id, call->operands[0]);
	if (err == ERR_OK) {
		output_begin(call->out, recipient_columns, ARRAY_LEN(recipient_columns));
		err = write_pages(call, campaign.id, place);
	}
	db_rollback(call->db); /* it was only read */
	return err == ERR_OK ? output_end(call->out, call->why) : err;
}

/* Right after a pause the workers are waited for, but not for long: one may hang. */
static enum err read_when_told(struct call *call, struct standing_report *ret_report)
{
	int64_t until_us = clock_boot_us() + TELLING_US;
	for (;;) {
		enum err err = standing_report_read(call, ret_report);
		if (err != ERR_OK || !standing_report_is_early(ret_report) || clock_boot_us() >= until_us)
			return err;
		standing_report_done(ret_report);
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_US * 1000 }, NULL);
	}
}

enum err campaign_status(struct call *call)
{
	if (call_has(call, "recipients"))
		return list_recipients(call, call_option(call, "recipients"));
	struct standing_report report;
	enum err err = read_when_told(call, &report);
	if (err != ERR_OK)
		return err;
	if (output_format_of(call->out) == FORMAT_TABLE)
		err = write_for_people(call, &report);
	else
		err = write_standing(call, &report, ARRAY_LEN(columns));
	if (err == ERR_OK)
		err = retained_tell(call, report.campaign.id);
	audience_warn_of_none(call, &report.campaign);
	standing_report_done(&report);
	return err == ERR_OK ? storm_warning_write(call) : err;
}
