#include "store/migrate.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/limits.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

#define ck_ok(call)                                                                                                    \
	do {                                                                                                           \
		enum err ck_err = (call);                                                                              \
		ck_assert_msg(ck_err == ERR_OK, "%s: %s", err_name(ck_err), buf_text(&why));                           \
	} while (0)

#define ck_says(text) ck_assert_msg(view_find(buf_view(&why), view_of(text)) != VIEW_NONE, "%s", buf_text(&why))

static const struct db_statement count_instances = { .name = "test_instances", .sql = "SELECT count(*) FROM instance" };
static const struct db_statement count_roles = {
	.name = "test_roles",
	.sql = "SELECT count(*) FROM pg_roles WHERE rolcanlogin AND NOT rolsuper"
	       " AND rolname IN ('verpost_sender', 'verpost_bounced')",
};

static int64_t number(struct db *db, const struct db_statement *statement)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	AUTO_DB_ROWS *rows = NULL;
	ck_ok(db_run(db, statement, NULL, 0, &rows, &why));
	ck_assert_uint_eq(db_row_count(rows), 1);
	return db_get_int(rows, 0, 0);
}

START_TEST(migrations_are_numbered)
	{
		for (size_t i = 0; i < migration_count; i++) {
			ck_assert_int_eq(migrations[i].version, (int)i + 1);
			ck_assert_uint_gt(strlen(migrations[i].name), 0);
			ck_assert_uint_lt(strlen(migrations[i].name), MIGRATE_NAME_SIZE);
			ck_assert_uint_gt(migrations[i].sql.len, 0);
			ck_assert(view_is_utf8(migrations[i].sql));
		}
		ck_assert_int_eq(migrate_program_version(), (int)migration_count);
	}
END_TEST

START_TEST(states_have_names)
	{
		for (size_t i = 0; i < MIGRATE_STATE_COUNT; i++)
			for (size_t j = 0; j < i; j++)
				ck_assert_str_ne(migrate_state_name((enum migrate_state)i),
						 migrate_state_name((enum migrate_state)j));
	}
END_TEST

START_TEST(init_makes_everything_once)
	{
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct db *db = database_connect(database_fresh());
		struct instance made = { 0 }, read = { 0 };
		ck_assert(instance_read(db, &read, &why) == ERR_NOT_FOUND);
		ck_assert_uint_eq(why.len, 0);
		ck_ok(migrate_init(db, &made, &why));
		ck_ok(instance_read(db, &read, &why));
		ck_assert_str_eq(made.id, read.id);
		ck_assert_uint_eq(strlen(made.id), INSTANCE_ID_SIZE - 1);
		ck_assert_int_eq(read.schema_version, migrate_program_version());
		ck_assert_int_eq(read.oldest_program, 1);
		ck_assert_int_gt(read.created_us, 0);
		ck_assert_int_eq(number(db, &count_roles), 2);
		ck_assert(migrate_init(db, &made, &why) == ERR_EXISTS);
		ck_says("initialised already");
		ck_says(read.id);
		ck_assert_int_eq(number(db, &count_instances), 1);
		db_close(db);
	}
END_TEST

START_TEST(what_was_applied_is_recorded)
	{
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct db *db = database_open();
		const struct db_statement statement = { .name = "test_recorded",
							.sql = "SELECT version, name, sha256, applied_at <= now()"
							       " FROM schema_migration ORDER BY version" };
		AUTO_DB_ROWS *rows = NULL;
		ck_ok(db_run(db, &statement, NULL, 0, &rows, &why));
		ck_assert_uint_eq(db_row_count(rows), migration_count);
		for (size_t i = 0; i < migration_count; i++) {
			unsigned char digest[DIGEST_SIZE];
			ck_assert(digest_of(migrations[i].sql, digest));
			ck_assert_int_eq(db_get_int(rows, i, 0), migrations[i].version);
			ck_view_eq(db_get_text(rows, i, 1), migrations[i].name);
			ck_assert(view_eq(db_get_text(rows, i, 2), view_from(digest, sizeof digest)));
			ck_assert(db_get_bool(rows, i, 3));
		}
		db_close(db);
	}
END_TEST

