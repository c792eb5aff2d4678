#include <string.h>

#include "listctl/csv_guard.h"
#include "listctl/output.h"

void output_csv_cell(struct buf *line, struct view text, bool guard)
{
	bool guarded = guard && csv_guard_is_needed(text);
	bool quoted = guarded || text.len == 0;
	for (size_t i = 0; !quoted && i < text.len; i++)
		quoted = memchr(",\"\r\n;\t|", text.data[i], 7) != NULL;
	quoted = quoted || text.data[0] == ' ' || text.data[text.len - 1] == ' ';
	if (!quoted) {
		buf_add(line, text);
		return;
	}
	buf_add_byte(line, '"');
	if (guarded)
		buf_add_byte(line, '\'');
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '"')
			buf_add_byte(line, '"');
		buf_add_byte(line, text.data[i]);
	}
	buf_add_byte(line, '"');
}

static void json_escape(struct buf *text, unsigned char byte)
{
	static const char letters[] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r' };
	if (byte == '"' || byte == '\\')
		buf_addf(text, "\\%c", byte);
	else if (byte < sizeof(letters) && letters[byte] != 0)
		buf_addf(text, "\\%c", letters[byte]);
	else
		buf_addf(text, "\\u%04x", byte);
}

static bool json_plain(unsigned char byte)
{
	return byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f;
}

/* The octets of the UTF-8 character at the front, 0 when there is none. */
static size_t character_size(struct view text)
{
	for (size_t size = 1; size <= 4 && size <= text.len; size++) {
		if (view_is_utf8(view_head(text, size)))
			return size;
	}
	return 0;
}

void output_json_string(struct buf *text, struct view value)
{
	bool whole = view_is_utf8(value);
	buf_add_byte(text, '"');
	while (value.len > 0) {
		size_t plain = 0;
		while (whole && plain < value.len && json_plain((unsigned char)value.data[plain]))
			plain++;
		size_t size = whole ? plain : character_size(value);
		if (size > 0 && json_plain((unsigned char)value.data[0])) {
			buf_add(text, view_head(value, size));
			value = view_skip(value, size);
			continue;
		}
		if (size == 0 && !whole)
			buf_add(text, VIEW_LIT("\xef\xbf\xbd"));
		else
			json_escape(text, (unsigned char)value.data[0]);
		value = view_skip(value, 1);
	}
	buf_add_byte(text, '"');
}
