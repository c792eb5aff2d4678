#include "mail/html_letter.h"

#include <libxml/HTMLparser.h>
#include <string.h>

#include "base/limits.h"
#include "mail/html_node.h"
#include "mail/html_sight.h"
#include "mail/layout.h"
#include "mail/raised.h"
#include "mail/reference.h"
#include "mail/tag_cover.h"
#include "mail/text_writer.h"

enum {
	DEPTH_MOST = 256,       /* libxml2's own */
	SEPARATORS_MOST = 1024, /* in one tag: its attributes are compared with each other */
};

typedef void on_element(struct text_writer *writer, const xmlNode *node);
static on_element walk_children, on_paragraph, on_block, on_heading, on_subheading, on_list, on_item, on_quote, on_pre,
    on_rule, on_break, on_image, on_link, on_row, on_cell, on_nothing, on_struck, on_raised, on_lowered;

/* What is not here stands in its line. */
static const struct element_row {
	const char *name;
	on_element *on;
} elements[] = {
	{ "p", on_paragraph },    { "div", on_block },     { "section", on_block },    { "article", on_block },
	{ "header", on_block },   { "footer", on_block },  { "main", on_block },       { "center", on_block },
	{ "address", on_block },  { "aside", on_block },   { "nav", on_block },        { "form", on_block },
	{ "dl", on_paragraph },   { "dt", on_block },      { "dd", on_block },         { "figure", on_paragraph },
	{ "h1", on_heading },     { "h2", on_subheading }, { "h3", on_paragraph },     { "h4", on_paragraph },
	{ "h5", on_paragraph },   { "h6", on_paragraph },  { "ul", on_list },          { "ol", on_list },
	{ "li", on_item },        { "pre", on_pre },       { "blockquote", on_quote }, { "hr", on_rule },
	{ "br", on_break },       { "img", on_image },     { "a", on_link },           { "table", on_paragraph },
	{ "tr", on_row },         { "td", on_cell },       { "th", on_cell },          { "style", on_nothing },
	{ "script", on_nothing }, { "head", on_nothing },  { "title", on_nothing },    { "template", on_nothing },
	{ "del", on_struck },     { "s", on_struck },      { "strike", on_struck },    { "sup", on_raised },
	{ "sub", on_lowered },
};

static on_element *find_element(const xmlNode *node)
{
	for (size_t i = 0; i < ARRAY_LEN(elements); i++) {
		if (html_node_is(node, elements[i].name))
			return elements[i].on;
	}
	return walk_children;
}

static bool strikes(const xmlNode *node)
{
	return view_find_nocase(html_node_attribute(node, "style"), VIEW_LIT("line-through")) != VIEW_NONE;
}

static void walk_element(struct text_writer *writer, const xmlNode *node)
{
	bool is_struck = strikes(node);
	if (is_struck)
		text_writer_strike(writer);
	find_element(node)(writer, node);
	if (is_struck)
		text_writer_unstrike(writer);
}

static void walk_children(struct text_writer *writer, const xmlNode *node)
{
	for (const xmlNode *child = node->children; child != NULL; child = child->next) {
		if (child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE)
			text_writer_add(writer, view_of((const char *)child->content));
		else if (child->type == XML_ELEMENT_NODE && !html_sight_hides(child))
			walk_element(writer, child);
	}
}

static void on_struck(struct text_writer *writer, const xmlNode *node)
{
	text_writer_strike(writer);
	walk_children(writer, node);
	text_writer_unstrike(writer);
}

static void on_nothing(struct text_writer *writer, const xmlNode *node)
{
	(void)writer;
	(void)node;
}

static void on_block(struct text_writer *writer, const xmlNode *node)
{
	text_writer_flush(writer);
	walk_children(writer, node);
	text_writer_flush(writer);
}

static void on_paragraph(struct text_writer *writer, const xmlNode *node)
{
	text_writer_gap(writer);
	walk_children(writer, node);
	text_writer_gap(writer);
}

static void underline(struct text_writer *writer, const xmlNode *node, char line)
{
	text_writer_gap(writer);
	walk_children(writer, node);
	text_writer_underline(writer, line);
	text_writer_gap(writer);
}

