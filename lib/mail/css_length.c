#include "mail/css_length.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Without an exponent: nobody writes one. */
size_t css_number_read(struct view text, double *ret_number)
{
	bool is_negative = view_starts(text, VIEW_LIT("-"));
	size_t at = is_negative || view_starts(text, VIEW_LIT("+")) ? 1 : 0, digits = 0;
	double number = 0, place = 1;
	bool is_fraction = false;
	for (; at < text.len && (is_digit(text.data[at]) || (text.data[at] == '.' && !is_fraction)); at++) {
		if (text.data[at] == '.') {
			is_fraction = true;
			continue;
		}
		digits++;
		place = is_fraction ? place / 10 : place;
		number = is_fraction ? number + (text.data[at] - '0') * place : number * 10 + (text.data[at] - '0');
	}
	if (digits == 0)
		return 0;
	*ret_number = is_negative ? -number : number;
	return at;
}

bool css_length_read(struct view text, double *ret_pixels)
{
	static const struct {
		const char *unit;
		double pixels;
	} units[] = {
		{ "", 1 },     { "px", 1 },         { "pt", 96.0 / 72 }, { "pc", 16 }, { "in", 96 },
		{ "rem", 16 }, { "cm", 96 / 2.54 }, { "mm", 96 / 25.4 }, { "vw", 6 },  { "vmin", 6 },
	};
	double number;
	size_t len = css_number_read(text, &number);
	struct view unit = view_trim(view_skip(text, len));
	if (len == 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (!view_eq_nocase(unit, view_of(units[i].unit)))
			continue;
		*ret_pixels = number * units[i].pixels;
		return true;
	}
	if (number < 0 || number > 0)
		return false;
	*ret_pixels = 0; /* whatever it is relative to */
	return true;
}

bool css_cut_word(struct view *value, struct view *ret_word)
{
	size_t start = 0, depth = 0, end;
	while (start < value->len && (value->data[start] == ' ' || value->data[start] == ',' ||
				      value->data[start] == '\t' || value->data[start] == '\n'))
		start++;
	for (end = start; end < value->len; end++) {
		char c = value->data[end];
		if (depth == 0 && (c == ' ' || c == ',' || c == '\t' || c == '\n'))
			break;
		depth += c == '(';
		depth -= c == ')' && depth > 0;
	}
	*ret_word = view_slice(*value, start, end);
	*value = view_skip(*value, end);
	return ret_word->len > 0;
}
