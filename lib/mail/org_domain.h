/* The organizational domain, which decides whether two domains are aligned (RFC 9989 section 4.4: relaxed): the one that somebody registered below a
 * public suffix. By the public suffix list of libpsl, which knows most of what the tree walk of RFC 9989 would find, without asking anybody. */
#ifndef MAIL_ORG_DOMAIN_H
#define MAIL_ORG_DOMAIN_H

#include "base/view.h"

/* The end of domain (A-labels, any case) that was registered; all of it when it is a public suffix itself, or none that is known. */
struct view org_domain(struct view domain);
/* Both are the same domain, or below the same organizational one. */
bool org_domain_aligned(struct view a, struct view b);

#endif
