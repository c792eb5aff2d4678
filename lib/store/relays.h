/* The relay as the workers find it, for people to see: written when it changes, never read to decide. */
#ifndef STORE_RELAYS_H
#define STORE_RELAYS_H

#include "store/db.h"

/* An empty reason: it works again. */
enum err relays_report(struct db *db, struct view relay, struct view reason, int64_t retry_at_us,
		       struct buf *why) MUST_USE;

#endif
