#define _GNU_SOURCE /* memmem, memrchr */
#include "base/view.h"

#include <string.h>
#include <strings.h>

#include <unistr.h>

struct view view_of(const char *text)
{
	return (struct view){ .data = text, .len = text == NULL ? 0 : strlen(text) };
}

bool view_eq(struct view a, struct view b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool view_eq_nocase(struct view a, struct view b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (lower(a.data[i]) != lower(b.data[i]))
			return false;
	}
	return true;
}

bool view_starts(struct view text, struct view start)
{
	return view_eq(view_head(text, start.len), start);
}

bool view_starts_nocase(struct view text, struct view start)
{
	return view_eq_nocase(view_head(text, start.len), start);
}

bool view_ends(struct view text, struct view end)
{
	return text.len >= end.len && view_eq(view_skip(text, text.len - end.len), end);
}

bool view_ends_nocase(struct view text, struct view end)
{
	return text.len >= end.len && view_eq_nocase(view_skip(text, text.len - end.len), end);
}

size_t view_find(struct view text, struct view what)
{
	if (what.len == 0)
		return 0;
	if (what.len > text.len)
		return VIEW_NONE;
	const char *at = memmem(text.data, text.len, what.data, what.len);
	return at == NULL ? VIEW_NONE : (size_t)(at - text.data);
}

size_t view_find_nocase(struct view text, struct view what)
{
	for (size_t i = 0; i + what.len <= text.len; i++) {
		if (view_eq_nocase(view_slice(text, i, i + what.len), what))
			return i;
	}
	return VIEW_NONE;
}

size_t view_find_byte(struct view text, char byte)
{
	const char *at = text.len == 0 ? NULL : memchr(text.data, byte, text.len);
	return at == NULL ? VIEW_NONE : (size_t)(at - text.data);
}

size_t view_find_last_byte(struct view text, char byte)
{
	const char *at = text.len == 0 ? NULL : memrchr(text.data, byte, text.len);
	return at == NULL ? VIEW_NONE : (size_t)(at - text.data);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct view view_trim(struct view text)
{
	while (text.len > 0 && is_space(text.data[0]))
		text = view_skip(text, 1);
	while (text.len > 0 && is_space(text.data[text.len - 1]))
		text.len--;
	return text;
}

bool view_cut(struct view *text, char separator, struct view *ret_head)
{
	if (text->len == 0)
		return false;
	size_t at = view_find_byte(*text, separator);
	*ret_head = view_head(*text, at);
	*text = at == VIEW_NONE ? view_skip(*text, text->len) : view_skip(*text, at + 1);
	return true;
}

bool view_cut_line(struct view *text, struct view *ret_line)
{
	struct view line;
	if (!view_cut(text, '\n', &line))
		return false;
	if (view_ends(line, VIEW_LIT("\r")))
		line.len--;
	*ret_line = line;
	return true;
}

bool view_to_u64(struct view text, uint64_t max, uint64_t *ret_number)
{
	uint64_t number = 0;
	if (text.len == 0)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		uint64_t digit = (uint64_t)(text.data[i] - '0');
		if (number > (UINT64_MAX - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	if (number > max)
		return false;
	*ret_number = number;
	return true;
}

/* How many octets at the front are ASCII; eight at a time, for most text is nothing else. */
static size_t ascii_run(struct view text)
{
	size_t run = 0;
	for (uint64_t word; run + sizeof(word) <= text.len; run += sizeof(word)) {
		memcpy(&word, text.data + run, sizeof(word));
		if ((word & UINT64_C(0x8080808080808080)) != 0)
			break;
	}
	while (run < text.len && (unsigned char)text.data[run] < 128)
		run++;
	return run;
}

bool view_is_utf8(struct view text)
{
	struct view rest = view_skip(text, ascii_run(text));
	return rest.len == 0 || u8_check((const uint8_t *)rest.data, rest.len) == NULL;
}

bool view_is_ascii(struct view text)
{
	return ascii_run(text) == text.len;
}

/* Some octet of eight is below SP, or is DEL: each becomes a high bit (others may besides, but only above one that is). */
static bool word_has_control(uint64_t word)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
	uint64_t no_del = word ^ (ones * 0x7f);
	return (((word - ones * 0x20) & ~word & highs) | ((no_del - ones) & ~no_del & highs)) != 0;
}

bool view_has_control(struct view text)
{
	size_t i = 0;
	for (uint64_t word; i + sizeof(word) <= text.len; i += sizeof(word)) {
		memcpy(&word, text.data + i, sizeof(word));
		if (word_has_control(word))
			return true;
	}
	for (; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if (c < 32 || c == 127)
			return true;
	}
	return false;
}
