#include "listctl/campaign_verbs.h"

#include <assert.h>

#include "base/limits.h"
#include "listctl/audience_text.h"
#include "listctl/schedule.h"
#include "listctl/variants.h"
#include "store/lists.h"

/* ---- ls ---- */

static const struct output_column ls_columns[] = {
	{ "name", OUTPUT_TEXT, false },       { "list", OUTPUT_TEXT, false },       { "state", OUTPUT_TEXT, false },
	{ "audience", OUTPUT_INT, false },    { "subject", OUTPUT_TEXT, true },     { "starts_at", OUTPUT_TIME, false },
	{ "started_at", OUTPUT_TIME, false }, { "ended_at", OUTPUT_TIME, false },   { "not_after", OUTPUT_TIME, false },
	{ "windows", OUTPUT_TEXT, true },     { "hold_reason", OUTPUT_TEXT, true },
};

enum err campaign_ls(struct call *call)
{
	AUTO_DB_ROWS *list_rows = NULL;
	AUTO_DB_ROWS *rows = NULL;
	struct list list = { 0 };
	const char *list_name = call_option(call, "list");
	enum err err = ERR_OK;
	if (list_name != NULL)
		err = lists_find(call->db, view_of(list_name), &list_rows, &list, call->why);
	if (err == ERR_OK)
		err = campaigns_all(call->db, (uint64_t)list.id, &rows, call->why);
	if (err != ERR_OK)
		return err;
	output_begin(call->out, ls_columns, ARRAY_LEN(ls_columns));
	for (size_t i = 0; i < db_row_count(rows); i++) {
		struct campaign campaign;
		campaigns_at(rows, i, &campaign);
		output_row(call->out, (struct output_cell[]){
					  cell_text(campaign.name), cell_text(campaign.list_name),
					  cell_text(view_of(campaign_state_word(&campaign))),
					  campaign.audience < 0 ? cell_null() : cell_int(campaign.audience),
					  cell_text(campaign.content.subject), cell_time_or_null(campaign.start_us),
					  cell_time_or_null(campaign.started_us), cell_time_or_null(campaign.ended_us),
					  cell_time_or_null(campaign.not_after_us), cell_text_or_null(campaign.windows),
					  cell_text_or_null(campaign.hold_reason) });
	}
	return output_end(call->out, call->why);
}

/* ---- show ---- */

static const struct output_column show_columns[] = {
	{ "id", OUTPUT_INT, false },
	{ "name", OUTPUT_TEXT, false },
	{ "list", OUTPUT_TEXT, false },
	{ "also_lists", OUTPUT_TEXT, true },
	{ "segments", OUTPUT_TEXT, true },
	{ "excluded_lists", OUTPUT_TEXT, true },
	{ "excluded_segments", OUTPUT_TEXT, true },
	{ "state", OUTPUT_TEXT, false },
	{ "hold_reason", OUTPUT_TEXT, true },
	{ "subject", OUTPUT_TEXT, true },
	{ "from_name", OUTPUT_TEXT, false },
	{ "from_address", OUTPUT_TEXT, false },
	{ "reply_to", OUTPUT_TEXT, false },
	{ "in_doubt", OUTPUT_TEXT, false },
	{ "audience", OUTPUT_INT, false },
	{ "local_time", OUTPUT_TEXT, false },
	{ "zone", OUTPUT_TEXT, false },
	{ "starts_at", OUTPUT_TIME, false },
	{ "created_at", OUTPUT_TIME, false },
	{ "started_at", OUTPUT_TIME, false },
	{ "ended_at", OUTPUT_TIME, false },
	{ "not_after", OUTPUT_TIME, false },
	{ "windows", OUTPUT_TEXT, true },
	{ "window_opens_at", OUTPUT_TIME, false },
	{ "local_to", OUTPUT_TEXT, false },
	{ "local_fallback", OUTPUT_INT, false },
	{ "expire", OUTPUT_TEXT, false },
	{ "text_octets", OUTPUT_INT, false },
	{ "html_octets", OUTPUT_INT, false },
	{ "variants", OUTPUT_TEXT, true },
};

static enum err write_variants(struct call *call, const struct campaign *campaign, struct buf *out)
{
	struct campaign_variants variants;
	enum err err = campaign_variants_read(call->db, campaign->id, &variants, call->why);
	if (err == ERR_OK)
		variants_describe(&variants, out);
	campaign_variants_done(&variants);
	return err;
}

static enum err show_body(struct view body)
{
	if (body.len > 0)
		fwrite(body.data, 1, body.len, stdout);
	return ERR_OK;
}

static enum err show_all(struct call *call, const struct campaign *c, const struct audience_text *audience)
{
	AUTO_BUF expire = buf_with_ceiling(64);
	if (c->expire_us > 0)
		schedule_write_span(c->expire_us, &expire);
	AUTO_BUF variants = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	enum err err = write_variants(call, c, &variants);
	if (err != ERR_OK)
		return err;
	const struct output_cell cells[] = {
		cell_int((int64_t)c->id),
		cell_text(c->name),
		cell_text(c->list_name),
		cell_text_or_null(buf_view(&audience->also_lists)),
		cell_text_or_null(buf_view(&audience->segments)),
		cell_text_or_null(buf_view(&audience->excluded_lists)),
		cell_text_or_null(buf_view(&audience->excluded_segments)),
		cell_text(view_of(campaign_state_word(c))),
		cell_text_or_null(c->hold_reason),
		cell_text(c->content.subject),
		cell_text_or_null(c->content.from_name),
		cell_text(c->content.from_address),
		cell_text_or_null(c->content.reply_to),
		cell_text(c->content.in_doubt),
		c->audience < 0 ? cell_null() : cell_int(c->audience),
		cell_text_or_null(c->local_time),
		cell_text_or_null(c->zone),
		cell_time_or_null(c->start_us),
		cell_time(c->created_us),
		cell_time_or_null(c->started_us),
		cell_time_or_null(c->ended_us),
		cell_time_or_null(c->not_after_us),
		cell_text_or_null(c->windows),
		cell_time_or_null(c->opens_us),
		cell_text_or_null(c->local_attribute),
		c->local_fallback < 0 ? cell_null() : cell_int(c->local_fallback),
		cell_text_or_null(buf_view(&expire)),
		cell_int((int64_t)c->content.text_body.len),
		cell_int((int64_t)c->content.html_body.len),
		cell_text_or_null(buf_view(&variants)),
	};
	static_assert(ARRAY_LEN(cells) == ARRAY_LEN(show_columns), "one cell per column");
	return output_object(call->out, show_columns, ARRAY_LEN(show_columns), cells, call->why);
}

enum err campaign_show(struct call *call)
{
	if (call_has(call, "text") && call_has(call, "html"))
		return call_misused(call, "--text prints one template and --html the other; give one");
	AUTO_DB_ROWS *rows = NULL;
	struct campaign c;
	enum err err = campaign_named(call, &c, &rows);
	if (err != ERR_OK)
		return err;
	if (call_has(call, "text"))
		return show_body(c.content.text_body);
	if (call_has(call, "html"))
		return show_body(c.content.html_body);
	struct audience_text audience = { 0 };
	err = audience_text_read(call, c.id, &audience);
	if (err == ERR_OK)
		err = show_all(call, &c, &audience);
	audience_text_done(&audience);
	audience_warn_of_none(call, &c);
	return err;
}
