#include "bounced/network_key.h"

#include <arpa/inet.h>
#include <string.h>

enum { V4_AT = 12, V4_OCTETS = 3, V6_OCTETS = 6, MAPPED_AT = 10 };

struct network_key network_key_of(const struct endpoint *peer)
{
	struct network_key key = { 0 };
	if (endpoint_is_unix(peer))
		return key;
	if (peer->address.any.sa_family == AF_INET) {
		key.octets[MAPPED_AT] = key.octets[MAPPED_AT + 1] = 0xff;
		memcpy(key.octets + V4_AT, &peer->address.v4.sin_addr, V4_OCTETS);
	} else if (IN6_IS_ADDR_V4MAPPED(&peer->address.v6.sin6_addr)) {
		memcpy(key.octets, &peer->address.v6.sin6_addr, V4_AT + V4_OCTETS);
	} else {
		memcpy(key.octets, &peer->address.v6.sin6_addr, V6_OCTETS);
	}
	return key;
}

void network_key_write(const struct network_key *key, struct buf *out)
{
	static const struct network_key none;
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address = { 0 };
	memcpy(&address, key->octets, sizeof(key->octets));
	if (memcmp(key, &none, sizeof(none)) == 0)
		buf_addf(out, "unix");
	else if (IN6_IS_ADDR_V4MAPPED(&address))
		buf_addf(out, "%s/24", inet_ntop(AF_INET, address.s6_addr + V4_AT, text, sizeof(text)));
	else
		buf_addf(out, "%s/48", inet_ntop(AF_INET6, &address, text, sizeof(text)));
}
