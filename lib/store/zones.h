/* Local times of IANA zones, read with the server's zone data. A local time may mean one instant, two (clocks set back) or none
 * (clocks set forward). */
#ifndef STORE_ZONES_H
#define STORE_ZONES_H

#include "store/db.h"

enum {
	ZONE_READINGS = 4, /* more than any zone has had */
	ZONE_NAME_SIZE = 64,
	ZONE_LOCAL_SIZE = 20, /* "2026-12-24 18:00:00" and its NUL */
};

/* One way to read a local time: with one of the offsets in force around it. */
struct zone_reading {
	int64_t instant_us;          /* UTC */
	int offset_s;                /* east of UTC */
	bool exact;                  /* at that instant the zone's clocks do show the local time */
	char shows[ZONE_LOCAL_SIZE]; /* what they show */
};

struct zone_readings {
	char zone[ZONE_NAME_SIZE];             /* in the data's own spelling */
	struct zone_reading at[ZONE_READINGS]; /* by instant; the exact ones, or all when none is exact */
	size_t count;
	bool exact;
};

/* local is "YYYY-MM-DD HH:MM:SS". ERR_NOT_FOUND: no such zone (`why` names near ones); ERR_INVALID: no such date or time. */
enum err zones_read(struct db *db, struct view local, struct view zone, struct zone_readings *ret_readings,
		    struct buf *why) MUST_USE;

#endif
