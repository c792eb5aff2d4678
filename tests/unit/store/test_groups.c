#include "store/groups.h"

#include "base/limits.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

static struct domain_group find(struct db *db, const char *name, struct db_rows **rows)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	enum err err = groups_list(db, view_of(name), rows, &why);
	ck_assert_msg(err == ERR_OK, "%s", buf_text(&why));
	return groups_get(*rows, 0);
}

START_TEST(the_large_operators_are_there)
	{
		struct db *db = database_open();
		AUTO_DB_ROWS *rows = NULL, *domains = NULL;
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct domain_group gmail = find(db, "gmail", &rows);
		ck_assert_int_eq(gmail.domains, 2);
		ck_assert(view_eq(gmail.listed, VIEW_LIT("gmail.com googlemail.com")));
		ck_assert_int_eq(gmail.connections, 0);
		ck_assert(gmail.rate == 0);
		ck_assert(groups_domains(db, &domains, &why) == ERR_OK);
		ck_assert_uint_gt(db_row_count(domains), 60);
		db_close(db);
	}
END_TEST

START_TEST(a_group_is_made_changed_and_removed)
	{
		struct db *db = database_open();
		AUTO_DB_ROWS *rows = NULL, *again = NULL;
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct domain_group group = { .name = VIEW_LIT("hosted"), .connections = 3, .rate = 0.25 };
		ck_assert(groups_add(db, &group, &why) == ERR_OK);
		ck_assert(groups_add(db, &group, &why) == ERR_EXISTS);
		ck_assert(groups_add_domain(db, group.name, VIEW_LIT("a.test"), &why) == ERR_OK);
		ck_assert(groups_add_domain(db, group.name, VIEW_LIT("a.test"), &why) == ERR_OK);
		ck_assert(groups_add_domain(db, group.name, VIEW_LIT("gmail.com"), &why) == ERR_EXISTS);
		ck_assert(view_find(buf_view(&why), VIEW_LIT("group gmail")) != VIEW_NONE);
		struct domain_group found = find(db, "hosted", &rows);
		ck_assert_int_eq(found.connections, 3);
		ck_assert(found.rate == 0.25);
		ck_assert(view_eq(found.listed, VIEW_LIT("a.test")));
		group.connections = 0;
		group.rate = 0;
		ck_assert(groups_edit(db, &group, &why) == ERR_OK);
		ck_assert(groups_remove_domain(db, group.name, VIEW_LIT("a.test"), &why) == ERR_OK);
		ck_assert(groups_remove_domain(db, group.name, VIEW_LIT("a.test"), &why) == ERR_NOT_FOUND);
		found = find(db, "hosted", &again);
		ck_assert_int_eq(found.connections, 0);
		ck_assert(found.rate == 0);
		ck_assert_int_eq(found.domains, 0);
		ck_assert(groups_remove(db, group.name, &why) == ERR_OK);
		ck_assert(groups_remove(db, group.name, &why) == ERR_NOT_FOUND);
		ck_assert(groups_edit(db, &group, &why) == ERR_NOT_FOUND);
		ck_assert(groups_add_domain(db, group.name, VIEW_LIT("a.test"), &why) == ERR_NOT_FOUND);
		db_close(db);
	}
END_TEST

static void run_sql(struct db *db, const char *sql)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(db_run_script(db, view_of(sql), &why) == ERR_OK, "%s: %s", sql, buf_text(&why));
}

/* One waits for what each of these keys is about; of those whose reason has gone the time has come. */
START_TEST(who_waited_for_a_removed_group_looks_again)
	{
		static const struct db_statement due = { "unit_due",
							 "SELECT string_agg(waits_for, ' ' ORDER BY waits_for), "
							 "(SELECT string_agg(key, ' ' ORDER BY key)"
							 " FROM budget) FROM deferral WHERE next_attempt_at <= now()" };
		struct db *db = database_open();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		AUTO_DB_ROWS *rows = NULL;
		run_sql(
		    db,
		    "INSERT INTO list (name, title, list_id, from_address) VALUES ('news', 'N', 'n.b.test', "
		    "'a@b.test');"
		    " INSERT INTO campaign (name, list_id, subject, from_address, text_body, state)"
		    " VALUES ('c', 1, 's', 'a@b.test', 't', 'draft');"
		    " INSERT INTO warmup (relay, group_id, first, growth, until) SELECT r.relay, g.id, 10, 1.5, 100"
		    " FROM domain_group g, unnest(ARRAY['one', NULL]) AS r(relay) WHERE g.name IN ('gmail', 'apple')"
		    " ORDER BY g.name DESC, r.relay;"
		    " INSERT INTO budget (key) SELECT unnest(ARRAY['group:gmail', 'group:apple'])"
		    " UNION ALL SELECT 'warmup:' || id FROM warmup;"
		    " INSERT INTO subscriber (address, address_key) SELECT n || '@x.test', n || '@x.test'"
		    " FROM generate_series(1, 6) AS n;"
		    " INSERT INTO deferral (campaign_id, subscriber_id, state, attempts, next_attempt_at, waits_for,"
		    " key_id, day, date_at) SELECT 1, row_number() OVER (ORDER BY key), 'deferred', 0,"
		    " now() + interval '9 hours', key, 0, 1, now() FROM budget");
		ck_assert(groups_remove(db, VIEW_LIT("gmail"), &why) == ERR_OK);
		ck_assert_msg(db_run(db, &due, NULL, 0, &rows, &why) == ERR_OK, "%s", buf_text(&why));
		ck_view_eq(db_get_text(rows, 0, 0), "group:gmail warmup:1 warmup:2");
		ck_view_eq(db_get_text(rows, 0, 1), "group:apple warmup:3 warmup:4");
		db_close(db);
	}
END_TEST

START_TEST(a_bad_name_is_refused)
	{
		struct db *db = database_open();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		const struct domain_group group = { .name = VIEW_LIT("No Name") };
		ck_assert(groups_add(db, &group, &why) == ERR_REFUSED);
		ck_assert(view_find(buf_view(&why), VIEW_LIT("no name for a group")) != VIEW_NONE);
		db_close(db);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { the_large_operators_are_there, a_group_is_made_changed_and_removed,
				       who_waited_for_a_removed_group_looks_again, a_bad_name_is_refused };
	return suite_of("groups", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
