/* What somebody meant who wrote a predicate as one writes SQL, or prose. */
#ifndef LISTCTL_JSONPATH_REMEDY_H
#define LISTCTL_JSONPATH_REMEDY_H

#include "listctl/jsonpath_token.h"

/* A half sentence about a token that stands where none may; NULL: nothing comes to mind. */
const char *jsonpath_remedy(const struct jsonpath_token *token);

#endif
