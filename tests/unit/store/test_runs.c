#include "store/runs.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

static void run_sql(struct db *db, const char *sql)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(db_run_script(db, view_of(sql), &why) == ERR_OK, "%s: %s", sql, buf_text(&why));
}

/* The first column of the first row of SQL that is a whole statement. */
static struct view ask(struct db *db, const char *sql, struct db_rows **ret_rows)
{
	/* A prepared statement is known by its row: each question needs one of its own. */
	static struct db_statement statements[200];
	static char names[ARRAY_LEN(statements)][32];
	static size_t count;
	ck_assert(count < ARRAY_LEN(statements));
	snprintf(names[count], sizeof(names[count]), "unit_%zu", count);
	statements[count] = (struct db_statement){ names[count], sql };
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(db_run(db, &statements[count++], NULL, 0, ret_rows, &why) == ERR_OK, "%s: %s", sql,
		      buf_text(&why));
	return db_row_count(*ret_rows) == 0 ? VIEW_LIT("nothing") : db_get_text(*ret_rows, 0, 0);
}

static void check_says(struct db *db, const char *label, const char *sql, const char *expected)
{
	AUTO_DB_ROWS *rows = NULL;
	struct view text = ask(db, sql, &rows);
	ck_assert_msg(view_eq(text, view_of(expected)), "%s: got \"" VIEW_FMT "\", expected \"%s\"", label,
		      VIEW_ARG(text), expected);
}

/* Ten members; the attribute of each is what stands in the array. */
static const char people[] =
    "INSERT INTO list (name, title, list_id, from_address) VALUES ('news', 'News', 'n.b.test', 'a@b.test');"
    "INSERT INTO subscriber (address, address_key, attributes)"
    " SELECT 'p' || n || '@x.test', 'p' || n || '@x.test', CASE WHEN v IS NULL THEN '{\"city\": \"Bonn\"}'"
    " ELSE jsonb_build_object('tz', v, 'k' || n, 1) END"
    " FROM unnest(ARRAY['Europe/Berlin', 'asia/JAKARTA', 'nowhere', NULL, '', 'Europe/Berlin', ' Pacific/Kiritimati ',"
    " 'localtime', 'America/New_York', 'Asia/Jakarta']) WITH ORDINALITY AS a(v, n);"
    "INSERT INTO membership (list_id, subscriber_id) SELECT 1, id FROM subscriber;"
    "INSERT INTO subscriber (address, address_key, attributes) VALUES ('gone@x.test', 'gone@x.test', '{\"last\": 1}');"
    "INSERT INTO membership (list_id, subscriber_id, state, reason) SELECT 1, max(id), 'unsubscribed', 'x' FROM "
    "subscriber";

#define SCHEDULED "INSERT INTO campaign (name, list_id, subject, from_address, text_body, state, start_at"
#define VALUES(start) ") VALUES ('c', 1, 's', 'a@b.test', 't', 'scheduled', now() + interval '" start "'"

static struct run_start start_due(struct db *db, bool only_tested)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct run_start start = { .campaign_id = -1 };
	const struct run_terms terms = { .chunk_size = 4, .only_tested = only_tested };
	int64_t put_off = 0;
	enum err err = runs_start_due(db, &terms, &put_off, &start, &why);
	ck_assert_msg(err == ERR_OK, "%s", buf_text(&why));
	return start;
}

struct due_row {
	const char *label, *sql;
	bool only_tested, starts;
};

/* An hour of minutes of the week on either side of an instant in UTC: the last of Sunday is followed by the first of Monday. So nothing here
 * depends on when in the week it runs. */
#define AROUND(at)                                                                                                     \
	"(SELECT range_agg(int4range(m, m + 1)) FROM (SELECT ((extract(isodow FROM a.t)::integer - 1) * 1440"          \
	" + extract(hour FROM a.t)::integer * 60 + extract(minute FROM a.t)::integer + i + 10080) % 10080 AS m"        \
	" FROM (SELECT (" at ") AT TIME ZONE 'UTC' AS t) AS a, generate_series(-60, 60) AS i) AS b)"
