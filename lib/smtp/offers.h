/* What a server offers in its reply to EHLO (RFC 5321 section 4.1.1.1). */
#ifndef SMTP_OFFERS_H
#define SMTP_OFFERS_H

#include "base/view.h"

enum smtp_extension {
	SMTP_PIPELINING,          /* RFC 2920 */
	SMTP_SIZE,                /* RFC 1870 */
	SMTP_DSN,                 /* RFC 3461 */
	SMTP_SMTPUTF8,            /* RFC 6531 */
	SMTP_ENHANCEDSTATUSCODES, /* RFC 2034 */
	SMTP_8BITMIME,            /* RFC 6152 */
	SMTP_EXTENSION_COUNT
};

struct smtp_offers {
	bool has[SMTP_EXTENSION_COUNT];
	uint64_t max_size; /* octets; 0: no limit is known */
};

/* Reads the lines of a reply's text; the first one is the server's name. Unknown keywords are passed over. */
struct smtp_offers smtp_offers_read(struct view reply_text);

#endif