static void on_heading(struct text_writer *writer, const xmlNode *node)
{
	underline(writer, node, '=');
}

static void on_subheading(struct text_writer *writer, const xmlNode *node)
{
	underline(writer, node, '-');
}

/* A list in an item follows it without a gap. */
static void on_list(struct text_writer *writer, const xmlNode *node)
{
	if (node->parent != NULL && html_node_is(node->parent, "li"))
		on_block(writer, node);
	else
		on_paragraph(writer, node);
}

/* An item's number: that of its list's first one, and the items before. */
static uint64_t number_of(const xmlNode *item)
{
	uint64_t number = 1;
	struct view start = html_node_attribute(item->parent, "start");
	if (!view_to_u64(start, 1000000, &number))
		number = 1;
	for (const xmlNode *before = item->prev; before != NULL; before = before->prev)
		number += html_node_is(before, "li");
	return number;
}

static void on_item(struct text_writer *writer, const xmlNode *node)
{
	AUTO_BUF mark = buf_with_ceiling(32);
	if (node->parent != NULL && html_node_is(node->parent, "ol"))
		buf_addf(&mark, "%llu. ", (unsigned long long)number_of(node));
	else
		buf_add(&mark, VIEW_LIT("- "));
	text_writer_flush(writer);
	struct text_level level = text_writer_indent(writer, buf_view(&mark), VIEW_LIT(" "));
	walk_children(writer, node);
	text_writer_outdent(writer, level);
}

static void on_quote(struct text_writer *writer, const xmlNode *node)
{
	text_writer_gap(writer);
	struct text_level level = text_writer_indent(writer, VIEW_LIT("> "), VIEW_LIT("> "));
	walk_children(writer, node);
	text_writer_outdent(writer, level);
	text_writer_gap(writer);
}

/* ---- text as it is ---- */

static void add_raised(const xmlNode *node, enum raised raised, char before, struct buf *out)
{
	xmlChar *content = xmlNodeGetContent(node);
	if (raised_write(raised, view_trim(view_of((const char *)content)), before >= '0' && before <= '9', out) !=
	    ERR_OK)
		buf_reset(out); /* out remembers */
	xmlFree(content);
}

static char last_of(struct view text)
{
	return text.len > 0 ? text.data[text.len - 1] : ' ';
}

static void collect(const xmlNode *node, struct buf *out);

static void collect_element(const xmlNode *node, struct buf *out)
{
	on_element *on = find_element(node);
	bool is_struck = on == on_struck || strikes(node);
	buf_add(out, is_struck ? VIEW_LIT("~~") : VIEW_LIT(""));
	if (on == on_break)
		buf_add_byte(out, '\n');
	else if (on == on_raised || on == on_lowered)
		add_raised(node, on == on_raised ? RAISED_UP : RAISED_DOWN, last_of(buf_view(out)), out);
	else
		collect(node, out);
	buf_add(out, is_struck ? VIEW_LIT("~~") : VIEW_LIT(""));
}

static void collect(const xmlNode *node, struct buf *out)
{
	for (const xmlNode *child = node->children; child != NULL; child = child->next) {
		if (child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE)
			buf_add(out, view_of((const char *)child->content));
		else if (child->type == XML_ELEMENT_NODE && !html_sight_hides(child))
			collect_element(child, out);
	}
}

static void on_pre(struct text_writer *writer, const xmlNode *node)
{
	AUTO_BUF content = buf_with_ceiling(2 * LIMIT_TEMPLATE);
	text_writer_gap(writer);
	collect(node, &content);
	struct view rest = buf_view(&content), line;
	while (view_cut(&rest, '\n', &line))
		text_writer_verbatim(writer, line);
	text_writer_gap(writer);
}

static void on_rule(struct text_writer *writer, const xmlNode *node)
{
	(void)node;
	text_writer_gap(writer);
	text_writer_verbatim(writer, VIEW_LIT("----------------------------------------"));
	text_writer_gap(writer);
}

static void on_break(struct text_writer *writer, const xmlNode *node)
{
	(void)node;
	text_writer_break(writer);
}

