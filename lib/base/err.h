/* Outcomes. A function with two outcomes returns bool; one with more returns enum err. Outputs come last, are called
 * ret_x, and are untouched unless ERR_OK is returned. A function that refuses something a person wrote also takes a
 * `struct buf *why`, to which it appends one sentence without a final full stop: what is wrong and what to do. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/attributes.h"

enum err {
	ERR_OK,
	ERR_INVALID,     /* the input breaks its grammar or a rule */
	ERR_TOO_BIG,     /* a ceiling of base/limits.h was reached */
	ERR_MEMORY,      /* no memory */
	ERR_NOT_FOUND,   /* no such thing */
	ERR_EXISTS,      /* it is there already */
	ERR_REFUSED,     /* refused in the present state */
	ERR_IO,          /* a file or a socket failed; errno says how */
	ERR_UNAVAILABLE, /* a peer (PostgreSQL, the relay) is away: try again later */
	ERR_DENIED,      /* no permission */
	ERR_COUNT
};

/* A word for logs and tests, such as "invalid"; never NULL. */
const char *err_name(enum err err);

#endif
