/* What a worker's breakers have stopped, and the database: campaigns that are to be paused, and groups of domains in them that are to be
 * held. */
#ifndef SENDER_HOLDS_H
#define SENDER_HOLDS_H

#include "sender/run.h"

/* Something is still to be told. */
bool holds_wanted(const struct runs *runs);
/* Inside the caller's transaction, before anybody is parked for a hold. Errors as db_run(). */
enum err holds_write_groups(const struct runs *runs, struct db *db, struct buf *why) MUST_USE;
/* The campaigns, likewise. */
enum err holds_write(const struct runs *runs, struct db *db, struct buf *why) MUST_USE;
/* That transaction is committed. */
void holds_told(struct runs *runs);

#endif
