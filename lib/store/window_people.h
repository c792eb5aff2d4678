/* The people of a window that a worker has opened (store/openings): all that is needed to send to them, and whether it may be done. Nearly all copies
 * come by here, so everything is read for all at once, and of the suppressions no more than can have changed since the audience was frozen (schema/007). */
#ifndef STORE_WINDOW_PEOPLE_H
#define STORE_WINDOW_PEOPLE_H

#include "store/db.h"

struct window_asked {
	int64_t list_id;
	const struct db_ints *ids;
	int64_t suppressed_up_to; /* ids of suppressions that were asked when the audience was frozen */
	int64_t younger;          /* at most so many have come since */
	int64_t addresses_at;     /* the version of addresses that this was said of */
};
/* Rows for window_people_get(), which the caller releases. Errors as db_run(). */
enum err window_people_read(struct db *db, const struct window_asked *asked, struct db_rows **ret_rows,
			    struct buf *why) MUST_USE;

/* Views are borrowed from the rows. */
struct window_person {
	struct view address, name, attributes;
	struct view skip_reason; /* why nothing may be sent; empty: it may */
};
/* Of this id, whose row is the guessed one unless somebody is gone: who is, was erased. */
struct window_person window_people_get(const struct db_rows *rows, int64_t id, size_t guess);

#endif
