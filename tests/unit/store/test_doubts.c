#include "store/doubts.h"

#include <stdio.h>

#include "base/limits.h"
#include "store/runs.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

static void run_sql(struct db *db, const char *sql)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(db_run_script(db, view_of(sql), &why) == ERR_OK, "%s: %s", sql, buf_text(&why));
}

/* Three in doubt, of whom the last is in a worker's hand; one deferred. A doubt of the first that was decided long ago. */
static const char scene[] =
    "INSERT INTO list (name, title, list_id, from_address) VALUES ('news', 'News', 'n.b.test', 'a@b.test');"
    "INSERT INTO worker (id, host, journal) VALUES ('0b1e0d5c-7b5e-4f64-9f0c-d6a1c0b7e1aa', 'mx1', '/j');"
    "INSERT INTO subscriber (address, address_key) SELECT 'P' || n || '@x.test', 'p' || n || '@x.test'"
    " FROM generate_series(1, 5) n;"
    "INSERT INTO membership (list_id, subscriber_id) SELECT 1, id FROM subscriber;"
    "INSERT INTO campaign (name, list_id, subject, from_address, text_body, state, audience, started_at)"
    " VALUES ('c', 1, 's', 'a@b.test', 't', 'running', 4, now());"
    "INSERT INTO deferral (campaign_id, subscriber_id, state, attempts, first_attempt_at, last_attempt_at,"
    " next_attempt_at, opened_by, key_id, day, date_at) SELECT 1, n, CASE WHEN n < 4 THEN 'in_doubt' ELSE 'deferred' "
    "END,"
    " 2, now(), now() + n * interval '1 s', CASE WHEN n = 4 THEN now() END,"
    " CASE WHEN n = 3 THEN '0b1e0d5c-7b5e-4f64-9f0c-d6a1c0b7e1aa'::uuid END, 0, 1, now() FROM generate_series(1, 4) n;"
    "INSERT INTO doubt (campaign_id, subscriber_id, attempt, worker_id, connection, at, decision, decided_at)"
    " SELECT 1, n, 2, '0b1e0d5c-7b5e-4f64-9f0c-d6a1c0b7e1aa'::uuid, 'r/' || n, now(), 'hold', now()"
    " FROM generate_series(1, 3) n UNION ALL"
    " SELECT 1, 1, 1, NULL, '', now() - interval '1 day', 'resend', now() - interval '1 day'";

static size_t count_rows(struct db *db, const struct db_statement *statement)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(db_run(db, statement, NULL, 0, &rows, &why) == ERR_OK, "%s", buf_text(&why));
	return db_row_count(rows);
}

static const struct db_statement sent_again = {
	"unit_again", "SELECT FROM deferral WHERE state = 'in_doubt' AND next_attempt_at <= now()"
};
static const struct db_statement held = { "unit_held",
					  "SELECT FROM deferral WHERE state = 'in_doubt' AND next_attempt_at IS NULL" };
static const struct db_statement settled = { "unit_settled", "SELECT FROM delivery WHERE outcome = 'accepted'" };
static const struct db_statement decided_now = { "unit_decided", "SELECT FROM doubt WHERE decided_at = now()"
								 " OR decided_at > now() - interval '1 minute'" };
static const struct db_statement audited = { "unit_audited", "SELECT FROM audit WHERE subject = 'campaign:c'" };
static const struct db_statement running = { "unit_running", "SELECT FROM campaign WHERE state = 'running'" };

