/* The canonical form `relaxed` of RFC 6376 sections 3.4.2 and 3.4.4: what a DKIM signature covers of a message. Lines end in CRLF; a CR
 * or LF alone is an octet like others. WSP is space and tab. Pure. */
#ifndef MAIL_DKIM_CANON_H
#define MAIL_DKIM_CANON_H

#include "base/buf.h"

/* Takes the canonical text piece by piece; most pieces borrow from the source, so that a text that is canonical already is one piece. False
 * ends it. */
struct dkim_sink {
	void *context;
	bool (*add)(void *context, struct view piece);
};

/* The body: no WSP at the end of a line, runs of WSP one space, no empty lines at the end, and a CRLF at the end of what is not empty. It
 * goes on with the tail: empty, or CRLF and more that does not end in empty lines. False: the sink said so. */
bool dkim_canon_body(struct view body, struct view tail, const struct dkim_sink *sink) MUST_USE;

/* One header field, name and colon included, without the CRLF that ends it: name in lower case, unfolded, runs of WSP one space, none around
 * the colon nor at the end. Appends no CRLF. */
enum err dkim_canon_field(struct view field, struct buf *out);

/* Cuts the next field off the head of a message, with its folds and without its last CRLF. False: the head is over, and *text is the
 * body. */
bool dkim_next_field(struct view *text, struct view *ret_field);

#endif
