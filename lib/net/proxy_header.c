#include "net/proxy_header.h"

#include <string.h>

static const unsigned char signature[] = { '\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n' };

/* The fixed part: signature, version and command, family and protocol, length of the rest. */
enum {
	AT_COMMAND = sizeof(signature),
	AT_FAMILY,
	AT_LENGTH,
	FIXED = AT_LENGTH + 2,
	VERSION_2 = 0x20,
	COMMAND_LOCAL = 0,
	COMMAND_PROXY = 1,
	FAMILY_UNSPECIFIED = 0x00,
	FAMILY_TCP4 = 0x11,
	FAMILY_TCP6 = 0x21,
	FAMILY_UNIX = 0x31,
};

static bool is_well_begun(const unsigned char *octets, size_t len)
{
	size_t shown = len < sizeof(signature) ? len : sizeof(signature);
	if (len == 0)
		return true;
	if (memcmp(octets, signature, shown) != 0)
		return false;
	return len <= AT_COMMAND || octets[AT_COMMAND] == (VERSION_2 | COMMAND_LOCAL) ||
	       octets[AT_COMMAND] == (VERSION_2 | COMMAND_PROXY);
}

/* Source and destination stand one behind the other, then their ports. */
static bool take_v4(const unsigned char *octets, size_t len, struct endpoint *ret_client)
{
	enum { ADDRESS = 4, ALL = 12 };
	if (len < ALL)
		return false;
	*ret_client = (struct endpoint){ .address.v4.sin_family = AF_INET };
	memcpy(&ret_client->address.v4.sin_addr, octets, ADDRESS);
	memcpy(&ret_client->address.v4.sin_port, octets + 2 * (size_t)ADDRESS, 2);
	return true;
}

static bool take_v6(const unsigned char *octets, size_t len, struct endpoint *ret_client)
{
	enum { ADDRESS = 16, ALL = 36 };
	if (len < ALL)
		return false;
	*ret_client = (struct endpoint){ .address.v6.sin6_family = AF_INET6 };
	memcpy(&ret_client->address.v6.sin6_addr, octets, ADDRESS);
	memcpy(&ret_client->address.v6.sin6_port, octets + 2 * (size_t)ADDRESS, 2);
	return true;
}

enum proxy_verdict proxy_header_read(struct view bytes, size_t *ret_len, struct endpoint *ret_client)
{
	const unsigned char *octets = (const unsigned char *)bytes.data;
	if (!is_well_begun(octets, bytes.len))
		return PROXY_REFUSED;
	if (bytes.len < FIXED)
		return PROXY_WANTS_MORE;
	size_t rest = (size_t)octets[AT_LENGTH] << 8 | octets[AT_LENGTH + 1];
	if (FIXED + rest > PROXY_HEADER_MOST)
		return PROXY_REFUSED;
	if (bytes.len < FIXED + rest)
		return PROXY_WANTS_MORE;
	*ret_len = FIXED + rest;
	if (octets[AT_COMMAND] == (VERSION_2 | COMMAND_LOCAL))
		return PROXY_ITSELF;
	switch (octets[AT_FAMILY]) {
	case FAMILY_TCP4:
		return take_v4(octets + FIXED, rest, ret_client) ? PROXY_CLIENT : PROXY_REFUSED;
	case FAMILY_TCP6:
		return take_v6(octets + FIXED, rest, ret_client) ? PROXY_CLIENT : PROXY_REFUSED;
	case FAMILY_UNSPECIFIED:
	case FAMILY_UNIX:
		return PROXY_ITSELF;
	default:
		return PROXY_REFUSED;
	}
}
