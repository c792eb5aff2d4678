/* What a worker tells of the campaigns that it is leaving, for people who wait for it: how many messages of each are still under way. And, at
 * long intervals, that it lives. */
#ifndef SENDER_LEAVING_H
#define SENDER_LEAVING_H

#include "sender/run.h"
#include "store/workers.h"

struct leaving {
	struct db *db;
	struct worker_tenure *tenure;
	int64_t seen_us; /* boot time: when to say next that it lives */
};

/* Tells what has changed since it was told last. all: the worker stops, and leaves every campaign. ERR_NOT_FOUND: the worker was forgotten, or another process has it;
 * else as db_run(). */
enum err leaving_tell(struct leaving *leaving, const struct runs *runs, bool all, int64_t boot_us,
		      struct buf *why) MUST_USE;

#endif
