#include "bounced/networks.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { V4_BITS = 32, V6_BITS = 128, V4_AT = 12, OCTETS = 16, TEXT_MOST = 64 };

/* IPv4 as IPv4-mapped IPv6. */
struct network {
	unsigned char octets[OCTETS];
	unsigned bits;
};

struct networks {
	bool has_unix;
	size_t count;
	struct network networks[];
};

static void map_v4(unsigned char octets[OCTETS])
{
	memset(octets, 0, V4_AT);
	octets[10] = octets[11] = 0xff;
}

static bool parse_address(struct view text, struct network *network, unsigned *ret_most)
{
	char name[TEXT_MOST];
	if (text.len >= sizeof(name))
		return false;
	memcpy(name, text.data, text.len);
	name[text.len] = '\0';
	map_v4(network->octets);
	*ret_most = V4_BITS;
	if (inet_pton(AF_INET, name, network->octets + V4_AT) == 1)
		return true;
	*ret_most = V6_BITS;
	return inet_pton(AF_INET6, name, network->octets) == 1;
}

static bool parse_network(struct view word, struct network *ret_network)
{
	struct view address;
	unsigned most;
	uint64_t bits;
	struct view rest = word;
	if (!view_cut(&rest, '/', &address) || !parse_address(address, ret_network, &most))
		return false;
	bits = most;
	if (address.len < word.len && !view_to_u64(rest, most, &bits))
		return false;
	ret_network->bits = V6_BITS - most + (unsigned)bits;
	return true;
}

static size_t count_words(struct view text)
{
	size_t count = 1;
	for (size_t i = 0; i < text.len; i++)
		count += text.data[i] == ' ';
	return count;
}

enum err networks_parse(struct view text, struct networks **ret_networks, struct buf *why)
{
	struct networks *networks = calloc(1, sizeof(*networks) + count_words(text) * sizeof(networks->networks[0]));
	struct view word;
	if (networks == NULL)
		return ERR_MEMORY;
	while (view_cut(&text, ' ', &word)) {
		if (view_eq(word, VIEW_LIT("unix")))
			networks->has_unix = true;
		if (word.len == 0 || view_eq(word, VIEW_LIT("unix")))
			continue;
		if (!parse_network(word, &networks->networks[networks->count++])) {
			buf_addf(why,
				 "\"" VIEW_FMT
				 "\" is no network such as 192.0.2.0/24 or 2001:db8::1, nor the word unix",
				 VIEW_ARG(word));
			networks_done(networks);
			return ERR_INVALID;
		}
	}
	*ret_networks = networks;
	return ERR_OK;
}

void networks_done(struct networks *networks)
{
	free(networks);
}

static bool is_in(const struct network *network, const unsigned char octets[OCTETS])
{
	unsigned whole = network->bits / 8, rest = network->bits % 8;
	if (memcmp(network->octets, octets, whole) != 0)
		return false;
	return rest == 0 || (network->octets[whole] ^ octets[whole]) >> (8 - rest) == 0;
}

bool networks_have(const struct networks *networks, const struct endpoint *endpoint)
{
	unsigned char octets[OCTETS];
	int family = endpoint->address.any.sa_family;
	map_v4(octets);
	if (family == AF_INET)
		memcpy(octets + V4_AT, &endpoint->address.v4.sin_addr, sizeof(endpoint->address.v4.sin_addr));
	else if (family == AF_INET6)
		memcpy(octets, &endpoint->address.v6.sin6_addr, sizeof(octets));
	else
		return networks->has_unix && endpoint_is_unix(endpoint);
	for (size_t i = 0; i < networks->count; i++) {
		if (is_in(&networks->networks[i], octets))
			return true;
	}
	return false;
}

bool networks_are_none(const struct networks *networks)
{
	return networks->count == 0 && !networks->has_unix;
}
