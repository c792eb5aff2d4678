#include "mail/slot_private.h"

#include <assert.h>
#include <string.h>

/* ---- what becomes of a value ---- */

static const char *const references[256] = {
	['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;",
};

#define BIT(escape) (1U << (escape))
#define LINKS (BIT(ESCAPE_LINK) | BIT(ESCAPE_PART) | BIT(ESCAPE_ADDRESS) | TAILS)
#define TAILS (BIT(ESCAPE_TAIL) | BIT(ESCAPE_LATE_TAIL) | BIT(ESCAPE_PLAIN_TAIL))
/* RFC 3986 section 2.2, and the % of what is encoded already. */
#define DIVIDERS (BIT(ESCAPE_LINK) | TAILS)

/* In which of them a character stands for itself; letters and digits do in all. */
static const unsigned kept_in[256] = {
	['-'] = LINKS | BIT(ESCAPE_STYLE),
	['.'] = LINKS | BIT(ESCAPE_STYLE),
	['_'] = LINKS | BIT(ESCAPE_STYLE),
	['~'] = LINKS,
	['@'] = DIVIDERS | BIT(ESCAPE_ADDRESS),
	[':'] = DIVIDERS & ~BIT(ESCAPE_LATE_TAIL),
	['/'] = DIVIDERS,
	['?'] = DIVIDERS,
	['#'] = DIVIDERS | BIT(ESCAPE_STYLE),
	['['] = DIVIDERS,
	[']'] = DIVIDERS,
	['!'] = DIVIDERS,
	['$'] = DIVIDERS,
	['&'] = BIT(ESCAPE_PLAIN_TAIL),
	['('] = DIVIDERS,
	[')'] = DIVIDERS,
	['*'] = DIVIDERS,
	['+'] = DIVIDERS | BIT(ESCAPE_STYLE),
	[','] = DIVIDERS | BIT(ESCAPE_STYLE),
	[';'] = DIVIDERS,
	['='] = DIVIDERS,
	['%'] = DIVIDERS | BIT(ESCAPE_STYLE),
	[' '] = BIT(ESCAPE_STYLE),
};

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_kept(enum slot_escape escape, char c)
{
	return is_alphanumeric(c) || (kept_in[(unsigned char)c] >> escape & 1) != 0;
}

/* The value itself when nothing in it is to be replaced, else scratch. */
static struct view refer(struct view value, struct buf *scratch)
{
	size_t done = 0;
	buf_reset(scratch);
	for (size_t i = 0; i < value.len; i++) {
		const char *reference = references[(unsigned char)value.data[i]];
		if (reference == NULL)
			continue;
		buf_add(scratch, view_slice(value, done, i));
		buf_add(scratch, view_of(reference));
		done = i + 1;
	}
	if (done == 0)
		return value;
	buf_add(scratch, view_skip(value, done));
	return buf_view(scratch);
}

static void add_encoded(enum slot_escape escape, char c, struct buf *out)
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned char octet = (unsigned char)c;
	const char encoded[] = { '%', digits[octet >> 4], digits[octet & 15] };
	bool divides = c == '&' && (BIT(escape) & DIVIDERS) != 0;
	buf_add(out, divides ? view_of(references['&']) : view_from(encoded, sizeof(encoded)));
}

static struct view encode(enum slot_escape escape, struct view value, struct buf *scratch)
{
	size_t done = 0;
	buf_reset(scratch);
	for (size_t i = 0; i < value.len; i++) {
		if (is_kept(escape, value.data[i]))
			continue;
		buf_add(scratch, view_slice(value, done, i));
		add_encoded(escape, value.data[i], scratch);
		done = i + 1;
	}
	if (done == 0)
		return value;
	buf_add(scratch, view_skip(value, done));
	return buf_view(scratch);
}

static bool is_link(struct view value)
{
	static const char *const starts[] = { "https://", "http://", "mailto:" };
	bool is = value.len == 0;
	for (size_t i = 0; i < ARRAY_LEN(starts); i++)
		is |= view_starts_nocase(value, view_of(starts[i]));
	return is;
}

static bool is_style(struct view value)
{
	bool is = true;
	for (size_t i = 0; i < value.len; i++)
		is &= is_kept(ESCAPE_STYLE, value.data[i]);
	return is;
}

