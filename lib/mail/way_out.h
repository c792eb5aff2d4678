/* {{unsubscribe}} where every reader finds it: outside of sections, or in sections of which each reader sees one ({{#x}} and {{^x}}). Where it
 * stands among the tags is told here; what of HTML shows, mail/lint_html.h tells. Pure. */
#ifndef MAIL_WAY_OUT_H
#define MAIL_WAY_OUT_H

#include <stdint.h>

#include "base/buf.h"

/* A template of plain text. */
bool way_out_in(struct view source);

/* Appends the template with each {{unsubscribe}} numbered, so that it is known again in a part of what is made of it. */
enum err way_out_number(struct view source, struct buf *out) MUST_USE;
/* Appends a part of a numbered template as it was written. */
enum err way_out_unnumber(struct view part, struct buf *out) MUST_USE;
/* Those that stand in a part of a numbered template, a bit each. */
uint64_t way_out_seen(struct view part);
/* Whether every reader gets one of these; the source as it was before it was numbered. */
bool way_out_for_all(struct view source, uint64_t seen);

#endif
