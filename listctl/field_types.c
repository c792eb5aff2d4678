#include "listctl/field_types.h"

#include <assert.h>
#include <string.h>

#include "listctl/json_text.h"
#include "listctl/output.h"

enum { NUMBER_SIZE = 1100, GROUP = 3 };

static const char *const names[] = {
	[FIELD_TEXT] = "text", [FIELD_NUMBER] = "number", [FIELD_BOOLEAN] = "boolean",
	[FIELD_DATE] = "date", [FIELD_JSON] = "json",     [FIELD_TAGS] = "tags",
};
static_assert(ARRAY_LEN(names) == FIELD_TYPE_COUNT, "one name a type");

bool field_type_from_name(struct view name, enum field_type *ret_type)
{
	for (enum field_type type = 0; type < FIELD_TYPE_COUNT; type++) {
		if (view_eq_nocase(name, view_of(names[type]))) {
			*ret_type = type;
			return true;
		}
	}
	return false;
}

const char *field_type_name(enum field_type type)
{
	return names[type];
}

struct view field_type_cut(struct view header, enum field_type *ret_type)
{
	size_t at = view_find_last_byte(header, ':');
	if (at == VIEW_NONE || at == 0 || !field_type_from_name(view_trim(view_skip(header, at + 1)), ret_type))
		return header;
	return view_head(header, at);
}

static bool refuse(struct buf *why, const char *what)
{
	buf_add(why, view_of(what));
	return false;
}

/* ---- numbers ---- */

static bool is_digit(char octet)
{
	return octet >= '0' && octet <= '9';
}

/* Blanks of a kind that stands between thousands: SP, U+00A0, U+202F. 0: none is there. */
static size_t blank_size(struct view text)
{
	if (view_starts(text, VIEW_LIT(" ")) || view_starts(text, VIEW_LIT("'")))
		return 1;
	if (view_starts(text, VIEW_LIT("\xc2\xa0")))
		return 2;
	return view_starts(text, VIEW_LIT("\xe2\x80\xaf")) ? 3 : 0;
}

/* The digits without their blanks, which must part thousands. */
static bool without_blanks(struct view text, struct buf *out)
{
	size_t run = 0;
	bool is_parted = false;
	while (text.len > 0) {
		size_t size = blank_size(text);
		if (size > 0) {
			if (run == 0 || run > GROUP || (is_parted && run != GROUP))
				return false;
			is_parted = true;
			run = 0;
			text = view_skip(text, size);
			continue;
		}
		if (!is_digit(text.data[0])) {
			if (is_parted && run != GROUP)
				return false;
			is_parted = false;
			run = 0;
		} else {
			run++;
		}
		buf_add_byte(out, text.data[0]);
		text = view_skip(text, 1);
	}
	return !is_parted || run == GROUP;
}

/* Whether this mark stands where thousands are parted: 1 to 3 digits in front, then groups of 3 up to its end. */
static bool parts_thousands(struct view whole, char mark)
{
	struct view group;
	bool is_first = true;
	while (view_cut(&whole, mark, &group)) {
		if (is_first ? group.len < 1 || group.len > GROUP : group.len != GROUP)
			return false;
		for (size_t i = 0; i < group.len; i++) {
			if (!is_digit(group.data[i]))
				return false;
		}
		is_first = false;
	}
	return true;
}

static size_t count_of(struct view text, char octet)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++)
		count += text.data[i] == octet;
	return count;
}

/* Which mark is the decimal one; '\0' for none. False: it cannot be told. */
static bool find_decimal_mark(struct view text, char *ret_decimal, struct buf *why)
{
	size_t dots = count_of(text, '.'), commas = count_of(text, ',');
	size_t dot = view_find_last_byte(text, '.'), comma = view_find_last_byte(text, ',');
	static const char *const none = "it is no number; write it as 1234.50";
	*ret_decimal = '\0';
	if (dots + commas == 0)
		return true;
	if (dots > 0 && commas > 0) {
		*ret_decimal = dot > comma ? '.' : ',';
		char thousands = dot > comma ? ',' : '.';
		size_t at = dot > comma ? dot : comma;
		if (count_of(text, *ret_decimal) != 1 || !parts_thousands(view_head(text, at), thousands))
			return refuse(why, none);
		return true;
	}
	if (dots > 1 || commas > 1)
		return parts_thousands(text, dots > 1 ? '.' : ',') || refuse(why, none);
	if (dots == 1 || !parts_thousands(text, ',') || text.data[0] == '0') {
		*ret_decimal = dots == 1 ? '.' : ',';
		return true;
	}
	return refuse(why, "its comma may part thousands or be the decimal mark; write 1234 or 1.234 instead");
}

/* As JSON writes it: no +, no leading zeros, a digit on both sides of the dot. */
static void add_plain(struct view text, char decimal, bool is_negative, struct buf *out)
{
	struct view whole = text, rest = { 0 };
	size_t at = decimal == '\0' ? VIEW_NONE : view_find_last_byte(text, decimal);
	size_t exponent = view_find_byte(text, 'e');
	if (at == VIEW_NONE)
		at = exponent == VIEW_NONE ? text.len : exponent;
	whole = view_head(text, at);
	rest = view_skip(text, at);
	if (is_negative)
		buf_add_byte(out, '-');
	size_t digits = 0;
	for (size_t i = 0; i < whole.len; i++) {
		if (!is_digit(whole.data[i]) || (digits == 0 && whole.data[i] == '0'))
			continue;
		buf_add_byte(out, whole.data[i]);
		digits++;
	}
	if (digits == 0)
		buf_add_byte(out, '0');
	if (rest.len > 0 && decimal != '\0' && rest.data[0] == decimal) {
		rest = view_skip(rest, 1);
		buf_add_byte(out, '.');
		if (rest.len == 0 || !is_digit(rest.data[0]))
			buf_add_byte(out, '0');
	}
	buf_add(out, rest);
}

