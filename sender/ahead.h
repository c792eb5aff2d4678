/* How many recipients a worker opens ahead of its connections. Each transaction has its price, so that whoever sends fast opens many at once; and
 * all that is open may be in doubt when a host is lost with its disk, so that whoever sends slowly opens fewer.
 * Times are boot time. */
#ifndef SENDER_AHEAD_H
#define SENDER_AHEAD_H

#include <stddef.h>
#include <stdint.h>

/* No fewer, unless the setting says so: recipients of a relay that is stuck must leave room for those of another. */
enum { AHEAD_LEAST = 4000 };

struct ahead {
	size_t size; /* recipients */
	size_t most; /* sender.window */
	int64_t opened_us;
};

struct ahead ahead_new(size_t most);
/* Some were opened, because nearly all of the last ones had been begun. */
void ahead_opened(struct ahead *ahead, int64_t now_us);

#endif
