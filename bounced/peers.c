#include "bounced/peers.h"

#include <stdlib.h>
#include <string.h>

#include "bounced/network_key.h"

struct network {
	struct network_key key;
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

static struct network *find(struct peers *peers, const struct network_key *key)
{
	for (size_t i = 0; i < peers->used; i++) {
		if (memcmp(&peers->networks[i].key, key, sizeof(*key)) == 0)
			return &peers->networks[i];
	}
	return NULL;
}

enum peers_verdict peers_enter(struct peers *peers, const struct endpoint *peer)
{
	struct network_key key = network_key_of(peer);
	if (peers->all >= peers->max_all)
		return PEERS_FULL;
	struct network *network = find(peers, &key);
	if (network == NULL) {
		network = &peers->networks[peers->used++];
		*network = (struct network){ .key = key };
	}
	if (network->sessions >= peers->max_network)
		return PEERS_NETWORK_FULL;
	network->sessions++;
	peers->all++;
	return PEERS_WELCOME;
}

void peers_leave(struct peers *peers, const struct endpoint *peer)
{
	struct network_key key = network_key_of(peer);
	struct network *network = find(peers, &key);
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
