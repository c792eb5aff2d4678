#include "listctl/campaign_verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "listctl/draft.h"
#include "listctl/find_reader.h"
#include "listctl/safe_text.h"
#include "listctl/variants.h"
#include "mail/encode.h"
#include "mail/parts.h"

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

static void show_files(const struct campaign_content *content)
{
	for (size_t i = 0; i < content->file_count; i++) {
		const struct attachment *file = &content->files[i];
		AUTO_BUF line = buf_with_ceiling(LIMIT_WHY);
		buf_addf(&line, VIEW_FMT " (" VIEW_FMT ", %zu octets)", VIEW_ARG(file->name), VIEW_ARG(file->type),
			 file->content.len);
		show_field(file->content_id.len > 0 ? "Image" : "Attached", buf_view(&line));
	}
}

/* What a reader sees: the headers decoded, the names of files, and the text and the HTML as text. Further texts are attached. */
static void show_decoded(const struct campaign_content *content, const struct parts *parts)
{
	bool shown[] = { false, false };
	show_field("From", parts_head(parts, HEAD_FROM));
	show_field("To", parts_head(parts, HEAD_TO));
	show_field("Subject", parts_head(parts, HEAD_SUBJECT));
	show_field("List-Id", parts_head(parts, HEAD_LIST_ID));
	show_field("List-Unsubscribe", parts_head(parts, HEAD_LIST_UNSUBSCRIBE));
	show_files(content);
	for (size_t i = 0; i < parts->count; i++) {
		const struct part *part = &parts->parts[i];
		if (part->role != PART_TEXT || shown[part->was_html])
			continue;
		shown[part->was_html] = true;
		fputs(part->was_html ? "\n--- the HTML part, its text ---\n\n" : "\n", stdout);
		safe_text_print(parts_text(parts, part), stdout);
	}
}

/* ---- as a page for a browser ---- */

/* The file that is shown where the HTML says cid: and this; NULL: there is none. */
static const struct attachment *find_image(const struct campaign_content *content, struct view rest)
{
	for (size_t i = 0; i < content->file_count; i++) {
		const struct attachment *file = &content->files[i];
		if (file->content_id.len > 0 && view_starts(rest, file->content_id))
			return file;
	}
	return NULL;
}

/* A browser finds no other part of a message: the images stand in the page itself. */
static enum err write_page(const struct campaign_content *content, struct view html, struct buf *out)
{
	const struct view scheme = VIEW_LIT("cid:");
	for (size_t at; (at = view_find(html, scheme)) != VIEW_NONE;) {
		struct view rest = view_skip(html, at + scheme.len);
		const struct attachment *image = find_image(content, rest);
		buf_add(out, view_head(html, image == NULL ? at + scheme.len : at));
		html = rest;
		if (image == NULL)
			continue;
		buf_addf(out, "data:" VIEW_FMT ";base64,", VIEW_ARG(image->type));
		encode_base64_word(image->content, out);
		html = view_skip(rest, image->content_id.len);
	}
	return buf_add(out, html);
}

static enum err save_page(struct call *call, const struct campaign_content *content, struct view message)
{
	enum { ROOM = 2 * LIMIT_MESSAGE, MODE = 0644 };
	const char *path = call_option(call, "html");
	AUTO_BUF html = buf_with_ceiling(LIMIT_MESSAGE);
	AUTO_BUF page = buf_with_ceiling(ROOM);
	enum err err = parts_html(message, &html);
	if (err == ERR_NOT_FOUND)
		return call_refuse(call, err, "the letter has no HTML: without --html its text is shown");
	if (err == ERR_OK)
		err = write_page(content, buf_view(&html), &page);
	if (err != ERR_OK)
		return call_refuse(call, err, "cannot make a page of the letter: %s", err_name(err));
	if (strcmp(path, "-") != 0)
		return file_replace(path, buf_view(&page), MODE, call->why);
	fwrite(page.data, 1, page.len, stdout);
	return ERR_OK;
}

static enum err show_message(struct call *call, const struct campaign_content *content, struct view message)
{
	if (call_has(call, "html"))
		return save_page(call, content, message);
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
		show_decoded(content, parts);
	else
		call_refuse(call, err, "cannot read the message that was composed; --raw shows it");
	parts_done(parts);
	free(parts);
	return err;
}

