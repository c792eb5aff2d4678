#include "listctl/draft.h"

#include "base/limits.h"
#include "listctl/sender_text.h"
#include "mail/foreign_tag.h"
#include "mail/layout.h"

/* ---- the options ---- */

static enum err read_template(struct call *call, const char *option, struct buf *text, struct view *ret_body)
{
	const char *path = call_option(call, option);
	if (path == NULL)
		return ERR_OK;
	if (*path == '\0') {
		*ret_body = (struct view){ 0 };
		return ERR_OK;
	}
	enum err err = letter_file_read_text(call, path, text);
	if (err == ERR_OK)
		*ret_body = buf_view(text);
	return err;
}

static enum err read_sender(struct call *call, struct draft *draft)
{
	const char *from = call_option(call, "from");
	if (from == NULL)
		return ERR_OK;
	enum err err = sender_text_parse(view_of(from), "--from", &draft->from_name, &draft->from_address, call->why);
	if (err != ERR_OK)
		return err;
	draft->content.from_name = buf_view(&draft->from_name);
	draft->content.from_address = buf_view(&draft->from_address);
	return ERR_OK;
}

static enum err read_reply_to(struct call *call, struct draft *draft)
{
	const char *reply_to = call_option(call, "reply-to");
	if (reply_to == NULL)
		return ERR_OK;
	if (*reply_to != '\0') {
		AUTO_BUF name = buf_with_ceiling(LIMIT_WHY); /* of no use in Reply-To */
		enum err err = sender_text_parse(view_of(reply_to), "--reply-to", &name, &draft->reply_to, call->why);
		if (err != ERR_OK)
			return err;
	}
	draft->content.reply_to = buf_view(&draft->reply_to);
	return ERR_OK;
}

static enum err read_in_doubt(struct call *call, struct draft *draft)
{
	const char *word = call_option(call, "in-doubt");
	if (word == NULL)
		return ERR_OK;
	struct view choice = view_of(word);
	if (!view_eq(choice, VIEW_LIT("resend")) && !view_eq(choice, VIEW_LIT("hold")))
		return call_misused(call, "--in-doubt is resend or hold, not %s", word);
	draft->content.in_doubt = choice;
	return ERR_OK;
}

static enum err read_letter(struct call *call, const char *letter, struct draft *draft)
{
	static const char *const of_letters[] = { "preheader", "allow-html" };
	for (size_t i = 0; letter == NULL && i < ARRAY_LEN(of_letters); i++) {
		if (call_has(call, of_letters[i]))
			return call_misused(call, "--%s goes with a LETTER", of_letters[i]);
	}
	if (letter == NULL)
		return ERR_OK;
	enum err err = letter_file_read(call, letter, &draft->letter);
	return err != ERR_OK ? err : letter_take_front(call, &draft->letter, &draft->front, &draft->content);
}

enum err draft_read(struct call *call, const struct campaign_content *content, const char *letter,
		    struct draft *ret_draft)
{
	*ret_draft = (struct draft){ .content = *content,
				     .from_name = buf_with_ceiling(LIMIT_WHY),
				     .from_address = buf_with_ceiling(LIMIT_ADDRESS),
				     .reply_to = buf_with_ceiling(LIMIT_ADDRESS),
				     .text = buf_with_ceiling(LIMIT_TEMPLATE),
				     .html = buf_with_ceiling(LIMIT_TEMPLATE),
				     .said = buf_with_ceiling(LIMIT_MESSAGE),
				     .front = { .from_name = buf_with_ceiling(LIMIT_WHY),
						.from_address = buf_with_ceiling(LIMIT_ADDRESS),
						.reply_to = buf_with_ceiling(LIMIT_ADDRESS) } };
	letter_file_open(&ret_draft->letter);
	enum err err = read_letter(call, letter, ret_draft);
	if (err != ERR_OK)
		return err;
	const char *subject = call_option(call, "subject");
	if (subject != NULL)
		ret_draft->content.subject = view_of(subject);
	if (!view_is_utf8(ret_draft->content.subject))
		return call_refuse(call, ERR_INVALID, "--subject is not UTF-8 text");
	err = read_template(call, "text", &ret_draft->text, &ret_draft->content.text_body);
	if (err == ERR_OK)
		err = read_template(call, "html", &ret_draft->html, &ret_draft->content.html_body);
	if (err == ERR_OK)
		err = read_sender(call, ret_draft);
	if (err == ERR_OK)
		err = read_reply_to(call, ret_draft);
	if (err == ERR_OK)
		err = read_in_doubt(call, ret_draft);
	return err;
}

