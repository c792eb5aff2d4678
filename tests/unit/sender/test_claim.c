#include "sender/claim.h"

#include "tests/support/unit.h"

#define HERE "boot:1:2"
#define THERE "boot:1:3"

static const struct claim_case {
	const char *label;
	struct worker_mark journal, row;
	const char *place; /* where the last process had it */
	int64_t quiet_us;
	bool has_stopped, has_opened;
	enum claim claim;
} cases[] = {
	{ "same file", { 3, 9 }, { 3, 9 }, HERE, 1, false, true, CLAIM_OURS },
	{ "announced and not written", { 3, 10 }, { 3, 9 }, HERE, 1, false, true, CLAIM_OURS },
	{ "taken up and not written", { 4, 9 }, { 3, 9 }, HERE, 1, false, true, CLAIM_OURS },
	{ "a journal of older versions", { 0, 0 }, { 0, 0 }, "", 1, false, true, CLAIM_OURS },
	{ "elsewhere, within its lease", { 3, 9 }, { 3, 9 }, THERE, 99, false, true, CLAIM_LATER },
	{ "elsewhere, with nobody", { 3, 9 }, { 3, 9 }, THERE, 99, false, false, CLAIM_LATER },
	{ "elsewhere, its lease is over", { 3, 9 }, { 3, 9 }, THERE, 100, false, true, CLAIM_OURS },
	{ "elsewhere, stopped in order", { 3, 9 }, { 3, 9 }, THERE, 1, true, false, CLAIM_OURS },
	{ "an older turn", { 3, 8 }, { 3, 9 }, HERE, 1, false, true, CLAIM_OLD },
	{ "an older turn, long ago", { 3, 8 }, { 3, 9 }, HERE, 1000, true, true, CLAIM_OLD },
	{ "an older epoch", { 2, 9 }, { 3, 9 }, HERE, 1, false, true, CLAIM_OLD },
	{ "an older epoch, with more turns", { 2, 12 }, { 3, 9 }, THERE, 1, false, true, CLAIM_OLD },
	{ "an older turn, with nobody", { 3, 8 }, { 3, 9 }, THERE, 1, false, false, CLAIM_VOID },
};

START_TEST(each_journal_is_judged)
	{
		bool is_told[CLAIM_COUNT] = { 0 };
		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			const struct worker_holder holder = {
				.mark = cases[i].row,
				.is_running = !cases[i].has_stopped,
				.has_opened = cases[i].has_opened,
				.quiet_us = cases[i].quiet_us,
				.place = view_of(cases[i].place),
			};
			is_told[cases[i].claim] = true;
			ck_assert_msg(claim_judge(cases[i].journal, VIEW_LIT(HERE), &holder, 100) == cases[i].claim,
				      "%s", cases[i].label);
		}
		for (size_t i = 0; i < CLAIM_COUNT; i++)
			ck_assert_msg(is_told[i], "%zu", i);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { each_journal_is_judged };
	return suite_of("claim", tests, ARRAY_LEN(tests));
}
