#include "sender/relay_endpoints.h"

/* Only addresses that the source address can reach. */
static size_t keep_family(const struct relay_terms *terms, struct endpoint *endpoints, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		if (endpoints[i].address.any.sa_family == terms->source.address.any.sa_family)
			endpoints[kept++] = endpoints[i];
	}
	return kept;
}

bool relay_endpoints_find(struct relay_endpoints *endpoints, const struct relay_terms *terms, struct buf *why)
{
	size_t count = 1;
	if (endpoints->count > 0)
		return true;
	if (*terms->host == '\0')
		endpoints->endpoints[0] = terms->socket;
	else if (endpoint_resolve(view_of(terms->host), terms->port, endpoints->endpoints, RELAY_ENDPOINTS_MOST, &count,
				  why) != ERR_OK)
		return false;
	if (terms->has_source && *terms->host != '\0')
		count = keep_family(terms, endpoints->endpoints, count);
	if (count == 0)
		buf_addf(why, "%s has no address that its source address can reach", terms->host);
	endpoints->count = count;
	return count > 0;
}

const struct endpoint *relay_endpoints_next(struct relay_endpoints *endpoints)
{
	return &endpoints->endpoints[endpoints->next++ % endpoints->count];
}

void relay_endpoints_forget(struct relay_endpoints *endpoints)
{
	endpoints->count = 0;
}
