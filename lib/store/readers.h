/* For whom the templates of a campaign are: its audience, one of whom is shown a copy. */
#ifndef STORE_READERS_H
#define STORE_READERS_H

#include "store/audiences.h"

/* Views borrowed from the rows. */
struct reader {
	uint64_t id;
	struct view address, name, attributes;
	int64_t list_id; /* the list that their copy goes through */
	bool is_reached; /* or would be: not, when they are in one of the lists and not in the audience */
};
/* The member of one of its lists with that address key, active or not; with an empty key one of the audience, from near the fraction 0..1 of its
 * lists. ERR_NOT_FOUND. */
enum err readers_find(struct db *db, const struct audience *audience, struct view address_key, double fraction,
		      struct reader *ret_reader, struct db_rows **ret_rows, struct buf *why) MUST_USE;

/* How many they are: those suppressed included. */
enum err readers_count(struct db *db, const struct audience *audience, uint64_t *ret_count, struct buf *why) MUST_USE;

/* The first of them by id, so many at most: a row (id, list id) each. And all about some of these rows, for readers_get(). */
enum err readers_first(struct db *db, const struct audience *audience, uint64_t most, struct db_rows **ret_rows,
		       struct buf *why) MUST_USE;
enum err readers_page(struct db *db, const struct db_rows *first, size_t from, size_t count, struct db_rows **ret_rows,
		      struct buf *why) MUST_USE;
struct reader readers_get(const struct db_rows *rows, size_t row);

#endif
