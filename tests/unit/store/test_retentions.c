/* Whatever of the past is dropped, in whatever order, nobody is judged otherwise afterwards: one by one and by the reading of all. */
#include "store/retentions.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "store/suspects.h"
#include "tests/support/database.h"
#include "tests/support/random_past.h"
#include "tests/support/unit.h"

enum { PEOPLE = RANDOM_PAST_PEOPLE, LISTS = RANDOM_PAST_LISTS, WINDOW_DAYS = 7, LIFE_DAYS = 30 };

struct judged {
	struct verdict verdicts[PEOPLE + 1][LISTS + 1];
	size_t condemned;
};

static void script(struct db *db, const char *sql)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(db_run_script(db, view_of(sql), &why) == ERR_OK, "%s", buf_text(&why));
}

enum count { PAST, LEFT, KEPT, ROWS, TABLES, COUNTS };

static const struct db_statement counts[COUNTS] = {
	[PAST] = { "test_past", "SELECT count(*) FROM campaign_past" },
	[LEFT] = { "test_left", "SELECT count(*) FROM delivery JOIN campaign_past USING (campaign_id)" },
	[KEPT] = { "test_kept", "SELECT count(*) FROM past_report" },
	[ROWS] = { "test_rows", "SELECT count(*) FROM delivery" },
	[TABLES] = { "test_tables", "SELECT count(*) FROM (VALUES ('delivery_1'), ('bounce_event_1')) AS v(t)"
				    " WHERE to_regclass(t) IS NOT NULL" },
};

static int64_t number(struct db *db, enum count what)
{
	AUTO_DB_ROWS *found = NULL;
	ck_assert_int_eq(db_run(db, &counts[what], NULL, 0, &found, NULL), ERR_OK);
	return db_get_int(found, 0, 0);
}

static struct verdict_terms terms_at(int64_t now_us, int64_t since_us)
{
	return (struct verdict_terms){ .now_us = now_us,
				       .window_us = WINDOW_DAYS * CLOCK_US_PER_DAY,
				       .life_us = LIFE_DAYS * CLOCK_US_PER_DAY,
				       .since_us = since_us };
}

static void remember(void *user, const struct verdict_history *history)
{
	struct judged *judged = user;
	for (size_t i = 0; i < history->list_count; i++) {
		const struct list_verdict *list = &history->lists[i];
		judged->verdicts[history->subscriber_id][list->list_id] = list->verdict;
		judged->condemned += list->verdict.disable;
	}
}

/* Of the reading of all only who is condemned: it lets others pass. */
static void remember_condemned(void *user, const struct verdict_history *history)
{
	struct judged *judged = user;
	for (size_t i = 0; i < history->list_count; i++) {
		const struct list_verdict *list = &history->lists[i];
		if (!list->verdict.disable)
			continue;
		judged->verdicts[history->subscriber_id][list->list_id] = list->verdict;
		judged->condemned++;
	}
}

static struct judged one_by_one(struct db *db, const struct verdict_terms *terms)
{
	int64_t ids[PEOPLE];
	static struct judged judged;
	memset(&judged, 0, sizeof(judged));
	for (size_t i = 0; i < PEOPLE; i++)
		ids[i] = (int64_t)i + 1;
	ck_assert_int_eq(verdicts_read(db, ids, PEOPLE, terms, remember, &judged, NULL), ERR_OK);
	return judged;
}

static void step(void *user, uint64_t done, uint64_t total)
{
	(void)user;
	ck_assert_uint_le(done, total);
}

static struct judged all_at_once(struct db *db, const struct verdict_terms *terms)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	static struct judged judged;
	const struct suspects_scope scope = { .with_gone = true, .progress = step };
	memset(&judged, 0, sizeof(judged));
	ck_assert_int_eq(db_begin(db, NULL), ERR_OK);
	ck_assert_msg(suspects_read(db, &scope, terms, remember_condemned, &judged, &why) == ERR_OK, "%s",
		      buf_text(&why));
	db_rollback(db);
	return judged;
}

static bool is_same(const struct verdict *one, const struct verdict *other)
{
	return one->disable == other->disable && one->reason == other->reason && one->failures == other->failures &&
	       one->needed == other->needed && one->days == other->days && one->first_us == other->first_us &&
	       one->last_us == other->last_us && one->campaign_id == other->campaign_id;
}

static void compare(const char *label, int64_t left, const struct judged *before, const struct judged *after)
{
	for (size_t n = 0; n < (size_t)PEOPLE * LISTS; n++) {
		size_t person = 1 + n / LISTS, list = 1 + n % LISTS;
		const struct verdict *one = &before->verdicts[person][list], *other = &after->verdicts[person][list];
		ck_assert_msg(is_same(one, other),
			      "%s, %lld campaigns left: person %zu, list %zu: %d %s %u of %u, before %d %s %u of %u",
			      label, (long long)left, person, list, other->disable, reason_name(other->reason),
			      other->failures, other->needed, one->disable, reason_name(one->reason), one->failures,
			      one->needed);
	}
	ck_assert_uint_eq(before->condemned, after->condemned);
}

