/* From the history of an address to a verdict. A bounce is the address's, whatever list it came through; the verdict is the
 * membership's. The score counts delivery attempts, not days, so that a daily and a monthly list behave alike; the days between the
 * first and the last failure are only a lower bound. Pure: the same history gives the same verdict. */
#ifndef MAIL_POLICY_H
#define MAIL_POLICY_H

#include "mail/reason.h"

/* One attempt: one campaign's message to this address, at its sending time. */
struct attempt {
	int64_t at_us;
	uint64_t campaign_id;
	enum attempt_outcome {
		ATTEMPT_UNDECIDED, /* accepted by the relay, the bounce window still open: neither counts nor resets */
		ATTEMPT_SUCCEEDED, /* the window passed without a failure report: resets */
		ATTEMPT_FAILED     /* with a reason; one about us neither counts nor resets */
	} outcome;
	enum bounce_reason reason; /* undecided: of what came back and does not count */
};

/* Disable after `failures` consecutive failed attempts at least `days` days apart (first to last). 0 failures: never. */
struct policy_row {
	unsigned failures;
	unsigned days;
};

struct policy {
	struct policy_row rows[REASON_COUNT];
};

extern const struct policy policy_default;

struct verdict {
	bool disable;
	enum bounce_reason reason; /* of the row that decided, or that comes nearest */
	unsigned failures;         /* counted towards that row */
	unsigned needed, days;     /* of that row; needed is 0 when nothing counts */
	int64_t first_us, last_us; /* the counted attempts' span */
	uint64_t campaign_id;      /* of the last counted attempt */
};

/* attempts: oldest first, over all lists. A failure counts towards its own row and towards every row that is at least as patient:
 * a dead domain is also a failure in the eyes of the patient rows, never the other way round. */
void policy_judge(const struct policy *policy, const struct attempt *attempts, size_t count,
		  struct verdict *ret_verdict);
/* Whether a disables and b does not, or comes nearer to it. */
bool verdict_is_nearer(const struct verdict *a, const struct verdict *b);

#endif
