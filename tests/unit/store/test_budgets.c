#include "store/budgets.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/limits.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

enum { WORKERS_MOST = 4 };

#define LEASE_US (60 * CLOCK_US_PER_SECOND)

static const char *const workers[WORKERS_MOST] = {
	"00000000-0000-4000-8000-000000000001",
	"00000000-0000-4000-8000-000000000002",
	"00000000-0000-4000-8000-000000000003",
	"00000000-0000-4000-8000-000000000004",
};

static void run_sql(struct db *db, const char *sql)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(db_run_script(db, view_of(sql), &why) == ERR_OK, "%s: %s", sql, buf_text(&why));
}

/* Time passes: all that the database remembers lies so much longer back. */
static void pass(struct db *db, double seconds)
{
	char sql[512];
	snprintf(sql, sizeof sql,
		 "UPDATE budget SET filled_at = filled_at - i, cut_at = cut_at - i, closed_until = closed_until - i"
		 " FROM (SELECT %f * interval '1 s' AS i) x;"
		 "UPDATE budget_lease SET granted_at = granted_at - i, until = until - i, holds_until = holds_until - i"
		 " FROM (SELECT %f * interval '1 s' AS i) x;"
		 "UPDATE worker SET started_at = started_at - %f * interval '1 s'",
		 seconds, seconds, seconds);
	run_sql(db, sql);
}

struct answer {
	int64_t tokens, slots, opens_us;
	double rate, pace;
};

static struct answer ask(struct db *db, size_t worker, const char *key, int64_t waiting, int64_t under_way,
			 int64_t unspent)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	AUTO_DB_ROWS *rows = NULL;
	const struct budget_ask one = { view_of(key), waiting, under_way, unspent };
	enum err err = budgets_turn(db, workers[worker], &one, 1, LEASE_US, &rows, &why);
	ck_assert_msg(err == ERR_OK, "%s", buf_text(&why));
	ck_assert_uint_eq(db_row_count(rows), 1);
	struct budget_grant grant = budgets_get(rows, 0);
	ck_view_eq(grant.key, key);
	return (struct answer){ grant.tokens, grant.slots, grant.opens_us, grant.rate, grant.pace };
}

static void limit(struct db *db, const char *set)
{
	char sql[256];
	snprintf(sql, sizeof sql, "UPDATE domain_group SET %s WHERE name = 'gmail'", set);
	run_sql(db, sql);
}

#define GMAIL "group:gmail"

struct sharing_row {
	const char *label;
	size_t workers;
	double rate;
	int64_t wants[WORKERS_MOST];   /* at each turn */
	double at_least[WORKERS_MOST]; /* of all that the rate allows, that worker's part */
};

static const struct sharing_row sharing[] = {
	{ "one has all", 1, 10, { 1000 }, { 0.9 } },
	{ "two have half each", 2, 10, { 1000, 1000 }, { 0.45, 0.45 } },
	{ "four have a quarter each", 4, 40, { 1000, 1000, 1000, 1000 }, { 0.22, 0.22, 0.22, 0.22 } },
	{ "what one leaves the other has", 2, 20, { 1000, 1 }, { 0.85, 0.04 } },
	{ "who wants nothing does not count", 4, 20, { 1000, 0, 0, 1000 }, { 0.45, 0, 0, 0.45 } },
	{ "a fraction a second", 1, 0.25, { 1000 }, { 0.8 } },
	{ "a fraction a second for two, who take turns", 2, 0.5, { 1000, 1000 }, { 0.4, 0.4 } },
	{ "less than one a worker", 4, 2, { 1000, 1000, 1000, 1000 }, { 0.15, 0.15, 0.15, 0.15 } },
};

