/* The text part of a letter, made from its HTML (by libxml2, which reads what browsers read; nothing is fetched and no entity
 * comes from outside): paragraphs with empty lines between, headings underlined, lists with marks, quotations with "> ", links as
 * "text (URL)", images as their alt text, a table's cells with " | " between. Merge tags stay tags, now in a text's slot. */
#ifndef MAIL_HTML_LETTER_H
#define MAIL_HTML_LETTER_H

#include "base/buf.h"

/* Lines are broken at spaces beyond so many characters; a field counts as long as its default, or as 10. */
enum { HTML_LETTER_WIDTH = 74 };

/* Appends the text of a template in HTML (normalised, template_normalise(), and UTF-8) as a template of plain text, LF line ends.
 * What is hidden (display:none, style, script, title, comments) is left out, and remarks of the template but those around a subject
 * (mail/layout.h). ERR_INVALID: `why` says what and what to do.
 * ERR_TOO_BIG beyond out's ceiling. */
enum err html_letter_to_text(struct view html, struct buf *out, struct buf *why) MUST_USE;

#endif
