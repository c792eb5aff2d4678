#include "store/relay_tests.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

#define RELAY VIEW_LIT("default")
#define SENT_SEAL "From=1 To=2 Subject=3 body=4"
static const int64_t minute_us = 60 * CLOCK_US_PER_SECOND;
static const struct relay_tests_terms terms = { .report_addresses = { .data = "reports@b.test", .len = 14 } };

static void run_sql(struct db *db, const char *sql)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(db_run_script(db, view_of(sql), &why) == ERR_OK, "%s: %s", sql, buf_text(&why));
}

static void ok(enum err err, struct buf *why)
{
	ck_assert_msg(err == ERR_OK, "%s: %s", err_name(err), buf_text(why));
}

static int64_t ask(struct db *db)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	const struct relay_test_wish wish = { .relay = RELAY, .actor = VIEW_LIT("unit"), .patience_us = minute_us };
	int64_t id = 0;
	ok(relay_tests_ask(db, &wish, &id, &why), &why);
	return id;
}

static size_t take(struct db *db)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	AUTO_DB_ROWS *rows = NULL;
	ok(relay_tests_take(db, VIEW_LIT("host.test"), 10, &rows, &why), &why);
	return db_row_count(rows);
}

static void seal(struct db *db, int64_t id)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ok(relay_tests_seal(db, id, VIEW_LIT(SENT_SEAL), &why), &why);
}

static void answer(struct db *db, int64_t id, const struct relay_test_answer *given)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct relay_test_answer said = *given;
	said.id = id;
	ok(relay_tests_answer(db, &said, &why), &why);
}

static size_t give_back(struct db *db, int64_t id, const struct relay_test_return *given)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct relay_test_return came = *given;
	size_t stored = 0;
	came.test_id = (uint64_t)id;
	came.received_us = clock_wall_us();
	ok(relay_tests_return(db, &came, 1, &stored, &why), &why);
	return stored;
}

static const struct relay_test_answer accepted = { .answer = RELAY_ANSWER_TAKEN,
						   .step = { .data = "final-dot", .len = 9 },
						   .code = 250,
						   .reply = { .data = "queued", .len = 6 } };
static const struct relay_test_answer refused = { .answer = RELAY_ANSWER_REFUSED,
						  .step = { .data = "rcpt", .len = 4 },
						  .code = 554,
						  .reply = { .data = "5.7.1 Relay access denied", .len = 25 } };
static const struct relay_test_answer unreached = { .answer = RELAY_ANSWER_REFUSED,
						    .reply = { .data = "connect: Connection refused", .len = 27 } };
static const struct relay_test_answer doubtful = { .answer = RELAY_ANSWER_DOUBTFUL,
						   .reply = { .data = "the connection was lost", .len = 23 } };
#define SEAL(text) .seal = { .data = (text), .len = sizeof(text) - 1 }
static const struct relay_test_return kept = {
	.mail_from = { .data = "b+t@b.test", .len = 10 }, .path_kept = true, .message_kept = true, SEAL(SENT_SEAL)
};
static const struct relay_test_return other_id = { .mail_from = { .data = "b+t@b.test", .len = 10 },
						   .path_kept = true,
						   SEAL("From=1 To=2 Subject=3 body=4 Message-ID=9") };
static const struct relay_test_return rewritten = { .mail_from = { .data = "x@relay.test", .len = 12 },
						    .message_kept = true,
						    SEAL(SENT_SEAL) };
static const struct relay_test_return both_gone = { .mail_from = { .data = "Reports@B.test", .len = 14 },
						    SEAL(SENT_SEAL) };
static const struct relay_test_return to_reports = { .mail_from = { .data = "Reports@B.test", .len = 14 },
						     .message_kept = true,
						     SEAL(SENT_SEAL) };
static const struct relay_test_return nobody = { .message_kept = true, SEAL(SENT_SEAL) };
static const struct relay_test_return modified = { .mail_from = { .data = "b+t@b.test", .len = 10 },
						   .path_kept = true,
						   .message_kept = true,
						   SEAL("From=1 Subject=5 Reply-To=7 body=6") };
