/* HTML as plain text, well enough to find phrases and addresses in it. */
#ifndef MAIL_HTML_TEXT_H
#define MAIL_HTML_TEXT_H

#include "base/buf.h"

/* Appends the text without tags, comments, styles and scripts; block elements end a line. One pass, no nesting. */
void html_to_text(struct view html, struct buf *out);

#endif
