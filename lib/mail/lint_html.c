#include "mail/lint_html.h"

#include <libxml/HTMLparser.h>
#include "base/limits.h"
#include "mail/clean_text.h"
#include "mail/html_sight.h"
#include "mail/srcset.h"
#include "mail/way_out.h"

enum {
	DEPTH_MOST = 256, /* libxml2's own */
	SHOWN_OCTETS = 60,
};

/* Hosts whose links say nothing of where they lead: many filters count them against a message. */
static const char *const shorteners[] = { "bit.ly", "tinyurl.com", "goo.gl",     "t.co",    "ow.ly",
					  "is.gd",  "buff.ly",     "rebrand.ly", "cutt.ly", "shorturl.at",
					  "t.ly",   "rb.gy",       "tiny.cc",    "lnkd.in" };
static const char *const stripped_elements[] = { "script", "iframe", "object", "embed", "form",     "input", "button",
						 "video",  "audio",  "applet", "frame", "frameset", "base" };

struct reading {
	struct lint_html *facts;
	const struct attachment *files;
	size_t file_count;
	uint64_t ways;             /* out, that a reader sees */
	uint64_t links_out;        /* those of them that a link leads to */
	uint64_t ways_but_outlook; /* those that one in Outlook on Windows does not */
	bool has_way_in_outlook;   /* in a comment that it alone reads */
	unsigned code;             /* elements around that show code */
};

static void show(struct view text, struct lint_html_list *list)
{
	struct buf *out = &list->shown;
	if (list->count++ >= LINT_HTML_SHOWN)
		return;
	if (out->len > 0)
		buf_add(out, VIEW_LIT(", "));
	AUTO_BUF clean = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF written = buf_with_ceiling(LIMIT_MESSAGE);
	if (way_out_unnumber(text, &written) == ERR_OK)
		text = buf_view(&written);
	clean_text_add(view_head(text, SHOWN_OCTETS), false, SHOWN_OCTETS, &clean);
	buf_add_byte(out, '"');
	for (size_t i = 0; i < clean.len; i++) {
		if (clean.data[i] != '"')
			buf_add_byte(out, clean.data[i]);
	}
	buf_add_byte(out, '"');
}

/* ---- links ---- */

static bool is_link_octet(char c)
{
	return (unsigned char)c > ' ' && c != '<' && c != '>' && c != '"' && c != '\\' && c != '^' && c != '`' &&
	       c != '|' && c != '{' && c != '}' && c != 0x7f;
}

/* Each tag becomes one letter, whatever stands in it. False: an octet that no URL has. */
static bool fill_tags(struct view url, struct buf *out)
{
	while (url.len > 0) {
		size_t end = view_starts(url, VIEW_LIT("{{")) ? view_find(url, VIEW_LIT("}}")) : VIEW_NONE;
		if (end != VIEW_NONE) {
			buf_add_byte(out, 'x');
			url = view_skip(url, end + 2);
			url = view_starts(url, VIEW_LIT("}")) ? view_skip(url, 1) : url;
			continue;
		}
		if (!is_link_octet(url.data[0]))
			return false;
		buf_add_byte(out, url.data[0]);
		url = view_skip(url, 1);
	}
	return buf_err(out) == ERR_OK;
}

/* What stands between // and the path, without user and port; in data's case. */
static struct view host_of(struct view url)
{
	size_t at = view_find(url, VIEW_LIT("://"));
	if (at == VIEW_NONE)
		return (struct view){ 0 };
	struct view host = view_skip(url, at + 3);
	for (size_t i = 0; i < host.len; i++) {
		if (host.data[i] == '/' || host.data[i] == '?' || host.data[i] == '#') {
			host = view_head(host, i);
			break;
		}
	}
	size_t user = view_find_last_byte(host, '@');
	host = user == VIEW_NONE ? host : view_skip(host, user + 1);
	return view_starts(host, VIEW_LIT("[")) ? host : view_head(host, view_find_byte(host, ':'));
}

