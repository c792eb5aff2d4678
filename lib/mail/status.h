/* Enhanced mail system status codes (RFC 3463): class.subject.detail. */
#ifndef MAIL_STATUS_H
#define MAIL_STATUS_H

#include <stdbool.h>

#include "base/buf.h"

struct status {
	unsigned char class_digit;      /* 2, 4 or 5; 0 means: none */
	unsigned short subject, detail; /* 0 to 999 */
};

/* The whole view is one code. */
bool status_parse(struct view text, struct status *ret_status) MUST_USE;
/* The first code in the text that stands free (not part of an IP address, a version or a number). */
bool status_find(struct view text, struct status *ret_status) MUST_USE;
bool status_is(struct status status, unsigned class_digit, unsigned subject, unsigned detail);
bool status_is_set(struct status status);
/* Appends "5.1.1", or nothing when it is not set. */
enum err status_write(struct status status, struct buf *out);

#endif
