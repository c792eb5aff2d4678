/* The audience of a campaign, frozen when it starts: who is to get a copy then, in chunks of ids. */
#ifndef STORE_FREEZES_H
#define STORE_FREEZES_H

#include "store/db.h"

/* In the transaction that starts the campaign, before it is set running: who is in its audience (schema/030) stands in chunks of up to
 * chunk_size, those of a local time apart, and who is suppressed has a ledger row already. *ret_fallback: how many have no zone of their own, -1
 * without local times. */
enum err freezes_make(struct db *db, int64_t campaign_id, size_t chunk_size, int64_t *ret_audience,
		      int64_t *ret_fallback, struct buf *why) MUST_USE;

#endif
