#include "sender/tally.h"

#include <string.h>

#include "tests/support/unit.h"

struct row {
	const char *label;
	enum ledger_outcome outcome;
	const char *reason;
	struct tally expected; /* of one such row */
};

#define G                                                                                                              \
	{                                                                                                              \
		"gmail", 5                                                                                             \
	}

static const struct row rows[] = {
	{ "accepted", LEDGER_ACCEPTED, "", { 1, G, 1, 0, 0, 0, 0 } },
	{ "nobody there", LEDGER_REFUSED, "user-unknown", { 1, G, 0, 1, 0, 0, 0 } },
	{ "no such domain", LEDGER_REFUSED, "domain-unknown", { 1, G, 0, 1, 0, 0, 0 } },
	{ "a full mailbox is no bad address", LEDGER_REFUSED, "mailbox-full", { 1, G, 0, 0, 0, 1, 0 } },
	{ "block list", LEDGER_REFUSED, "sender-blocked", { 1, G, 0, 0, 1, 0, 0 } },
	{ "spam", LEDGER_REFUSED, "spam-content", { 1, G, 0, 0, 1, 0, 0 } },
	{ "policy", LEDGER_REFUSED, "policy", { 1, G, 0, 0, 1, 0, 0 } },
	{ "relaying denied", LEDGER_REFUSED, "relay-denied", { 1, G, 0, 0, 1, 0, 0 } },
	{ "who knows", LEDGER_REFUSED, "other", { 1, G, 0, 0, 0, 1, 0 } },
	{ "a later release's reason", LEDGER_REFUSED, "moonlight", { 1, G, 0, 0, 0, 1, 0 } },
	{ "given up", LEDGER_EXPIRED, "rate-limited", { 1, G, 0, 0, 0, 1, 0 } },
	{ "put off", LEDGER_DEFERRED, "", { 1, G, 0, 0, 0, 1, 0 } },
	{ "not sent", LEDGER_SKIPPED, "unsubscribed", { 0, G, 0, 0, 0, 0, 0 } },
	{ "in doubt", LEDGER_IN_DOUBT, "", { 0, G, 0, 0, 0, 0, 0 } },
	{ "parked", LEDGER_PARKED, "", { 0, G, 0, 0, 0, 0, 0 } },
	{ "in doubt, and not sent again", LEDGER_HELD, "unsubscribed", { 0, G, 0, 0, 0, 0, 0 } },
};

START_TEST(each_outcome_has_its_place)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			static struct tally_sum sum;
			const struct ledger_row row = { .campaign_id = 1,
							.outcome = rows[i].outcome,
							.reason = view_of(rows[i].reason) };
			const struct tally *expected = &rows[i].expected;
			sum.count = 0;
			tally_note(&sum, &row, VIEW_LIT("gmail"));
			tally_note(&sum, &row, VIEW_LIT("gmail"));
			ck_row(rows[i].label, sum.count == (expected->campaign_id == 0 ? 0 : 1));
			if (sum.count == 0)
				continue;
			const struct tally *is = &sum.rows[0];
			ck_row(rows[i].label, is->accepted == 2 * expected->accepted &&
						  is->hard == 2 * expected->hard &&
						  is->policy == 2 * expected->policy &&
						  is->soft == 2 * expected->soft && is->complaints == 0);
		}
	}
END_TEST

START_TEST(campaigns_and_groups_are_apart_and_a_full_sum_is_no_fault)
	{
		static struct tally_sum sum;
		struct ledger_row row = { .outcome = LEDGER_ACCEPTED };
		for (int round = 0; round < 2; round++) {
			for (row.campaign_id = 1; row.campaign_id <= TALLY_ROWS_MOST; row.campaign_id++) {
				tally_note(&sum, &row, VIEW_LIT("gmail"));
				tally_note(&sum, &row, VIEW_LIT(""));
			}
		}
		ck_assert_uint_eq(sum.count, TALLY_ROWS_MOST);
		for (size_t i = 0; i < sum.count; i++) {
			ck_assert_int_eq(sum.rows[i].accepted, 2);
			ck_assert_int_eq(sum.rows[i].campaign_id, (int64_t)i / 2 + 1);
			ck_assert(view_eq(sum.rows[i].group, i % 2 == 0 ? VIEW_LIT("gmail") : VIEW_LIT("")));
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { each_outcome_has_its_place,
				       campaigns_and_groups_are_apart_and_a_full_sum_is_no_fault };
	return suite_of("tally", tests, ARRAY_LEN(tests));
}
