/* The content after 354, read octet by octet (RFC 5321 sections 4.1.1.4 and 4.5.2).
 *
 *     content = *line "." CRLF
 *     line    = *( octet but CR, LF, NUL ) CRLF   ; a leading dot was added by the sender and is taken off
 *
 * Nothing else ends it. What other software takes for an end or a line end (LF . LF, CR . CR, CRLF NUL . CRLF, ...)
 * is inside, and marks the content as broken. */
#ifndef SMTP_DATA_H
#define SMTP_DATA_H

#include "base/buf.h"

enum data_state {
	DATA_LINE_START, /* also at the beginning */
	DATA_TEXT,
	DATA_CR,     /* after a CR that may begin the end of a line */
	DATA_DOT,    /* after a dot at the start of a line */
	DATA_DOT_CR, /* after that and CR */
	DATA_END,
	DATA_STATE_COUNT
};

struct data_reader {
	enum data_state state;
	size_t max;
	bool is_cut;    /* larger than max: content holds its first LIMIT_INTAKE_HEAD octets */
	bool is_broken; /* held a bare CR, a bare LF or a NUL: content is of no use */
	struct buf content;
};

struct data_reader data_reader_new(size_t max);
void data_reader_done(struct data_reader *reader); /* accepts a zeroed object, may run twice */
/* Makes ready for the next message, keeping the memory. */
void data_reader_reset(struct data_reader *reader);

/* Takes octets off the front of *bytes, up to the end of the content or all of them; true at the end. Without
 * memory the content is cut. */
bool data_feed(struct data_reader *reader, struct view *bytes);

#endif
