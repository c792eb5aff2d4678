/* What the evidence adds up to for one address, and what will happen next: the arithmetic of the policy in words. */
#ifndef LISTCTL_OUTLOOK_H
#define LISTCTL_OUTLOOK_H

#include "base/buf.h"
#include "store/verdicts.h"

struct outlook {
	struct verdict verdict;              /* all zero: nothing has failed */
	size_t failed, succeeded, undecided; /* attempts since the oldest failure */
};

void outlook_set(struct outlook *outlook, const struct verdict_history *history);

/* "1 of 1 failures needed (user-unknown, 0 days apart)" */
void outlook_write_score(const struct outlook *outlook, struct buf *out);
/* One sentence. The rows are those of store/explanations.h and may be NULL. */
void outlook_write_next(const struct outlook *outlook, const struct db_rows *memberships, const struct db_rows *prunes,
			bool suppressed, struct buf *out);

#endif
