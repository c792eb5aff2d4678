#include "listctl/json_text.h"

#include <string.h>

#include "mail/header.h"

/* A number of more than 308 digits before its dot is beyond what the letters' reader of attributes takes (a double): all of that person's
 * attributes would be lost to them. */
enum { DEPTH_MOST = 64, DIGITS_MOST = 1000, EXPONENT_MOST = 1000, MAGNITUDE_MOST = 300 };

struct reader {
	struct view all, rest;
	unsigned depth;
	const char *wrong;
};

static bool fail(struct reader *reader, const char *wrong)
{
	if (reader->wrong == NULL)
		reader->wrong = wrong;
	return false;
}

static void skip_blanks(struct reader *reader)
{
	while (reader->rest.len > 0 && memchr(" \t\r\n", reader->rest.data[0], 4) != NULL)
		reader->rest = view_skip(reader->rest, 1);
}

static bool take(struct reader *reader, char octet)
{
	if (reader->rest.len == 0 || reader->rest.data[0] != octet)
		return false;
	reader->rest = view_skip(reader->rest, 1);
	return true;
}

/* ---- numbers ---- */

static size_t take_digits(struct view *text)
{
	size_t count = 0;
	while (count < text->len && text->data[count] >= '0' && text->data[count] <= '9')
		count++;
	*text = view_skip(*text, count);
	return count;
}

/* True when a number stands at the front of *text, which it takes. */
static bool take_number(struct view *text)
{
	size_t all = text->len;
	if (text->len > 0 && text->data[0] == '-')
		*text = view_skip(*text, 1);
	bool zero = text->len > 0 && text->data[0] == '0';
	size_t whole = take_digits(text);
	if (whole == 0 || (zero && whole > 1))
		return false;
	if (text->len > 0 && text->data[0] == '.') {
		*text = view_skip(*text, 1);
		if (take_digits(text) == 0)
			return false;
	}
	if (all - text->len > DIGITS_MOST || whole > MAGNITUDE_MOST)
		return false;
	if (text->len == 0 || (text->data[0] != 'e' && text->data[0] != 'E'))
		return true;
	*text = view_skip(*text, 1);
	bool is_small = text->len > 0 && text->data[0] == '-';
	if (text->len > 0 && (text->data[0] == '-' || text->data[0] == '+'))
		*text = view_skip(*text, 1);
	uint64_t exponent;
	struct view digits = *text;
	size_t count = take_digits(text);
	return view_to_u64(view_head(digits, count), EXPONENT_MOST, &exponent) &&
	       (is_small || whole + exponent <= MAGNITUDE_MOST);
}

bool json_text_is_number(struct view text)
{
	return take_number(&text) && text.len == 0;
}

/* ---- strings ---- */

static bool read_hex(struct reader *reader, unsigned *ret_unit)
{
	unsigned unit = 0;
	for (size_t i = 0; i < 4; i++) {
		static const char digits[] = "0123456789abcdef0123456789ABCDEF";
		if (i >= reader->rest.len)
			return fail(reader, "an escape \\u lacks its four digits");
		const char *at = memchr(digits, reader->rest.data[i], sizeof(digits) - 1);
		if (at == NULL)
			return fail(reader, "an escape \\u lacks its four digits");
		unit = unit << 4 | (unsigned)((at - digits) & 15);
	}
	reader->rest = view_skip(reader->rest, 4);
	*ret_unit = unit;
	return true;
}

static bool read_unit(struct reader *reader)
{
	unsigned unit, low;
	if (!read_hex(reader, &unit))
		return false;
	if (unit == 0)
		return fail(reader, "it holds \\u0000");
	if (unit < 0xd800 || unit > 0xdfff)
		return true;
	if (unit > 0xdbff || !take(reader, '\\') || !take(reader, 'u') || !read_hex(reader, &low) || low < 0xdc00 ||
	    low > 0xdfff)
		return fail(reader, "it holds half a surrogate pair");
	return true;
}