static void on_image(struct text_writer *writer, const xmlNode *node)
{
	struct view alt = view_trim(html_node_attribute(node, "alt"));
	if (alt.len == 0)
		return;
	text_writer_add(writer, VIEW_LIT("["));
	text_writer_add(writer, alt);
	text_writer_add(writer, VIEW_LIT("]"));
}

/* ---- links ---- */

/* Whether a reader of the text can do something with it. */
static bool leads_somewhere(struct view url)
{
	return url.len > 0 && url.data[0] != '#' && !html_node_is_program(url);
}

/* The same but for what a browser shows without. Every tag has a word of its own: two that are alike are so once they are tags again. */
static bool says_itself(const struct tag_cover *cover, struct view text, struct view url)
{
	static const char *const starts[] = { "", "mailto:", "https://", "http://" };
	AUTO_BUF said = buf_with_ceiling(2 * LIMIT_TEMPLATE);
	AUTO_BUF target = buf_with_ceiling(2 * LIMIT_TEMPLATE);
	if (tag_cover_restore(cover, text, &said) != ERR_OK || tag_cover_restore(cover, url, &target) != ERR_OK)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		struct view start = view_of(starts[i]);
		if (view_starts_nocase(buf_view(&target), start) &&
		    view_eq(buf_view(&said), view_skip(buf_view(&target), start.len)))
			return true;
	}
	return false;
}

/* Behind the text of a link, which began at `from`. */
static void write_target(struct text_writer *writer, const xmlNode *node, size_t from)
{
	struct view url = view_trim(html_node_attribute(node, "href"));
	struct view text = view_trim(text_writer_since(writer, from));
	if (!leads_somewhere(url) || says_itself(writer->cover, text, url))
		return;
	bool bare = text.len == 0;
	text_writer_add(writer, bare ? VIEW_LIT(" ") : VIEW_LIT(" ("));
	text_writer_add_unbroken(writer, url);
	text_writer_add(writer, bare ? VIEW_LIT(" ") : VIEW_LIT(")"));
}

static void on_link(struct text_writer *writer, const xmlNode *node)
{
	size_t from = text_writer_mark(writer);
	walk_children(writer, node);
	write_target(writer, node, from);
}

/* ---- above and below the line ---- */

static const xmlNode *find_link(const xmlNode *node)
{
	const xmlNode *child = node->children;
	while (child != NULL && !html_node_is(child, "a"))
		child = child->next;
	return child;
}

static void write_raised(struct text_writer *writer, const xmlNode *node, enum raised raised)
{
	AUTO_BUF text = buf_with_ceiling(2 * LIMIT_TEMPLATE);
	const xmlNode *link = find_link(node);
	size_t from = text_writer_mark(writer);
	char before = writer->space ? ' ' : last_of(text_writer_since(writer, 0));
	add_raised(node, raised, before, &text);
	text_writer_add(writer, buf_view(&text));
	if (link != NULL)
		write_target(writer, link, from);
}

static void on_raised(struct text_writer *writer, const xmlNode *node)
{
	write_raised(writer, node, RAISED_UP);
}

static void on_lowered(struct text_writer *writer, const xmlNode *node)
{
	write_raised(writer, node, RAISED_DOWN);
}

static void on_row(struct text_writer *writer, const xmlNode *node)
{
	bool is_head = node->parent != NULL && html_node_is(node->parent, "thead");
	text_writer_flush(writer);
	walk_children(writer, node);
	if (is_head)
		text_writer_underline(writer, '-');
	text_writer_flush(writer);
}

/* Only cells whose text is in one line stand beside each other; what has blocks of its own stands below. */
static void on_cell(struct text_writer *writer, const xmlNode *node)
{
	if (text_writer_mark(writer) > 0)
		text_writer_add(writer, VIEW_LIT(" | "));
	walk_children(writer, node);
}

/* ---- the whole ---- */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_separator(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '"' || c == '\'';
}

