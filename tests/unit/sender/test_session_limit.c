#include "sender/session_limit.h"

#include "base/view.h"
#include "tests/support/unit.h"

enum { ENDS = 8 };

START_TEST(the_same_end_again_and_again)
	{
		static const struct row {
			const char *label;
			struct end {
				uint64_t answered, number, opened;
			} ends[ENDS]; /* opened 0: no further one */
			uint64_t learned;
		} rows[] = {
			{ "three, one after the other", { { 7, 1, 1 }, { 7, 2, 2 }, { 7, 3, 3 } }, 7 },
			{ "two", { { 7, 1, 1 }, { 7, 2, 2 } }, 0 },
			{ "all that stood at once", { { 7, 1, 4 }, { 7, 2, 4 }, { 7, 3, 4 }, { 7, 4, 4 } }, 0 },
			{ "three times all",
			  { { 7, 1, 2 }, { 7, 2, 2 }, { 7, 3, 4 }, { 7, 4, 4 }, { 7, 5, 6 }, { 7, 6, 6 } },
			  7 },
			{ "fewer, by accident",
			  { { 7, 1, 1 }, { 3, 2, 2 }, { 7, 3, 3 }, { 1, 4, 4 }, { 7, 5, 5 } },
			  7 },
			{ "always fewer", { { 7, 1, 1 }, { 3, 2, 2 }, { 3, 3, 3 }, { 3, 4, 4 }, { 3, 5, 5 } }, 0 },
			{ "more each time", { { 2, 1, 1 }, { 2, 2, 2 }, { 3, 3, 3 }, { 3, 4, 4 }, { 4, 5, 5 } }, 0 },
			{ "before any answer", { { 0, 1, 1 }, { 0, 2, 2 }, { 0, 3, 3 }, { 0, 4, 4 } }, 0 },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct session_limit limit = { 0 };
			unsigned told = 0;
			for (size_t k = 0; k < ENDS && rows[i].ends[k].opened > 0; k++) {
				const struct end *end = &rows[i].ends[k];
				for (uint64_t answered = 1; answered <= end->answered; answered++)
					session_limit_answered(&limit, answered);
				told += session_limit_hung_up(&limit, end->answered, end->number, end->opened);
			}
			ck_assert_msg(session_limit_least(&limit, 0) == rows[i].learned, "%s", rows[i].label);
			ck_assert_msg(told == (rows[i].learned != 0), "%s: told %u times", rows[i].label, told);
		}
	}
END_TEST

START_TEST(one_that_is_answered_more_belies_it)
	{
		struct session_limit limit = { 0 };
		session_limit_answered(&limit, 7);
		for (uint64_t number = 1; number <= SESSION_LIMIT_PROOFS; number++)
			ck_assert(session_limit_hung_up(&limit, 7, number, number) == (number == SESSION_LIMIT_PROOFS));
		ck_assert(session_limit_least(&limit, 0) == 7);
		session_limit_answered(&limit, 8);
		ck_assert(session_limit_least(&limit, 0) == 0);
	}
END_TEST

START_TEST(the_message_behind_the_last_end_is_near)
	{
		struct session_limit limit = { 0 };
		ck_assert(!session_limit_is_near(&limit, 0));
		session_limit_answered(&limit, 7);
		session_limit_hung_up(&limit, 7, 1, 3);
		ck_assert(session_limit_is_near(&limit, 7));
		ck_assert(!session_limit_is_near(&limit, 6) && !session_limit_is_near(&limit, 8));
		/* Though that is no proof. */
		session_limit_hung_up(&limit, 5, 2, 3);
		ck_assert(session_limit_is_near(&limit, 5));
	}
END_TEST

START_TEST(the_least_limit_counts)
	{
		struct session_limit limit = { .learned = 7 };
		ck_assert(session_limit_least(&limit, 0) == 7);
		ck_assert(session_limit_least(&limit, 100) == 7);
		ck_assert(session_limit_least(&limit, 5) == 5);
		limit.learned = 0;
		ck_assert(session_limit_least(&limit, 100) == 100 && session_limit_least(&limit, 0) == 0);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { the_same_end_again_and_again, one_that_is_answered_more_belies_it,
				       the_message_behind_the_last_end_is_near, the_least_limit_counts };
	return suite_of("session_limit", tests, ARRAY_LEN(tests));
}
