/* HTML that a message brings in more than one piece, or in another character set than it names. */
#ifndef MAIL_HTML_PARTS_H
#define MAIL_HTML_PARTS_H

#include "base/buf.h"

/* Whether it shows nothing, as the "<br>" that Apple Mail puts behind an attachment. ERR_INVALID: it cannot be read. */
enum err html_parts_is_blank(struct view html, bool *ret_is_blank) MUST_USE;

/* Appends what the second document shows at the end of what the first, `html`, does. */
enum err html_parts_join(struct view html, struct view second, struct buf *out);

/* Appends HTML in UTF-8 that says so: the charset that a <meta> names is made utf-8. */
enum err html_parts_say_utf8(struct view html, struct buf *out);

#endif
