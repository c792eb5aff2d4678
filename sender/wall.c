#include "sender/wall.h"

#include "base/clock.h"

#define APART_US (INT64_C(5) * CLOCK_US_PER_SECOND)

void wall_hear(struct wall *wall, int64_t asked_us, int64_t heard_us, int64_t shown_us)
{
	int64_t least_us = shown_us - heard_us, most_us = shown_us - asked_us;
	if (!wall->is_known)
		wall->offset_us = least_us + (most_us - least_us) / 2;
	else if (wall->offset_us < least_us)
		wall->offset_us = least_us;
	else if (wall->offset_us > most_us)
		wall->offset_us = most_us;
	wall->is_known = true;
}

int64_t wall_at(const struct wall *wall, int64_t boot_us)
{
	return boot_us + wall->offset_us;
}

bool wall_gets_apart(struct wall *wall, int64_t boot_us, int64_t host_us, int64_t *ret_ahead_us)
{
	int64_t ahead_us = host_us - wall_at(wall, boot_us);
	bool is_apart = ahead_us > APART_US || ahead_us < -APART_US;
	bool is_news = is_apart && !wall->is_apart;
	wall->is_apart = is_apart;
	if (is_news)
		*ret_ahead_us = ahead_us;
	return is_news;
}
