#include "sender/retry.h"

#include "base/clock.h"
#include "sender/backoff.h"
#include "sender/breaker.h"
#include "tests/support/unit.h"

#define S INT64_C(1000000)

START_TEST(schedules_are_read)
	{
		static const struct row {
			const char *label, *text;
			size_t count; /* 0: refused */
		} rows[] = {
			{ "one", "5m", 1 },
			{ "several", "5m 15m 2h", 3 },
			{ "spaces", "  1s   2s ", 2 },
			{ "empty", "", 0 },
			{ "blank", "   ", 0 },
			{ "no time", "5m soon", 0 },
			{ "zero", "0s 5m", 0 },
			{ "negative", "-5m", 0 },
			{ "comma", "5m,15m", 0 },
			{ "the longest", "5m 3650d", 2 },
			{ "too long", "5m 3651d", 0 },
			{ "too many", "1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", 0 },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF why = buf_with_ceiling(1024);
			struct retry retry;
			enum err err = retry_parse(view_of(rows[i].text), 100 * S, &retry, &why);
			ck_row(rows[i].label, (err == ERR_OK) == (rows[i].count > 0));
			ck_row(rows[i].label, err != ERR_OK || retry.count == rows[i].count);
			ck_row(rows[i].label,
			       err == ERR_OK || view_find(buf_view(&why), VIEW_LIT("sender.retry_after")) != VIEW_NONE);
		}
	}
END_TEST

START_TEST(attempts_follow_the_schedule)
	{
		static const struct row {
			const char *label;
			unsigned attempts;
			int64_t first_us, now_us, next_us;
			int64_t expire_us;
		} rows[] = {
			{ "first wait", 1, 1000 * S, 1000 * S, 1010 * S, 0 },
			{ "second wait", 2, 1000 * S, 1010 * S, 1030 * S, 0 },
			{ "last one repeats", 9, 1000 * S, 1100 * S, 1120 * S, 0 },
			{ "cut to the end", 9, 1000 * S, 1595 * S, 1600 * S, 0 },
			{ "expired at the end", 9, 1000 * S, 1600 * S, 0, 0 },
			{ "expired long ago", 2, 1000 * S, 9000 * S, 0, 0 },
			{ "the campaign's own, sooner: cut", 1, 1000 * S, 1005 * S, 1008 * S, 8 * S },
			{ "the campaign's own, sooner: expired", 1, 1000 * S, 1008 * S, 0, 8 * S },
			{ "the campaign's own, later", 9, 1000 * S, 1600 * S, 1620 * S, 900 * S },
			{ "the campaign's own, for ever", 9, 1000 * S, 1600 * S, 1620 * S, INT64_MAX },
		};
		AUTO_BUF why = buf_with_ceiling(1024);
		struct retry retry;
		ck_assert(retry_parse(VIEW_LIT("10s 20s"), 600 * S, &retry, &why) == ERR_OK);
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			ck_row(rows[i].label, retry_next(&retry, rows[i].expire_us, rows[i].attempts, rows[i].first_us,
							 rows[i].now_us) == rows[i].next_us);
	}
END_TEST

START_TEST(sooner_ones_double_up_to_the_schedule)
	{
		static const struct row {
			const char *label;
			unsigned attempts;
			int64_t next_us, sooner_us;
		} rows[] = {
			{ "the first", 1, 1300 * S, 1030 * S },
			{ "the second", 2, 1300 * S, 1060 * S },
			{ "the fourth", 4, 1300 * S, 1240 * S },
			{ "not beyond the schedule", 5, 1300 * S, 1300 * S },
			{ "nor ever", 4000000000, 1300 * S, 1300 * S },
			{ "a schedule that is sooner", 1, 1001 * S, 1001 * S },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			ck_row(rows[i].label,
			       retry_sooner(30 * S, rows[i].attempts, 1000 * S, rows[i].next_us) == rows[i].sooner_us);
	}
END_TEST

START_TEST(backoff_doubles_up_to_a_limit)
	{
		static const int64_t waits[] = { 30, 60, 120, 240, 480, 600, 600 };
		struct backoff backoff = backoff_new(30 * S, 600 * S);
		ck_assert(!backoff_is_failed(&backoff));
		ck_assert(!backoff_waits(&backoff, 0));
		for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
			int64_t now_us = (int64_t)i * 10000 * S;
			backoff_fail(&backoff, now_us);
			ck_assert(backoff_waits(&backoff, now_us + waits[i] * S - 1));
			ck_assert(!backoff_waits(&backoff, now_us + waits[i] * S));
			ck_assert(backoff_is_failed(&backoff));
		}
		backoff_clear(&backoff);
		ck_assert(!backoff_is_failed(&backoff));
		backoff_fail(&backoff, 0);
		ck_assert_int_eq(backoff.wait_us, 30 * S);
	}
END_TEST

struct trip_row {
	const char *label;
	struct breaker_terms terms;
	size_t every, good_before; /* each `every`th is a refusal about us, after so many good ones */
	size_t trips_after;        /* outcomes; 0: not within 10,000 */
};

static const struct trip_row trip_rows[] = {
	{ "all in a row", { 200, 20 }, 1, 0, BREAKER_RUN },
	{ "all in a row, after many", { 200, 0 }, 1, 1000, BREAKER_RUN },
	{ "fewer than the least number trip nothing", { 200, 50 }, 1, 0, 50 },
	{ "nor do they within the hundred", { 200, 100 }, 2, 0, 200 },
	{ "half of the last hundred", { 200, 50 }, 2, 0, 100 },
	{ "a third", { 200, 20 }, 3, 0, 0 },
	{ "half, where more is allowed", { 600, 20 }, 2, 0, 0 },
	{ "a share of 0", { 0, 20 }, 1, 0, 0 },
};

static size_t trips_after(const struct trip_row *row)
{
	struct breaker breaker = { 0 };
	for (size_t i = 0; i < row->good_before; i++)
		ck_assert(!breaker_note(&breaker, &row->terms, false));
	for (size_t i = 1; i <= 10000; i++) {
		if (breaker_note(&breaker, &row->terms, i % row->every == 0))
			return i;
	}
	return 0;
}

START_TEST(breaker_trips_in_a_row_and_at_half_of_the_last_hundred)
	{
		for (size_t i = 0; i < ARRAY_LEN(trip_rows); i++)
			ck_assert_msg(trips_after(&trip_rows[i]) == trip_rows[i].trips_after, "%s: %zu",
				      trip_rows[i].label, trips_after(&trip_rows[i]));
		struct breaker breaker = { 0 };
		const struct breaker_terms terms = { 200, 20 };
		for (size_t i = 0; i < BREAKER_TRIPS_AT - 1; i++)
			ck_assert(!breaker_note(&breaker, &terms, true) && !breaker_note(&breaker, &terms, false));
		/* What lies more than a hundred outcomes back no longer counts. */
		for (size_t i = 0; i < BREAKER_OUTCOMES; i++)
			ck_assert(!breaker_note(&breaker, &terms, false));
		ck_assert_uint_eq(breaker.count, 0);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { schedules_are_read, attempts_follow_the_schedule,
				       sooner_ones_double_up_to_the_schedule, backoff_doubles_up_to_a_limit,
				       breaker_trips_in_a_row_and_at_half_of_the_last_hundred };
	return suite_of("retry", tests, ARRAY_LEN(tests));
}
