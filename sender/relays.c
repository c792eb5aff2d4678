#include "sender/relays.h"

#include <stdlib.h>

enum { RELAYS_MOST = 64 };

struct relays {
	struct relay *relays[RELAYS_MOST];
	size_t count;
};

enum err relays_new(const struct setup *setup, struct loop *loop, const struct relay_owner *owner,
		    struct relays **ret_relays)
{
	struct relays *relays = calloc(1, sizeof(*relays));
	if (relays == NULL)
		return ERR_MEMORY;
	enum err err = relay_new(setup, loop, owner, &relays->relays[0]);
	if (err != ERR_OK) {
		relays_done(relays);
		return err;
	}
	relays->count = 1;
	*ret_relays = relays;
	return ERR_OK;
}

void relays_done(struct relays *relays)
{
	if (relays == NULL)
		return;
	for (size_t i = 0; i < relays->count; i++)
		relay_done(relays->relays[i]);
	free(relays);
}

void relays_feed(struct relays *relays, int64_t now_us)
{
	for (size_t i = 0; i < relays->count; i++)
		relay_feed(relays->relays[i], now_us);
}

void relays_write(struct relays *relays, int64_t now_us)
{
	for (size_t i = 0; i < relays->count; i++)
		relay_write(relays->relays[i], now_us);
}

void relays_quit(struct relays *relays)
{
	for (size_t i = 0; i < relays->count; i++)
		relay_quit(relays->relays[i]);
}

void relays_cut(struct relays *relays, const struct run *run)
{
	for (size_t i = 0; i < relays->count; i++)
		relay_cut(relays->relays[i], run);
}

int64_t relays_wait(const struct relays *relays, int64_t now_us)
{
	int64_t least_us = -1;
	for (size_t i = 0; i < relays->count; i++) {
		int64_t wait_us = relay_wait(relays->relays[i], now_us);
		if (wait_us >= 0 && (least_us < 0 || wait_us < least_us))
			least_us = wait_us;
	}
	return least_us;
}

size_t relays_count(const struct relays *relays)
{
	return relays->count;
}

struct relay *relays_at(const struct relays *relays, size_t index)
{
	return relays->relays[index];
}

bool relays_have_news(const struct relays *relays)
{
	for (size_t i = 0; i < relays->count; i++) {
		if (relay_has_news(relays->relays[i]))
			return true;
	}
	return false;
}
