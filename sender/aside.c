#include "sender/aside.h"

#include <string.h>

static struct aside_key *find(struct aside *aside, struct view key)
{
	for (size_t i = 0; i < aside->count; i++) {
		if (view_eq(view_of(aside->keys[i].key), key))
			return &aside->keys[i];
	}
	return NULL;
}

void aside_note(struct aside *aside, struct view key, uint64_t relays, int64_t since_us)
{
	struct aside_key *found = find(aside, key);
	if (found != NULL) {
		found->relays |= relays;
		return;
	}
	if (aside->count == ASIDE_KEYS || key.len > BUDGET_KEY_MOST)
		return;
	found = &aside->keys[aside->count++];
	*found = (struct aside_key){ .relays = relays, .since_us = since_us };
	memcpy(found->key, key.data, key.len);
}

bool aside_next(struct aside *aside, uint64_t away, int64_t now_us, struct aside_key *ret_key)
{
	for (size_t i = 0; i < aside->count; i++) {
		struct aside_key *at = &aside->keys[i];
		if ((at->relays & ~away) == 0 || now_us - at->since_us < ASIDE_LEAST_US)
			continue;
		*ret_key = *at;
		*at = aside->keys[--aside->count];
		return true;
	}
	return false;
}

/* The doubtful are let go by themselves (sender/doubtful.h). */
static bool is_stuck(const struct recipient *recipient, uint64_t stuck)
{
	return recipient->relays != 0 && (recipient->relays & ~stuck) == 0 && !recipient->opened.is_doubtful &&
	       !recipient->run->is_leaving;
}

static void set_aside(struct aside *aside, struct queue *queue, struct recipient *recipient,
		      const struct aside_turn *turn)
{
	AUTO_BUF key = buf_with_ceiling(BUDGET_KEY_MOST);
	unsigned slot = (unsigned)__builtin_ctzll(recipient->relays);
	buf_addf(&key, "away:%s", turn->name(turn->owner, slot));
	aside_note(aside, buf_view(&key), recipient->relays, turn->boot_us);
	queue_park(queue, recipient, buf_view(&key), turn->wall_us + ASIDE_MOST_US, turn->wall_us);
}

void aside_park(struct aside *aside, struct queue *queue, const struct aside_turn *turn)
{
	size_t left = turn->window / ASIDE_SHARE;
	struct recipient *next;
	for (struct recipient *at = queue_first(queue, RECIPIENT_WAITING); at != NULL; at = next) {
		next = queue_next(at);
		if (!is_stuck(at, turn->stuck))
			continue;
		if (left > 0)
			left--;
		else
			set_aside(aside, queue, at, turn);
	}
}
