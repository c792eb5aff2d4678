#include "sender/aside.h"

#include <string.h>

#include "tests/support/unit.h"

enum { ONE = 1, TWO = 2, BOTH = 3 };

/* People were set aside for "k" at time 0, while the relays `of` took nobody. */
START_TEST(who_is_woken)
	{
		static const struct {
			const char *label;
			uint64_t of, away;
			int64_t now_us;
			bool is_woken;
		} rows[] = {
			{ "it is back", ONE, 0, ASIDE_LEAST_US, true },
			{ "another one is away", ONE, TWO, ASIDE_LEAST_US, true },
			{ "it is away", ONE, ONE, ASIDE_MOST_US, false },
			{ "too soon", ONE, 0, ASIDE_LEAST_US - 1, false },
			{ "one of two is back", BOTH, TWO, ASIDE_LEAST_US, true },
			{ "none of two is", BOTH, BOTH, ASIDE_LEAST_US, false },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct aside aside = { 0 };
			struct aside_key key;
			aside_note(&aside, VIEW_LIT("k"), rows[i].of, 0);
			ck_row(rows[i].label,
			       aside_next(&aside, rows[i].away, rows[i].now_us, &key) == rows[i].is_woken);
			ck_row(rows[i].label, !rows[i].is_woken || view_eq(view_of(key.key), VIEW_LIT("k")));
			ck_row(rows[i].label, aside.count == !rows[i].is_woken);
		}
	}
END_TEST

START_TEST(each_key_once)
	{
		struct aside aside = { 0 };
		struct aside_key key;
		aside_note(&aside, VIEW_LIT("a"), ONE, 0);
		aside_note(&aside, VIEW_LIT("b"), ONE, 0);
		aside_note(&aside, VIEW_LIT("a"), TWO, 5);
		ck_assert_uint_eq(aside.count, 2);
		ck_assert_msg(aside_next(&aside, ONE, ASIDE_LEAST_US, &key),
			      "one that was noted twice is of both relays");
		ck_assert(view_eq(view_of(key.key), VIEW_LIT("a")) && key.relays == BOTH);
		ck_assert(!aside_next(&aside, ONE, ASIDE_LEAST_US, &key));
		ck_assert(aside_next(&aside, 0, ASIDE_LEAST_US, &key));
		ck_assert(!aside_next(&aside, 0, ASIDE_LEAST_US, &key));
	}
END_TEST

START_TEST(no_more_than_there_is_room_for)
	{
		struct aside aside = { 0 };
		for (unsigned i = 0; i < ASIDE_KEYS + 1; i++) {
			AUTO_BUF key = buf_with_ceiling(64);
			buf_addf(&key, "k%u", i);
			aside_note(&aside, buf_view(&key), ONE, 0);
		}
		ck_assert_uint_eq(aside.count, ASIDE_KEYS);
		char wide[BUDGET_KEY_MOST + 1];
		memset(wide, 'x', sizeof(wide));
		aside = (struct aside){ 0 };
		aside_note(&aside, view_from(wide, sizeof(wide)), ONE, 0);
		ck_assert_uint_eq(aside.count, 0);
		aside_note(&aside, view_from(wide, sizeof(wide) - 1), ONE, 0);
		ck_assert_uint_eq(aside.count, 1);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { who_is_woken, each_key_once, no_more_than_there_is_room_for };
	return suite_of("aside", tests, ARRAY_LEN(tests));
}