#define NOW_OPEN AROUND("now()")
#define ALL_WEEK "int4multirange(int4range(0, 10080))"
#define WINDOWED(windows)                                                                                              \
	"INSERT INTO campaign (name, list_id, subject, from_address, text_body, state, start_at, zone, window_text, "  \
	"windows) VALUES ('c', 1, 's', 'a@b.test', 't', 'scheduled', now(), 'UTC', 'w', " windows ")"

static const struct due_row due_rows[] = {
	{ "due", SCHEDULED VALUES("0") ")", false, true },
	{ "not yet", SCHEDULED VALUES("1 hour") ")", false, false },
	{ "waits for a person", SCHEDULED ", hold_reason" VALUES("0") ", 'x')", false, false },
	{ "in time", SCHEDULED ", not_after" VALUES("-1 hour") ", now() + interval '1 hour')", false, true },
	{ "too late", SCHEDULED ", not_after" VALUES("-2 hours") ", now() - interval '1 hour')", false, false },
	{ "its window is open", WINDOWED(NOW_OPEN), false, true },
	{ "its window is closed", WINDOWED(ALL_WEEK " - " NOW_OPEN), false, false },
	{ "not tested", SCHEDULED VALUES("0") ")", true, false },
};

/* What the tests of windows stand on, all through a week. */
START_TEST(around_is_an_hour_each_way)
	{
		struct db *db = database_open();
		check_says(db, "all through the week",
			   "SELECT count(*)::text FROM generate_series('2024-01-01 00:00+00'::timestamptz,"
			   " '2024-01-07 23:59:59+00', '7 minutes') AS t CROSS JOIN LATERAL (SELECT " AROUND(
			       "t") " AS open OFFSET 0)"
				    " AS w WHERE is_in_window(open, 'UTC', t) AND is_in_window(open, 'UTC', t + "
				    "interval '1 hour')"
				    " AND is_in_window(open, 'UTC', t - interval '1 hour')"
				    " AND NOT is_in_window(open, 'UTC', t + interval '61 minutes')"
				    " AND NOT is_in_window(" ALL_WEEK " - open, 'UTC', t + interval '1 hour')"
				    " AND is_in_window(" ALL_WEEK " - open, 'UTC', t + interval '61 minutes')",
			   "1440");
		db_close(db);
	}
END_TEST

START_TEST(only_what_is_due_starts)
	{
		struct db *db = database_open();
		run_sql(db, people);
		for (size_t i = 0; i < ARRAY_LEN(due_rows); i++) {
			const struct due_row *row = &due_rows[i];
			run_sql(db, "DELETE FROM campaign_chunk; DELETE FROM campaign");
			run_sql(db, row->sql);
			const struct run_start start = start_due(db, row->only_tested);
			ck_row(row->label, (start.campaign_id != 0) == row->starts);
			check_says(db, row->label, "SELECT state::text FROM campaign",
				   row->starts ? "running" : "scheduled");
		}
		db_close(db);
	}
END_TEST

START_TEST(an_audience_is_frozen)
	{
		struct db *db = database_open();
		run_sql(db, people);
		run_sql(db, SCHEDULED VALUES("0") ")");
		const struct run_start start = start_due(db, false);
		ck_assert_int_eq(start.audience, 10);
		ck_assert_int_eq(start.local_fallback, -1);
		check_says(db, "chunks",
			   "SELECT string_agg(cardinality(subscriber_ids)::text, ' ' ORDER BY chunk_no)"
			   " FROM campaign_chunk WHERE not_before IS NULL",
			   "4 4 2");
		check_says(db, "ids",
			   "SELECT string_agg(array_to_string(subscriber_ids, ' '), ' ' ORDER BY chunk_no)"
			   " FROM campaign_chunk",
			   "1 2 3 4 5 6 7 8 9 10");
		check_says(db, "of members in any state, those of few too",
			   "SELECT array_to_string(fields, ' ') FROM campaign",
			   "city k1 k10 k2 k3 k5 k6 k7 k8 k9 last tz");
		ck_assert_int_eq(start_due(db, false).campaign_id, 0);
		db_close(db);
	}
END_TEST

