#include "listctl/score_steps.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"

static const char *const outcomes[] = {
	[ATTEMPT_UNDECIDED] = "undecided", [ATTEMPT_SUCCEEDED] = "arrived",   [ATTEMPT_FAILED] = "failed",
	[PROBE_OPEN] = "probe open",       [PROBE_BOUNCED] = "probe bounced", [PROBE_SILENT] = "probe silent",
};

static bool is_probe(const struct attempt *attempt)
{
	return attempt->outcome == PROBE_OPEN || attempt->outcome == PROBE_BOUNCED || attempt->outcome == PROBE_SILENT;
}

enum err score_steps_set(struct score_steps *steps, const struct verdict_history *history, size_t most)
{
	size_t skipped = history->count > most ? history->count - most : 0;
	*steps = (struct score_steps){ 0 };
	if (history->count == 0)
		return ERR_OK;
	steps->rows = calloc(history->count - skipped, sizeof(*steps->rows));
	if (steps->rows == NULL)
		return ERR_MEMORY;
	for (size_t i = skipped; i < history->count; i++) {
		struct score_step *step = &steps->rows[steps->count++];
		step->attempt = history->attempts[i];
		step->is_uncounted = is_probe(&step->attempt)
					 ? history->policy->probe_days == 0
					 : step->attempt.outcome == ATTEMPT_FAILED &&
					       history->policy->rows[step->attempt.reason].failures == 0;
		policy_judge(history->policy, history->attempts, i + 1, &step->verdict);
	}
	return ERR_OK;
}

void score_steps_done(struct score_steps *steps)
{
	free(steps->rows);
	*steps = (struct score_steps){ 0 };
}

const char *score_step_outcome(const struct score_step *step)
{
	assert(step->attempt.outcome < ARRAY_LEN(outcomes));
	return outcomes[step->attempt.outcome];
}

bool score_step_has_reason(const struct score_step *step)
{
	return step->attempt.outcome == ATTEMPT_FAILED || step->attempt.outcome == PROBE_BOUNCED ||
	       step->attempt.reason != REASON_OTHER;
}

static void write_failure(const struct verdict *verdict, struct buf *out)
{
	buf_addf(out, "failure %u of %u (%s)", verdict->failures, verdict->needed, reason_name(verdict->reason));
	if (verdict->days > 0)
		buf_addf(out, ", %lld of %u days between the first and this one",
			 (long long)((verdict->last_us - verdict->first_us) / CLOCK_US_PER_DAY), verdict->days);
	if (verdict->disable)
		buf_addf(out, ": enough to disable");
	else if (verdict->probe != VERDICT_NEEDS_NO_PROBE)
		buf_addf(out, ": enough to disable, but a probe is to bounce first");
}

static void write_probe(const struct score_step *step, struct buf *out)
{
	if (step->is_uncounted)
		buf_addf(out, "a probe for another list: this one sends none, and it says nothing");
	else if (step->attempt.outcome == PROBE_SILENT)
		buf_addf(out, "nothing came back from the probe in its days: the count starts anew");
	else if (step->attempt.outcome == PROBE_OPEN)
		buf_addf(out, "a probe is asked for, or under way: nothing disables before its answer");
	else if (step->verdict.disable)
		buf_addf(out, "the probe bounced: the failures before it are enough to disable");
	else
		buf_addf(out, "the probe bounced: it disables once there are failures enough");
}

void score_step_write(const struct score_step *step, const struct verdict_terms *terms, struct buf *out)
{
	const struct attempt *attempt = &step->attempt;
	if (is_probe(attempt))
		write_probe(step, out);
	else if (attempt->outcome == ATTEMPT_SUCCEEDED)
		buf_addf(out, "no report within the bounce window: it arrived, the count starts anew");
	else if (attempt->outcome == ATTEMPT_FAILED && step->is_uncounted)
		buf_addf(out, "by this list's policy the reason never counts");
	else if (attempt->outcome == ATTEMPT_FAILED)
		write_failure(&step->verdict, out);
	else if (reason_is_about_us(attempt->reason))
		buf_addf(out, "the reason is about the sender, not the address: it neither counts nor resets");
	else if (!score_step_has_reason(step) && attempt->at_us + terms->window_us > terms->now_us)
		buf_addf(out, "its bounce window is open: it neither counts nor resets yet");
	else
		buf_addf(out, "what came back counts for nothing: it neither counts nor resets");
}
