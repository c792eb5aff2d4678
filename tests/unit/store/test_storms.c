/* What is a storm and what is none, what follows for memberships, and how each decision is taken and taken back. */
#include "store/storms.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "store/bounces.h"
#include "store/prunes.h"
#include "store/storm_watch.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

enum { PEOPLE = 100, BEFORE = 1, NOW = 2, LEAST = 20, SHARE = 50 };

/* Everybody of one group has accepted yesterday's campaign, and today's was taken from everybody by the relay. */
static const char past[] =
    "INSERT INTO list (name, title, list_id, from_address) VALUES ('a', 'A', 'a.test', 'a@b.test');"
    "INSERT INTO subscriber (address, address_key) SELECT a, a FROM (SELECT 'reader' || g || '@gmail.com' AS a"
    " FROM generate_series(1, 100) AS g) AS x;"
    "INSERT INTO membership (list_id, subscriber_id, state, reason, since)"
    " SELECT 1, id, 'active', 'import', now() - interval '1 year' FROM subscriber;"
    "INSERT INTO campaign (name, list_id, subject, from_address, text_body, state, audience, started_at, ended_at)"
    " SELECT n, 1, 's', 'a@b.test', 't', 'finished', 100, at, at + interval '1 minute' FROM (VALUES"
    " ('before', now() - interval '1 day'), ('now', now() - interval '10 minutes')) AS x(n, at);"
    "INSERT INTO delivery (campaign_id, subscriber_id, outcome, at)"
    " SELECT c.id, s.id, 'accepted', c.started_at FROM campaign c, subscriber s;"
    "INSERT INTO campaign_tally (campaign_id, group_name, minute, source, accepted)"
    " SELECT id, 'gmail', date_trunc('minute', started_at), 'test', 100 FROM campaign";

static const char numbers[] = "CREATE FUNCTION test_number(query text) RETURNS bigint LANGUAGE plpgsql AS"
			      " $$ DECLARE n bigint; BEGIN EXECUTE query INTO n; RETURN n; END $$";

static void script(struct db *db, const char *sql)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(db_run_script(db, view_of(sql), &why) == ERR_OK, "%s", buf_text(&why));
}

static int64_t number(struct db *db, const char *sql)
{
	static const struct db_statement statement = { "test_number", "SELECT test_number($1)" };
	AUTO_DB_ROWS *rows = NULL;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	const struct db_value value = db_text(view_of(sql));
	ck_assert_msg(db_run(db, &statement, &value, 1, &rows, &why) == ERR_OK, "%s", buf_text(&why));
	return db_get_int(rows, 0, 0);
}

static int64_t disabled(struct db *db)
{
	return number(db, "SELECT count(*) FROM membership WHERE state = 'disabled'");
}

static int64_t storms(struct db *db)
{
	return number(db, "SELECT count(*) FROM storm");
}

static struct db *begin(void)
{
	struct db *db = database_open();
	script(db, numbers);
	script(db, past);
	return db;
}

static struct verdict_terms terms_now(void)
{
	return (struct verdict_terms){ .now_us = clock_wall_us(),
				       .window_us = 7 * CLOCK_US_PER_DAY,
				       .life_us = 30 * CLOCK_US_PER_DAY,
				       .storms = { CLOCK_US_PER_DAY / 4, LEAST, SHARE } };
}

/* What a report says; the id that it ends in is each one's own. */
struct words {
	enum bounce_reason reason;
	const char *said;
};

static const struct words unknown = { REASON_USER_UNKNOWN, "550 5.1.1 the account does not exist" };
static const struct words full = { REASON_MAILBOX_FULL, "552 5.2.2 mailbox full" };
static const struct words other = { REASON_USER_UNKNOWN, "550 5.1.1 nobody of that name" };