/* What stands behind the host's colon; a tag may. */
static bool has_port(struct view url, struct view host, bool has_tag)
{
	enum { PORT_MOST = 65535 };
	struct view rest = view_skip(url, (size_t)(host.data - url.data) + host.len);
	size_t end = 0;
	uint64_t port;
	while (end < rest.len && rest.data[end] != '/' && rest.data[end] != '?' && rest.data[end] != '#')
		end++;
	rest = view_head(rest, end);
	return rest.len <= 1 || has_tag || view_to_u64(view_skip(rest, 1), PORT_MOST, &port);
}

static bool is_hexadecimal(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* RFC 3986 section 2.1. */
static bool is_encoded_well(struct view url)
{
	for (size_t at = view_find_byte(url, '%'); at != VIEW_NONE; at = view_find_byte(url, '%')) {
		url = view_skip(url, at + 1);
		if (url.len < 2 || !is_hexadecimal(url.data[0]) || !is_hexadecimal(url.data[1]))
			return false;
	}
	return true;
}

static bool is_host(struct view host)
{
	for (size_t i = 0; i < host.len; i++) {
		char c = host.data[i];
		bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
			    c == '.' || c == '_' || (unsigned char)c >= 0x80 || c == '[' || c == ']' || c == ':';
		if (!good)
			return false;
	}
	return host.len > 2 && view_find(host, VIEW_LIT("..")) == VIEW_NONE && host.data[0] != '.' &&
	       (view_find_byte(host, '.') != VIEW_NONE || host.data[0] == '[');
}

bool lint_html_is_link(struct view url)
{
	static const char *const others[] = { "tel:", "sms:" };
	AUTO_BUF filled = buf_with_ceiling(LIMIT_TEMPLATE);
	struct view text = view_trim(url);
	if (view_starts(text, VIEW_LIT("{{")))
		return true;
	if (!fill_tags(text, &filled) || !is_encoded_well(buf_view(&filled)))
		return false;
	bool has_tag = view_find(url, VIEW_LIT("{{")) != VIEW_NONE;
	text = buf_view(&filled);
	if (view_starts_nocase(text, VIEW_LIT("https://")) || view_starts_nocase(text, VIEW_LIT("http://"))) {
		struct view host = host_of(text);
		/* A tag may be the whole host. */
		bool is_good = is_host(host) || (has_tag && view_eq(host, VIEW_LIT("x")));
		return is_good && has_port(text, host, has_tag);
	}
	if (view_starts_nocase(text, VIEW_LIT("mailto:")))
		return view_find_byte(text, '@') != VIEW_NONE || has_tag;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		if (view_starts_nocase(text, view_of(others[i])))
			return text.len > 4;
	}
	return view_starts(text, VIEW_LIT("#")) && text.len > 1;
}

static bool is_shortened(struct view host)
{
	for (size_t i = 0; i < ARRAY_LEN(shorteners); i++) {
		if (view_eq_nocase(host, view_of(shorteners[i])))
			return true;
	}
	return false;
}

static struct view without_www(struct view host)
{
	return view_starts_nocase(host, VIEW_LIT("www.")) ? view_skip(host, 4) : host;
}

/* The text of a link is itself a URL, of another host. */
static bool is_misleading(const xmlNode *node, struct view host)
{
	const xmlNode *child = node->children;
	if (child == NULL || child->next != NULL || child->type != XML_TEXT_NODE || host.len == 0)
		return false;
	struct view text = view_trim(view_of((const char *)child->content));
	struct view said = host_of(text);
	if (said.len == 0 && view_starts_nocase(text, VIEW_LIT("www.")))
		said = view_head(text, view_find_byte(text, '/'));
	said = without_www(said);
	host = without_www(host);
	return said.len > 0 && view_find_byte(said, '{') == VIEW_NONE && view_find_byte(host, '{') == VIEW_NONE &&
	       !view_eq_nocase(said, host);
}

static void read_link(const xmlNode *node, struct lint_html *facts)
{
	struct view url = html_node_attribute(node, "href");
	if (url.data == NULL)
		return; /* a place, not a link */
	struct view host = host_of(view_trim(url));
	if (!lint_html_is_link(url))
		show(url, &facts->broken_links);
	else if (is_shortened(without_www(host)))
		show(url, &facts->shortened_links);
	else if (is_misleading(node, host))
		show(url, &facts->misleading_links);
}