/* 1,000 members with one attribute, and then one with another: beyond what is looked at first. */
static const struct {
	const char *label, *change, *fields;
} templates[] = {
	{ "plain names are known", "text_body = '{{name}} {{ a }} {{{a|{x}}} {{! rare }}{{list.title}} {{a}}'", "a" },
	{ "one is not", "html_body = '<p>{{a}}{{rare|x}}</p>'", "a rare" },
	{ "nor in the subject", "subject = '{{rare}}'", "a rare" },
	{ "a section", "text_body = '{{#a}}{{b}}{{/a}}'", "a rare" },
	{ "a path", "text_body = '{{a.b}}'", "a rare" },
};

START_TEST(a_rare_field_is_found)
	{
		for (size_t i = 0; i < ARRAY_LEN(templates); i++) {
			struct db *db = database_open();
			AUTO_BUF change = buf_with_ceiling(LIMIT_WHY);
			run_sql(db, "INSERT INTO list (name, title, list_id, from_address) VALUES ('news', 'N', 'n.t', "
				    "'a@b.test');"
				    "INSERT INTO subscriber (address, address_key, attributes)"
				    " SELECT n || '@x.test', n || '@x.test',"
				    " CASE WHEN n = 1500 THEN '{\"a\": 1, \"rare\": 2}' ELSE '{\"a\": 1}' END::jsonb"
				    " FROM generate_series(1, 2000) n;"
				    "INSERT INTO membership (list_id, subscriber_id) SELECT 1, id FROM subscriber");
			run_sql(db, SCHEDULED VALUES("0") ")");
			buf_addf(&change, "UPDATE campaign SET %s", templates[i].change);
			run_sql(db, buf_text(&change));
			ck_assert_int_eq(start_due(db, false).audience, 2000);
			check_says(db, templates[i].label, "SELECT array_to_string(fields, ' ') FROM campaign",
				   templates[i].fields);
			db_close(db);
		}
	}
END_TEST

START_TEST(a_rare_field_of_a_variant_is_found)
	{
		struct db *db = database_open();
		run_sql(
		    db,
		    "INSERT INTO list (name, title, list_id, from_address) VALUES ('news', 'N', 'n.t', 'a@b.test');"
		    "INSERT INTO subscriber (address, address_key, attributes) SELECT n || '@x.test', n || '@x.test',"
		    " CASE WHEN n = 1500 THEN '{\"rare\": 2}' ELSE '{}' END::jsonb FROM generate_series(1, 2000) n;"
		    "INSERT INTO membership (list_id, subscriber_id) SELECT 1, id FROM subscriber");
		run_sql(db, SCHEDULED VALUES("0") ")");
		run_sql(db, "INSERT INTO campaign_variant VALUES (1, 1, 1, NULL, NULL, NULL), (1, 2, 1, '{{rare}}', "
			    "'t', NULL)");
		ck_assert_int_eq(start_due(db, false).audience, 2000);
		check_says(db, "of variant B", "SELECT array_to_string(fields, ' ') FROM campaign", "rare");
		db_close(db);
	}
END_TEST

struct local_row {
	const char *label, *local_time, *due;
};

/* Past times: no later change of a zone's rules moves them. */
static const struct local_row local_rows[] = {
	{ "winter", "2024-01-10 18:00", "04:00 7; 11:00 2 10; 17:00 1 3 4 5 6 8; 23:00 9" },
	{ "Berlin skips it: as much later", "2024-03-31 02:30", "12:30 7; 19:30 2 10; 01:30 1 3 4 5 6 8; 06:30 9" },
	{ "Berlin shows it twice: the second", "2024-10-27 02:30", "12:30 7; 19:30 2 10; 01:30 1 3 4 5 6 8; 06:30 9" },
};

