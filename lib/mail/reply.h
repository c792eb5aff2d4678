/* An SMTP reply (RFC 5321 section 4.2, 2034 section 3), read as its bytes come: resumable at every octet, without
 * lookahead.
 *
 *     reply      = *( code "-" text eol ) last
 *     last       = code [ SP text ] eol           ; the same code on all lines
 *     code       = ("2" / "3" / "4" / "5") 2DIGIT
 *     text       = *( any octet but CR and LF )   ; "d.d.d" in front is the enhanced status code
 *     eol        = [ CR ] LF                      ; a lone LF is seen in the field and harmless in a reply
 *
 * A line may have LIMIT_REPLY_LINE octets, a reply LIMIT_REPLY_LINES lines and LIMIT_REPLY octets; beyond them it
 * is malformed, and so is everything else that is not of the grammar. A malformed reply leaves the connection
 * without a shared meaning: it must be closed. */
#ifndef MAIL_REPLY_H
#define MAIL_REPLY_H

#include "base/buf.h"
#include "mail/status.h"

enum reply_state {
	REPLY_STATE_CODE,      /* in the three digits */
	REPLY_STATE_SEPARATOR, /* at "-", SP or the end of a line that is the code alone */
	REPLY_STATE_TEXT,
	REPLY_STATE_LF, /* after CR */
	REPLY_STATE_DONE,
	REPLY_STATE_MALFORMED,
	REPLY_STATE_COUNT
};

/* What is wrong with a malformed reply. */
enum reply_fault {
	REPLY_FAULT_NONE,
	REPLY_FAULT_CODE,
	REPLY_FAULT_CODES,
	REPLY_FAULT_SEPARATOR,
	REPLY_FAULT_CR,
	REPLY_FAULT_LONG_LINE,
	REPLY_FAULT_LINES,
	REPLY_FAULT_LONG,
	REPLY_FAULT_MEMORY,
	REPLY_FAULT_COUNT
};

/* Held by value; all fields are the parser's own. Begin with reply_parser_new(). */
struct reply_parser {
	enum reply_state state;
	enum reply_fault fault;
	unsigned code, line_code; /* of the first line; of the present one */
	unsigned digits;          /* of line_code that were read */
	bool last_line;
	size_t line_octets, lines, octets;
	struct buf text;
};

struct reply {
	unsigned code;        /* 200 to 599 */
	struct status status; /* enhanced code of the first line; not set unless its class is the code's */
	struct view
	    text; /* lines joined by LF, without the code; UTF-8 without other controls; borrowed from the parser */
};

struct reply_parser reply_parser_new(void);
void reply_parser_done(struct reply_parser *parser); /* accepts a zeroed object, may run twice */
/* Makes ready for the next reply; what reply_read() gave is gone. */
void reply_parser_reset(struct reply_parser *parser);

/* True between replies: no octet of the next one was read. */
bool reply_parser_is_fresh(const struct reply_parser *parser);

enum reply_progress { REPLY_NEEDS_MORE, REPLY_IS_READ, REPLY_IS_MALFORMED };
/* Takes octets off the front of *bytes up to the end of one reply, or all of them. */
enum reply_progress reply_feed(struct reply_parser *parser, struct view *bytes) MUST_USE;
/* The reply that was read: after REPLY_IS_READ only. */
struct reply reply_read(struct reply_parser *parser);
/* After REPLY_IS_MALFORMED: a sentence for people on what is wrong with it. */
struct view reply_fault(const struct reply_parser *parser);

#endif