static void drop(struct db *db, const struct retention_step *step, int64_t before_us)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct freed freed[RETENTION_KINDS];
	ck_assert_msg(retentions_drop(db, step, before_us, freed, &why) == ERR_OK, "%s", buf_text(&why));
	ck_assert_int_gt(freed[RETENTION_LEDGER].rows, 0);
}

static const char wipe[] =
    "TRUNCATE list, subscriber, membership, campaign, delivery, bounce_event, past_report, past_success,"
    " campaign_past, list_policy RESTART IDENTITY CASCADE;";

/* What one run may be about. since_days: what policy simulate is asked. */
static const struct row {
	const char *label, *change;
	int64_t since_days;
} rows[] = {
	{ "as it is", "SELECT", 0 },
	{ "since a day", "SELECT", 150 },
	{ "a policy of its own",
	  "INSERT INTO list_policy VALUES (2, 'mailbox-full', 2, 0), (2, 'user-unknown', 0, 0), (2, 'network', 1, 0),"
	  " (2, 'policy', 2, 90)",
	  0 },
};

/* Half of the campaigns in any order, then the others: oldest first, as they come due. */
static void drop_all(struct db *db, const struct row *row, int seed)
{
	struct verdict_terms terms = terms_at(clock_wall_us(), 0);
	if (row->since_days > 0)
		terms.since_us = terms.now_us - row->since_days * CLOCK_US_PER_DAY;
	struct judged before = one_by_one(db, &terms), before_all = all_at_once(db, &terms);
	int64_t cut_us = terms.now_us - 15 * CLOCK_US_PER_DAY;
	ck_assert_uint_gt(before.condemned, PEOPLE / 50);
	for (int64_t dropped = 0;; dropped++) {
		AUTO_DB_ROWS *due = NULL;
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct retention_step step;
		ck_assert_msg(retentions_due(db, cut_us, &due, &why) == ERR_OK, "%s", buf_text(&why));
		size_t left = db_row_count(due);
		if (left == 0)
			break;
		size_t at = dropped < RANDOM_PAST_CAMPAIGNS / 2 ? (size_t)(dropped * 7 + seed) % left : 0;
		retention_step_at(due, at, &step);
		ck_assert(!step.is_block);
		drop(db, &step, cut_us);
		if (left % 13 != 0 && left > 1)
			continue;
		struct judged after = one_by_one(db, &terms), after_all = all_at_once(db, &terms);
		compare(row->label, (int64_t)left - 1, &before, &after);
		compare(row->label, (int64_t)left - 1, &before_all, &after_all);
	}
	ck_assert_int_gt(number(db, PAST), 30);
	ck_assert_int_eq(number(db, LEFT), 0);
	ck_assert_int_lt(number(db, KEPT), 2000);
}

START_TEST(nobody_is_judged_otherwise)
	{
		struct db *db = database_open();
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF seed = buf_with_ceiling(LIMIT_WHY);
			buf_addf(&seed, "SELECT setseed(0.%zu)", 1 + i);
			script(db, wipe);
			script(db, buf_text(&seed));
			script(db, random_past);
			script(db, "UPDATE bounce_event SET judged_at = now()");
			script(db, rows[i].change);
			drop_all(db, &rows[i], (int)i);
		}
		db_close(db);
	}
END_TEST

/* ---- what is not dropped ---- */

static const struct kept_row {
	const char *label, *change;
} kept_rows[] = {
	{ "somebody waits for another attempt",
	  "INSERT INTO deferral (campaign_id, subscriber_id, state, attempts, first_attempt_at, last_attempt_at,"
	  " next_attempt_at, key_id, day, date_at) VALUES (1, 1, 'deferred', 1, now(), now(), now(), 0, 1, now())" },
	{ "a report is not judged", "INSERT INTO bounce_event (campaign_id, id, subscriber_id, report_hash, source, "
				    "kind, reason) VALUES (1, 900000,"
				    " 1, sha256('x'), 'report', 'bounce-hard', 'user-unknown')" },
	{ "somebody is pending",
	  "INSERT INTO campaign_chunk (campaign_id, chunk_no, subscriber_ids) VALUES (1, 0, '{1}')" },
	{ "it runs", "UPDATE campaign SET state = 'running', ended_at = NULL WHERE id = 1" },
	{ "it ended lately", "UPDATE campaign SET ended_at = now() WHERE id = 1" },
	{ "a segment asks about it", "INSERT INTO segment (name, silent_days) VALUES ('silent', 1000)" },
};

