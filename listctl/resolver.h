/* Asks the DNS, within a time. By libunbound; an answer is text that is safe to show (mail/dns_answer.h). */
#ifndef LISTCTL_RESOLVER_H
#define LISTCTL_RESOLVER_H

#include <stdint.h>

#include "mail/dns_answer.h"

struct resolver;

/* server: "192.0.2.1", "192.0.2.1@5353", or empty for those of /etc/resolv.conf. All questions together take no longer than patience_us from now
 * on: later ones fail. ERR_INVALID: `why` says what is wrong with the server; ERR_MEMORY. */
enum err resolver_new(const char *server, int64_t patience_us, struct resolver **ret_resolver,
		      struct buf *why) MUST_USE;
void resolver_done(struct resolver *resolver); /* accepts NULL */

/* Borrows the resolver. */
struct dns_source resolver_source(struct resolver *resolver);

#endif
