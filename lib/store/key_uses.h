/* Where a signing key is still needed. */
#ifndef STORE_KEY_USES_H
#define STORE_KEY_USES_H

#include "store/db.h"

struct key_use {
	int64_t chunks;    /* of campaigns that are still being sent */
	int64_t deferrals; /* recipients waiting for another attempt */
	int64_t last_day;  /* days since 1970 of the newest copies signed with it; -1: none */
};

enum err key_uses_find(struct db *db, int64_t key_id, struct key_use *ret_use, struct buf *why) MUST_USE;

#endif
