#include "base/digest.h"
#include "mail/fields.h"
#include "mail/intake.h"

/* What transport adds or changes when the same report is sent again. */
static bool is_trace(struct view name)
{
	static const char *const names[] = { "Received", "Return-Path", "Delivered-To" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (view_eq_nocase(name, view_of(names[i])))
			return true;
	}
	return view_starts_nocase(name, VIEW_LIT("X-"));
}

/* Every line with one LF whatever it ended with, trace fields and their folded lines left out. */
static void add_lasting(struct view raw, struct buf *out)
{
	struct view line;
	bool in_head = true, skips = false;
	while (fields_cut_line(&raw, &line)) {
		bool is_fold = line.len > 0 && (line.data[0] == ' ' || line.data[0] == '\t');
		in_head = in_head && line.len > 0;
		if (in_head && !is_fold)
			skips = is_trace(view_head(line, view_find_byte(line, ':')));
		if (in_head && skips)
			continue;
		buf_add(out, line);
		buf_add_byte(out, '\n');
	}
}

enum err intake_hash(struct view raw, unsigned char ret_hash[32])
{
	AUTO_BUF lasting = buf_with_ceiling(raw.len + 1);
	add_lasting(raw, &lasting);
	if (buf_err(&lasting) != ERR_OK || !digest_of(buf_view(&lasting), ret_hash))
		return ERR_MEMORY;
	return ERR_OK;
}