START_TEST(they_are_named)
	{
		struct db *db = database_open();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		AUTO_DB_ROWS *rows = NULL, *all = NULL;
		struct doubtful d;
		run_sql(db, scene);
		ck_assert(doubts_list(db, 1, false, &rows, &why) == ERR_OK);
		ck_assert_uint_eq(db_row_count(rows), 3);
		doubtful_at(rows, 1, &d);
		ck_assert(d.subscriber_id == 2 && d.attempt == 2 && d.at_us > 0 && d.decided_us > 0 && d.next_us == 0);
		ck_view_eq(d.address, "P2@x.test");
		ck_view_eq(d.connection, "r/2");
		ck_view_eq(d.host, "mx1");
		ck_view_eq(d.decision, "hold");
		ck_view_eq(d.place, "in_doubt");
		ck_assert(doubts_list(db, 1, true, &all, &why) == ERR_OK);
		ck_assert_uint_eq(db_row_count(all), 4);
		doubtful_at(all, 0, &d);
		ck_assert(d.subscriber_id == 1 && d.attempt == 1 && d.host.len == 0);
		ck_view_eq(d.decision, "resend");
		db_close(db);
	}
END_TEST

struct row {
	const char *label, *state; /* SQL that sets the campaign's */
	enum doubt_decision decision;
	const char *named; /* NULL: all */
	enum err err;
	size_t count, busy, again, settled;
	bool reopens;
	size_t gone;
};

#define FINISHED "UPDATE campaign SET state = 'finished', ended_at = now()"
#define CANCELED "UPDATE campaign SET state = 'canceled', ended_at = now()"
#define LEFT FINISHED "; DELETE FROM membership WHERE subscriber_id = 1"
#define SUPPRESSED                                                                                                     \
	FINISHED "; INSERT INTO suppression (kind, value, reason, source) VALUES ('domain', 'x.test', 'r', 's')"
#define PAUSED "UPDATE campaign SET state = 'paused', hold_reason = 'x'"

static const struct row rows[] = {
	{ "send again", NULL, DOUBT_RESEND, NULL, ERR_OK, 2, 1, 2, 0, false, 0 },
	{ "send again one", NULL, DOUBT_RESEND, "p2@x.test", ERR_OK, 1, 0, 1, 0, false, 0 },
	{ "one who is being sent to", NULL, DOUBT_RESEND, "p3@x.test", ERR_OK, 0, 1, 0, 0, false, 0 },
	{ "one who is not in doubt", NULL, DOUBT_SETTLE, "p4@x.test", ERR_NOT_FOUND, 0, 0, 0, 0, false, 0 },
	{ "one who is not there", NULL, DOUBT_HOLD, "eve@x.test", ERR_NOT_FOUND, 0, 0, 0, 0, false, 0 },
	{ "send again, and one has left", LEFT, DOUBT_RESEND, NULL, ERR_OK, 1, 1, 1, 0, true, 1 },
	{ "send again one who has left", LEFT, DOUBT_RESEND, "p1@x.test", ERR_OK, 0, 0, 0, 0, false, 1 },
	{ "send again, and all are suppressed", SUPPRESSED, DOUBT_RESEND, NULL, ERR_OK, 0, 1, 0, 0, false, 2 },
	{ "settle one who has left", LEFT, DOUBT_SETTLE, "p1@x.test", ERR_OK, 1, 0, 0, 1, false, 0 },
	{ "hold", NULL, DOUBT_HOLD, NULL, ERR_OK, 2, 1, 0, 0, false, 0 },
	{ "settle", NULL, DOUBT_SETTLE, NULL, ERR_OK, 2, 1, 0, 2, false, 0 },
	{ "settle one", NULL, DOUBT_SETTLE, "p1@x.test", ERR_OK, 1, 0, 0, 1, false, 0 },
	{ "paused: later", PAUSED, DOUBT_RESEND, NULL, ERR_OK, 2, 1, 2, 0, false, 0 },
	{ "finished: it runs again", FINISHED, DOUBT_RESEND, NULL, ERR_OK, 2, 1, 2, 0, true, 0 },
	{ "finished, and nobody is free", FINISHED, DOUBT_RESEND, "p3@x.test", ERR_OK, 0, 1, 0, 0, false, 0 },
	{ "finished: settle", FINISHED, DOUBT_SETTLE, NULL, ERR_OK, 2, 1, 0, 2, false, 0 },
	{ "canceled: nothing more is sent", CANCELED, DOUBT_RESEND, NULL, ERR_REFUSED, 0, 0, 0, 0, false, 0 },
	{ "canceled: hold", CANCELED, DOUBT_HOLD, NULL, ERR_OK, 2, 1, 0, 0, false, 0 },
	{ "canceled: settle", CANCELED, DOUBT_SETTLE, NULL, ERR_OK, 2, 1, 0, 2, false, 0 },
};

