/* Header-like fields as reports hold them (RFC 5322 section 2.2, RFC 3464 section 2.1.1), read with tolerance: any line ends,
 * lines that are no field are passed over, a blank line ends a group. Views borrow from the text. */
#ifndef MAIL_FIELDS_H
#define MAIL_FIELDS_H

#include <stdbool.h>

#include "base/buf.h"

struct field {
	struct view name;  /* without the colon */
	struct view value; /* trimmed, still folded */
};

enum field_step { FIELD_END, FIELD_GROUP_END, FIELD_READ };

/* Cuts the next field, or the blank lines that end a group, off *text. */
enum field_step fields_next(struct view *text, struct field *ret_field);
bool field_is(const struct field *field, const char *name);

/* Appends the value unfolded: every run of white space becomes one space. */
void field_unfold(struct view value, struct buf *out);

/* The next line without its LF, CRLF or CR; false at the end. */
bool fields_cut_line(struct view *text, struct view *ret_line);

#endif
