#include "sender/vacancies.h"

#include "tests/support/unit.h"

enum { ROOM = 3, STEPS = 8 };

/* A place is left alone until then, or (0) the time is that; so many are left alone after it. */
struct step {
	int64_t until_us, now_us;
	size_t count;
};

START_TEST(places)
	{
		static const struct {
			const char *label;
			struct step steps[STEPS];
		} rows[] = {
			{ "none", { { 0, 5, 0 } } },
			{ "one", { { 10, 0, 1 }, { 0, 9, 1 }, { 0, 10, 0 } } },
			{ "in their order", { { 10, 0, 1 }, { 20, 0, 2 }, { 0, 15, 1 }, { 0, 20, 0 } } },
			{ "all at once", { { 10, 0, 1 }, { 20, 0, 2 }, { 30, 0, 3 }, { 0, 90, 0 } } },
			{ "more than there is room for",
			  { { 10, 0, 1 }, { 20, 0, 2 }, { 30, 0, 3 }, { 40, 0, 3 }, { 0, 30, 0 } } },
			{ "round and round",
			  { { 10, 0, 1 },
			    { 20, 0, 2 },
			    { 0, 10, 1 },
			    { 30, 0, 2 },
			    { 40, 0, 3 },
			    { 0, 29, 2 },
			    { 0, 39, 1 },
			    { 0, 40, 0 } } },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct vacancies vacancies;
			ck_assert(vacancies_new(ROOM, &vacancies) == ERR_OK);
			for (size_t k = 0; k < STEPS; k++) {
				const struct step *step = &rows[i].steps[k];
				if (step->until_us == 0 && step->now_us == 0)
					break;
				if (step->until_us != 0)
					vacancies_add(&vacancies, step->until_us);
				else
					vacancies_end(&vacancies, step->now_us);
				ck_assert_msg(vacancies.count == step->count, "%s: step %zu", rows[i].label, k);
			}
			vacancies_done(&vacancies);
			vacancies_done(&vacancies);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { places };
	return suite_of("vacancies", tests, ARRAY_LEN(tests));
}