/* Each asks once a simulated second, one a little after the other. The bound holds after every grant. */
static void share(const struct sharing_row *row)
{
	enum { SECONDS = 40 };
	struct db *db = database_open();
	char set[64];
	double granted = 0, by_worker[WORKERS_MOST] = { 0 }, paces[WORKERS_MOST] = { 0 }, simulated = 0;
	snprintf(set, sizeof set, "messages_per_second = %f", row->rate);
	limit(db, set);
	int64_t began_us = clock_boot_us();
	for (size_t second = 0; second < SECONDS; second++) {
		for (size_t i = 0; i < row->workers; i++) {
			struct answer answer = ask(db, i, GMAIL, row->wants[i], 0, 0);
			ck_assert_msg(answer.tokens >= 0 && answer.tokens <= row->wants[i], "%s", row->label);
			by_worker[i] += (double)answer.tokens;
			granted += (double)answer.tokens;
			paces[i] = answer.pace < (double)answer.tokens ? answer.pace : (double)answer.tokens;
			double together = paces[0] + paces[1] + paces[2] + paces[3];
			ck_assert_msg(together <= row->rate + 1e-6, "%s: %f a second", row->label, together);
			double seconds = simulated + (double)(clock_boot_us() - began_us) / 1e6;
			ck_assert_msg(granted <= row->rate * (seconds + 1.25) + 1 + 1e-6, "%s: %f in %f s", row->label,
				      granted, seconds);
			pass(db, 0.9 / (double)row->workers);
			simulated += 0.9 / (double)row->workers;
		}
		pass(db, 0.1);
		simulated += 0.1;
	}
	for (size_t i = 0; i < row->workers; i++)
		ck_assert_msg(by_worker[i] >= row->at_least[i] * row->rate * SECONDS, "%s: worker %zu got %f",
			      row->label, i, by_worker[i]);
	db_close(db);
}

START_TEST(rates_are_shared_fairly_and_never_exceeded)
	{
		for (size_t i = 0; i < ARRAY_LEN(sharing); i++)
			share(&sharing[i]);
	}
END_TEST

START_TEST(unspent_tokens_go_back)
	{
		struct db *db = database_open();
		limit(db, "messages_per_second = 10");
		pass(db, 0);
		ask(db, 0, GMAIL, 1, 0, 0);
		pass(db, 5);
		ck_assert_int_eq(ask(db, 0, GMAIL, 100, 0, 0).tokens, 13); /* a second and a quarter, and one */
		ck_assert_int_lt(ask(db, 0, GMAIL, 100, 0, 0).tokens, 5);
		int64_t again = ask(db, 0, GMAIL, 100, 0, 11).tokens;
		ck_assert_int_ge(again, 11);
		ck_assert_int_le(again, 13);
		db_close(db);
	}
END_TEST

/* Leases of slots, as their holders know them, never add up to more than there are. */
START_TEST(slots_are_shared_and_never_exceeded)
	{
		struct db *db = database_open();
		limit(db, "connections = 5");
		ck_assert_int_eq(ask(db, 0, GMAIL, 100, 0, 0).slots, 5);
		/* The first fills them; the second gets none before some have ended. */
		ck_assert_int_eq(ask(db, 1, GMAIL, 100, 0, 0).slots, 0);
		struct answer first = ask(db, 0, GMAIL, 95, 5, 0);
		ck_assert_int_le(first.slots, 3); /* it may begin no further one until then */
		ck_assert_int_eq(ask(db, 1, GMAIL, 100, 0, 0).slots, 0);
		first = ask(db, 0, GMAIL, 95, 3, 0);
		ck_assert_int_eq(first.slots, 3);
		ck_assert_int_eq(ask(db, 1, GMAIL, 100, 0, 0).slots, 2);
		/* Who wants nothing has nothing. */
		ask(db, 0, GMAIL, 0, 0, 0);
		ck_assert_int_eq(ask(db, 1, GMAIL, 98, 2, 0).slots, 5);
		ck_assert_int_eq(ask(db, 1, GMAIL, 98, 2, 0).tokens, -1);
		db_close(db);
	}
END_TEST