START_TEST(each_at_their_local_time)
	{
		struct db *db = database_open();
		run_sql(db, people);
		for (size_t i = 0; i < ARRAY_LEN(local_rows); i++) {
			const struct local_row *row = &local_rows[i];
			char sql[512];
			run_sql(db, "DELETE FROM campaign_chunk; DELETE FROM campaign");
			snprintf(sql, sizeof(sql),
				 SCHEDULED
				 ", local_time, zone, local_attribute" VALUES("0") ", '%s', 'Europe/Berlin', 'tz')",
				 row->local_time);
			run_sql(db, sql);
			const struct run_start start = start_due(db, false);
			ck_row(row->label, start.audience == 10);
			ck_row(row->label, start.local_fallback == 4);
			check_says(
			    db, row->label,
			    "SELECT string_agg(due || ' ' || ids, '; ' ORDER BY not_before) FROM (SELECT not_before,"
			    " to_char(not_before AT TIME ZONE 'UTC', 'HH24:MI') AS due, string_agg("
			    "array_to_string(subscriber_ids, ' '), ' ' ORDER BY chunk_no) AS ids"
			    " FROM campaign_chunk GROUP BY not_before) AS g",
			    row->due);
			check_says(db, "chunks in the order of their instants, none too large",
				   "SELECT bool_and(cardinality(subscriber_ids) <= 4 AND chunk_no = n - 1)::text FROM "
				   "(SELECT *,"
				   " row_number() OVER (ORDER BY not_before, chunk_no) AS n FROM campaign_chunk) AS k",
				   "true");
			check_says(db, "told", "SELECT local_fallback::text FROM campaign", "4");
		}
		db_close(db);
	}
END_TEST

struct list_row {
	const char *label, *change, *title;
};

/* In this order, of one campaign. */
static const struct list_row list_rows[] = {
	{ "as it started", "SELECT 1", "News" },
	{ "the list has another title and other header fields since",
	  "UPDATE list SET name = 'x', title = 'Other', list_id = 'o.b.test', headers = 'X-A: 2'", "News" },
	{ "started by an older program: what the list has now",
	  "UPDATE campaign SET list_name = NULL, list_title = NULL, list_header_id = NULL, list_headers = NULL",
	  "Other" },
};

START_TEST(a_started_campaign_keeps_its_list)
	{
		struct db *db = database_open();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		run_sql(db, people);
		run_sql(db, SCHEDULED VALUES("0") ")");
		const struct run_start start = start_due(db, false);
		for (size_t i = 0; i < ARRAY_LEN(list_rows); i++) {
			const struct list_row *row = &list_rows[i];
			struct run_source source;
			struct campaign campaign;
			AUTO_DB_ROWS *rows = NULL;
			AUTO_DB_ROWS *campaign_rows = NULL;
			run_sql(db, row->change);
			ck_assert(runs_load(db, start.campaign_id, 0, &source, &rows, &why) == ERR_OK);
			ck_assert(campaigns_find(db, VIEW_LIT("c"), &campaign, &campaign_rows, &why) == ERR_OK);
			bool kept = view_eq(view_of(row->title), VIEW_LIT("News"));
			ck_row(row->label, view_eq(source.list_title, view_of(row->title)));
			ck_row(row->label, view_eq(source.list_name, kept ? VIEW_LIT("news") : VIEW_LIT("x")));
			ck_row(row->label,
			       view_eq(source.list_header_id, kept ? VIEW_LIT("n.b.test") : VIEW_LIT("o.b.test")));
			ck_row(row->label, view_eq(source.list_headers, kept ? VIEW_LIT("") : VIEW_LIT("X-A: 2")));
			ck_row(row->label, view_eq(campaign.list_headers, source.list_headers));
			ck_row(row->label, view_eq(campaign.list_title, source.list_title));
			ck_row(row->label, view_eq(campaign.list_header_id, source.list_header_id));
		}
		db_close(db);
	}
END_TEST

static void count_held(void *user, int64_t campaign_id, struct view reason)
{
	int *count = user;
	ck_assert(campaign_id > 0 && view_find(reason, VIEW_LIT("not to start after")) != VIEW_NONE);
	++*count;
}

