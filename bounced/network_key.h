/* The network that a peer is counted with: a /24 of IPv4, a /48 of IPv6; all peers of Unix sockets are one. */
#ifndef BOUNCED_NETWORK_KEY_H
#define BOUNCED_NETWORK_KEY_H

#include "net/endpoint.h"

enum { NETWORK_KEY_OCTETS = 15 };

/* Comparable by memcmp(). An IPv4 network as IPv4-mapped IPv6; all octets 0: Unix sockets. */
struct network_key {
	unsigned char octets[NETWORK_KEY_OCTETS];
};

struct network_key network_key_of(const struct endpoint *peer);
/* "192.0.2.0/24", "2001:db8:7::/48", "unix". */
void network_key_write(const struct network_key *key, struct buf *out);

#endif
