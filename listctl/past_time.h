/* A time in the past, as options take it: a day such as 2026-11-01 (its beginning in UTC), or how long ago, such as 7d. */
#ifndef LISTCTL_PAST_TIME_H
#define LISTCTL_PAST_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/view.h"

/* Either *ret_day_us (microseconds since 1970) or *ret_span_us is set, the other one is 0. */
bool past_time_read(struct view text, int64_t *ret_day_us, int64_t *ret_span_us);

#endif
