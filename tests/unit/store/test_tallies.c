#include "store/tallies.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "store/campaigns.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

#define ONE "00000000-0000-4000-8000-000000000001"
#define TWO "00000000-0000-4000-8000-000000000002"

static void run_sql(struct db *db, const char *sql)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(db_run_script(db, view_of(sql), &why) == ERR_OK, "%s: %s", sql, buf_text(&why));
}

static struct db *begin(void)
{
	struct db *db = database_open();
	run_sql(db,
		"INSERT INTO list (name, title, list_id, from_address) VALUES ('news', 'News', 'n.b.test', 'a@b.test');"
		"INSERT INTO subscriber (address, address_key) VALUES ('a@gmail.com', 'a@gmail.com'), ('b@b.test', "
		"'b@b.test');"
		"INSERT INTO membership (list_id, subscriber_id) SELECT 1, id FROM subscriber;"
		"INSERT INTO campaign (name, list_id, subject, from_address, text_body, state, audience, started_at)"
		" VALUES ('c', 1, 's', 'a@b.test', 't', 'running', 6, now())");
	return db;
}

static void add(struct db *db, const char *source, const struct tally *tallies, size_t count)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	enum err err = tallies_add(db, source, tallies, count, &why);
	ck_assert_msg(err == ERR_OK, "%s", buf_text(&why));
}

/* One text for all that tripped: "1:gmail 1:" */
struct told {
	char text[128], reason[256];
};

static void on_told(void *user, const struct tally_tripped *tripped)
{
	struct told *told = user;
	size_t used = strlen(told->text);
	snprintf(told->text + used, sizeof(told->text) - used, "%s%lld:" VIEW_FMT, used > 0 ? " " : "",
		 (long long)tripped->campaign_id, VIEW_ARG(tripped->group));
	snprintf(told->reason, sizeof(told->reason), VIEW_FMT, VIEW_ARG(tripped->reason));
}

#define HOUR INT64_C(3600000000)

static const struct tally_terms terms = {
	.window_us = HOUR,
	.hard = { 100, 50 },
	.policy = { 200, 30 },
	.complaints = { 3, 5 },
};

static struct told trip(struct db *db, const struct tally_terms *by)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct told told = { .text = "" };
	enum err err = tallies_trip(db, by, on_told, &told, &why);
	ck_assert_msg(err == ERR_OK, "%s", buf_text(&why));
	return told;
}

struct trip_row {
	const char *label;
	struct tally tallies[3];
	size_t count;
	const char *trips, *says;
};

#define G                                                                                                              \
	{                                                                                                              \
		"gmail", 5                                                                                             \
	}
#define A                                                                                                              \
	{                                                                                                              \
		"apple", 5                                                                                             \
	}
#define N                                                                                                              \
	{                                                                                                              \
		"", 0                                                                                                  \
	}

static const struct trip_row trips[] = {
	{ "all well", { { 1, G, 1000, 99, 0, 0, 0 } }, 1, "", "" },
	{ "hard bounces of one group",
	  { { 1, G, 449, 50, 0, 1, 0 }, { 1, A, 1000, 0, 0, 0, 0 } },
	  2,
	  "1:gmail",
	  "50 of 500 messages bounced hard within 60 minutes" },
	{ "too few to tell", { { 1, G, 0, 49, 0, 0, 0 } }, 1, "", "" },
	{ "rejected because of us",
	  { { 1, G, 70, 0, 30, 0, 0 }, { 1, N, 1000, 0, 0, 0, 0 } },
	  2,
	  "1:gmail",
	  "30 of 100 messages were rejected because of us within 60 minutes" },
	{ "complaints",
	  { { 1, A, 1666, 0, 0, 0, 5 }, { 1, N, 9000, 0, 0, 0, 0 } },
	  2,
	  "1:apple",
	  "5 complaints within 60 minutes about 1666 messages so far" },
	{ "complaints, but about many", { { 1, A, 1667, 0, 0, 0, 5 }, { 1, N, 9000, 0, 0, 0, 0 } }, 2, "", "" },
	{ "domains without a group stop the whole",
	  { { 1, N, 100, 60, 0, 0, 0 }, { 1, A, 10, 0, 0, 0, 0 } },
	  2,
	  "1:",
	  "60 of 170 messages bounced hard within 60 minutes" },
	{ "spread over all",
	  { { 1, N, 50, 20, 0, 0, 0 }, { 1, A, 50, 20, 0, 0, 0 }, { 1, G, 50, 20, 0, 0, 0 } },
	  3,
	  "1:",
	  "60 of 210 messages bounced hard within 60 minutes" },
	{ "a group that is held does not stop the rest",
	  { { 1, G, 0, 1000, 0, 0, 0 }, { 1, N, 1000, 10, 0, 0, 0 } },
	  2,
	  "1:gmail",
	  "1000 of 1000 messages bounced hard within 60 minutes" },
};

