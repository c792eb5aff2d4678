#include "store/lists.h"

#include "base/limits.h"
#include "store/subscribers.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

enum { PEOPLE = 200, LISTS = 3, CHANGES = 3000, ROWS_MOST = 1500 };

static void run(struct db *db, const char *sql)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(db_run_script(db, view_of(sql), &why) == ERR_OK, "%s: %s", sql, buf_text(&why));
}

static int64_t number(struct db *db, const struct db_statement *statement, const struct db_value *values, size_t count)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	AUTO_DB_ROWS *rows = NULL;
	ck_assert_msg(db_run(db, statement, values, count, &rows, &why) == ERR_OK, "%s", buf_text(&why));
	return db_get_int(rows, 0, 0);
}

static const struct db_statement one_by_one = {
	.name = "count_one_by_one",
	.sql = "SELECT count(*) FROM membership WHERE list_id = $1::bigint AND state = $2::text::membership_state",
};
static const struct db_statement rows_kept = { .name = "rows_kept", .sql = "SELECT count(*) FROM member_change" };

static void make_lists(struct db *db)
{
	run(db, "INSERT INTO list (name, title, list_id, from_address) SELECT 'list-' || n, 't', n || '.example.org', "
		"'a@example.org'"
		" FROM generate_series(1, 3) AS n");
	run(db, "INSERT INTO subscriber (address, address_key) SELECT a, a FROM generate_series(1, 200) AS n,"
		" LATERAL (SELECT n || '@example.net' AS a) AS x");
}

/* One statement that changes some memberships, of one or of all lists. */
static void change_some(struct db *db, unsigned choice)
{
	static const char *const changes[] = {
		"INSERT INTO membership (list_id, subscriber_id) SELECT l.id, s.id FROM list l, subscriber s"
		" WHERE s.id % 7 = %1$u % 7 ON CONFLICT DO NOTHING",
		"INSERT INTO membership (list_id, subscriber_id, state) SELECT l.id, s.id, 'unconfirmed' FROM list l, "
		"subscriber s"
		" WHERE l.id = 1 + %1$u % 3 AND s.id % 11 = %1$u % 11 ON CONFLICT DO NOTHING",
		"UPDATE membership SET state = 'unsubscribed', reason = 'mailto' WHERE subscriber_id = 1 + %1$u % 200",
		"UPDATE membership SET state = 'disabled', reason = 'user-unknown' WHERE subscriber_id % 13 = %1$u % "
		"13",
		"UPDATE membership SET state = 'active' WHERE list_id = 1 + %1$u % 3 AND subscriber_id % 5 = %1$u % 5",
		"UPDATE membership SET reason = 'import' WHERE subscriber_id % 3 = 0",
		"DELETE FROM membership WHERE subscriber_id % 17 = %1$u % 17",
		"UPDATE membership SET list_id = 2 WHERE list_id = 1 AND subscriber_id = 1 + %1$u % 200"
		" AND subscriber_id NOT IN (SELECT subscriber_id FROM membership WHERE list_id = 2)",
	};
	AUTO_BUF sql = buf_with_ceiling(LIMIT_WHY);
	for (const char *at = changes[choice % ARRAY_LEN(changes)]; *at != '\0'; at++) {
		if (at[0] == '%' && at[1] == '1') {
			buf_add_u64(&sql, choice / ARRAY_LEN(changes));
			at += 3;
		} else {
			buf_add_byte(&sql, *at);
		}
	}
	run(db, buf_text(&sql));
}

/* What lists_counted() and members_count() say, beside the memberships counted one by one. */
static void check_counts(struct db *db)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	AUTO_DB_ROWS *rows = NULL;
	ck_assert_int_eq(lists_counted(db, VIEW_LIT(""), &rows, &why), ERR_OK);
	ck_assert_uint_eq(db_row_count(rows), LISTS);
	for (size_t i = 0; i < LISTS; i++) {
		const struct list list = lists_get(rows, i);
		const struct {
			const char *state;
			int64_t people;
		} said[] = { { "active", list.active },
			     { "unconfirmed", list.unconfirmed },
			     { "unsubscribed", list.unsubscribed },
			     { "disabled", list.disabled },
			     { "removed", list.removed } };
		for (size_t j = 0; j < ARRAY_LEN(said); j++) {
			const struct db_value values[] = { db_int(list.id), db_text(view_of(said[j].state)) };
			int64_t there = number(db, &one_by_one, values, ARRAY_LEN(values));
			ck_assert_msg(said[j].people == there, "list %lld, %s: %lld said, %lld there",
				      (long long)list.id, said[j].state, (long long)said[j].people, (long long)there);
			uint64_t counted;
			ck_assert_int_eq(members_count(db, list.id, view_of(said[j].state), &counted, &why), ERR_OK);
			ck_assert_int_eq((int64_t)counted, there);
		}
	}
}

START_TEST(counts_follow_every_change)
	{
		struct db *db = database_open();
		make_lists(db);
		check_counts(db);
		for (unsigned i = 0; i < CHANGES; i++) {
			change_some(db, i * 2654435761U >> 7);
			if (i % 250 == 0)
				check_counts(db);
		}
		check_counts(db);
		ck_assert_int_lt(number(db, &rows_kept, NULL, 0), ROWS_MOST);
		db_close(db);
	}
END_TEST

/* One folds and changes, and has not committed, while the other does the same: neither waits, and both are right. */
START_TEST(counts_of_two_at_once)
	{
		struct db *one = database_open();
		struct db *other = database_connect(database_last());
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		make_lists(one);
		change_some(one, 0);
		run(other, "SET lock_timeout = '5s'");
		ck_assert_int_eq(db_begin(one, &why), ERR_OK);
		run(one, "UPDATE membership SET state = 'unsubscribed', reason = 'mailto' WHERE subscriber_id = 7");
		run(one, "SELECT fold_member_changes()");
		run(other, "DELETE FROM membership WHERE subscriber_id = 14");
		run(other, "SELECT fold_member_changes()");
		check_counts(other);
		check_counts(one);
		ck_assert_int_eq(db_commit(one, &why), ERR_OK);
		check_counts(other);
		ck_assert_int_eq(db_begin(one, &why), ERR_OK);
		run(one, "DELETE FROM membership");
		run(one, "SELECT fold_member_changes()");
		db_rollback(one);
		check_counts(one);
		db_close(other);
		db_close(one);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { counts_follow_every_change, counts_of_two_at_once };
	return suite_of("lists", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
