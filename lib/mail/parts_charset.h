/* The text of what comes back as UTF-8, by whatever name its charset goes: those of the registry, of Windows, of browsers and of programs that have read neither,
 * in wrong quotes, or none. What a person is going to send is read by mail/charset.h, which guesses nothing. */
#ifndef MAIL_PARTS_CHARSET_H
#define MAIL_PARTS_CHARSET_H

#include "base/buf.h"

/* The octets themselves where they need nothing, else appended to out. What is UTF-8 already stays, whatever it is called; a charset that
 * nobody knows is read as windows-1252; an octet that is none of its charset becomes a question mark. */
struct view parts_charset_read(struct view charset, struct view octets, struct buf *out);

#endif
