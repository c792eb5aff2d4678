#include "listctl/line_cutter.h"

struct line_cutter line_cutter_with_ceiling(size_t ceiling)
{
	return (struct line_cutter){ .held = buf_with_ceiling(ceiling) };
}

void line_cutter_done(struct line_cutter *cutter)
{
	buf_done(&cutter->held);
}

size_t line_cutter_end(struct view text, bool is_all)
{
	size_t lf = view_find_byte(text, '\n');
	size_t cr = view_find_byte(view_head(text, lf), '\r');
	if (cr == VIEW_NONE)
		return lf == VIEW_NONE ? VIEW_NONE : lf + 1;
	if (cr + 1 == text.len)
		return is_all ? text.len : VIEW_NONE; /* an LF may follow */
	return cr + 1 + (text.data[cr + 1] == '\n');
}

static void skip(struct line_cutter *cutter, struct view *bytes)
{
	size_t end = cutter->skipped_cr ? (size_t)(bytes->data[0] == '\n') : line_cutter_end(*bytes, false);
	cutter->skipped_cr = end == VIEW_NONE && bytes->data[bytes->len - 1] == '\r';
	*bytes = view_skip(*bytes, end == VIEW_NONE ? bytes->len : end);
	cutter->is_skipping = end == VIEW_NONE;
}

/* How much of the bytes belongs to the line that is held; VIEW_NONE: all, and more to come. */
static size_t rest_of_held(const struct line_cutter *cutter, struct view bytes)
{
	if (cutter->held.data[cutter->held.len - 1] == '\r')
		return bytes.data[0] == '\n';
	return line_cutter_end(bytes, false);
}

static enum line_state hold(struct line_cutter *cutter, struct view *bytes, size_t end, struct view *ret_line)
{
	struct view part = view_head(*bytes, end);
	if (buf_add(&cutter->held, part) == ERR_OK) {
		*bytes = view_skip(*bytes, part.len);
		cutter->is_given = end != VIEW_NONE;
		*ret_line = buf_view(&cutter->held);
		return end == VIEW_NONE ? LINE_NONE : LINE_WHOLE;
	}
	if (buf_err(&cutter->held) == ERR_MEMORY)
		return LINE_NO_MEMORY;
	cutter->is_skipping = cutter->is_given = true;
	*ret_line = cutter->held.len > 0 ? buf_view(&cutter->held) : view_head(*bytes, cutter->held.ceiling);
	return LINE_LONG;
}

enum line_state line_cutter_next(struct line_cutter *cutter, struct view *bytes, struct view *ret_line)
{
	if (cutter->is_given)
		buf_reset(&cutter->held);
	cutter->is_given = false;
	while (bytes->len > 0 && cutter->is_skipping)
		skip(cutter, bytes);
	if (bytes->len == 0)
		return LINE_NONE;
	if (cutter->held.len > 0)
		return hold(cutter, bytes, rest_of_held(cutter, *bytes), ret_line);
	size_t end = line_cutter_end(*bytes, false);
	if (end == VIEW_NONE)
		return hold(cutter, bytes, VIEW_NONE, ret_line);
	*ret_line = view_head(*bytes, end);
	*bytes = view_skip(*bytes, end);
	return LINE_WHOLE;
}

bool line_cutter_rest(struct line_cutter *cutter, struct view *ret_line)
{
	*ret_line = buf_view(&cutter->held);
	return !cutter->is_given && cutter->held.len > 0;
}
