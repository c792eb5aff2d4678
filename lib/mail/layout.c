#include "mail/layout.h"

#include "base/limits.h"
#include "mail/foreign_tag.h"
#include "mail/merge.h"
#include "mail/reference.h"
#include "mail/slot.h"
#include "mail/template.h"

struct filling {
	struct view layout;
	const struct layout_parts *parts;
	bool is_document;
	size_t contents;         /* times that content was put in */
	struct slot_place place; /* in the layout */
	bool preheader_shown;    /* has a place */
	size_t sections;         /* of readers' fields, that are open */
	size_t left_out;         /* sections that are open within one that is left out, it included */
	struct buf *out;
	struct buf *why;
};

static enum err put_content(struct filling *filling, const struct template_tag *tag);
static enum err put_subject(struct filling *filling, const struct template_tag *tag);
static enum err put_preheader(struct filling *filling, const struct template_tag *tag);

static const struct field_row {
	const char *name;
	enum err (*put)(struct filling *filling, const struct template_tag *tag);
	size_t part; /* its view in struct layout_parts */
} fields[] = {
	{ "content", put_content, offsetof(struct layout_parts, content) },
	{ "subject", put_subject, offsetof(struct layout_parts, subject) },
	{ "preheader", put_preheader, offsetof(struct layout_parts, preheader) },
};

struct view layout_field(size_t index)
{
	return index < ARRAY_LEN(fields) ? view_of(fields[index].name) : (struct view){ 0 };
}

static const struct field_row *find_field(struct view name)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (view_eq(name, view_of(fields[i].name)))
			return &fields[i];
	}
	return NULL;
}

static struct view part_of(const struct filling *filling, const struct field_row *row)
{
	return *(const struct view *)(const void *)((const char *)filling->parts + row->part);
}

static enum err refuse_at(const struct filling *filling, size_t at, const char *what)
{
	return template_refuse(filling->layout, at, filling->why, "%s", what);
}

/* ---- text as HTML ---- */

