/* The attributes that a list's readers have, which its letters may use. */
#ifndef LISTCTL_READER_FIELDS_H
#define LISTCTL_READER_FIELDS_H

#include "listctl/call.h"

struct reader_fields {
	struct view *names; /* borrowed from call->known_fields */
	size_t count;
};

/* Those of the list's active members, who are asked once a call: all of their attributes are looked at. Release with reader_fields_done(), also after a failure. */
enum err reader_fields_read(struct call *call, int64_t list_id, struct reader_fields *ret_fields) MUST_USE;
void reader_fields_done(struct reader_fields *fields); /* accepts a zeroed one */

#endif
