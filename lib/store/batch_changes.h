/* What a batch that is no prune does to memberships (store/revisions.h, store/storm_members.h): each change is kept beside what the membership
 * was, so that prunes_undo() can put it back. */
#ifndef STORE_BATCH_CHANGES_H
#define STORE_BATCH_CHANGES_H

#include "store/verdicts.h"

/* Behind WITH old AS (memberships), ...: keeps what each was before the batch ($1, a bigint or null: nothing is kept), whatever became of it twice in the
 * batch. */
#define BATCH_KEEP_CHANGE(state, since)                                                                                \
	"INSERT INTO prune_change (batch_id, list_id, subscriber_id, old_state, old_reason, old_since,"                \
	" old_campaign_id, new_state, new_since) SELECT $1::bigint, list_id, subscriber_id, old.state, old.reason,"    \
	" old.since, old.campaign_id, '" state "', " since " FROM old WHERE $1::bigint IS NOT NULL"                    \
	" ON CONFLICT (batch_id, list_id, subscriber_id)"                                                              \
	" DO UPDATE SET new_state = excluded.new_state, new_since = excluded.new_since, restored = false"

/* Whether nothing but the verdict keeps membership m of subscriber s out. */
#define BATCH_MAY_RETURN                                                                                               \
	" NOT is_suppressed(s.address_key, m.list_id) AND NOT EXISTS (SELECT FROM reported e"                          \
	" WHERE e.subscriber_id = m.subscriber_id AND e.kind = 'complaint' AND NOT e.voided AND NOT e.orphan)"

/* The names of all reasons: what a verdict writes as a membership's. */
struct db_array batch_verdict_reasons(void);

/* Inside the caller's transaction, which has locked the people: disables these memberships as far as they are active, and keeps it under the batch; 0: keeps
 * nothing. Adds to *sum how many. */
enum err batch_disable(struct db *db, uint64_t batch, const struct verdict_sentences *sentences, int64_t now_us,
		       size_t *sum, struct buf *why) MUST_USE;

#endif
