/* One transaction's commands: MAIL and RCPT with the parameters that the server understands. */
#ifndef SMTP_ENVELOPE_H
#define SMTP_ENVELOPE_H

#include "base/buf.h"
#include "smtp/offers.h"

/* One recipient. Addresses without brackets; an empty `from` is <>. */
struct smtp_envelope {
	struct view from, to;
	struct view envid; /* ENVID (RFC 3461 section 4.4); empty: none */
	size_t size;       /* octets of the message with CRLF; 0: not known */
	bool asks_first;   /* its content waits for the replies to MAIL and RCPT, also where it need not */
};

/* False for what cannot stand in a command: a control character (CR and LF first of all), a space, a bracket, no
 * recipient, more than LIMIT_ADDRESS octets; an envid that is longer than RFC 3461 allows. */
bool envelope_is_valid(const struct smtp_envelope *envelope) MUST_USE;
/* A non-ASCII address, which only SMTPUTF8 can carry. */
bool envelope_needs_smtputf8(const struct smtp_envelope *envelope);

/* Each appends one line with its CRLF: MAIL with SIZE, SMTPUTF8, RET=HDRS and ENVID, RCPT with NOTIFY=FAILURE
 * (or FAILURE,DELAY) and ORCPT. */
void envelope_write_mail(const struct smtp_envelope *envelope, const struct smtp_offers *offers, struct buf *out);
void envelope_write_rcpt(const struct smtp_envelope *envelope, const struct smtp_offers *offers, bool notify_delay,
			 struct buf *out);

#endif