/* Reports about the copies of people first to last, stored at once. */
static size_t come(struct db *db, uint64_t first, uint64_t last, const struct words *words)
{
	static struct bounce_event events[PEOPLE];
	static char texts[PEOPLE][100];
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	const struct verdict_terms terms = terms_now();
	struct bounces_tally tally;
	size_t count = 0;
	for (uint64_t id = first; id <= last; id++, count++) {
		int length =
		    snprintf(texts[count], sizeof(texts[count]), "%s x%llu", words->said, (unsigned long long)id);
		events[count] = (struct bounce_event){
			.campaign_id = NOW,
			.subscriber_id = id,
			.source = BOUNCE_FROM_REPORT,
			.received_us = terms.now_us,
			.finding = { .kind = words->reason == REASON_MAILBOX_FULL ? KIND_SOFT : KIND_HARD,
				     .reason = words->reason },
			.diagnostic = view_from(texts[count], (size_t)length)
		};
		memcpy(events[count].report_hash, &id, sizeof(id));
	}
	ck_assert_int_eq(db_begin(db, &why), ERR_OK);
	ck_assert_msg(bounces_append(db, events, count, &terms, &tally, &why) == ERR_OK, "%s", buf_text(&why));
	ck_assert_int_eq(db_commit(db, &why), ERR_OK);
	ck_assert_uint_eq(tally.stored, count);
	return tally.disabled;
}

static void count_told(void *user, const struct storm_told *storm)
{
	ck_assert_int_gt(storm->id, 0);
	(*(size_t *)user)++;
}

/* As a daemon does; returns how many storms it told of. */
static size_t look(struct db *db)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	const struct verdict_terms terms = terms_now();
	size_t told = 0;
	ck_assert_msg(storm_watch_look(db, &terms, VIEW_LIT("test"), count_told, &told, &why) == ERR_OK, "%s",
		      buf_text(&why));
	return told;
}

/* ---- what is a storm ---- */

static const struct sight {
	const char *label, *otherwise; /* the past is changed so */
	uint64_t people;
	const struct words *words;
	bool is_storm;
} sights[] = {
	{ "many who had accepted", "SELECT", 60, &unknown, true },
	{ "just enough", "SELECT", LEAST, &unknown, true },
	{ "too few", "SELECT", LEAST - 1, &unknown, false },
	{ "soft bounces", "SELECT", 60, &full, false },
	{ "nobody had a copy before", "DELETE FROM delivery WHERE campaign_id = 1", 60, &unknown, false },
	{ "the copies before had come back",
	  "INSERT INTO bounce_event (campaign_id, id, subscriber_id, report_hash, source, received_at, kind, reason, "
	  "judged_at)"
	  " SELECT 1, nextval('bounce_event_id'), id, sha256(id::text::bytea), 'report', now() - interval '20 hours',"
	  " 'bounce-soft', 'mailbox-full', now() FROM subscriber",
	  60, &unknown, false },
	{ "most of them had none before", "DELETE FROM delivery WHERE campaign_id = 1 AND subscriber_id > 19", 60,
	  &unknown, false },
	{ "a small share of what was sent there", "UPDATE campaign_tally SET accepted = 100000", 60, &unknown, false },
	{ "a domain that is in no group, of which the ledger tells the share",
	  "UPDATE subscriber SET address = replace(address, 'gmail.com', 'x.test'),"
	  " address_key = replace(address_key, 'gmail.com', 'x.test');"
	  "UPDATE campaign_tally SET group_name = ''",
	  60, &unknown, true },
	{ "what is sent is not tallied yet", "DELETE FROM campaign_tally", 60, &unknown, false },
};

static void check_row(struct db *db, const struct sight *row)
{
	script(db, "TRUNCATE list, subscriber, membership, campaign, delivery, bounce_event, campaign_tally, storm,"
		   " storm_count, storm_look RESTART IDENTITY CASCADE");
	script(db, past);
	script(db, row->otherwise);
	bool counts = !row->is_storm && row->words->reason == REASON_USER_UNKNOWN;
	size_t out = come(db, 1, row->people, row->words);
	ck_row(row->label, storms(db) == row->is_storm);
	ck_row(row->label, out == (counts ? row->people : 0));
	ck_row(row->label, look(db) == row->is_storm);
	ck_row(row->label, storms(db) == row->is_storm);
}

START_TEST(a_storm_is_told_from_dead_addresses)
	{
		struct db *db = begin();
		for (size_t i = 0; i < ARRAY_LEN(sights); i++)
			check_row(db, &sights[i]);
		db_close(db);
	}
