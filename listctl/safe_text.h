/* Text from outside on its way to a terminal. */
#ifndef LISTCTL_SAFE_TEXT_H
#define LISTCTL_SAFE_TEXT_H

#include <stdio.h>

#include "base/buf.h"

/* Appends text with control characters (LF and HT excepted) and octets that are not UTF-8 as \xHH; CRLF becomes LF. C1 controls and the
 * characters that turn the direction of writing count as controls. */
enum err safe_text_add(struct view text, struct buf *out);
/* The same to a stream, ending in a line end. */
void safe_text_print(struct view text, FILE *out);

#endif
