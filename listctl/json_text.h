/* JSON as people write it into cells (RFC 8259), checked so that PostgreSQL's jsonb and the letters take it: no number out of their range, no U+0000, no half
 * surrogate, no depth without end. Numbers are never read: a long one stays as it is. Pure. */
#ifndef LISTCTL_JSON_TEXT_H
#define LISTCTL_JSON_TEXT_H

#include "base/buf.h"

/* True for one JSON value with nothing but blanks around it. False: `why` says what is wrong, and where. text is UTF-8. */
bool json_text_check(struct view text, struct buf *why) MUST_USE;
/* True for a number as JSON writes it, with at most so many digits and such an exponent as both take. */
bool json_text_is_number(struct view text) MUST_USE;

/* A value that is a text, and one that no header of a letter can show: with a control character other than tabs and line ends, in itself or by an escape. What lies deeper in
 * lists and objects, no letter shows by itself. The value was checked. */
bool json_text_hides_control(struct view value) MUST_USE;

#endif
