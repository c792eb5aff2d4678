/* How many sessions each network (bounced/network_key.h) has, so that no single one takes them all. */
#ifndef BOUNCED_PEERS_H
#define BOUNCED_PEERS_H

#include "net/endpoint.h"

struct peers;

/* At most max_all sessions, and max_network of one network. ERR_MEMORY. */
enum err peers_new(size_t max_all, size_t max_network, struct peers **ret_peers) MUST_USE;
void peers_done(struct peers *peers); /* accepts NULL */

enum peers_verdict { PEERS_WELCOME, PEERS_FULL, PEERS_NETWORK_FULL };
/* Counts a session in when it is welcome; then peers_leave() counts it out. */
enum peers_verdict peers_enter(struct peers *peers, const struct endpoint *peer);
void peers_leave(struct peers *peers, const struct endpoint *peer);
size_t peers_count(const struct peers *peers);

#endif
