/* The relays of a worker. */
#ifndef SENDER_RELAYS_H
#define SENDER_RELAYS_H

#include "sender/relay.h"

struct relays;

enum err relays_new(const struct setup *setup, struct loop *loop, const struct relay_owner *owner,
		    struct relays **ret_relays) MUST_USE;
void relays_done(struct relays *relays); /* accepts NULL; cuts nothing off by itself */

/* What relay.h says, for each of them. */
void relays_feed(struct relays *relays, int64_t now_us);
void relays_write(struct relays *relays, int64_t now_us);
void relays_quit(struct relays *relays);
void relays_cut(struct relays *relays, const struct run *run);
int64_t relays_wait(const struct relays *relays, int64_t now_us);

size_t relays_count(const struct relays *relays);
struct relay *relays_at(const struct relays *relays, size_t index);
bool relays_have_news(const struct relays *relays);

#endif