/* ---- images ---- */

/* The one of the letter's files that cid: names; NULL: there is none. */
static const struct attachment *find_file(const struct reading *reading, struct view source)
{
	struct view id =
	    view_starts_nocase(source, VIEW_LIT("cid:")) ? view_skip(source, sizeof("cid:") - 1) : (struct view){ 0 };
	for (size_t i = 0; i < reading->file_count; i++) {
		if (id.len > 0 && view_eq(reading->files[i].content_id, id))
			return &reading->files[i];
	}
	return NULL;
}

/* What of a srcset no mailbox fetches, which may show it in place of src. */
static void read_srcset(const xmlNode *node, struct lint_html *facts)
{
	struct view candidates = html_node_attribute(node, "srcset"), address;
	while (srcset_cut(&candidates, &address)) {
		bool is_shown = view_starts(address, VIEW_LIT("{{")) ||
				(view_starts_nocase(address, VIEW_LIT("http")) && lint_html_is_link(address));
		if (!is_shown)
			show(address, &facts->broken_images);
	}
}

static void read_image(const xmlNode *node, struct reading *reading)
{
	struct view source = view_trim(html_node_attribute(node, "src"));
	const struct attachment *file = find_file(reading, source);
	bool is_shown = file != NULL || view_starts(source, VIEW_LIT("{{")) ||
			(view_starts_nocase(source, VIEW_LIT("http")) && lint_html_is_link(source));
	reading->facts->images++;
	if (html_node_attribute(node, "alt").data == NULL)
		show(file != NULL ? file->name : source, &reading->facts->without_alt);
	if (!is_shown)
		show(source, &reading->facts->broken_images);
}

/* ---- the whole ---- */

static void count_words(struct view text, struct lint_html *facts)
{
	bool inside = false;
	for (size_t i = 0; i < text.len; i++) {
		bool is_space = (unsigned char)text.data[i] <= ' ';
		facts->words += !is_space && !inside;
		inside = !is_space;
	}
}

/* Its value is read as a link or an image already. */
static bool is_read(const xmlNode *node, struct view name)
{
	bool is_link = html_node_is(node, "a") || html_node_is(node, "area");
	return (is_link && view_eq(name, VIEW_LIT("href"))) ||
	       (html_node_is(node, "img") && view_eq(name, VIEW_LIT("src")));
}

static void read_attribute(const xmlNode *node, const xmlAttr *attribute, struct lint_html *facts)
{
	struct view name = view_of((const char *)attribute->name);
	struct view value = html_node_attribute(node, (const char *)attribute->name);
	if (view_starts_nocase(name, VIEW_LIT("on")) && name.len > 2)
		show(name, &facts->stripped);
	if (!is_read(node, name) && html_node_is_program(value))
		show(value, &facts->broken_links);
}

/* onclick and the like, and <meta http-equiv="refresh">. */
static void read_programs(const xmlNode *node, struct lint_html *facts)
{
	for (const xmlAttr *attribute = node->properties; attribute != NULL; attribute = attribute->next)
		read_attribute(node, attribute, facts);
	struct view equivalent = view_trim(html_node_attribute(node, "http-equiv"));
	if (html_node_is(node, "meta") && view_eq_nocase(equivalent, VIEW_LIT("refresh")))
		show(VIEW_LIT("meta refresh"), &facts->stripped);
}

static void read_element(const xmlNode *node, struct reading *reading)
{
	struct lint_html *facts = reading->facts;
	if (html_node_is(node, "a") || html_node_is(node, "area"))
		read_link(node, facts);
	if (html_node_is(node, "img"))
		read_image(node, reading);
	if (html_node_is(node, "img") || html_node_is(node, "source"))
		read_srcset(node, facts);
	if (html_node_is(node, "link") && html_node_attribute(node, "href").data != NULL)
		show(VIEW_LIT("link"), &facts->stripped);
	read_programs(node, facts);
	for (size_t i = 0; i < ARRAY_LEN(stripped_elements); i++) {
		if (html_node_is(node, stripped_elements[i]))
			show(view_of(stripped_elements[i]), &facts->stripped);
	}
}