END_TEST

START_TEST(each_text_is_its_own)
	{
		struct db *db = begin();
		ck_assert_uint_eq(come(db, 1, 60, &unknown), 0);
		ck_assert_uint_eq(come(db, 61, 70, &other), 10);
		ck_assert_uint_eq(come(db, 71, 80, &unknown), 0);
		ck_assert_int_eq(storms(db), 1);
		db_close(db);
	}
END_TEST

/* ---- what is not seen at once ---- */

START_TEST(whom_it_had_put_out_is_restored)
	{
		struct db *db = begin();
		ck_assert_uint_eq(come(db, 1, 15, &unknown), 15);
		script(db, "UPDATE membership SET state = 'unsubscribed', reason = 'link', since = now() WHERE "
			   "subscriber_id = 1");
		ck_assert_uint_eq(come(db, 16, 60, &unknown), 0);
		ck_assert_int_eq(disabled(db), 14);
		ck_assert_uint_eq(look(db), 1);
		ck_assert_int_eq(disabled(db), 0);
		ck_assert_int_eq(number(db, "SELECT count(*) FROM membership WHERE reason = 'storm'"), 14);
		ck_assert_int_eq(number(db, "SELECT count(*) FROM membership WHERE state = 'unsubscribed'"), 1);
		ck_assert_int_eq(number(db, "SELECT count(*) FROM prune_batch b JOIN storm s ON s.batch_id = b.id"), 1);
		ck_assert_int_eq(number(db, "SELECT count(*) FROM audit WHERE action = 'storm.restore'"), 1);
		ck_assert_uint_eq(look(db), 0);
		db_close(db);
	}
END_TEST

/* The reports and their verdicts must not be lost by it; who looks again finds the storm. */
START_TEST(a_failure_loses_no_report)
	{
		struct db *db = begin();
		script(db, "ALTER TABLE storm RENAME COLUMN sampled TO away");
		ck_assert_uint_eq(come(db, 1, 60, &unknown), 60);
		script(db, "ALTER TABLE storm RENAME COLUMN away TO sampled");
		ck_assert_int_eq(storms(db), 0);
		ck_assert_uint_eq(look(db), 1);
		ck_assert_int_eq(disabled(db), 0);
		db_close(db);
	}
END_TEST

START_TEST(what_could_not_be_told_is_looked_at_again)
	{
		struct db *db = begin();
		script(db, "CREATE TABLE later AS SELECT * FROM campaign_tally; DELETE FROM campaign_tally");
		ck_assert_uint_eq(come(db, 1, 60, &unknown), 60);
		ck_assert_uint_eq(look(db), 0);
		script(db, "INSERT INTO campaign_tally SELECT * FROM later");
		ck_assert_uint_eq(look(db), 1);
		ck_assert_int_eq(disabled(db), 0);
		db_close(db);
	}
END_TEST

/* ---- deciding ---- */

static struct storm_done decide(struct db *db, enum storm_verdict verdict)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	const struct verdict_terms terms = terms_now();
	const struct storm_work work = { .terms = &terms, .actor = VIEW_LIT("test") };
	struct storm_done done;
	ck_assert_msg(storms_decide(db, 1, verdict, VIEW_LIT("why"), &work, &why) == ERR_OK, "%s", buf_text(&why));
	enum err err = verdict == STORM_VOID ? storm_members_restore(db, 1, &work, &done, &why)
					     : storm_members_apply(db, 1, &work, &done, &why);
	ck_assert_msg(err == ERR_OK, "%s", buf_text(&why));
	if (verdict == STORM_APPLIED)
		ck_assert_int_eq(storms_applied(db, 1, &why), ERR_OK);
	return done;
}

static enum err undo(struct db *db, uint64_t batch)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	size_t restored = 0;
	ck_assert_int_eq(db_begin(db, &why), ERR_OK);
	enum err err = prunes_undo(db, batch, VIEW_LIT("test"), &restored, &rows, &why);
	if (err == ERR_OK)
		ck_assert_int_eq(db_commit(db, &why), ERR_OK);
	else
		db_rollback(db);
	return err;
}

