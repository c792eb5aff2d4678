#include "mail/policy.h"

#include "base/clock.h"
#include "tests/support/unit.h"

enum { HISTORY_MOST = 8 };

struct step {
	int day;
	enum attempt_outcome outcome;
	enum bounce_reason reason;
};

#define GOOD(on)                                                                                                       \
	{                                                                                                              \
		(on), ATTEMPT_SUCCEEDED, REASON_OTHER                                                                  \
	}
#define OPEN(on)                                                                                                       \
	{                                                                                                              \
		(on), ATTEMPT_UNDECIDED, REASON_OTHER                                                                  \
	}
#define BAD(on, why)                                                                                                   \
	{                                                                                                              \
		(on), ATTEMPT_FAILED, REASON_##why                                                                     \
	}

#define ASKED(on)                                                                                                      \
	{                                                                                                              \
		(on), PROBE_OPEN, REASON_OTHER                                                                         \
	}
#define BOUNCED(on)                                                                                                    \
	{                                                                                                              \
		(on), PROBE_BOUNCED, REASON_MAILBOX_FULL                                                               \
	}
#define SILENT(on)                                                                                                     \
	{                                                                                                              \
		(on), PROBE_SILENT, REASON_OTHER                                                                       \
	}

struct row {
	const char *label;
	size_t count;
	struct step history[HISTORY_MOST];
	bool disable;
	enum bounce_reason reason;
	unsigned failures;
};

/* clang-format off */
static const struct row rows[] = {
    { "nothing happened", 1, { GOOD(0) }, false, REASON_OTHER, 0 },
    { "user unknown counts at once", 1, { BAD(0, USER_UNKNOWN) }, true, REASON_USER_UNKNOWN, 1 },
    { "moved counts at once", 1, { BAD(0, MOVED) }, true, REASON_MOVED, 1 },
    { "null MX counts at once", 1, { BAD(0, NULL_MX) }, true, REASON_NULL_MX, 1 },
    { "a dead domain once", 1, { BAD(0, DOMAIN_UNKNOWN) }, false, REASON_DOMAIN_UNKNOWN, 1 },
    { "a dead domain twice in two days", 2, { BAD(0, DOMAIN_UNKNOWN), BAD(2, DOMAIN_UNKNOWN) },
      false, REASON_DOMAIN_UNKNOWN, 2 },
    { "a dead domain twice in three days", 2, { BAD(0, DOMAIN_UNKNOWN), BAD(3, DOMAIN_UNKNOWN) },
      true, REASON_DOMAIN_UNKNOWN, 2 },
    { "a disabled mailbox twice in six days", 2, { BAD(0, MAILBOX_DISABLED), BAD(6, MAILBOX_DISABLED) },
      false, REASON_MAILBOX_DISABLED, 2 },
    { "a disabled mailbox twice in seven days", 2, { BAD(0, MAILBOX_DISABLED), BAD(7, MAILBOX_DISABLED) },
      true, REASON_MAILBOX_DISABLED, 2 },
    { "a success between resets", 3, { BAD(0, DOMAIN_UNKNOWN), GOOD(2), BAD(4, DOMAIN_UNKNOWN) },
      false, REASON_DOMAIN_UNKNOWN, 1 },
    { "an undecided one neither counts nor resets", 3, { BAD(0, DOMAIN_UNKNOWN), OPEN(2), BAD(4, DOMAIN_UNKNOWN) },
      true, REASON_DOMAIN_UNKNOWN, 2 },
    { "a success after the failure clears it", 2, { BAD(0, USER_UNKNOWN), GOOD(2) }, false, REASON_OTHER, 0 },
    { "a daily list: five full mailboxes in five days", 5,
      { BAD(0, MAILBOX_FULL), BAD(1, MAILBOX_FULL), BAD(2, MAILBOX_FULL), BAD(3, MAILBOX_FULL), BAD(4, MAILBOX_FULL) },
      false, REASON_MAILBOX_FULL, 5 },
    { "a weekly list: the fifth full mailbox after 35 days", 5,
      { BAD(0, MAILBOX_FULL), BAD(7, MAILBOX_FULL), BAD(14, MAILBOX_FULL), BAD(21, MAILBOX_FULL), BAD(35, MAILBOX_FULL) },
      true, REASON_MAILBOX_FULL, 5 },
    { "a monthly list: the fourth", 4,
      { BAD(0, MAILBOX_FULL), BAD(30, MAILBOX_FULL), BAD(60, MAILBOX_FULL), BAD(90, MAILBOX_FULL) },
      false, REASON_MAILBOX_FULL, 4 },
    { "a monthly list: the fifth", 5,
      { BAD(0, MAILBOX_FULL), BAD(30, MAILBOX_FULL), BAD(60, MAILBOX_FULL), BAD(90, MAILBOX_FULL), BAD(120, MAILBOX_FULL) },
      true, REASON_MAILBOX_FULL, 5 },
    { "patient reasons count together", 5,
      { BAD(0, NETWORK), BAD(10, MAILBOX_FULL), BAD(20, SYSTEM_ERROR), BAD(30, POLICY), BAD(40, OTHER) },
      true, REASON_OTHER, 5 },
    { "a patient failure does not help a grave row", 2, { BAD(0, MAILBOX_FULL), BAD(8, MAILBOX_DISABLED) },
      false, REASON_MAILBOX_DISABLED, 1 },
    { "relay denied by a remote host thrice in a week", 3,
      { BAD(0, RELAY_DENIED), BAD(3, RELAY_DENIED), BAD(7, RELAY_DENIED) }, true, REASON_RELAY_DENIED, 3 },
    { "block listed for ever counts nothing", 6,
      { BAD(0, SENDER_BLOCKED), BAD(40, SENDER_BLOCKED), BAD(80, SPAM_CONTENT), BAD(120, AUTH_FAILURE),
        BAD(160, RATE_LIMITED), BAD(200, MESSAGE_TOO_BIG) }, false, REASON_OTHER, 0 },
    { "trouble of ours between neither counts nor resets", 3,
      { BAD(0, DOMAIN_UNKNOWN), BAD(2, SENDER_BLOCKED), BAD(4, DOMAIN_UNKNOWN) }, true, REASON_DOMAIN_UNKNOWN, 2 },
};
/* clang-format on */