/* What of the tree is no part of what is shown. */
static bool shows_nothing(const xmlNode *node)
{
	static const char *const names[] = { "style", "title", "script", "template" };
	bool shows = node->type == XML_ELEMENT_NODE || node->type == XML_TEXT_NODE;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		shows = shows && !html_node_is(node, names[i]);
	return !shows;
}

/* What a reader can put a finger on: text that is not blank, or an image that is more than a speck. */
static bool has_content(const xmlNode *node, unsigned depth, const struct html_sight *around)
{
	bool has = false;
	for (; node != NULL && !has && depth < DEPTH_MOST; node = node->next) {
		if (shows_nothing(node))
			continue;
		if (node->type == XML_TEXT_NODE) {
			has = html_sight_of_text(around) && html_sight_has_ink(view_of((const char *)node->content));
			continue;
		}
		struct html_sight sight = html_sight_below(around, node);
		has = (html_node_is(node, "img") && html_sight_of_image(&sight)) ||
		      has_content(node->children, depth + 1, &sight);
	}
	return has;
}

static uint64_t ways_of_text(const xmlNode *node, const struct html_sight *sight)
{
	bool is_seen = node->type == XML_TEXT_NODE && html_sight_of_text(sight);
	return is_seen ? way_out_seen(view_of((const char *)node->content)) : 0;
}

static uint64_t ways_of_link(const xmlNode *node, const struct html_sight *sight)
{
	bool is_link = html_node_is(node, "area") ? html_sight_of_image(sight)
						  : html_node_is(node, "a") && has_content(node->children, 0, sight);
	return is_link ? way_out_seen(html_node_attribute(node, "href")) : 0;
}

static void read_ways(const xmlNode *node, const struct html_sight *sight, struct reading *reading)
{
	if (node->type == XML_COMMENT_NODE) {
		struct view comment = view_of((const char *)node->content);
		bool is_for_outlook =
		    view_starts(comment, VIEW_LIT("[if ")) && !view_starts(comment, VIEW_LIT("[if !"));
		reading->has_way_in_outlook |= is_for_outlook && way_out_seen(comment) != 0;
	} else {
		uint64_t links = ways_of_link(node, sight);
		reading->links_out |= links;
		*(sight->is_gone_in_outlook ? &reading->ways_but_outlook : &reading->ways) |=
		    links | ways_of_text(node, sight);
	}
}

/* ---- markup that shows ---- */

/* "<b>", "</td>", "<br/>", "<a href=..." */
static bool is_tag(struct view text)
{
	static const char *const names[] = { "a",    "b",   "i",     "u",      "p",         "br",    "div",
					     "span", "img", "table", "tr",     "td",        "th",    "h1",
					     "h2",   "h3",  "h4",    "hr",     "ul",        "ol",    "li",
					     "font", "em",  "tbody", "center", "strong",    "style", "small",
					     "big",  "sup", "sub",   "strike", "blockquote" };
	struct view name = view_head(view_skip(text, view_starts(text, VIEW_LIT("</")) ? 2 : 1), SHOWN_OCTETS);
	size_t len = 0;
	while (len < name.len && name.data[len] != '>' && name.data[len] != ' ' && name.data[len] != '/' &&
	       name.data[len] != '\n')
		len++;
	bool is = false;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		is |= len < name.len && view_eq_nocase(view_head(name, len), view_of(names[i]));
	return is;
}

