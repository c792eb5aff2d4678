#include "store/ledger.h"

#include "base/limits.h"
#include "store/releases.h"
#include "store/runs.h"
#include "store/workers.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

/* Parking: who cannot go now is put into the retry queue untried, and is in exactly one place all the time. */

#define ONE "00000000-0000-4000-8000-000000000001"
#define TWO "00000000-0000-4000-8000-000000000002"

enum { AUDIENCE = 6 };

static void run_sql(struct db *db, const char *sql)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(db_run_script(db, view_of(sql), &why) == ERR_OK, "%s: %s", sql, buf_text(&why));
}

/* What a query of one number says. */
static int64_t number(struct db *db, const char *sql)
{
	static const struct db_statement read = { .name = "number", .sql = "SELECT v FROM pg_temp.number" };
	AUTO_DB_ROWS *rows = NULL;
	AUTO_BUF text = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&text,
		 "CREATE TEMP TABLE IF NOT EXISTS number (v bigint); DELETE FROM pg_temp.number;"
		 " INSERT INTO pg_temp.number %s",
		 sql);
	run_sql(db, buf_text(&text));
	ck_assert(db_run(db, &read, NULL, 0, &rows, NULL) == ERR_OK);
	return db_get_int(rows, 0, 0);
}

/* A running campaign of six, and two workers. */
static struct db *begin(void)
{
	struct db *db = database_open();
	run_sql(
	    db,
	    "INSERT INTO list (name, title, list_id, from_address) VALUES ('news', 'News', 'n.b.test', 'a@b.test');"
	    "INSERT INTO subscriber (address, address_key) SELECT 'u' || i || '@gmail.com', 'u' || i || '@gmail.com'"
	    " FROM generate_series(1, 6) i;"
	    "INSERT INTO membership (list_id, subscriber_id) SELECT 1, id FROM subscriber;"
	    "INSERT INTO campaign (name, list_id, subject, from_address, text_body, state, audience, started_at)"
	    " VALUES ('c', 1, 's', 'a@b.test', 't', 'running', 6, now());"
	    "INSERT INTO campaign_chunk (campaign_id, chunk_no, subscriber_ids)"
	    " SELECT 1, 0, array_agg(id ORDER BY id) FROM subscriber;"
	    "INSERT INTO worker (id, host, journal, seen_at) VALUES ('" ONE "', 'h', 'j', now() - interval '1 day'),"
	    " ('" TWO "', 'h', 'k', now() - interval '1 day')");
	return db;
}

static const struct opening opening = {
	.worker_id = ONE,
	.limit = AUDIENCE,
	.lease_us = 60000000,
	.terms = { .key_id = 3, .day = 20000, .date_us = 1600000000000000 },
};

/* ret_opened borrows from *rows. */
static size_t open_by(struct db *db,
		      enum err (*way)(struct db *, const struct opening *, struct openings **, struct buf *),
		      struct openings **rows, struct opened ret_opened[AUDIENCE])
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	enum err err = way(db, &opening, rows, &why);
	ck_assert_msg(err == ERR_OK, "%s", buf_text(&why));
	size_t count = openings_count(*rows);
	for (size_t i = 0; i < count; i++)
		ret_opened[i] = openings_get(*rows, i);
	return count;
}

static struct ledger_row row_of(const struct opened *opened, enum ledger_outcome outcome, const char *waits_for,
				int64_t next_us)
{
	bool tried = outcome == LEDGER_DEFERRED || outcome == LEDGER_IN_DOUBT;
	return (struct ledger_row){
		.campaign_id = opened->campaign_id,
		.subscriber_id = opened->subscriber_id,
		.outcome = outcome,
		.attempts = opened->attempts + (tried || outcome == LEDGER_ACCEPTED),
		.at_us = 1700000000000000,
		.from_queue = opened->window_first == 0,
		.first_attempt_us = opened->first_attempt_us != 0 ? opened->first_attempt_us
				    : tried                       ? 1700000000000000
								  : 0,
		.next_attempt_us = next_us,
		.terms = opened->terms,
		.waits_for = view_of(waits_for),
	};
}

static void append(struct db *db, const struct ledger_row *rows, size_t count)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert(db_begin(db, NULL) == ERR_OK);
	enum err err = ledger_append(db, ONE, rows, count, &why);
	ck_assert_msg(err == ERR_OK, "%s", buf_text(&why));
	ck_assert(db_commit(db, &why) == ERR_OK);
}

