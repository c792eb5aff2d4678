#include "store/ledger.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/limits.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

#define WORKER "6f1f9a52-8f1c-4c5e-9d5c-0a3a3f0b2a11"

static void script(struct db *db, const char *sql)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(db_run_script(db, view_of(sql), &why) == ERR_OK, "%s: %s", buf_text(&why), sql);
}

static struct db *open_world(void)
{
	struct db *db = database_open();
	script(db, "INSERT INTO worker (id, host, journal) VALUES ('" WORKER "', 'h', 'j');"
		   "INSERT INTO list (name, title, list_id, from_address) VALUES ('a', 'A', 'a.test', 'a@b.test');"
		   "INSERT INTO campaign (name, list_id, subject, from_address, text_body, state, audience, started_at)"
		   " VALUES ('c', 1, 's', 'a@b.test', 't', 'running', 9, now())");
	return db;
}

static struct ledger_row row_of(int64_t subscriber, enum ledger_outcome outcome)
{
	return (struct ledger_row){
		.campaign_id = 1,
		.subscriber_id = subscriber,
		.outcome = outcome,
		.attempts = 1,
		.at_us = clock_wall_us(),
		.code = outcome == LEDGER_ACCEPTED ? 250 : 451,
		.reply = VIEW_LIT("said"),
		.reason = outcome == LEDGER_REFUSED ? VIEW_LIT("policy") : (struct view){ 0 },
		.first_attempt_us = clock_wall_us(),
		.next_attempt_us = clock_wall_us(),
		.terms = { .date_us = clock_wall_us() },
	};
}

static void append(struct db *db, const struct ledger_row *rows, size_t count)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_int_eq(db_begin(db, NULL), ERR_OK);
	ck_assert_msg(ledger_append(db, WORKER, rows, count, &why) == ERR_OK, "%s", buf_text(&why));
	ck_assert_uint_eq(why.len, 0);
	ck_assert_int_eq(db_commit(db, &why), ERR_OK);
}

static void check(struct db *db, const char *expected)
{
	static const struct db_statement all = {
		.name = "test_all",
		.sql =
		    "SELECT (SELECT coalesce(string_agg(subscriber_id || ' ' || outcome, ', ' ORDER BY subscriber_id),"
		    " '') FROM delivery) || ' | ' ||"
		    " (SELECT coalesce(string_agg(subscriber_id || ' ' || state, ', ' ORDER BY subscriber_id), '')"
		    " FROM deferral)",
	};
	AUTO_DB_ROWS *found = NULL;
	ck_assert_int_eq(db_run(db, &all, NULL, 0, &found, NULL), ERR_OK);
	ck_view_eq(db_get_text(found, 0, 0), expected);
}

START_TEST(a_repetition_changes_nothing)
	{
		struct db *db = open_world();
		const struct ledger_row rows[] = { row_of(1, LEDGER_ACCEPTED), row_of(2, LEDGER_REFUSED),
						   row_of(3, LEDGER_DEFERRED) };
		for (int i = 0; i < 3; i++) {
			append(db, rows, ARRAY_LEN(rows));
			check(db, "1 accepted, 2 refused | 3 deferred");
		}
		db_close(db);
	}
END_TEST

/* The one that is there already keeps its first end; all others of the call are written, before it and after it. */
START_TEST(a_row_that_is_there_keeps_none_of_the_others_out)
	{
		struct db *db = open_world();
		const struct ledger_row first[] = { row_of(2, LEDGER_ACCEPTED), row_of(4, LEDGER_DEFERRED) };
		struct ledger_row second[] = { row_of(1, LEDGER_ACCEPTED), row_of(2, LEDGER_REFUSED),
					       row_of(3, LEDGER_REFUSED), row_of(4, LEDGER_ACCEPTED),
					       row_of(5, LEDGER_DEFERRED) };
		second[3].from_queue = true;
		append(db, first, ARRAY_LEN(first));
		script(db, "UPDATE deferral SET opened_by = '" WORKER "'");
		append(db, second, ARRAY_LEN(second));
		check(db, "1 accepted, 2 accepted, 3 refused, 4 accepted | 5 deferred");
		db_close(db);
	}
