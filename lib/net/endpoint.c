#include "net/endpoint.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>

#include "base/limits.h"

bool endpoint_is_unix(const struct endpoint *endpoint)
{
	return endpoint->address.any.sa_family == AF_UNIX;
}

uint16_t endpoint_port(const struct endpoint *endpoint)
{
	if (endpoint_is_unix(endpoint))
		return 0;
	return ntohs(endpoint->address.any.sa_family == AF_INET6 ? endpoint->address.v6.sin6_port
								 : endpoint->address.v4.sin_port);
}

static void set_port(struct endpoint *endpoint, uint16_t port)
{
	if (endpoint->address.any.sa_family == AF_INET6)
		endpoint->address.v6.sin6_port = htons(port);
	else
		endpoint->address.v4.sin_port = htons(port);
}

socklen_t endpoint_size(const struct endpoint *endpoint)
{
	if (endpoint_is_unix(endpoint))
		return sizeof(endpoint->address.local);
	return endpoint->address.any.sa_family == AF_INET6 ? sizeof(endpoint->address.v6)
							   : sizeof(endpoint->address.v4);
}

bool endpoint_parse_host(struct view text, struct endpoint *ret_endpoint)
{
	char host[INET6_ADDRSTRLEN];
	if (text.len == 0 || text.len >= sizeof(host))
		return false;
	memcpy(host, text.data, text.len);
	host[text.len] = '\0';
	struct endpoint endpoint = { 0 };
	if (inet_pton(AF_INET, host, &endpoint.address.v4.sin_addr) == 1)
		endpoint.address.any.sa_family = AF_INET;
	else if (inet_pton(AF_INET6, host, &endpoint.address.v6.sin6_addr) == 1)
		endpoint.address.any.sa_family = AF_INET6;
	else
		return false;
	*ret_endpoint = endpoint;
	return true;
}

/* Cuts "[::1]:25" and "127.0.0.1:25" into host and port. */
static bool split(struct view text, struct view *ret_host, struct view *ret_port)
{
	size_t colon = view_find_last_byte(text, ':');
	if (colon == VIEW_NONE)
		return false;
	struct view host = view_head(text, colon);
	if (view_starts(host, VIEW_LIT("[")) && view_ends(host, VIEW_LIT("]")) && host.len > 2)
		host = view_slice(host, 1, host.len - 1);
	else if (view_find_byte(host, ':') != VIEW_NONE)
		return false;
	*ret_host = host;
	*ret_port = view_skip(text, colon + 1);
	return true;
}

enum err endpoint_parse(struct view text, struct endpoint *ret_endpoint, struct buf *why)
{
	struct view host, port_text;
	uint64_t port;
	struct endpoint endpoint;
	if (!split(text, &host, &port_text) || !view_to_u64(port_text, UINT16_MAX, &port)) {
		buf_addf(why, "\"" VIEW_FMT "\" is no address with a port: write 127.0.0.1:25 or [::1]:25",
			 VIEW_ARG(text));
		return ERR_INVALID;
	}
	/* One socket of IPv6 that takes IPv4 too. */
	if (view_eq(host, VIEW_LIT("*")))
		host = VIEW_LIT("::");
	if (!endpoint_parse_host(host, &endpoint)) {
		buf_addf(why, "\"" VIEW_FMT "\" is no IP address: write one such as 127.0.0.1 or [::1], or * for all",
			 VIEW_ARG(host));
		return ERR_INVALID;
	}
	set_port(&endpoint, (uint16_t)port);
	*ret_endpoint = endpoint;
	return ERR_OK;
}

enum err endpoint_unix(struct view path, struct endpoint *ret_endpoint, struct buf *why)
{
	struct endpoint endpoint = { .address.local.sun_family = AF_UNIX };
	if (!view_starts(path, VIEW_LIT("/")) || view_has_control(path)) {
		buf_addf(why, "\"" VIEW_FMT "\" is no path of a socket: write it from the root on, as /run/relay.sock",
			 VIEW_ARG(path));
		return ERR_INVALID;
	}
	if (path.len >= sizeof(endpoint.address.local.sun_path)) {
		buf_addf(why, "the path of the socket has more than %zu octets: choose a shorter one",
			 sizeof(endpoint.address.local.sun_path) - 1);
		return ERR_TOO_BIG;
	}
	memcpy(endpoint.address.local.sun_path, path.data, path.len);
	*ret_endpoint = endpoint;
	return ERR_OK;
}

