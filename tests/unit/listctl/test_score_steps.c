#include "listctl/score_steps.h"

#include "base/clock.h"
#include "base/limits.h"
#include "tests/support/unit.h"

#define DAY CLOCK_US_PER_DAY
#define FULL REASON_MAILBOX_FULL

static const struct attempt attempts[] = {
	{ 1 * DAY, 1, ATTEMPT_FAILED, FULL },
	{ 2 * DAY, 2, ATTEMPT_UNDECIDED, REASON_SPAM_CONTENT },
	{ 3 * DAY, 3, ATTEMPT_UNDECIDED, REASON_POLICY },
	{ 4 * DAY, 4, ATTEMPT_SUCCEEDED, 0 },
	{ 5 * DAY, 5, ATTEMPT_FAILED, REASON_DOMAIN_UNKNOWN },
	{ 9 * DAY, 6, ATTEMPT_FAILED, REASON_DOMAIN_UNKNOWN },
	{ 10 * DAY, 7, ATTEMPT_UNDECIDED, 0 },
};

static const char *const told[] = {
	"failure 1 of 5 (mailbox-full), 0 of 30 days between the first and this one",
	"the reason is about the sender, not the address: it neither counts nor resets",
	"what came back counts for nothing: it neither counts nor resets",
	"no report within the bounce window: it arrived, the count starts anew",
	"failure 1 of 2 (domain-unknown), 0 of 3 days between the first and this one",
	"failure 2 of 2 (domain-unknown), 4 of 3 days between the first and this one: enough to disable",
	"its bounce window is open: it neither counts nor resets yet",
};

static const struct verdict_terms terms = { .now_us = 11 * DAY, .window_us = 7 * DAY, .life_us = 30 * DAY };

START_TEST(each_step_tells_what_it_did)
	{
		const struct verdict_history history = { .attempts = attempts,
							 .count = ARRAY_LEN(attempts),
							 .policy = &policy_default };
		struct score_steps steps;
		ck_assert(score_steps_set(&steps, &history, 100) == ERR_OK);
		ck_assert_uint_eq(steps.count, ARRAY_LEN(told));
		for (size_t i = 0; i < steps.count; i++) {
			AUTO_BUF out = buf_with_ceiling(LIMIT_WHY);
			score_step_write(&steps.rows[i], &terms, &out);
			ck_assert_str_eq(buf_text(&out), told[i]);
		}
		score_steps_done(&steps);
	}
END_TEST

/* The newest are told, and count what was before them all the same. */
START_TEST(the_oldest_are_left_out)
	{
		const struct verdict_history history = { .attempts = attempts, .count = 6, .policy = &policy_default };
		struct score_steps steps;
		ck_assert(score_steps_set(&steps, &history, 1) == ERR_OK);
		ck_assert_uint_eq(steps.count, 1);
		ck_assert_uint_eq(steps.rows[0].verdict.failures, 2);
		ck_assert_str_eq(score_step_outcome(&steps.rows[0]), "failed");
		score_steps_done(&steps);
	}
END_TEST

START_TEST(a_policy_that_never_counts_says_so)
	{
		struct policy patient = policy_default;
		patient.rows[FULL].failures = 0;
		const struct verdict_history history = { .attempts = attempts, .count = 1, .policy = &patient };
		struct score_steps steps;
		AUTO_BUF out = buf_with_ceiling(LIMIT_WHY);
		ck_assert(score_steps_set(&steps, &history, 9) == ERR_OK);
		score_step_write(&steps.rows[0], &terms, &out);
		ck_assert_str_eq(buf_text(&out), "by this list's policy the reason never counts");
		ck_assert(score_step_has_reason(&steps.rows[0]));
		score_steps_done(&steps);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { each_step_tells_what_it_did, the_oldest_are_left_out,
				       a_policy_that_never_counts_says_so };
	return suite_of("score_steps", tests, ARRAY_LEN(tests));
}
