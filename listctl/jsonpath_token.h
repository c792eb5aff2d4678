/* The words and signs of PostgreSQL's jsonpath (jsonpath_scan.l). Pure. */
#ifndef LISTCTL_JSONPATH_TOKEN_H
#define LISTCTL_JSONPATH_TOKEN_H

#include <stdbool.h>

#include "base/view.h"

enum token_kind { TOKEN_END, TOKEN_NAME, TOKEN_STRING, TOKEN_NUMBER, TOKEN_VARIABLE, TOKEN_SIGN, TOKEN_BAD };

struct jsonpath_token {
	enum token_kind kind; /* TOKEN_BAD: a text that is not closed */
	struct view text;     /* of a string with its quotation marks */
	size_t at;            /* octets before it */
};

/* The next one at or behind a place; behind blanks and remarks. */
struct jsonpath_token jsonpath_token(struct view text, size_t at);
bool jsonpath_is_digit(char byte);

#endif