START_TEST(the_late_wait_for_a_person)
	{
		struct db *db = database_open();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		int held = 0;
		run_sql(db, people);
		run_sql(db, SCHEDULED ", not_after" VALUES("-2 hours") ", now() - interval '1 hour')");
		for (int i = 0; i < 2; i++)
			ck_assert(runs_hold_late(db, count_held, &held, &why) == ERR_OK);
		ck_assert_int_eq(held, 1);
		ck_assert_int_eq(start_due(db, false).campaign_id, 0);
		check_says(db, "audit", "SELECT count(*)::text FROM audit WHERE action = 'campaign.hold'", "1");
		check_says(db, "what to do",
			   "SELECT (hold_reason LIKE '%campaign resume c%' AND hold_reason LIKE '%start%'"
			   " AND hold_reason LIKE '%schedule%')::text FROM campaign",
			   "true");
		ck_assert(campaigns_start(db, VIEW_LIT("c"), VIEW_LIT("unit"), &why) == ERR_OK);
		ck_assert(runs_hold_late(db, count_held, &held, &why) == ERR_OK);
		ck_assert_int_eq(held, 1);
		ck_assert_int_ne(start_due(db, false).campaign_id, 0);
		db_close(db);
	}
END_TEST

struct resume_row {
	const char *label, *sql;
	enum err err;
	const char *left; /* not_after, local_attribute, windows: which are there after it */
	bool starts;
};

#define LOCAL ", local_time, zone, local_attribute"
static const struct resume_row resume_rows[] = {
	{ "late: its local times stay",
	  SCHEDULED ", hold_reason, not_after" LOCAL VALUES(
	      "-2 hours") ", 'x', now() - interval '1 hour', '2024-01-10 18:00', 'UTC', 'tz')",
	  ERR_OK, "local", true },
	{ "late: its windows stay",
	  "INSERT INTO campaign (name, list_id, subject, from_address, text_body, state, start_at, hold_reason, "
	  "not_after, zone,"
	  " window_text, windows) VALUES ('c', 1, 's', 'a@b.test', 't', 'scheduled', now() - interval '2 hours', 'x',"
	  " now() - interval '1 hour', 'UTC', 'w', " ALL_WEEK ")",
	  ERR_OK, "windows", true },
	{ "held in time: a not-after to come stays",
	  SCHEDULED ", hold_reason, not_after" VALUES("-1 hour") ", 'x', now() + interval '1 hour')", ERR_OK,
	  "not-after", true },
	{ "nothing holds it", SCHEDULED VALUES("-1 hour") ")", ERR_REFUSED, "", true },
};

START_TEST(resume_keeps_a_schedule)
	{
		struct db *db = database_open();
		run_sql(db, people);
		for (size_t i = 0; i < ARRAY_LEN(resume_rows); i++) {
			const struct resume_row *row = &resume_rows[i];
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			run_sql(db, "DELETE FROM campaign_chunk; DELETE FROM campaign");
			run_sql(db, row->sql);
			ck_row(row->label, campaigns_resume(db, VIEW_LIT("c"), VIEW_LIT("unit"), &why) == row->err);
			if (row->err != ERR_OK)
				ck_row(row->label, view_find(buf_view(&why), VIEW_LIT("campaign start")) != VIEW_NONE);
			check_says(db, row->label,
				   "SELECT concat_ws(' ', CASE WHEN not_after IS NOT NULL THEN 'not-after' END,"
				   " CASE WHEN local_attribute IS NOT NULL THEN 'local' END,"
				   " CASE WHEN windows IS NOT NULL THEN 'windows' END) FROM campaign",
				   row->left);
			ck_row(row->label, (start_due(db, false).campaign_id != 0) == row->starts);
		}
		db_close(db);
	}
END_TEST

/* A worker sees a running campaign outside of its windows as paused. */
START_TEST(states_know_windows)
	{
		struct db *db = database_open();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		run_sql(db, people);
		run_sql(db, WINDOWED(NOW_OPEN));
		const struct run_start start = start_due(db, false);
		const int64_t ids[] = { start.campaign_id, 77 };
		enum campaign_state states[2];
		int64_t version = 0;
		ck_assert(runs_states(db, ids, 2, states, &version, &why) == ERR_OK);
		ck_assert(states[0] == CAMPAIGN_RUNNING && states[1] == CAMPAIGN_CANCELED);
		run_sql(db, "UPDATE campaign SET windows = " ALL_WEEK " - windows");
		ck_assert(runs_states(db, ids, 2, states, &version, &why) == ERR_OK);
		ck_assert(states[0] == CAMPAIGN_PAUSED);
		db_close(db);
	}