/* The whole audience is opened and parked; the window is closed. */
static void park_all(struct db *db, const char *waits_for, int64_t next_us)
{
	AUTO_OPENINGS *rows = NULL;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct opened opened[AUDIENCE];
	struct ledger_row parked[AUDIENCE];
	ck_assert_uint_eq(open_by(db, openings_claim, &rows, opened), AUDIENCE);
	for (size_t i = 0; i < AUDIENCE; i++)
		parked[i] = row_of(&opened[i], LEDGER_PARKED, waits_for, next_us);
	append(db, parked, AUDIENCE);
	AUTO_DB_ARRAY campaigns = db_array_of(DB_INT);
	AUTO_DB_ARRAY chunks = db_array_of(DB_INT);
	AUTO_DB_ARRAY firsts = db_array_of(DB_INT);
	db_array_add_int(&campaigns, 1);
	db_array_add_int(&chunks, 0);
	db_array_add_int(&firsts, 1);
	ck_assert(releases_close(db, ONE, &campaigns, &chunks, &firsts, &why) == ERR_OK);
}

static const char in_queue[] = "SELECT count(*) FROM deferral WHERE state = 'deferred' AND opened_by IS NULL";
static const char everywhere[] =
    "SELECT (SELECT count(*) FROM deferral) + (SELECT count(*) FROM delivery) + (SELECT count(*) FROM campaign_chunk k,"
    " unnest(k.subscriber_ids) AS a(id) WHERE NOT k.done AND NOT EXISTS (SELECT FROM delivery d WHERE d.subscriber_id "
    "= "
    "a.id) AND NOT EXISTS (SELECT FROM deferral f WHERE f.subscriber_id = a.id))";

#define PAST 1700000000000000
#define FAR 4000000000000000

START_TEST(the_parked_are_tried_like_new_ones)
	{
		struct db *db = begin();
		AUTO_OPENINGS *rows = NULL;
		struct opened opened[AUDIENCE];
		park_all(db, "group:gmail", PAST);
		ck_assert_int_eq(number(db, in_queue), AUDIENCE);
		ck_assert_int_eq(number(db, everywhere), AUDIENCE);
		ck_assert_int_eq(number(db, "SELECT count(*) FROM campaign_chunk WHERE done"), 1);
		ck_assert_uint_eq(open_by(db, openings_take_due, &rows, opened), AUDIENCE);
		ck_assert_uint_eq(opened[0].attempts, 0);
		ck_assert_int_eq(opened[0].first_attempt_us, 0);
		ck_assert_uint_eq(opened[0].terms.key_id, 3);
		ck_assert_int_eq(opened[0].terms.date_us, 1600000000000000);
		ck_assert_int_eq(number(db, "SELECT count(*) FROM deferral WHERE waits_for IS NOT NULL"), 0);
		/* One is accepted, one refused for now, one in doubt, one parked again; the worker dies with the last two. */
		const struct ledger_row ends[] = {
			row_of(&opened[0], LEDGER_ACCEPTED, "", 0),
			row_of(&opened[1], LEDGER_DEFERRED, "", FAR),
			row_of(&opened[2], LEDGER_IN_DOUBT, "", FAR),
			row_of(&opened[3], LEDGER_PARKED, "group:gmail", FAR),
		};
		append(db, ends, ARRAY_LEN(ends));
		append(db, ends, ARRAY_LEN(ends)); /* a commit that was not heard is written again */
		ck_assert_int_eq(number(db, everywhere), AUDIENCE);
		ck_assert_int_eq(number(db, "SELECT count(*) FROM delivery WHERE attempts = 1"), 1);
		ck_assert_int_eq(number(db, "SELECT count(*) FROM deferral WHERE attempts = 1 AND opened_by IS NULL"
					    " AND first_attempt_at = last_attempt_at AND waits_for IS NULL"),
				 2);
		ck_assert_int_eq(number(db,
					"SELECT count(*) FROM deferral WHERE attempts = 0 AND first_attempt_at IS NULL"
					" AND waits_for = 'group:gmail'"),
				 1);
		ck_assert_int_eq(number(db, "SELECT count(*) FROM doubt WHERE attempt = 1"), 1);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert(releases_give_back(db, ONE, 0, &why) == ERR_OK);
		ck_assert_int_eq(number(db, "SELECT count(*) FROM deferral WHERE next_attempt_at <= now()"), 2);
		db_close(db);
	}
END_TEST