static const struct relay_test_return modified_to_reports = { .mail_from = { .data = "Reports@B.test", .len = 14 },
							      .message_kept = true,
							      SEAL("From=1 To=2 Subject=5 body=4") };
static const struct relay_test_return failed = { .is_report = true,
						 .kind = KIND_HARD,
						 .diagnostic = { .data = "550 no such host", .len = 16 } };
static const struct relay_test_return delayed = { .is_report = true,
						  .kind = KIND_DELAY,
						  .diagnostic = { .data = "timed out", .len = 9 } };

/* What happened to a test, in this order, and what follows. */
struct row {
	const char *label;
	bool is_taken;
	const struct relay_test_answer *answer;
	const struct relay_test_return *returns[2];
	bool time_is_over;
	enum relay_test_state state;
	bool passes;
	const char *tells;
};

static const struct row rows[] = {
	{ "nobody there", false, NULL, { NULL }, false, RELAY_TEST_ASKED, false, "waits for a sender" },
	{ "nobody there in time", false, NULL, { NULL }, true, RELAY_TEST_LATE, false, "is sender running" },
	{ "in hand", true, NULL, { NULL }, false, RELAY_TEST_TAKEN, false, "host.test is handing it" },
	{ "no answer in time", true, NULL, { NULL }, true, RELAY_TEST_LATE, false, "did not get an answer" },
	{ "sent", true, &accepted, { NULL }, false, RELAY_TEST_SENT, false, "not back yet" },
	{ "not back in time", true, &accepted, { NULL }, true, RELAY_TEST_LATE, false, "took it (queued)" },
	{ "in doubt", true, &doubtful, { NULL }, false, RELAY_TEST_SENT, false, "not back yet" },
	{ "in doubt for ever", true, &doubtful, { NULL }, true, RELAY_TEST_LATE, false, "may have taken it" },
	{ "in doubt and back", true, &doubtful, { &kept }, false, RELAY_TEST_BACK, true, "as it was sent" },
	{ "refused", true, &refused, { NULL }, false, RELAY_TEST_REFUSED, false, "at rcpt: 554 5.7.1 Relay access" },
	{ "refused, later", true, &refused, { NULL }, true, RELAY_TEST_REFUSED, false, "refused it" },
	{ "unreached", true, &unreached, { NULL }, false, RELAY_TEST_REFUSED, false, "used: connect: Connection" },
	{ "kept", true, &accepted, { &kept }, false, RELAY_TEST_BACK, true, "came back as it was sent" },
	{ "back before the answer", true, NULL, { &kept }, false, RELAY_TEST_BACK, true, "came back as it was" },
	{ "back too late", true, &accepted, { &kept }, true, RELAY_TEST_BACK, true, "came back as it was" },
	{ "other Message-ID", true, &accepted, { &other_id }, false, RELAY_TEST_BACK, false, "(Message-ID (added))" },
	{ "modified",
	  true,
	  &accepted,
	  { &modified },
	  false,
	  RELAY_TEST_BACK,
	  false,
	  "modified the message (To (removed), Reply-To (added), Subject, body): have it add no footer" },
	{ "modified, and rewritten to reports",
	  true,
	  &accepted,
	  { &modified_to_reports },
	  false,
	  RELAY_TEST_BACK,
	  false,
	  "where bounced takes reports and finds the recipient by ENVID or Message-ID; but the relay modified the "
	  "message "
	  "(Subject)" },
	{ "rewritten", true, &accepted, { &rewritten }, false, RELAY_TEST_BACK, false, "rewritten to x@relay.test" },
	{ "rewritten to reports",
	  true,
	  &accepted,
	  { &to_reports },
	  false,
	  RELAY_TEST_BACK,
	  true,
	  "rewritten to Reports@B.test, where bounced" },
	{ "rewritten altogether",
	  true,
	  &accepted,
	  { &both_gone },
	  false,
	  RELAY_TEST_BACK,
	  false,
	  "and the Message-ID is replaced" },
	{ "to nobody", true, &accepted, { &nobody }, false, RELAY_TEST_BACK, false, "rewritten to <>" },
	{ "bounced", true, &accepted, { &failed }, false, RELAY_TEST_BOUNCED, false, "(550 no such host)" },
	{ "delayed", true, &accepted, { &delayed }, false, RELAY_TEST_SENT, false, "(delay: timed out)" },
	{ "delayed, then bounced",
	  true,
	  &accepted,
	  { &delayed, &failed },
	  false,
	  RELAY_TEST_BOUNCED,
	  false,
	  "550 no such host" },
	{ "delayed, then back", true, &accepted, { &delayed, &kept }, false, RELAY_TEST_BACK, true, "as it was sent" },
	{ "twice", true, &accepted, { &rewritten, &kept }, false, RELAY_TEST_BACK, false, "x@relay.test" },
	{ "bounced, then delayed",
	  true,
	  &accepted,
	  { &failed, &delayed },
	  false,
	  RELAY_TEST_BOUNCED,
	  false,
	  "550 no such host" },
};