START_TEST(breakers_trip_by_share_and_number)
	{
		for (size_t i = 0; i < ARRAY_LEN(trips); i++) {
			struct db *db = begin();
			AUTO_DB_ROWS *rows = NULL;
			add(db, ONE, trips[i].tallies, trips[i].count);
			struct told told = trip(db, &terms);
			ck_assert_msg(strcmp(told.text, trips[i].trips) == 0, "%s: %s", trips[i].label, told.text);
			ck_assert_msg(strcmp(told.reason, trips[i].says) == 0, "%s: %s", trips[i].label, told.reason);
			ck_row(trips[i].label, strcmp(trip(db, &terms).text, "") == 0); /* once */
			static const struct db_statement states = {
				.name = "states", .sql = "SELECT count(*) FROM membership WHERE state = 'active'"
			};
			ck_assert(db_run(db, &states, NULL, 0, &rows, NULL) == ERR_OK);
			ck_assert_int_eq(db_get_int(rows, 0, 0), 2);
			db_close(db);
		}
	}
END_TEST

/* What is reported now, of messages that were sent at other times. */
struct report_row {
	const char *label;
	int64_t accepted_before, accepted, hard; /* hours ago; within the window; refused within it */
	int64_t late_hard, late_policy, complaints;
	const char *trips, *says;
};

static const struct report_row late[] = {
	{ "complaints in the tail of retries", 300000, 0, 0, 0, 0, 10, "", "" },
	{ "complaints about what was sent hours ago", 3333, 0, 0, 0, 0, 10, "1:gmail",
	  "10 complaints within 60 minutes about 3333 messages so far" },
	{ "complaints about nothing that is known", 0, 0, 0, 0, 0, 10, "", "" },
	{ "a few late bounces", 300000, 0, 0, 100, 0, 0, "", "" },
	{ "many late bounces", 1000, 0, 0, 100, 0, 0, "1:gmail",
	  "100 hard bounces within 60 minutes after 1000 messages so far" },
	{ "late bounces, nothing accepted", 0, 0, 0, 100, 0, 0, "", "" },
	{ "late rejections", 150, 0, 0, 0, 30, 0, "1:gmail",
	  "30 rejections because of us within 60 minutes after 150 messages so far" },
	{ "a message that came back is one message", 0, 501, 0, 50, 0, 0, "", "" },
	{ "refused and come back, together", 0, 470, 30, 20, 0, 0, "1:gmail",
	  "50 hard bounces within 60 minutes after 500 messages so far" },
	{ "refused now, after hours in which all was well", 300000, 0, 50, 0, 0, 0, "1:gmail",
	  "50 of 50 messages bounced hard within 60 minutes" },
};

static void add_late(struct db *db, const struct report_row *row)
{
	char sql[512];
	const struct tally before = { 1, G, row->accepted_before, 0, 0, 0, 0 };
	const struct tally now = { 1, G, row->accepted, row->hard, 0, 0, 0 };
	add(db, ONE, &before, 1);
	run_sql(db, "UPDATE campaign_tally SET minute = minute - interval '2 h'");
	add(db, ONE, &now, 1);
	snprintf(sql, sizeof(sql),
		 "INSERT INTO campaign_tally (campaign_id, group_name, minute, source, is_report, hard, policy, "
		 "complaints) VALUES (1, 'gmail', date_trunc('minute', now()), 'report:1', true, %lld, %lld, %lld)",
		 (long long)row->late_hard, (long long)row->late_policy, (long long)row->complaints);
	run_sql(db, sql);
}

START_TEST(reports_are_a_share_of_all_that_was_sent)
	{
		for (size_t i = 0; i < ARRAY_LEN(late); i++) {
			struct db *db = begin();
			add_late(db, &late[i]);
			struct told told = trip(db, &terms);
			ck_assert_msg(strcmp(told.text, late[i].trips) == 0, "%s: %s %s", late[i].label, told.text,
				      told.reason);
			ck_assert_msg(strcmp(told.reason, late[i].says) == 0, "%s: %s", late[i].label, told.reason);
			db_close(db);
		}
	}
END_TEST

