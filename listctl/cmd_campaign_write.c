#include "listctl/campaign_verbs.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "listctl/draft.h"
#include "listctl/find_reader.h"
#include "listctl/lint_run.h"
#include "listctl/safe_text.h"
#include "listctl/signing.h"
#include "listctl/variants.h"
#include "mail/parts.h"

/* ---- create, edit ---- */

/* The operand at that place, if it was given. */
static const char *letter_of(const struct call *call, size_t index)
{
	return call->operand_count > index ? call->operands[index] : NULL;
}

static bool has_file(const struct call *call, const char *option)
{
	return call_has(call, option) && *call_option(call, option) != '\0';
}

static enum err create(struct call *call, const struct list *list)
{
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
					     ? "a campaign needs a subject: in the letter (its front matter, or "
					       "the header of an .eml), or --subject"
					     : "a campaign needs --subject");
	if (err == ERR_OK)
		err = draft_compose(call, list, &draft);
	if (err == ERR_OK)
		err = draft_compile(call, &draft.content, list, name, &composer);
	if (err == ERR_OK)
		err = signing_check(call, draft.content.from_address);
	if (err == ERR_OK)
		err = lint_warn(call, &draft.content, list, composer);
	if (err == ERR_OK)
		err = variants_read(call, list, name, &from_list, letter_of(call, 2), &draft, &variants);
	if (err == ERR_OK)
		err = campaigns_create(call->db, name, (uint64_t)list->id, &draft.content, call_actor(call), &id,
				       call->why);
	if (err == ERR_OK)
		call_note(call,
			  "campaign %s is a draft; `listctl campaign preview %s` shows it, `listctl campaign start %s` "
			  "sends it",
			  call->operands[0], call->operands[0], call->operands[0]);
	composer_done(composer);
	variants_done(&variants);
	draft_done(&draft);
	return err;
}

enum err campaign_create(struct call *call)
{
	if (letter_of(call, 2) == NULL && !has_file(call, "text") && !has_file(call, "html"))
		return call_misused(call, "a campaign needs a LETTER, or --text or --html");
	AUTO_DB_ROWS *rows = NULL;
	struct list list;
	enum err err = lists_find(call->db, view_of(call->operands[1]), &rows, &list, call->why);
	return err != ERR_OK ? err : create(call, &list);
}

/* Those that the campaign has, until a letter brings its own. */
static enum err read_files(struct call *call, uint64_t campaign_id, struct campaign_files *files,
			   struct campaign_content *content)
{
	enum err err = campaign_files_read(call->db, campaign_id, files, call->why);
	content->files = files->items;
	content->file_count = files->count;
	return err;
}

/* A variant holds a whole letter: it would stay as it is when the campaign's own changes. */
static enum err check_variants(struct call *call, uint64_t campaign_id)
{
	struct campaign_variants variants;
	enum err err = campaign_variants_read(call->db, campaign_id, &variants, call->why);
	bool changes = letter_of(call, 1) != NULL || call_has(call, "text") || call_has(call, "html");
	if (err == ERR_OK && variants.count > 0 && changes && !variants_are_given(call))
		err =
		    call_misused(call, "the campaign has variants of the letter that is replaced: give them again, or "
				       "--variant \"\" for none");
	campaign_variants_done(&variants);
	return err;
}

enum err campaign_edit(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_DB_ROWS *list_rows = NULL;
	struct campaign campaign;
	struct list list;
	enum err err = campaign_named(call, &campaign, &rows);
	if (err == ERR_OK)
		err = campaigns_may_edit(call->db, campaign.name, call->why);
	if (err == ERR_OK)
		err = lists_find(call->db, campaign.list_name, &list_rows, &list, call->why);
	if (err != ERR_OK)
		return err;
	struct draft draft;
	struct variants variants = { 0 };
	struct composer *composer = NULL;
	struct campaign_files files = { 0 };
	err = draft_read(call, &campaign.content, letter_of(call, 1), &draft);
	if (err == ERR_OK)
		err = check_variants(call, campaign.id);
	if (err == ERR_OK)
		err = read_files(call, campaign.id, &files, &draft.content);
	if (err == ERR_OK)
		err = draft_compose(call, &list, &draft);
	if (err == ERR_OK)
		err = draft_compile(call, &draft.content, &list, campaign.name, &composer);
	if (err == ERR_OK)
		err = signing_check(call, draft.content.from_address);
	if (err == ERR_OK)
		err = lint_warn(call, &draft.content, &list, composer);
	if (err == ERR_OK)
		err =
		    variants_read(call, &list, campaign.name, &campaign.content, letter_of(call, 1), &draft, &variants);
	if (err == ERR_OK)
		err = campaigns_edit(call->db, campaign.name, &draft.content, call_actor(call), call->why);
	composer_done(composer);
	campaign_files_done(&files);
	variants_done(&variants);
	draft_done(&draft);
	return err;
}

/* ---- preview ---- */