END_TEST

struct opening_row {
	const char *label, *windows, *at, *expected;
};

/* Zone Europe/Berlin; 2024-03-31 and 2024-10-27 are Sundays. */
static const struct opening_row opening_rows[] = {
	{ "inside: at once", "{[480,1080)}", "2024-01-08 10:00+01", "2024-01-08 09:00" },
	{ "before", "{[480,1080)}", "2024-01-08 06:00+01", "2024-01-08 07:00" },
	{ "just after: the next week", "{[480,1080)}", "2024-01-08 18:00+01", "2024-01-15 07:00" },
	{ "the next day", "{[480,1080),[1920,2520)}", "2024-01-08 18:00+01", "2024-01-09 07:00" },
	{ "over the end of the week", "{[0,360),[9960,10080)}", "2024-01-07 23:00+01", "2024-01-07 22:00" },
	{ "summer time", "{[480,1080)}", "2024-07-01 00:00+02", "2024-07-01 06:00" },
	{ "a window that the clocks skip opens a week later", "{[8760,8790)}", "2024-03-30 12:00+01",
	  "2024-04-07 00:00" },
	{ "one whose start they skip opens when they are set forward", "{[8790,8880)}", "2024-03-30 12:00+01",
	  "2024-03-31 01:00" },
	{ "one shown twice opens the first time", "{[8760,8790)}", "2024-10-26 22:30+00", "2024-10-27 00:00" },
	{ "and again", "{[8760,8790)}", "2024-10-27 00:30+00", "2024-10-27 01:00" },
	{ "set back into it from behind it", "{[8700,8770)}", "2024-10-27 00:50+00", "2024-10-27 01:00" },
	{ "none", "{[8760,8760)}", "2024-01-08 10:00+01", "nothing" },
};

START_TEST(openings_follow_the_clocks)
	{
		struct db *db = database_open();
		for (size_t i = 0; i < ARRAY_LEN(opening_rows); i++) {
			const struct opening_row *row = &opening_rows[i];
			char sql[512];
			snprintf(sql, sizeof(sql),
				 "SELECT coalesce(to_char(next_opening('%s'::int4multirange, 'Europe/Berlin', "
				 "'%s'::timestamptz)"
				 " AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), 'nothing')",
				 row->windows, row->at);
			check_says(db, row->label, sql, row->expected);
		}
		check_says(db, "shown twice: open for both",
			   "SELECT string_agg(is_in_window('{[8760,8790)}',"
			   " 'Europe/Berlin', t)::text, ' ' ORDER BY t) FROM unnest(ARRAY['2024-10-27 00:10+00',"
			   " '2024-10-27 00:40+00', '2024-10-27 01:10+00', '2024-10-27 01:40+00']::timestamptz[]) t",
			   "true false true false");
		db_close(db);
	}
END_TEST

/* A day or so before the clocks of a zone change: forward, back, by half an hour, and over a whole day. */
static const char *const changes[][2] = {
	{ "Europe/Berlin", "2027-03-27" },       { "Europe/Berlin", "2027-10-30" },
	{ "America/New_York", "2027-03-13" },    { "America/New_York", "2027-11-06" },
	{ "Australia/Lord_Howe", "2027-04-02" }, { "Australia/Lord_Howe", "2027-10-01" },
	{ "Pacific/Apia", "2011-12-29" },        { "Pacific/Apia", "2012-03-30" },
	{ "America/Nuuk", "2027-10-30" },
};

/* sender goes by is_in_window(): the next opening is the first of all minutes for which that holds. Windows from the Friday to the Sunday
 * of the change, and on Monday evening. */
