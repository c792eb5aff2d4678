/* Whom of its list a campaign is for: segments that narrow it down, lists and segments that are left out (schema/030). */
#ifndef STORE_AUDIENCES_H
#define STORE_AUDIENCES_H

#include "store/db.h"

enum { AUDIENCE_PARTS_MOST = 100 };

/* Views from audiences_get() are borrowed from its rows. */
struct audience_part {
	bool is_left_out;
	int64_t list_id, segment_id; /* one of them; both 0: the segment was removed since */
	struct view name;
	struct view definition; /* of a segment: as it was when the campaign started, or as it is now */
};

/* Puts these in place of those that the campaign has; within the caller's transaction. */
enum err audiences_replace(struct db *db, struct view campaign, const struct audience_part *parts, size_t count,
			   struct buf *why) MUST_USE;
/* In their order; no row: the whole list. For audiences_get(). */
enum err audiences_read(struct db *db, uint64_t campaign_id, struct db_rows **ret_rows, struct buf *why) MUST_USE;
struct audience_part audiences_get(const struct db_rows *rows, size_t row);

/* How many a campaign that has not started would go to now, those suppressed included. */
enum err audiences_count(struct db *db, uint64_t campaign_id, uint64_t *ret_count, struct buf *why) MUST_USE;
/* How many active members of the list a part is about: those in the segment, or in the other list too. */
enum err audiences_count_part(struct db *db, const struct audience_part *part, uint64_t list_id, uint64_t *ret_count,
			      struct buf *why) MUST_USE;

#endif
