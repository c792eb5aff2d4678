#include "store/fields.h"

#include <stdlib.h>

#include "base/limits.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

static void run_sql(struct db *db, const char *sql)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(db_run_script(db, view_of(sql), &why) == ERR_OK, "%s: %s", sql, buf_text(&why));
}

static const struct audience news = { .own_list = 1 };
static const char make_list[] =
    "INSERT INTO list (name, title, list_id, from_address) VALUES ('news', 'News', 'n.b.test', 'a@b.test')";

static void count_steps(void *user, uint64_t done, uint64_t total)
{
	size_t *steps = user;
	ck_assert_uint_le(done, total);
	++*steps;
}

static void ck_names(const struct db_rows *rows, const char *names)
{
	AUTO_BUF found = buf_with_ceiling(LIMIT_WHY);
	for (size_t i = 0; i < db_row_count(rows); i++)
		buf_addf(&found, "%s" VIEW_FMT, i == 0 ? "" : " ", VIEW_ARG(db_get_text(rows, i, 0)));
	ck_view_eq(buf_view(&found), names);
}

static const char nested[] =
    "INSERT INTO subscriber (address, address_key, name, attributes) VALUES"
    " ('a@x.test', 'a@x.test', 'A', '{\"city\": \"Oslo\", \"o\": {\"n\": 0}, \"B\": 1}'),"
    " ('b@x.test', 'b@x.test', '', '{\"city\": \"\", \"o\": {}}'),"
    " ('c@x.test', 'c@x.test', 'C', '{\"city\": null, \"orders\": [[{\"sku\": {\"a\": {\"b\": 1}}}], 3]}'),"
    " ('d@x.test', 'd@x.test', '', '{\"gone\": {\"too\": 1}}');"
    "INSERT INTO membership (list_id, subscriber_id, state, reason) SELECT 1, id,"
    " CASE WHEN id < 4 THEN 'active' ELSE 'removed' END::membership_state, 'x' FROM subscriber";

START_TEST(a_small_list_is_read_whole)
	{
		struct db *db = database_open();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		size_t steps = 0;
		bool are_all = false;
		const struct fields_scope scope = { .audience = &news, .progress = count_steps, .user = &steps };
		run_sql(db, make_list);
		AUTO_DB_ROWS *nobody = NULL;
		ck_assert(fields_of_some(db, &scope, &are_all, &nobody, &why) == ERR_OK);
		ck_assert(are_all && db_row_count(nobody) == 0);
		run_sql(db, nested);
		AUTO_DB_ROWS *some = NULL;
		AUTO_DB_ROWS *all = NULL;
		are_all = false;
		ck_assert_msg(fields_of_some(db, &scope, &are_all, &some, &why) == ERR_OK, "%s", buf_text(&why));
		ck_assert(are_all);
		ck_names(some, "B city o o.n orders orders.sku orders.sku.a orders.sku.a.b");
		ck_assert(fields_of_all(db, &scope, &all, &why) == ERR_OK);
		ck_names(all, "B city o o.n orders orders.sku orders.sku.a orders.sku.a.b");
		db_close(db);
	}
END_TEST

START_TEST(fields_that_are_empty_are_counted)
	{
		struct db *db = database_open();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		size_t steps = 0;
		const struct fields_scope scope = { .audience = &news, .progress = count_steps, .user = &steps };
		const struct view fields[] = { VIEW_LIT("city"), VIEW_LIT("name"), VIEW_LIT("o.n"), VIEW_LIT("none") };
		const int64_t counts[] = { 2, 1, 2, 3 };
		int64_t empty[ARRAY_LEN(fields)] = { 0 }, among = 0;
		bool of_all = false;
		run_sql(db, make_list);
		run_sql(db, nested);
		enum err err = fields_count_empty(db, &scope, &of_all, fields, ARRAY_LEN(fields), empty, &among, &why);
		ck_assert_msg(err == ERR_OK, "%s", buf_text(&why));
		ck_assert(of_all);
		ck_assert_int_eq(among, 3);
		for (size_t i = 0; i < ARRAY_LEN(counts); i++)
			ck_assert_int_eq(empty[i], counts[i]);
		db_close(db);
	}
END_TEST

/* Everybody has a plan, one in five a city; one in the middle has what nobody else has, and so has the newest. */
static const char many[] =
    "INSERT INTO subscriber (address, address_key, attributes) SELECT a, a, '{\"plan\": 1}' || CASE WHEN g % 5 = 1 THEN"
    " '{\"city\": \"Oslo\"}' WHEN g = 11075 THEN '{\"rare\": {\"in\": 1}}' WHEN g = 30000 THEN '{\"new\": 1}' ELSE "
    "'{}' END::jsonb"
    " FROM generate_series(1, 30000) AS g, LATERAL (SELECT 'p' || g || '@x.test' AS a) AS x;"
    "SET verpost.members_are_counted = on;"
    "INSERT INTO membership (list_id, subscriber_id) SELECT 1, id FROM subscriber;"
    "INSERT INTO member_change (list_id, state, people) VALUES (1, 'active', 30000)";

START_TEST(of_many_some_are_asked_and_all_when_wanted)
	{
		struct db *db = database_open();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		AUTO_DB_ROWS *some = NULL;
		AUTO_DB_ROWS *all = NULL;
		size_t steps = 0;
		bool are_all = true, of_all = false;
		const struct fields_scope scope = { .audience = &news, .progress = count_steps, .user = &steps };
		const struct view fields[] = { VIEW_LIT("city"), VIEW_LIT("rare.in") };
		int64_t empty[] = { 0, 0 }, among = 0;
		run_sql(db, make_list);
		run_sql(db, many);
		ck_assert_msg(fields_of_some(db, &scope, &are_all, &some, &why) == ERR_OK, "%s", buf_text(&why));
		ck_assert(!are_all && steps == 0);
		ck_names(some, "city new plan");
		ck_assert(fields_of_all(db, &scope, &all, &why) == ERR_OK);
		ck_names(all, "city new plan rare rare.in");
		ck_assert_uint_gt(steps, 0);
		ck_assert(fields_count_empty(db, &scope, &of_all, fields, 2, empty, &among, &why) == ERR_OK);
		ck_assert(!of_all);
		ck_assert_int_gt(among, 10000);
		ck_assert_int_lt(among, 30000);
		ck_assert_int_lt(llabs(empty[0] * 5 - among * 4), among / 4);
		of_all = true;
		empty[0] = empty[1] = among = 0;
		ck_assert(fields_count_empty(db, &scope, &of_all, fields, 2, empty, &among, &why) == ERR_OK);
		ck_assert_int_eq(among, 30000);
		ck_assert_int_eq(empty[0], 24000);
		ck_assert_int_eq(empty[1], 29999);
		db_close(db);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { a_small_list_is_read_whole, fields_that_are_empty_are_counted,
				       of_many_some_are_asked_and_all_when_wanted };
	return suite_of("fields", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
