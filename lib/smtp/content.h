/* The last look at a message before it leaves: only CRLF ends a line, nothing but the end ends it (RFC 5321 sections
 * 2.3.8, 4.1.1.4 and 4.5.2). Each octet is looked at once and copied once. */
#ifndef SMTP_CONTENT_H
#define SMTP_CONTENT_H

#include "base/buf.h"

/* For DATA. Appends the message with its leading dots doubled, then CRLF unless it ends with one, then the final dot and
 * CRLF; the dot stands at out->len - 3. On failure out is as it was. ERR_INVALID: a bare CR, a bare LF or a NUL;
 * ERR_TOO_BIG, ERR_MEMORY. */
enum err content_stuff(struct view message, struct buf *out) MUST_USE;

/* For BDAT: how many octets content_add() appends: the message, and CRLF unless it ends with one. False: a bare CR, a
 * bare LF or a NUL. */
bool content_measure(struct view message, size_t *ret_len) MUST_USE;
/* After content_measure(). */
void content_add(struct view message, struct buf *out);

#endif
