/* The header by which a proxy in front of a listener says who its client is: PROXY protocol, version 2 (HAProxy's proxy-protocol.txt,
 * section 2.2). Pure. */
#ifndef NET_PROXY_HEADER_H
#define NET_PROXY_HEADER_H

#include "net/endpoint.h"

/* With all that may be appended to it; a longer one is refused. */
enum { PROXY_HEADER_MOST = 4096 };

enum proxy_verdict {
	PROXY_WANTS_MORE, /* so far it could be one */
	PROXY_CLIENT,     /* whole; it names a client */
	PROXY_ITSELF,     /* whole; the proxy speaks for itself, or for a client without an IP address */
	PROXY_REFUSED     /* it is none */
};

/* Reads what has come so far. When whole: how many octets it has, and the client. */
enum proxy_verdict proxy_header_read(struct view bytes, size_t *ret_len, struct endpoint *ret_client);

#endif
