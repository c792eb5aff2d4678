#include "mail/flowed.h"

#define SIGNATURE VIEW_LIT("-- ")

/* The line that begins a signature ends in a blank, and never flows (RFC 3676 section 4.3). */
static bool is_soft(struct view line)
{
	return view_ends(line, VIEW_LIT(" ")) && !view_eq(line, SIGNATURE);
}

enum err flowed_join(struct view text, bool del_space, struct buf *out)
{
	struct view line;
	bool is_open = false;
	while (view_cut_line(&text, &line)) {
		bool is_quoted = view_starts(line, VIEW_LIT(">"));
		if (is_open && (is_quoted || view_eq(line, SIGNATURE)))
			buf_add_byte(out, '\n');
		if (view_starts(line, VIEW_LIT(" "))) /* stuffed, section 4.4 */
			line = view_skip(line, 1);
		is_open = !is_quoted && is_soft(line) && text.len > 0;
		buf_add(out, is_open && del_space ? view_head(line, line.len - 1) : line);
		if (!is_open)
			buf_add_byte(out, '\n');
	}
	return buf_err(out);
}
