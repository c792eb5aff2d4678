/* The front matter of a letter: what stands between two lines "---" at its very beginning, one `key: value` a line.
 *
 *     ---
 *     subject: News for {{name|you}}
 *     preheader: "Three things, and a surprise"
 *     # a remark
 *     ---
 *
 * It looks like YAML and is much less: a value is the rest of its line, as it is, without the blanks around it and without
 * one pair of quotes (' or ") around all of it, in which nothing is escaped. Empty lines and lines that begin with # are
 * skipped. Each key stands once; no values over several lines. The names of attachments stand one behind another, commas between,
 * each in quotes of its own where it holds one, perhaps all in [ ]. */
#ifndef MAIL_FRONT_MATTER_H
#define MAIL_FRONT_MATTER_H

#include "base/buf.h"

enum front_key {
	FRONT_SUBJECT,
	FRONT_FROM,
	FRONT_REPLY_TO,
	FRONT_PREHEADER,
	FRONT_HTML,        /* yes or no: whether HTML in a Markdown letter stands as it is */
	FRONT_ATTACHMENTS, /* names of files, commas between: front_matter_cut_name() */
	FRONT_KEY_COUNT
};

struct front_value {
	struct view text;    /* empty where the key was not given */
	size_t line, column; /* where it begins, from 1, the column in characters; line 0: not given */
};

struct front_matter {
	struct front_value values[FRONT_KEY_COUNT];
	struct view body; /* what follows */
	size_t body_line; /* the line that it begins on */
};

/* "subject"; for the table's walk and for messages. */
const char *front_key_name(enum front_key key);

/* Reads a source with LF line ends; one without front matter is all body. Views borrow the source. ERR_INVALID: `why` has line,
 * column and remedy. */
enum err front_matter_read(struct view source, struct front_matter *ret_front, struct buf *why) MUST_USE;

/* Cuts the next name off a list such as: a.pdf, "b, c.pdf". False at the end, and at a quote that nothing ends. */
bool front_matter_cut_name(struct view *text, struct view *ret_name);

#endif
