#include "listctl/audience_text.h"

#include "base/limits.h"
#include "listctl/campaign_verbs.h"
#include "listctl/waiting.h"
#include "store/audiences.h"
#include "store/readers.h"

enum { ROOM = AUDIENCE_PARTS_MOST * 128 };

static struct buf *place_of(struct audience_text *text, const struct audience_part *part)
{
	if (part->list_id != 0)
		return part->is_left_out ? &text->excluded_lists : &text->also_lists;
	return part->is_left_out ? &text->excluded_segments : &text->segments;
}

enum err audience_text_read(struct call *call, uint64_t campaign_id, struct audience_text *ret_text)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = audiences_read(call->db, campaign_id, &rows, call->why);
	if (err != ERR_OK)
		return err;
	*ret_text = (struct audience_text){ buf_with_ceiling(ROOM), buf_with_ceiling(ROOM), buf_with_ceiling(ROOM),
					    buf_with_ceiling(ROOM) };
	for (size_t i = 0; i < db_row_count(rows); i++) {
		const struct audience_part part = audiences_get(rows, i);
		struct buf *names = place_of(ret_text, &part);
		buf_addf(names, "%s" VIEW_FMT, names->len > 0 ? ", " : "", VIEW_ARG(part.name));
	}
	return ERR_OK;
}

void audience_text_done(struct audience_text *text)
{
	buf_done(&text->also_lists);
	buf_done(&text->segments);
	buf_done(&text->excluded_lists);
	buf_done(&text->excluded_segments);
}

bool audience_was_nobody(const struct campaign *campaign)
{
	return campaign->started_us != 0 && campaign->audience == 0;
}

void audience_warn_of_none(struct call *call, const struct campaign *campaign)
{
	if (audience_was_nobody(campaign))
		call_warn(call,
			  "nobody was in the audience of " VIEW_FMT
			  " when it started, so that it went to nobody; `listctl campaign audience " VIEW_FMT
			  "` shows what it was for",
			  VIEW_ARG(campaign->name), VIEW_ARG(campaign->name));
}

static enum err find_first(struct call *call, const struct campaign *campaign, bool *ret_any, struct buf *why)
{
	AUTO_DB_ROWS *first = NULL;
	struct audience audience = { 0 };
	struct waiting waiting;
	waiting_begin(call, "looking whether there is anybody", &waiting);
	enum err err = audience_load(call->db, campaign->id, campaign->list_id, false, &audience, why);
	if (err == ERR_OK)
		err = readers_first(call->db, &audience, 1, &first, why);
	waiting_end(&waiting);
	if (err == ERR_OK)
		*ret_any = db_row_count(first) > 0;
	audience_done(&audience);
	return err;
}

void audience_warn_ahead(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct campaign campaign;
	bool any = true;
	const char *name = call->operands[0];
	enum err err = campaigns_find(call->db, view_of(name), &campaign, &rows, &why);
	if (err == ERR_OK)
		err = find_first(call, &campaign, &any, &why);
	if (err != ERR_OK)
		call_warn(call, "whether there is anybody in the audience of %s could not be found out: %s", name,
			  buf_text(&why));
	else if (!any)
		call_warn(
		    call,
		    "nobody is in the audience of %s now: starting so, it goes to nobody; `listctl campaign audience "
		    "%s` shows what it is for",
		    name, name);
}
