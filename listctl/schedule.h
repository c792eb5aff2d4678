/* From the local time a person wrote to the one instant it means, or a refusal that shows what it could mean. */
#ifndef LISTCTL_SCHEDULE_H
#define LISTCTL_SCHEDULE_H

#include "base/clock.h"
#include "store/zones.h"

/* Appends "YYYY-MM-DD HH:MM:SS" for "YYYY-MM-DD HH:MM[:SS]", a T in place of the blank allowed. ERR_INVALID for any other form, and for 24:00. */
enum err schedule_read_local(struct view text, struct buf *ret_local, struct buf *why) MUST_USE;

/* "+07:00", "-0330", "+7", "Z". */
bool schedule_read_offset(struct view text, int *ret_offset_s) MUST_USE;

/* Appends "+07:00". */
void schedule_write_offset(int offset_s, struct buf *out);

/* Appends "2026-12-24 11:00:00 UTC". */
void schedule_write_instant(int64_t instant_us, struct buf *out);

/* Appends "33 d 17 h", "2 h 5 min", "40 s"; a past one has a minus in front. */
void schedule_write_span(int64_t us, struct buf *out);

/* Chooses. offset NULL: the zone alone decides. ERR_INVALID: the local time is skipped or shown twice and no offset says which, the offset is
 * not in force then, or the instant is not after now. */
enum err schedule_choose(const struct zone_readings *readings, struct view local, const int *offset_s, int64_t now_us,
			 struct zone_reading *ret_reading, struct buf *why) MUST_USE;

/* For a time that each recipient has in a zone of their own: a time that the clocks of this zone skip is as much later, of one shown twice it
 * is the second. ERR_INVALID: it has passed. */
enum err schedule_choose_local(const struct zone_readings *readings, struct view local, int64_t now_us,
			       struct zone_reading *ret_reading, struct buf *why) MUST_USE;

/* For an end: of a time shown twice it is the second. ERR_INVALID: it is skipped. */
enum err schedule_choose_end(const struct zone_readings *readings, struct view local, int64_t *ret_end_us,
			     struct buf *why) MUST_USE;

/* What is further ahead is a slip of the pen. what: the option that says so. */
#define SCHEDULE_AHEAD_US (INT64_C(36525) * CLOCK_US_PER_DAY)
enum err schedule_check_ahead(const char *what, struct view text, int64_t instant_us, int64_t now_us,
			      struct buf *why) MUST_USE;

#endif
