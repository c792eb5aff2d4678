#include "store/probe_letters.h"

#include "base/clock.h"
#include "base/limits.h"
#include "store/policies.h"
#include "store/probe_reports.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

/* Two lists, of which the first sends probes, one a day; ann (1) and bob (2) have failed twice with a full mailbox, through it. */
static const char past[] =
    "INSERT INTO list (name, title, list_id, from_address) VALUES ('a', 'A', 'a.test', 'a@b.test'), ('b', 'B', "
    "'b.test', "
    "'a@b.test');"
    "INSERT INTO subscriber (address, address_key) SELECT a, a FROM unnest(ARRAY['ann@x.test', 'bob@x.test']) AS a;"
    "INSERT INTO membership (list_id, subscriber_id) SELECT l.id, s.id FROM list l, subscriber s;"
    "INSERT INTO list_probe VALUES (1, 10, 1);"
    "INSERT INTO list_policy VALUES (1, 'mailbox-full', 2, 0), (2, 'mailbox-full', 3, 0);"
    "INSERT INTO campaign (name, list_id, subject, from_address, text_body, state, audience, started_at, ended_at)"
    " SELECT 'c' || n, 1, 's', 'a@b.test', 't', 'finished', 2, now() - interval '30 days', now() FROM "
    "generate_series(1, 2) n;"
    "INSERT INTO delivery (campaign_id, subscriber_id, outcome, attempts, at, code)"
    " SELECT c.id, s.id, 'accepted', 1, now() - (30 - c.id) * interval '1 day', 250 FROM campaign c, subscriber s;"
    "INSERT INTO bounce_event (campaign_id, id, subscriber_id, report_hash, source, received_at, kind, reason, "
    "diagnostic, judged_at)"
    " SELECT campaign_id, nextval('bounce_event_id'), subscriber_id, sha256('x'), 'report', at, 'bounce-soft', "
    "'mailbox-full', 'full', "
    "now() FROM delivery";

static struct buf why;

static void run(struct db *db, const char *sql)
{
	ck_assert_msg(db_run_script(db, view_of(sql), &why) == ERR_OK, "%s: %s", sql, buf_text(&why));
}

static struct db *begin(void)
{
	struct db *db = database_open();
	why = buf_with_ceiling(LIMIT_WHY);
	run(db, past);
	return db;
}

static struct verdict_terms terms(void)
{
	return (struct verdict_terms){ .now_us = clock_wall_us(),
				       .window_us = 7 * CLOCK_US_PER_DAY,
				       .life_us = 30 * CLOCK_US_PER_DAY };
}

static void judge(struct db *db)
{
	const struct verdict_terms now = terms();
	size_t disabled = 9;
	ck_assert_int_eq(db_begin(db, &why), ERR_OK);
	ck_assert_msg(verdicts_judge(db, (int64_t[]){ 1, 2 }, 2, &now, &disabled, &why) == ERR_OK, "%s",
		      buf_text(&why));
	ck_assert_int_eq(db_commit(db, &why), ERR_OK);
}

/* Of ann's or bob's newest letter; and how many there are. */
static void expect(struct db *db, int64_t person, const char *state, size_t count)
{
	AUTO_DB_ROWS *rows = NULL;
	const struct probe_scope scope = { .subscriber_id = person, .limit = 10 };
	ck_assert_int_eq(probe_letters_list(db, &scope, &rows, &why), ERR_OK);
	ck_assert_uint_eq(db_row_count(rows), count);
	struct probe_told told;
	probe_letters_told(rows, 0, &told);
	ck_assert_msg(view_eq(told.state, view_of(state)), "%s, not " VIEW_FMT, state, VIEW_ARG(told.state));
}

static int64_t take(struct db *db, size_t expected)
{
	AUTO_DB_ROWS *rows = NULL;
	struct probe_letter letter = { 0 };
	ck_assert_msg(probe_letters_take(db, VIEW_LIT("host"), 8, &rows, &why) == ERR_OK, "%s", buf_text(&why));
	ck_assert_uint_eq(db_row_count(rows), expected);
	if (expected > 0)
		probe_letters_get(rows, 0, &letter);
	return letter.id;
}

static void store(struct db *db, const struct probe_report *report, size_t stored, size_t disabled)
{
	const struct verdict_terms now = terms();
	struct probe_tally tally;
	ck_assert_int_eq(db_begin(db, &why), ERR_OK);
	ck_assert_msg(probe_reports_store(db, report, 1, &now, &tally, &why) == ERR_OK, "%s", buf_text(&why));
	ck_assert_int_eq(db_commit(db, &why), ERR_OK);
	ck_assert_uint_eq(tally.stored, stored);
	ck_assert_uint_eq(tally.disabled, disabled);
}

