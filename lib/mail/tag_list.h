/* Tag lists, "v=DKIM1; k=rsa; p=...", as records of DKIM (RFC 6376 section 3.2) and DMARC (RFC 9989 section 4.7) are written. */
#ifndef MAIL_TAG_LIST_H
#define MAIL_TAG_LIST_H

#include "base/view.h"

/* Cuts the next tag off *list, white space around name and value left out. False at the end; a piece without "=" has an empty name. */
bool tag_list_next(struct view *list, struct view *ret_name, struct view *ret_value);
/* The value of the tag; data NULL: there is none. Borrowed. */
struct view tag_list_get(struct view list, struct view name);
/* The first tag is v, with this value. */
bool tag_list_is(struct view list, struct view version);

#endif