START_TEST(histories_and_verdicts)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct attempt attempts[HISTORY_MOST] = { 0 };
			struct verdict verdict;
			for (size_t j = 0; j < rows[i].count; j++) {
				attempts[j] = (struct attempt){
					.at_us = rows[i].history[j].day * CLOCK_US_PER_DAY,
					.campaign_id = j + 1,
					.outcome = rows[i].history[j].outcome,
					.reason = rows[i].history[j].reason,
				};
			}
			policy_judge(&policy_default, attempts, rows[i].count, &verdict);
			ck_assert_msg(verdict.disable == rows[i].disable, "%s: disable is %d", rows[i].label,
				      verdict.disable);
			ck_assert_msg(verdict.failures == rows[i].failures, "%s: %u failures", rows[i].label,
				      verdict.failures);
			ck_assert_msg(verdict.failures == 0 || verdict.reason == rows[i].reason, "%s: by the row %s",
				      rows[i].label, reason_name(verdict.reason));
		}
	}
END_TEST

struct probe_row {
	const char *label;
	size_t count;
	struct step history[HISTORY_MOST];
	bool disable, without; /* where the list sends probes, and where it sends none */
	enum verdict_probe probe;
	unsigned failures;
};

/* clang-format off */
static const struct probe_row probe_rows[] = {
    { "nothing happened", 1, { GOOD(0) }, false, false, VERDICT_NEEDS_NO_PROBE, 0 },
    { "too few failures ask for none", 1, { BAD(0, DOMAIN_UNKNOWN) }, false, false, VERDICT_NEEDS_NO_PROBE, 1 },
    { "enough, but too soon", 2, { BAD(0, DOMAIN_UNKNOWN), BAD(1, DOMAIN_UNKNOWN) }, false, false, VERDICT_NEEDS_NO_PROBE, 2 },
    { "enough: one is to be sent", 2, { BAD(0, DOMAIN_UNKNOWN), BAD(3, DOMAIN_UNKNOWN) }, false, true, VERDICT_WANTS_PROBE, 2 },
    { "a grave reason needs none", 1, { BAD(0, USER_UNKNOWN) }, true, true, VERDICT_NEEDS_NO_PROBE, 1 },
    { "a grave one while it is under way", 4, { BAD(0, DOMAIN_UNKNOWN), BAD(3, DOMAIN_UNKNOWN), ASKED(4), BAD(5, USER_UNKNOWN) },
      true, true, VERDICT_NEEDS_NO_PROBE, 1 },
    { "under way", 3, { BAD(0, DOMAIN_UNKNOWN), BAD(3, DOMAIN_UNKNOWN), ASKED(4) }, false, true, VERDICT_AWAITS_PROBE, 2 },
    { "under way, and another copy fails", 4, { BAD(0, DOMAIN_UNKNOWN), BAD(3, DOMAIN_UNKNOWN), ASKED(4), BAD(5, DOMAIN_UNKNOWN) },
      false, true, VERDICT_AWAITS_PROBE, 3 },
    { "it bounced", 3, { BAD(0, DOMAIN_UNKNOWN), BAD(3, DOMAIN_UNKNOWN), BOUNCED(4) }, true, true, VERDICT_PROBE_BOUNCED, 2 },
    { "it bounced, another is under way", 4, { BAD(0, DOMAIN_UNKNOWN), BAD(3, DOMAIN_UNKNOWN), BOUNCED(4), ASKED(9) },
      true, true, VERDICT_PROBE_BOUNCED, 2 },
    { "its bounce alone is no failure", 1, { BOUNCED(4) }, false, false, VERDICT_NEEDS_NO_PROBE, 0 },
    { "silence resets", 3, { BAD(0, DOMAIN_UNKNOWN), BAD(3, DOMAIN_UNKNOWN), SILENT(4) }, false, true, VERDICT_NEEDS_NO_PROBE, 0 },
    { "and the count begins anew", 4, { BAD(0, DOMAIN_UNKNOWN), BAD(3, DOMAIN_UNKNOWN), SILENT(4), BAD(20, DOMAIN_UNKNOWN) },
      false, true, VERDICT_NEEDS_NO_PROBE, 1 },
    { "until it is enough again", 5,
      { BAD(0, DOMAIN_UNKNOWN), BOUNCED(1), SILENT(4), BAD(20, DOMAIN_UNKNOWN), BAD(30, DOMAIN_UNKNOWN) },
      false, true, VERDICT_WANTS_PROBE, 2 },
    { "a bounce of before a success is forgotten", 5,
      { BOUNCED(1), GOOD(4), BAD(20, MAILBOX_DISABLED), BAD(30, MAILBOX_DISABLED), ASKED(31) },
      false, true, VERDICT_AWAITS_PROBE, 2 },
    { "a row that is near waits behind one that is met", 3,
      { BAD(0, MAILBOX_DISABLED), BAD(6, DOMAIN_UNKNOWN), BAD(8, MAILBOX_DISABLED) }, false, true, VERDICT_WANTS_PROBE, 3 },
};
/* clang-format on */

