/* An IP address and a TCP port. */
#ifndef NET_ENDPOINT_H
#define NET_ENDPOINT_H

#include <netinet/in.h>

#include "base/buf.h"

struct endpoint {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address;
};

/* "127.0.0.1:25" or "[::1]:25"; "*:25" is every IPv4 and IPv6 address. ERR_INVALID with `why`. */
enum err endpoint_parse(struct view text, struct endpoint *ret_endpoint, struct buf *why) MUST_USE;

/* A numeric address, else a name asked of the system's resolver, which may block for seconds: only where that is
 * acceptable. Gives up to max addresses in the resolver's order. ERR_NOT_FOUND: there is no such host;
 * ERR_UNAVAILABLE: the resolver cannot tell now. */
enum err endpoint_resolve(struct view host, uint16_t port, struct endpoint *ret_endpoints, size_t max,
			  size_t *ret_count, struct buf *why) MUST_USE;

/* Appends the form that endpoint_parse() reads. */
enum err endpoint_write(const struct endpoint *endpoint, struct buf *out);
/* The address alone: "192.0.2.1", "2001:db8::1"; an IPv4-mapped address as IPv4. */
enum err endpoint_write_host(const struct endpoint *endpoint, struct buf *out);

uint16_t endpoint_port(const struct endpoint *endpoint);
socklen_t endpoint_size(const struct endpoint *endpoint);

#endif
