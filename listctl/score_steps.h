/* The arithmetic of a score, step by step: what each attempt did to it, as policy_judge() counts. */
#ifndef LISTCTL_SCORE_STEPS_H
#define LISTCTL_SCORE_STEPS_H

#include "base/buf.h"
#include "store/verdicts.h"

struct score_step {
	struct attempt attempt;
	bool is_uncounted; /* failed for a reason that this policy never counts, or a probe, of which it sends none */
	struct verdict verdict; /* over this attempt and all before it */
};

struct score_steps {
	struct score_step *rows; /* oldest first */
	size_t count;
};

/* The newest steps of the history, at most `most`; none where nothing has failed. Release with score_steps_done(). ERR_MEMORY. */
enum err score_steps_set(struct score_steps *steps, const struct verdict_history *history, size_t most) MUST_USE;
void score_steps_done(struct score_steps *steps); /* accepts a zeroed one */

/* failed, arrived, undecided, probe open ... */
const char *score_step_outcome(const struct score_step *step);
/* Whether anything came back. */
bool score_step_has_reason(const struct score_step *step);
/* "failure 2 of 5 (mailbox-full)", "it arrived: the count starts anew" */
void score_step_write(const struct score_step *step, const struct verdict_terms *terms, struct buf *out);

#endif
