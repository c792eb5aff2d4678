#include "mail/reference.h"

#include <assert.h>
#include <string.h>

enum {
	CHARACTER_MOST = 0x10ffff,
	DIGITS_MOST = 16, /* leading zeros included */
	FIRST_LATIN = 160,
	FIRST_WINDOWS = 128,
};

/* From U+00A0 on. */
static const char *const latin[] = {
	"nbsp",   "iexcl",  "cent",   "pound",  "curren", "yen",    "brvbar", "sect",   "uml",    "copy",   "ordf",
	"laquo",  "not",    "shy",    "reg",    "macr",   "deg",    "plusmn", "sup2",   "sup3",   "acute",  "micro",
	"para",   "middot", "cedil",  "sup1",   "ordm",   "raquo",  "frac14", "frac12", "frac34", "iquest", "Agrave",
	"Aacute", "Acirc",  "Atilde", "Auml",   "Aring",  "AElig",  "Ccedil", "Egrave", "Eacute", "Ecirc",  "Euml",
	"Igrave", "Iacute", "Icirc",  "Iuml",   "ETH",    "Ntilde", "Ograve", "Oacute", "Ocirc",  "Otilde", "Ouml",
	"times",  "Oslash", "Ugrave", "Uacute", "Ucirc",  "Uuml",   "Yacute", "THORN",  "szlig",  "agrave", "aacute",
	"acirc",  "atilde", "auml",   "aring",  "aelig",  "ccedil", "egrave", "eacute", "ecirc",  "euml",   "igrave",
	"iacute", "icirc",  "iuml",   "eth",    "ntilde", "ograve", "oacute", "ocirc",  "otilde", "ouml",   "divide",
	"oslash", "ugrave", "uacute", "ucirc",  "uuml",   "yacute", "thorn",  "yuml",
};
static_assert(ARRAY_LEN(latin) == 96, "U+00A0 to U+00FF");

static const struct {
	const char *name;
	uint32_t character;
} others[] = {
	{ "amp", '&' },       { "lt", '<' },       { "gt", '>' },        { "quot", '"' },      { "apos", '\'' },
	{ "Tab", '\t' },      { "NewLine", '\n' }, { "colon", ':' },     { "sol", '/' },       { "quest", '?' },
	{ "num", '#' },       { "period", '.' },   { "plus", '+' },      { "hyphen", 0x2010 }, { "semi", ';' },
	{ "equals", '=' },    { "commat", '@' },   { "percnt", '%' },    { "lowbar", '_' },    { "lcub", '{' },
	{ "lbrace", '{' },    { "rcub", '}' },     { "rbrace", '}' },    { "verbar", '|' },    { "vert", '|' },
	{ "OElig", 0x152 },   { "oelig", 0x153 },  { "Scaron", 0x160 },  { "scaron", 0x161 },  { "Yuml", 0x178 },
	{ "circ", 0x2c6 },    { "tilde", 0x2dc },  { "ensp", 0x2002 },   { "emsp", 0x2003 },   { "thinsp", 0x2009 },
	{ "zwnj", 0x200c },   { "zwj", 0x200d },   { "lrm", 0x200e },    { "rlm", 0x200f },    { "ndash", 0x2013 },
	{ "mdash", 0x2014 },  { "lsquo", 0x2018 }, { "rsquo", 0x2019 },  { "sbquo", 0x201a },  { "ldquo", 0x201c },
	{ "rdquo", 0x201d },  { "bdquo", 0x201e }, { "dagger", 0x2020 }, { "bull", 0x2022 },   { "hellip", 0x2026 },
	{ "permil", 0x2030 }, { "prime", 0x2032 }, { "lsaquo", 0x2039 }, { "rsaquo", 0x203a }, { "euro", 0x20ac },
	{ "trade", 0x2122 },  { "larr", 0x2190 },  { "uarr", 0x2191 },   { "rarr", 0x2192 },   { "darr", 0x2193 },
	{ "minus", 0x2212 },  { "ne", 0x2260 },    { "le", 0x2264 },     { "ge", 0x2265 },     { "hearts", 0x2665 },
	{ "lsqb", '[' },      { "lbrack", '[' },   { "rsqb", ']' },      { "rbrack", ']' },    { "ast", '*' },
};