/* Digits and marks, one digit at least. */
static bool is_mantissa(struct view text)
{
	size_t digits = 0;
	for (size_t i = 0; i < text.len; i++)
		digits += is_digit(text.data[i]);
	return digits > 0 && digits + count_of(text, '.') + count_of(text, ',') == text.len;
}

static bool add_number(struct view text, struct buf *out, struct buf *why)
{
	static const char *const none = "it is no number; write it as 1234.50";
	AUTO_BUF digits = buf_with_ceiling(NUMBER_SIZE);
	size_t before = out->len;
	bool is_negative = view_starts(text, VIEW_LIT("-"));
	if (is_negative || view_starts(text, VIEW_LIT("+")))
		text = view_skip(text, 1);
	char decimal;
	if (text.len == 0 || text.len > NUMBER_SIZE || !(is_digit(text.data[0]) || memchr(".,", text.data[0], 2)) ||
	    !without_blanks(text, &digits))
		return refuse(why, none);
	for (size_t i = 0; i < digits.len; i++) {
		if (digits.data[i] == 'E')
			digits.data[i] = 'e';
	}
	struct view all = buf_view(&digits);
	struct view mantissa = view_head(all, view_find_byte(all, 'e'));
	if (!is_mantissa(mantissa))
		return refuse(why, none);
	if (!find_decimal_mark(mantissa, &decimal, why))
		return false;
	add_plain(all, decimal, is_negative, out);
	return json_text_is_number(view_skip(buf_view(out), before)) || refuse(why, none);
}

/* ---- booleans ---- */

static bool add_boolean(struct view text, struct buf *out, struct buf *why)
{
	static const char *const yes[] = { "true", "yes",  "y",  "t",         "1",  "on",    "x",   "ja",  "wahr",
					   "oui",  "vrai", "si", "s\xc3\xad", "ya", "benar", "sim", "vero" };
	static const char *const no[] = { "false", "no",   "n",     "f",     "0",     "off", "nein", "falsch",
					  "non",   "faux", "falso", "tidak", "salah", "nee", "nao",  "n\xc3\xa3o" };
	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (view_eq_nocase(text, view_of(yes[i])))
			return buf_add(out, VIEW_LIT("true")) == ERR_OK;
	}
	for (size_t i = 0; i < ARRAY_LEN(no); i++) {
		if (view_eq_nocase(text, view_of(no[i])))
			return buf_add(out, VIEW_LIT("false")) == ERR_OK;
	}
	return refuse(why, "it is neither true nor false; write yes or no");
}

/* ---- dates, JSON, tags ---- */

static bool add_date(struct view text, enum date_order order, struct buf *out, struct buf *why)
{
	struct field_date date;
	if (!field_date_read(text, order, &date, why))
		return false;
	buf_add_byte(out, '"');
	field_date_write(&date, out);
	buf_add_byte(out, '"');
	return true;
}

/* Without the blanks between its pieces. */
static bool add_json(struct view text, struct buf *out, struct buf *why)
{
	AUTO_BUF wrong = buf_with_ceiling(256);
	if (!json_text_check(text, &wrong)) {
		buf_addf(why, "it is no JSON: %s", buf_text(&wrong));
		return false;
	}
	bool in_string = false;
	for (size_t i = 0; i < text.len; i++) {
		char octet = text.data[i];
		if (octet == '"')
			in_string = !in_string;
		else if (octet == '\\' && in_string)
			buf_add_byte(out, text.data[i++]);
		else if (!in_string && memchr(" \t\r\n", octet, 4) != NULL)
			continue;
		buf_add_byte(out, text.data[i]);
	}
	return true;
}

/* The next tag; a comma between quotation marks parts nothing. */
static bool cut_tag(struct view *text, struct view *ret_tag)
{
	bool in_quotes = false;
	size_t at = 0;
	for (; at < text->len && (in_quotes || text->data[at] != ','); at++)
		in_quotes ^= text->data[at] == '"';
	bool is_any = text->len > 0;
	*ret_tag = view_trim(view_head(*text, at));
	*text = view_skip(*text, at + 1);
	return is_any;
}

static void add_tags(struct view text, struct buf *out)
{
	struct view tag;
	bool is_first = true;
	buf_add_byte(out, '[');
	while (cut_tag(&text, &tag)) {
		if (tag.len >= 2 && tag.data[0] == '"' && tag.data[tag.len - 1] == '"')
			tag = view_slice(tag, 1, tag.len - 1);
		if (tag.len == 0)
			continue;
		if (!is_first)
			buf_add_byte(out, ',');
		output_json_string(out, tag);
		is_first = false;
	}
	buf_add_byte(out, ']');
}

bool field_type_add(enum field_type type, enum date_order order, struct view text, struct buf *out, struct buf *why)
{
	if (type == FIELD_TEXT) {
		output_json_string(out, text);
		return true;
	}
	text = view_trim(text);
	if (text.len == 0)
		return true;
	switch (type) {
	case FIELD_NUMBER:
		return add_number(text, out, why);
	case FIELD_BOOLEAN:
		return add_boolean(text, out, why);
	case FIELD_DATE:
		return add_date(text, order, out, why);
	case FIELD_JSON:
		return add_json(text, out, why);
	case FIELD_TAGS:
		add_tags(text, out);
		return true;
	case FIELD_TEXT:
	case FIELD_TYPE_COUNT:
		break;
	}
	return true;
}
