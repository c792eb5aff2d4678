#include "store/readers.h"

#include "base/limits.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

static void run_sql(struct db *db, const char *sql)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(db_run_script(db, view_of(sql), &why) == ERR_OK, "%s: %s", sql, buf_text(&why));
}

static void make_list(struct db *db)
{
	run_sql(
	    db,
	    "INSERT INTO list (name, title, list_id, from_address) VALUES ('news', 'News', 'n.b.test', 'a@b.test')");
}

START_TEST(readers_are_active_members)
	{
		struct db *db = database_open();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		AUTO_DB_ROWS *rows = NULL;
		struct reader reader;
		make_list(db);
		ck_assert(readers_find(db, 1, (struct view){ 0 }, 0.5, &reader, &rows, &why) == ERR_NOT_FOUND);
		run_sql(
		    db,
		    "INSERT INTO subscriber (address, address_key) SELECT 'P' || g || '@x.test', 'p' || g || '@x.test'"
		    " FROM generate_series(1, 9) g;"
		    "INSERT INTO membership (list_id, subscriber_id, state, reason) SELECT 1, id,"
		    " CASE WHEN id = 4 THEN 'active' ELSE 'unsubscribed' END::membership_state, 'x' FROM subscriber");
		const double fractions[] = { 0, 0.3, 0.5, 0.999, 1 };
		for (size_t i = 0; i < ARRAY_LEN(fractions); i++) {
			AUTO_DB_ROWS *found = NULL;
			ck_assert(readers_find(db, 1, (struct view){ 0 }, fractions[i], &reader, &found, &why) ==
				  ERR_OK);
			ck_view_eq(reader.address, "P4@x.test");
		}
		ck_assert(readers_find(db, 1, VIEW_LIT("p2@x.test"), 0, &reader, &rows, &why) == ERR_OK);
		ck_view_eq(reader.address, "P2@x.test");
		db_close(db);
	}
END_TEST

START_TEST(fields_that_are_empty_are_counted)
	{
		struct db *db = database_open();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		AUTO_DB_ROWS *rows = NULL;
		make_list(db);
		run_sql(db,
			"INSERT INTO subscriber (address, address_key, name, attributes) VALUES"
			" ('a@x.test', 'a@x.test', 'A', '{\"city\": \"Oslo\", \"o\": {\"n\": 0}}'),"
			" ('b@x.test', 'b@x.test', '', '{\"city\": \"\", \"o\": {}}'),"
			" ('c@x.test', 'c@x.test', 'C', '{\"city\": null}'), ('d@x.test', 'd@x.test', '', '{}');"
			"INSERT INTO membership (list_id, subscriber_id, state, reason) SELECT 1, id,"
			" CASE WHEN id < 4 THEN 'active' ELSE 'removed' END::membership_state, 'x' FROM subscriber");
		enum err err = readers_count_empty(db, 1, VIEW_LIT("city, name, o.n, none"), &rows, &why);
		ck_assert_msg(err == ERR_OK && db_row_count(rows) == 4, "%s", buf_text(&why));
		const int counts[] = { 2, 1, 2, 3 };
		for (size_t i = 0; i < ARRAY_LEN(counts); i++)
			ck_assert_int_eq(db_get_int(rows, i, 1), counts[i]);
		ck_view_eq(db_get_text(rows, 2, 0), "o.n");
		db_close(db);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { readers_are_active_members, fields_that_are_empty_are_counted };
	return suite_of("readers", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
