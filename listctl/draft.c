#include "listctl/draft.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/limits.h"
#include "listctl/sender_text.h"
#include "store/subscribers.h"

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
	enum err err = file_read(path, text, call->why);
	if (err != ERR_OK)
		return err;
	struct view body = buf_view(text);
	if (!view_is_utf8(body))
		return call_refuse(call, ERR_INVALID, "%s is not UTF-8 text; convert it, for example with iconv", path);
	if (view_find_byte(body, '\0') != VIEW_NONE)
		return call_refuse(call, ERR_INVALID, "%s holds a NUL octet: it is no text", path);
	*ret_body = body;
	return ERR_OK;
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

enum err draft_read(struct call *call, const struct campaign_content *content, struct draft *ret_draft)
{
	*ret_draft = (struct draft){ .content = *content,
				     .from_name = buf_with_ceiling(LIMIT_WHY),
				     .from_address = buf_with_ceiling(LIMIT_ADDRESS),
				     .reply_to = buf_with_ceiling(LIMIT_ADDRESS),
				     .text = buf_with_ceiling(LIMIT_TEMPLATE),
				     .html = buf_with_ceiling(LIMIT_TEMPLATE) };
	const char *subject = call_option(call, "subject");
	if (subject != NULL)
		ret_draft->content.subject = view_of(subject);
	if (!view_is_utf8(ret_draft->content.subject))
		return call_refuse(call, ERR_INVALID, "--subject is not UTF-8 text");
	enum err err = read_template(call, "text", &ret_draft->text, &ret_draft->content.text_body);
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

void draft_done(struct draft *draft)
{
	buf_done(&draft->from_name);
	buf_done(&draft->from_address);
	buf_done(&draft->reply_to);
	buf_done(&draft->text);
	buf_done(&draft->html);
}

/* ---- compiling ---- */

/* The attribute names that active members of the list have; *ret_names borrows from *ret_rows. */
static enum err known_fields(struct call *call, const struct list *list, struct view **ret_names,
			     struct db_rows **ret_rows)
{
	enum err err = members_attribute_names(call->db, list->id, VIEW_LIT("active"), ret_rows, call->why);
	if (err != ERR_OK)
		return err;
	size_t count = db_row_count(*ret_rows);
	struct view *names = calloc(count + 1, sizeof(*names));
	if (names == NULL)
		return call_refuse(call, ERR_MEMORY, "there is no memory left");
	for (size_t i = 0; i < count; i++)
		names[i] = db_get_text(*ret_rows, i, 0);
	*ret_names = names;
	return ERR_OK;
}

/* What the composer says of "text" or "html" is about a file, when the call names one. */
static void say_reason(struct call *call, struct view reason)
{
	static const char *const options[] = { "text", "html" };
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const char *path = call_takes(call, options[i]) ? call_option(call, options[i]) : NULL;
		struct view part = view_of(options[i]);
		if (path == NULL || !view_starts(reason, part) ||
		    !view_starts(view_skip(reason, part.len), VIEW_LIT(": ")))
			continue;
		buf_addf(call->why, "--%s %s", options[i], path);
		reason = view_skip(reason, part.len);
	}
	buf_add(call->why, reason);
}

enum err draft_compile(struct call *call, const struct campaign_content *content, const struct list *list,
		       struct view campaign_name, struct composer **ret_composer)
{
	AUTO_DB_ROWS *rows = NULL;
	struct view *names = NULL;
	enum err err = settings_require(call->settings, "bounce.domain", call->settings_path, call->why);
	if (err == ERR_OK)
		err = known_fields(call, list, &names, &rows);
	if (err != ERR_OK)
		return err;
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
	};
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	err = composer_compile(&composition, names, db_row_count(rows), ret_composer, &reason);
	if (err != ERR_OK)
		say_reason(call, buf_view(&reason));
	free(names);
	return err;
}
