#include "store/standings.h"

#include <stdio.h>

#include "base/limits.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

static void run_sql(struct db *db, const char *sql)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(db_run_script(db, view_of(sql), &why) == ERR_OK, "%s: %s", sql, buf_text(&why));
}

enum { AUDIENCE = 40000, CHUNK = 1000 };

/* 40 opened chunks of a campaign. Every 100th recipient waits; of the others, every second up to 5,000 and all up to 26,000 have a
 * ledger row. So there is a long run of chunks, not done, without anyone pending. */
static const char big_campaign[] =
    "INSERT INTO list (name, title, list_id, from_address) VALUES ('news', 'News', 'n.b.test', 'a@b.test');"
    "INSERT INTO campaign (name, list_id, subject, from_address, text_body, state, audience, started_at)"
    " VALUES ('c', 1, 's', 'a@b.test', 't', 'running', 40000, now()), ('other', 1, 's', 'a@b.test', 't', 'running', 1, "
    "now());"
    "INSERT INTO campaign_chunk (campaign_id, chunk_no, subscriber_ids, opened, key_id, day, date_at)"
    " SELECT 1, c, array_agg(c * 1000 + i ORDER BY i), 1000, 0, 1, now()"
    " FROM generate_series(0, 39) c, generate_series(1, 1000) i GROUP BY c;"
    "INSERT INTO campaign_chunk (campaign_id, chunk_no, subscriber_ids) VALUES (2, 0, '{1}');"
    "INSERT INTO deferral (campaign_id, subscriber_id, state, attempts, first_attempt_at, last_attempt_at, "
    "next_attempt_at,"
    " key_id, day, date_at) SELECT 1, i, CASE WHEN i % 300 = 0 THEN 'in_doubt' ELSE 'deferred' END, 1, now(), now(), "
    "now(),"
    " 0, 1, now() FROM generate_series(100, 40000, 100) i;"
    "INSERT INTO delivery (campaign_id, subscriber_id, outcome, attempts, at, reason) SELECT 1, i,"
    " (ARRAY['accepted', 'refused', 'expired', 'skipped'])[1 + i % 4]::delivery_outcome, 1, now() - interval '1 hour',"
    " CASE WHEN i % 4 <> 0 THEN CASE WHEN i % 8 = 1 THEN 'user-unknown' ELSE 'other' END END"
    " FROM generate_series(1, 26000) i WHERE i % 100 <> 0 AND (i % 2 = 0 OR i > 5000);"
    "INSERT INTO delivery (campaign_id, subscriber_id, outcome, at, reason) VALUES (2, 1, 'skipped', now(), "
    "'suppressed')";

static void count_now(struct db *db, uint64_t campaign, struct standing *standing, struct db_rows **rows)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	enum err err = standings_count(db, campaign, standing, rows, &why);
	ck_assert_msg(err == ERR_OK, "%s", buf_text(&why));
}

START_TEST(the_sum_is_exact)
	{
		struct db *db = database_open();
		AUTO_DB_ROWS *rows = NULL;
		struct standing standing;
		run_sql(db, big_campaign);
		count_now(db, 1, &standing, &rows);
		ck_assert_int_eq(standing.audience, AUDIENCE);
		ck_assert_int_eq(standing_sum(&standing), AUDIENCE);
		ck_assert_int_eq(standing.count[PLACE_DEFERRED] + standing.count[PLACE_IN_DOUBT], 400);
		ck_assert_int_eq(standing.count[PLACE_IN_DOUBT], 133);
		ck_assert_int_eq(standing.count[PLACE_PENDING], 14000 - 140 + 2500);
		int64_t by_reason = 0;
		for (size_t i = 0; i < db_row_count(rows); i++) {
			struct standing_reason reason;
			standing_reason_at(rows, i, &reason);
			ck_assert((reason.reason.len == 0) == (reason.place == PLACE_ACCEPTED));
			by_reason += reason.count;
		}
		ck_assert_int_eq(by_reason, AUDIENCE - 400 - standing.count[PLACE_PENDING]);
		db_close(db);
	}
END_TEST

/* Somebody who is nowhere must show: pending is counted, not what is left. */
START_TEST(a_lost_recipient_shows_in_the_sum)
	{
		struct db *db = database_open();
		AUTO_DB_ROWS *rows = NULL;
		struct standing standing;
		run_sql(db, big_campaign);
		run_sql(db, "UPDATE campaign_chunk SET done = true WHERE campaign_id = 1 AND chunk_no = 39");
		count_now(db, 1, &standing, &rows);
		ck_assert_int_eq(standing.audience, AUDIENCE);
		ck_assert_int_eq(standing_sum(&standing), AUDIENCE - CHUNK + 10);
		db_close(db);
	}