struct state_row {
	const char *label, *change;
	enum migrate_state state;
	enum err upgrade;
	const char *says;
};

static const struct state_row state_rows[] = {
	{ "as made", "SELECT 1", MIGRATE_CURRENT, ERR_OK, "" },
	{ "a newer migration",
	  "INSERT INTO schema_migration VALUES (999, 'later', sha256('x')); UPDATE instance SET schema_version = 999",
	  MIGRATE_AHEAD, ERR_OK, "" },
	{ "too new", "UPDATE instance SET oldest_program = 999", MIGRATE_TOO_NEW, ERR_REFUSED, "newer" },
	{ "altered", "UPDATE instance SET oldest_program = 1; UPDATE schema_migration SET sha256 = sha256('y')",
	  MIGRATE_ALTERED, ERR_REFUSED, "listctl db status" },
	/* The first migration's tables are there, so that applying it again fails and must leave nothing behind. */
	{ "one is missing", "DELETE FROM schema_migration", MIGRATE_BEHIND, ERR_IO, "already exists" },
	{ "nothing there", "DROP SCHEMA verpost CASCADE", MIGRATE_EMPTY, ERR_REFUSED, "listctl db init" },
};

START_TEST(states_and_upgrades)
	{
		struct db *db = database_open();
		for (size_t i = 0; i < ARRAY_LEN(state_rows); i++) {
			const struct state_row *row = &state_rows[i];
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			struct migrate_status status = { 0 };
			size_t applied = 99;
			ck_ok(db_run_script(db, view_of(row->change), &why));
			ck_ok(migrate_status(db, &status, &why));
			ck_assert_msg(status.state == row->state, "%s: %s", row->label,
				      migrate_state_name(status.state));
			ck_row(row->label, status.count >= migration_count && status.rows[0].known);
			ck_row(row->label, (status.rows[0].applied_us == 0) ==
					       (row->state == MIGRATE_BEHIND || row->state == MIGRATE_EMPTY));
			migrate_status_done(&status);
			migrate_status_done(&status);
			enum err err = migrate_upgrade(db, &applied, &why);
			ck_assert_msg(err == row->upgrade, "%s: %s %s", row->label, err_name(err), buf_text(&why));
			ck_row(row->label, applied == (err == ERR_OK ? 0 : 99));
			ck_says(row->says);
		}
		db_close(db);
	}
END_TEST

/* In a child: init, and how it ended as the exit status. */
static pid_t init_in_child(const char *conninfo)
{
	pid_t child = fork();
	if (child != 0)
		return child;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct instance instance;
	struct db *db = database_connect(conninfo);
	enum err err = migrate_init(db, &instance, &why);
	db_close(db);
	_exit((int)err);
}

START_TEST(several_who_begin_at_once)
	{
		const char *conninfo = database_fresh();
		pid_t children[4];
		int made = 0;
		for (size_t i = 0; i < ARRAY_LEN(children); i++)
			children[i] = init_in_child(conninfo);
		for (size_t i = 0; i < ARRAY_LEN(children); i++) {
			int status = 0;
			ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
			ck_assert(WIFEXITED(status));
			ck_assert(WEXITSTATUS(status) == ERR_OK || WEXITSTATUS(status) == ERR_EXISTS);
			made += WEXITSTATUS(status) == ERR_OK;
		}
		ck_assert_int_eq(made, 1);
		struct db *db = database_connect(conninfo);
		ck_assert_int_eq(number(db, &count_instances), 1);
		db_close(db);
	}
END_TEST

START_TEST(init_needs_the_right_to_it)
	{
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		AUTO_BUF where = buf_with_ceiling(LIMIT_WHY);
		struct instance instance;
		buf_addf(&where, "%s user=verpost_sender", database_fresh());
		struct db *db = database_connect(buf_text(&where));
		ck_assert(migrate_init(db, &instance, &why) == ERR_DENIED);
		ck_says("42501");
		ck_assert(instance_read(db, &instance, &why) == ERR_NOT_FOUND);
		db_close(db);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		migrations_are_numbered,      states_have_names,   init_makes_everything_once,
		what_was_applied_is_recorded, states_and_upgrades, several_who_begin_at_once,
		init_needs_the_right_to_it,
	};
	return suite_of("migrate", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
