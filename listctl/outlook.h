/* What the evidence adds up to for one address, and what will happen next: the arithmetic of the policy in words. */
#ifndef LISTCTL_OUTLOOK_H
#define LISTCTL_OUTLOOK_H

#include "base/buf.h"
#include "store/verdicts.h"

struct outlook {
	struct verdict verdict;              /* all zero: nothing has failed */
	size_t failed, succeeded, undecided; /* attempts since the oldest failure */
	struct list_verdict *lists;          /* by the policy of each, in the order of their ids */
	size_t list_count;
};

/* Release with outlook_done(). ERR_MEMORY. */
enum err outlook_set(struct outlook *outlook, const struct verdict_history *history) MUST_USE;
void outlook_done(struct outlook *outlook); /* accepts a zeroed one */
/* All zero: nothing has failed. */
struct verdict outlook_of_list(const struct outlook *outlook, int64_t list_id);

/* "1 of 1 failures needed (user-unknown, 0 days apart)" */
void outlook_write_score(const struct verdict *verdict, struct buf *out);
/* One sentence. The rows are those of store/explanations.h and may be NULL. */
void outlook_write_next(const struct outlook *outlook, const struct db_rows *memberships, const struct db_rows *prunes,
			bool suppressed, struct buf *out);

#endif
