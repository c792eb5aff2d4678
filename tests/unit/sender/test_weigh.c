#include "sender/weigh.h"

#include "base/clock.h"
#include "base/view.h"
#include "tests/support/unit.h"

enum { RELAYS = 3, TICKS = 20000 };

#define TICK_US CLOCK_US_PER_MS

/* A relay takes a message every `pace` ticks, from one tick to another; 0: never. */
struct terms {
	unsigned weight, pace, from, to;
};
struct worker {
	struct terms terms;
	unsigned got, ready;
	struct weighed weighed;
};

static bool is_held(const struct worker *workers, size_t one, int64_t now_us)
{
	bool waits = false;
	for (size_t other = 0; other < RELAYS; other++)
		waits = waits || (other != one && workers[other].terms.weight > 0 &&
				  weigh_waits(&workers[one].weighed, &workers[other].weighed, now_us));
	return waits;
}

static void begin(struct worker *workers, size_t one, unsigned tick)
{
	for (size_t other = 0; other < RELAYS; other++) {
		if (other != one && workers[other].terms.weight > 0)
			weigh_catch_up(&workers[one].weighed, &workers[other].weighed);
	}
	weigh_pay(&workers[one].weighed, (tick + 1) * TICK_US);
	workers[one].got++;
	workers[one].ready = tick + workers[one].terms.pace;
}

/* There is always somebody to send to. */
static void run(struct worker *workers)
{
	for (unsigned tick = 0; tick < TICKS; tick++) {
		for (size_t one = 0; one < RELAYS; one++) {
			struct worker *worker = &workers[one];
			const struct terms *terms = &worker->terms;
			worker->weighed.weight = terms->weight;
			bool can = terms->pace > 0 && tick >= worker->ready && tick >= terms->from &&
				   (terms->to == 0 || tick < terms->to);
			if (terms->weight > 0 && can && !is_held(workers, one, (tick + 1) * TICK_US))
				begin(workers, one, tick);
		}
	}
}

START_TEST(weight_says_how_much)
	{
		static const struct row {
			const char *label;
			struct terms relays[RELAYS];
			unsigned shares[RELAYS]; /* of the sum, in percent; each may be 2 off */
			unsigned least;          /* messages together */
		} rows[] = {
			{ "alone", { { 1, 1, 0, 0 } }, { 100 }, TICKS },
			{ "same weight and speed", { { 1, 10, 0, 0 }, { 1, 10, 0, 0 } }, { 50, 50 }, TICKS / 5 - 9 },
			{ "same weight: speed rules", { { 5, 1, 0, 0 }, { 5, 9, 0, 0 } }, { 90, 10 }, TICKS },
			{ "4 to 1, as fast", { { 4, 10, 0, 0 }, { 1, 10, 0, 0 } }, { 80, 20 }, TICKS / 10 },
			{ "4 to 1, the light one faster", { { 4, 10, 0, 0 }, { 1, 1, 0, 0 } }, { 80, 20 }, TICKS / 10 },
			{ "4 to 1, the heavy one faster", { { 4, 1, 0, 0 }, { 1, 10, 0, 0 } }, { 80, 20 }, TICKS / 4 },
			{ "100 to 50", { { 100, 10, 0, 0 }, { 50, 10, 0, 0 } }, { 67, 33 }, TICKS / 10 },
			{ "three", { { 6, 10, 0, 0 }, { 3, 10, 0, 0 }, { 1, 2, 0, 0 } }, { 60, 30, 10 }, TICKS / 10 },
			{ "one never works", { { 9, 0, 0, 0 }, { 1, 1, 0, 0 } }, { 0, 100 }, TICKS },
			{ "one dies: the other does its work",
			  { { 9, 1, 0, TICKS / 100 }, { 1, 1, 0, 0 } },
			  { 1, 99 },
			  TICKS - 1500 },
			{ "one comes later", { { 3, 2, TICKS / 2, 0 }, { 1, 2, 0, 0 } }, { 43, 57 }, TICKS / 2 },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct worker workers[RELAYS];
			unsigned sum = 0;
			for (size_t k = 0; k < RELAYS; k++)
				workers[k] = (struct worker){ .terms = rows[i].relays[k] };
			run(workers);
			for (size_t k = 0; k < RELAYS; k++)
				sum += workers[k].got;
			ck_assert_msg(sum >= rows[i].least, "%s: %u", rows[i].label, sum);
			for (size_t k = 0; k < RELAYS; k++) {
				int off = (int)(workers[k].got * 100 / sum) - (int)rows[i].shares[k];
				ck_assert_msg(off >= -2 && off <= 2, "%s: %zu got %u of %u", rows[i].label, k,
					      workers[k].got, sum);
			}
		}
	}
END_TEST

START_TEST(what_was_missed_is_not_made_good)
	{
		struct weighed away = { .weight = 4 }, other = { .weight = 1 };
		unsigned count = 0;
		weigh_pay(&away, 1);
		for (int64_t i = 1; i < 1000; i++)
			weigh_pay(&other, i);
		while (weigh_waits(&other, &away, 1000)) {
			weigh_catch_up(&away, &other);
			weigh_pay(&away, 1000);
			count++;
		}
		ck_assert_uint_gt(count, 4);
		ck_assert_uint_lt(count, 100);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { weight_says_how_much, what_was_missed_is_not_made_good };
	return suite_of("weigh", tests, ARRAY_LEN(tests));
}