enum err slot_escape_value(enum slot_escape escape, struct view value, struct buf *scratch, struct view *ret_text,
			   const char **ret_wish)
{
	if (escape == ESCAPE_NOTHING) {
		*ret_text = value;
		return ERR_OK;
	}
	if (escape == ESCAPE_HTML) {
		*ret_text = refer(value, scratch);
		return buf_err(scratch);
	}
	if (escape == ESCAPE_STYLE) {
		*ret_wish = "in style=\"\" there may be letters, digits, blanks and # % . , + - _ only";
		*ret_text = value;
		return is_style(value) ? ERR_OK : ERR_INVALID;
	}
	value = escape == ESCAPE_LINK ? view_trim(value) : value;
	if (escape == ESCAPE_LINK && !is_link(value)) {
		*ret_wish = "it begins a link, and that takes https://, http:// or mailto:";
		return ERR_INVALID;
	}
	*ret_text = encode(escape, value, scratch);
	return buf_err(scratch);
}

/* ---- names ---- */

void slot_name_begin(struct slot_place *place)
{
	place->name_len = 0;
	place->has_field = false;
}

void slot_name_add(struct slot_place *place, char c)
{
	if (place->name_len == sizeof(place->name))
		return;
	place->name[place->name_len++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool slot_name_is(const struct slot_place *place, const char *name)
{
	return view_eq(view_from(place->name, place->name_len), view_of(name));
}

/* ---- links in plain text ---- */

static size_t link_start(struct view text)
{
	static const char *const starts[] = { "https://", "http://", "mailto:" };
	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		if (view_starts_nocase(text, view_of(starts[i])))
			return view_of(starts[i]).len;
	}
	return 0;
}

static bool ends_link(const struct slot_place *place, char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '<' || c == '>' || c == '"' ||
	       (c == ')' && place->was_bracketed);
}

static void read_text(struct slot_place *place, struct view text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		struct view rest = view_skip(text, i);
		size_t start = place->link == 0 && !is_alphanumeric(place->before) ? link_start(rest) : 0;
		if (start > 0) {
			place->link = rest.data[start - 1] == ':' ? LINK_ADDRESS : LINK_REST;
			place->was_bracketed = place->before == '(';
			i += start - 1;
		} else if (ends_link(place, c)) {
			place->link = 0;
		}
		place->before = text.data[i];
	}
}

static enum slot_escape text_escape(const struct slot_place *place, enum slot_value value)
{
	if (place->link == 0)
		return ESCAPE_NOTHING;
	if (value == SLOT_VALUE_AS_IS)
		return ESCAPE_PLAIN_TAIL;
	return place->link == LINK_ADDRESS ? ESCAPE_ADDRESS : ESCAPE_PART;
}

/* ---- the languages ---- */

struct slot_place slot_start(enum slot_language language)
{
	return (struct slot_place){ .language = language };
}

bool slot_read(struct slot_place *place, struct view text, size_t *ret_at, const char **ret_why)
{
	if (place->language == SLOT_TEXT)
		read_text(place, text);
	if (place->language != SLOT_HTML)
		return true;
	const char *why = NULL;
	place->is_cut = false;
	for (size_t at = 0, len; at < text.len; at += len) {
		len = slot_html_read(place, view_skip(text, at), &why);
		if (why == NULL)
			continue;
		*ret_at = at;
		*ret_why = why;
		return false;
	}
	return true;
}

bool slot_field(struct slot_place *place, enum slot_value value, enum slot_escape *ret_escape, const char **ret_why)
{
	if (place->language == SLOT_HTML)
		return slot_html_field(place, value, ret_escape, ret_why);
	if (value == SLOT_VALUE_LINK && place->link != 0) {
		*ret_why = NOT_ALONE;
		return false;
	}
	*ret_escape = place->language == SLOT_TEXT ? text_escape(place, value) : ESCAPE_NOTHING;
	place->before = 'x';
	return true;
}

bool slot_section(struct slot_place *place, const char **ret_why)
{
	return place->language != SLOT_HTML || slot_html_section(place, ret_why);
}

bool slot_takes_html(const struct slot_place *place)
{
	return place->language == SLOT_HTML && slot_html_takes_html(place);
}

bool slot_join(const struct slot_place *one, const struct slot_place *other, struct slot_place *ret_place)
{
	if (one->language == SLOT_HTML)
		return slot_html_join(one, other, ret_place);
	struct slot_place place = *other;
	if (one->link == 0)
		place.link = 0;
	*ret_place = place;
	return true;
}