START_TEST(openings_are_the_first_minute_in_a_window)
	{
		struct db *db = database_open();
		for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
			char sql[2048];
			snprintf(sql, sizeof(sql),
				 "WITH given AS (SELECT '%s'::text AS zone, '%s 00:00+00'::timestamptz AS begins),"
				 " sets AS (SELECT n, int4multirange(int4range(a, a + len), int4range(1200, 1240)) AS "
				 "windows"
				 " FROM unnest(ARRAY[6480, 8550, 8760, 8790], ARRAY[900, 45, 30, 90]) WITH ORDINALITY "
				 "AS x(a, len, n)),"
				 " open AS MATERIALIZED (SELECT n, t"
				 " FROM given, sets, generate_series(begins, begins + interval '4 days', interval '1 "
				 "minute') AS t"
				 " WHERE is_in_window(windows, zone, t)),"
				 " asked AS (SELECT n, windows, zone, begins + k * interval '113 minutes' AS at"
				 " FROM given, sets, generate_series(0, 19) AS k)"
				 " SELECT coalesce(min(zone || ' at ' || at::text || ' windows ' || windows::text), "
				 "'all are')"
				 " || ' ' || (SELECT count(DISTINCT n) FROM open)"
				 " FROM asked a WHERE next_opening(windows, zone, at) IS DISTINCT FROM"
				 " (SELECT min(t) FROM open o WHERE o.n = a.n AND t >= at)",
				 changes[i][0], changes[i][1]);
			check_says(db, changes[i][1], sql, "all are 4");
		}
		db_close(db);
	}
END_TEST

#define SUPPRESS(kind, value)                                                                                          \
	"INSERT INTO suppression (kind, value, reason, source) VALUES ('" kind "', '" value "', 'r', 's');"
#define LEDGER                                                                                                         \
	"SELECT string_agg(subscriber_id || ' ' || outcome || ' ' || reason, ', ' ORDER BY subscriber_id) FROM "       \
	"delivery"
#define IN_CHUNKS "SELECT string_agg(id::text, ' ' ORDER BY id) FROM campaign_chunk, unnest(subscriber_ids) AS id"

/* Of the second list, of a domain of nobody, and of who has left: none of them concerns this campaign. */
static const char other_suppressions[] =
    "INSERT INTO list (name, title, list_id, from_address) VALUES ('b', 'B', 'b.b.test', 'a@b.test');"
    "INSERT INTO suppression (kind, value, list_id, reason, source) VALUES ('address', 'p3@x.test', 2, 'r', "
    "'s');" SUPPRESS("domain", "other.test") SUPPRESS("address", "gone@x.test");

static void check_suppressed_start(const char *campaign)
{
	struct db *db = database_open();
	run_sql(db, people);
	run_sql(db, other_suppressions);
	run_sql(db, "UPDATE subscriber SET address_key = 'p9@bad.test' WHERE id = 9;" SUPPRESS("domain", "bad.test")
			SUPPRESS("address", "p4@x.test"));
	run_sql(db, "UPDATE subscriber SET canonical = 'p@mail.test' WHERE id = 6;"
		    "UPDATE subscriber SET canonical = 'q@worse.test' WHERE id = 7;" SUPPRESS("address", "p@mail.test")
			SUPPRESS("domain", "worse.test"));
	run_sql(db, campaign);
	ck_assert_int_eq(start_due(db, false).audience, 10);
	check_says(db, "ledger", LEDGER,
		   "4 skipped suppressed, 6 skipped suppressed, 7 skipped suppressed, 9 skipped suppressed");
	check_says(db, "chunks", IN_CHUNKS, "1 2 3 5 8 10");
	check_says(db, "mark", "SELECT (suppressed_up_to - (SELECT max(id) FROM suppression))::text FROM campaign",
		   "0");
	check_says(db, "addresses", "SELECT (addresses_at - version)::text FROM campaign, address_version", "0");
	db_close(db);
}

START_TEST(who_is_suppressed_is_skipped_at_the_start)
	{
		check_suppressed_start(SCHEDULED VALUES("0") ")");
		check_suppressed_start(SCHEDULED ", local_time, zone, local_attribute" VALUES(
		    "0") ", '2024-06-01 09:00', 'Europe/Berlin', 'tz')");
	}
END_TEST