static const uint16_t windows[] = {
	0x20ac, 0x81,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021, 0x2c6,  0x2030, 0x160,
	0x2039, 0x152,  0x8d,   0x17d,  0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
	0x2013, 0x2014, 0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0x9d,   0x17e,  0x178,
};
static_assert(ARRAY_LEN(windows) == FIRST_LATIN - FIRST_WINDOWS, "0x80 to 0x9f");

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind "&#". */
static size_t read_number(struct view text, uint32_t *ret_character)
{
	bool is_hexadecimal = text.len > 0 && (text.data[0] == 'x' || text.data[0] == 'X');
	int base = is_hexadecimal ? 16 : 10;
	size_t start = is_hexadecimal ? 1 : 0, len = start;
	uint32_t number = 0;
	while (len < text.len && digit_of(text.data[len]) >= 0 && digit_of(text.data[len]) < base) {
		number =
		    number > CHARACTER_MOST ? number : number * (uint32_t)base + (uint32_t)digit_of(text.data[len]);
		len++;
	}
	if (len == start || len - start > DIGITS_MOST || number > CHARACTER_MOST)
		return 0;
	if (number >= FIRST_WINDOWS && number < FIRST_LATIN)
		number = windows[number - FIRST_WINDOWS];
	*ret_character = number;
	return len < text.len && text.data[len] == ';' ? len + 1 : len;
}

static bool find_name(struct view name, uint32_t *ret_character)
{
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		if (!view_eq(name, view_of(others[i].name)))
			continue;
		*ret_character = others[i].character;
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(latin); i++) {
		if (!view_eq(name, view_of(latin[i])))
			continue;
		*ret_character = (uint32_t)(FIRST_LATIN + i);
		return true;
	}
	return false;
}

size_t reference_read(struct view text, uint32_t *ret_character)
{
	enum { NAME_MOST = 16 };
	if (view_starts(text, VIEW_LIT("&#"))) {
		size_t len = read_number(view_skip(text, 2), ret_character);
		return len == 0 ? 0 : len + 2;
	}
	if (!view_starts(text, VIEW_LIT("&")))
		return 0;
	struct view name = view_skip(text, 1);
	size_t end = view_find_byte(view_head(name, NAME_MOST), ';');
	return end != VIEW_NONE && find_name(view_head(name, end), ret_character) ? end + 2 : 0;
}

static void add_utf8(uint32_t character, struct buf *out)
{
	static const struct {
		uint32_t most;
		unsigned char lead;
		unsigned shift; /* of the first octet's bits */
	} lengths[] = { { 0x7f, 0, 0 }, { 0x7ff, 0xc0, 6 }, { 0xffff, 0xe0, 12 }, { CHARACTER_MOST, 0xf0, 18 } };
	size_t length = 0;
	while (character > lengths[length].most)
		length++;
	buf_add_byte(out, (char)(lengths[length].lead | character >> lengths[length].shift));
	for (unsigned shift = lengths[length].shift; shift > 0; shift -= 6)
		buf_add_byte(out, (char)(0x80 | (character >> (shift - 6) & 0x3f)));
}

static bool is_text(uint32_t character)
{
	bool is_control = character < ' ' || (character >= 0x7f && character < FIRST_LATIN);
	bool is_surrogate = character >= 0xd800 && character <= 0xdfff;
	return !is_control && !is_surrogate;
}

static bool is_kept(uint32_t character, const char *keep)
{
	return character < 0x80 && strchr(keep, (char)character) != NULL;
}

enum err reference_decode(struct view text, const char *keep, struct buf *out)
{
	for (size_t at = view_find_byte(text, '&'); at != VIEW_NONE; at = view_find_byte(text, '&')) {
		uint32_t character = 0;
		size_t len = reference_read(view_skip(text, at), &character);
		buf_add(out, view_head(text, at));
		if (len > 0 && is_text(character) && !is_kept(character, keep))
			add_utf8(character, out);
		else
			buf_add(out, view_slice(text, at, at + (len > 0 ? len : 1)));
		text = view_skip(text, at + (len > 0 ? len : 1));
	}
	return buf_add(out, text);
}
