#include "listctl/letter.h"

#include "base/limits.h"
#include "listctl/sender_text.h"
#include "mail/foreign_tag.h"
#include "mail/html_letter.h"
#include "mail/html_parts.h"
#include "mail/layout.h"
#include "mail/markdown.h"
#include "mail/template.h"
#include "mail/way_out.h"

/* Below a text that tells no way to leave. */
#define TEXT_FOOT "\n-- \n{{list.title}}\nUnsubscribe: {{unsubscribe}}\n"

/* ---- the front matter ---- */

static enum err take_sender(struct call *call, struct letter_file *file, enum front_key key, struct buf *name,
			    struct buf *address)
{
	const struct front_value *value = &file->front.values[key];
	AUTO_BUF what = buf_with_ceiling(LIMIT_WHY);
	size_t field = view_find(value->text, VIEW_LIT("{{"));
	size_t column = value->column - 1 + template_place(value->text, field == VIEW_NONE ? 0 : field).column;
	buf_addf(&what, "%s: line %zu, column %zu: %s", buf_text(&file->path), value->line, column,
		 front_key_name(key));
	return sender_text_parse(value->text, buf_text(&what), name, address, call->why);
}

enum err letter_take_front(struct call *call, struct letter_file *file, struct letter_values *values,
			   struct campaign_content *content)
{
	const struct front_value *front = file->front.values;
	AUTO_BUF unused = buf_with_ceiling(LIMIT_WHY);
	enum err err = ERR_OK;
	if (front[FRONT_SUBJECT].line > 0)
		content->subject = front[FRONT_SUBJECT].text;
	if (front[FRONT_FROM].line > 0) {
		err = take_sender(call, file, FRONT_FROM, &values->from_name, &values->from_address);
		content->from_name = buf_view(&values->from_name);
		content->from_address = buf_view(&values->from_address);
	}
	if (err != ERR_OK || front[FRONT_REPLY_TO].line == 0)
		return err;
	if (front[FRONT_REPLY_TO].text.len > 0)
		err = take_sender(call, file, FRONT_REPLY_TO, &unused, &values->reply_to);
	content->reply_to = buf_view(&values->reply_to);
	return err;
}

/* ---- the tags, where they stand ---- */

struct tagged {
	struct view source;
	enum slot_language language;
};

static enum err test_tags(void *context, const struct reader_fields *fields, const struct merge_names *known,
			  struct buf *why)
{
	const struct tagged *tagged = context;
	struct template *template = NULL;
	(void)fields;
	enum err err = template_compile(tagged->source, tagged->language, known, &template, why);
	template_done(template);
	return err == ERR_OK ? foreign_tag_refuse_own(tagged->source, tagged->language == SLOT_HTML, known, why) : err;
}

static enum err check_tags(struct call *call, const char *where, struct view source, enum slot_language language,
			   struct reader_fields *fields)
{
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	struct tagged tagged = { source, language };
	enum err err = reader_fields_check(fields, test_tags, &tagged, &reason);
	return err == ERR_OK ? err : call_refuse(call, err, "%s: %s", where, buf_text(&reason));
}

static enum err check_front_tags(struct call *call, struct letter_file *file, enum front_key key,
				 struct reader_fields *fields)
{
	const struct front_value *value = &file->front.values[key];
	AUTO_BUF placed = buf_with_ceiling(LIMIT_TEMPLATE);
	enum err err = letter_file_place(value->text, value->line, value->column, &placed);
	return err != ERR_OK ? err : check_tags(call, buf_text(&file->path), buf_view(&placed), SLOT_PLAIN, fields);
}

/* What the layout makes known besides may stand in a whole document too; those tags are gone once it is filled. */
static enum err check_all(struct call *call, struct letter_file *file, bool is_document, struct reader_fields *fields)
{
	enum err err = ERR_OK;
	if (!is_document)
		err = check_tags(call, buf_text(&file->body_path), buf_view(&file->body),
				 file->is_markdown ? SLOT_PLAIN : SLOT_HTML, fields);
	if (err == ERR_OK && !call_has(call, "subject"))
		err = check_front_tags(call, file, FRONT_SUBJECT, fields);
	if (err != ERR_OK)
		return err;
	if (call_has(call, "preheader"))
		return check_tags(call, "--preheader", view_of(call_option(call, "preheader")), SLOT_PLAIN, fields);
	return check_front_tags(call, file, FRONT_PREHEADER, fields);
}

/* ---- the HTML ---- */

static bool is_document(const struct letter_file *file)
{
	return file->is_eml || (!file->is_markdown && layout_is_document(file->front.body));
}

static bool allows_html(const struct call *call, const struct letter_file *file)
{
	return call_has(call, "allow-html") || view_eq(file->front.values[FRONT_HTML].text, VIEW_LIT("yes"));
}

static enum err make_content(struct call *call, struct letter_file *file, struct buf *ret_content)
{
	if (!file->is_markdown)
		return buf_add(ret_content, view_trim(buf_view(&file->body)));
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	enum err err = markdown_to_html(buf_view(&file->body), allows_html(call, file), ret_content, &reason);
	return err == ERR_OK ? err : call_refuse(call, err, "%s: %s", buf_text(&file->path), buf_text(&reason));
}

