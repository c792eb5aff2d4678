#include "sender/distrust.h"

#include "tests/support/unit.h"

enum { PEOPLE = 100, STEPS = 6 };

/* What the relay does: refuses these in their order, or answers a content. */
struct step {
	unsigned first, count; /* count 0: a content is answered */
	enum distrust_verdict verdict, last;
};

static void play(const char *label, const struct step steps[STEPS])
{
	struct distrust distrust = { 0 };
	bool is_refused_before[PEOPLE] = { false };
	for (size_t i = 0; i < STEPS && (steps[i].count > 0 || steps[i].first > 0); i++) {
		if (steps[i].count == 0)
			distrust_answered(&distrust);
		ck_row(label, steps[i].count > 0 || !distrust_is_open(&distrust));
		for (unsigned k = 0; k < steps[i].count; k++) {
			enum distrust_verdict verdict =
			    distrust_refused(&distrust, is_refused_before[steps[i].first + k]);
			is_refused_before[steps[i].first + k] = true;
			bool is_last = k + 1 == steps[i].count;
			ck_assert_msg(verdict == (is_last ? steps[i].last : steps[i].verdict),
				      "%s: step %zu, person %u", label, i, steps[i].first + k);
			ck_row(label, verdict == DISTRUST_STANDS || distrust_is_open(&distrust));
		}
	}
}

#define ANSWERED                                                                                                       \
	{                                                                                                              \
		1, 0, DISTRUST_STANDS, DISTRUST_STANDS                                                                 \
	}

/* However often it is left alone, it is tried with more and more, but not with all at once. */
START_TEST(bears_more_each_time)
	{
		struct distrust distrust = { 0 };
		unsigned refused = 0, most = 0;
		for (unsigned i = 0; i < 100000; i++) {
			refused++;
			if (distrust_refused(&distrust, false) != DISTRUST_TRIPS)
				continue;
			ck_assert(i < DISTRUST_AT || refused >= most);
			most = i < DISTRUST_AT ? 0 : refused;
			refused = 0;
		}
		ck_assert_uint_eq(most, DISTRUST_MOST);
	}
END_TEST

START_TEST(verdicts)
	{
		static const struct {
			const char *label;
			struct step steps[STEPS];
		} rows[] = {
			{ "one, twice",
			  { { 0, 1, DISTRUST_AGAIN, DISTRUST_AGAIN }, { 0, 1, DISTRUST_STANDS, DISTRUST_STANDS } } },
			{ "one, twice, with another one between",
			  { { 0, 1, DISTRUST_AGAIN, DISTRUST_AGAIN },
			    ANSWERED,
			    { 0, 1, DISTRUST_STANDS, DISTRUST_STANDS } } },
			{ "all", { { 0, DISTRUST_AT, DISTRUST_AGAIN, DISTRUST_TRIPS } } },
			{ "all, and goes on",
			  { { 0, DISTRUST_AT, DISTRUST_AGAIN, DISTRUST_TRIPS },
			    { DISTRUST_AT, 1, DISTRUST_TRIPS, DISTRUST_TRIPS },
			    { DISTRUST_AT + 1, 2, DISTRUST_AGAIN, DISTRUST_TRIPS },
			    { DISTRUST_AT + 3, 4, DISTRUST_AGAIN, DISTRUST_TRIPS },
			    { 0, DISTRUST_AT, DISTRUST_STANDS, DISTRUST_STANDS } } },
			{ "one short of all, an answer, and again",
			  { { 0, DISTRUST_AT - 1, DISTRUST_AGAIN, DISTRUST_AGAIN },
			    ANSWERED,
			    { DISTRUST_AT, DISTRUST_AT, DISTRUST_AGAIN, DISTRUST_TRIPS } } },
			{ "the second time does not count",
			  { { 0, DISTRUST_AT - 1, DISTRUST_AGAIN, DISTRUST_AGAIN },
			    { 0, DISTRUST_AT - 1, DISTRUST_STANDS, DISTRUST_STANDS },
			    { DISTRUST_AT, 1, DISTRUST_TRIPS, DISTRUST_TRIPS } } },
			{ "trusted again",
			  { { 0, DISTRUST_AT, DISTRUST_AGAIN, DISTRUST_TRIPS },
			    ANSWERED,
			    { DISTRUST_AT, 1, DISTRUST_AGAIN, DISTRUST_AGAIN },
			    { 0, 1, DISTRUST_STANDS, DISTRUST_STANDS } } },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			play(rows[i].label, rows[i].steps);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { bears_more_each_time, verdicts };
	return suite_of("distrust", tests, ARRAY_LEN(tests));
}