static void check_row(const struct row *row)
{
	struct db *db = database_open();
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	AUTO_DB_ARRAY keys = db_array_of(DB_TEXT);
	struct doubts_decided decided = { 0 };
	run_sql(db, scene);
	run_sql(db, "UPDATE doubt SET decided_at = now() - interval '1 hour'");
	if (row->state != NULL)
		run_sql(db, row->state);
	if (row->named != NULL)
		db_array_add_bytes(&keys, view_of(row->named));
	enum err err =
	    doubts_decide(db, 1, row->decision, row->named == NULL ? NULL : &keys, VIEW_LIT("unit"), &decided, &why);
	ck_assert_msg(err == row->err, "%s: %s %s", row->label, err_name(err), buf_text(&why));
	ck_row(row->label, (why.len > 0) == (row->err != ERR_OK));
	ck_row(row->label, decided.count == row->count && decided.busy == row->busy);
	ck_row(row->label, decided.gone == row->gone);
	ck_row(row->label, decided.has_reopened == row->reopens);
	ck_row(row->label, count_rows(db, &sent_again) == row->again);
	ck_row(row->label, count_rows(db, &settled) == row->settled);
	ck_row(row->label, count_rows(db, &held) == 3 - row->again - row->settled);
	ck_row(row->label, count_rows(db, &decided_now) == row->count);
	ck_row(row->label, count_rows(db, &audited) == (row->err == ERR_OK ? 1 : 0));
	ck_row(row->label, count_rows(db, &running) == (row->state == NULL || row->reopens ? 1 : 0));
	db_close(db);
}

START_TEST(a_person_decides)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			check_row(&rows[i]);
	}
END_TEST

START_TEST(one_decision_undoes_the_other)
	{
		struct db *db = database_open();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct doubts_decided decided;
		run_sql(db, scene);
		for (int i = 0; i < 2; i++) {
			ck_assert(doubts_decide(db, 1, DOUBT_RESEND, NULL, VIEW_LIT("unit"), &decided, &why) == ERR_OK);
			ck_assert_uint_eq(count_rows(db, &sent_again), 2);
			ck_assert(doubts_decide(db, 1, DOUBT_HOLD, NULL, VIEW_LIT("unit"), &decided, &why) == ERR_OK);
			ck_assert_uint_eq(count_rows(db, &sent_again), 0);
		}
		db_close(db);
	}
END_TEST

static void on_finished(void *user, int64_t campaign_id)
{
	(void)campaign_id;
	++*(int *)user;
}

/* With only held ones left a campaign finishes; told to send again it does not until they have an end. */
START_TEST(finishing_waits_for_those_sent_again)
	{
		struct db *db = database_open();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct doubts_decided decided;
		int finished = 0;
		run_sql(db, scene);
		run_sql(db, "DELETE FROM deferral WHERE subscriber_id > 2");
		ck_assert(runs_finish_complete(db, on_finished, &finished, &why) == ERR_OK);
		ck_assert_int_eq(finished, 1);
		ck_assert(doubts_decide(db, 1, DOUBT_RESEND, NULL, VIEW_LIT("unit"), &decided, &why) == ERR_OK);
		ck_assert(decided.has_reopened);
		ck_assert(runs_finish_complete(db, on_finished, &finished, &why) == ERR_OK);
		ck_assert_int_eq(finished, 1);
		run_sql(db, "DELETE FROM deferral");
		ck_assert(runs_finish_complete(db, on_finished, &finished, &why) == ERR_OK);
		ck_assert_int_eq(finished, 2);
		db_close(db);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { they_are_named, a_person_decides, one_decision_undoes_the_other,
				       finishing_waits_for_those_sent_again };
	return suite_of("doubts", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
