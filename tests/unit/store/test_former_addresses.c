#include "store/former_addresses.h"

#include "base/limits.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

static void script(struct db *db, const char *sql)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(db_run_script(db, view_of(sql), &why) == ERR_OK, "%s: %s", buf_text(&why), sql);
}

#define MOVE(person, address, canonical)                                                                               \
	"UPDATE subscriber SET address = '" address "', address_key = '" address "', canonical = " canonical           \
	" WHERE id = " person ";"

/* What has happened to 1, who begins as a.b@gmail.com, and to 2, who begins as bob@x.test; then whose former address it is. */
static const struct {
	const char *label, *moves, *key, *canonical, *found; /* found: the present address; NULL: nobody's */
} rows[] = {
	{ "nobody has moved", "SELECT", "bob@x.test", "", NULL },
	{ "never anybody's", MOVE("1", "ann@x.test", "NULL"), "cem@x.test", "", NULL },
	{ "by its key", MOVE("2", "bob@y.test", "NULL"), "bob@x.test", "", "bob@y.test" },
	{ "by another spelling", MOVE("1", "ann@x.test", "NULL"), "ab+1@gmail.com", "ab@gmail.com", "ann@x.test" },
	{ "by the mailbox itself", MOVE("1", "ann@x.test", "NULL"), "ab@gmail.com", "", "ann@x.test" },
	{ "twice", MOVE("1", "ann@x.test", "NULL") MOVE("1", "ann@y.test", "NULL"), "a.b@gmail.com", "ab@gmail.com",
	  "ann@y.test" },
	{ "moved back", MOVE("2", "bob@y.test", "NULL") MOVE("2", "bob@x.test", "NULL"), "bob@x.test", "", NULL },
	{ "left after moving back", MOVE("2", "bob@y.test", "NULL") MOVE("2", "bob@x.test", "NULL"), "bob@y.test", "",
	  "bob@x.test" },
	{ "within the mailbox", MOVE("1", "ab@gmail.com", "NULL"), "a.b@gmail.com", "ab@gmail.com", NULL },
	{ "somebody else's now", MOVE("2", "bob@y.test", "NULL") MOVE("1", "bob@x.test", "NULL"), "bob@x.test", "",
	  NULL },
	{ "somebody else's, and left by them too",
	  MOVE("2", "bob@y.test", "NULL") MOVE("1", "bob@x.test", "NULL") MOVE("1", "ann@y.test", "NULL"), "bob@x.test",
	  "", "ann@y.test" },
	{ "the person is gone", MOVE("2", "bob@y.test", "NULL") "DELETE FROM subscriber WHERE id = 2", "bob@x.test", "",
	  NULL },
	{ "only the way of writing it", "UPDATE subscriber SET address = 'Bob@x.test' WHERE id = 2", "bob@x.test", "",
	  NULL },
};

START_TEST(whose_it_was)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct db *db = database_open();
			AUTO_DB_ROWS *found = NULL;
			struct former_address former;
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			script(db, "INSERT INTO subscriber (address, address_key, canonical) VALUES"
				   " ('a.b@gmail.com', 'a.b@gmail.com', 'ab@gmail.com'),"
				   " ('bob@x.test', 'bob@x.test', NULL)");
			script(db, rows[i].moves);
			enum err err = former_addresses_find(db, view_of(rows[i].key), view_of(rows[i].canonical),
							     &found, &former, &why);
			ck_assert_msg(err == (rows[i].found == NULL ? ERR_NOT_FOUND : ERR_OK), "%s: %s %s",
				      rows[i].label, err_name(err), buf_text(&why));
			if (err == ERR_OK)
				ck_assert_msg(view_eq(former.address, view_of(rows[i].found)), "%s", rows[i].label);
			db_close(db);
		}
	}
END_TEST

/* More than are read together. */
START_TEST(all_are_loaded)
	{
		struct db *db = database_open();
		struct import_filter *filter = NULL;
		ck_assert_int_eq(former_addresses_load(db, &filter, NULL), ERR_OK);
		ck_assert_ptr_null(filter);
		script(db, "INSERT INTO subscriber (address, address_key) SELECT a, a FROM"
			   " (SELECT 'p' || i || '@x.test' AS a FROM generate_series(1, 20001) AS i) AS x;"
			   "UPDATE subscriber SET address_key = 'new' || address_key, address = 'new' || address");
		ck_assert_int_eq(former_addresses_load(db, &filter, NULL), ERR_OK);
		ck_assert_ptr_nonnull(filter);
		ck_assert(import_filter_may_have(filter, VIEW_LIT("p1@x.test")));
		ck_assert(import_filter_may_have(filter, VIEW_LIT("p10001@x.test")));
		ck_assert(import_filter_may_have(filter, VIEW_LIT("p20001@x.test")));
		ck_assert(!import_filter_may_have(filter, VIEW_LIT("newp1@x.test")));
		import_filter_free(filter);
		db_close(db);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { whose_it_was, all_are_loaded };
	return suite_of("former_addresses", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
