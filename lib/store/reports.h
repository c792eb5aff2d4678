/* What came back, as people ask for it: lists of bounce events, and one of them with its evidence. Counts: store/bounce_counts.h. */
#ifndef STORE_REPORTS_H
#define STORE_REPORTS_H

#include "store/db.h"

/* Which events. Zero and empty: all. */
struct report_filter {
	uint64_t campaign_id, list_id;
	struct view kind, reason; /* words of mail/reason.h */
	struct view address_key;
	int64_t since_us;
	size_t limit; /* at most so many; 0: 100 */
};

/* Views are borrowed from the rows. */
struct report_event {
	uint64_t id, campaign_id, subscriber_id;
	struct view campaign, list;     /* names; empty when gone */
	struct view address;            /* of the subscriber; empty when gone */
	int64_t received_us, judged_us; /* judged 0: waits for its ledger row */
	struct view source, kind, reason, status, diagnostic, recipient, reporting_mta, rule;
	int64_t code;
	bool orphan, voided; /* by an undo or with its storm */
	bool is_former;      /* about an address that the subscriber no longer has: it counts for nobody */
	uint64_t storm_id;   /* 0: of none */
	bool is_held;        /* the storm is not decided */
};

/* Newest first. */
enum err reports_events(struct db *db, const struct report_filter *filter, struct db_rows **ret_rows,
			struct buf *why) MUST_USE;
/* All about one person, newest first, by an index: no scan. */
enum err reports_of_subscriber(struct db *db, uint64_t subscriber_id, size_t limit, struct db_rows **ret_rows,
			       struct buf *why) MUST_USE;
void report_event_at(const struct db_rows *rows, size_t row, struct report_event *ret_event);
/* What is made of it: voided, orphan, former address, held, waiting or judged. store/exports says the same in SQL. */
const char *report_event_standing(const struct report_event *event);

/* One event. ERR_NOT_FOUND. */
enum err reports_event(struct db *db, uint64_t event_id, struct report_event *ret_event, struct db_rows **ret_rows,
		       struct buf *why) MUST_USE;
/* The returned message itself. ERR_NOT_FOUND when there is none, or bounce.keep_raw has passed. */
enum err reports_message(struct db *db, uint64_t campaign_id, uint64_t event_id, struct view *ret_message,
			 struct db_rows **ret_rows, struct buf *why) MUST_USE;

#endif
