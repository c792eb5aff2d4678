#include "listctl/outlook.h"

#include "base/clock.h"
#include "base/limits.h"
#include "tests/support/unit.h"

#define DAY CLOCK_US_PER_DAY

struct row {
	const char *label;
	struct attempt attempts[4];
	size_t count;
	const char *score;
};

static const struct row rows[] = {
	{ "nothing failed", { { 0 } }, 0, "nothing counts against it" },
	{ "about us", { { DAY, 1, ATTEMPT_FAILED, REASON_SPAM_CONTENT } }, 1, "nothing counts against it" },
	{ "at once",
	  { { DAY, 1, ATTEMPT_FAILED, REASON_USER_UNKNOWN } },
	  1,
	  "1 of 1 failures needed (user-unknown, at once)" },
	{ "the days between",
	  { { DAY, 1, ATTEMPT_FAILED, REASON_MAILBOX_DISABLED },
	    { 6 * DAY, 2, ATTEMPT_FAILED, REASON_MAILBOX_DISABLED } },
	  2,
	  "2 of 2 failures needed (mailbox-disabled, 5 of 7 days needed between the first and the last)" },
	{ "a success starts anew",
	  { { DAY, 1, ATTEMPT_FAILED, REASON_MAILBOX_FULL },
	    { 2 * DAY, 2, ATTEMPT_SUCCEEDED, 0 },
	    { 3 * DAY, 3, ATTEMPT_FAILED, REASON_MAILBOX_FULL } },
	  3,
	  "1 of 5 failures needed (mailbox-full, 0 of 30 days needed between the first and the last)" },
	{ "the last one arrived",
	  { { DAY, 1, ATTEMPT_FAILED, REASON_MAILBOX_FULL }, { 2 * DAY, 2, ATTEMPT_SUCCEEDED, 0 } },
	  2,
	  "nothing counts against it" },
};

START_TEST(scores_tell_the_arithmetic)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct outlook outlook = { 0 };
			AUTO_BUF score = buf_with_ceiling(LIMIT_WHY);
			struct verdict_history history = { .attempts = rows[i].attempts, .count = rows[i].count };
			policy_judge(&policy_default, history.attempts, history.count, &history.verdict);
			ck_assert_int_eq(outlook_set(&outlook, &history), ERR_OK);
			outlook_write_score(&outlook.verdict, &score);
			ck_assert_msg(view_eq(buf_view(&score), view_of(rows[i].score)), "%s: %s", rows[i].label,
				      buf_text(&score));
			ck_row(rows[i].label, outlook.failed + outlook.succeeded + outlook.undecided == rows[i].count);
			outlook_done(&outlook);
		}
	}
END_TEST

START_TEST(strangers_and_the_suppressed_get_nothing)
	{
		const struct outlook none = { 0 };
		AUTO_BUF nobody = buf_with_ceiling(LIMIT_WHY);
		AUTO_BUF suppressed = buf_with_ceiling(LIMIT_WHY);
		outlook_write_next(&none, NULL, NULL, false, &nobody);
		outlook_write_next(&none, NULL, NULL, true, &suppressed);
		ck_assert(view_find(buf_view(&nobody), VIEW_LIT("on no list")) != VIEW_NONE);
		ck_assert(view_find(buf_view(&suppressed), VIEW_LIT("suppressed")) != VIEW_NONE);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { scores_tell_the_arithmetic, strangers_and_the_suppressed_get_nothing };
	return suite_of("outlook", tests, ARRAY_LEN(tests));
}