/* A reader sees what Markdown did not read: HTML that is not allowed, and a link whose address holds a blank. */
static void read_markup(struct view text, struct lint_html *facts)
{
	for (size_t at = 0; at < text.len; at++) {
		struct view rest = view_head(view_skip(text, at), SHOWN_OCTETS);
		struct view before = view_slice(text, at > SHOWN_OCTETS ? at - SHOWN_OCTETS : 0, at);
		if (rest.data[0] == '<' && is_tag(rest)) {
			size_t end = view_find_byte(rest, '>');
			show(view_head(rest, end == VIEW_NONE ? end : end + 1), &facts->markup);
		}
		if (!view_starts(rest, VIEW_LIT("](")) || view_find_last_byte(before, '[') == VIEW_NONE)
			continue;
		before = view_skip(before, view_find_last_byte(before, '['));
		show(view_from(before.data, before.len + 2), &facts->markup);
	}
}

static bool shows_code(const xmlNode *node)
{
	return html_node_is(node, "code") || html_node_is(node, "pre") || html_node_is(node, "kbd") ||
	       html_node_is(node, "samp");
}

static void read_text(struct view text, struct reading *reading)
{
	count_words(text, reading->facts);
	if (reading->code == 0)
		read_markup(text, reading->facts);
}

static void read_node(const xmlNode *node, unsigned depth, const struct html_sight *around, struct reading *reading)
{
	for (; node != NULL && depth < DEPTH_MOST; node = node->next) {
		bool is_element = node->type == XML_ELEMENT_NODE;
		struct html_sight sight = is_element ? html_sight_below(around, node) : *around;
		sight.is_gone |= shows_nothing(node);
		read_ways(node, &sight, reading);
		if (node->type == XML_TEXT_NODE && html_sight_of_text(&sight))
			read_text(view_of((const char *)node->content), reading);
		if (!is_element || html_node_is(node, "style") || html_node_is(node, "title"))
			continue;
		read_element(node, reading);
		reading->code += shows_code(node);
		read_node(node->children, depth + 1, &sight, reading);
		reading->code -= shows_code(node);
	}
}

enum { LISTS_COUNT = 7 };

static void list_all(struct lint_html *facts, struct buf *ret_bufs[LISTS_COUNT])
{
	struct lint_html_list *const lists[LISTS_COUNT] = { &facts->without_alt,     &facts->broken_images,
							    &facts->broken_links,    &facts->misleading_links,
							    &facts->shortened_links, &facts->stripped,
							    &facts->markup };
	for (size_t i = 0; i < LISTS_COUNT; i++)
		ret_bufs[i] = &lists[i]->shown;
}

enum err lint_html_read(struct view html, const struct attachment *files, size_t file_count,
			struct lint_html *ret_facts)
{
	struct buf *bufs[LISTS_COUNT];
	AUTO_BUF numbered = buf_with_ceiling(2 * LIMIT_TEMPLATE);
	*ret_facts = (struct lint_html){ 0 };
	list_all(ret_facts, bufs);
	for (size_t i = 0; i < LISTS_COUNT; i++)
		*bufs[i] = buf_with_ceiling(LIMIT_WHY);
	if (html.len == 0)
		return ERR_OK;
	if (html.len > LIMIT_TEMPLATE)
		return ERR_INVALID;
	enum err err = way_out_number(html, &numbered);
	if (err != ERR_OK)
		return err;
	htmlDocPtr document = htmlReadMemory(numbered.data, (int)numbered.len, NULL, "UTF-8",
					     HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
						 HTML_PARSE_NONET | HTML_PARSE_NODEFDTD);
	if (document == NULL)
		return ERR_INVALID;
	struct reading reading = { .facts = ret_facts, .files = files, .file_count = file_count };
	struct html_sight sight = html_sight_of_document(html);
	read_node(xmlDocGetRootElement(document), 0, &sight, &reading);
	if (reading.has_way_in_outlook)
		reading.ways |= reading.ways_but_outlook;
	ret_facts->has_way_out = way_out_for_all(html, reading.ways);
	ret_facts->has_link_out = way_out_for_all(html, reading.links_out);
	xmlFreeDoc(document);
	return ERR_OK;
}

void lint_html_done(struct lint_html *facts)
{
	struct buf *bufs[LISTS_COUNT];
	list_all(facts, bufs);
	for (size_t i = 0; i < LISTS_COUNT; i++)
		buf_done(bufs[i]);
}