static int64_t play(struct db *db, const struct row *row)
{
	int64_t id = ask(db);
	if (row->is_taken) {
		ck_row(row->label, take(db) == 1);
		seal(db, id);
	}
	if (row->answer != NULL)
		answer(db, id, row->answer);
	for (size_t i = 0; i < ARRAY_LEN(row->returns) && row->returns[i] != NULL; i++)
		give_back(db, id, row->returns[i]);
	if (row->time_is_over)
		run_sql(db,
			"UPDATE relay_test SET asked_at = asked_at - interval '1 h', due_by = due_by - interval '1 h'");
	return id;
}

struct result_row {
	const char *label;
	enum relay_test_state state;
	bool path_kept;
	const char *changed, *result;
};

static const struct result_row result_rows[] = {
	{ "as it was sent", RELAY_TEST_BACK, true, "", "kept" },
	{ "with a footer", RELAY_TEST_BACK, true, "body", "modified" },
	{ "with another sender", RELAY_TEST_BACK, false, "", "rewritten" },
	{ "with both", RELAY_TEST_BACK, false, "body", "rewritten" },
	{ "not back", RELAY_TEST_LATE, false, "", "late" },
};

START_TEST(results_in_a_word)
	{
		for (size_t i = 0; i < ARRAY_LEN(result_rows); i++) {
			const struct relay_test test = { .state = result_rows[i].state,
							 .path_kept = result_rows[i].path_kept,
							 .changed = view_of(result_rows[i].changed) };
			ck_row(result_rows[i].label, strcmp(relay_test_result(&test), result_rows[i].result) == 0);
		}
	}
END_TEST

START_TEST(states_follow_from_what_happened)
	{
		struct db *db = database_open();
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			AUTO_BUF text = buf_with_ceiling(LIMIT_WHY);
			AUTO_DB_ROWS *found = NULL, *newest = NULL;
			struct relay_test test;
			int64_t id = play(db, &rows[i]);
			ok(relay_tests_find(db, &id, 1, &terms, &found, &why), &why);
			ck_row(rows[i].label, db_row_count(found) == 1);
			relay_tests_get(found, 0, &test);
			ck_assert_msg(test.state == rows[i].state, "%s: %s", rows[i].label,
				      relay_test_state_name(test.state));
			ck_row(rows[i].label, test.id == id && test.passes == rows[i].passes);
			relay_test_tell(&test, &text);
			ck_assert_msg(view_find(buf_view(&text), view_of(rows[i].tells)) != VIEW_NONE, "%s: %s",
				      rows[i].label, buf_text(&text));
			/* What nobody has begun says nothing about the relay. */
			ok(relay_tests_newest(db, &terms, &newest, &why), &why);
			bool is_known = relay_test_is_over(rows[i].state) && rows[i].is_taken;
			ck_row(rows[i].label, db_row_count(newest) == (is_known ? 1 : 0));
			run_sql(db, "DELETE FROM relay_test");
		}
		db_close(db);
	}
