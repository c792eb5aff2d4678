/* From the history of an address to a verdict. A bounce is the address's, whatever list it came through; the verdict is the
 * membership's. The score counts delivery attempts, not days, so that a daily and a monthly list behave alike; the days between the
 * first and the last failure are only a lower bound. Pure: the same history gives the same verdict. */
#ifndef MAIL_POLICY_H
#define MAIL_POLICY_H

#include "mail/reason.h"

/* One attempt: one campaign's message to this address, at its sending time; or a probe, a letter of its own that asks whether it still receives
 * (store/probe_letters.h). Probes are of no campaign, and say nothing where the policy sends none. */
struct attempt {
	int64_t at_us;
	uint64_t campaign_id;
	enum attempt_outcome {
		ATTEMPT_UNDECIDED, /* accepted by the relay, the bounce window still open: neither counts nor resets */
		ATTEMPT_SUCCEEDED, /* the window passed without a failure report: resets */
		ATTEMPT_FAILED,    /* with a reason; one about us neither counts nor resets */
		PROBE_OPEN,        /* asked for, or sent and not answered yet: who waits for one is not disabled */
		PROBE_BOUNCED,     /* with a reason: what the failures add up to holds */
		PROBE_SILENT       /* nothing came back within its days: resets */
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
	/* Before a row that asks for more than one failure disables, a probe is sent, and must bounce: when nothing comes back within so many
	 * days the count begins anew. 0: it disables without. */
	unsigned probe_days;
	unsigned probes_a_day; /* of the list; the others wait */
};

extern const struct policy policy_default;

struct verdict {
	bool disable;
	enum bounce_reason reason; /* of the row that decided, or that comes nearest */
	unsigned failures;         /* counted towards that row */
	unsigned needed, days;     /* of that row; needed is 0 when nothing counts */
	int64_t first_us, last_us; /* the counted attempts' span */
	uint64_t campaign_id;      /* of the last counted attempt */
	enum verdict_probe {
		VERDICT_NEEDS_NO_PROBE,
		VERDICT_WANTS_PROBE,   /* it would disable: a probe has to be sent */
		VERDICT_AWAITS_PROBE,  /* it would disable, and one is under way */
		VERDICT_PROBE_BOUNCED, /* it disables by that */
	} probe;
};

/* attempts: oldest first, over all lists. A failure counts towards its own row and towards every row that is at least as patient:
 * a dead domain is also a failure in the eyes of the patient rows, never the other way round. */
void policy_judge(const struct policy *policy, const struct attempt *attempts, size_t count,
		  struct verdict *ret_verdict);
/* Whether a disables and b does not, or comes nearer to it; who waits for a probe comes nearest. */
bool verdict_is_nearer(const struct verdict *a, const struct verdict *b);

#endif