/* ---- the bodies ---- */

static void note_unused(struct call *call, struct draft *draft)
{
	if (draft->letter.eml.dropped.len > 0)
		call_note(call, "%s: left out of its header: %s", buf_text(&draft->letter.path),
			  buf_text(&draft->letter.eml.dropped));
	letter_files_note_unused(call, &draft->letter, &draft->files);
}

static enum err renew_in(struct call *call, struct view *body, bool is_html, struct view subject, struct buf *room)
{
	AUTO_BUF renewed = buf_with_ceiling(LIMIT_TEMPLATE);
	if (layout_renew_subject(*body, is_html, subject, &renewed) != ERR_OK)
		return call_refuse(call, ERR_TOO_BIG, "the %s with that subject is too long; shorten it",
				   is_html ? "HTML" : "text");
	buf_reset(room);
	enum err err = buf_add(room, buf_view(&renewed));
	*body = buf_view(room);
	return err;
}

/* A letter of which nothing is left but what became of it. */
static enum err renew_subject(struct call *call, struct draft *draft)
{
	struct campaign_content *content = &draft->content;
	enum err err = renew_in(call, &content->html_body, true, content->subject, &draft->html);
	return err == ERR_OK ? renew_in(call, &content->text_body, false, content->subject, &draft->text) : err;
}

static enum err compose_letter(struct call *call, const struct list *list, struct reader_fields *fields,
			       struct draft *draft)
{
	struct campaign_content *content = &draft->content;
	enum err err = ERR_OK;
	if (!call_has(call, "html")) {
		err = letter_html(call, &draft->letter, content, list, fields, &draft->files, &draft->html);
		content->html_body = buf_view(&draft->html);
	}
	if (err == ERR_OK && !call_has(call, "text")) {
		err = letter_text(call, &draft->letter, content, list, fields, &draft->text);
		content->text_body = buf_view(&draft->text);
	}
	if (err == ERR_OK)
		err = letter_files_attach(call, &draft->letter, &draft->files);
	if (err == ERR_OK && draft->variant == 0)
		note_unused(call, draft);
	content->has_files = true;
	content->files = draft->files.items;
	content->file_count = draft->files.count;
	return err;
}

/* Of what no letter gave: its own tags are refused where they stand in it. */
struct given_part {
	const char *option;
	struct view source;
	bool is_html, is_file;
};

static enum err test_part(void *context, const struct reader_fields *fields, const struct merge_names *known,
			  struct buf *why)
{
	const struct given_part *part = context;
	(void)fields;
	return foreign_tag_refuse_own(part->source, part->is_html, known, why);
}

/* Merge tags whose braces are encoded. */
static enum err check_part(struct call *call, struct reader_fields *fields, struct given_part *part)
{
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	bool is_given = call_has(call, part->option);
	enum err err = part->is_file && !is_given ? ERR_OK : reader_fields_check(fields, test_part, part, &reason);
	if (err == ERR_OK)
		return err;
	return call_refuse(call, err, "%s%s%s%s: %s", is_given ? "--" : "", part->option, part->is_file ? " " : "",
			   part->is_file ? call_option(call, part->option) : "", buf_text(&reason));
}

static enum err check_tags(struct call *call, struct reader_fields *fields, const struct draft *draft)
{
	const struct campaign_content *content = &draft->content;
	struct view of_letter = draft->letter.front.values[FRONT_SUBJECT].text;
	struct given_part parts[] = {
		{ "subject", view_eq(content->subject, of_letter) ? VIEW_LIT("") : content->subject, false, false },
		{ "text", content->text_body, false, true },
		{ "html", content->html_body, true, true },
	};
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < ARRAY_LEN(parts); i++)
		err = check_part(call, fields, &parts[i]);
	return err;
}

static enum err compose(struct call *call, const struct list *list, struct reader_fields *fields, struct draft *draft)
{
	enum err err = check_tags(call, fields, draft);
	if (err != ERR_OK)
		return err;
	if (draft->letter.given)
		return compose_letter(call, list, fields, draft);
	if (draft->content.html_body.len > 0)
		err = renew_subject(call, draft);
	if (err == ERR_OK && draft->content.text_body.len == 0 && !call_has(call, "text") &&
	    draft->content.html_body.len > 0) {
		err = letter_text_of(call, draft->content.html_body, &draft->text);
		draft->content.text_body = buf_view(&draft->text);
	}
	return err;
}