END_TEST

START_TEST(returns_of_no_test_change_nothing)
	{
		struct db *db = database_open();
		ck_assert_uint_eq(give_back(db, 4711, &kept), 0);
		ck_assert_uint_eq(give_back(db, 4711, &failed), 0);
		int64_t id = ask(db);
		ck_assert_uint_eq(give_back(db, id, &kept), 0); /* never handed over */
		take(db);
		ck_assert_uint_eq(give_back(db, id, &kept), 0);
		seal(db, id);
		ck_assert_uint_eq(give_back(db, id, &kept), 1);
		ck_assert_uint_eq(give_back(db, id, &modified), 0); /* the first word counts */
		db_close(db);
	}
END_TEST

/* That so many rows of the table fit. */
static void check_count(struct db *db, const char *table_and_condition, int expected)
{
	char sql[512];
	snprintf(sql, sizeof(sql), "DO $$ BEGIN ASSERT (SELECT count(*) FROM %s) = %d; END $$", table_and_condition,
		 expected);
	run_sql(db, sql);
}

/* Only what was taken and has no answer is given back; it is as if nobody had seen it. */
START_TEST(given_back_and_taken_again)
	{
		struct db *db = database_open();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		int64_t id = ask(db);
		ck_assert_int_eq(relay_tests_seal(db, id, VIEW_LIT(SENT_SEAL), &why), ERR_NOT_FOUND);
		ck_assert_uint_eq(take(db), 1);
		seal(db, id);
		ok(relay_tests_give_back(db, id, &why), &why);
		check_count(db, "relay_test_state WHERE state = 'asked' AND sent_seal IS NULL", 1);
		ck_assert_uint_eq(take(db), 1);
		seal(db, id);
		answer(db, id, &doubtful);
		ok(relay_tests_give_back(db, id, &why), &why);
		check_count(db, "relay_test_state WHERE state = 'sent' AND taken_at IS NOT NULL", 1);
		ck_assert_int_eq(relay_tests_seal(db, id, VIEW_LIT("other"), &why), ERR_NOT_FOUND);
		db_close(db);
	}
END_TEST

START_TEST(tests_are_rare_and_taken_once)
	{
		struct db *db = database_open();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		const struct relay_test_wish wish = { .relay = RELAY,
						      .actor = VIEW_LIT("u"),
						      .patience_us = minute_us };
		int64_t id;
		for (size_t i = 0; i < RELAY_TESTS_AN_HOUR; i++)
			ask(db);
		ck_assert_int_eq(relay_tests_ask(db, &wish, &id, &why), ERR_REFUSED);
		ck_assert(view_find(buf_view(&why), VIEW_LIT("try again later")) != VIEW_NONE);
		for (size_t i = 0; i < RELAY_TESTS_AN_HOUR; i += 10)
			ck_assert_uint_eq(take(db), 10);
		ck_assert_uint_eq(take(db), 0);
		run_sql(db,
			"UPDATE relay_test SET asked_at = asked_at - interval '1 h', due_by = due_by - interval '1 h'");
		ask(db);
		run_sql(db,
			"UPDATE relay_test SET due_by = asked_at + interval '1 microsecond' WHERE taken_at IS NULL");
		ck_assert_uint_eq(take(db), 0); /* its time is over */
		db_close(db);
	}
END_TEST

/* ---- before campaigns ---- */

static void schedule(struct db *db, const char *name, const char *start)
{
	char sql[512];
	snprintf(sql, sizeof(sql),
		 "INSERT INTO campaign (name, list_id, subject, from_address, text_body, state, start_at)"
		 " VALUES ('%s', (SELECT min(id) FROM list), 's', '%s@b.test', 't', 'scheduled', %s)",
		 name, name, start);
	run_sql(db, sql);
}

static struct db *with_list(void)
{
	struct db *db = database_open();
	run_sql(db,
		"INSERT INTO list (name, title, list_id, from_address) VALUES ('news', 'N', 'n.b.test', 'a@b.test')");
	return db;
}