static int64_t accepted_before_all(struct db *db)
{
	static const struct db_statement sum = {
		.name = "sum",
		.sql = "SELECT coalesce(sum(accepted), 0)::bigint FROM campaign_tally WHERE minute = '-infinity'"
	};
	AUTO_DB_ROWS *rows = NULL;
	ck_assert(db_run(db, &sum, NULL, 0, &rows, NULL) == ERR_OK);
	return db_get_int(rows, 0, 0);
}

START_TEST(what_was_accepted_is_kept_while_the_campaign_goes_on)
	{
		struct db *db = begin();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		const struct tally tally = { 1, G, 300000, 5, 5, 5, 5 };
		for (int i = 0; i < 2; i++) {
			add(db, ONE, &tally, 1);
			run_sql(db, "UPDATE campaign_tally SET minute = minute - interval '9 days' WHERE minute > "
				    "now() - interval '1 day'");
			ck_assert(tallies_purge(db, clock_wall_us() - INT64_C(24) * HOUR, &why) == ERR_OK);
		}
		ck_assert_int_eq(accepted_before_all(db), 600000);
		const struct report_row reports = { .late_hard = 100 };
		add_late(db, &reports);
		ck_assert_str_eq(trip(db, &terms).text, "");
		run_sql(db, "UPDATE campaign SET state = 'finished', ended_at = now()");
		ck_assert(tallies_purge(db, clock_wall_us() - INT64_C(24) * HOUR, &why) == ERR_OK);
		ck_assert_int_eq(accepted_before_all(db), 0);
		db_close(db);
	}
END_TEST

START_TEST(tallies_of_workers_and_minutes_add_up)
	{
		struct db *db = begin();
		const struct tally tally = { 1, G, 0, 20, 0, 0, 0 };
		add(db, ONE, &tally, 1);
		add(db, TWO, &tally, 1);
		ck_assert_str_eq(trip(db, &terms).text, "");
		run_sql(db,
			"UPDATE campaign_tally SET minute = minute - interval '59 minutes' WHERE source = '" ONE "'");
		add(db, ONE, &tally, 1);
		run_sql(db, "UPDATE campaign_tally SET minute = minute - interval '2 minutes' WHERE minute < now() - "
			    "interval '50 min'");
		ck_assert_str_eq(trip(db, &terms).text, ""); /* that one lies before the window */
		add(db, TWO, &tally, 1);
		ck_assert_str_eq(trip(db, &terms).text, "1:gmail");
		db_close(db);
	}
END_TEST

START_TEST(a_share_of_nothing_switches_a_breaker_off)
	{
		struct db *db = begin();
		struct tally_terms off = terms;
		const struct tally tally = { 1, G, 0, 500, 500, 0, 500 };
		off.hard.share = off.policy.share = off.complaints.share = 0;
		add(db, ONE, &tally, 1);
		ck_assert_str_eq(trip(db, &off).text, "");
		db_close(db);
	}
END_TEST

START_TEST(reports_are_counted_for_the_group_of_their_person)
	{
		struct db *db = begin();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct tally_report reports[10];
		for (size_t i = 0; i < ARRAY_LEN(reports); i++)
			reports[i] = (struct tally_report){ 1, i < 5 ? 1 : 2, i < 5 ? TALLY_COMPLAINT : TALLY_SOFT };
		const struct tally sent[] = { { 1, G, 100, 0, 0, 0, 0 }, { 1, N, 5000, 0, 0, 0, 0 } };
		add(db, ONE, sent, 2);
		enum err err = tallies_add_reports(db, reports, ARRAY_LEN(reports), &why);
		ck_assert_msg(err == ERR_OK, "%s", buf_text(&why));
		ck_assert_str_eq(trip(db, &terms).text, "1:gmail");
		db_close(db);
	}
END_TEST

START_TEST(a_person_lifts_a_hold_and_counting_begins_anew)
	{
		struct db *db = begin();
		AUTO_DB_ROWS *rows = NULL, *all = NULL;
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		size_t freed = 0;
		const struct tally tally = { 1, G, 0, 500, 0, 0, 0 };
		add(db, ONE, &tally, 1);
		ck_assert_str_eq(trip(db, &terms).text, "1:gmail");
		run_sql(db, "INSERT INTO deferral (campaign_id, subscriber_id, state, attempts, waits_for, key_id, "
			    "day, date_at)"
			    " VALUES (1, 1, 'deferred', 0, 'hold:gmail', 0, 1, now()), (1, 2, 'deferred', 0, "
			    "'hold:apple', 0, 1, now())");
		ck_assert(holds_of(db, 1, &rows, &why) == ERR_OK);
		ck_assert_uint_eq(db_row_count(rows), 1);
		struct held_group held;
		holds_at(rows, 0, &held);
		ck_view_eq(held.group, "gmail");
		ck_assert_int_eq(held.waiting, 1);
		ck_assert(tallies_holds(db, &all, &why) == ERR_OK);
		ck_assert_uint_eq(db_row_count(all), 1);
		ck_assert(holds_lift(db, VIEW_LIT("c"), VIEW_LIT("apple"), VIEW_LIT("me"), &freed, &why) ==
			  ERR_NOT_FOUND);
		ck_assert(holds_lift(db, VIEW_LIT("c"), VIEW_LIT("gmail"), VIEW_LIT("me"), &freed, &why) == ERR_OK);
		ck_assert_uint_eq(freed, 1);
		ck_assert_str_eq(trip(db, &terms).text, "");
		db_close(db);
	}
