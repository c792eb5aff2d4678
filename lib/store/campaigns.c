#include "store/campaigns.h"

#include <assert.h>

#include "base/limits.h"
#include "store/audit.h"
#include "store/near_names.h"

enum statement {
	FIND,
	NAMES,
	ALL,
	CREATE,
	EDIT,
	DELETE,
	SCHEDULE,
	UNSCHEDULE,
	START,
	NEXT_OPENING,
	MEMBERS_LATE,
	PAUSE,
	RESUME,
	CANCEL,
	AHEAD,
	STATEMENT_COUNT
};

/* The doubtful of a canceled campaign stay: nothing is sent to them again. */
#define IS_CANCELING                                                                                                   \
	"(c.state = 'canceled' AND (EXISTS (SELECT FROM campaign_chunk k WHERE k.campaign_id = c.id AND NOT k.done)"   \
	" OR EXISTS (SELECT FROM deferral f WHERE f.campaign_id = c.id"                                                \
	" AND (f.state = 'deferred' OR f.opened_by IS NOT NULL))))"

#define COLUMNS(bodies)                                                                                                \
	"SELECT c.id, c.list_id, c.name, l.name, c.state, c.subject, c.from_name, c.from_address, c.reply_to, "        \
	"c.in_doubt, to_char(c.local_time, 'YYYY-MM-DD HH24:MI:SS'), c.zone, c.hold_reason, c.audience, c.start_at,"   \
	" c.created_at, c.started_at, CASE WHEN NOT " IS_CANCELING                                                     \
	" THEN c.ended_at END, c.not_after, c.window_text, c.local_attribute, c.local_fallback,"                       \
	" coalesce(c.list_title, l.title), coalesce(c.list_header_id, l.list_id), coalesce(c.list_headers, "           \
	"l.headers),"                                                                                                  \
	" (extract(epoch FROM c.expire) * 1000000)::bigint, CASE WHEN c.windows IS NOT NULL"                           \
	" AND c.state IN ('scheduled', 'running', 'paused') AND NOT is_in_window(c.windows, c.zone, now())"            \
	" THEN next_opening(c.windows, c.zone, now()) END" bodies " FROM campaign c JOIN list l ON l.id = c.list_id"

enum column {
	COL_ID,
	COL_LIST_ID,
	COL_NAME,
	COL_LIST_NAME,
	COL_STATE,
	COL_SUBJECT,
	COL_FROM_NAME,
	COL_FROM_ADDRESS,
	COL_REPLY_TO,
	COL_IN_DOUBT,
	COL_LOCAL_TIME,
	COL_ZONE,
	COL_HOLD_REASON,
	COL_AUDIENCE,
	COL_START,
	COL_CREATED,
	COL_STARTED,
	COL_ENDED,
	COL_NOT_AFTER,
	COL_WINDOWS,
	COL_LOCAL_ATTRIBUTE,
	COL_LOCAL_FALLBACK,
	COL_LIST_TITLE,
	COL_LIST_HEADER_ID,
	COL_LIST_HEADERS,
	COL_EXPIRE,
	COL_OPENS,
	COL_TEXT_BODY,
	COL_HTML_BODY
};

