#include "mail/policy.h"

#include "base/clock.h"

/* Consecutive failed attempts / minimum days between the first and the last. */
const struct policy policy_default = {
	.rows = {
		[REASON_USER_UNKNOWN] = { .failures = 1, .days = 0 },
		[REASON_MOVED] = { .failures = 1, .days = 0 },
		[REASON_NULL_MX] = { .failures = 1, .days = 0 },
		[REASON_DOMAIN_UNKNOWN] = { .failures = 2, .days = 3 },
		[REASON_MAILBOX_DISABLED] = { .failures = 2, .days = 7 },
		[REASON_RELAY_DENIED] = { .failures = 3, .days = 7 },
		[REASON_MAILBOX_FULL] = { .failures = 5, .days = 30 },
		[REASON_POLICY] = { .failures = 5, .days = 30 },
		[REASON_NETWORK] = { .failures = 5, .days = 30 },
		[REASON_ROUTING_LOOP] = { .failures = 5, .days = 30 },
		[REASON_SYSTEM_ERROR] = { .failures = 5, .days = 30 },
		[REASON_OTHER] = { .failures = 5, .days = 30 },
		/* About us, or no bounce at all: never. */
		[REASON_MESSAGE_TOO_BIG] = { 0 },
		[REASON_SPAM_CONTENT] = { 0 },
		[REASON_SENDER_BLOCKED] = { 0 },
		[REASON_AUTH_FAILURE] = { 0 },
		[REASON_SENDER_REJECTED] = { 0 },
		[REASON_RATE_LIMITED] = { 0 },
		[REASON_PROTOCOL_ERROR] = { 0 },
		[REASON_COMPLAINT] = { 0 },
		[REASON_AUTO_REPLY] = { 0 },
	},
};

/* At least as grave as the row: it asks for fewer failures, or for as many within fewer days. */
static bool counts_towards(const struct policy *policy, enum bounce_reason failed, enum bounce_reason row)
{
	struct policy_row own = policy->rows[failed];
	struct policy_row other = policy->rows[row];
	if (own.failures == 0)
		return false;
	return own.failures < other.failures || (own.failures == other.failures && own.days <= other.days);
}

/* Behind it nothing counts. */
static bool resets(const struct policy *policy, const struct attempt *attempt)
{
	return attempt->outcome == ATTEMPT_SUCCEEDED || (attempt->outcome == PROBE_SILENT && policy->probe_days > 0);
}

/* What has become of the probes since then: one that has bounced decides. */
static enum verdict_probe probe_since_reset(const struct policy *policy, const struct attempt *attempts, size_t count)
{
	enum verdict_probe probe = VERDICT_WANTS_PROBE;
	for (size_t i = count; i > 0 && !resets(policy, &attempts[i - 1]); i--) {
		if (attempts[i - 1].outcome == PROBE_BOUNCED)
			return VERDICT_PROBE_BOUNCED;
		if (attempts[i - 1].outcome == PROBE_OPEN)
			probe = VERDICT_AWAITS_PROBE;
	}
	return probe;
}

/* What of the unbroken run of failures at the end counts towards one row. */
static struct verdict count_row(const struct policy *policy, const struct attempt *attempts, size_t count,
				enum bounce_reason row)
{
	struct verdict verdict = { .reason = row,
				   .needed = policy->rows[row].failures,
				   .days = policy->rows[row].days };
	for (size_t i = count; i > 0; i--) {
		const struct attempt *attempt = &attempts[i - 1];
		if (resets(policy, attempt))
			break;
		if (attempt->outcome != ATTEMPT_FAILED || !counts_towards(policy, attempt->reason, row))
			continue;
		if (verdict.failures == 0) {
			verdict.last_us = attempt->at_us;
			verdict.campaign_id = attempt->campaign_id;
		}
		verdict.first_us = attempt->at_us;
		verdict.failures++;
	}
	verdict.disable = verdict.failures >= verdict.needed &&
			  verdict.last_us - verdict.first_us >= (int64_t)verdict.days * CLOCK_US_PER_DAY;
	if (verdict.disable && verdict.needed > 1 && policy->probe_days > 0) {
		verdict.probe = probe_since_reset(policy, attempts, count);
		verdict.disable = verdict.probe == VERDICT_PROBE_BOUNCED;
	}
	return verdict;
}

bool verdict_is_nearer(const struct verdict *a, const struct verdict *b)
{
	if (a->disable != b->disable)
		return a->disable;
	bool waits = a->probe != VERDICT_NEEDS_NO_PROBE, other_waits = b->probe != VERDICT_NEEDS_NO_PROBE;
	if (waits != other_waits)
		return waits;
	if (b->failures == 0 || b->needed == 0)
		return a->failures > 0;
	/* a->failures / a->needed > b->failures / b->needed, without fractions */
	return a->failures * b->needed > b->failures * a->needed;
}

void policy_judge(const struct policy *policy, const struct attempt *attempts, size_t count,
		  struct verdict *ret_verdict)
{
	struct verdict nearest = { 0 };
	bool seen[REASON_COUNT] = { false };
	for (size_t i = count; i > 0 && !resets(policy, &attempts[i - 1]); i--) {
		enum bounce_reason row = attempts[i - 1].reason;
		if (attempts[i - 1].outcome != ATTEMPT_FAILED || seen[row] || policy->rows[row].failures == 0)
			continue;
		seen[row] = true;
		struct verdict verdict = count_row(policy, attempts, count, row);
		if (verdict_is_nearer(&verdict, &nearest))
			nearest = verdict;
	}
	*ret_verdict = nearest;
}
