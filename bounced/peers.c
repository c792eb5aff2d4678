#include "bounced/peers.h"

#include <stdlib.h>
#include <string.h>

/* The octets that name a network; an IPv4 network as IPv4-mapped IPv6. */
enum { V4_OCTETS = 3, V6_OCTETS = 6, KEY_OCTETS = 12 + V4_OCTETS };

struct network {
	unsigned char key[KEY_OCTETS];
	size_t sessions;
};

/* Sessions are few hundreds: a plain array is searched. */
struct peers {
	size_t max_all, max_network;
	size_t all, used;
	struct network networks[];
};

enum err peers_new(size_t max_all, size_t max_network, struct peers **ret_peers)
{
	struct peers *peers = calloc(1, sizeof(*peers) + max_all * sizeof(struct network));
	if (peers == NULL)
		return ERR_MEMORY;
	peers->max_all = max_all;
	peers->max_network = max_network;
	*ret_peers = peers;
	return ERR_OK;
}

void peers_done(struct peers *peers)
{
	free(peers);
}

static void make_key(const struct endpoint *peer, unsigned char key[KEY_OCTETS])
{
	memset(key, 0, KEY_OCTETS);
	if (peer->address.any.sa_family == AF_INET) {
		key[10] = key[11] = 0xff;
		memcpy(key + 12, &peer->address.v4.sin_addr, V4_OCTETS);
	} else if (IN6_IS_ADDR_V4MAPPED(&peer->address.v6.sin6_addr)) {
		memcpy(key, &peer->address.v6.sin6_addr, 12 + V4_OCTETS);
	} else {
		memcpy(key, &peer->address.v6.sin6_addr, V6_OCTETS);
	}
}

static struct network *find(struct peers *peers, const struct endpoint *peer, unsigned char key[KEY_OCTETS])
{
	make_key(peer, key);
	for (size_t i = 0; i < peers->used; i++) {
		if (memcmp(peers->networks[i].key, key, KEY_OCTETS) == 0)
			return &peers->networks[i];
	}
	return NULL;
}

enum peers_verdict peers_enter(struct peers *peers, const struct endpoint *peer)
{
	unsigned char key[KEY_OCTETS];
	if (peers->all >= peers->max_all)
		return PEERS_FULL;
	struct network *network = find(peers, peer, key);
	if (network == NULL) {
		network = &peers->networks[peers->used++];
		*network = (struct network){ 0 };
		memcpy(network->key, key, KEY_OCTETS);
	}
	if (network->sessions >= peers->max_network)
		return PEERS_NETWORK_FULL;
	network->sessions++;
	peers->all++;
	return PEERS_WELCOME;
}

void peers_leave(struct peers *peers, const struct endpoint *peer)
{
	unsigned char key[KEY_OCTETS];
	struct network *network = find(peers, peer, key);
	if (network == NULL || network->sessions == 0)
		return;
	peers->all--;
	if (--network->sessions == 0)
		*network = peers->networks[--peers->used];
}

size_t peers_count(const struct peers *peers)
{
	return peers->all;
}
