/* The names that a template may use, and what to say about one that it may not. */
#ifndef MAIL_MERGE_NAMES_H
#define MAIL_MERGE_NAMES_H

#include "base/buf.h"

/* Dotted paths such as "company" and "orders.sku"; a path makes its prefixes known too. */
struct merge_names {
	const struct view *names;
	size_t count;
	bool
	    are_some; /* there may be others: what is refused for a name may be right, and what must not name one may do so */
};

bool merge_names_know(const struct merge_names *fields, struct view path);

/* Appends "the nearest known one is ..." or, when none is near, the known ones. */
void merge_names_suggest(const struct merge_names *fields, struct view name, struct buf *why);

#endif
