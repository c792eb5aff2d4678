/* Reports as various mail systems write them. Deterministic: the same report is the same octets. */
#ifndef MAILWORLD_SHAPES_H
#define MAILWORLD_SHAPES_H

#include "base/buf.h"

struct report_facts {
	uint64_t number;         /* unique; in Message-ID and boundary */
	int64_t written_us;      /* wall clock; Date */
	struct view hostname;    /* of the reporting MTA */
	struct view return_path; /* whom it goes to */
	struct view recipient;   /* whom it is about */
	struct view status;      /* "5.1.1" */
	struct view diagnostic;  /* "550 5.1.1 ..." */
	struct view headers;     /* of the returned message, CRLF lines */
	struct view content;     /* all of it, for the shape that is the message itself */
};

struct shape {
	const char *name;
	bool is_from_recipient; /* the envelope sender is the recipient (an automatic reply), else <> */
	bool is_message;        /* no report: the message goes on to its recipient, as by a relay */
	const char *status,
	    *text; /* what stands in it unless the rule says otherwise; text gets the address behind it */
	void (*write)(const struct report_facts *facts, struct buf *out);
};

/* NULL when there is none of that name. */
const struct shape *shape_find(struct view name);
/* Appends the names, separated by spaces. */
void shape_list(struct buf *out);

#endif
