#include "listctl/campaign_verbs.h"
#include "listctl/waiting.h"
#include "store/audiences.h"
#include "store/lists.h"
#include "store/subscribers.h"

static const struct output_column columns[] = {
	{ .name = "part" },
	{ .name = "name" },
	{ .name = "people", .type = OUTPUT_INT },
	{ .name = "definition", .wraps = true },
};

static void row(struct call *call, const char *part, struct view name, struct output_cell people,
		struct view definition)
{
	output_row(call->out, (struct output_cell[]){ cell_text(view_of(part)), cell_text_or_null(name), people,
						      cell_text_or_null(definition) });
}

static const char *word_of(const struct audience_part *part)
{
	if (audience_part_is_target(part))
		return "also members of";
	if (!part->is_left_out)
		return "in segment";
	return part->list_id != 0 ? "not in list" : "not in segment";
}

/* How many each part is about is told until the campaign starts: then only what came of it is known. */
static enum err write_parts(struct call *call, const struct campaign *campaign, const struct db_rows *rows)
{
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < db_row_count(rows); i++) {
		const struct audience_part part = audiences_get(rows, i);
		struct output_cell people = cell_null();
		uint64_t count = 0;
		if (campaign->audience < 0) {
			struct waiting waiting;
			waiting_begin(call, "counting a part of it", &waiting);
			err = audiences_count_part(call->db, &part, campaign->id, &count, call->why);
			waiting_end(&waiting);
			people = cell_int((int64_t)count);
		}
		row(call, word_of(&part), part.name, people, part.definition);
	}
	return err;
}

static enum err write_ahead(struct call *call, const struct campaign *campaign)
{
	uint64_t members = 0;
	enum err err = members_count(call->db, (int64_t)campaign->list_id, VIEW_LIT("active"), &members, call->why);
	if (err == ERR_OK)
		row(call, "members of", campaign->list_name, cell_int((int64_t)members), VIEW_LIT(""));
	return err;
}

/* Who is in more than one of several lists, and who is in none of the audience for having left one. */
static enum err write_overlap(struct call *call, const struct campaign *campaign)
{
	struct audience_overlap overlap = { 0 };
	struct waiting waiting;
	waiting_begin(call, "counting who is in several", &waiting);
	enum err err = audiences_overlap(call->db, campaign->id, &overlap, call->why);
	waiting_end(&waiting);
	if (err != ERR_OK)
		return err;
	row(call, "in several of them", VIEW_LIT(""), cell_int(overlap.in_several), VIEW_LIT(""));
	row(call, "unsubscribed from one", VIEW_LIT(""), cell_int(overlap.unsubscribed), VIEW_LIT(""));
	return ERR_OK;
}

static enum err write_by_list(struct call *call, const struct campaign *campaign)
{
	AUTO_DB_ROWS *rows = NULL;
	struct waiting waiting;
	waiting_begin(call, "counting whom each list reaches", &waiting);
	enum err err = audiences_by_list(call->db, campaign->id, campaign->audience >= 0, &rows, call->why);
	waiting_end(&waiting);
	for (size_t i = 0; err == ERR_OK && i < db_row_count(rows); i++)
		row(call, "of these through", db_get_text(rows, i, 0), cell_int(db_get_int(rows, i, 1)), VIEW_LIT(""));
	return err;
}

static enum err write_result(struct call *call, const struct campaign *campaign)
{
	uint64_t people = (uint64_t)campaign->audience;
	enum err err = ERR_OK;
	struct waiting waiting;
	waiting_begin(call, "counting whom it is for", &waiting);
	if (campaign->audience < 0)
		err = audiences_count(call->db, campaign->id, &people, call->why);
	waiting_end(&waiting);
	if (err == ERR_OK)
		row(call, campaign->audience < 0 ? "would go to" : "audience", VIEW_LIT(""), cell_int((int64_t)people),
		    VIEW_LIT(""));
	return err;
}

static enum err audience(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_DB_ROWS *parts = NULL;
	struct campaign campaign;
	enum err err = campaign_named(call, &campaign, &rows);
	if (err == ERR_OK)
		err = audiences_read(call->db, campaign.id, &parts, call->why);
	if (err != ERR_OK)
		return err;
	bool is_for_several = audiences_count_targets(parts) > 0;
	output_begin(call->out, columns, ARRAY_LEN(columns));
	if (campaign.audience < 0)
		err = write_ahead(call, &campaign);
	if (err == ERR_OK)
		err = write_parts(call, &campaign, parts);
	if (err == ERR_OK && is_for_several && campaign.audience < 0)
		err = write_overlap(call, &campaign);
	if (err == ERR_OK)
		err = write_result(call, &campaign);
	if (err == ERR_OK && is_for_several)
		err = write_by_list(call, &campaign);
	return err == ERR_OK ? output_end(call->out, call->why) : err;
}

const struct command campaign_audience_commands[] = {
	{
	    .noun = "campaign",
	    .verb = "audience",
	    .operands = "NAME",
	    .help = "show whom a campaign is for, and how many they are",
	    .details =
		"Active members of its list, and with --also-list of create and edit of other lists; with\n"
		"--segment only those who are in one of the segments, and nobody who is in a list or segment\n"
		"that is left out. Who is in several of the lists gets one copy, through the first one named in\n"
		"which they are active and not suppressed: its title, List-Id and links are that list's, and\n"
		"unsubscribing leaves that list. Who has unsubscribed from one of the lists gets none. A segment\n"
		"or list counts those who are in it of the members of any of the lists. Who belongs to them is\n"
		"asked when the campaign starts, and never again; until then the numbers are those of now.\n"
		"Suppressed people are counted: they get a ledger row, skipped, and no copy.\n",
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = audience,
	},
	{ 0 },
};
