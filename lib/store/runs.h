/* A campaign on its way: started, held, finished, and what is left of a canceled one. The words and the schedule of a campaign are
 * store/campaigns.h's; this is what sender needs. */
#ifndef STORE_RUNS_H
#define STORE_RUNS_H

#include "store/campaigns.h"

struct run_start {
	int64_t campaign_id; /* 0: none is due */
	bool is_held; /* it could not start, and waits for a person now; audience and local_fallback say nothing */
	int64_t audience;
	int64_t local_fallback; /* -1: not each at their local time; else to how many their attribute named no zone */
};

struct run_terms {
	size_t chunk_size;
	bool only_tested;
	void (*begins)(
	    int64_t campaign_id); /* its audience is being frozen, which lasts seconds for millions; may be NULL */
};

/* Starts the campaign that has been due longest, if any, in a transaction of its own: its audience (the list's active members at this
 * moment) is frozen in chunks of up to chunk_size by id, with what a copy takes from the list, and it is set running. Outside of its
 * windows, or after its not-after, a campaign does not start; those that wait for a person are passed over, with only_tested also those
 * that store/relay_tests.h has not cleared. Nothing but the one campaign is locked meanwhile.
 *
 * No campaign keeps the others from starting. One whose own start fails (its segments may ask what cannot be answered) is held, with the reason
 * stored and an audit row, and why says it although ERR_OK is returned. When the server could not go on with it, it is named in *put_off, which
 * the caller keeps between calls (0 at first): all others are tried before that one. */
enum err runs_start_due(struct db *db, const struct run_terms *terms, int64_t *put_off, struct run_start *ret_start,
			struct buf *why) MUST_USE;

/* Scheduled campaigns whose not-after has passed wait for a person from now on, with the reason stored and an audit row. Calls told() for
 * each. */
enum err runs_hold_late(struct db *db, void (*told)(void *user, int64_t campaign_id, struct view reason), void *user,
			struct buf *why) MUST_USE;

/* Finishes campaigns with nothing left to send or to retry. The doubtful that are held for a person do not keep one open. Calls told() for
 * each. */
enum err runs_finish_complete(struct db *db, void (*told)(void *user, int64_t campaign_id), void *user,
			      struct buf *why) MUST_USE;

/* One bounded step, in a transaction of its own, of settling those of that canceled campaign (0: of all) who were not sent to: ledger rows
 * "skipped", reason "canceled"; with each the campaign's end moves. Leaves alone whom a worker has opened, until that worker has given them
 * back. Any number may do so at once. */
struct runs_settled {
	int64_t recipients; /* at most so many were settled */
	bool more;          /* call again */
};
enum err runs_settle_canceled(struct db *db, int64_t campaign_id, struct runs_settled *ret_settled,
			      struct buf *why) MUST_USE;

/* A breaker's word, inside the caller's transaction: a running campaign is paused, with an audit row. *ret_held is false when it was not
 * running. */
enum err runs_hold(struct db *db, int64_t campaign_id, struct view reason, bool *ret_held, struct buf *why) MUST_USE;

/* The states of these campaigns now as a worker has to take them, in the order of the ids: CAMPAIGN_PAUSED for a running one outside of its
 * windows, CAMPAIGN_CANCELED for one that is gone. With them, and without any, the version of what sending has to follow: another one when
 * relays, domain groups and the like have changed. */
enum err runs_states(struct db *db, const int64_t *campaign_ids, size_t count, enum campaign_state *ret_states,
		     int64_t *ret_sending_version, struct buf *why) MUST_USE;

/* What every copy of a campaign that goes through one list is made from: of the list, too, as it was when the campaign started. Views borrow from rows, which the caller releases. */
struct run_source {
	int64_t list_id, own_list_id;
	struct view campaign_name, list_name, list_title, list_header_id, list_headers;
	struct view own_list_name; /* of the campaign's own list, through whichever the copies go */
	struct view subject, from_name, from_address, reply_to, text_body, html_body;
	int64_t expire_us; /* of retries; 0: as the settings say */
};
/* list_id: the list that the copies go through, 0 for the campaign's own. ERR_NOT_FOUND when there is no such campaign. */
enum err runs_load(struct db *db, int64_t campaign_id, int64_t list_id, struct run_source *ret_source,
		   struct db_rows **ret_rows, struct buf *why) MUST_USE;

/* The names of the attributes that its template may use, as they were when the campaign started: one text a row. */
enum err runs_fields(struct db *db, int64_t campaign_id, struct db_rows **ret_rows, struct buf *why) MUST_USE;

#endif
