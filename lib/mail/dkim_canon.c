#include "mail/dkim_canon.h"

#include <string.h>

#define CRLF VIEW_LIT("\r\n")

static bool is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

/* The next line without its CRLF; false at the end. *ret_end is the CRLF, empty where the text just ends. */
static bool cut_line(struct view *text, struct view *ret_line, struct view *ret_end)
{
	size_t from = 0;
	if (text->len == 0)
		return false;
	for (;;) {
		const char *lf = memchr(text->data + from, '\n', text->len - from);
		size_t at = lf == NULL ? text->len : (size_t)(lf - text->data);
		if (lf == NULL || (at > 0 && text->data[at - 1] == '\r')) {
			*ret_line = view_head(*text, lf == NULL ? at : at - 1);
			*ret_end = view_slice(*text, ret_line->len, lf == NULL ? at : at + 1);
			*text = view_skip(*text, ret_line->len + ret_end->len);
			return true;
		}
		from = at + 1;
	}
}

/* ---- the body ---- */

/* What is to be given out next: neighbours in the source become one piece. */
struct run {
	const struct dkim_sink *sink;
	struct view piece;
	bool ok;
};

static void flush(struct run *run)
{
	if (run->ok && run->piece.len > 0)
		run->ok = run->sink->add(run->sink->context, run->piece);
	run->piece = (struct view){ 0 };
}

static void give(struct run *run, struct view piece)
{
	if (run->piece.len > 0 && run->piece.data + run->piece.len == piece.data) {
		run->piece.len += piece.len;
		return;
	}
	flush(run);
	run->piece = piece;
}

/* Without a branch that depends on the text: nearly all lines are canonical, and this is the only look at each of their octets. */
static bool has_runs(struct view line)
{
	bool found = false, was_space = false;
	for (size_t i = 0; i < line.len; i++) {
		bool is_space = line.data[i] == ' ';
		found |= (line.data[i] == '\t') | (is_space & was_space);
		was_space = is_space;
	}
	return found;
}

static void give_squeezed(struct run *run, struct view line)
{
	for (size_t at = 0; at < line.len;) {
		size_t end = at;
		while (end < line.len && is_wsp(line.data[end]) == is_wsp(line.data[at]))
			end++;
		bool is_other = is_wsp(line.data[at]) && (end - at > 1 || line.data[at] != ' ');
		give(run, is_other ? VIEW_LIT(" ") : view_slice(line, at, end));
		at = end;
	}
}

static struct view without_trailing_wsp(struct view line)
{
	while (line.len > 0 && is_wsp(line.data[line.len - 1]))
		line.len--;
	return line;
}

/* Lines that were held back until it was known that they are not the last. */
static void give_empty_lines(struct run *run, struct view lines)
{
	struct view line, end;
	while (cut_line(&lines, &line, &end))
		give(run, end);
}

/* Empty lines at its end are left in *ret_empty; false where the last line has no end. */
static bool give_lines(struct run *run, struct view body, struct view *ret_empty)
{
	struct view line, end = { 0 }, empty = { 0 };
	bool is_ended = true;
	while (run->ok && cut_line(&body, &line, &end)) {
		struct view content = without_trailing_wsp(line);
		is_ended = end.len > 0;
		if (content.len == 0) {
			empty.data = empty.len == 0 ? line.data : empty.data;
			empty.len += line.len + end.len;
			continue;
		}
		give_empty_lines(run, empty);
		empty.len = 0;
		if (has_runs(content))
			give_squeezed(run, content);
		else
			give(run, content);
		give(run, is_ended ? end : CRLF);
	}
	*ret_empty = empty;
	return is_ended;
}

bool dkim_canon_body(struct view body, struct view tail, const struct dkim_sink *sink)
{
	struct run run = { .sink = sink, .ok = true };
	struct view empty;
	bool is_ended = give_lines(&run, body, &empty);
	if (tail.len > 0) {
		/* The tail's CRLF ends the last line, or makes an empty one. */
		give_empty_lines(&run, empty);
		if (empty.len > 0 && !is_ended)
			give(&run, CRLF);
		give_lines(&run, is_ended ? tail : view_skip(tail, CRLF.len), &empty);
	}
	flush(&run);
	return run.ok;
}

/* ---- the head ---- */

bool dkim_next_field(struct view *text, struct view *ret_field)
{
	struct view line, end, field;
	if (!cut_line(text, &field, &end) || field.len == 0)
		return false;
	while (text->len > 0 && is_wsp(text->data[0]) && cut_line(text, &line, &end))
		field.len = (size_t)(line.data + line.len - field.data);
	*ret_field = field;
	return true;
}

static void add_name(struct view name, struct buf *out)
{
	name = without_trailing_wsp(name);
	for (size_t i = 0; i < name.len; i++) {
		char c = name.data[i];
		buf_add_byte(out, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
	}
}

/* How many octets of white space or of a fold begin there: 0, 1 or 2. */
static size_t gap_at(struct view value, size_t at)
{
	char c = value.data[at];
	if (c == '\r')
		return at + 1 < value.len && value.data[at + 1] == '\n' ? 2 : 0;
	return is_wsp(c);
}

/* Words, one space between two. */
static void add_unfolded(struct view value, struct buf *out)
{
	size_t start = out->len;
	for (size_t at = 0; at < value.len;) {
		size_t end = at, gap;
		while (end < value.len && gap_at(value, end) == 0)
			end++;
		if (end > at && out->len > start)
			buf_add_byte(out, ' ');
		buf_add(out, view_slice(value, at, end));
		at = end;
		while (at < value.len && (gap = gap_at(value, at)) > 0)
			at += gap;
	}
}

enum err dkim_canon_field(struct view field, struct buf *out)
{
	size_t colon = view_find_byte(field, ':');
	add_name(view_head(field, colon), out);
	if (colon == VIEW_NONE)
		return buf_err(out);
	buf_add_byte(out, ':');
	add_unfolded(view_skip(field, colon + 1), out);
	return buf_err(out);
}