START_TEST(probes_and_verdicts)
	{
		struct policy probing = policy_default;
		probing.probe_days = 10;
		for (size_t i = 0; i < ARRAY_LEN(probe_rows); i++) {
			const struct probe_row *row = &probe_rows[i];
			struct attempt attempts[HISTORY_MOST] = { 0 };
			struct verdict verdict;
			for (size_t j = 0; j < row->count; j++)
				attempts[j] = (struct attempt){ .at_us = row->history[j].day * CLOCK_US_PER_DAY,
								.outcome = row->history[j].outcome,
								.reason = row->history[j].reason };
			policy_judge(&probing, attempts, row->count, &verdict);
			ck_assert_msg(verdict.disable == row->disable, "%s: disable is %d", row->label,
				      verdict.disable);
			ck_assert_msg(verdict.probe == row->probe, "%s: probe is %d", row->label, (int)verdict.probe);
			ck_assert_msg(verdict.failures == row->failures, "%s: %u failures", row->label,
				      verdict.failures);
			policy_judge(&policy_default, attempts, row->count, &verdict);
			ck_row(row->label, verdict.disable == row->without && verdict.probe == VERDICT_NEEDS_NO_PROBE);
		}
	}
END_TEST

START_TEST(every_reason_has_its_row)
	{
		for (int i = 0; i < REASON_COUNT; i++) {
			enum bounce_reason reason = (enum bounce_reason)i;
			bool scored = policy_default.rows[reason].failures > 0;
			bool bounce = reason != REASON_COMPLAINT && reason != REASON_AUTO_REPLY;
			ck_row(reason_name(reason), scored == (bounce && !reason_is_about_us(reason)));
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { histories_and_verdicts, probes_and_verdicts, every_reason_has_its_row };
	return suite_of("policy", tests, ARRAY_LEN(tests));
}
