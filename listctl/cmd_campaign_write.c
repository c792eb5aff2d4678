#include "listctl/campaign_verbs.h"

#include "base/limits.h"
#include "listctl/audience_options.h"
#include "listctl/draft.h"
#include "listctl/lint_run.h"
#include "listctl/signing.h"
#include "listctl/variants.h"

/* The operand at that place, if it was given. */
static const char *letter_of(const struct call *call, size_t index)
{
	return call->operand_count > index ? call->operands[index] : NULL;
}

static bool has_file(const struct call *call, const char *option)
{
	return call_has(call, option) && *call_option(call, option) != '\0';
}

static enum err create(struct call *call, struct destination *to)
{
	const struct list *list = &to->list;
	struct view name = view_of(call->operands[0]);
	const struct campaign_content from_list = { .from_name = list->from_name,
						    .from_address = list->from_address,
						    .reply_to = list->reply_to,
						    .in_doubt = view_of(call->settings->campaign_in_doubt) };
	struct draft draft;
	struct variants variants = { 0 };
	struct composer *composer = NULL;
	uint64_t id = 0;
	enum err err = draft_read(call, &from_list, letter_of(call, 2), &draft);
	if (err == ERR_OK && draft.content.subject.len == 0)
		err = call_misused(call, draft.letter.given
					     ? "a campaign needs a subject: at the top of the letter a line "
					       "`subject: ...` between two lines ---, in an .eml its header field, or "
					       "--subject"
					     : "a campaign needs --subject");
	if (err == ERR_OK)
		err = audience_options_read(call, list->id, &to->audience, &draft.content);
	if (err == ERR_OK)
		err = draft_compose(call, to, &draft);
	if (err == ERR_OK)
		err = draft_compile(call, &draft.content, DRAFT_WRITTEN, to, name, &composer);
	if (err == ERR_OK)
		err = signing_check(call, draft.content.from_address);
	if (err == ERR_OK)
		err = lint_warn(call, &draft, to, name, composer, &draft.said);
	if (err == ERR_OK)
		err = variants_read(call, to, name, &from_list, letter_of(call, 2), &draft, &variants);
	if (err == ERR_OK)
		err = campaigns_create(call->db, name, (uint64_t)list->id, &draft.content, call_actor(call), &id,
				       call->why);
	if (err == ERR_OK)
		call_note(call,
			  "campaign %s is a draft; `listctl campaign preview %s` shows it, `listctl campaign start %s` "
			  "sends it",
			  call->operands[0], call->operands[0], call->operands[0]);
	if (err == ERR_OK)
		err = audience_tell(call, name);
	composer_done(composer);
	variants_done(&variants);
	draft_done(&draft);
	return err;
}

enum err campaign_take_files(struct call *call, uint64_t campaign_id, struct campaign_files *files,
			     struct campaign_content *content)
{
	enum err err = campaign_files_read(call->db, campaign_id, files, call->why);
	content->files = files->items;
	content->file_count = files->count;
	return err;
}

enum err campaign_create(struct call *call)
{
	if (letter_of(call, 2) == NULL && !has_file(call, "text") && !has_file(call, "html"))
		return call_misused(call, "a campaign needs a LETTER, or --text or --html");
	struct destination to = { 0 };
	enum err err = variants_check(call);
	if (err == ERR_OK)
		err = lists_find(call->db, view_of(call->operands[1]), &to.list_rows, &to.list, call->why);
	if (err == ERR_OK)
		err = create(call, &to);
	destination_done(&to);
	return err;
}

/* A variant holds a whole letter: it would stay as it is when the campaign's own changes. */
static enum err check_variants(struct call *call, const struct campaign *campaign)
{
	struct campaign_variants variants;
	enum err err = campaign_variants_read(call->db, campaign->id, &variants, call->why);
	bool has_new_letter = letter_of(call, 1) != NULL || call_has(call, "text") || call_has(call, "html");
	if (err == ERR_OK)
		err = variants_check_replaced(call, &variants, &campaign->content, has_new_letter);
	campaign_variants_done(&variants);
	return err;
}

/* What the call says of the audience, or what the campaign has of it. */
static enum err read_audience(struct call *call, const struct campaign *campaign, struct audience *ret_audience,
			      struct campaign_content *content)
{
	enum err err = audience_options_read(call, (int64_t)campaign->list_id, ret_audience, content);
	if (err != ERR_OK || content->has_audience)
		return err;
	return audience_load(call->db, campaign->id, campaign->list_id, false, ret_audience, call->why);
}

static enum err edit(struct call *call, const struct campaign *campaign, struct destination *to)
{
	struct draft draft;
	struct variants variants = { 0 };
	struct composer *composer = NULL;
	struct campaign_files files = { 0 };
	enum err err = draft_read(call, &campaign->content, letter_of(call, 1), &draft);
	if (err == ERR_OK)
		err = read_audience(call, campaign, &to->audience, &draft.content);
	if (err == ERR_OK)
		err = campaign_take_files(call, campaign->id, &files, &draft.content);
	if (err == ERR_OK)
		err = draft_compose(call, to, &draft);
	if (err == ERR_OK)
		err = draft_compile(call, &draft.content, draft.letter.given ? DRAFT_WRITTEN : DRAFT_KEPT, to,
				    campaign->name, &composer);
	if (err == ERR_OK)
		err = signing_check(call, draft.content.from_address);
	if (err == ERR_OK)
		err = lint_warn(call, &draft, to, campaign->name, composer, &draft.said);
	if (err == ERR_OK)
		err =
		    variants_read(call, to, campaign->name, &campaign->content, letter_of(call, 1), &draft, &variants);
	if (err == ERR_OK)
		err = campaigns_edit(call->db, campaign->name, &draft.content, call_actor(call), call->why);
	if (err == ERR_OK && draft.content.has_audience)
		err = audience_tell(call, campaign->name);
	composer_done(composer);
	campaign_files_done(&files);
	variants_done(&variants);
	draft_done(&draft);
	return err;
}

enum err campaign_edit(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	struct campaign campaign;
	struct destination to = { 0 };
	enum err err = variants_check(call);
	if (err == ERR_OK)
		err = campaign_named(call, &campaign, &rows);
	if (err == ERR_OK)
		err = campaigns_may_edit(call->db, campaign.name, call->why);
	if (err == ERR_OK)
		err = lists_find(call->db, campaign.list_name, &to.list_rows, &to.list, call->why);
	if (err == ERR_OK)
		err = check_variants(call, &campaign);
	if (err == ERR_OK)
		err = edit(call, &campaign, &to);
	destination_done(&to);
	return err;
}
