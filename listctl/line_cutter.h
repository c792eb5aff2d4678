/* Whole lines out of text that comes in pieces: they end with LF, CR or CR LF, which stay with them. Constant memory. Pure. */
#ifndef LISTCTL_LINE_CUTTER_H
#define LISTCTL_LINE_CUTTER_H

#include "base/buf.h"

/* Zeroed but for the ceiling of held: the longest line that comes in pieces. */
struct line_cutter {
	struct buf held;  /* a line whose end has not come */
	bool is_given;    /* what is held was the last line given */
	bool is_skipping; /* the rest of a line that was too long */
	bool skipped_cr;  /* with which that rest ends, or CR LF */
};
struct line_cutter line_cutter_with_ceiling(size_t ceiling);
void line_cutter_done(struct line_cutter *cutter);

enum line_state {
	LINE_NONE, /* all is taken, and no line is whole */
	LINE_WHOLE,
	LINE_LONG, /* this is a part of it, and the rest will be left out */
	LINE_NO_MEMORY,
};
/* Takes the next line from the front of *bytes. *ret_line is borrowed until the next call, or from the bytes. */
enum line_state line_cutter_next(struct line_cutter *cutter, struct view *bytes, struct view *ret_line) MUST_USE;
/* At the end: what is held and has no line end. */
bool line_cutter_rest(struct line_cutter *cutter, struct view *ret_line) MUST_USE;

/* Where the first line of text ends, behind its line end; VIEW_NONE: that is not known. is_all: nothing follows text. */
size_t line_cutter_end(struct view text, bool is_all);

#endif
