/* For whom the templates of a list's campaigns are: its members, one of whom is shown a copy. */
#ifndef STORE_READERS_H
#define STORE_READERS_H

#include "store/db.h"

/* Views borrowed from the rows. */
struct reader {
	uint64_t id;
	struct view address, name, attributes;
};
/* The member with that address key; with an empty key an active one near the fraction 0..1 of the list. ERR_NOT_FOUND. */
enum err readers_find(struct db *db, uint64_t list_id, struct view address_key, double fraction,
		      struct reader *ret_reader, struct db_rows **ret_rows, struct buf *why) MUST_USE;

#endif