START_TEST(a_dead_workers_lease_expires)
	{
		struct db *db = database_open();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		limit(db, "connections = 4");
		ck_assert_int_eq(ask(db, 0, GMAIL, 100, 0, 0).slots, 4);
		pass(db, 9);
		ck_assert_int_eq(ask(db, 1, GMAIL, 100, 0, 0).slots, 0);
		pass(db, 1.1);
		ck_assert_int_eq(ask(db, 1, GMAIL, 100, 0, 0).slots, 4);
		ck_assert(budgets_release(db, workers[1], &why) == ERR_OK);
		ck_assert_int_eq(ask(db, 2, GMAIL, 100, 0, 0).slots, 4);
		db_close(db);
	}
END_TEST

struct silent_row {
	const char *label, *sql; /* what becomes of worker 1, of whom nothing was heard for `seconds` */
	double seconds;
	int64_t slots; /* for worker 2 then, of 4 that worker 1 had */
};

static const struct silent_row silent[] = {
	{ "stands still", "SELECT 1", 30, 0 },
	{ "stands still for longer than its lease", "SELECT 1", 61, 4 },
	{ "has stopped", "UPDATE worker SET pid = NULL", 11, 4 },
	{ "was started anew", "UPDATE worker SET started_at = now() - interval '11 s'", 12, 4 },
	{ "is forgotten", "DELETE FROM worker", 11, 4 },
};

START_TEST(what_a_silent_worker_has_under_way_counts_while_it_may_live)
	{
		for (size_t i = 0; i < ARRAY_LEN(silent); i++) {
			const struct silent_row *row = &silent[i];
			struct db *db = database_open();
			limit(db, "connections = 4, messages_per_second = 10");
			run_sql(db, "INSERT INTO worker (id, host, journal, pid)"
				    " VALUES ('00000000-0000-4000-8000-000000000001', 'h', 'j', 7)");
			pass(db, 1);
			ck_assert_int_eq(ask(db, 0, GMAIL, 100, 0, 0).slots, 4);
			pass(db, row->seconds);
			run_sql(db, row->sql);
			struct answer answer = ask(db, 1, GMAIL, 100, 0, 0);
			ck_row(row->label, answer.slots == row->slots);
			/* Of the rate it has no part any more. */
			ck_row(row->label, answer.pace > 9.9 && answer.tokens == 13);
			db_close(db);
		}
	}
END_TEST

static bool cut(struct db *db, const char *key, double measured, bool all_refused)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	bool news = false;
	enum err err =
	    budgets_cut(db, view_of(key), measured, all_refused, VIEW_LIT("421 4.7.28 slow down"), &news, &why);
	ck_assert_msg(err == ERR_OK, "%s", buf_text(&why));
	return news;
}

static double hoped(struct db *db, const char *key)
{
	return ask(db, 0, key, 1000, 0, 0).rate;
}

static void ck_near(double actual, double expected)
{
	ck_assert_msg(actual > expected * 0.98 && actual < expected * 1.02, "%f, not %f", actual, expected);
}

START_TEST(a_refusal_halves_and_time_heals)
	{
		struct db *db = database_open();
		limit(db, "messages_per_second = 40");
		ck_near(hoped(db, GMAIL), 40);
		ck_assert(cut(db, GMAIL, 100, false));
		ck_near(hoped(db, GMAIL), 20);
		ck_assert(!cut(db, GMAIL, 100, false)); /* within ten seconds */
		ck_near(hoped(db, GMAIL), 20);
		pass(db, 10.1);
		ck_assert(cut(db, GMAIL, 100, false));
		ck_near(hoped(db, GMAIL), 10.16);
		pass(db, 60);
		ck_near(hoped(db, GMAIL), 11.18); /* a tenth a minute */
		pass(db, 60);
		ck_near(hoped(db, GMAIL), 12.3);
		pass(db, 13 * 60);
		ck_near(hoped(db, GMAIL), 40); /* back at its limit */
		db_close(db);
	}
