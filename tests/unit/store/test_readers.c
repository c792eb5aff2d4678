#include "store/readers.h"

#include "base/limits.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

static void run_sql(struct db *db, const char *sql)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(db_run_script(db, view_of(sql), &why) == ERR_OK, "%s: %s", sql, buf_text(&why));
}

static const struct audience news = { .own_list = 1 };

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
		ck_assert(readers_find(db, &news, (struct view){ 0 }, 0.5, &reader, &rows, &why) == ERR_NOT_FOUND);
		run_sql(
		    db,
		    "INSERT INTO subscriber (address, address_key) SELECT 'P' || g || '@x.test', 'p' || g || '@x.test'"
		    " FROM generate_series(1, 9) g;"
		    "INSERT INTO membership (list_id, subscriber_id, state, reason) SELECT 1, id,"
		    " CASE WHEN id = 4 THEN 'active' ELSE 'unsubscribed' END::membership_state, 'x' FROM subscriber");
		const double fractions[] = { 0, 0.3, 0.5, 0.999, 1 };
		for (size_t i = 0; i < ARRAY_LEN(fractions); i++) {
			AUTO_DB_ROWS *found = NULL;
			ck_assert(readers_find(db, &news, (struct view){ 0 }, fractions[i], &reader, &found, &why) ==
				  ERR_OK);
			ck_view_eq(reader.address, "P4@x.test");
		}
		ck_assert(readers_find(db, &news, VIEW_LIT("p2@x.test"), 0, &reader, &rows, &why) == ERR_OK);
		ck_view_eq(reader.address, "P2@x.test");
		db_close(db);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { readers_are_active_members };
	return suite_of("readers", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
