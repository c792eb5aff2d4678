/* A set of IP networks, as a person writes it: "192.0.2.0/24 2001:db8::/32 203.0.113.7 unix", separated by spaces; unix: peers of Unix
 * sockets. */
#ifndef BOUNCED_NETWORKS_H
#define BOUNCED_NETWORKS_H

#include "net/endpoint.h"

struct networks;

/* The empty text is the empty set. ERR_INVALID: `why` names the word that is no network; ERR_MEMORY. */
enum err networks_parse(struct view text, struct networks **ret_networks, struct buf *why) MUST_USE;
void networks_done(struct networks *networks); /* accepts NULL */

/* An IPv4-mapped IPv6 address counts as its IPv4 address; a Unix socket is in those with the word unix. */
bool networks_have(const struct networks *networks, const struct endpoint *endpoint);
bool networks_are_none(const struct networks *networks);

#endif