/* What an earlier attempt left is not forgotten by parking. */
START_TEST(parking_keeps_doubt_and_attempts)
	{
		struct db *db = begin();
		AUTO_OPENINGS *rows = NULL, *again = NULL, *third = NULL;
		struct opened opened[AUDIENCE];
		ck_assert_uint_eq(open_by(db, openings_claim, &rows, opened), AUDIENCE);
		const struct ledger_row first[] = {
			row_of(&opened[0], LEDGER_IN_DOUBT, "", PAST),
			row_of(&opened[1], LEDGER_DEFERRED, "", PAST),
		};
		append(db, first, ARRAY_LEN(first));
		ck_assert_uint_eq(open_by(db, openings_take_due, &again, opened), 2);
		struct ledger_row parked[2];
		for (size_t i = 0; i < 2; i++)
			parked[i] = row_of(&opened[i], LEDGER_PARKED, "domain:a.test", PAST);
		append(db, parked, 2);
		ck_assert_int_eq(number(db, "SELECT count(*) FROM deferral WHERE attempts = 1 AND state = 'in_doubt'"
					    " AND waits_for = 'domain:a.test' AND first_attempt_at IS NOT NULL"),
				 1);
		ck_assert_int_eq(number(db, "SELECT count(*) FROM deferral WHERE attempts = 1 AND state = 'deferred'"
					    " AND waits_for = 'domain:a.test'"),
				 1);
		ck_assert_uint_eq(open_by(db, openings_take_due, &third, opened), 2);
		ck_assert_uint_eq(opened[0].attempts, 1);
		ck_assert_int_ne(opened[0].first_attempt_us, 0);
		db_close(db);
	}
END_TEST

/* Who has been in doubt and is not sent to again is in doubt, held; also whose copy was put off meanwhile. Saying it again changes nothing. */
START_TEST(holding_keeps_the_doubt)
	{
		struct db *db = begin();
		AUTO_OPENINGS *rows = NULL, *again = NULL, *third = NULL;
		struct opened opened[AUDIENCE], late[AUDIENCE];
		ck_assert_uint_eq(open_by(db, openings_claim, &rows, opened), AUDIENCE);
		const struct ledger_row first[] = {
			row_of(&opened[0], LEDGER_IN_DOUBT, "", PAST),
			row_of(&opened[1], LEDGER_IN_DOUBT, "", PAST),
		};
		append(db, first, ARRAY_LEN(first));
		ck_assert_uint_eq(open_by(db, openings_take_due, &again, opened), 2);
		const struct ledger_row put_off = row_of(&opened[1], LEDGER_DEFERRED, "", PAST);
		append(db, &put_off, 1);
		ck_assert_uint_eq(open_by(db, openings_take_due, &third, late), 1);
		opened[1] = late[0];
		struct ledger_row held[2];
		for (size_t i = 0; i < 2; i++) {
			ck_assert(opened[i].has_doubt);
			held[i] = row_of(&opened[i], LEDGER_HELD, "", 0);
			held[i].reason = VIEW_LIT("unsubscribed");
		}
		for (size_t i = 0; i < 2; i++) {
			append(db, held, 2);
			ck_assert_int_eq(number(db, "SELECT count(*) FROM deferral WHERE state = 'in_doubt'"
						    " AND next_attempt_at IS NULL AND opened_by IS NULL"
						    " AND reply = 'not sent again: unsubscribed'"),
					 2);
			ck_assert_int_eq(number(db, "SELECT count(*) FROM deferral f JOIN doubt d USING (subscriber_id)"
						    " WHERE d.attempt = f.attempts AND d.decision = 'hold'"),
					 2);
			ck_assert_int_eq(number(db, "SELECT count(*) FROM doubt"), 3);
		}
		db_close(db);
	}
END_TEST

/* After a commit that was not heard another worker may have taken whom this one parked. */
START_TEST(parking_again_touches_nobody_else)
	{
		struct db *db = begin();
		AUTO_OPENINGS *rows = NULL;
		struct opened opened[AUDIENCE];
		struct ledger_row parked[AUDIENCE];
		ck_assert_uint_eq(open_by(db, openings_claim, &rows, opened), AUDIENCE);
		for (size_t i = 0; i < AUDIENCE; i++)
			parked[i] = row_of(&opened[i], LEDGER_PARKED, "group:gmail", PAST);
		append(db, parked, AUDIENCE);
		run_sql(db, "UPDATE deferral SET opened_by = '" TWO "' WHERE subscriber_id <= 2;"
			    "DELETE FROM deferral WHERE subscriber_id = 2;"
			    "INSERT INTO delivery (campaign_id, subscriber_id, outcome, attempts, at)"
			    " VALUES (1, 2, 'accepted', 1, now())");
		append(db, parked, AUDIENCE);
		ck_assert_int_eq(number(db, "SELECT count(*) FROM deferral WHERE opened_by = '" TWO "'"), 1);
		ck_assert_int_eq(number(db, "SELECT count(*) FROM deferral"), AUDIENCE - 1);
		db_close(db);
	}
