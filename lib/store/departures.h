/* People who leave by their own word: an unsubscribe by token, and a complaint. Inside the caller's transaction. */
#ifndef STORE_DEPARTURES_H
#define STORE_DEPARTURES_H

#include "store/db.h"

struct departure {
	uint64_t list_id; /* unsubscribing: the list. Complaining: unused */
	uint64_t subscriber_id;
	uint64_t campaign_id; /* complaining: the campaign it is about; else 0 */
};

/* Each leaves the list; reason says how ("mailto"). Who has left already, or does not exist, changes nothing. Written to the audit.
 * *ret_changed counts memberships. */
enum err departures_unsubscribe(struct db *db, const struct departure *departures, size_t count, struct view reason,
				struct view actor, size_t *ret_changed, struct buf *why) MUST_USE;

/* Each leaves every list, and the address is suppressed for the installation. Written to the audit. */
enum err departures_complain(struct db *db, const struct departure *departures, size_t count, struct view actor,
			     size_t *ret_changed, struct buf *why) MUST_USE;

#endif
