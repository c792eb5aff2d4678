/* Dot-stuffing (RFC 5321 section 4.5.2) and the last look at what leaves: only CRLF ends a line. */
#ifndef SMTP_DOTS_H
#define SMTP_DOTS_H

#include "base/buf.h"

/* Appends the message with its leading dots doubled, then CRLF unless it ends with one, then the final dot and
 * CRLF; the dot stands at out->len - 3. On failure out is as it was. ERR_INVALID: a bare CR, a bare LF or a NUL;
 * ERR_TOO_BIG, ERR_MEMORY. */
enum err dots_stuff(struct view message, struct buf *out) MUST_USE;

#endif
