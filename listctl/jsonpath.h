/* Where a predicate in PostgreSQL's jsonpath goes wrong, and what was probably meant. The server is the judge of what is valid, but does
 * not say where: this reads the same grammar and names the first place that does not fit, and refuses what could make a query fail for the
 * sake of one subscriber's attributes. What stands inside of texts and numbers is left to the server. Pure. */
#ifndef LISTCTL_JSONPATH_H
#define LISTCTL_JSONPATH_H

#include <stdbool.h>

#include "base/buf.h"

enum { JSONPATH_MOST = 2000 /* octets */ };

struct jsonpath_slip {
	size_t at, len;     /* octets of the text; len 0: at its end */
	const char *what;   /* "a name stands here where ... is expected" */
	const char *remedy; /* a half sentence, or "" */
};

/* True when nothing is wrong that this knows of. */
bool jsonpath_check(struct view text, struct jsonpath_slip *ret_slip);
/* "line 1, column 12: ..." with the remedy, and below it the line and a mark under the place. Columns count characters. */
void jsonpath_explain(struct view text, const struct jsonpath_slip *slip, struct buf *why);
/* The next text, number or regular expression, from *at on, which it moves, for the server to judge alone: the question is what stands behind "$ " or
 * "$ == ". False: no further one. */
bool jsonpath_part(struct view text, size_t *at, struct jsonpath_slip *ret_place, struct view *ret_question);
/* The next field at the top of a subscriber's attributes that the predicate names, from *at on, which it moves; false: no further one. Methods are no
 * fields; names written with escapes are passed over. */
bool jsonpath_field(struct view text, size_t *at, struct view *ret_field);

#endif
