/* The machine-readable part of a delivery report: message/delivery-status of RFC 3464 and message/global-delivery-status of
 * RFC 6533. Views borrow from the text and may still be folded. */
#ifndef MAIL_DSN_H
#define MAIL_DSN_H

#include "mail/status.h"

enum { DSN_RECIPIENTS_MAX = 64 }; /* what follows is passed over */

/* RFC 3464 section 2.3.3 */
enum dsn_action { DSN_UNSTATED, DSN_FAILED, DSN_DELAYED, DSN_DELIVERED, DSN_RELAYED, DSN_EXPANDED, DSN_ACTION_COUNT };

struct dsn_recipient {
	struct view final;    /* the address of Final-Recipient without its type; empty when absent */
	struct view original; /* of Original-Recipient */
	enum dsn_action action;
	struct status status;
	struct view diagnostic; /* Diagnostic-Code with its type */
};

struct dsn {
	struct view reporting_mta; /* without its type */
	struct view envelope_id;   /* Original-Envelope-Id */
	struct dsn_recipient recipients[DSN_RECIPIENTS_MAX];
	size_t count;
};

/* False when it holds no recipient. */
bool dsn_read(struct view text, struct dsn *ret_dsn) MUST_USE;
const char *dsn_action_name(enum dsn_action action);

/* The value of a typed field ("rfc822; a@example.org (comment)") without type, angle brackets and comment. */
struct view dsn_untyped(struct view value);

#endif
