#include "mail/html_text.h"

#include "base/limits.h"

static const char *const line_tags[] = { "br", "/p",  "p",   "/div", "div", "/tr", "/td", "/li",
					 "li", "/h1", "/h2", "/h3",  "hr",  "pre", "/pre" };

static const struct entity {
	const char *name, *text;
} entities[] = {
	{ "&lt;", "<" },     { "&gt;", ">" },     { "&amp;", "&" },    { "&quot;", "\"" },  { "&nbsp;", " " },
	{ "&#39;", "'" },    { "&#160;", " " },   { "&apos;", "'" },   { "&auml;", "ä" },   { "&ouml;", "ö" },
	{ "&uuml;", "ü" },   { "&szlig;", "ß" },  { "&eacute;", "é" }, { "&egrave;", "è" }, { "&agrave;", "à" },
	{ "&ccedil;", "ç" }, { "&ecirc;", "ê" },  { "&oacute;", "ó" }, { "&aacute;", "á" }, { "&iacute;", "í" },
	{ "&ntilde;", "ñ" }, { "&atilde;", "ã" }, { "&otilde;", "õ" }, { "&#64;", "@" },
};

/* From the start of the view to behind `end`; all of it when `end` does not come. */
static size_t length_through(struct view html, struct view end)
{
	size_t at = view_find_nocase(html, end);
	return at == VIEW_NONE ? html.len : at + end.len;
}

/* What stands between "<" and the end of its first word; of a longer one the beginning, so that "<<<<" costs nothing. */
static struct view tag_name(struct view tag)
{
	size_t len = 1;
	tag = view_head(tag, LIMIT_ADDRESS + 1);
	while (len < tag.len && tag.data[len] != '>' && tag.data[len] != ' ' && tag.data[len] != '\n' &&
	       tag.data[len] != '\t' && !(tag.data[len] == '/' && len > 1))
		len++;
	return view_slice(tag, 1, len);
}

static bool ends_line(struct view name)
{
	for (size_t i = 0; i < ARRAY_LEN(line_tags); i++) {
		if (view_eq_nocase(name, view_of(line_tags[i])))
			return true;
	}
	return false;
}

/* html begins with "<". Returns how long the markup is; 0 when it is none. */
static size_t take_markup(struct view html, struct buf *out)
{
	if (view_starts(html, VIEW_LIT("<!--")))
		return length_through(html, VIEW_LIT("-->"));
	struct view name = tag_name(html);
	if (view_eq_nocase(name, VIEW_LIT("style")))
		return length_through(html, VIEW_LIT("</style>"));
	if (view_eq_nocase(name, VIEW_LIT("script")))
		return length_through(html, VIEW_LIT("</script>"));
	char first = name.len > 0 ? name.data[0] : ' ';
	bool is_tag = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') || first == '/' ||
		      first == '!' || first == '?';
	/* "<a@example.org>" is no tag but an address that somebody did not escape. */
	if (!is_tag || view_find_byte(name, '@') != VIEW_NONE)
		return 0;
	if (ends_line(name))
		buf_add_byte(out, '\n');
	return length_through(html, VIEW_LIT(">"));
}

static size_t take_entity(struct view html, struct buf *out)
{
	for (size_t i = 0; i < ARRAY_LEN(entities); i++) {
		struct view name = view_of(entities[i].name);
		if (view_starts_nocase(html, name)) {
			buf_add(out, view_of(entities[i].text));
			return name.len;
		}
	}
	return 0;
}

void html_to_text(struct view html, struct buf *out)
{
	for (size_t i = 0; i < html.len;) {
		struct view rest = view_skip(html, i);
		char c = rest.data[0];
		size_t len = c == '<' ? take_markup(rest, out) : c == '&' ? take_entity(rest, out) : 0;
		if (len == 0) {
			buf_add_byte(out, c == '\r' || c == '\n' ? ' ' : c);
			len = 1;
		}
		i += len;
	}
}
