/* Storms seen: a sudden rise of hard bounces with the same text at one domain group, among addresses that had accepted before. Reports of such a
 * text are counted where they are stored (store/bounces.h). What it takes is looked at in a sample whenever their number has grown by half: so it
 * costs no more for many than for few. Whatever came within the window before the storm was seen belongs to it, and what comes until a window after
 * the last surge.
 *
 * Two who store reports at the same time do not see each other's: storm_watch_look() does, which is also who restores. */
#ifndef STORE_STORM_WATCH_H
#define STORE_STORM_WATCH_H

#include "store/verdicts.h"

struct storm_sighting {
	int64_t key;
	int64_t before, added; /* reports within the window that are there, and that have just been stored */
};

/* Inside the caller's transaction that has stored them. Puts the sightings, in any order, one after the other by their keys. *ret_opened: a storm has
 * opened that holds some of them. */
enum err storm_watch_notice(struct db *db, struct storm_sighting *sightings, size_t count,
			    const struct verdict_terms *terms, bool *ret_opened, struct buf *why) MUST_USE;

/* A storm that nobody has told of. */
struct storm_told {
	int64_t id;
	struct view group, reason, said;
	int64_t sampled, accepted, copies;
};

/* For a line of the log; the texts hold no address. */
#define STORM_TOLD_FORMAT "id=%lld group=" VIEW_FMT " reason=" VIEW_FMT " accepted=%lld of=%lld copies=%lld"
#define STORM_TOLD_VALUES(storm)                                                                                       \
	(long long)(storm)->id, VIEW_ARG((storm)->group), VIEW_ARG((storm)->reason), (long long)(storm)->accepted,     \
	    (long long)(storm)->sampled, (long long)(storm)->copies

/* How often daemons look. */
#define STORM_LOOK_US (INT64_C(5) * 1000000)

/* From time to time, in transactions of its own: opens what was missed, prolongs what goes on, restores (store/storm_members.h), forgets old
 * counts, and calls told(), unless it is NULL, for each storm that no program has told of yet: that is also the place to alert somebody. Nothing to do costs a few look-ups. */
enum err storm_watch_look(struct db *db, const struct verdict_terms *terms, struct view actor,
			  void (*told)(void *user, const struct storm_told *storm), void *user,
			  struct buf *why) MUST_USE;

#endif