static enum err show_object(struct call *call, const struct reader *reader, const struct list *through,
			    struct view message, struct view gaps)
{
	static const struct output_column columns[] = { { .name = "email" },
							{ .name = "list" },
							{ .name = "in_audience", .type = OUTPUT_BOOL },
							{ .name = "gaps" },
							{ .name = "message" } };
	const struct output_cell cells[] = { cell_text(reader->address), cell_text(through->name),
					     cell_bool(reader->is_reached), cell_text_or_null(gaps),
					     cell_text(message) };
	return output_object(call->out, columns, ARRAY_LEN(columns), cells, call->why);
}

static enum err show_copy(struct call *call, const struct campaign_content *content, struct composer *composer,
			  const struct reader *reader, const struct list *through)
{
	AUTO_BUF message = buf_with_ceiling(LIMIT_MESSAGE);
	AUTO_BUF gaps = buf_with_ceiling(LIMIT_WHY);
	const struct copy copy = { .address = reader->address,
				   .name = reader->name,
				   .attributes = reader->attributes,
				   .message_token = DUMMY_SHORT,
				   .unsubscribe_token = DUMMY_LONG,
				   .date_us = clock_wall_us() };
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	enum err err = composer_write(composer, &copy, &message, &reason);
	if (err != ERR_OK)
		return call_refuse(call, err, "there is no copy for " VIEW_FMT ": %s", VIEW_ARG(reader->address),
				   reason.len > 0 ? buf_text(&reason) : err_name(err));
	err = buf_add(&message, composer_tail(composer));
	if (err == ERR_OK)
		err = composer_gaps(composer, &copy, &gaps, call->why);
	if (err == ERR_OK && output_format_of(call->out) != FORMAT_TABLE && !call_has(call, "html"))
		return show_object(call, reader, through, buf_view(&message), buf_view(&gaps));
	if (err == ERR_OK)
		err = show_message(call, content, buf_view(&message));
	if (err == ERR_OK && gaps.len > 0)
		call_warn(call, "empty for " VIEW_FMT ": %s; {{field|something}} fills such gaps",
			  VIEW_ARG(reader->address), buf_text(&gaps));
	return err;
}

/* The copy as it goes through the reader's list. */
static enum err show_copy_of(struct call *call, struct campaign *campaign, const struct destination *to,
			     const struct reader *reader)
{
	const struct destination through = destination_through(to, reader->list_id);
	struct campaign_content *content = &campaign->content;
	struct campaign_variants variants = { 0 };
	struct composer *composer = NULL;
	unsigned variant = 0;
	enum err err = campaign_variants_read(call->db, campaign->id, &variants, call->why);
	if (err == ERR_OK)
		err = variants_option(call, &variants, &variant);
	variants_vary(content, &variants, variant);
	if (err == ERR_OK)
		err = draft_compile(call, content, DRAFT_KEPT, &through, campaign->name, &composer);
	if (err == ERR_OK && audience_count_lists(&to->audience) > 1)
		call_note(call, VIEW_FMT " gets it through the list " VIEW_FMT, VIEW_ARG(reader->address),
			  VIEW_ARG(through.list.name));
	if (err == ERR_OK)
		err = show_copy(call, content, composer, reader, &through.list);
	composer_done(composer);
	campaign_variants_done(&variants);
	return err;
}

enum err campaign_preview(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_DB_ROWS *reader_rows = NULL;
	struct campaign campaign;
	struct destination to = { 0 };
	struct reader reader;
	struct campaign_files files = { 0 };
	if (call_has(call, "html") && call_has(call, "raw"))
		return call_misused(call, "--html and --raw show a copy in two ways; give one");
	enum err err = campaign_named(call, &campaign, &rows);
	if (err == ERR_OK)
		err = destination_of(call, &campaign, &to);
	if (err == ERR_OK)
		err = find_reader(call, &to.audience, call->operand_count > 1 ? call->operands[1] : NULL, &reader,
				  &reader_rows);
	if (err == ERR_OK)
		err = campaign_take_files(call, campaign.id, &files, &campaign.content);
	if (err == ERR_OK)
		err = show_copy_of(call, &campaign, &to, &reader);
	campaign_files_done(&files);
	destination_done(&to);
	return err;
}
