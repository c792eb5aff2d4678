#include "smtp/dots.h"

#include <string.h>

#define FINAL_DOT VIEW_LIT(".\r\n")

/* The end of the line that begins at `at`: behind its LF, or the end of the text for the last line. NULL when the
 * line holds a CR or an LF that is not part of a CRLF at its end. */
static const char *line_end(const char *at, const char *end)
{
	const char *lf = memchr(at, '\n', (size_t)(end - at));
	const char *stop = lf == NULL ? end : lf;
	const char *cr = memchr(at, '\r', (size_t)(stop - at));
	if (lf == NULL)
		return cr == NULL ? end : NULL;
	return cr != NULL && cr == lf - 1 ? lf + 1 : NULL;
}

/* Whole runs of lines are copied at once: of the lines of real mail one in hundreds begins with a dot. */
static enum err stuff_lines(struct view message, struct buf *out)
{
	const char *at = message.data;
	const char *end = message.data + message.len;
	const char *uncopied = at;
	while (at < end) {
		if (*at == '.') {
			buf_add(out, view_from(uncopied, (size_t)(at - uncopied)));
			buf_add_byte(out, '.');
			uncopied = at;
		}
		at = line_end(at, end);
		if (at == NULL)
			return ERR_INVALID;
	}
	return buf_add(out, view_from(uncopied, (size_t)(end - uncopied)));
}

enum err dots_stuff(struct view message, struct buf *out)
{
	size_t start = out->len;
	if (view_find_byte(message, '\0') != VIEW_NONE)
		return ERR_INVALID;
	enum err err = message.len == 0 ? ERR_OK : stuff_lines(message, out);
	if (err == ERR_OK && message.len > 0 && !view_ends(message, VIEW_LIT("\r\n")))
		err = buf_add(out, VIEW_LIT("\r\n"));
	if (err == ERR_OK)
		err = buf_add(out, FINAL_DOT);
	if (err == ERR_OK)
		return ERR_OK;
	/* What stood in out before is whole; the failure was told by the return value. */
	buf_cut(out, start);
	out->err = ERR_OK;
	return err;
}