static const struct db_statement statements[] = {
	[AHEAD] = { "campaigns_ahead", "SELECT count(*) FROM campaign WHERE state IN ('scheduled', 'running')" },
	[FIND] = { "campaigns_find", COLUMNS(", c.text_body, c.html_body") " WHERE c.name = $1" },
	[NAMES] = { "campaigns_names", "SELECT name FROM campaign ORDER BY id DESC LIMIT 6" },
	[ALL] = { "campaigns_all",
		  COLUMNS(", '', ''") " WHERE $1::bigint IS NULL OR $1 IN (SELECT t.list_id FROM campaign_target t"
				      " WHERE t.campaign_id = c.id) ORDER BY c.id DESC" },
	[CREATE] = { "campaigns_create",
		     "INSERT INTO campaign (name, list_id, subject, from_name, from_address, reply_to, text_body,"
		     " html_body, in_doubt) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id" },
	[EDIT] = { "campaigns_edit",
		   "UPDATE campaign SET subject = $2, from_name = $3, from_address = $4, reply_to = $5, text_body = $6,"
		   " html_body = $7, in_doubt = $8 WHERE name = $1 AND state IN ('draft', 'scheduled')" },
	[DELETE] = { "campaigns_delete", "DELETE FROM campaign WHERE name = $1 AND state = 'draft'" },
	/* $1 name, $2 local time, $3 zone, $4 instant, $5 not after, $6 windows, $7 the same in words, $8 attribute, $9 expiry. */
	[SCHEDULE] = { "campaigns_schedule",
		       "UPDATE campaign SET state = 'scheduled', local_time = $2::text::timestamp, zone = $3,"
		       " start_at = $4, not_after = $5, windows = $6::text::int4multirange, window_text = $7,"
		       " local_attribute = $8, expire = $9::bigint * interval '1 microsecond', hold_reason = NULL"
		       " WHERE name = $1 AND state IN ('draft', 'scheduled')" },
	[UNSCHEDULE] = { "campaigns_unschedule",
			 "UPDATE campaign SET state = 'draft', local_time = NULL, zone = NULL, start_at = NULL,"
			 " not_after = NULL, windows = NULL, window_text = NULL, local_attribute = NULL, expire = NULL,"
			 " hold_reason = NULL WHERE name = $1 AND state = 'scheduled'" },
	[START] = { "campaigns_start",
		    "UPDATE campaign SET state = 'scheduled', local_time = NULL, start_at = now(), not_after = NULL,"
		    " zone = CASE WHEN windows IS NOT NULL THEN zone END, local_attribute = NULL, hold_reason = NULL"
		    " WHERE name = $1 AND state IN ('draft', 'scheduled')" },
	[NEXT_OPENING] = { "campaigns_next_opening", "SELECT next_opening($1::text::int4multirange, $2, $3)" },
	[MEMBERS_LATE] = { "campaigns_members_late",
			   "WITH zones AS MATERIALIZED (SELECT DISTINCT ON (lower(name)) lower(name) AS key,"
			   " $3::text::timestamp AT TIME ZONE name AS due FROM zone_name ORDER BY lower(name), "
			   "name)"
			   " SELECT count(*), count(*) FILTER (WHERE z.key IS NULL), count(*) FILTER (WHERE"
			   " coalesce(z.due, $3::text::timestamp AT TIME ZONE $4::text) <= now())"
			   " FROM (SELECT DISTINCT m.subscriber_id FROM campaign c"
			   " JOIN campaign_target t ON t.campaign_id = c.id"
			   " JOIN membership m ON m.list_id = t.list_id AND m.state = 'active' WHERE c.name = $1) AS m"
			   " JOIN subscriber s ON s.id = m.subscriber_id"
			   " LEFT JOIN zones z ON z.key = lower(btrim(s.attributes ->> $2::text))" },
	[PAUSE] = { "campaigns_pause",
		    "UPDATE campaign SET state = 'paused', hold_reason = $2 WHERE name = $1 AND state = 'running'" },
	/* After a person has looked, the breakers begin to count anew. One that waits for a person before its start is due now, and its
	 * relays are tested for that. */
	[RESUME] = { "campaigns_resume",
		     "UPDATE campaign SET hold_reason = NULL,"
		     " state = CASE WHEN state = 'paused' THEN 'running' ELSE state END,"
		     " start_at = CASE WHEN state = 'scheduled' THEN greatest(start_at, now()) ELSE start_at END,"
		     " not_after = CASE WHEN state <> 'scheduled' OR not_after > now() THEN not_after END"
		     " WHERE name = $1 AND (state = 'paused' OR (state = 'scheduled' AND hold_reason IS NOT NULL))"
		     " RETURNING campaign_tally_forget(id, NULL, 'infinity')" },
	[CANCEL] = { "campaigns_cancel",
		     "UPDATE campaign SET state = 'canceled', hold_reason = NULL, ended_at = now() WHERE name = $1"
		     " AND state IN ('scheduled', 'running', 'paused')" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

static const char *const state_names[] = {
	[CAMPAIGN_DRAFT] = "draft",   [CAMPAIGN_SCHEDULED] = "scheduled", [CAMPAIGN_RUNNING] = "running",
	[CAMPAIGN_PAUSED] = "paused", [CAMPAIGN_CANCELED] = "canceled",   [CAMPAIGN_FINISHED] = "finished",
};
static_assert(ARRAY_LEN(state_names) == CAMPAIGN_STATE_COUNT, "one name per state");

const char *campaign_state_name(enum campaign_state state)
{
	return state_names[state];
}

bool campaign_is_canceling(const struct campaign *campaign)
{
	return campaign->state == CAMPAIGN_CANCELED && campaign->ended_us == 0;
}

const char *campaign_state_word(const struct campaign *campaign)
{
	return campaign_is_canceling(campaign) ? "canceling" : campaign_state_name(campaign->state);
}

bool campaign_state_from_name(struct view name, enum campaign_state *ret_state)
{
	for (size_t i = 0; i < ARRAY_LEN(state_names); i++) {
		if (view_eq(name, view_of(state_names[i]))) {
			*ret_state = (enum campaign_state)i;
			return true;
		}
	}
	return false;
}

/* ---- reading ---- */

void campaigns_at(const struct db_rows *rows, size_t row, struct campaign *ret_campaign)
{
	enum campaign_state state = CAMPAIGN_DRAFT;
	if (!campaign_state_from_name(db_get_text(rows, row, COL_STATE), &state))
		state = CAMPAIGN_CANCELED; /* a word of a later release: nothing may be done with it */
	*ret_campaign = (struct campaign){
		.id = (uint64_t)db_get_int(rows, row, COL_ID),
		.list_id = (uint64_t)db_get_int(rows, row, COL_LIST_ID),
		.state = state,
		.name = db_get_text(rows, row, COL_NAME),
		.list_name = db_get_text(rows, row, COL_LIST_NAME),
		.list_title = db_get_text(rows, row, COL_LIST_TITLE),
		.list_header_id = db_get_text(rows, row, COL_LIST_HEADER_ID),
		.list_headers = db_get_text(rows, row, COL_LIST_HEADERS),
		.content = {
			.subject = db_get_text(rows, row, COL_SUBJECT),
			.from_name = db_get_text(rows, row, COL_FROM_NAME),
			.from_address = db_get_text(rows, row, COL_FROM_ADDRESS),
			.reply_to = db_get_text(rows, row, COL_REPLY_TO),
			.text_body = db_get_text(rows, row, COL_TEXT_BODY),
			.html_body = db_get_text(rows, row, COL_HTML_BODY),
			.in_doubt = db_get_text(rows, row, COL_IN_DOUBT),
		},
		.local_time = db_get_text(rows, row, COL_LOCAL_TIME),
		.zone = db_get_text(rows, row, COL_ZONE),
		.hold_reason = db_get_text(rows, row, COL_HOLD_REASON),
		.audience = db_is_null(rows, row, COL_AUDIENCE) ? -1 : db_get_int(rows, row, COL_AUDIENCE),
		.start_us = db_get_time(rows, row, COL_START),
		.created_us = db_get_time(rows, row, COL_CREATED),
		.started_us = db_get_time(rows, row, COL_STARTED),
		.ended_us = db_get_time(rows, row, COL_ENDED),
		.not_after_us = db_get_time(rows, row, COL_NOT_AFTER),
		.windows = db_get_text(rows, row, COL_WINDOWS),
		.local_attribute = db_get_text(rows, row, COL_LOCAL_ATTRIBUTE),
		.local_fallback = db_is_null(rows, row, COL_LOCAL_FALLBACK) ? -1 : db_get_int(rows, row, COL_LOCAL_FALLBACK),
		.expire_us = db_get_int(rows, row, COL_EXPIRE),
		.opens_us = db_get_time(rows, row, COL_OPENS),
	};
}

static enum err refuse_name(struct db *db, struct view name, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[NAMES], NULL, 0, &rows, why);
	if (err != ERR_OK)
		return err;
	buf_addf(why, "there is no campaign \"" VIEW_FMT "\"", VIEW_ARG(name));
	if (near_names_add(db, NAMED_CAMPAIGN, name, why))
		return ERR_NOT_FOUND;
	size_t count = db_row_count(rows);
	if (count == 0)
		buf_addf(why, "; `listctl campaign ls` shows those there are");
	for (size_t i = 0; i < count; i++) {
		struct view there = db_get_text(rows, i, 0);
		buf_addf(why, i == 0 ? "; there are: " VIEW_FMT : i == 5 ? " ..." : ", " VIEW_FMT, VIEW_ARG(there));
	}
	return ERR_NOT_FOUND;
}

enum err campaigns_find(struct db *db, struct view name, struct campaign *ret_campaign, struct db_rows **ret_rows,
			struct buf *why)
{
	struct db_rows *rows = NULL;
	const struct db_value values[] = { db_text(name) };
	enum err err = db_run(db, &statements[FIND], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	if (db_row_count(rows) == 0) {
		db_rows_done(rows);
		return refuse_name(db, name, why);
	}
	campaigns_at(rows, 0, ret_campaign);
	*ret_rows = rows;
	return ERR_OK;
}

enum err campaigns_all(struct db *db, uint64_t list_id, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { list_id == 0 ? db_null() : db_int((int64_t)list_id) };
	return db_run(db, &statements[ALL], values, ARRAY_LEN(values), ret_rows, why);
}

/* ---- changing ---- */

static enum err note(struct db *db, struct view actor, const char *action, struct view name, struct view detail,
		     struct buf *why)
{
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&subject, "campaign:" VIEW_FMT, VIEW_ARG(name));
	if (buf_err(&subject) != ERR_OK)
		return buf_err(&subject);
	return audit_append(db, actor, action, buf_view(&subject), detail, why);
}

/* Why a step of this campaign was refused: it does not exist, or it is in another state. */
static enum err refuse_step(struct db *db, struct view name, const char *step, const char *asks, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	struct campaign campaign;
	enum err err = campaigns_find(db, name, &campaign, &rows, why);
	if (err != ERR_OK)
		return err;
	buf_addf(why, "cannot %s campaign " VIEW_FMT ": it is %s", step, VIEW_ARG(name),
		 campaign_state_word(&campaign));
	if (campaign.hold_reason.len > 0)
		buf_addf(why, " (" VIEW_FMT ")", VIEW_ARG(campaign.hold_reason));
	buf_addf(why, "; %s", asks);
	return ERR_REFUSED;
}

struct step {
	enum statement statement;
	const char *verb;   /* "pause" */
	const char *action; /* in the audit */
	const char *asks;   /* what state it must be in, and what to do instead */
};

/* What stands in tables of its own. */
static enum err write_rest(struct db *db, struct view name, const struct campaign_content *content, struct buf *why)
{
	enum err err = ERR_OK;
	if (content != NULL && content->has_files)
		err = campaign_files_replace(db, name, content->files, content->file_count, why);
	if (err == ERR_OK && content != NULL && content->has_variants)
		err = campaign_variants_replace(db, name, content->variants, content->variant_count, why);
	if (err == ERR_OK && content != NULL && content->has_audience)
		err = audiences_replace(db, name, content->audience, content->audience_count, why);
	return err;
}

/* One guarded statement with its audit row, in one transaction, and the files of what is written. The first value is the campaign's name. */
static enum err take_step_with(struct db *db, const struct step *step, const struct db_value *values, size_t count,
			       const struct campaign_content *content, struct view actor, struct view detail,
			       struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	struct view name = values[0].bytes;
	enum err err = db_begin(db, why);
	if (err != ERR_OK) {
		buf_addf(why, "the database does not answer");
		return err;
	}
	err = db_run(db, &statements[step->statement], values, count, &rows, why);
	if (err == ERR_OK && db_changed(rows) == 0)
		err = refuse_step(db, name, step->verb, step->asks, why);
	if (err == ERR_OK)
		err = write_rest(db, name, content, why);
	if (err == ERR_OK)
		err = note(db, actor, step->action, name, detail, why);
	if (err == ERR_OK)
		return db_commit(db, why);
	db_rollback(db);
	return err;
}

static enum err take_step(struct db *db, const struct step *step, const struct db_value *values, size_t count,
			  struct view actor, struct view detail, struct buf *why)
{
	return take_step_with(db, step, values, count, NULL, actor, detail, why);
}

enum err campaigns_create(struct db *db, struct view name, uint64_t list_id, const struct campaign_content *content,
			  struct view actor, uint64_t *ret_id, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	const struct db_value values[] = { db_text(name),
					   db_int((int64_t)list_id),
					   db_text(content->subject),
					   db_text(content->from_name),
					   db_text(content->from_address),
					   db_text_or_null(content->reply_to),
					   db_text(content->text_body),
					   db_text_or_null(content->html_body),
					   db_text(content->in_doubt) };
	enum err err = db_begin(db, why);
	if (err != ERR_OK) {
		buf_addf(why, "the database does not answer");
		return err;
	}
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	err = db_run(db, &statements[CREATE], values, ARRAY_LEN(values), &rows, &cause);
	if (err == ERR_EXISTS)
		buf_addf(why, "there is a campaign " VIEW_FMT " already; choose another name", VIEW_ARG(name));
	else if (err == ERR_REFUSED)
		buf_addf(why,
			 "\"" VIEW_FMT "\" is no campaign name: 1 to 64 characters a-z, 0-9 and -, no - at the ends",
			 VIEW_ARG(name));
	else if (err != ERR_OK)
		buf_add(why, buf_view(&cause));
	if (err == ERR_OK)
		err = write_rest(db, name, content, why);
	if (err == ERR_OK)
		err = note(db, actor, "campaign.create", name, (struct view){ 0 }, why);
	if (err == ERR_OK)
		err = db_commit(db, why);
	if (err != ERR_OK) {
		db_rollback(db);
		return err;
	}
	*ret_id = (uint64_t)db_get_int(rows, 0, 0);
	return ERR_OK;
}

#define FROZEN "what is sent is frozen when a campaign starts; create another one"

/* Those that lead on from a draft or scheduled campaign. */
static const struct step edit = { EDIT, "edit", "campaign.edit", FROZEN };
static const struct step schedule = { SCHEDULE, "schedule", "campaign.schedule",
				      "only a draft or scheduled campaign can be given a time" };
static const struct step start = { START, "start", "campaign.start",
				   "only a draft or scheduled campaign can be started" };

static enum err may_take(struct db *db, struct view name, const struct step *step, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	struct campaign campaign;
	enum err err = campaigns_find(db, name, &campaign, &rows, why);
	if (err != ERR_OK || campaign.state == CAMPAIGN_DRAFT || campaign.state == CAMPAIGN_SCHEDULED)
		return err;
	return refuse_step(db, name, step->verb, step->asks, why);
}

enum err campaigns_may_edit(struct db *db, struct view name, struct buf *why)
{
	return may_take(db, name, &edit, why);
}

enum err campaigns_may_schedule(struct db *db, struct view name, struct buf *why)
{
	return may_take(db, name, &schedule, why);
}

enum err campaigns_may_start(struct db *db, struct view name, struct buf *why)
{
	return may_take(db, name, &start, why);
}

enum err campaigns_edit(struct db *db, struct view name, const struct campaign_content *content, struct view actor,
			struct buf *why)
{
	const struct db_value values[] = { db_text(name),
					   db_text(content->subject),
					   db_text(content->from_name),
					   db_text(content->from_address),
					   db_text_or_null(content->reply_to),
					   db_text(content->text_body),
					   db_text_or_null(content->html_body),
					   db_text(content->in_doubt) };
	return take_step_with(db, &edit, values, ARRAY_LEN(values), content, actor, (struct view){ 0 }, why);
}

enum err campaigns_delete(struct db *db, struct view name, struct view actor, struct buf *why)
{
	static const struct step step = {
		DELETE, "delete", "campaign.delete",
		"only a draft can be deleted, the others are kept as the record of what was sent"
	};
	const struct db_value values[] = { db_text(name) };
	return take_step(db, &step, values, ARRAY_LEN(values), actor, (struct view){ 0 }, why);
}

/* What is not in the detail of a step could not be read there later: the instants, in the form of the database. */
static enum err schedule_detail(const struct campaign_time *time, struct buf *out)
{
	/* local, zone and windows have passed a parser: no quote or control character can stand in them. An attribute's name may hold
	 * anything, and is in the campaign's row. */
	buf_addf(out, "{\"local\": \"" VIEW_FMT "\", \"zone\": \"" VIEW_FMT "\", \"instant_us\": %lld",
		 VIEW_ARG(time->local), VIEW_ARG(time->zone), (long long)time->instant_us);
	if (time->not_after_us != 0)
		buf_addf(out, ", \"not_after_us\": %lld", (long long)time->not_after_us);
	if (time->window_text.len > 0)
		buf_addf(out, ", \"windows\": \"" VIEW_FMT "\"", VIEW_ARG(time->window_text));
	if (time->local_attribute.len > 0)
		buf_addf(out, ", \"each_at_local_time\": true");
	if (time->expire_us != 0)
		buf_addf(out, ", \"expire_us\": %lld", (long long)time->expire_us);
	buf_add_byte(out, '}');
	return buf_err(out);
}

enum err campaigns_schedule(struct db *db, struct view name, const struct campaign_time *time, struct view actor,
			    struct buf *why)
{
	static const struct step clear = { UNSCHEDULE, "unschedule", "campaign.unschedule",
					   "only a scheduled campaign goes back to draft" };
	const struct db_value values[] = { db_text(name),
					   db_text_or_null(time->local),
					   db_text_or_null(time->zone),
					   db_time(time->instant_us),
					   time->not_after_us == 0 ? db_null() : db_time(time->not_after_us),
					   db_text_or_null(time->windows),
					   db_text_or_null(time->window_text),
					   db_text_or_null(time->local_attribute),
					   time->expire_us == 0 ? db_null() : db_int(time->expire_us) };
	if (time->instant_us == 0)
		return take_step(db, &clear, values, 1, actor, (struct view){ 0 }, why);
	AUTO_BUF detail = buf_with_ceiling(LIMIT_WHY);
	enum err err = schedule_detail(time, &detail);
	if (err != ERR_OK)
		return err;
	return take_step(db, &schedule, values, ARRAY_LEN(values), actor, buf_view(&detail), why);
}

enum err campaigns_next_opening(struct db *db, struct view windows, struct view zone, int64_t from_us,
				int64_t *ret_opens_us, struct buf *why)
{
	const struct db_value values[] = { db_text(windows), db_text(zone), db_time(from_us) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[NEXT_OPENING], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_opens_us = db_get_time(rows, 0, 0);
	return err;
}

enum err campaigns_count_local(struct db *db, struct view name, const struct campaign_time *time,
			       struct campaign_local *ret_local, struct buf *why)
{
	const struct db_value values[] = { db_text(name), db_text(time->local_attribute), db_text(time->local),
					   db_text(time->zone) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[MEMBERS_LATE], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_local = (struct campaign_local){ .members = db_get_int(rows, 0, 0),
						      .fallback = db_get_int(rows, 0, 1),
						      .past = db_get_int(rows, 0, 2) };
	return err;
}

enum err campaigns_start(struct db *db, struct view name, struct view actor, struct buf *why)
{
	const struct db_value values[] = { db_text(name) };
	return take_step(db, &start, values, ARRAY_LEN(values), actor, (struct view){ 0 }, why);
}

enum err campaigns_pause(struct db *db, struct view name, struct view reason, struct view actor, struct buf *why)
{
	static const struct step step = { PAUSE, "pause", "campaign.pause", "only a running campaign can be paused" };
	const struct db_value values[] = { db_text(name), db_text(reason) };
	return take_step(db, &step, values, ARRAY_LEN(values), actor, (struct view){ 0 }, why);
}

enum err campaigns_resume(struct db *db, struct view name, struct view actor, struct buf *why)
{
	static const struct step step = { RESUME, "resume", "campaign.resume",
					  "only a paused campaign can be resumed, or a scheduled one that waits for a "
					  "person; `listctl campaign start` starts a draft or scheduled one at once, "
					  "`schedule` at another time" };
	const struct db_value values[] = { db_text(name) };
	return take_step(db, &step, values, ARRAY_LEN(values), actor, (struct view){ 0 }, why);
}

enum err campaigns_cancel(struct db *db, struct view name, struct view actor, struct buf *why)
{
	static const struct step step = {
		CANCEL, "cancel", "campaign.cancel",
		"a draft is deleted with `listctl campaign delete`, an ended campaign stays as it is"
	};
	const struct db_value values[] = { db_text(name) };
	return take_step(db, &step, values, ARRAY_LEN(values), actor, (struct view){ 0 }, why);
}

enum err campaigns_count_ahead(struct db *db, size_t *ret_count, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[AHEAD], NULL, 0, &rows, why);
	if (err == ERR_OK)
		*ret_count = (size_t)db_get_int(rows, 0, 0);
	return err;
}