static enum err check_tags(struct view html, struct buf *why)
{
	for (size_t i = 0; i + 1 < html.len; i++) {
		if (html.data[i] != '<' || !is_letter(html.data[i + 1]))
			continue;
		size_t separators = 0, start = i;
		while (i + 1 < html.len && html.data[i + 1] != '>')
			separators += is_separator(html.data[++i]);
		if (separators > SEPARATORS_MOST)
			return template_refuse(
			    html, start, why,
			    "the tag that begins here has more than 1024 blanks and quotes; is a > missing");
	}
	return ERR_OK;
}

static enum err cover_tags(const struct tag_cover *cover, struct buf *out)
{
	size_t done = 0;
	for (size_t i = 0; i < tag_cover_count(cover); i++) {
		const struct template_tag *tag = tag_cover_tag(cover, i);
		bool is_remark =
		    tag->sigil == '!' && !layout_marks_subject(view_slice(cover->source, tag->start, tag->end));
		buf_add(out, view_slice(cover->source, done, is_remark ? tag->line_start : tag->start));
		if (!is_remark)
			tag_cover_write(cover, i, out);
		done = is_remark ? tag->line_end : tag->end;
	}
	return buf_add(out, view_skip(cover->source, done));
}

static enum err parse(struct view html, xmlParserCtxt *context, xmlDoc **ret_document, struct buf *why)
{
	*ret_document = htmlCtxtReadMemory(context, html.data, (int)html.len, NULL, "UTF-8",
					   HTML_PARSE_NONET | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
					       HTML_PARSE_COMPACT | HTML_PARSE_IGNORE_ENC);
	if (*ret_document != NULL && !context->disableSAX)
		return ERR_OK;
	buf_addf(why, "the HTML cannot be read: it is empty, or more than %d elements stand in each other", DEPTH_MOST);
	return ERR_INVALID;
}

static enum err write_text(const struct tag_cover *cover, struct view covered, struct buf *out, struct buf *why)
{
	xmlParserCtxt *context = htmlNewParserCtxt();
	if (context == NULL)
		return ERR_MEMORY;
	xmlDoc *document = NULL;
	enum err err = parse(covered, context, &document, why);
	if (err == ERR_OK) {
		struct text_writer writer;
		text_writer_open(&writer, cover, HTML_LETTER_WIDTH, out);
		walk_children(&writer, (const xmlNode *)document);
		err = text_writer_close(&writer);
	}
	xmlFreeDoc(document);
	htmlFreeParserCtxt(context);
	return err;
}

/* The HTML with defaults as plain text has them: without references, but for braces, which no default holds. */
static enum err read_defaults(struct view html, struct buf *out)
{
	struct template_tag tag;
	size_t done = 0;
	for (size_t cursor = 0; template_next_tag(html, &cursor, &tag);) {
		if (view_find_byte(tag.otherwise, '&') == VIEW_NONE)
			continue;
		size_t start = (size_t)(tag.otherwise.data - html.data);
		buf_add(out, view_slice(html, done, start));
		done = start + tag.otherwise.len;
		enum err err = reference_decode(tag.otherwise, "{}", out);
		if (err != ERR_OK)
			return err;
	}
	return buf_add(out, view_skip(html, done));
}

enum err html_letter_to_text(struct view html, struct buf *out, struct buf *why)
{
	AUTO_BUF covered = buf_with_ceiling(2 * LIMIT_TEMPLATE);
	AUTO_BUF source = buf_with_ceiling(LIMIT_TEMPLATE);
	struct tag_cover cover = { 0 };
	size_t before = out->len;
	enum err err = check_tags(html, why);
	if (err == ERR_OK)
		err = read_defaults(html, &source);
	if (err == ERR_OK)
		err = tag_cover_open(&cover, buf_view(&source));
	if (err == ERR_OK)
		err = cover_tags(&cover, &covered);
	if (err == ERR_OK)
		err = write_text(&cover, buf_view(&covered), out, why);
	if (err == ERR_TOO_BIG)
		buf_add(why, VIEW_LIT("the HTML makes too much text; shorten it, or write the text yourself"));
	if (err != ERR_OK)
		buf_cut(out, before);
	tag_cover_done(&cover);
	return err;
}
