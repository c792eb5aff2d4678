/* Content transfer encodings of RFC 2045 section 6 and the line ends under them. Whatever the text holds, the wire text
 * is 7-bit, its lines have at most 76 characters, every line end is CRLF, and no line begins with "." or "From ", which
 * SMTP and mbox files treat specially. Each of CRLF, CR and LF in a text is one line end, so that nothing of it can end
 * a message early on the way ("SMTP smuggling"). */
#ifndef MAIL_ENCODE_H
#define MAIL_ENCODE_H

#include "base/buf.h"

enum {
	ENCODE_LINE = 76, /* RFC 2045 section 6.7 (5) */
};

/* Quoted-printable, written piece by piece: the pieces form one text. Its output is written to out, whose sticky error
 * tells of a failure. */
struct qp {
	struct buf *out;
	size_t column; /* 0: at the start of a line */
	char held;     /* a blank at the end of a piece, until it is known whether it ends its line; NUL: none */
};

struct qp qp_start(struct buf *out);
void qp_add(struct qp *qp, struct view text);
void qp_end(struct qp *qp);
/* Whole lines that qp_add() encoded earlier, from the start of a line to the end of one; only at column 0. */
void qp_add_encoded(struct qp *qp, struct view lines);

/* Appends text with CRLF line ends. */
enum err encode_lines(struct view text, struct buf *out);
/* Appends base64 in lines of 76 that end in CRLF; octets are taken as they are. */
enum err encode_base64(struct view octets, struct buf *out);
/* The length of encode_base64()'s output. */
size_t encode_base64_len(size_t octets);
/* One unbroken piece, as in an encoded word. */
enum err encode_base64_word(struct view octets, struct buf *out);

#endif
