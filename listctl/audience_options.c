#include "listctl/audience_options.h"

#include "listctl/name_list.h"
#include "listctl/waiting.h"
#include "store/lists.h"
#include "store/segments.h"
#include "store/subscribers.h"

/* Each option that names: whether it leaves out, and whether it names lists. */
static const struct {
	const char *option;
	bool is_left_out, is_of_lists;
} kinds[] = {
	{ "also-list", false, true },
	{ "segment", false, false },
	{ "exclude-segment", true, false },
	{ "exclude-list", true, true },
};

static enum err look_up(struct call *call, bool is_of_lists, struct view name, struct audience_part *part,
			struct db_rows **ret_rows)
{
	struct list list = { 0 };
	enum err err = is_of_lists ? lists_find(call->db, name, ret_rows, &list, call->why)
				   : segments_list(call->db, name, ret_rows, call->why);
	if (err != ERR_OK)
		return err;
	part->list_id = list.id;
	part->segment_id = is_of_lists ? 0 : segments_get(*ret_rows, 0).id;
	part->name = name;
	part->list_title = list.title;
	part->list_header_id = list.list_id;
	part->list_headers = list.headers;
	return ERR_OK;
}

/* A list counts once, as a place in the order. */
static enum err check_target(struct call *call, const struct audience *audience)
{
	const struct audience_part *last = &audience->parts[audience->count - 1];
	bool is_twice = last->list_id == audience->own_list;
	if (!audience_part_is_target(last))
		return ERR_OK;
	for (size_t i = 0; i + 1 < audience->count; i++)
		is_twice = is_twice || (audience_part_is_target(&audience->parts[i]) &&
					audience->parts[i].list_id == last->list_id);
	if (is_twice)
		return call_misused(call, "the list " VIEW_FMT " is named twice", VIEW_ARG(last->name));
	return ERR_OK;
}

static enum err add_parts(struct call *call, size_t kind, struct view names, struct audience *audience)
{
	struct view name;
	enum err err = name_list_check(call, kinds[kind].option, names);
	while (err == ERR_OK && name_list_cut(&names, &name)) {
		if (audience->count == AUDIENCE_PARTS_MOST)
			return call_misused(call, "a campaign takes at most %d segments and lists",
					    AUDIENCE_PARTS_MOST);
		struct audience_part part = { .is_left_out = kinds[kind].is_left_out };
		err = look_up(call, kinds[kind].is_of_lists, name, &part, &audience->part_rows[audience->count]);
		audience->parts[audience->count++] = part;
		if (err == ERR_OK)
			err = check_target(call, audience);
	}
	return err;
}

enum err audience_options_read(struct call *call, int64_t own_list, struct audience *ret_audience,
			       struct campaign_content *content)
{
	enum err err = ERR_OK;
	bool is_given = call_has(call, "everybody");
	*ret_audience = (struct audience){ .own_list = own_list };
	for (size_t kind = 0; kind < ARRAY_LEN(kinds); kind++) {
		const char *names;
		for (size_t i = 0; err == ERR_OK && (names = call_option_at(call, kinds[kind].option, i)) != NULL; i++)
			err = add_parts(call, kind, view_of(names), ret_audience);
	}
	if (err == ERR_OK && is_given && ret_audience->count > 0)
		return call_misused(
		    call,
		    "--everybody takes away what --also-list, --segment and --exclude-... said; give one or the other");
	content->has_audience = is_given || ret_audience->count > 0;
	content->audience = ret_audience->parts;
	content->audience_count = ret_audience->count;
	return err;
}

static enum err tell(struct call *call, const struct campaign *campaign, uint64_t people, size_t others)
{
	uint64_t members = 0;
	if (others > 0) {
		call_note(call,
			  "it would go to %llu people through " VIEW_FMT " and %zu more list%s now; `listctl campaign "
			  "audience " VIEW_FMT "` says why",
			  (unsigned long long)people, VIEW_ARG(campaign->list_name), others, others == 1 ? "" : "s",
			  VIEW_ARG(campaign->name));
		return ERR_OK;
	}
	enum err err = members_count(call->db, (int64_t)campaign->list_id, VIEW_LIT("active"), &members, call->why);
	if (err == ERR_OK)
		call_note(call,
			  "it would go to %llu of the %llu members of " VIEW_FMT
			  " now; `listctl campaign audience " VIEW_FMT "` says why",
			  (unsigned long long)people, (unsigned long long)members, VIEW_ARG(campaign->list_name),
			  VIEW_ARG(campaign->name));
	return err;
}

enum err audience_tell(struct call *call, struct view name)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_DB_ROWS *campaign_rows = NULL;
	struct campaign campaign;
	uint64_t people = 0;
	enum err err = campaigns_find(call->db, name, &campaign, &campaign_rows, call->why);
	if (err == ERR_OK)
		err = audiences_read(call->db, campaign.id, &rows, call->why);
	if (err != ERR_OK || db_row_count(rows) == 0)
		return err;
	struct waiting waiting;
	waiting_begin(call, "counting whom it is for", &waiting);
	err = audiences_count(call->db, campaign.id, &people, call->why);
	waiting_end(&waiting);
	if (err == ERR_OK)
		err = tell(call, &campaign, people, audiences_count_targets(rows));
	if (err != ERR_OK)
		return err;
	if (people == 0)
		call_warn(call, "nobody is in the audience of " VIEW_FMT, VIEW_ARG(campaign.name));
	return ERR_OK;
}