/* One with a lower id than the mark could still come from a transaction that has not ended: then there is none. */
START_TEST(a_suppression_under_way_leaves_no_mark)
	{
		struct db *db = database_open();
		struct db *other = database_connect(database_last());
		run_sql(db, people);
		run_sql(db, SUPPRESS("address", "p1@x.test") SCHEDULED VALUES("0") ")");
		run_sql(other, "BEGIN;" SUPPRESS("address", "p2@x.test"));
		run_sql(db, SUPPRESS("address", "p3@x.test"));
		ck_assert_int_eq(start_due(db, false).audience, 10);
		check_says(db, "ledger", LEDGER, "1 skipped suppressed, 3 skipped suppressed");
		check_says(db, "mark", "SELECT suppressed_up_to::text FROM campaign", "0");
		run_sql(other, "COMMIT");
		check_says(db, "the next", "SELECT suppression_mark()::text", "3");
		run_sql(other, SUPPRESS("address", "p5@x.test"));
		check_says(db, "nobody waits for the mark", "SELECT max(id)::text FROM suppression", "4");
		db_close(other);
		db_close(db);
	}
END_TEST

START_TEST(a_suppression_names_the_same_for_good)
	{
		struct db *db = database_open();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		run_sql(db, SUPPRESS("address", "p1@x.test"));
		enum err err = db_run_script(db, VIEW_LIT("UPDATE suppression SET value = 'p2@x.test'"), &why);
		ck_assert(err != ERR_OK);
		ck_assert_msg(strstr(buf_text(&why), "for good") != NULL, "%s", buf_text(&why));
		db_close(db);
	}
END_TEST

/* What the server could not go on with is tried after all others, and is not held: it may be well next time. */
START_TEST(what_may_pass_is_tried_last)
	{
		struct db *db = database_open();
		const struct run_terms terms = { .chunk_size = 4 };
		struct run_start start = { 0 };
		int64_t put_off = 0;
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		run_sql(db, people);
		run_sql(db, SCHEDULED VALUES("-1 hour") ")");
		run_sql(db, "INSERT INTO campaign (name, list_id, subject, from_address, text_body, state, start_at)"
			    " VALUES ('d', 1, 's', 'a@b.test', 't', 'scheduled', now())");
		run_sql(
		    db,
		    "CREATE FUNCTION give_up() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN"
		    " IF NEW.campaign_id = (SELECT min(id) FROM campaign) THEN"
		    " RAISE 'deadlock' USING ERRCODE = '40P01'; END IF; RETURN NEW; END $f$;"
		    " CREATE TRIGGER give_up BEFORE INSERT ON campaign_chunk FOR EACH ROW EXECUTE FUNCTION give_up()");
		ck_assert(runs_start_due(db, &terms, &put_off, &start, &why) != ERR_OK);
		ck_assert_int_ne(put_off, 0);
		ck_assert(runs_start_due(db, &terms, &put_off, &start, &why) == ERR_OK);
		ck_assert_int_eq(start.campaign_id, put_off + 1);
		check_says(
		    db, "the first one waits for nobody",
		    "SELECT string_agg(state || ' ' || coalesce(hold_reason, '-'), ', ' ORDER BY id) FROM campaign",
		    "scheduled -, running -");
		run_sql(db, "DROP TRIGGER give_up ON campaign_chunk");
		ck_assert(runs_start_due(db, &terms, &put_off, &start, &why) == ERR_OK);
		ck_assert_int_eq(start.campaign_id, put_off);
		db_close(db);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { around_is_an_hour_each_way,
				       only_what_is_due_starts,
				       an_audience_is_frozen,
				       a_rare_field_is_found,
				       a_rare_field_of_a_variant_is_found,
				       each_at_their_local_time,
				       a_started_campaign_keeps_its_list,
				       the_late_wait_for_a_person,
				       resume_keeps_a_schedule,
				       states_know_windows,
				       openings_follow_the_clocks,
				       openings_are_the_first_minute_in_a_window,
				       who_is_suppressed_is_skipped_at_the_start,
				       a_suppression_under_way_leaves_no_mark,
				       a_suppression_names_the_same_for_good,
				       what_may_pass_is_tried_last };
	return suite_of("runs", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