static void ask_for_due(struct db *db)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ok(relay_tests_ask_for_due(db, minute_us, &terms, &why), &why);
}

/* The campaign that may be decided, 0 for none; *ret_passes. */
static int64_t next_due(struct db *db, bool *ret_passes)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	AUTO_DB_ROWS *found = NULL;
	struct relay_tests_due due = { 0 };
	enum err err = relay_tests_next_due(db, &terms, &due, &found, &why);
	ck_assert(err == ERR_OK || err == ERR_NOT_FOUND);
	*ret_passes = due.all_pass;
	if (err == ERR_OK && !due.all_pass)
		ck_view_eq(due.failed.relay, "default");
	return due.campaign_id;
}

START_TEST(due_campaigns_wait_for_their_tests)
	{
		struct db *db = with_list();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		bool passes;
		schedule(db, "later", "now() + interval '1 h'");
		ask_for_due(db);
		check_count(db, "relay_test", 0);
		schedule(db, "first", "now() - interval '1 s'");
		schedule(db, "second", "now()");
		ask_for_due(db);
		ask_for_due(db); /* one under way serves all */
		check_count(db, "relay_test WHERE from_address = 'first@b.test'", 1);
		ck_assert_int_eq(next_due(db, &passes), 0);
		take(db);
		seal(db, 1);
		answer(db, 1, &accepted);
		ck_assert_int_eq(next_due(db, &passes), 0);
		give_back(db, 1, &kept);
		ck_assert_int_eq(next_due(db, &passes), 2);
		ck_assert(passes);
		ok(relay_tests_clear(db, 2, &why), &why);
		ck_assert_int_eq(next_due(db, &passes), 3);
		ck_assert(passes);
		ok(relay_tests_clear(db, 3, &why), &why);
		ck_assert_int_eq(next_due(db, &passes), 0);
		/* Scheduled anew, later than a good test can serve: tested anew. */
		run_sql(db, "UPDATE relay_test SET asked_at = asked_at - interval '1 h';"
			    "UPDATE campaign SET start_at = now() WHERE name = 'first'");
		ask_for_due(db);
		check_count(db, "relay_test", 2);
		db_close(db);
	}
END_TEST

/* Of the last ten minutes the last word counts. */
START_TEST(a_later_failure_outweighs_a_pass)
	{
		struct db *db = with_list();
		bool passes;
		int64_t id = ask(db);
		take(db);
		seal(db, id);
		give_back(db, id, &kept);
		id = ask(db);
		take(db);
		seal(db, id);
		give_back(db, id, &modified);
		run_sql(db, "UPDATE relay_test SET asked_at = asked_at - interval '1 minute'");
		schedule(db, "first", "now()");
		ask_for_due(db);
		check_count(db, "relay_test WHERE asked_by = 'sender'", 1);
		ck_assert_int_eq(next_due(db, &passes), 0);
		take(db);
		seal(db, id + 1);
		give_back(db, id + 1, &modified);
		ck_assert_int_eq(next_due(db, &passes), 1);
		ck_assert(!passes);
		db_close(db);
	}
END_TEST

/* Nobody waits an hour for leave to ask once more. */
START_TEST(what_is_known_serves_where_no_more_may_be_asked)
	{
		struct db *db = with_list();
		bool passes;
		for (size_t i = 0; i < RELAY_TESTS_AN_HOUR; i++)
			ask(db);
		take(db);
		for (int64_t id = 1; id <= 2; id++) {
			seal(db, id);
			give_back(db, id, id == 1 ? &kept : &modified);
		}
		run_sql(db, "UPDATE relay_test SET asked_at = asked_at - interval '30 min', due_by = now()");
		schedule(db, "first", "now()");
		ask_for_due(db);
		check_count(db, "relay_test WHERE asked_by = 'sender'", 0);
		run_sql(db, "UPDATE relay_test SET taken_at = NULL, taken_by = NULL WHERE back_at IS NULL");
		ck_assert_int_eq(next_due(db, &passes), 1);
		ck_assert(!passes);
		run_sql(db, "DELETE FROM relay_test WHERE id = 3");
		ck_assert_int_eq(next_due(db, &passes), 0); /* one more may be asked again */
		db_close(db);
	}
