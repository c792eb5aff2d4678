/* What a server offers in its reply to EHLO (RFC 5321 section 4.1.1.1). */
#ifndef SMTP_OFFERS_H
#define SMTP_OFFERS_H

#include "smtp/sasl.h"

enum smtp_extension {
	SMTP_PIPELINING,          /* RFC 2920 */
	SMTP_SIZE,                /* RFC 1870 */
	SMTP_DSN,                 /* RFC 3461 */
	SMTP_SMTPUTF8,            /* RFC 6531 */
	SMTP_ENHANCEDSTATUSCODES, /* RFC 2034 */
	SMTP_8BITMIME,            /* RFC 6152 */
	SMTP_CHUNKING,            /* RFC 3030 */
	SMTP_STARTTLS,            /* RFC 3207 */
	SMTP_AUTH,                /* RFC 4954 */
	SMTP_LIMITS,              /* RFC 9422 */
	SMTP_EXTENSION_COUNT
};

struct smtp_offers {
	bool has[SMTP_EXTENSION_COUNT];
	uint64_t max_size;    /* octets; 0: no limit is known */
	unsigned mechanisms;  /* of AUTH: bits 1u << SASL_x */
	uint64_t max_mails;   /* MAILMAX: transactions in a session; 0: no limit is known */
	uint64_t max_domains; /* RCPTDOMAINMAX: different domains of recipients in a session; 0: no limit is known */
};

/* Reads the lines of a reply's text; the first one is the server's name. Unknown keywords are passed over.
 * RCPTMAX is of no concern: a transaction has one recipient. */
struct smtp_offers smtp_offers_read(struct view reply_text);

#endif