static struct probe_report report_of(int64_t id, enum bounce_kind kind, enum bounce_reason reason)
{
	return (struct probe_report){ .probe_id = id,
				      .received_us = clock_wall_us(),
				      .kind = kind,
				      .reason = reason,
				      .diagnostic = VIEW_LIT("said"),
				      .message = VIEW_LIT("raw") };
}

START_TEST(asked_once_and_taken_within_the_budget)
	{
		struct db *db = begin();
		judge(db);
		judge(db);
		expect(db, 1, "due", 1);
		expect(db, 2, "due", 1);
		int64_t first = take(db, 1);
		take(db, 0);
		expect(db, 1, "sending", 1);
		expect(db, 2, "due", 1);
		ck_assert_int_eq(probe_letters_give_back(db, first, &why), ERR_OK);
		ck_assert_int_eq(take(db, 1), first);
		run(db, "UPDATE probe_letter SET taken_at = taken_at - interval '25 hours' WHERE taken_at IS NOT NULL");
		ck_assert_int_ne(take(db, 1), first);
		expect(db, 1, "doubtful", 1);
		run(db, "UPDATE probe_letter SET held_until = now() WHERE subscriber_id = 1");
		expect(db, 1, "void", 1);
		buf_done(&why);
		db_close(db);
	}
END_TEST

START_TEST(put_off_and_answered)
	{
		struct db *db = begin();
		const struct probe_reply later = { .step = VIEW_LIT("rcpt"), .code = 450, .text = VIEW_LIT("later") };
		judge(db);
		int64_t id = take(db, 1);
		ck_assert_int_eq(probe_letters_put_off(db, id, &later, &why), ERR_OK);
		expect(db, 1, "due", 1);
		run(db, "UPDATE probe_letter SET void_reason = 'off' WHERE subscriber_id = 2");
		take(db, 0);
		run(db, "UPDATE probe_letter SET try_at = now()");
		ck_assert_int_eq(take(db, 1), id);
		ck_assert_int_eq(probe_letters_answer(db, id, PROBE_ACCEPTED, &later, &why), ERR_OK);
		ck_assert_int_eq(probe_letters_put_off(db, id, &later, &why), ERR_OK); /* too late */
		expect(db, 1, "sent", 1);
		run(db, "UPDATE probe_letter SET held_until = now() WHERE subscriber_id = 1");
		expect(db, 1, "silent", 1);
		buf_done(&why);
		db_close(db);
	}
END_TEST

START_TEST(reports_decide_or_not)
	{
		struct db *db = begin();
		judge(db);
		int64_t id = take(db, 1);
		struct probe_report report = report_of(id, KIND_DELAY, REASON_NETWORK);
		store(db, &report, 0, 0);
		report = report_of(id + 1000, KIND_HARD, REASON_USER_UNKNOWN);
		store(db, &report, 0, 0);
		report = report_of(id, KIND_SOFT, REASON_SPAM_CONTENT);
		store(db, &report, 1, 0);
		expect(db, 1, "void", 1);
		/* The list that sends probes; the other asks for a third failure. */
		report = report_of(id, KIND_SOFT, REASON_MAILBOX_FULL);
		store(db, &report, 1, 1);
		store(db, &report, 0, 0);
		expect(db, 1, "bounced", 1);
		size_t removed = 0;
		ck_assert_int_eq(
		    probe_reports_purge_messages(db, clock_wall_us() + CLOCK_US_PER_DAY, 9, &removed, &why), ERR_OK);
		ck_assert_uint_eq(removed, 1);
		buf_done(&why);
		db_close(db);
	}
END_TEST

START_TEST(what_is_off_or_void_asks_again_later)
	{
		struct db *db = begin();
		bool changed = false;
		judge(db);
		ck_assert_int_eq(policies_set_probes(db, 1, 0, 0, &changed, &why), ERR_OK);
		ck_assert(changed);
		expect(db, 1, "void", 1);
		take(db, 0);
		ck_assert_int_eq(policies_set_probes(db, 1, 5, 9, &changed, &why), ERR_OK);
		judge(db);
		expect(db, 1, "void", 1);
		run(db, "UPDATE probe_letter SET asked_at = asked_at - interval '2 days'");
		judge(db);
		expect(db, 1, "due", 2);
		buf_done(&why);
		db_close(db);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { asked_once_and_taken_within_the_budget, put_off_and_answered,
				       reports_decide_or_not, what_is_off_or_void_asks_again_later };
	return suite_of("probe_letters", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
