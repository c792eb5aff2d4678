/* The time of day, by the database's clock: what is written there is compared over hosts, whose own clocks may differ and jump. Between two
 * measurements it goes on with CLOCK_BOOTTIME. */
#ifndef SENDER_WALL_H
#define SENDER_WALL_H

#include <stdbool.h>
#include <stdint.h>

/* Begins zeroed. */
struct wall {
	int64_t offset_us; /* what the database's clock shows more than CLOCK_BOOTTIME */
	bool is_known;
	bool is_apart; /* of the host's clock: told */
};

/* Between these two instants of CLOCK_BOOTTIME the database's clock showed that. An offset that may still be right is kept, so that the time
 * goes on evenly. */
void wall_hear(struct wall *wall, int64_t asked_us, int64_t heard_us, int64_t shown_us);
int64_t wall_at(const struct wall *wall, int64_t boot_us);

/* How much the host's clock is ahead, where that is news: true once whenever it gets apart by more than five seconds. */
bool wall_gets_apart(struct wall *wall, int64_t boot_us, int64_t host_us, int64_t *ret_ahead_us);

#endif
