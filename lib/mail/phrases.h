/* Which of many phrases stand in a text, found in one pass however many they are. Text and phrases are compared as phrase_text.h
 * says: in lower case, white space as one space, addresses as "@". An asterisk in a phrase stands for up to PHRASES_GAP octets; the
 * spaces around it may be one and the same ("domain * unknown" is found in "domain unknown"). */
#ifndef MAIL_PHRASES_H
#define MAIL_PHRASES_H

#include <stdbool.h>

#include "base/err.h"
#include "base/view.h"

enum {
	PHRASES_GAP = 48,
	PHRASES_SETS_MAX = 256,
	PHRASES_GAPPED_MAX = 512,  /* phrases with an asterisk */
	PHRASES_PIECES_MAX = 4096, /* phrases, and their parts between asterisks */
};

struct phrases;

/* sets: each a list of phrases that ends with NULL, or NULL for an empty one; borrowed for the call only. ERR_TOO_BIG beyond the limits
 * above, ERR_INVALID for a phrase with an empty part, ERR_MEMORY. Never changes once made: threads may share it. */
enum err phrases_new(const char *const *const *sets, size_t count, struct phrases **ret_phrases) MUST_USE;
void phrases_done(struct phrases *phrases); /* accepts NULL */

/* ret_found[i] tells whether a phrase of set i was found; as many as there are sets. Allocates nothing. */
void phrases_find(const struct phrases *phrases, struct view text, bool *ret_found);

#endif
