/* What each list says of its own about when a bounce disables: rows that differ from policy_default. */
#ifndef STORE_POLICIES_H
#define STORE_POLICIES_H

#include "mail/policy.h"
#include "store/db.h"

struct list_policy {
	int64_t list_id;
	struct policy policy; /* whole: the default where the list says nothing */
};

/* Zeroed: no list has one of its own. */
struct policies {
	struct list_policy *rows; /* in the order of the ids */
	size_t count;
	struct policy others; /* of all lists that have no row; where is_tried is false, policy_default */
	bool is_tried;
	bool any_probes; /* some list sends probes */
};

/* Of every list that has one. Release with policies_done(). Errors as db_run(), and ERR_MEMORY. */
enum err policies_read(struct db *db, struct policies *ret_policies, struct buf *why) MUST_USE;
void policies_done(struct policies *policies); /* may run twice */

/* The one that judges this list's memberships. */
const struct policy *policies_of(const struct policies *policies, int64_t list_id);
/* In it each reason asks for as little as in any of them and for all other lists: whom it does not condemn, none of them does. */
struct policy policies_least(const struct policies *policies);

/* What would hold if this list, or every list (0), had this row: policies alone is changed, and has a row for it then. ERR_MEMORY. */
enum err policies_try(struct policies *policies, int64_t list_id, enum bounce_reason reason,
		      struct policy_row row) MUST_USE;

/* The same for probes; days 0: none are sent. */
enum err policies_try_probes(struct policies *policies, int64_t list_id, unsigned days) MUST_USE;

/* row NULL: as the default again. *ret_changed: whether it was not so before. */
enum err policies_set(struct db *db, int64_t list_id, enum bounce_reason reason, const struct policy_row *row,
		      bool *ret_changed, struct buf *why) MUST_USE;
/* days 0: the list sends no probes any more, and those that it has asked for and not sent are void. */
enum err policies_set_probes(struct db *db, int64_t list_id, unsigned days, unsigned a_day, bool *ret_changed,
			     struct buf *why) MUST_USE;

#endif
