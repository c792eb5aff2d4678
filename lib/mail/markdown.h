/* Markdown as HTML: CommonMark with tables, ~~strikethrough~~ and links that need no brackets, by md4c. Merge tags pass through
 * unharmed wherever they stand, in code and in the target of a link too, and a section's tag alone on its line stands between
 * blocks (or between a table's rows), never inside of a paragraph. Remarks ({{! }}) go. */
#ifndef MAIL_MARKDOWN_H
#define MAIL_MARKDOWN_H

#include "base/buf.h"

/* Appends HTML, a template with the tags of the source. Without allow_html what looks like HTML is text. The source is
 * normalised (template_normalise()) and its tags are valid; others give HTML that template_compile() refuses. ERR_INVALID: `why`
 * has line, column and remedy; ERR_TOO_BIG: beyond LIMIT_LETTER or out's ceiling. */
enum err markdown_to_html(struct view source, bool allow_html, struct buf *out, struct buf *why) MUST_USE;

#endif
