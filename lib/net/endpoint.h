/* Where a stream goes to: an IP address and a TCP port, or the path of a Unix socket. */
#ifndef NET_ENDPOINT_H
#define NET_ENDPOINT_H

#include <netinet/in.h>
#include <sys/un.h>

#include "base/buf.h"

struct endpoint {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un local;
	} address;
};

/* "127.0.0.1:25" or "[::1]:25"; "*:25" is every IPv4 and IPv6 address. ERR_INVALID with `why`. */
enum err endpoint_parse(struct view text, struct endpoint *ret_endpoint, struct buf *why) MUST_USE;

/* A numeric address alone, without brackets and port ("192.0.2.1", "2001:db8::1"): where outgoing connections start
 * from. Its port is 0. */
bool endpoint_parse_host(struct view text, struct endpoint *ret_endpoint) MUST_USE;

/* A Unix socket by its absolute path. ERR_INVALID, ERR_TOO_BIG (the kernel takes 107 octets) with `why`. */
enum err endpoint_unix(struct view path, struct endpoint *ret_endpoint, struct buf *why) MUST_USE;
bool endpoint_is_unix(const struct endpoint *endpoint);

/* A numeric address, else a name asked of the system's resolver, which may block for seconds: only where that is
 * acceptable. Gives up to max addresses in the resolver's order. ERR_NOT_FOUND: there is no such host;
 * ERR_UNAVAILABLE: the resolver cannot tell now. */
enum err endpoint_resolve(struct view host, uint16_t port, struct endpoint *ret_endpoints, size_t max,
			  size_t *ret_count, struct buf *why) MUST_USE;

/* Appends the form that endpoint_parse() reads; "unix:/path" for a Unix socket. */
enum err endpoint_write(const struct endpoint *endpoint, struct buf *out);
/* The address alone: "192.0.2.1", "2001:db8::1"; an IPv4-mapped address as IPv4. A Unix socket as
 * endpoint_write() does. */
enum err endpoint_write_host(const struct endpoint *endpoint, struct buf *out);

/* 0 for a Unix socket. */
uint16_t endpoint_port(const struct endpoint *endpoint);
socklen_t endpoint_size(const struct endpoint *endpoint);

#endif