static enum err fill_layout(struct call *call, struct letter_file *file, const struct layout_parts *parts,
			    const struct list *list, struct buf *ret_html)
{
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF where = buf_with_ceiling(LIMIT_WHY);
	enum err err;
	if (is_document(file)) {
		buf_add(&where, buf_view(&file->body_path));
		err = layout_fill_document(parts->content, parts, ret_html, &reason);
	} else {
		buf_addf(&where, "the layout of the list " VIEW_FMT, VIEW_ARG(list->name));
		err = layout_fill(list->layout.len > 0 ? list->layout : layout_builtin(), parts, ret_html, &reason);
	}
	return err == ERR_OK ? err : call_refuse(call, err, "%s: %s", buf_text(&where), buf_text(&reason));
}

static struct layout_parts parts_of(const struct call *call, const struct letter_file *file,
				    const struct campaign_content *content)
{
	const char *preheader = call_option(call, "preheader");
	return (struct layout_parts){
		.subject = content->subject,
		.preheader = preheader != NULL ? view_of(preheader) : file->front.values[FRONT_PREHEADER].text,
	};
}

/* A message without HTML. */
static enum err refuse_preheader(struct call *call, struct letter_file *file)
{
	return call_refuse(call, ERR_INVALID, "%s has no HTML for --preheader; leave it out", buf_text(&file->path));
}

enum err letter_html(struct call *call, struct letter_file *file, const struct campaign_content *content,
		     const struct list *list, struct reader_fields *fields, struct letter_files *files,
		     struct buf *ret_html)
{
	AUTO_BUF body = buf_with_ceiling(LIMIT_TEMPLATE);
	AUTO_BUF shown = buf_with_ceiling(LIMIT_TEMPLATE);
	struct layout_parts parts = parts_of(call, file, content);
	if (!view_is_utf8(parts.preheader))
		return call_refuse(call, ERR_INVALID, "--preheader is not UTF-8 text");
	enum err err = check_all(call, file, is_document(file), fields);
	if (err == ERR_OK && file->is_eml && file->body.len == 0)
		return parts.preheader.len == 0 ? ERR_OK : refuse_preheader(call, file);
	if (err == ERR_OK && is_document(file))
		err = html_parts_say_utf8(buf_view(&file->body), &body);
	else if (err == ERR_OK)
		err = make_content(call, file, &body);
	if (err == ERR_OK)
		err = letter_files_show(call, file, list->list_id, buf_view(&body), files, &shown);
	parts.content = buf_view(&shown);
	if (err == ERR_OK)
		err = fill_layout(call, file, &parts, list, ret_html);
	/* A document's own tags, once those of layouts are gone. */
	if (err == ERR_OK && is_document(file))
		err = check_tags(call, buf_text(&file->body_path), buf_view(ret_html), SLOT_HTML, fields);
	return err;
}

/* ---- the text ---- */

enum err letter_text_of(struct call *call, struct view html, struct buf *ret_text)
{
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	enum err err = html_letter_to_text(html, ret_text, &reason);
	if (err == ERR_OK && view_trim(buf_view(ret_text)).len == 0) {
		buf_add(&reason, VIEW_LIT("the HTML holds no text; write the text yourself (--text, or letter.txt)"));
		err = ERR_INVALID;
	}
	if (err != ERR_OK)
		return call_refuse(call, err, "the text part: %s", buf_text(&reason));
	return way_out_in(buf_view(ret_text)) ? ERR_OK : buf_add(ret_text, VIEW_LIT(TEXT_FOOT));
}

/* What readers see between the tags of layouts, which only a document has in itself. */
static enum err make_visible(struct call *call, struct letter_file *file, const struct campaign_content *content,
			     const struct list *list, struct buf *ret_html)
{
	if (!is_document(file))
		return make_content(call, file, ret_html);
	struct layout_parts parts = parts_of(call, file, content);
	AUTO_BUF document = buf_with_ceiling(LIMIT_TEMPLATE);
	enum err err = make_content(call, file, &document);
	parts.content = buf_view(&document);
	return err == ERR_OK ? fill_layout(call, file, &parts, list, ret_html) : err;
}

enum err letter_text(struct call *call, struct letter_file *file, const struct campaign_content *content,
		     const struct list *list, struct reader_fields *fields, struct buf *ret_text)
{
	if (file->text_path.len > 0) {
		enum err err = check_tags(call, buf_text(&file->text_path), buf_view(&file->text), SLOT_TEXT, fields);
		return err != ERR_OK ? err : buf_add(ret_text, buf_view(&file->text));
	}
	AUTO_BUF body = buf_with_ceiling(LIMIT_TEMPLATE);
	enum err err = make_visible(call, file, content, list, &body);
	return err != ERR_OK ? err : letter_text_of(call, buf_view(&body), ret_text);
}
