/* Everything about one address: who it is, what it is on, what it was sent. Bounce events come from store/reports.h, the score from
 * store/verdicts.h. Each look-up goes through an index, whatever the size of the ledger. */
#ifndef STORE_EXPLANATIONS_H
#define STORE_EXPLANATIONS_H

#include "store/db.h"

/* All views are borrowed from the rows. */

struct explained_person {
	uint64_t id;
	struct view address, name, attributes;
	int64_t created_us;
};
/* ERR_NOT_FOUND when nobody has the address. */
enum err explanations_person(struct db *db, struct view address_key, struct explained_person *ret_person,
			     struct db_rows **ret_rows, struct buf *why) MUST_USE;

struct explained_membership {
	struct view list, state, reason, campaign;
	int64_t since_us, list_id;
};
enum err explanations_memberships(struct db *db, uint64_t subscriber_id, struct db_rows **ret_rows,
				  struct buf *why) MUST_USE;
void explained_membership_at(const struct db_rows *rows, size_t row, struct explained_membership *ret_membership);

struct explained_suppression {
	struct view kind, value, list, reason, source; /* list empty: the whole installation */
	int64_t created_us;
};
/* What suppresses the address: itself, its mailbox (canonical; empty: itself), or a domain of theirs. */
enum err explanations_suppressions(struct db *db, struct view address_key, struct view canonical,
				   struct db_rows **ret_rows, struct buf *why) MUST_USE;
void explained_suppression_at(const struct db_rows *rows, size_t row, struct explained_suppression *ret_suppression);

struct explained_send {
	struct view campaign, list;
	struct view place; /* accepted ... pending */
	int64_t at_us;     /* of the last attempt; 0: none yet */
	int64_t attempts, code;
	struct view status, reason, reply;
	int64_t next_us; /* deferred: the next attempt */
};
/* Newest campaign first, at most limit. */
enum err explanations_sends(struct db *db, uint64_t subscriber_id, size_t limit, struct db_rows **ret_rows,
			    struct buf *why) MUST_USE;
void explained_send_at(const struct db_rows *rows, size_t row, struct explained_send *ret_send);

/* The names of these campaigns, as far as they are there: id and name. */
enum err explanations_campaigns(struct db *db, const struct db_array *campaign_ids, struct db_rows **ret_rows,
				struct buf *why) MUST_USE;
/* Empty: not among them. */
struct view explained_campaign(const struct db_rows *rows, uint64_t campaign_id);

/* What verdicts still know of an attempt that the retention has dropped. */
struct explained_past {
	struct view campaign;
	int64_t sent_us;
	struct view kind;    /* a kind of report, "voided", or "success" */
	struct view reason;  /* empty: a success */
	int64_t received_us; /* 0: a success */
};
enum err explanations_past(struct db *db, uint64_t subscriber_id, size_t limit, struct db_rows **ret_rows,
			   struct buf *why) MUST_USE;
void explained_past_at(const struct db_rows *rows, size_t row, struct explained_past *ret_past);

struct explained_prune {
	uint64_t batch_id;
	struct view list, reason, actor, kind; /* kind as of prune_batch */
	int64_t at_us, undone_us;
	bool restored;
};
enum err explanations_prunes(struct db *db, uint64_t subscriber_id, struct db_rows **ret_rows,
			     struct buf *why) MUST_USE;
void explained_prune_at(const struct db_rows *rows, size_t row, struct explained_prune *ret_prune);

#endif