END_TEST

/* Of each end by which relay, and whether a first attempt is told, in both ways of writing. */
static void check_told(struct db *db, const char *expected)
{
	static const struct db_statement told = {
		.name = "test_told",
		.sql =
		    "SELECT string_agg(concat_ws(' ', subscriber_id, relay, CASE WHEN first_at < at THEN 'waited' END),"
		    " ', ' ORDER BY subscriber_id) FROM delivery",
	};
	AUTO_DB_ROWS *found = NULL;
	ck_assert_int_eq(db_run(db, &told, NULL, 0, &found, NULL), ERR_OK);
	ck_view_eq(db_get_text(found, 0, 0), expected);
}

START_TEST(an_end_names_its_relay_and_how_long_it_took)
	{
		struct db *db = open_world();
		struct ledger_row rows[] = { row_of(1, LEDGER_ACCEPTED), row_of(2, LEDGER_REFUSED),
					     row_of(3, LEDGER_ACCEPTED), row_of(4, LEDGER_SKIPPED) };
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			rows[i].attempts = i == 1 ? 2 : 1;
			rows[i].first_attempt_us = rows[i].at_us - CLOCK_US_PER_SECOND;
		}
		rows[0].relay = rows[1].relay = VIEW_LIT("main");
		rows[3].reason = VIEW_LIT("suppressed");
		append(db, rows, 2);
		check_told(db, "1 main, 2 main waited");
		append(db, rows, ARRAY_LEN(rows)); /* finds two of them there, and writes row by row */
		check_told(db, "1 main, 2 main waited, 3, 4");
		script(db, "DELETE FROM delivery WHERE subscriber_id = 2");
		append(db, rows, ARRAY_LEN(rows));
		check_told(db, "1 main, 2 main waited, 3, 4");
		db_close(db);
	}
END_TEST

/* ---- a repetition while another worker ends the same people ---- */

static void *repeat(void *argument)
{
	const struct ledger_row rows[] = { row_of(2, LEDGER_DEFERRED), row_of(3, LEDGER_DEFERRED) };
	append(argument, rows, ARRAY_LEN(rows));
	return NULL;
}

static void wait_for_lock(struct db *db)
{
	static const struct db_statement waiting = {
		.name = "test_waiting",
		.sql = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock')",
	};
	bool is_waiting = false;
	while (!is_waiting) {
		AUTO_DB_ROWS *found = NULL;
		ck_assert_int_eq(db_run(db, &waiting, NULL, 0, &found, NULL), ERR_OK);
		is_waiting = db_get_bool(found, 0, 0);
	}
}

START_TEST(a_repetition_waits_for_the_end_of_another)
	{
		struct db *db = open_world(), *repeats = database_connect(database_last()),
			  *looks = database_connect(database_last());
		const struct ledger_row rows[] = { row_of(2, LEDGER_DEFERRED), row_of(3, LEDGER_DEFERRED) };
		pthread_t thread;
		append(db, rows, ARRAY_LEN(rows));
		ck_assert_int_eq(db_begin(db, NULL), ERR_OK);
		script(db, "DELETE FROM deferral WHERE subscriber_id = 3;"
			   "INSERT INTO delivery (campaign_id, subscriber_id, outcome, attempts, at, code)"
			   " VALUES (1, 3, 'accepted', 2, now(), 250)");
		ck_assert_int_eq(pthread_create(&thread, NULL, repeat, repeats), 0);
		wait_for_lock(looks);
		ck_assert_int_eq(db_commit(db, NULL), ERR_OK);
		pthread_join(thread, NULL);
		check(db, "3 accepted | 2 deferred");
		db_close(looks);
		db_close(repeats);
		db_close(db);
	}
END_TEST

/* ---- what is said of somebody who was erased ---- */

