#include "listctl/standing_report.h"

#include "base/clock.h"
#include "base/limits.h"
#include "listctl/campaign_verbs.h"
#include "listctl/output.h"
#include "listctl/pace_text.h"
#include "listctl/schedule.h"

static double rate_of(const struct campaign *campaign, const struct standing *standing, int64_t now_us)
{
	enum { MINUTE_S = 60 };
	int64_t until_us = campaign->ended_us > 0 ? campaign->ended_us : now_us;
	double seconds = (double)(until_us - campaign->started_us) / CLOCK_US_PER_SECOND;
	if (campaign->started_us == 0 || seconds <= 0)
		return 0;
	int64_t tried =
	    standing->count[PLACE_ACCEPTED] + standing->count[PLACE_REFUSED] + standing->count[PLACE_EXPIRED];
	if (campaign->ended_us > 0)
		return (double)tried / seconds;
	return (double)standing->last_minute / (seconds < MINUTE_S ? seconds : MINUTE_S);
}

/* Workers hear of a pause within half a second; until then nobody knows how many messages they have under way. */
bool standing_report_is_early(const struct standing_report *report)
{
	const struct leaving_standing *leaving = &report->leaving;
	return report->campaign.state != CAMPAIGN_RUNNING && leaving->told < leaving->workers;
}

enum err standing_report_read(struct call *call, struct standing_report *ret_report)
{
	struct standing_report report = { 0 };
	enum err err = db_begin_snapshot(call->db, call->why);
	if (err != ERR_OK)
		return call_refuse(call, err, "the database does not answer");
	err = campaign_named(call, &report.campaign, &report.campaign_rows);
	if (err == ERR_OK)
		err = audience_text_read(call, report.campaign.id, &report.audience);
	if (err == ERR_OK)
		err = standings_count(call->db, report.campaign.id, &report.standing, &report.reasons, call->why);
	if (err == ERR_OK)
		err = standings_leaving(call->db, report.campaign.id, &report.leaving, call->why);
	if (err == ERR_OK)
		err = standings_relays(call->db, &report.relays, call->why);
	if (err == ERR_OK)
		err = holds_of(call->db, report.campaign.id, &report.holds, call->why);
	if (err == ERR_OK)
		err = budgets_waits(call->db, report.campaign.id, &report.waits, call->why);
	if (err == ERR_OK)
		err = standings_stranded(call->db, report.campaign.id, &report.stranded, call->why);
	db_rollback(call->db); /* it was only read */
	if (err != ERR_OK) {
		standing_report_done(&report);
		return err;
	}
	report.rate = rate_of(&report.campaign, &report.standing, clock_wall_us());
	*ret_report = report;
	return ERR_OK;
}

const char *standing_report_state(const struct standing_report *report)
{
	enum campaign_state state = report->campaign.state;
	if (report->leaving.workers > 0 && state == CAMPAIGN_PAUSED)
		return "pausing";
	if (report->leaving.workers > 0 && state == CAMPAIGN_CANCELED)
		return "canceling";
	return campaign_state_word(&report->campaign);
}

int64_t standing_report_under_way(const struct standing_report *report)
{
	const struct leaving_standing *leaving = &report->leaving;
	bool runs = report->campaign.state == CAMPAIGN_RUNNING;
	return leaving->told > 0 && (runs || leaving->told == leaving->workers) ? leaving->messages : -1;
}

void standing_report_add_holds(const struct standing_report *report, struct buf *out)
{
	buf_add_byte(out, '[');
	for (size_t i = 0; i < db_row_count(report->holds); i++) {
		struct held_group held;
		holds_at(report->holds, i, &held);
		buf_addf(out, i == 0 ? "{\"group\": " : ", {\"group\": ");
		output_json_string(out, held.group);
		buf_addf(out, ", \"reason\": ");
		output_json_string(out, held.reason);
		buf_addf(out, ", \"recipients\": %lld}", (long long)held.waiting);
	}
	buf_add_byte(out, ']');
}

void standing_report_add_waits(const struct standing_report *report, struct buf *out)
{
	buf_add_byte(out, '[');
	for (size_t i = 0; i < db_row_count(report->waits); i++) {
		AUTO_BUF reason = buf_with_ceiling(2 * LIMIT_WHY);
		const struct budget_wait wait = budgets_wait_get(report->waits, i);
		pace_text_add_wait(&wait, &reason);
		buf_addf(out, i == 0 ? "{\"for\": " : ", {\"for\": ");
		output_json_string(out, wait.standing.key);
		buf_addf(out, ", \"recipients\": %lld, \"reason\": ", (long long)wait.recipients);
		output_json_string(out, buf_view(&reason));
		buf_add_byte(out, '}');
	}
	buf_add_byte(out, ']');
}

void standing_report_tell_stranded(const struct standing_report *report, size_t row, struct buf *out)
{
	struct stranded stranded;
	stranded_at(report->stranded, row, &stranded);
	buf_addf(out, "%lld recipients wait for worker " VIEW_FMT " of " VIEW_FMT ", ", (long long)stranded.recipients,
		 VIEW_ARG(stranded.worker), VIEW_ARG(stranded.host));
	if (stranded.refused.len > 0) {
		buf_add(out, stranded.refused);
		return;
	}
	buf_addf(out, "not seen since ");
	schedule_write_instant(stranded.seen_us, out);
	buf_addf(out, ": start its sender again, or when it is lost for good, `listctl worker forget` it");
}

void standing_report_add_stranded(const struct standing_report *report, struct buf *out)
{
	buf_add_byte(out, '[');
	for (size_t i = 0; i < db_row_count(report->stranded); i++) {
		AUTO_BUF reason = buf_with_ceiling(2 * LIMIT_WHY);
		struct stranded stranded;
		stranded_at(report->stranded, i, &stranded);
		standing_report_tell_stranded(report, i, &reason);
		buf_addf(out, i == 0 ? "{\"worker\": " : ", {\"worker\": ");
		output_json_string(out, stranded.worker);
		buf_addf(out, ", \"recipients\": %lld, \"reason\": ", (long long)stranded.recipients);
		output_json_string(out, buf_view(&reason));
		buf_add_byte(out, '}');
	}
	buf_add_byte(out, ']');
}

void standing_report_done(struct standing_report *report)
{
	audience_text_done(&report->audience);
	db_rows_done(report->campaign_rows);
	db_rows_done(report->reasons);
	db_rows_done(report->relays);
	db_rows_done(report->holds);
	db_rows_done(report->waits);
	db_rows_done(report->stranded);
	*report = (struct standing_report){ 0 };
}
