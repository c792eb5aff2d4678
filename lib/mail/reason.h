/* What a message that came back is (kind) and why (reason). The words are those of the database and of every report. */
#ifndef MAIL_REASON_H
#define MAIL_REASON_H

#include <stdbool.h>

#include "base/view.h"

enum bounce_kind {
	KIND_UNKNOWN,
	KIND_HARD, /* bounce-hard */
	KIND_SOFT, /* bounce-soft */
	KIND_DELAY,
	KIND_COMPLAINT,
	KIND_AUTO_REPLY,
	KIND_NOT_BOUNCE,
	KIND_COUNT
};

enum bounce_reason {
	REASON_OTHER,
	REASON_USER_UNKNOWN,
	REASON_DOMAIN_UNKNOWN,
	REASON_NULL_MX, /* domain-unknown with certainty (RFC 7505); written "null-mx", counts at once */
	REASON_MOVED,
	REASON_MAILBOX_DISABLED,
	REASON_MAILBOX_FULL,
	REASON_MESSAGE_TOO_BIG,
	REASON_SPAM_CONTENT,
	REASON_SENDER_BLOCKED,
	REASON_AUTH_FAILURE,
	REASON_SENDER_REJECTED,
	REASON_RATE_LIMITED,
	REASON_RELAY_DENIED,
	REASON_NETWORK,
	REASON_ROUTING_LOOP,
	REASON_SYSTEM_ERROR,
	REASON_PROTOCOL_ERROR,
	REASON_POLICY,
	REASON_COMPLAINT,
	REASON_AUTO_REPLY,
	REASON_COUNT
};

const char *kind_name(enum bounce_kind kind);            /* "bounce-hard" ... "unknown" */
const char *reason_name(enum bounce_reason reason);      /* "user-unknown" ... */
const char *reason_explained(enum bounce_reason reason); /* a short phrase for people */
bool kind_from_name(struct view name, enum bounce_kind *ret_kind) MUST_USE;
bool reason_from_name(struct view name, enum bounce_reason *ret_reason) MUST_USE;

/* True for the reasons that are about us and never count against an address (spam-content, sender-blocked, auth-failure,
 * sender-rejected, rate-limited, message-too-big, protocol-error). */
bool reason_is_about_us(enum bounce_reason reason);
/* True for the only reasons that count when a relay says them in the SMTP session itself: user-unknown, domain-unknown, null-mx, moved,
 * mailbox-disabled, mailbox-full. */
bool reason_counts_from_relay(enum bounce_reason reason);

#endif
