/* Text from strangers made safe to store, print and log. */
#ifndef MAIL_CLEAN_TEXT_H
#define MAIL_CLEAN_TEXT_H

#include "base/buf.h"

/* Appends the text as UTF-8: what is no UTF-8 becomes U+FFFD, control characters (C0, DEL, C1) a space; with keep_lines every line
 * end becomes LF. Stops quietly where `most` octets are reached, never within a character. */
void clean_text_add(struct view text, bool keep_lines, size_t most, struct buf *out);

#endif
