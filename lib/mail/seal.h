/* What of a message must survive its way through a relay, as a text that can be kept and compared: a word NAME=DIGEST for the body and for
 * each field that people, their programs and DKIM signatures go by (those of RFC 6376 section 5.4.1, the MIME fields and the
 * Message-ID).
 *
 * Canonicalised as DKIM's `relaxed` (RFC 6376 sections 3.4.2 and 3.4.4), so that another folding, white space at the ends of lines and blank
 * lines at the end are no change. Any line ends. What a relay is to add, trace fields and fields of its own, is not looked at. Pure. */
#ifndef MAIL_SEAL_H
#define MAIL_SEAL_H

#include "base/buf.h"

/* Appends the words, a space between two. A field that is there several times is one word. Hostile input gives no more than a word for each
 * name known. ERR_MEMORY, ERR_TOO_BIG beyond out's ceiling: LIMIT_SEAL is enough. */
enum err seal_write(struct view message, struct buf *out) MUST_USE;

/* The names known, in the order of their words; NULL beyond the last. For tests. */
const char *seal_name(size_t index);

#endif