enum err draft_compose(struct call *call, const struct destination *to, struct draft *draft)
{
	struct reader_fields fields = { 0 };
	enum err err = reader_fields_read(call, &to->audience, &fields);
	if (err == ERR_OK)
		err = compose(call, &to->list, &fields, draft);
	reader_fields_done(&fields);
	return err;
}

void draft_done(struct draft *draft)
{
	letter_file_done(&draft->letter);
	letter_files_done(&draft->files);
	buf_done(&draft->front.from_name);
	buf_done(&draft->front.from_address);
	buf_done(&draft->front.reply_to);
	buf_done(&draft->from_name);
	buf_done(&draft->from_address);
	buf_done(&draft->reply_to);
	buf_done(&draft->text);
	buf_done(&draft->html);
	buf_done(&draft->said);
}

/* ---- compiling ---- */

/* What the composer says of "text" or "html" is about a file, when the call names one, or about what was made of a letter. */
static const struct part_row {
	const char *part, *made;
} parts_made[] = {
	{ "text", "the text part" },
	{ "html", "the HTML that was made from the letter in its layout" },
};

/* What is kept can be looked at, and replaced. */
static void say_kept(struct call *call, struct view campaign_name)
{
	buf_addf(call->why,
		 ". That is how campaign " VIEW_FMT " was kept: `listctl campaign show " VIEW_FMT
		 " --text` (or --html) prints it; give it corrected by `listctl campaign edit " VIEW_FMT
		 " LETTER` (or --text, --html, --subject)",
		 VIEW_ARG(campaign_name), VIEW_ARG(campaign_name), VIEW_ARG(campaign_name));
}

static void say_reason(struct call *call, struct view reason, enum draft_origin origin, struct view campaign_name)
{
	bool is_given =
	    view_starts(reason, VIEW_LIT("subject: ")) && call_takes(call, "subject") && call_has(call, "subject");
	for (size_t i = 0; i < ARRAY_LEN(parts_made); i++) {
		const struct part_row *row = &parts_made[i];
		const char *path = call_takes(call, row->part) ? call_option(call, row->part) : NULL;
		struct view part = view_of(row->part);
		if (!view_starts(reason, part) || !view_starts(view_skip(reason, part.len), VIEW_LIT(": ")) ||
		    (path == NULL && origin == DRAFT_KEPT))
			continue;
		is_given = true;
		if (path != NULL)
			buf_addf(call->why, "--%s %s", row->part, path);
		else
			buf_add(call->why, view_of(row->made));
		reason = view_skip(reason, part.len);
	}
	buf_add(call->why, reason);
	if (origin == DRAFT_KEPT && !is_given)
		say_kept(call, campaign_name);
}

struct compilation {
	const struct composition *from;
	struct composer *composer;
};

static enum err test_compilation(void *context, const struct reader_fields *fields, const struct merge_names *known,
				 struct buf *why)
{
	struct compilation *compilation = context;
	(void)known;
	return composer_compile(compilation->from, fields->names, fields->count, &compilation->composer, why);
}

enum err draft_compile(struct call *call, const struct campaign_content *content, enum draft_origin origin,
		       const struct destination *to, struct view campaign_name, struct composer **ret_composer)
{
	const struct list *list = &to->list;
	struct reader_fields fields = { 0 };
	enum err err = settings_require(call->settings, "bounce.domain", call->settings_path, call->why);
	if (err == ERR_OK)
		err = reader_fields_read(call, &to->audience, &fields);
	if (err != ERR_OK) {
		reader_fields_done(&fields);
		return err;
	}
	const struct composition composition = {
		.subject = content->subject,
		.from_name = content->from_name,
		.from_address = content->from_address,
		.reply_to = content->reply_to,
		.list_id = list->list_id,
		.list_title = list->title,
		.text_body = content->text_body,
		.html_body = content->html_body,
		.bounce_domain = view_of(call->settings->bounce_domain),
		.list_name = list->name,
		.campaign_name = campaign_name,
		.list_headers = list->headers,
		.web_base_url = view_of(call->settings->web_base_url),
		.files = content->files,
		.file_count = content->file_count,
	};
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	struct compilation compilation = { .from = &composition };
	err = reader_fields_check(&fields, test_compilation, &compilation, &reason);
	if (err == ERR_OK)
		*ret_composer = compilation.composer;
	else
		say_reason(call, buf_view(&reason), origin, campaign_name);
	reader_fields_done(&fields);
	return err;
}