END_TEST

START_TEST(what_has_ended_is_held_no_more)
	{
		struct db *db = begin();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		AUTO_DB_ROWS *paused = NULL, *ended = NULL;
		size_t freed = 0;
		bool is_held = false;
		ck_assert(tallies_hold(db, 1, VIEW_LIT("gmail"), VIEW_LIT("554 no"), &is_held, &why) == ERR_OK);
		run_sql(db, "UPDATE campaign SET state = 'paused', hold_reason = 'r'");
		ck_assert(holds_of(db, 1, &paused, &why) == ERR_OK);
		ck_assert_uint_eq(db_row_count(paused), 1);
		run_sql(db, "UPDATE campaign SET state = 'canceled', hold_reason = NULL, ended_at = now()");
		ck_assert(holds_of(db, 1, &ended, &why) == ERR_OK);
		ck_assert_uint_eq(db_row_count(ended), 0);
		ck_assert(holds_lift(db, VIEW_LIT("c"), VIEW_LIT("gmail"), VIEW_LIT("me"), &freed, &why) ==
			  ERR_NOT_FOUND);
		db_close(db);
	}
END_TEST

START_TEST(a_worker_holds_a_group_once_and_only_of_a_running_campaign)
	{
		struct db *db = begin();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		AUTO_DB_ROWS *rows = NULL;
		const struct view group = VIEW_LIT("gmail"), reason = VIEW_LIT("554 \"no\"\t\\");
		bool is_held = false;
		ck_assert(tallies_hold(db, 1, group, reason, &is_held, &why) == ERR_OK);
		ck_assert(is_held);
		ck_assert(tallies_hold(db, 1, group, reason, &is_held, &why) == ERR_OK);
		ck_assert(!is_held);
		ck_assert(holds_of(db, 1, &rows, &why) == ERR_OK);
		struct held_group held;
		holds_at(rows, 0, &held);
		ck_assert(view_eq(held.reason, reason));
		run_sql(db, "UPDATE campaign SET state = 'paused', hold_reason = 'r'");
		ck_assert(tallies_hold(db, 1, VIEW_LIT("apple"), reason, &is_held, &why) == ERR_OK);
		ck_assert(!is_held);
		db_close(db);
	}
END_TEST

START_TEST(resuming_a_campaign_begins_anew)
	{
		struct db *db = begin();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		const struct tally tally = { 1, N, 0, 500, 0, 0, 0 };
		add(db, ONE, &tally, 1);
		ck_assert_str_eq(trip(db, &terms).text, "1:");
		ck_assert(campaigns_resume(db, VIEW_LIT("c"), VIEW_LIT("me"), &why) == ERR_OK);
		ck_assert_str_eq(trip(db, &terms).text, "");
		/* Reports that come still are about what was accepted before. */
		const struct tally sent = { 1, N, 100000, 0, 0, 0, 0 };
		add(db, ONE, &sent, 1);
		run_sql(db, "UPDATE campaign SET state = 'paused', hold_reason = 'r'");
		ck_assert(campaigns_resume(db, VIEW_LIT("c"), VIEW_LIT("me"), &why) == ERR_OK);
		ck_assert_int_eq(accepted_before_all(db), 100000);
		db_close(db);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		breakers_trip_by_share_and_number,
		reports_are_a_share_of_all_that_was_sent,
		what_was_accepted_is_kept_while_the_campaign_goes_on,
		tallies_of_workers_and_minutes_add_up,
		a_share_of_nothing_switches_a_breaker_off,
		reports_are_counted_for_the_group_of_their_person,
		a_person_lifts_a_hold_and_counting_begins_anew,
		what_has_ended_is_held_no_more,
		a_worker_holds_a_group_once_and_only_of_a_running_campaign,
		resuming_a_campaign_begins_anew,
	};
	return suite_of("tallies", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
