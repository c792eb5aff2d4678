/* The Received field of a message that is stored (RFC 5321 section 4.4): who brought it, and how. */
#ifndef BOUNCED_TRACE_H
#define BOUNCED_TRACE_H

#include "net/endpoint.h"

struct trace {
	struct view helo;            /* what the peer called himself */
	const struct endpoint *peer; /* who he is */
	struct view hostname;        /* of this host */
	struct view recipient;       /* whom it was handed over for; empty: several */
	bool is_lmtp, is_extended, is_secure, is_utf8;
	int64_t at_us;
};

enum { TRACE_MOST = 1024 }; /* octets */

/* Appends it with its CRLF. ERR_TOO_BIG, ERR_MEMORY. */
enum err trace_write(const struct trace *trace, struct buf *out) MUST_USE;

#endif
