/* {{unsubscribe}} where every reader finds it: outside of sections, for what they leave out nobody sees. Of HTML only where it stands among
 * the tags is told here; what of it shows, mail/lint_html.h tells. Pure. */
#ifndef MAIL_WAY_OUT_H
#define MAIL_WAY_OUT_H

#include "base/buf.h"

/* A template of plain text, or a part of one. */
bool way_out_in(struct view source);

/* Appends the template with another field in place of each {{unsubscribe}} within a section. */
enum err way_out_keep_certain(struct view source, struct buf *out) MUST_USE;

#endif