static bool read_string(struct reader *reader)
{
	if (!take(reader, '"'))
		return fail(reader, "a string in double quotation marks is missing");
	for (;;) {
		if (reader->rest.len == 0)
			return fail(reader, "a string has no end");
		char octet = reader->rest.data[0];
		reader->rest = view_skip(reader->rest, 1);
		if (octet == '"')
			return true;
		if ((unsigned char)octet < 0x20 || octet == 0x7f)
			return fail(reader, "a string holds a control character");
		if (octet != '\\')
			continue;
		char escaped = reader->rest.len == 0 ? '\0' : reader->rest.data[0];
		reader->rest = view_skip(reader->rest, 1);
		if (escaped == 'u' ? !read_unit(reader) : memchr("\"\\/bfnrt", escaped, 8) == NULL)
			return fail(reader, "a string holds an escape that there is not");
	}
}

/* ---- values ---- */

static bool read_value(struct reader *reader);

static bool read_pair(struct reader *reader)
{
	if (!read_string(reader))
		return false;
	skip_blanks(reader);
	if (!take(reader, ':'))
		return fail(reader, "a colon is missing behind a name");
	return read_value(reader);
}

static bool read_series(struct reader *reader, char end, bool (*read_one)(struct reader *))
{
	if (++reader->depth > DEPTH_MOST)
		return fail(reader, "it is nested too deeply");
	skip_blanks(reader);
	if (take(reader, end)) {
		reader->depth--;
		return true;
	}
	do {
		skip_blanks(reader);
		if (!read_one(reader))
			return false;
		skip_blanks(reader);
	} while (take(reader, ','));
	reader->depth--;
	return take(reader, end) || fail(reader, "a comma or the closing bracket is missing");
}

static bool read_word(struct reader *reader)
{
	static const char *const words[] = { "true", "false", "null" };
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		struct view word = view_of(words[i]);
		if (view_starts(reader->rest, word)) {
			reader->rest = view_skip(reader->rest, word.len);
			return true;
		}
	}
	return fail(reader, "a value is missing");
}

static bool read_value(struct reader *reader)
{
	skip_blanks(reader);
	char first = reader->rest.len == 0 ? '\0' : reader->rest.data[0];
	if (first == '"')
		return read_string(reader);
	if (take(reader, '{'))
		return read_series(reader, '}', read_pair);
	if (take(reader, '['))
		return read_series(reader, ']', read_value);
	if (first == '-' || (first >= '0' && first <= '9'))
		return take_number(&reader->rest) || fail(reader, "a number is none, or out of range");
	return read_word(reader);
}

bool json_text_check(struct view text, struct buf *why)
{
	struct reader reader = { .all = text, .rest = text };
	bool is_good = read_value(&reader);
	skip_blanks(&reader);
	if (is_good && reader.rest.len > 0)
		is_good = fail(&reader, "something stands behind its end");
	if (!is_good)
		buf_addf(why, "%s at character %zu", reader.wrong, text.len - reader.rest.len + 1);
	return is_good;
}

/* ---- what a letter cannot show ---- */

static bool is_hex_control(struct view digits)
{
	unsigned unit = 0;
	for (size_t i = 0; i < digits.len; i++) {
		static const char hex[] = "0123456789abcdef0123456789ABCDEF";
		const char *at = memchr(hex, digits.data[i], sizeof(hex) - 1);
		unit = unit << 4 | (at == NULL ? 0 : (unsigned)((at - hex) & 15));
	}
	return (unit < 0x20 && unit != '\t' && unit != '\r' && unit != '\n') || (unit >= 0x7f && unit <= 0x9f) ||
	       unit == 0x2028 || unit == 0x2029;
}

/* A string in JSON by its text there, whose escapes may hide it. */
static bool string_has_control(struct view text)
{
	for (size_t at; (at = view_find_byte(text, '\\')) != VIEW_NONE; text = view_skip(text, at + 2)) {
		char escaped = at + 1 < text.len ? text.data[at + 1] : '\0';
		if (memchr("bf", escaped, 2) != NULL ||
		    (escaped == 'u' && is_hex_control(view_slice(text, at + 2, at + 6))))
			return true;
	}
	return false;
}

bool json_text_hides_control(struct view value)
{
	return view_starts(value, VIEW_LIT("\"")) && (string_has_control(value) || !header_takes_lines(value));
}
