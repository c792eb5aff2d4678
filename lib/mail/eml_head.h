/* The header of a complete message: what of it a letter takes. A door to GMime. */
#ifndef MAIL_EML_HEAD_H
#define MAIL_EML_HEAD_H

#include "mail/eml.h"

/* Reads the fields of a message, and names in `dropped` those that it does not take; appends those of MIME, which say how to read the body,
 * and the empty line. ERR_INVALID, ERR_TOO_BIG: `why` names the field. */
enum err eml_head_read(struct view raw, struct eml *eml, struct buf *ret_mime, struct view *ret_body,
		       struct buf *why) MUST_USE;

#endif
