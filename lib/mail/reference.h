/* Character references of HTML: &amp; &#8364; &#x20ac; (the HTML standard, section 13.5). Named ones are those of HTML 4 that letters have, and
 * those that a link's scheme can be written with. Numbers 128 to 159 are Windows-1252's, as in browsers. */
#ifndef MAIL_REFERENCE_H
#define MAIL_REFERENCE_H

#include <stdint.h>

#include "base/buf.h"

/* How long the reference is that a text begins with, and its character, which may be a control; 0: it begins with none. Numbers
 * may lack their ; as in browsers. */
size_t reference_read(struct view text, uint32_t *ret_character);

/* Appends the text with characters in place of references; those of control characters, and of what `keep` holds, stay. */
enum err reference_decode(struct view text, const char *keep, struct buf *out);

#endif
