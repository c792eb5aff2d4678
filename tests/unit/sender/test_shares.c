#include "sender/shares.h"

#include "base/view.h"
#include "tests/support/unit.h"

enum { RELAYS = 4 };

START_TEST(each_gets_its_part)
	{
		static const struct row {
			const char *label;
			uint64_t room, asks[RELAYS];
			size_t count;
			uint64_t shares[RELAYS];
		} rows[] = {
			{ "nobody", 10, { 0 }, 0, { 0 } },
			{ "all fit", 100, { 10, 20, 30 }, 3, { 10, 20, 30 } },
			{ "just", 60, { 10, 20, 30 }, 3, { 10, 20, 30 } },
			{ "alone, too much", 100, { 1616 }, 1, { 100 } },
			{ "a small one beside a large one", 100, { 1616, 32 }, 2, { 68, 32 } },
			{ "two large ones", 100, { 1616, 1616 }, 2, { 50, 50 } },
			{ "what a small one leaves goes to the others",
			  100,
			  { 4, 30, 500, 500 },
			  4,
			  { 4, 30, 33, 33 } },
			{ "no room", 0, { 5, 5 }, 2, { 1, 1 } },
			{ "less room than relays", 2, { 5, 5, 5, 1 }, 4, { 1, 1, 1, 1 } },
			{ "one that asks nothing", 10, { 0, 20 }, 2, { 5, 5 } },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			uint64_t shares[RELAYS] = { 0 };
			shares_divide(rows[i].room, rows[i].asks, rows[i].count, shares);
			for (size_t k = 0; k < rows[i].count; k++)
				ck_assert_msg(shares[k] == rows[i].shares[k], "%s: %zu gets %llu", rows[i].label, k,
					      (unsigned long long)shares[k]);
		}
	}
END_TEST

START_TEST(a_quarter_is_kept)
	{
		ck_assert_uint_eq(shares_room(1600, 0), 1200);
		ck_assert_uint_eq(shares_room(1600, 400), 1200);
		ck_assert_uint_eq(shares_room(1600, 1000), 600);
		ck_assert_uint_eq(shares_room(1600, 1700), 0);
		for (uint64_t asked = 0; asked < 5000; asked++) {
			uint64_t journal = shares_journal_for(asked);
			ck_assert_uint_ge(shares_room(journal, 0), asked);
			ck_assert_uint_le(journal, asked + asked / 3 + 1);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { each_gets_its_part, a_quarter_is_kept };
	return suite_of("shares", tests, ARRAY_LEN(tests));
}
