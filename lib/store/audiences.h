/* Whom a campaign is for: further lists, segments that narrow them down, lists and segments that are left out (schema/030, 037). */
#ifndef STORE_AUDIENCES_H
#define STORE_AUDIENCES_H

#include "store/db.h"
#include "store/lists.h"

enum { AUDIENCE_PARTS_MOST = 100 };

/* Views from audiences_get() are borrowed from its rows. */
struct audience_part {
	bool is_left_out;
	int64_t list_id, segment_id; /* one of them; both 0: the segment was removed since */
	struct view name;
	struct view definition; /* of a segment: as it was when the campaign started, or as it is now */
	/* of another list that copies go through: what they take from it, as it was when the campaign started, or as it is now */
	struct view list_title, list_header_id, list_headers;
};

/* All of it, as a value: it may be asked about before a campaign has it. */
struct audience {
	int64_t own_list;
	int64_t started_id; /* the campaign, once it has started and whom it reaches is settled; else 0 */
	struct audience_part parts[AUDIENCE_PARTS_MOST];
	size_t count; /* 0: the whole list and no other */
	/* What the parts borrow from: all of them, or each. audience_done() */
	struct db_rows *rows, *part_rows[AUDIENCE_PARTS_MOST];
};

/* Puts these in place of those that the campaign has; within the caller's transaction. */
enum err audiences_replace(struct db *db, struct view campaign, const struct audience_part *parts, size_t count,
			   struct buf *why) MUST_USE;
/* Names another list that its copies go through. */
static inline bool audience_part_is_target(const struct audience_part *part)
{
	return part->list_id != 0 && !part->is_left_out;
}
/* In their order; no row: the whole list. For audiences_get(). */
enum err audiences_read(struct db *db, uint64_t campaign_id, struct db_rows **ret_rows, struct buf *why) MUST_USE;
struct audience_part audiences_get(const struct db_rows *rows, size_t row);
/* How many of audiences_read() name another list. */
size_t audiences_count_targets(const struct db_rows *rows);

/* A campaign's, with its list. Release with audience_done(). */
enum err audience_load(struct db *db, uint64_t campaign_id, uint64_t own_list, bool has_started,
		       struct audience *ret_audience, struct buf *why) MUST_USE;
void audience_done(struct audience *audience); /* accepts a zeroed one */
/* The ids of the lists that its copies go through, the campaign's own first. */
void audience_lists(const struct audience *audience, struct db_array *ret_lists);
size_t audience_count_lists(const struct audience *audience);
/* Puts what a copy takes from the list that it goes through in place of what the campaign's own has. */
void audience_take_list(const struct audience *audience, int64_t list_id, struct list *list);

/* Of a campaign for several lists: how many go through each, a row each of name and people, its own list first: now, or once it has
 * started then. */
enum err audiences_by_list(struct db *db, uint64_t campaign_id, bool has_started, struct db_rows **ret_rows,
			   struct buf *why) MUST_USE;
struct audience_overlap {
	int64_t in_several;   /* active members of several of its lists */
	int64_t unsubscribed; /* of one, who unsubscribed from another */
};
enum err audiences_overlap(struct db *db, uint64_t campaign_id, struct audience_overlap *ret_overlap,
			   struct buf *why) MUST_USE;

/* Values $1 to $4 of a statement that asks audience_people() (schema/040): the arrays must outlive them. */
enum { AUDIENCE_VALUES = 4 };
struct audience_arrays {
	struct db_array lists, segments, lists_out, segments_out;
};
void audience_arrays(const struct audience *audience, struct audience_arrays *ret_arrays,
		     struct db_value values[AUDIENCE_VALUES]);
void audience_arrays_done(struct audience_arrays *arrays);

/* How many a campaign that has not started would go to now, those suppressed included. */
enum err audiences_count(struct db *db, uint64_t campaign_id, uint64_t *ret_count, struct buf *why) MUST_USE;
/* How many active members of the campaign's lists a part is about: those in the segment, or in the other list too; of another list that
 * its copies go through: its members. */
enum err audiences_count_part(struct db *db, const struct audience_part *part, uint64_t campaign_id,
			      uint64_t *ret_count, struct buf *why) MUST_USE;

#endif
