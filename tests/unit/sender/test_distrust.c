#include "sender/distrust.h"

#include <stdio.h>

#include "tests/support/unit.h"

enum { STEPS = 6, LONG = 100000 };

/* What the relay does: refuses so many, of so many destinations in turn; or answers a content. */
struct step {
	unsigned count, destinations; /* count 0: a content is answered */
	bool trips;                   /* with the last one, and with none before */
};

#define ANSWERED                                                                                                       \
	{                                                                                                              \
		0, 1, false                                                                                            \
	}

static bool refuse(struct distrust *distrust, unsigned destination)
{
	char name[32];
	snprintf(name, sizeof(name), "d%u.test", destination);
	return distrust_refused(distrust, 1, view_of(name));
}

static void play(const char *label, const struct step steps[STEPS])
{
	struct distrust distrust = { 0 };
	for (size_t i = 0; i < STEPS && steps[i].destinations > 0; i++) {
		if (steps[i].count == 0)
			distrust_answered(&distrust);
		ck_row(label, steps[i].count > 0 || !distrust_is_open(&distrust));
		for (unsigned k = 0; k < steps[i].count; k++) {
			bool trips = refuse(&distrust, k % steps[i].destinations);
			ck_assert_msg(trips == (k + 1 == steps[i].count && steps[i].trips), "%s: step %zu, person %u",
				      label, i, k);
			ck_row(label, distrust_is_open(&distrust));
		}
	}
}

/* However often it is left alone, it is tried with more and more, but not with all at once. */
START_TEST(bears_more_each_time)
	{
		struct distrust distrust = { 0 };
		unsigned refused = 0, most = 0;
		for (unsigned i = 0; i < LONG; i++) {
			refused++;
			if (!refuse(&distrust, i % 2))
				continue;
			ck_assert(i < DISTRUST_AT || refused >= most);
			most = i < DISTRUST_AT ? 0 : refused;
			refused = 0;
		}
		ck_assert_uint_eq(most, DISTRUST_MOST);
	}
END_TEST

START_TEST(when_it_trips)
	{
		static const struct {
			const char *label;
			struct step steps[STEPS];
		} rows[] = {
			{ "one destination never trips it", { { LONG, 1, false } } },
			{ "two do", { { DISTRUST_AT, 2, true } } },
			{ "each another one", { { DISTRUST_AT, DISTRUST_AT, true } } },
			{ "and goes on", { { DISTRUST_AT, 2, true }, { 1, 1, true }, { 2, 2, true }, { 4, 1, true } } },
			{ "one short, an answer, and again",
			  { { DISTRUST_AT - 1, 2, false }, ANSWERED, { DISTRUST_AT, 2, true } } },
			{ "an answer parts two destinations",
			  { { DISTRUST_AT - 1, 2, false }, ANSWERED, { LONG, 1, false } } },
			{ "trusted again", { { DISTRUST_AT, 2, true }, ANSWERED, { DISTRUST_AT - 1, 2, false } } },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			play(rows[i].label, rows[i].steps);
	}
END_TEST

/* Two campaigns and two destinations in any order: they are counted together, and of whom the last one was is what is known. */
START_TEST(two_campaigns_alternate)
	{
		static const struct {
			int64_t campaign_id;
			const char *destination;
		} turns[] = { { 1, "gmail" }, { 2, "d1.test" }, { 1, "d1.test" }, { 2, "gmail" } };
		struct distrust distrust = { 0 };
		for (unsigned i = 0; i < DISTRUST_AT; i++) {
			struct view destination = view_of(turns[i % ARRAY_LEN(turns)].destination);
			bool trips = distrust_refused(&distrust, turns[i % ARRAY_LEN(turns)].campaign_id, destination);
			ck_assert_uint_eq(trips, i + 1 == DISTRUST_AT);
		}
		ck_assert(distrust_knows(&distrust, 2, VIEW_LIT("gmail")));
		ck_assert_msg(!distrust_knows(&distrust, 1, VIEW_LIT("gmail")), "another campaign there tells more");
		ck_assert_msg(!distrust_knows(&distrust, 2, VIEW_LIT("d1.test")), "and another destination of it");
		ck_assert_msg(distrust_refused(&distrust, 1, VIEW_LIT("gmail")),
			      "one more of any campaign is enough then");
	}
END_TEST

START_TEST(two_campaigns_of_one_destination)
	{
		struct distrust distrust = { 0 };
		for (unsigned i = 0; i < LONG; i++)
			ck_assert_msg(!distrust_refused(&distrust, i % 2, VIEW_LIT("gmail")), "person %u", i);
	}
END_TEST

START_TEST(few)
	{
		static const struct {
			const char *label;
			unsigned refused;
			uint64_t answered;
			bool is_few;
		} rows[] = {
			{ "nobody was answered", 1, 0, false },
			{ "nor refused", 0, 0, false },
			{ "refused at another time", 0, 1, true },
			{ "one behind two", 1, 2, true },
			{ "one behind one", 1, 1, false },
			{ "many behind very many", DISTRUST_FEW, LONG, false },
			{ "one less", DISTRUST_FEW - 1, LONG, true },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct distrust distrust = { 0 };
			for (unsigned k = 0; k < rows[i].refused; k++)
				refuse(&distrust, k);
			ck_row(rows[i].label, distrust_is_of_few(&distrust, rows[i].answered) == rows[i].is_few);
		}
		struct distrust distrust = { 0 };
		while (!refuse(&distrust, 0) && !refuse(&distrust, 1))
			;
		ck_assert_msg(!distrust_is_of_few(&distrust, LONG), "nor of one that is distrusted");
	}
END_TEST

START_TEST(whom_it_knows)
	{
		struct distrust distrust = { 0 };
		struct view longest = view_from((const char[LIMIT_DOMAIN + 2]){ 'x' }, LIMIT_DOMAIN + 2);
		refuse(&distrust, 1);
		ck_assert_msg(!distrust_knows(&distrust, 1, VIEW_LIT("d1.test")), "before it is distrusted");
		while (!refuse(&distrust, 0) && !refuse(&distrust, 1))
			;
		distrust_refused(&distrust, 1, VIEW_LIT("gmail"));
		ck_assert(distrust_knows(&distrust, 1, VIEW_LIT("gmail")));
		ck_assert(distrust_knows(&distrust, 1, VIEW_LIT("Gmail")));
		ck_assert(!distrust_knows(&distrust, 2, VIEW_LIT("gmail")));
		ck_assert(!distrust_knows(&distrust, 1, VIEW_LIT("gmail.com")));
		distrust_refused(&distrust, 1, longest);
		ck_assert(distrust_knows(&distrust, 1, longest));
		distrust_answered(&distrust);
		ck_assert(!distrust_knows(&distrust, 1, longest));
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		bears_more_each_time, when_it_trips, two_campaigns_alternate, two_campaigns_of_one_destination, few,
		whom_it_knows
	};
	return suite_of("distrust", tests, ARRAY_LEN(tests));
}