#define SAID                                                                                                           \
	"SELECT string_agg(subscriber_id || ' ' || coalesce(reply, '-'), ', ' ORDER BY subscriber_id) FROM"            \
	" (SELECT subscriber_id, reply FROM delivery UNION ALL SELECT subscriber_id, reply FROM deferral) AS x"

static void check_said(struct db *db, const char *expected)
{
	static const struct db_statement said = { .name = "test_said", .sql = SAID };
	AUTO_DB_ROWS *found = NULL;
	ck_assert_int_eq(db_run(db, &said, NULL, 0, &found, NULL), ERR_OK);
	ck_view_eq(db_get_text(found, 0, 0), expected);
}

/* Of 1, 3 and 5, who are there, and of 2, 4 and 6, who are not. */
START_TEST(nothing_is_said_of_the_erased)
	{
		struct db *db = open_world();
		struct ledger_row rows[] = { row_of(1, LEDGER_ACCEPTED), row_of(2, LEDGER_ACCEPTED),
					     row_of(3, LEDGER_DEFERRED), row_of(4, LEDGER_DEFERRED),
					     row_of(5, LEDGER_REFUSED),  row_of(6, LEDGER_REFUSED) };
		for (size_t i = 2; i < ARRAY_LEN(rows); i++)
			rows[i].reply = i < 4 ? VIEW_LIT("<p@x.test> busy") : VIEW_LIT("p%40x.test gone");
		script(db, "INSERT INTO subscriber (id, address, address_key) OVERRIDING SYSTEM VALUE"
			   " SELECT i, 'p' || i || '@x.test', 'p' || i || '@x.test' FROM unnest(ARRAY[1, 3, 5]) AS i");
		append(db, rows, ARRAY_LEN(rows));
		check_said(db, "1 said, 2 -, 3 <p@x.test> busy, 4 -, 5 p%40x.test gone, 6 -");
		check(db, "1 accepted, 2 accepted, 5 refused, 6 refused | 3 deferred, 4 deferred");
		db_close(db);
	}
END_TEST

static bool can_be_erased(struct db *db)
{
	static const struct db_statement lock = {
		.name = "test_lock",
		.sql = "SELECT FROM subscriber WHERE id = 1 FOR UPDATE SKIP LOCKED",
	};
	AUTO_DB_ROWS *found = NULL;
	ck_assert_int_eq(db_run(db, &lock, NULL, 0, &found, NULL), ERR_OK);
	return db_row_count(found) > 0;
}

/* Whoever is being erased has nothing said of them, and nobody waits; while something is being said of somebody, they are not erased. */
START_TEST(an_erasure_and_a_reply_at_once)
	{
		struct db *db = open_world(), *erases = database_connect(database_last());
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct ledger_row first = row_of(1, LEDGER_ACCEPTED), second = row_of(1, LEDGER_REFUSED);
		first.reply = second.reply = VIEW_LIT("<p1@x.test> is here");
		script(db, "INSERT INTO subscriber (address, address_key) VALUES ('p1@x.test', 'p1@x.test')");
		ck_assert_int_eq(db_begin(db, NULL), ERR_OK);
		ck_assert_int_eq(ledger_append(db, WORKER, &first, 1, &why), ERR_OK);
		ck_assert(!can_be_erased(erases));
		ck_assert_int_eq(db_commit(db, NULL), ERR_OK);
		check_said(db, "1 <p1@x.test> is here");

		script(db, "TRUNCATE delivery");
		ck_assert_int_eq(db_begin(erases, NULL), ERR_OK);
		ck_assert(can_be_erased(erases));
		append(db, &second, 1);
		check_said(db, "1 -");
		db_close(erases);
		db_close(db);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { a_repetition_changes_nothing,
				       a_row_that_is_there_keeps_none_of_the_others_out,
				       an_end_names_its_relay_and_how_long_it_took,
				       a_repetition_waits_for_the_end_of_another,
				       nothing_is_said_of_the_erased,
				       an_erasure_and_a_reply_at_once };
	return suite_of("ledger", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
