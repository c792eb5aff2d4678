#include "sender/doubtful.h"

#include "base/clock.h"

static bool has_waited(struct recipient *recipient, const struct doubtful_turn *turn)
{
	if ((recipient->relays & turn->working) != 0)
		recipient->stuck_us = 0;
	else if (recipient->stuck_us == 0)
		recipient->stuck_us = turn->boot_us;
	return recipient->stuck_us != 0 &&
	       turn->boot_us - recipient->stuck_us >= DOUBTFUL_WAITS_S * CLOCK_US_PER_SECOND;
}

void doubtful_go_back(struct queue *queue, const struct doubtful_turn *turn)
{
	struct recipient *next;
	for (struct recipient *at = queue_first(queue, RECIPIENT_WAITING); at != NULL; at = next) {
		next = queue_next(at);
		if (at->opened.is_doubtful && !at->run->is_leaving && has_waited(at, turn))
			queue_park(queue, at, VIEW_LIT(""), turn->wall_us + turn->again_us, turn->wall_us);
	}
}