END_TEST

START_TEST(without_a_limit_what_was_measured_is_halved)
	{
		struct db *db = database_open();
		AUTO_DB_ROWS *rows = NULL, *ended = NULL;
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert(budgets_limits(db, &ended, &why) == ERR_OK);
		ck_assert_uint_eq(db_row_count(ended), 0);
		ck_assert(cut(db, "domain:slow.test", 30, false));
		ck_near(hoped(db, "domain:slow.test"), 15);
		ck_assert(budgets_limits(db, &rows, &why) == ERR_OK);
		ck_assert_uint_eq(db_row_count(rows), 1);
		struct budget_limit known = budgets_limit_get(rows, 0);
		ck_view_eq(known.key, "domain:slow.test");
		ck_assert(known.has_tokens && !known.has_slots);
		/* It ends at twice what it was cut from, and the next one begins anew. */
		pass(db, 14 * 60);
		ck_assert(hoped(db, "domain:slow.test") < 60);
		pass(db, 2 * 60);
		ck_assert_int_eq(ask(db, 0, "domain:slow.test", 5, 0, 0).tokens, -1);
		ck_assert(cut(db, "domain:slow.test", 8, false));
		ck_near(hoped(db, "domain:slow.test"), 4);
		/* However little was measured, the first cut leaves one a second. */
		ck_assert(cut(db, "domain:small.test", 0.1, false));
		ck_near(hoped(db, "domain:small.test"), 1);
		db_close(db);
	}
END_TEST

static double closed_for(struct db *db, const char *key)
{
	return (double)(ask(db, 0, key, 10, 0, 0).opens_us - clock_wall_us()) / 1e6;
}

START_TEST(where_all_is_refused_it_is_closed_ever_longer)
	{
		struct db *db = database_open();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		const char *key = "domain:shut.test";
		double expected[] = { 60, 120, 240, 480, 960, 1800, 1800 };
		for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
			ck_assert(cut(db, key, 50, true));
			ck_near(closed_for(db, key), expected[i]);
			ck_assert_int_eq(ask(db, 0, key, 10, 0, 0).tokens, 0);
			pass(db, expected[i] + 6);
			/* Then one tries. */
			ck_assert_int_eq(ask(db, 0, key, 10, 0, 0).tokens, 1);
			ck_assert_int_eq(ask(db, 1, key, 10, 0, 0).tokens, 0);
		}
		ck_assert(budgets_reopen(db, view_of(key), &why) == ERR_OK);
		pass(db, 30);
		struct answer open = ask(db, 0, key, 10, 0, 0);
		ck_assert(open.tokens != 0 && open.opens_us == 0);
		cut(db, key, 50, true);
		ck_near(closed_for(db, key), 60); /* after an acceptance it begins anew */
		db_close(db);
	}
END_TEST

START_TEST(a_person_ends_a_cut)
	{
		struct db *db = database_open();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		AUTO_DB_ROWS *rows = NULL;
		ck_assert(cut(db, GMAIL, 50, true));
		ck_assert(budgets_list(db, &rows, &why) == ERR_OK);
		ck_assert_uint_eq(db_row_count(rows), 1);
		struct budget_standing standing = budgets_standing_get(rows, 0);
		ck_view_eq(standing.key, GMAIL);
		ck_view_eq(standing.reason, "421 4.7.28 slow down");
		ck_assert(standing.cut_us != 0 && standing.closed_until_us != 0);
		ck_assert(budgets_uncut(db, VIEW_LIT(GMAIL), &why) == ERR_OK);
		ck_assert_int_eq(ask(db, 0, GMAIL, 10, 0, 0).tokens, -1);
		ck_assert(budgets_uncut(db, VIEW_LIT(GMAIL), &why) == ERR_NOT_FOUND);
		db_close(db);
	}
END_TEST