END_TEST

static void name_all(struct db *db, enum standing_place place, unsigned char seen[AUDIENCE + 1], int64_t *ret_count)
{
	int64_t cursor = 0, count = 0;
	for (;;) {
		AUTO_DB_ROWS *rows = NULL;
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert(standings_recipients(db, 1, place, &cursor, &rows, &why) == ERR_OK);
		if (db_row_count(rows) == 0)
			break;
		for (size_t i = 0; i < db_row_count(rows); i++) {
			struct standing_recipient recipient;
			standing_recipient_at(rows, i, &recipient);
			if (recipient.subscriber_id == 0)
				continue;
			ck_assert_uint_le(recipient.subscriber_id, AUDIENCE);
			seen[recipient.subscriber_id]++;
			count++;
		}
	}
	*ret_count = count;
}

START_TEST(everyone_is_named_once)
	{
		static unsigned char seen[AUDIENCE + 1];
		struct db *db = database_open();
		AUTO_DB_ROWS *rows = NULL;
		struct standing standing;
		run_sql(db, big_campaign);
		count_now(db, 1, &standing, &rows);
		for (size_t place = 0; place < PLACE_COUNT; place++) {
			int64_t count;
			name_all(db, (enum standing_place)place, seen, &count);
			ck_assert_msg(count == standing.count[place], "%s: %lld of %lld",
				      standing_place_name((enum standing_place)place), (long long)count,
				      (long long)standing.count[place]);
		}
		for (size_t id = 1; id <= AUDIENCE; id++)
			ck_assert_msg(seen[id] == 1, "%zu is named %d times", id, seen[id]);
		db_close(db);
	}
END_TEST

START_TEST(places_have_names)
	{
		for (size_t i = 0; i < PLACE_COUNT; i++) {
			enum standing_place place;
			ck_assert(
			    standing_place_from_name(view_of(standing_place_name((enum standing_place)i)), &place));
			ck_assert(place == (enum standing_place)i);
		}
	}
END_TEST

START_TEST(who_waits_for_a_worker_is_told)
	{
		static const struct row {
			const char *label, *worker, *refused;
			int64_t silent_s;
			int64_t recipients; /* 0: it is not told */
		} rows[] = {
			{ "seen just now", "1", "NULL", 0, 0 },
			{ "not seen for a while", "2", "NULL", 3600, 700 },
			{ "its journal is refused", "3", "'is damaged'", 0, 1 },
			{ "not seen, and has nobody", "4", "NULL", 3600, 0 },
		};
		struct db *db = database_open();
		AUTO_DB_ROWS *found = NULL;
		size_t told = 0;
		run_sql(db, big_campaign);
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			char sql[512];
			snprintf(
			    sql, sizeof(sql),
			    "INSERT INTO worker (id, host, journal, seen_at, refused) VALUES"
			    " ('00000000-0000-4000-8000-00000000000%s', 'h', 'j', now() - %lld * interval '1 s', %s)",
			    rows[i].worker, (long long)rows[i].silent_s, rows[i].refused);
			run_sql(db, sql);
		}
		/* Of 707 in a window 7 are in the retry queue. */
		run_sql(
		    db,
		    "INSERT INTO chunk_window (campaign_id, chunk_no, first, last, worker_id) VALUES"
		    " (1, 30, 1, 1000, '00000000-0000-4000-8000-000000000001'),"
		    " (1, 31, 1, 707, '00000000-0000-4000-8000-000000000002');"
		    "UPDATE deferral SET opened_by = '00000000-0000-4000-8000-000000000003' WHERE subscriber_id = 100");
		ck_assert(standings_stranded(db, 1, &found, NULL) == ERR_OK);
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct stranded stranded;
			if (rows[i].recipients == 0)
				continue;
			ck_assert_uint_gt(db_row_count(found), told);
			stranded_at(found, told++, &stranded);
			ck_row(rows[i].label, view_ends(stranded.worker, view_of(rows[i].worker)));
			ck_row(rows[i].label, stranded.recipients == rows[i].recipients);
			ck_row(rows[i].label, (stranded.refused.len > 0) == (*rows[i].refused == '\''));
		}
		ck_assert_uint_eq(db_row_count(found), told);
		db_close(db);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { the_sum_is_exact, a_lost_recipient_shows_in_the_sum, everyone_is_named_once,
				       places_have_names, who_waits_for_a_worker_is_told };
	return suite_of("standings", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