END_TEST

START_TEST(a_failed_test_holds_and_a_new_start_tests_anew)
	{
		struct db *db = with_list();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		bool passes;
		schedule(db, "first", "now()");
		ask_for_due(db);
		take(db);
		answer(db, 1, &refused);
		ck_assert_int_eq(next_due(db, &passes), 1);
		ck_assert(!passes);
		ok(relay_tests_hold(db, 1, VIEW_LIT("because"), &why), &why);
		ck_assert_int_eq(next_due(db, &passes), 0);
		ask_for_due(db);
		check_count(db, "relay_test", 1);
		check_count(db, "audit WHERE action = 'campaign.hold'", 1);
		run_sql(db, "UPDATE campaign SET start_at = now(), hold_reason = NULL");
		ck_assert_int_eq(next_due(db, &passes), 0); /* the old failure says nothing about now */
		ask_for_due(db);
		check_count(db, "relay_test", 2);
		db_close(db);
	}
END_TEST

/* ---- which relays a campaign may use ---- */

struct choice {
	const char *label, *relays, *names;
};

static const struct choice choices[] = {
	{ "no row", "", "default" },
	{ "only a disabled one", "('a', false, '{}', '{}', '{}')", "default" },
	{ "all that are for everything", "('a', true, '{}', '{}', '{}'), ('b', true, '{}', '{}', '{}')", "a b" },
	{ "one of the list", "('a', true, '{}', '{}', '{}'), ('b', true, '{}', '{news}', '{}')", "b" },
	{ "one of some lists", "('a', true, '{}', '{}', '{}'), ('b', true, '{}', '{x,n*s}', '{}')", "b" },
	{ "a % is no pattern", "('a', true, '{}', '{}', '{}'), ('b', true, '{}', '{n%,\\\\}', '{}')", "a" },
	{ "one of another list", "('a', true, '{}', '{}', '{}'), ('b', true, '{}', '{olds}', '{}')", "a" },
	{ "one of the campaign", "('a', true, '{}', '{news}', '{}'), ('b', true, '{fir*}', '{}', '{}')", "b" },
	{ "any run is no single character", "('a', true, '{}', '{}', '{}'), ('b', true, '{_irst}', '{}', '{}')", "a" },
	{ "one of some domains besides", "('a', true, '{}', '{}', '{}'), ('b', true, '{}', '{}', '{x.test}')", "a b" },
	{ "none", "('b', true, '{}', '{olds}', '{}')", "" },
};

START_TEST(relays_of_a_campaign)
	{
		struct db *db = with_list();
		schedule(db, "first", "now()");
		for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
			char sql[512];
			if (*choices[i].relays != '\0') {
				snprintf(sql, sizeof(sql),
					 "INSERT INTO relay (name, enabled, host, port, campaigns, lists, domains)"
					 " SELECT n, e, 'h', 25, c::text[], l::text[], d::text[] FROM (VALUES %s)"
					 " AS v(n, e, c, l, d)",
					 choices[i].relays);
				run_sql(db, sql);
			}
			snprintf(sql, sizeof(sql),
				 "DO $$ BEGIN ASSERT (SELECT coalesce(string_agg(n, ' ' ORDER BY n), '')"
				 " FROM relays_of_campaign(1) AS r(n)) = '%s', '%s'; END $$",
				 choices[i].names, choices[i].label);
			run_sql(db, sql);
			run_sql(db, "DELETE FROM relay");
		}
		db_close(db);
	}
END_TEST

START_TEST(a_campaign_without_a_relay_is_not_held_here)
	{
		struct db *db = with_list();
		bool passes;
		schedule(db, "first", "now()");
		run_sql(db, "INSERT INTO relay (name, host, port, lists) VALUES ('b', 'h', 25, '{olds}')");
		ask_for_due(db);
		check_count(db, "relay_test", 0);
		ck_assert_int_eq(next_due(db, &passes), 1);
		ck_assert(passes);
		db_close(db);
	}
