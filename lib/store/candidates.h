/* Whom a prune would remove: memberships that a verdict disabled, and those that the verdict of this moment would. */
#ifndef STORE_CANDIDATES_H
#define STORE_CANDIDATES_H

#include "store/suspects.h"

struct candidate_scope {
	uint64_t list_id;   /* 0: all lists */
	bool with_evidence; /* what the receiving side said is read, too */
	struct verdict_terms terms;
	suspects_progress *progress; /* of the reading of what came back */
	void *progress_user;
};

/* Memberships of any list, by the verdict of this moment. */
struct candidate_count {
	size_t judged;  /* active members whom it condemns */
	size_t waiting; /* whom it would, and who get a probe first */
	size_t asked;   /* people whose probe has been asked for now */
};
/* Who would be removed now: all that are disabled, and active members whom the verdict of this moment condemns. Changes and locks nothing. */
enum err candidates_look(struct db *db, const struct candidate_scope *scope, struct candidate_count *ret_count,
			 struct db_rows **ret_rows, struct buf *why) MUST_USE;
/* Inside the caller's transaction, for prunes_remove(): the same, but the people concerned are held, in the order of their ids, as everyone does who
 * may then remove, and the verdict is carried out; missing probes are asked for. */
enum err candidates_hold(struct db *db, const struct candidate_scope *scope, struct candidate_count *ret_count,
			 struct db_rows **ret_rows, struct buf *why) MUST_USE;

struct candidate {
	uint64_t list_id, subscriber_id;
	struct view list, address;
	struct view reason;   /* a bounce reason, or an administrator's word */
	struct view campaign; /* whose report decided; empty: none */
	struct view evidence; /* what the receiving side said, when it was asked for */
	int64_t since_us;
};
void candidate_at(const struct db_rows *rows, size_t row, struct candidate *ret_candidate);

/* Lists with disabled members, and how much of them that is. */
struct candidate_share {
	struct view list;
	int64_t members; /* active and disabled */
	int64_t disabled;
};
enum err candidates_shares(struct db *db, uint64_t list_id, struct db_rows **ret_rows, struct buf *why) MUST_USE;
void candidate_share_at(const struct db_rows *rows, size_t row, struct candidate_share *ret_share);

#endif
