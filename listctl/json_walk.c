#include "listctl/json_walk.h"

#include <stdint.h>
#include <string.h>

/* object = "{" [ member *( "," member ) ] "}"; member = string ":" value, with blanks between (RFC 8259 section 4). */

struct json_walk json_walk_of(struct view object)
{
	return (struct json_walk){ .rest = object };
}

static void skip_blanks(struct view *rest)
{
	while (rest->len > 0 && memchr(" \t\r\n", rest->data[0], 4) != NULL)
		*rest = view_skip(*rest, 1);
}

static bool take_byte(struct view *rest, char byte)
{
	skip_blanks(rest);
	if (rest->len == 0 || rest->data[0] != byte)
		return false;
	*rest = view_skip(*rest, 1);
	return true;
}

/* What stands between the quotation marks; false when there are none. */
static bool take_string(struct view *rest, struct view *ret_raw)
{
	if (!take_byte(rest, '"'))
		return false;
	for (size_t i = 0; i < rest->len; i++) {
		if (rest->data[i] == '\\') {
			i++;
		} else if (rest->data[i] == '"') {
			*ret_raw = view_head(*rest, i);
			*rest = view_skip(*rest, i + 1);
			return true;
		}
	}
	return false;
}

/* An object or an array with all that is in it: brackets that stand in texts do not count. */
static bool take_tree(struct view *rest, struct view *ret_tree)
{
	size_t depth = 0;
	bool in_text = false;
	for (size_t i = 0; i < rest->len; i++) {
		char byte = rest->data[i];
		if (in_text) {
			i += byte == '\\';
			in_text = byte != '"';
			continue;
		}
		in_text = byte == '"';
		depth += byte == '{' || byte == '[';
		if ((byte == '}' || byte == ']') && --depth == 0) {
			*ret_tree = view_head(*rest, i + 1);
			*rest = view_skip(*rest, i + 1);
			return true;
		}
	}
	return false;
}

static bool take_word(struct view *rest, struct json_member *member)
{
	size_t len = 0;
	while (len < rest->len && memchr(",} \t\r\n", rest->data[len], 6) == NULL)
		len++;
	member->value = view_head(*rest, len);
	*rest = view_skip(*rest, len);
	if (view_eq(member->value, VIEW_LIT("null")))
		member->kind = JSON_KIND_NULL;
	else if (view_eq(member->value, VIEW_LIT("true")) || view_eq(member->value, VIEW_LIT("false")))
		member->kind = JSON_KIND_BOOLEAN;
	else
		member->kind = JSON_KIND_NUMBER;
	return len > 0 &&
	       (member->kind != JSON_KIND_NUMBER || memchr("-0123456789", member->value.data[0], 11) != NULL);
}

static bool take_value(struct view *rest, struct json_member *member)
{
	skip_blanks(rest);
	if (rest->len == 0)
		return false;
	switch (rest->data[0]) {
	case '"':
		member->kind = JSON_KIND_TEXT;
		return take_string(rest, &member->value);
	case '{':
	case '[':
		member->kind = JSON_KIND_TREE;
		return take_tree(rest, &member->value);
	default:
		return take_word(rest, member);
	}
}

bool json_walk_next(struct json_walk *walk, struct json_member *ret_member)
{
	struct json_member member;
	if (walk->is_done || walk->is_broken)
		return false;
	bool is_first = !walk->is_begun;
	walk->is_begun = true;
	if (is_first && !take_byte(&walk->rest, '{')) {
		walk->is_broken = true;
		return false;
	}
	if (take_byte(&walk->rest, '}')) {
		walk->is_done = true;
		return false;
	}
	if ((!is_first && !take_byte(&walk->rest, ',')) || !take_string(&walk->rest, &member.name) ||
	    !take_byte(&walk->rest, ':') || !take_value(&walk->rest, &member)) {
		walk->is_broken = true;
		return false;
	}
	*ret_member = member;
	return true;
}

/* ---- texts ---- */

static bool take_hex(struct view *rest, uint32_t *ret_unit)
{
	uint32_t unit = 0;
	for (size_t i = 0; i < 4; i++) {
		char byte = i < rest->len ? rest->data[i] : '\0';
		uint32_t digit = byte >= '0' && byte <= '9'   ? (uint32_t)(byte - '0')
				 : byte >= 'a' && byte <= 'f' ? (uint32_t)(byte - 'a') + 10
				 : byte >= 'A' && byte <= 'F' ? (uint32_t)(byte - 'A') + 10
							      : 16;
		if (digit == 16)
			return false;
		unit = unit << 4 | digit;
	}
	*rest = view_skip(*rest, 4);
	*ret_unit = unit;
	return true;
}

/* RFC 3629 section 3. */
static void add_character(struct buf *text, uint32_t point)
{
	if (point < 0x80) {
		buf_add_byte(text, (char)point);
		return;
	}
	if (point < 0x800) {
		buf_add_byte(text, (char)(0xc0 | point >> 6));
	} else {
		if (point < 0x10000) {
			buf_add_byte(text, (char)(0xe0 | point >> 12));
		} else {
			buf_add_byte(text, (char)(0xf0 | point >> 18));
			buf_add_byte(text, (char)(0x80 | (point >> 12 & 0x3f)));
		}
		buf_add_byte(text, (char)(0x80 | (point >> 6 & 0x3f)));
	}
	buf_add_byte(text, (char)(0x80 | (point & 0x3f)));
}

static bool is_high(uint32_t unit)
{
	return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low(uint32_t unit)
{
	return unit >= 0xdc00 && unit < 0xe000;
}

/* Behind "\u": one unit of UTF-16, or two that are one character. */
static bool add_unit(struct view *rest, struct buf *text)
{
	uint32_t unit, low;
	if (!take_hex(rest, &unit) || is_low(unit))
		return false;
	if (!is_high(unit)) {
		add_character(text, unit);
		return true;
	}
	if (!view_starts(*rest, VIEW_LIT("\\u")))
		return false;
	*rest = view_skip(*rest, 2);
	if (!take_hex(rest, &low) || !is_low(low))
		return false;
	add_character(text, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
	return true;
}

static bool add_escaped(struct view *rest, struct buf *text)
{
	static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	if (rest->len == 0)
		return false;
	char name = rest->data[0];
	*rest = view_skip(*rest, 1);
	if (name == 'u')
		return add_unit(rest, text);
	const char *at = memchr(names, name, sizeof(names) - 1);
	if (at == NULL)
		return false;
	buf_add_byte(text, meant[at - names]);
	return true;
}

bool json_walk_text(struct view raw, struct buf *text)
{
	while (raw.len > 0) {
		const char *slash = memchr(raw.data, '\\', raw.len);
		size_t plain = slash == NULL ? raw.len : (size_t)(slash - raw.data);
		buf_add(text, view_head(raw, plain));
		raw = view_skip(raw, plain);
		if (raw.len == 0)
			break;
		raw = view_skip(raw, 1);
		if (!add_escaped(&raw, text))
			return false;
	}
	return buf_err(text) == ERR_OK;
}
