/* What kind of file the first part of a subscriber file shows: CSV with this delimiter, with or without a header; lines of addresses as Mailman lists
 * them; the stanzas of a Sympa dump; JSON lines; or nothing that can be imported. Pure. */
#ifndef LISTCTL_SNIFF_H
#define LISTCTL_SNIFF_H

#include "base/buf.h"

enum layout {
	LAYOUT_CSV,
	LAYOUT_LINES, /* an address a line, perhaps with a name: Ann <ann@example.org>, or ann@example.org Ann; and comments */
	LAYOUT_STANZAS, /* "email ann@example.org", "gecos Ann" and so on, people parted by empty lines */
	LAYOUT_JSON,    /* an object a line, as listctl's own export */
	LAYOUT_COUNT
};

/* False: it is no text; `why` says what it is and what to do, without the file's name. */
bool sniff_is_text(struct view start, struct buf *why) MUST_USE;

/* Lines of which at least half are addresses are a list: a bad one among them is just that. */
enum layout sniff_layout(struct view start);

/* Of a CSV: the character that parts its fields most evenly. *ret_hint: octets of a first line "sep=;", as Excel writes it. */
char sniff_delimiter(struct view start, size_t *ret_hint);

/* True for text that looks like an address: one @ with something on both sides, and no blanks. */
bool sniff_is_address(struct view text);
/* Parts `ann@example.org`, `Ann <ann@example.org>`, `"Lee, Ann" <ann@example.org>`, `ann@example.org Ann` and `ann@example.org (Ann)`. False: it is
 * none of them. */
bool sniff_line(struct view line, struct view *ret_address, struct view *ret_name) MUST_USE;
/* A line that begins with #, as lists have them; also where an address follows, which somebody has taken out. */
bool sniff_is_comment(struct view line);

#endif