/* All that two workers get of a day, until it is used up. */
static int64_t use_up(struct db *db)
{
	int64_t all = 0, got = 1;
	for (size_t turn = 0; turn < 50 && got > 0; turn++) {
		int64_t first = ask(db, 0, "warmup:1", 40, 0, 0).tokens;
		int64_t second = ask(db, 1, "warmup:1", 40, 0, first / 4).tokens;
		/* The first gives a part back with its next word; here the second does it for both. */
		got = first + second;
		all += got - first / 4;
	}
	return all;
}

START_TEST(a_day_of_warm_up_is_never_exceeded_and_the_next_is_larger)
	{
		struct db *db = database_open();
		run_sql(db, "INSERT INTO warmup (first, growth, until) VALUES (100, 1.5, 300)");
		static const int64_t numbers[] = { 100, 150, 225 };
		for (size_t day = 0; day < ARRAY_LEN(numbers); day++) {
			ck_assert_int_eq(use_up(db), numbers[day]);
			struct answer full = ask(db, 0, "warmup:1", 40, 0, 0);
			ck_assert_int_eq(full.tokens, 0);
			int64_t wait_us = full.opens_us - clock_wall_us();
			ck_assert(wait_us > 0 && wait_us <= INT64_C(86400) * CLOCK_US_PER_SECOND);
			run_sql(db, "UPDATE budget SET day = day - 1; UPDATE warmup SET began_on = began_on - 1");
		}
		/* 337 would be more than 300: no limit any more. */
		ck_assert_int_eq(ask(db, 0, "warmup:1", 40, 0, 0).tokens, -1);
		db_close(db);
	}
END_TEST

START_TEST(a_huge_growth_ends_and_does_not_overflow)
	{
		struct db *db = database_open();
		run_sql(db, "INSERT INTO warmup (first, growth, until, began_on)"
			    " VALUES (1000000000, 10, 9223372036854775807, '2000-01-01')");
		ck_assert_int_eq(ask(db, 0, "warmup:1", 40, 0, 0).tokens, -1);
		db_close(db);
	}
END_TEST

START_TEST(a_change_is_told_to_running_senders)
	{
		struct db *db = database_open();
		static const struct db_statement version = { .name = "v",
							     .sql = "SELECT version FROM sending_version" };
		static const char *const changes[] = {
			"UPDATE domain_group SET connections = 1",
			"INSERT INTO warmup (first, growth, until) VALUES (1, 2, 3)",
			"SELECT budget_cut('domain:a.test', 1, false, 'x')",
			"DELETE FROM domain_group_domain",
		};
		int64_t before = 0;
		for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
			AUTO_DB_ROWS *rows = NULL;
			run_sql(db, changes[i]);
			ck_assert(db_run(db, &version, NULL, 0, &rows, NULL) == ERR_OK);
			ck_assert_msg(db_get_int(rows, 0, 0) > before, "%s", changes[i]);
			before = db_get_int(rows, 0, 0);
		}
		ask(db, 0, GMAIL, 10, 0, 0);
		AUTO_DB_ROWS *rows = NULL;
		ck_assert(db_run(db, &version, NULL, 0, &rows, NULL) == ERR_OK);
		ck_assert_int_eq(db_get_int(rows, 0, 0), before); /* a turn is no change */
		db_close(db);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		rates_are_shared_fairly_and_never_exceeded,
		unspent_tokens_go_back,
		slots_are_shared_and_never_exceeded,
		a_dead_workers_lease_expires,
		what_a_silent_worker_has_under_way_counts_while_it_may_live,
		a_refusal_halves_and_time_heals,
		without_a_limit_what_was_measured_is_halved,
		where_all_is_refused_it_is_closed_ever_longer,
		a_person_ends_a_cut,
		a_day_of_warm_up_is_never_exceeded_and_the_next_is_larger,
		a_huge_growth_ends_and_does_not_overflow,
		a_change_is_told_to_running_senders,
	};
	return suite_of("budgets", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