END_TEST

static bool is_there(struct db *db, int64_t id)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	AUTO_DB_ROWS *found = NULL;
	ok(relay_tests_find(db, &id, 1, &terms, &found, &why), &why);
	return db_row_count(found) > 0;
}

struct purge_row {
	const char *label;
	const char *sql; /* of a test of `default` that has come back, and is the newest of its relay */
	bool stays;
};

static const struct purge_row purge_rows[] = {
	{ "known of a relay", NULL, true },
	{ "of a relay that is gone", "UPDATE relay_test SET relay = 'gone'", false },
	{ "of a relay that is disabled",
	  "UPDATE relay_test SET relay = 'off'; INSERT INTO relay (name, host, port, enabled) VALUES ('off', 'x.test', "
	  "25, false)",
	  true },
	{ "followed by another",
	  "INSERT INTO relay_test (relay, asked_by, due_by, taken_at, taken_by, answered_at, accepted)"
	  " VALUES ('default', 'u', now() + interval '1 h', now(), 'h', now(), false)",
	  false },
	{ "followed by one that nobody has begun",
	  "INSERT INTO relay_test (relay, asked_by, due_by) VALUES ('default', 'u', now() + interval '1 h')", true },
	{ "followed by one that is old as well",
	  "INSERT INTO relay_test (relay, asked_by, asked_at, due_by, taken_at, taken_by, answered_at, accepted) SELECT"
	  " relay, 'u', asked_at, due_by, taken_at, 'h', taken_at, false FROM relay_test",
	  false },
	{ "never begun",
	  "UPDATE relay_test SET taken_at = NULL, taken_by = NULL, back_at = NULL, mail_from = NULL,"
	  " sent_seal = NULL, back_seal = NULL, path_kept = NULL, message_kept = NULL, answered_at = NULL, accepted = "
	  "NULL, code = NULL,"
	  " reply = NULL, step = NULL",
	  false },
	{ "young", "UPDATE relay_test SET relay = 'gone', asked_at = now() - interval '58 minutes', due_by = now()",
	  true },
	{ "its time is not over", "UPDATE relay_test SET relay = 'gone', due_by = now() + interval '1 h'", true },
};

/* As sender's role, which must have the right. */
START_TEST(old_tests_are_forgotten)
	{
		struct db *db = with_list();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		for (size_t i = 0; i < ARRAY_LEN(purge_rows); i++) {
			run_sql(db, "DELETE FROM relay_test; DELETE FROM relay");
			int64_t id = ask(db);
			take(db);
			seal(db, id);
			answer(db, id, &accepted);
			give_back(db, id, &kept);
			run_sql(
			    db,
			    "UPDATE relay_test SET asked_at = now() - interval '3 h', due_by = now() - interval '2 h'");
			if (purge_rows[i].sql != NULL)
				run_sql(db, purge_rows[i].sql);
			run_sql(db, "SET ROLE verpost_sender");
			ok(relay_tests_purge(db, clock_wall_us() - 60 * minute_us, &why), &why);
			run_sql(db, "RESET ROLE");
			ck_row(purge_rows[i].label, is_there(db, id) == purge_rows[i].stays);
		}
		db_close(db);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { states_follow_from_what_happened,
				       results_in_a_word,
				       returns_of_no_test_change_nothing,
				       given_back_and_taken_again,
				       tests_are_rare_and_taken_once,
				       due_campaigns_wait_for_their_tests,
				       a_later_failure_outweighs_a_pass,
				       what_is_known_serves_where_no_more_may_be_asked,
				       a_failed_test_holds_and_a_new_start_tests_anew,
				       relays_of_a_campaign,
				       a_campaign_without_a_relay_is_not_held_here,
				       old_tests_are_forgotten };
	return suite_of("relay_tests", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
