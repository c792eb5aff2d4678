/* The date-time of RFC 5322 section 3.3, always in UTC. */
#ifndef MAIL_DATE_H
#define MAIL_DATE_H

#include "base/buf.h"

/* Appends "Sun, 22 Nov 2026 05:36:01 +0000" for microseconds since 1970. ERR_INVALID: before 1900 or after 9999. */
enum err date_write(int64_t us, struct buf *out) MUST_USE;

#endif
