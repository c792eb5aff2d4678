/* Options that are limits: a number, or the word none. */
#ifndef LISTCTL_PACE_OPTIONS_H
#define LISTCTL_PACE_OPTIONS_H

#include "listctl/call.h"

/* Not given: *limit stays. "none" is 0. Misuse when it is neither a number from 1 to most nor none. */
enum err pace_option_count(struct call *call, const char *name, int64_t most, int64_t *limit) MUST_USE;
/* The same for a decimal number above 0, such as 0.5. */
enum err pace_option_rate(struct call *call, const char *name, double *limit) MUST_USE;
/* "20" or "0.5": digits and one point at most. */
bool pace_number(struct view text, double *ret_number) MUST_USE;

#endif
