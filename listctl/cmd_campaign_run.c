#include "listctl/campaign_verbs.h"

#include "base/limits.h"
#include "listctl/audience_text.h"
#include "listctl/confirm.h"
#include "listctl/progress.h"
#include "store/runs.h"
#include "store/tallies.h"

enum err campaign_start(struct call *call)
{
	enum err err = campaigns_may_start(call->db, view_of(call->operands[0]), call->why);
	if (err == ERR_OK)
		err = campaign_check_sending(call);
	if (err == ERR_OK)
		err = campaigns_start(call->db, view_of(call->operands[0]), call_actor(call), call->why);
	if (err != ERR_OK)
		return err;
	call_note(call, "campaign %s is due now: sender takes it up; `listctl campaign watch %s` follows it",
		  call->operands[0], call->operands[0]);
	audience_warn_ahead(call);
	return ERR_OK;
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
	AUTO_DB_ROWS *rows = NULL;
	struct campaign campaign;
	enum err err = campaigns_resume(call->db, view_of(call->operands[0]), call_actor(call), call->why);
	if (err == ERR_OK)
		err = campaign_named(call, &campaign, &rows);
	if (err != ERR_OK)
		return err;
	bool is_ahead = campaign.state == CAMPAIGN_SCHEDULED;
	call_note(call, "campaign %s goes on%s", call->operands[0],
		  is_ahead ? ": it is due now, sender takes it up with its schedule" : "");
	if (is_ahead)
		audience_warn_ahead(call);
	return ERR_OK;
}

/* Whom no sender has in hand is settled here, for none may run. */
static enum err settle(struct call *call, const struct campaign *campaign)
{
	struct progress progress = progress_begin(
	    "skipping", "recipients", campaign->audience > 0 ? (uint64_t)campaign->audience : 0, call->quiet);
	struct runs_settled settled = { .more = true };
	uint64_t done = 0;
	enum err err = ERR_OK;
	while (err == ERR_OK && settled.more) {
		err = runs_settle_canceled(call->db, (int64_t)campaign->id, &settled, call->why);
		if (err == ERR_OK)
			progress_update(&progress, done += (uint64_t)settled.recipients);
	}
	progress_end(&progress);
	return err;
}

static enum err set_canceled(struct call *call, const struct campaign *campaign)
{
	if (campaign_is_canceling(campaign))
		return ERR_OK;
	bool is_open = campaign->state == CAMPAIGN_SCHEDULED || campaign->state == CAMPAIGN_RUNNING ||
		       campaign->state == CAMPAIGN_PAUSED;
	/* Nobody is asked about what is refused. */
	enum err err = ERR_OK;
	if (is_open)
		err = confirm(call, "cancel campaign %s for good? It cannot be resumed.", call->operands[0]);
	return err == ERR_OK ? campaigns_cancel(call->db, campaign->name, call_actor(call), call->why) : err;
}

enum err campaign_cancel(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_DB_ROWS *rows_after = NULL;
	struct campaign campaign, after;
	enum err err = campaign_named(call, &campaign, &rows);
	if (err == ERR_OK)
		err = set_canceled(call, &campaign);
	if (err == ERR_OK)
		err = settle(call, &campaign);
	if (err == ERR_OK)
		err = campaign_named(call, &after, &rows_after);
	if (err != ERR_OK)
		return err;
	if (campaign_is_canceling(&after))
		call_note(call,
			  "campaign %s is being canceled: who has not been sent to is skipped, but senders still have "
			  "some in "
			  "hand; `listctl campaign watch %s` waits for them",
			  call->operands[0], call->operands[0]);
	else
		call_note(call, "campaign %s is canceled; who has not been sent to is skipped", call->operands[0]);
	return ERR_OK;
}

enum err campaign_delete(struct call *call)
{
	return campaigns_delete(call->db, view_of(call->operands[0]), call_actor(call), call->why);
}
