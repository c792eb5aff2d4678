/* The different domains that recipients of one session have had, for servers that limit them (RCPTDOMAINMAX of RFC 9422). */
#ifndef SMTP_DOMAIN_SET_H
#define SMTP_DOMAIN_SET_H

#include "base/buf.h"

/* Held by value; begin with domain_set_new(). It takes no memory before the first domain. */
struct domain_set {
	struct buf hashes; /* 8 octets each; two domains with one hash pass for one */
};

struct domain_set domain_set_new(void);
void domain_set_done(struct domain_set *set);
void domain_set_clear(struct domain_set *set);

/* Takes the domain of an address in; false when it is a new one and the set holds `most` already, or as many as it can
 * (LIMIT_SESSION_DOMAINS). */
bool domain_set_take(struct domain_set *set, struct view address, uint64_t most) MUST_USE;

#endif