START_TEST(what_may_still_change_is_kept)
	{
		struct db *db = database_open();
		for (size_t i = 0; i < ARRAY_LEN(kept_rows); i++) {
			AUTO_DB_ROWS *due = NULL;
			struct retention_step step;
			struct freed freed[RETENTION_KINDS];
			int64_t cut_us = clock_wall_us() - 300 * CLOCK_US_PER_DAY;
			script(db, wipe);
			script(db, "TRUNCATE segment, deferral, campaign_chunk CASCADE; SELECT setseed(0.1)");
			script(db, random_past);
			script(db, "UPDATE bounce_event SET judged_at = now()");
			ck_assert_int_eq(retentions_due(db, cut_us, &due, NULL), ERR_OK);
			retention_step_at(due, 0, &step);
			ck_row(kept_rows[i].label, view_eq(step.names, VIEW_LIT("c1")));
			script(db, kept_rows[i].change);
			int64_t rows_before = number(db, ROWS);
			/* It was due when it was looked at, and is asked again before it goes. */
			ck_row(kept_rows[i].label, retentions_drop(db, &step, cut_us, freed, NULL) == ERR_EXISTS);
			db_rows_done(due);
			due = NULL;
			ck_assert_int_eq(retentions_due(db, cut_us, &due, NULL), ERR_OK);
			for (size_t n = 0; n < db_row_count(due); n++) {
				retention_step_at(due, n, &step);
				ck_row(kept_rows[i].label, !view_eq(step.names, VIEW_LIT("c1")));
			}
			ck_row(kept_rows[i].label, rows_before == number(db, ROWS));
		}
		db_close(db);
	}
END_TEST

/* Campaigns 1024 to 2047 are a block; the newest one lies behind it. */
static const char two_blocks[] =
    "INSERT INTO list (name, title, list_id, from_address) VALUES ('a', 'A', 'a.test', 'a@b.test');"
    "INSERT INTO subscriber (address, address_key) VALUES ('p@x.test', 'p@x.test');"
    "INSERT INTO membership (list_id, subscriber_id) VALUES (1, 1);"
    "INSERT INTO campaign (id, name, list_id, subject, from_address, text_body, state, audience, started_at, ended_at)"
    " OVERRIDING SYSTEM VALUE SELECT g, 'c' || g, 1, 's', 'a@b.test', 't', 'finished', 1, x.at, x.at"
    " FROM (VALUES (1100, now() - interval '500 days'), (1200, now() - interval '400 days'),"
    " (2100, now())) AS x(g, at);"
    "INSERT INTO delivery (campaign_id, subscriber_id, outcome, at) SELECT id, 1, 'accepted', ended_at FROM campaign;"
    "INSERT INTO bounce_event (campaign_id, id, subscriber_id, report_hash, source, kind, reason, received_at,"
    " judged_at) SELECT id, id, 1, sha256(name::bytea), 'report', 'bounce-soft', 'mailbox-full', ended_at, now()"
    " FROM campaign WHERE id < 2000";

START_TEST(a_whole_block_is_dropped)
	{
		struct db *db = database_open();
		AUTO_DB_ROWS *due = NULL;
		struct retention_step step;
		int64_t cut_us = clock_wall_us() - 300 * CLOCK_US_PER_DAY;
		script(db, two_blocks);
		/* The older half goes by rows while the other one stays. */
		ck_assert_int_eq(retentions_due(db, cut_us - 150 * CLOCK_US_PER_DAY, &due, NULL), ERR_OK);
		ck_assert_uint_eq(db_row_count(due), 1);
		retention_step_at(due, 0, &step);
		ck_assert(!step.is_block);
		drop(db, &step, cut_us - 150 * CLOCK_US_PER_DAY);
		db_rows_done(due);
		ck_assert_int_eq(retentions_due(db, cut_us, &due, NULL), ERR_OK);
		ck_assert_uint_eq(db_row_count(due), 1);
		retention_step_at(due, 0, &step);
		ck_assert(step.is_block);
		ck_assert_int_eq(step.block, 1);

		/* Who reads it holds it up, and all of it stays. */
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct freed freed[RETENTION_KINDS];
		struct db *reader = database_connect(database_last());
		script(reader, "SET search_path = verpost; BEGIN; LOCK TABLE delivery IN ACCESS SHARE MODE");
		ck_assert_int_eq(retentions_drop(db, &step, cut_us, freed, &why), ERR_REFUSED);
		ck_assert_msg(strstr(buf_text(&why), "still there") != NULL, "%s", buf_text(&why));
		ck_assert_int_eq(number(db, PAST), 1);
		script(reader, "ROLLBACK");
		db_close(reader);

		drop(db, &step, cut_us);
		ck_assert_int_eq(number(db, TABLES), 0);
		ck_assert_int_eq(number(db, KEPT), 2);
		ck_assert_int_eq(number(db, ROWS), 1);
		db_close(db);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { nobody_is_judged_otherwise, what_may_still_change_is_kept,
				       a_whole_block_is_dropped };
	return suite_of("retentions", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