static enum err why_not_resolved(int error, struct view host, struct buf *why)
{
	buf_addf(why, "the host \"" VIEW_FMT "\" was not found: %s", VIEW_ARG(host), gai_strerror(error));
	return error == EAI_NONAME ? ERR_NOT_FOUND : error == EAI_MEMORY ? ERR_MEMORY : ERR_UNAVAILABLE;
}

static enum err ask_resolver(struct view host, uint16_t port, struct endpoint *ret_endpoints, size_t max,
			     size_t *ret_count, struct buf *why)
{
	AUTO_BUF name = buf_with_ceiling(LIMIT_DOMAIN);
	if (buf_add(&name, host) != ERR_OK || view_has_control(host)) {
		buf_addf(why, "the host name is no domain name: correct it");
		return ERR_INVALID;
	}
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int error = getaddrinfo(buf_text(&name), NULL, &hints, &found);
	if (error != 0)
		return why_not_resolved(error, host, why);
	size_t count = 0;
	for (struct addrinfo *info = found; info != NULL && count < max; info = info->ai_next) {
		if (info->ai_addrlen > sizeof(ret_endpoints[0].address))
			continue;
		memcpy(&ret_endpoints[count].address, info->ai_addr, info->ai_addrlen);
		set_port(&ret_endpoints[count], port);
		count++;
	}
	freeaddrinfo(found);
	*ret_count = count;
	return ERR_OK;
}

enum err endpoint_resolve(struct view host, uint16_t port, struct endpoint *ret_endpoints, size_t max,
			  size_t *ret_count, struct buf *why)
{
	struct view bare = host;
	if (view_starts(host, VIEW_LIT("[")) && view_ends(host, VIEW_LIT("]")))
		bare = view_slice(host, 1, host.len - 1);
	struct endpoint endpoint;
	if (!endpoint_parse_host(bare, &endpoint))
		return ask_resolver(host, port, ret_endpoints, max, ret_count, why);
	set_port(&endpoint, port);
	ret_endpoints[0] = endpoint;
	*ret_count = 1;
	return ERR_OK;
}

enum err endpoint_write_host(const struct endpoint *endpoint, struct buf *out)
{
	char text[INET6_ADDRSTRLEN] = "";
	if (endpoint_is_unix(endpoint)) {
		struct view path =
		    view_from(endpoint->address.local.sun_path,
			      strnlen(endpoint->address.local.sun_path, sizeof(endpoint->address.local.sun_path)));
		return buf_addf(out, "unix:" VIEW_FMT, VIEW_ARG(path));
	}
	if (endpoint->address.any.sa_family != AF_INET6) {
		inet_ntop(AF_INET, &endpoint->address.v4.sin_addr, text, sizeof(text));
		return buf_add(out, view_of(text));
	}
	const struct in6_addr *v6 = &endpoint->address.v6.sin6_addr;
	enum { MAPPED_PREFIX = 12 };
	if (IN6_IS_ADDR_V4MAPPED(v6))
		inet_ntop(AF_INET, v6->s6_addr + MAPPED_PREFIX, text, sizeof(text));
	else
		inet_ntop(AF_INET6, v6, text, sizeof(text));
	return buf_add(out, view_of(text));
}

enum err endpoint_write(const struct endpoint *endpoint, struct buf *out)
{
	if (endpoint_is_unix(endpoint))
		return endpoint_write_host(endpoint, out);
	bool is_v6 =
	    endpoint->address.any.sa_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&endpoint->address.v6.sin6_addr);
	if (is_v6)
		buf_add_byte(out, '[');
	endpoint_write_host(endpoint, out);
	return buf_addf(out, is_v6 ? "]:%u" : ":%u", endpoint_port(endpoint));
}
