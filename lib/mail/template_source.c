#include "mail/template_private.h"

/* ---- places ---- */

static size_t count_characters(struct view text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++)
		count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
	return count;
}

struct template_place template_place(struct view source, size_t at)
{
	struct view before = view_head(source, at);
	struct template_place place = { .line = 1 };
	for (size_t end = view_find_byte(before, '\n'); end != VIEW_NONE; end = view_find_byte(before, '\n')) {
		before = view_skip(before, end + 1);
		place.line++;
	}
	place.column = count_characters(before) + 1;
	return place;
}

enum err template_refuse(struct view source, size_t at, struct buf *why, const char *format, ...)
{
	struct template_place place = template_place(source, at);
	buf_addf(why, "line %zu, column %zu: ", place.line, place.column);
	va_list values;
	va_start(values, format);
	buf_addv(why, format, values);
	va_end(values);
	return ERR_INVALID;
}

/* ---- the source ---- */

static struct view without_bom(struct view source)
{
	return view_skip(source, view_starts(source, VIEW_LIT("\xef\xbb\xbf")) ? 3 : 0);
}

enum err template_normalise(struct view source, struct buf *out)
{
	source = without_bom(source);
	while (source.len > 0) {
		size_t cr = view_find_byte(source, '\r');
		buf_add(out, view_head(source, cr));
		if (cr == VIEW_NONE)
			break;
		buf_add_byte(out, '\n');
		source = view_skip(source, view_starts(view_skip(source, cr), VIEW_LIT("\r\n")) ? cr + 2 : cr + 1);
	}
	return buf_err(out);
}

enum err template_check_source(struct view source, struct buf *why)
{
	if (!view_is_utf8(source)) {
		buf_add(why, VIEW_LIT("the text is not UTF-8; convert it"));
		return ERR_INVALID;
	}
	for (size_t i = 0; i < source.len; i++) {
		unsigned char c = (unsigned char)source.data[i];
		if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f)
			return template_refuse(source, i, why, "the text holds the control character U+%04X; remove it",
					       c);
	}
	return ERR_OK;
}