static void add_escaped(struct view text, struct buf *out)
{
	static const char *const references[256] = {
		['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;", ['{'] = "&#123;",
	};
	for (size_t i = 0; i < text.len; i++) {
		const char *reference = references[(unsigned char)text.data[i]];
		buf_add(out, reference != NULL ? view_of(reference) : view_slice(text, i, i + 1));
	}
}

/* As part of a link, every octet that could divide it. */
static void add_encoded(struct view text, struct buf *out)
{
	AUTO_BUF scratch = buf_with_ceiling(LIMIT_TEMPLATE);
	struct view encoded;
	const char *wish;
	if (slot_escape_value(ESCAPE_PART, text, &scratch, &encoded, &wish) == ERR_OK)
		buf_add(out, encoded);
}

static void add_plain(struct view text, struct buf *out)
{
	buf_add(out, text);
}

/* A tag of a text's template: its value is escaped in HTML, also where the text has {{{x}}} or {{&x}}. Its default, there a text, is
 * here one with references. */
static void add_tag(struct view source, const struct template_tag *tag, struct buf *out)
{
	bool triple = tag->sigil == '{', ampersand = tag->sigil == '&';
	if (tag->sigil == '!')
		return;
	struct view inside =
	    view_slice(source, tag->start + (triple || ampersand ? 3 : 2), tag->end - (triple ? 3 : 2));
	size_t name_len = view_find_byte(inside, '|');
	buf_add(out, VIEW_LIT("{{"));
	buf_add(out, view_head(inside, name_len));
	for (size_t i = name_len; i < inside.len; i++)
		buf_add(out, inside.data[i] == '&' ? VIEW_LIT("&amp;") : view_slice(inside, i, i + 1));
	buf_add(out, VIEW_LIT("}}"));
}

typedef void add_literal(struct view text, struct buf *out);

static void add_text_template(struct view source, add_literal *add, struct buf *out)
{
	struct template_tag tag;
	size_t done = 0;
	for (size_t cursor = 0; template_next_tag(source, &cursor, &tag);) {
		add(view_slice(source, done, tag.start), out);
		add_tag(source, &tag, out);
		done = tag.end;
	}
	add(view_skip(source, done), out);
}

/* ---- the fields ---- */

static enum err put_content(struct filling *filling, const struct template_tag *tag)
{
	if (filling->is_document)
		return refuse_at(filling, tag->start, "{{{content}}} stands in layouts only; this is a letter");
	if (tag->sigil != '{' && tag->sigil != '&')
		return refuse_at(filling, tag->start, "the content is HTML already; write {{{content}}}");
	if (!slot_takes_html(&filling->place))
		return refuse_at(filling, tag->start,
				 "the content is HTML and stands between elements only; move {{{content}}} there");
	if (filling->sections > 0)
		return refuse_at(filling, tag->start,
				 "the content stands in a section, so that some readers would get no letter; move "
				 "{{{content}}} out of it");
	if (filling->contents++ > 0)
		return refuse_at(filling, tag->start,
				 "the content stands here a second time; remove one {{{content}}}");
	return buf_add(filling->out, filling->parts->content);
}

/* How a text becomes part of the place where its tag stands. */
static enum err find_way(const struct filling *filling, const struct template_tag *tag, add_literal **ret_add)
{
	struct slot_place place = filling->place;
	enum slot_escape escape;
	const char *why;
	if (!slot_field(&place, SLOT_VALUE, &escape, &why))
		return refuse_at(filling, tag->start, why);
	if (escape == ESCAPE_LINK)
		return refuse_at(filling, tag->start,
				 "a link cannot begin with a text; write its address in front, such as "
				 "https://www.example.org/?about={{subject}}");
	*ret_add =
	    escape == ESCAPE_HTML || escape == ESCAPE_STYLE || escape == ESCAPE_NOTHING ? add_escaped : add_encoded;
	return ERR_OK;
}

/* Remarks around a subject, which come to nothing in a copy. */
#define SUBJECT_ENDS VIEW_LIT("{{! /subject}}")
static const struct shown_subject {
	const char *begins;
	add_literal *add;
} shown_subjects[] = {
	{ "{{! subject}}", add_escaped },
	{ "{{! subject in a link}}", add_encoded },
};

static void add_subject(struct view subject, const char *begins, add_literal *add, struct buf *out)
{
	buf_add(out, view_of(begins));
	if (add == add_plain)
		buf_add(out, subject);
	else
		add_text_template(subject, add, out);
	buf_add(out, SUBJECT_ENDS);
}

static enum err put_subject(struct filling *filling, const struct template_tag *tag)
{
	add_literal *add;
	enum err err = find_way(filling, tag, &add);
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < ARRAY_LEN(shown_subjects); i++) {
		if (shown_subjects[i].add == add)
			add_subject(filling->parts->subject, shown_subjects[i].begins, add, filling->out);
	}
	return buf_err(filling->out);
}

/* What the layout has for none is a text of HTML. */
static void put_default(struct view otherwise, add_literal *add, struct buf *out)
{
	AUTO_BUF text = buf_with_ceiling(LIMIT_TEMPLATE);
	if (reference_decode(otherwise, "", &text) == ERR_OK)
		add(buf_view(&text), out);
}

static enum err put_preheader(struct filling *filling, const struct template_tag *tag)
{
	add_literal *add;
	enum err err = find_way(filling, tag, &add);
	if (err != ERR_OK)
		return err;
	filling->preheader_shown = true;
	if (filling->parts->preheader.len > 0)
		add_text_template(filling->parts->preheader, add, filling->out);
	else
		put_default(tag->otherwise, add, filling->out);
	return buf_err(filling->out);
}

/* ---- the layout ---- */

static bool opens(const struct template_tag *tag)
{
	return tag->sigil == '#' || tag->sigil == '^';
}

/* In a part that is left out only the sections count. */
static void skip_tag(struct filling *filling, const struct template_tag *tag)
{
	if (opens(tag))
		filling->left_out++;
	else if (tag->sigil == '/')
		filling->left_out--;
}

static enum err take_tag(struct filling *filling, const struct template_tag *tag)
{
	const struct field_row *row = find_field(tag->name);
	if (tag->sigil == '!')
		return ERR_OK;
	if (row == NULL) {
		if (opens(tag))
			filling->sections++;
		else if (tag->sigil == '/' && filling->sections > 0)
			filling->sections--;
		return buf_add(filling->out, view_slice(filling->layout, tag->line_start, tag->line_end));
	}
	if (opens(tag)) {
		bool given = part_of(filling, row).len > 0;
		filling->left_out = given == (tag->sigil == '^');
		return ERR_OK;
	}
	return tag->sigil == '/' ? ERR_OK : row->put(filling, tag);
}

/* Goes on to the content's place. What may not stand in a layout is template_compile()'s to say, and fields lead to no other place. */
static void follow(struct filling *filling, struct view text, const struct template_tag *tag)
{
	size_t at;
	const char *why;
	bool is_section = opens(tag) || tag->sigil == '/';
	if (!slot_read(&filling->place, text, &at, &why) || (is_section && !slot_section(&filling->place, &why)))
		filling->place = slot_start(SLOT_HTML);
}

static enum err fill(struct filling *filling)
{
	struct template_tag tag;
	size_t done = 0, before = filling->out->len;
	enum err err = ERR_OK;
	for (size_t cursor = 0; err == ERR_OK && template_next_tag(filling->layout, &cursor, &tag);) {
		bool was_left_out = filling->left_out > 0;
		struct view text = view_slice(filling->layout, done, tag.line_start);
		if (!was_left_out) {
			buf_add(filling->out, text);
			follow(filling, text, &tag);
		}
		done = tag.line_end;
		if (was_left_out)
			skip_tag(filling, &tag);
		else
			err = take_tag(filling, &tag);
	}
	if (err == ERR_OK)
		err = buf_add(filling->out, view_skip(filling->layout, done));
	if (err == ERR_OK && filling->contents == 0 && !filling->is_document)
		err = refuse_at(filling, 0, "{{{content}}} is missing; put it where the letter shall stand");
	if (err == ERR_OK && filling->parts->preheader.len > 0 && !filling->preheader_shown)
		err = refuse_at(filling, 0,
				"there is no {{preheader}} for the preheader; add it, or take the preheader away");
	if (err == ERR_TOO_BIG)
		buf_add(filling->why, VIEW_LIT("the letter in its layout is too long; shorten it"));
	if (err != ERR_OK)
		buf_cut(filling->out, before);
	return err;
}

enum err layout_fill(struct view layout, const struct layout_parts *parts, struct buf *out, struct buf *why)
{
	struct filling filling = {
		.layout = layout, .parts = parts, .place = slot_start(SLOT_HTML), .out = out, .why = why
	};
	return fill(&filling);
}

enum err layout_fill_document(struct view document, const struct layout_parts *parts, struct buf *out, struct buf *why)
{
	struct filling filling = { .layout = document,
				   .parts = parts,
				   .is_document = true,
				   .place = slot_start(SLOT_HTML),
				   .out = out,
				   .why = why };
	return fill(&filling);
}

static size_t find_last(struct view text, struct view what)
{
	size_t last = VIEW_NONE, from = 0, at;
	while ((at = view_find(view_skip(text, from), what)) != VIEW_NONE) {
		last = from + at;
		from = last + what.len;
	}
	return last;
}

bool layout_marks_subject(struct view tag)
{
	bool marks = view_eq(tag, SUBJECT_ENDS);
	for (size_t i = 0; i < ARRAY_LEN(shown_subjects); i++)
		marks = marks || view_eq(tag, view_of(shown_subjects[i].begins));
	return marks;
}

/* The last beginning of a subject; NULL: there is none. */
static const struct shown_subject *find_subject(struct view text, size_t *ret_at)
{
	const struct shown_subject *found = NULL;
	for (size_t i = 0; i < ARRAY_LEN(shown_subjects); i++) {
		size_t at = find_last(text, view_of(shown_subjects[i].begins));
		if (at == VIEW_NONE || (found != NULL && at < *ret_at))
			continue;
		found = &shown_subjects[i];
		*ret_at = at;
	}
	return found;
}

enum err layout_renew_subject(struct view filled, bool is_html, struct view subject, struct buf *out)
{
	size_t before = out->len, end;
	while ((end = view_find(filled, SUBJECT_ENDS)) != VIEW_NONE) {
		size_t begin = end + SUBJECT_ENDS.len;
		const struct shown_subject *shown = find_subject(view_head(filled, end), &begin);
		buf_add(out, view_head(filled, begin));
		if (shown != NULL)
			add_subject(subject, shown->begins,
				    is_html || shown->add == add_encoded ? shown->add : add_plain, out);
		filled = view_skip(filled, end + SUBJECT_ENDS.len);
	}
	buf_add(out, filled);
	if (buf_err(out) != ERR_OK)
		buf_cut(out, before);
	return buf_err(out);
}

bool layout_is_document(struct view html)
{
	return view_find_nocase(html, VIEW_LIT("<html")) != VIEW_NONE ||
	       view_find_nocase(html, VIEW_LIT("<!doctype")) != VIEW_NONE;
}

enum err layout_check(struct view layout, const struct view *attributes, size_t count, struct buf *why)
{
	AUTO_BUF all = buf_with_ceiling(LIMIT_MESSAGE);
	AUTO_BUF names = buf_with_ceiling(LIMIT_MESSAGE);
	AUTO_BUF filled = buf_with_ceiling(LIMIT_TEMPLATE);
	struct merge_names known = { 0 };
	struct template *template = NULL;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		struct view name = layout_field(i);
		buf_add(&all, view_from(&name, sizeof(name)));
	}
	buf_add(&all, view_from(attributes, count * sizeof(*attributes)));
	if (buf_err(&all) != ERR_OK)
		return buf_err(&all);
	enum err err =
	    merge_known((const struct view *)(const void *)all.data, all.len / sizeof(struct view), &names, &known);
	if (err == ERR_OK)
		err = template_compile(layout, SLOT_HTML, &known, &template, why);
	if (err == ERR_OK)
		err = foreign_tag_refuse_own(layout, true, &known, why);
	template_done(template);
	const struct layout_parts parts = { .content = VIEW_LIT("content"), .subject = VIEW_LIT("subject") };
	return err != ERR_OK ? err : layout_fill(layout, &parts, &filled, why);
}
