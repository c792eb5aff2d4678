/* Segments: named descriptions of people, by a jsonpath predicate over their attributes and by facts about them, all of which must hold
 * (schema/029 and 035). */
#ifndef STORE_SEGMENTS_H
#define STORE_SEGMENTS_H

#include "store/db.h"

enum segment_index {
	SEGMENT_INDEX_NONE,
	SEGMENT_INDEX_MAKING, /* by somebody, perhaps by a server whose answer nobody waits for any more */
	SEGMENT_INDEX_BROKEN, /* left by one that was broken off, or of another predicate: of no use, and in the way of imports */
	SEGMENT_INDEX_WHOLE
};

/* Views from segments_get() are borrowed from its rows. Names in lists are parted by commas. Numbers are days; 0, and the empty view: no such
 * fact. */
struct segment {
	int64_t id;
	struct view name, about;
	struct view predicate; /* as a person wrote it */
	int64_t joined_before_us, joined_after_us;
	int64_t joined_days_most, joined_days_least; /* at most, at least so long ago */
	int64_t accepted_days;                       /* a message was accepted in so many days */
	int64_t silent_days;                         /* none was */
	struct view bounced_reasons;
	int64_t bounced_days;
	struct view member_of, not_member_of; /* active in each, in none of these lists */
	/* filled by segments_get() */
	struct view text; /* the whole as a sentence */
	enum segment_index index;
	int64_t created_us;
};

/* Whether the server takes the text for a predicate: ERR_INVALID, with what it says, when it is no jsonpath; *ret_is_predicate is false when it is
 * one that is neither true nor false, as $.country. */
enum err segments_judge(struct db *db, struct view predicate, bool *ret_is_predicate, struct buf *why) MUST_USE;

/* The same for a part of one, as jsonpath_part() cuts it out: ERR_INVALID, with what the server says, when that is what it does not take. */
enum err segments_judge_part(struct db *db, struct view question, struct buf *why) MUST_USE;

/* In the caller's transaction, for the rest of it: nobody else changes the segment. ERR_NOT_FOUND with a sentence. */
enum err segments_lock(struct db *db, struct view name, struct buf *why) MUST_USE;
/* In the caller's transaction. Lists and reasons have been looked up. ERR_EXISTS; ERR_REFUSED: it has no fact, or its name is none. */
enum err segments_create(struct db *db, const struct segment *segment, struct buf *why) MUST_USE;
/* The one with this id, all of it but its name. */
enum err segments_update(struct db *db, const struct segment *segment, struct buf *why) MUST_USE;
/* ERR_NOT_FOUND with a sentence; ERR_REFUSED: something refers to it. */
enum err segments_remove(struct db *db, struct view name, struct buf *why) MUST_USE;
/* All of them by name, or the one of this name (ERR_NOT_FOUND); for segments_get(). */
enum err segments_list(struct db *db, struct view name_or_empty, struct db_rows **ret_rows, struct buf *why) MUST_USE;
struct segment segments_get(const struct db_rows *rows, size_t row);

/* How many people match now: active members of the list, or (list_id 0) everybody. */
enum err segments_count(struct db *db, int64_t id, int64_t list_id, uint64_t *ret_count, struct buf *why) MUST_USE;
/* The first of them by id: a row (address, name, attributes as JSON) each. */
enum err segments_people(struct db *db, int64_t id, int64_t list_id, uint64_t limit, struct db_rows **ret_rows,
			 struct buf *why) MUST_USE;

/* Makes the index that finds whom the predicate is true for, while others go on writing; drops the one of an earlier predicate. When
 * that fails nothing of it stays. Not in a transaction. */
enum err segments_make_index(struct db *db, const struct segment *segment, struct buf *why) MUST_USE;
/* One that is being made is broken off. */
enum err segments_drop_index(struct db *db, int64_t id, struct buf *why) MUST_USE;

/* How far it is, for another connection than the one that makes it: pages of people; both 0: that is not known now. */
enum err segments_index_progress(struct db *db, int64_t id, uint64_t *ret_done, uint64_t *ret_total,
				 struct buf *why) MUST_USE;

/* A campaign that names the segment and has not started, so that it is still to ask who is in it. */
struct segment_use {
	uint64_t campaign_id;
	struct view campaign; /* borrowed from the rows */
	bool is_scheduled;    /* else a draft */
	bool is_left_out;     /* it only leaves the segment out */
};
/* Those scheduled first. For segments_use_get(). */
enum err segments_ahead(struct db *db, int64_t id, struct db_rows **ret_rows, struct buf *why) MUST_USE;
struct segment_use segments_use_get(const struct db_rows *rows, size_t row);

/* One row for each attribute of the first people there are (10,000): what a misspelt name may have meant. */
enum err segments_known_fields(struct db *db, struct db_rows **ret_rows, struct buf *why) MUST_USE;
/* Those of these names (DB_TEXT) that are an attribute of nobody at all, a row each: everybody is looked at. */
enum err segments_unused_fields(struct db *db, const struct db_array *names, struct db_rows **ret_rows,
				struct buf *why) MUST_USE;

#endif
