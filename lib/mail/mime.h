/* The outer structure of a message (RFC 2045, RFC 2046 section 5.1, RFC 2231 only so far as returned mail has it), read with tolerance and without
 * copying: views borrow from the message. Hostile input: each call is linear in what it is given; nesting is the caller's to bound.
 *
 * GMime makes an object of each header field that it meets, and a report is mostly header fields: its parser took two thirds of the time that
 * reading a report took. What is decoded, encodings, charsets and encoded words, is GMime's still (mail/parts.c). */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include "base/view.h"

/* A header and what stands behind its blank line. */
struct mime_entity {
	struct view header; /* whole lines */
	struct view body;
};

struct mime_entity mime_split(struct view text);
/* The first field of that name, trimmed and still folded; false: there is none. */
bool mime_field(struct view header, struct view name, struct view *ret_value);

/* Content-Type; what is missing or cannot be read is text/plain, as RFC 2045 section 5.2 has it. */
struct mime_type {
	struct view type, subtype;
	struct view boundary, charset, report_type; /* empty: not given */
};

struct mime_type mime_type_of(struct view header);
/* In any case of letters; "*" is any subtype. */
bool mime_is(const struct mime_type *type, const char *main, const char *subtype);

/* Cuts the next part off a multipart body: *body is what is left. False: there is none. The preamble and what follows the closing delimiter are
 * passed over; the last part of a body that was cut short ends with it. */
bool mime_next_part(struct view *body, struct view boundary, struct view *ret_part);

#endif