END_TEST

START_TEST(the_held_have_no_time_and_keep_the_campaign_open)
	{
		struct db *db = begin();
		AUTO_OPENINGS *rows = NULL;
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct opened opened[AUDIENCE];
		run_sql(
		    db,
		    "INSERT INTO campaign_group_hold (campaign_id, group_name, reason) VALUES (1, 'gmail', 'because')");
		park_all(db, "hold:gmail", PAST);
		ck_assert_int_eq(number(db, "SELECT count(*) FROM deferral WHERE next_attempt_at IS NULL"
					    " AND waits_for = 'hold:gmail'"),
				 AUDIENCE);
		ck_assert_uint_eq(open_by(db, openings_take_due, &rows, opened), 0);
		ck_assert(runs_finish_complete(db, NULL, NULL, &why) == ERR_OK);
		ck_assert_int_eq(number(db, "SELECT count(*) FROM campaign WHERE state = 'running'"), 1);
		db_close(db);
	}
END_TEST

/* A worker that has not heard yet that the hold was lifted parks nobody for ever. */
START_TEST(a_lifted_hold_holds_nobody)
	{
		struct db *db = begin();
		park_all(db, "hold:gmail", 0);
		ck_assert_int_eq(number(db, "SELECT count(*) FROM deferral WHERE next_attempt_at <= now()"), AUDIENCE);
		db_close(db);
	}
END_TEST

START_TEST(canceling_ends_the_parked)
	{
		struct db *db = begin();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct runs_settled settled = { .more = true };
		run_sql(
		    db,
		    "INSERT INTO campaign_group_hold (campaign_id, group_name, reason) VALUES (1, 'gmail', 'because')");
		park_all(db, "hold:gmail", 0);
		run_sql(db, "UPDATE campaign SET state = 'canceled', ended_at = now()");
		ck_assert(runs_settle_canceled(db, 2, &settled, &why) == ERR_OK);
		ck_assert(settled.recipients == 0 && !settled.more);
		for (settled.more = true; settled.more;)
			ck_assert(runs_settle_canceled(db, 1, &settled, &why) == ERR_OK);
		ck_assert_int_eq(settled.recipients, AUDIENCE);
		ck_assert_int_eq(number(db, "SELECT count(*) FROM delivery WHERE outcome = 'skipped' AND attempts = 0"),
				 AUDIENCE);
		ck_assert_int_eq(number(db, everywhere), AUDIENCE);
		db_close(db);
	}
END_TEST

START_TEST(a_lost_worker_leaves_the_parked_in_its_hands_in_doubt)
	{
		struct db *db = begin();
		AUTO_OPENINGS *rows = NULL;
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct opened opened[AUDIENCE];
		int64_t doubtful = 0;
		park_all(db, "group:gmail", PAST);
		ck_assert_uint_eq(open_by(db, openings_take_due, &rows, opened), AUDIENCE);
		const struct ledger_row back[] = { row_of(&opened[0], LEDGER_PARKED, "group:gmail", FAR) };
		append(db, back, 1);
		enum err err = workers_forget(db, ONE, 1, &doubtful, &why);
		ck_assert_msg(err == ERR_OK, "%s", buf_text(&why));
		ck_assert_int_eq(doubtful, AUDIENCE - 1);
		ck_assert_int_eq(number(db, "SELECT count(*) FROM deferral WHERE state = 'in_doubt' AND attempts = 1"
					    " AND first_attempt_at IS NOT NULL"),
				 AUDIENCE - 1);
		ck_assert_int_eq(number(db, "SELECT count(*) FROM deferral WHERE state = 'deferred' AND attempts = 0"),
				 1);
		db_close(db);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		the_parked_are_tried_like_new_ones,
		parking_keeps_doubt_and_attempts,
		holding_keeps_the_doubt,
		parking_again_touches_nobody_else,
		the_held_have_no_time_and_keep_the_campaign_open,
		a_lifted_hold_holds_nobody,
		canceling_ends_the_parked,
		a_lost_worker_leaves_the_parked_in_its_hands_in_doubt,
	};
	return suite_of("parking", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
