/* In which encoding the octets of a subscriber file are: told by its first part, by a byte order mark or by a person; and its text as
 * UTF-8. Pure. */
#ifndef LISTCTL_ENCODING_H
#define LISTCTL_ENCODING_H

#include <stdint.h>

#include "base/buf.h"

enum encoding {
	ENCODING_AUTO, /* ASCII so far: the first row with another octet decides */
	ENCODING_UTF_8,
	ENCODING_WINDOWS_1252,
	ENCODING_LATIN_1,
	ENCODING_UTF_16LE,
	ENCODING_UTF_16BE,
	ENCODING_COUNT
};

/* "UTF-8", "Windows-1252"; of ENCODING_AUTO "ASCII". */
const char *encoding_name(enum encoding encoding);
/* A name as people write it: utf8, UTF-16, cp1252, iso-8859-1. UTF-16 alone is little-endian unless the file's mark says otherwise. */
bool encoding_from_name(struct view name, enum encoding *ret_encoding) MUST_USE;

/* What the start of a file tells. *ret_mark: octets of a byte order mark at its front. Lines with octets beyond ASCII vote whether they are
 * UTF-8; none: ENCODING_AUTO. A last line that the start cuts off has no vote. */
enum encoding encoding_sniff(struct view start, size_t *ret_mark);

/* Appends text as UTF-8. ERR_INVALID: an octet stands for nothing in this encoding; out is as before. What comes in
 * UTF-16 is UTF-8 by then, as utf16_add() has made it. */
enum err encoding_to_utf8(enum encoding encoding, struct view text, struct buf *out) MUST_USE;

/* Appends text that may not be of this encoding as a person can read it: UTF-8 if it is that. NUL and what is no character become \xHH, which neither an
 * address nor JSON may hold: nobody takes it for what it was. Four octets an octet at most. */
void encoding_add_readable(enum encoding encoding, struct view text, struct buf *out);
/* The first octets of text, as many at most: where that is UTF-8, no character is torn. */
struct view encoding_head(struct view text, size_t most);

/* A row with octets beyond ASCII, in the light of what the file is read as: NULL when it fits, else what is wrong with it. guessed: nobody has said
 * the encoding, so that a row which contradicts it would be garbled, or the others are. ENCODING_AUTO becomes what the row shows. */
const char *encoding_judge(enum encoding *encoding, bool guessed, bool row_is_utf8);

/* UTF-16 as it comes in pieces. What is no character becomes the octet FF, which is no UTF-8 either, so that its row is refused. */
struct utf16 {
	bool is_big;
	bool has_half;
	unsigned char half; /* the first octet of a unit whose second has not come */
	uint16_t high;      /* a surrogate that waits for its other one; 0: none */
};
void utf16_add(struct utf16 *utf16, struct view bytes, struct buf *out);
void utf16_end(struct utf16 *utf16, struct buf *out);

#endif
