/* Octets in some charset, as UTF-8. Strict: what a person is going to send is not guessed. The door to iconv. */
#ifndef MAIL_CHARSET_H
#define MAIL_CHARSET_H

#include "base/buf.h"

/* The name of what it is read as: something wider, or the name that iconv has for it; or itself. */
struct view charset_read_as(struct view charset);
bool charset_is_known(struct view charset);

/* Appends the octets as UTF-8. No charset, or us-ascii, is UTF-8 too; iso-8859-1 is read as windows-1252, of which it is a part in mail.
 * ERR_INVALID: `why` says that the charset is not known or that the octets are none of it; out is as before. */
enum err charset_to_utf8(struct view charset, struct view octets, struct buf *out, struct buf *why) MUST_USE;

#endif
