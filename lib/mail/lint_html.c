#include "mail/lint_html.h"

#include <libxml/HTMLparser.h>
#include <string.h>

#include "base/limits.h"
#include "mail/clean_text.h"

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

static bool is_named(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

/* Borrowed from the document; data NULL: it has none. */
static struct view attribute_of(const xmlNode *node, const char *name)
{
	for (const xmlAttr *attribute = node->properties; attribute != NULL; attribute = attribute->next) {
		if (strcmp((const char *)attribute->name, name) == 0)
			return attribute->children == NULL ? VIEW_LIT("")
							   : view_of((const char *)attribute->children->content);
	}
	return (struct view){ 0 };
}

/* Two quotation marks each, and none within: that is how many there are. */
static void show(struct view text, struct buf *out)
{
	size_t shown = 0;
	for (size_t i = 0; i < out->len; i++)
		shown += out->data[i] == '"';
	if (shown >= 2 * (size_t)LINT_HTML_SHOWN)
		return;
	if (out->len > 0)
		buf_add(out, VIEW_LIT(", "));
	AUTO_BUF clean = buf_with_ceiling(LIMIT_WHY);
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
	if (!fill_tags(text, &filled))
		return false;
	text = buf_view(&filled);
	if (view_starts_nocase(text, VIEW_LIT("https://")) || view_starts_nocase(text, VIEW_LIT("http://"))) {
		struct view host = host_of(text);
		/* A tag may be the whole host. */
		return is_host(host) || (view_eq(host, VIEW_LIT("x")) && view_find(url, VIEW_LIT("{{")) != VIEW_NONE);
	}
	if (view_starts_nocase(text, VIEW_LIT("mailto:")))
		return view_find_byte(text, '@') != VIEW_NONE || view_find(url, VIEW_LIT("{{")) != VIEW_NONE;
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
	struct view url = attribute_of(node, "href");
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

static bool is_image_source(struct view source)
{
	struct view text = view_trim(source);
	return view_starts(text, VIEW_LIT("{{")) || (view_starts_nocase(text, VIEW_LIT("cid:")) && text.len > 4) ||
	       (view_starts_nocase(text, VIEW_LIT("http")) && lint_html_is_link(text));
}

static void read_image(const xmlNode *node, struct lint_html *facts)
{
	struct view source = attribute_of(node, "src");
	facts->images++;
	if (attribute_of(node, "alt").data == NULL)
		show(source, &facts->without_alt);
	if (!is_image_source(source))
		show(source, &facts->broken_images);
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

static void read_element(const xmlNode *node, struct lint_html *facts)
{
	if (is_named(node, "a") || is_named(node, "area"))
		read_link(node, facts);
	if (is_named(node, "img"))
		read_image(node, facts);
	if (is_named(node, "link") && attribute_of(node, "href").data != NULL)
		show(VIEW_LIT("link"), &facts->stripped);
	for (size_t i = 0; i < ARRAY_LEN(stripped_elements); i++) {
		if (is_named(node, stripped_elements[i]))
			show(view_of(stripped_elements[i]), &facts->stripped);
	}
}

static void read_node(const xmlNode *node, unsigned depth, struct lint_html *facts)
{
	for (; node != NULL && depth < DEPTH_MOST; node = node->next) {
		if (node->type == XML_TEXT_NODE)
			count_words(view_of((const char *)node->content), facts);
		if (node->type != XML_ELEMENT_NODE || is_named(node, "style") || is_named(node, "title"))
			continue;
		read_element(node, facts);
		read_node(node->children, depth + 1, facts);
	}
}

enum err lint_html_read(struct view html, struct lint_html *ret_facts)
{
	struct buf *const bufs[] = { &ret_facts->without_alt,     &ret_facts->broken_images,
				     &ret_facts->broken_links,    &ret_facts->misleading_links,
				     &ret_facts->shortened_links, &ret_facts->stripped };
	*ret_facts = (struct lint_html){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
		*bufs[i] = buf_with_ceiling(LIMIT_WHY);
	if (html.len == 0)
		return ERR_OK;
	if (html.len > LIMIT_TEMPLATE)
		return ERR_INVALID;
	htmlDocPtr document = htmlReadMemory(html.data, (int)html.len, NULL, "UTF-8",
					     HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
						 HTML_PARSE_NONET | HTML_PARSE_NODEFDTD);
	if (document == NULL)
		return ERR_INVALID;
	read_node(xmlDocGetRootElement(document), 0, ret_facts);
	xmlFreeDoc(document);
	return ERR_OK;
}

void lint_html_done(struct lint_html *facts)
{
	buf_done(&facts->without_alt);
	buf_done(&facts->broken_images);
	buf_done(&facts->broken_links);
	buf_done(&facts->misleading_links);
	buf_done(&facts->shortened_links);
	buf_done(&facts->stripped);
}
