/* How long a connection waits for what comes next, and when that time begins (RFC 5321 section 4.5.3.2).
 *
 * It begins with what is waited for and not with each octet that comes: a peer that says one octet a second, or line after line of a reply
 * that never ends, has no more time than a silent one. */
#ifndef SENDER_PATIENCE_H
#define SENDER_PATIENCE_H

#include "base/settings.h"
#include "smtp/client.h"

/* What is waited for. */
struct wait {
	enum smtp_step step;
	bool is_idle;      /* for nothing: neither side owes anything */
	bool is_handshake; /* for the end of a TLS handshake */
	bool is_dismissed; /* the relay has said 421, and is to close */
	uint64_t replies;  /* whole ones so far */
};

/* Zeroed: nothing was waited for yet. */
struct patience {
	bool has_begun;
	struct wait wait; /* for which the time runs */
};

/* True when the time for this wait begins now: it is another one, or we have said something. */
bool patience_begins(struct patience *patience, const struct wait *wait, size_t written);
/* Microseconds. */
int64_t patience_time(const struct settings *settings, const struct wait *wait);

#endif