static bool is(struct db *db, const char *state)
{
	AUTO_DB_ROWS *rows = NULL;
	struct storm storm;
	ck_assert_int_eq(storms_find(db, 1, &storm, &rows, NULL), ERR_OK);
	return view_eq(storm.state, view_of(state));
}

START_TEST(void_reports_count_for_nothing)
	{
		struct db *db = begin();
		come(db, 1, 60, &unknown);
		ck_assert_uint_eq(decide(db, STORM_VOID).memberships, 0);
		ck_assert(is(db, "void"));
		ck_assert_uint_eq(come(db, 61, 90, &unknown), 0);
		ck_assert_uint_eq(look(db), 1);
		ck_assert_int_eq(storms(db), 1);
		ck_assert_int_eq(disabled(db), 0);
		ck_assert_int_eq(number(db, "SELECT count(*) FROM audit WHERE action = 'storm.void'"), 1);
		db_close(db);
	}
END_TEST

START_TEST(applied_reports_count)
	{
		struct db *db = begin();
		come(db, 1, 60, &unknown);
		struct storm_done done = decide(db, STORM_APPLIED);
		ck_assert_uint_eq(done.memberships, 60);
		ck_assert_int_eq(disabled(db), 60);
		ck_assert_uint_eq(come(db, 61, 90, &unknown), 30);
		look(db);
		ck_assert_int_eq(disabled(db), 90);
		ck_assert_int_eq(storms(db), 1);
		db_close(db);
	}
END_TEST

START_TEST(undo_of_applying_opens_it_again)
	{
		struct db *db = begin();
		come(db, 1, 15, &unknown);
		come(db, 16, 60, &unknown);
		look(db);
		struct storm_done done = decide(db, STORM_APPLIED);
		ck_assert_uint_eq(done.memberships, 60);
		ck_assert_int_eq(undo(db, done.batch), ERR_OK);
		ck_assert(is(db, "holding"));
		ck_assert_int_eq(disabled(db), 0);
		look(db);
		ck_assert_int_eq(disabled(db), 0);
		/* and again, now with a batch of its own */
		struct storm_done again = decide(db, STORM_APPLIED);
		ck_assert_uint_ne(again.batch, done.batch);
		ck_assert_int_eq(disabled(db), 60);
		ck_assert_uint_eq(decide(db, STORM_VOID).memberships, 60);
		ck_assert_int_eq(disabled(db), 0);
		db_close(db);
	}
END_TEST

START_TEST(undo_of_what_was_restored_is_refused)
	{
		struct db *db = begin();
		come(db, 1, 15, &unknown);
		come(db, 16, 60, &unknown);
		look(db);
		uint64_t batch = (uint64_t)number(db, "SELECT batch_id FROM storm");
		ck_assert_int_eq(undo(db, batch), ERR_REFUSED);
		decide(db, STORM_VOID);
		ck_assert_int_eq(undo(db, batch), ERR_REFUSED);
		ck_assert_int_eq(disabled(db), 0);
		db_close(db);
	}
END_TEST

START_TEST(trying_changes_nothing)
	{
		struct db *db = begin();
		come(db, 1, 60, &unknown);
		const struct verdict_terms terms = terms_now();
		const struct storm_work work = { .terms = &terms, .actor = VIEW_LIT("test"), .dry = "applied" };
		struct storm_done done;
		ck_assert_int_eq(storm_members_apply(db, 1, &work, &done, NULL), ERR_OK);
		ck_assert_uint_eq(done.memberships, 60);
		ck_assert_uint_eq(done.batch, 0);
		ck_assert(is(db, "holding"));
		ck_assert_int_eq(disabled(db), 0);
		db_close(db);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		a_storm_is_told_from_dead_addresses,
		each_text_is_its_own,
		whom_it_had_put_out_is_restored,
		a_failure_loses_no_report,
		what_could_not_be_told_is_looked_at_again,
		void_reports_count_for_nothing,
		applied_reports_count,
		undo_of_applying_opens_it_again,
		undo_of_what_was_restored_is_refused,
		trying_changes_nothing,
	};
	return suite_of("storms", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
