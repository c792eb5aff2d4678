/* The attributes that the members of a campaign's lists have, which its letter may use. What a letter names is seen in some of them, as a rule; all of ten millions
 * are read, once a call, where it is not. */
#ifndef LISTCTL_READER_FIELDS_H
#define LISTCTL_READER_FIELDS_H

#include "listctl/call.h"
#include "mail/merge_names.h"
#include "store/audiences.h"

struct reader_fields {
	struct call *call;
	const struct audience *audience;
	struct view *names; /* borrowed from call->known_fields */
	size_t count;
	bool are_some; /* there may be others */
};

/* Those of the active members of all lists that its copies go through: of some of them, or of all of small lists. Borrowed: the audience. Release with reader_fields_done(), also after a failure. */
enum err reader_fields_read(struct call *call, const struct audience *audience,
			    struct reader_fields *ret_fields) MUST_USE;
void reader_fields_done(struct reader_fields *fields); /* accepts a zeroed one */

/* Something that passes with the names it needs, and else returns ERR_INVALID and says why. known are the fields with the built-in ones. */
typedef enum err reader_fields_test(void *context, const struct reader_fields *fields, const struct merge_names *known,
				    struct buf *why);
/* Runs it with what is known; where it does not pass and there may be others, again with all: a refusal, and what it says, is about all. */
enum err reader_fields_check(struct reader_fields *fields, reader_fields_test *test, void *context,
			     struct buf *why) MUST_USE;

#endif
