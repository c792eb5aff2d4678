/* A question before something that cannot be taken back. */
#ifndef LISTCTL_CONFIRM_H
#define LISTCTL_CONFIRM_H

#include "listctl/call.h"

/* The verb has an option --yes, with which nothing is asked. ERR_REFUSED when the answer is not yes, and when stdin is no terminal: nobody
 * could answer. */
enum err confirm(struct call *call, const char *format, ...) PRINTF_LIKE(2, 3) MUST_USE;
/* The same for what can be undone but is not what one may think: says the question also where nobody can answer. */
enum err confirm_first(struct call *call, const char *format, ...) PRINTF_LIKE(2, 3) MUST_USE;

#endif