/* As long as a real token, and of no use to anybody: no key has signed it. */
#define DUMMY_SHORT VIEW_LIT("previewpreviewpreviewpreviewprv")
#define DUMMY_LONG VIEW_LIT("previewpreviewpreviewpreviewpreviewpreviewprv")

static void show_field(const char *name, struct view value)
{
	if (value.len == 0)
		return;
	AUTO_BUF line = buf_with_ceiling(LIMIT_INTAKE_HEAD);
	buf_addf(&line, "%s: ", name);
	buf_add(&line, value);
	safe_text_print(buf_view(&line), stdout);
}

/* What a reader sees: the headers decoded, and each part as text. */
static void show_decoded(const struct parts *parts)
{
	show_field("From", parts_head(parts, HEAD_FROM));
	show_field("To", parts_head(parts, HEAD_TO));
	show_field("Subject", parts_head(parts, HEAD_SUBJECT));
	show_field("List-Unsubscribe", parts_head(parts, HEAD_LIST_UNSUBSCRIBE));
	for (size_t i = 0; i < parts->count; i++) {
		const struct part *part = &parts->parts[i];
		if (part->role != PART_TEXT)
			continue;
		fputs(part->was_html ? "\n--- the HTML part, its text ---\n\n" : "\n", stdout);
		safe_text_print(parts_text(parts, part), stdout);
	}
}

static enum err show_message(struct call *call, struct view message)
{
	if (call_has(call, "raw")) {
		safe_text_print(message, stdout);
		return ERR_OK;
	}
	struct parts *parts = calloc(1, sizeof(*parts));
	if (parts == NULL)
		return call_refuse(call, ERR_MEMORY, "there is no memory left");
	parts_library_open();
	enum err err = parts_read(parts, message);
	if (err == ERR_OK)
		show_decoded(parts);
	else
		call_refuse(call, err, "cannot read the message that was composed; --raw shows it");
	parts_done(parts);
	free(parts);
	return err;
}

static enum err show_object(struct call *call, const struct reader *reader, struct view message, struct view gaps)
{
	static const struct output_column columns[] = { { .name = "email" },
							{ .name = "gaps" },
							{ .name = "message" } };
	const struct output_cell cells[] = { cell_text(reader->address), cell_text_or_null(gaps), cell_text(message) };
	return output_object(call->out, columns, ARRAY_LEN(columns), cells, call->why);
}

static enum err show_copy(struct call *call, struct composer *composer, const struct reader *reader)
{
	AUTO_BUF message = buf_with_ceiling(LIMIT_MESSAGE);
	AUTO_BUF gaps = buf_with_ceiling(LIMIT_WHY);
	const struct copy copy = { .address = reader->address,
				   .name = reader->name,
				   .attributes = reader->attributes,
				   .message_token = DUMMY_SHORT,
				   .unsubscribe_token = DUMMY_LONG,
				   .date_us = clock_wall_us() };
	enum err err = composer_write(composer, &copy, &message, call->why);
	if (err == ERR_OK)
		err = buf_add(&message, composer_tail(composer));
	if (err == ERR_OK)
		err = composer_gaps(composer, &copy, &gaps, call->why);
	if (err == ERR_OK && output_format_of(call->out) != FORMAT_TABLE)
		return show_object(call, reader, buf_view(&message), buf_view(&gaps));
	if (err == ERR_OK)
		err = show_message(call, buf_view(&message));
	if (err == ERR_OK && gaps.len > 0)
		call_warn(call, "empty for " VIEW_FMT ": %s; {{field|something}} fills such gaps",
			  VIEW_ARG(reader->address), buf_text(&gaps));
	return err;
}

enum err campaign_preview(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_DB_ROWS *list_rows = NULL;
	AUTO_DB_ROWS *reader_rows = NULL;
	struct campaign campaign;
	struct list list;
	struct reader reader;
	struct composer *composer = NULL;
	struct campaign_files files = { 0 };
	struct campaign_variants variants = { 0 };
	unsigned variant = 0;
	enum err err = campaign_named(call, &campaign, &rows);
	if (err == ERR_OK)
		err = lists_find(call->db, campaign.list_name, &list_rows, &list, call->why);
	if (err == ERR_OK)
		err = find_reader(call, campaign.list_id, call->operand_count > 1 ? call->operands[1] : NULL, &reader,
				  &reader_rows);
	if (err == ERR_OK) {
		campaign_take_list(&campaign, &list);
	}
	if (err == ERR_OK)
		err = read_files(call, campaign.id, &files, &campaign.content);
	if (err == ERR_OK)
		err = campaign_variants_read(call->db, campaign.id, &variants, call->why);
	if (err == ERR_OK)
		err = variants_option(call, &variants, &variant);
	variants_vary(&campaign.content, &variants, variant);
	if (err == ERR_OK)
		err = draft_compile(call, &campaign.content, &list, campaign.name, &composer);
	if (err == ERR_OK)
		err = show_copy(call, composer, &reader);
	composer_done(composer);
	campaign_variants_done(&variants);
	campaign_files_done(&files);
	return err;
}
