/* Where a relay can be reached: the addresses of its host's name, in turn, or its Unix socket. */
#ifndef SENDER_RELAY_ENDPOINTS_H
#define SENDER_RELAY_ENDPOINTS_H

#include "sender/relay_terms.h"

enum { RELAY_ENDPOINTS_MOST = 16 };

/* Begins zeroed. */
struct relay_endpoints {
	struct endpoint endpoints[RELAY_ENDPOINTS_MOST];
	size_t count; /* 0: to be looked up */
	size_t next;
};

/* Looks the host up, unless that was done; waits for the answer. False: there is none, or none that the source address can reach; `why` says
 * so. */
bool relay_endpoints_find(struct relay_endpoints *endpoints, const struct relay_terms *terms, struct buf *why) MUST_USE;
/* After relay_endpoints_find(). Borrowed until the next one. */
const struct endpoint *relay_endpoints_next(struct relay_endpoints *endpoints);
/* They are looked up again. */
void relay_endpoints_forget(struct relay_endpoints *endpoints);

#endif
