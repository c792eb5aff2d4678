#include "store/db.h"

#include <float.h>
#include <signal.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/limits.h"
#include "store/instance.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

/* What a server says goes into the failed check. */
#define ck_ok(call)                                                                                                    \
	do {                                                                                                           \
		enum err ck_err = (call);                                                                              \
		ck_assert_msg(ck_err == ERR_OK, "%s: %s", err_name(ck_err), buf_text(&why));                           \
	} while (0)

static struct db_rows *one_row(struct db *db, const struct db_statement *statement, const struct db_value *values,
			       size_t count)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct db_rows *rows = NULL;
	ck_ok(db_run(db, statement, values, count, &rows, &why));
	ck_assert_uint_eq(db_row_count(rows), 1);
	return rows;
}

/* ---- values there and back ---- */

/* A view in a table: without VIEW_LIT's cast it is a constant. */
#define TEXT(literal)                                                                                                  \
	{                                                                                                              \
		.data = (literal), .len = sizeof(literal) - 1                                                          \
	}

struct value_row {
	const char *label, *sql, *text;
	struct db_value value;
};

static const struct value_row value_rows[] = {
	{ "bigint", "SELECT ($1::bigint)::text", "-9223372036854775808", { .type = DB_INT, .number = INT64_MIN } },
	{ "integer", "SELECT ($1::integer)::text", "-7", { .type = DB_INT, .number = -7 } },
	{ "smallint", "SELECT ($1::smallint)::text", "32767", { .type = DB_INT, .number = 32767 } },
	{ "a number as numeric", "SELECT ($1::numeric)::text", "42", { .type = DB_INT, .number = 42 } },
	{ "true", "SELECT ($1::boolean)::text", "true", { .type = DB_BOOL, .number = 1 } },
	{ "text", "SELECT $1::text", "a\\'\"\xc3\xa9", { .type = DB_TEXT, .bytes = TEXT("a\\'\"\xc3\xa9") } },
	{ "empty text", "SELECT $1::text || '.'", ".", { .type = DB_TEXT } },
	{ "bytes", "SELECT encode($1::bytea, 'hex')", "00ff", { .type = DB_BYTES, .bytes = TEXT("\0\xff") } },
	{ "a uuid by its text",
	  "SELECT ($1::uuid)::text",
	  "0a0b0c0d-0e0f-1011-1213-141516171819",
	  { .type = DB_TEXT, .bytes = TEXT("0A0B0C0D-0E0F-1011-1213-141516171819") } },
	{ "jsonb by its text",
	  "SELECT $1::jsonb ->> 'a'",
	  "b\"",
	  { .type = DB_TEXT, .bytes = TEXT("{\"a\":\"b\\\"\"}") } },
	{ "an enum by its label",
	  "SELECT ($1::delivery_outcome)::text",
	  "refused",
	  { .type = DB_TEXT, .bytes = TEXT("refused") } },
	{ "an interval by its text",
	  "SELECT extract(epoch FROM $1::interval)::bigint::text",
	  "5400",
	  { .type = DB_TEXT, .bytes = TEXT("90 minutes") } },
	{ "a time",
	  "SELECT to_char($1::timestamptz, 'YYYY-MM-DD HH24:MI:SS.US')",
	  "1970-01-02 00:00:00.000001",
	  { .type = DB_TIME, .number = INT64_C(86400000001) } },
	{ "null", "SELECT coalesce($1::text, 'nothing')", "nothing", { .type = DB_NULL } },
};

START_TEST(values_arrive)
	{
		struct db *db = database_open();
		struct db_statement statements[ARRAY_LEN(value_rows)]; /* as long as the connection */
		for (size_t i = 0; i < ARRAY_LEN(value_rows); i++) {
			const struct value_row *row = &value_rows[i];
			statements[i] = (struct db_statement){ .name = row->label, .sql = row->sql };
			AUTO_DB_ROWS *rows = one_row(db, &statements[i], &row->value, 1);
			struct view got = db_get_text(rows, 0, 0);
			ck_assert_msg(view_eq(got, view_of(row->text)), "%s: got \"" VIEW_FMT "\"", row->label,
				      VIEW_ARG(got));
		}
		db_close(db);
	}
END_TEST

static const struct db_statement all_types = {
	.name = "test_all_types",
	.sql = "SELECT 1::smallint, -2::integer, 3::bigint, true, '2000-01-01 00:00:00+00'::timestamptz,"
	       " 1.5::double precision, 2.5::real, 12345678.25::numeric, 'text'::text, '\\x00ff'::bytea,"
	       " '0a0b0c0d-0e0f-1011-1213-141516171819'::uuid, 'skipped'::delivery_outcome, '{\"a\": 1}'::jsonb,"
	       " NULL::text, NULL::uuid, 'infinity'::timestamptz, (-0.0625)::numeric, NULL::bigint, 0::numeric",
};

START_TEST(results_are_read)
	{
		struct db *db = database_open();
		AUTO_DB_ROWS *rows = one_row(db, &all_types, NULL, 0);
		ck_assert_int_eq(db_get_int(rows, 0, 0), 1);
		ck_assert_int_eq(db_get_int(rows, 0, 1), -2);
		ck_assert_int_eq(db_get_int(rows, 0, 2), 3);
		ck_assert(db_get_bool(rows, 0, 3));
		ck_assert_int_eq(db_get_time(rows, 0, 4), INT64_C(946684800000000));
		ck_assert_double_eq_tol(db_get_double(rows, 0, 5), 1.5, DBL_EPSILON);
		ck_assert_double_eq_tol(db_get_double(rows, 0, 6), 2.5, DBL_EPSILON);
		ck_assert_double_eq_tol(db_get_double(rows, 0, 7), 12345678.25, 1e-9);
		ck_view_eq(db_get_text(rows, 0, 8), "text");
		ck_assert(view_eq(db_get_text(rows, 0, 9), VIEW_LIT("\0\xff")));
		ck_view_eq(db_get_text(rows, 0, 10), "0a0b0c0d-0e0f-1011-1213-141516171819");
		ck_view_eq(db_get_text(rows, 0, 11), "skipped");
		ck_view_eq(db_get_text(rows, 0, 12), "{\"a\": 1}");
		ck_assert(db_is_null(rows, 0, 13) && db_get_text(rows, 0, 13).len == 0);
		ck_assert(db_is_null(rows, 0, 14) && db_get_text(rows, 0, 14).len == 0);
		ck_assert_int_eq(db_get_time(rows, 0, 15), INT64_MAX);
		ck_assert_double_eq_tol(db_get_double(rows, 0, 16), -0.0625, DBL_EPSILON);
		ck_assert(db_is_null(rows, 0, 17) && db_get_int(rows, 0, 17) == 0);
		ck_assert_double_eq_tol(db_get_double(rows, 0, 18), 0, DBL_EPSILON);
		ck_assert_double_eq_tol(db_get_double(rows, 0, 2), 3, DBL_EPSILON);
		db_close(db);
	}
END_TEST

static const struct db_statement uuid_pairs = {
	.name = "test_uuid_pairs",
	.sql = "SELECT md5(n::text)::uuid, n, md5('x' || n)::uuid, md5(n::text), md5('x' || n)"
	       " FROM generate_series(1, 5) AS n ORDER BY n",
};

START_TEST(uuids_of_many_rows)
	{
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct db *db = database_open();
		AUTO_DB_ROWS *rows = NULL;
		ck_ok(db_run(db, &uuid_pairs, NULL, 0, &rows, &why));
		ck_assert_uint_eq(db_row_count(rows), 5);
		for (size_t row = 0; row < 5; row++) {
			for (size_t column = 0; column <= 2; column += 2) {
				struct view uuid = db_get_text(rows, row, column);
				struct view md5 = db_get_text(rows, row, 3 + column / 2);
				ck_assert_uint_eq(uuid.len, 36);
				ck_assert(view_eq(view_head(uuid, 8), view_head(md5, 8)));
				ck_assert(view_eq(view_skip(uuid, 24), view_skip(md5, 20)));
			}
		}
		db_close(db);
	}
END_TEST

/* ---- arrays ---- */

static const struct db_statement unnest_all = {
	.name = "test_unnest",
	.sql = "SELECT string_agg(concat_ws(':', coalesce(i::text, '-'), coalesce(t, '-'), coalesce(encode(b, 'hex'), "
	       "'-'),"
	       " coalesce(extract(epoch FROM at)::bigint::text, '-'), coalesce(f::text, '-')), ' ' ORDER BY n)"
	       " FROM unnest($1::bigint[], $2::text[], $3::bytea[], $4::timestamptz[], $5::boolean[])"
	       " WITH ORDINALITY AS u(i, t, b, at, f, n)",
};

START_TEST(arrays_arrive)
	{
		struct db *db = database_open();
		const enum db_type types[] = { DB_INT, DB_TEXT, DB_BYTES, DB_TIME, DB_BOOL };
		struct db_array arrays[ARRAY_LEN(types)];
		struct db_value values[ARRAY_LEN(types)];
		for (size_t i = 0; i < ARRAY_LEN(types); i++) {
			arrays[i] = db_array_of(types[i]);
			values[i] = db_values(&arrays[i]);
		}
		db_array_add_int(&arrays[0], -5);
		db_array_add_bytes(&arrays[1], view_of("a,\"\\{}"));
		db_array_add_bytes(&arrays[2], VIEW_LIT("\0\1"));
		db_array_add_int(&arrays[3], 60 * INT64_C(1000000));
		db_array_add_int(&arrays[4], 7);
		for (size_t i = 0; i < ARRAY_LEN(types); i++)
			db_array_add_null(&arrays[i]);
		db_array_add_int(&arrays[0], INT64_MAX);
		db_array_add_bytes(&arrays[1], view_of(""));
		db_array_add_bytes(&arrays[2], view_of(""));
		db_array_add_int(&arrays[3], 0);
		db_array_add_int(&arrays[4], 0);
		AUTO_DB_ROWS *rows = one_row(db, &unnest_all, values, ARRAY_LEN(values));
		ck_view_eq(db_get_text(rows, 0, 0), "-5:a,\"\\{}:0001:60:true -:-:-:-:- 9223372036854775807:::0:false");
		for (size_t i = 0; i < ARRAY_LEN(types); i++)
			db_array_done(&arrays[i]);
		db_close(db);
	}
END_TEST

static const struct db_statement other_arrays = {
	.name = "test_other_arrays",
	.sql = "SELECT $1::delivery_outcome[]::text, $2::uuid[]::text, $3::integer[]::text, ($4::jsonb[])[1] ->> 'a',"
	       " cardinality($5::bigint[])::text",
};

START_TEST(arrays_of_types_known_by_their_text)
	{
		struct db *db = database_open();
		AUTO_DB_ARRAY outcomes = db_array_of(DB_TEXT);
		AUTO_DB_ARRAY uuids = db_array_of(DB_TEXT);
		AUTO_DB_ARRAY numbers = db_array_of(DB_INT);
		AUTO_DB_ARRAY objects = db_array_of(DB_TEXT);
		AUTO_DB_ARRAY none = db_array_of(DB_INT);
		db_array_add_bytes(&outcomes, view_of("accepted"));
		db_array_add_null(&outcomes);
		db_array_add_bytes(&uuids, view_of("0a0b0c0d-0e0f-1011-1213-141516171819"));
		db_array_add_int(&numbers, -3);
		db_array_add_int(&numbers, 4);
		db_array_add_bytes(&objects, view_of("{\"a\": \"x\\\\y\\\"z\"}"));
		const struct db_value values[] = { db_values(&outcomes), db_values(&uuids), db_values(&numbers),
						   db_values(&objects), db_values(&none) };
		AUTO_DB_ROWS *rows = one_row(db, &other_arrays, values, ARRAY_LEN(values));
		ck_view_eq(db_get_text(rows, 0, 0), "{accepted,NULL}");
		ck_view_eq(db_get_text(rows, 0, 1), "{0a0b0c0d-0e0f-1011-1213-141516171819}");
		ck_view_eq(db_get_text(rows, 0, 2), "{-3,4}");
		ck_view_eq(db_get_text(rows, 0, 3), "x\\y\"z");
		ck_view_eq(db_get_text(rows, 0, 4), "0");
		db_close(db);
	}
END_TEST

static const struct db_statement some_numbers = {
	.name = "test_numbers",
	.sql = "SELECT ARRAY[-7, 0, 9223372036854775807]::bigint[], '{}'::bigint[], NULL::bigint[]",
};

START_TEST(arrays_are_read)
	{
		struct db *db = database_open();
		AUTO_DB_ROWS *rows = one_row(db, &some_numbers, NULL, 0);
		const struct db_ints some = db_get_ints(rows, 0, 0);
		ck_assert_uint_eq(some.count, 3);
		ck_assert(db_int_at(&some, 0) == -7 && db_int_at(&some, 1) == 0 && db_int_at(&some, 2) == INT64_MAX);
		ck_assert_uint_eq(db_get_ints(rows, 0, 1).count, 0);
		ck_assert_uint_eq(db_get_ints(rows, 0, 2).count, 0);
		db_close(db);
	}
END_TEST

/* ---- failures by SQLSTATE ---- */

struct failure_row {
	const char *label, *sql;
	enum err err;
	const char *sqlstate;
};

static const struct failure_row failures[] = {
	{ "unique", "INSERT INTO relay (name, socket) VALUES ('r', '/r'), ('r', '/s')", ERR_EXISTS, "23505" },
	{ "check", "INSERT INTO relay (name, socket) VALUES ('r', 'r')", ERR_REFUSED, "23514" },
	{ "foreign key", "INSERT INTO membership (list_id, subscriber_id) VALUES (7, 7)", ERR_REFUSED, "23503" },
	{ "bad value", "SELECT ('x' || clock_timestamp())::integer", ERR_INVALID, "22P02" },
	{ "division", "SELECT 1 / (extract(epoch FROM now())::integer * 0)", ERR_INVALID, "22012" },
	{ "raised", "SELECT make_campaign_block(-1)", ERR_REFUSED, "P0001" },
	{ "no such table", "SELECT * FROM no_such_table", ERR_IO, "42P01" },
	{ "grammar", "SELEKT 1", ERR_IO, "42601" },
};

START_TEST(failures_have_names)
	{
		struct db *db = database_open();
		struct db_statement statements[ARRAY_LEN(failures)];
		for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
			const struct failure_row *row = &failures[i];
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			statements[i] = (struct db_statement){ .name = row->label, .sql = row->sql };
			enum err err = db_run(db, &statements[i], NULL, 0, NULL, &why);
			ck_assert_msg(err == row->err, "%s: %s", row->label, err_name(err));
			ck_assert_str_eq(db_sqlstate(db), row->sqlstate);
			ck_row(row->label, view_find(buf_view(&why), view_of(row->sqlstate)) != VIEW_NONE);
			ck_row(row->label, db_run(db, &statements[i], NULL, 0, NULL, NULL) == row->err);
			ck_row(row->label, db_is_connected(db));
		}
		db_close(db);
	}
END_TEST

static const struct db_statement take_two = { .name = "test_take_two", .sql = "SELECT $1::integer, $2::uuid" };

START_TEST(values_that_cannot_be_bound)
	{
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct db *db = database_open();
		const struct db_value wide[] = { db_int(INT64_C(1) << 40), db_null() };
		const struct db_value nul[] = { db_int(1), db_text(VIEW_LIT("0a0b0c0d\0")) };
		const struct db_value time[] = { db_time(0), db_null() };
		const struct db_value good[] = { db_int(1), db_null() };
		ck_assert(db_run(db, &take_two, wide, 2, NULL, &why) == ERR_INVALID);
		ck_assert(db_run(db, &take_two, nul, 2, NULL, &why) == ERR_INVALID);
		ck_assert(db_run(db, &take_two, time, 2, NULL, &why) == ERR_INVALID);
		ck_ok(db_run(db, &take_two, good, 2, NULL, &why));
		db_close(db);
	}
END_TEST

/* ---- transactions and COPY ---- */

static const struct db_statement add_relay = {
	.name = "test_add_relay",
	.sql = "INSERT INTO relay (name, socket) VALUES ($1, '/s')",
};
static const struct db_statement count_relays = { .name = "test_count", .sql = "SELECT count(*) FROM relay" };

static int64_t relays(struct db *db)
{
	AUTO_DB_ROWS *rows = one_row(db, &count_relays, NULL, 0);
	return db_get_int(rows, 0, 0);
}

START_TEST(transactions_end_as_told)
	{
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct db *db = database_open();
		const struct db_value a = db_text(view_of("a")), b = db_text(view_of("b"));
		struct db_rows *rows = NULL;
		ck_ok(db_begin(db, &why));
		ck_ok(db_run(db, &add_relay, &a, 1, &rows, &why));
		ck_assert_uint_eq(db_changed(rows), 1);
		db_rows_done(rows);
		db_rollback(db);
		db_rollback(db);
		ck_assert_int_eq(relays(db), 0);
		ck_ok(db_begin(db, &why));
		ck_ok(db_run(db, &add_relay, &a, 1, NULL, &why));
		ck_ok(db_commit(db, &why));
		ck_assert_int_eq(relays(db), 1);
		ck_ok(db_begin(db, &why));
		ck_ok(db_run(db, &add_relay, &b, 1, NULL, &why));
		ck_assert(db_run(db, &add_relay, &a, 1, NULL, &why) == ERR_EXISTS);
		ck_assert_msg(db_commit(db, &why) == ERR_REFUSED, "a failed transaction must not look committed");
		ck_assert_int_eq(relays(db), 1);
		ck_ok(db_begin_snapshot(db, &why));
		ck_assert_int_eq(relays(db), 1);
		db_rollback(db);
		db_close(db);
	}
END_TEST

START_TEST(what_can_wait_goes_with_the_next)
	{
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct db *db = database_open();
		const struct db_value a = db_text(view_of("a")), b = db_text(view_of("b")), c = db_text(view_of("c"));
		ck_ok(db_begin(db, &why));
		ck_ok(db_run_later(db, &add_relay, &a, 1, &why));
		ck_assert_int_eq(relays(db), 1);
		ck_ok(db_run_later(db, &add_relay, &b, 1, &why));
		ck_ok(db_commit(db, &why));
		ck_assert_int_eq(relays(db), 2);
		ck_ok(db_begin(db, &why));
		ck_ok(db_run_later(db, &add_relay, &c, 1, &why));
		db_rollback(db);
		ck_assert_int_eq(relays(db), 2);
		db_close(db);
	}
END_TEST

START_TEST(what_fails_later_is_told_by_the_next)
	{
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct db *db = database_open();
		const struct db_value a = db_text(view_of("a")), b = db_text(view_of("b"));
		struct db_rows *rows = NULL;
		ck_ok(db_run(db, &add_relay, &a, 1, NULL, &why));
		ck_ok(db_begin(db, &why));
		ck_ok(db_run_later(db, &add_relay, &a, 1, &why));
		ck_assert(db_run(db, &add_relay, &b, 1, &rows, &why) == ERR_EXISTS);
		ck_assert_str_eq(db_sqlstate(db), "23505");
		ck_assert_ptr_null(rows);
		ck_assert(db_commit(db, &why) == ERR_REFUSED);
		ck_ok(db_begin(db, &why));
		ck_ok(db_run_later(db, &add_relay, &a, 1, &why));
		ck_assert_msg(db_commit(db, &why) == ERR_EXISTS, "what failed must not look committed");
		db_rollback(db);
		ck_assert_int_eq(relays(db), 1);
		ck_ok(db_begin(db, &why));
		ck_ok(db_run_later(db, &add_relay, &b, 1, &why));
		database_control("stop");
		ck_assert(db_commit(db, &why) == ERR_UNAVAILABLE);
		db_rollback(db);
		database_control("start");
		ck_ok(db_reconnect(db, &why));
		ck_assert_int_eq(relays(db), 1);
		db_close(db);
	}
END_TEST

START_TEST(two_go_together_and_both_answer)
	{
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct db *db = database_open();
		static const struct db_statement name = { .name = "test_name",
							  .sql = "SELECT name FROM relay ORDER BY name" };
		const struct db_value a = db_text(view_of("a")), b = db_text(view_of("b"));
		struct db_rows *added = NULL, *names = NULL;
		const struct db_call add_a = { .statement = &add_relay, .values = &a, .count = 1, .ret_rows = &added };
		const struct db_call add_b = { .statement = &add_relay, .values = &b, .count = 1 };
		const struct db_call read = { .statement = &name, .ret_rows = &names };
		ck_ok(db_begin(db, &why));
		ck_ok(db_run_both(db, &add_a, &read, &why));
		ck_assert_uint_eq(db_changed(added), 1);
		ck_assert_uint_eq(db_row_count(names), 1);
		ck_assert_msg(view_eq(db_get_text(names, 0, 0), view_of("a")), "the second sees what the first did");
		db_rows_done(added);
		db_rows_done(names);
		ck_ok(db_commit(db, &why));
		ck_ok(db_begin(db, &why));
		ck_ok(db_run_both(db, &add_b, &read, &why)); /* nobody wants the rows of the first */
		ck_assert_uint_eq(db_row_count(names), 2);
		db_rows_done(names);
		names = NULL;
		ck_assert(db_run_both(db, &add_a, &read, &why) == ERR_EXISTS);
		ck_assert_ptr_null(names);
		db_rollback(db);
		ck_assert_int_eq(relays(db), 1);
		db_close(db);
	}
END_TEST

static const struct db_statement copy_relays = {
	.name = "test_copy",
	.sql = "COPY relay (name, socket) FROM STDIN",
};

START_TEST(copy_all_or_nothing)
	{
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct db *db = database_open();
		struct view rows = VIEW_LIT("first\t/a/long/way\nsecond\t/b/long/way\n");
		ck_ok(db_copy_begin(db, &copy_relays, &why));
		ck_ok(db_copy_data(db, view_head(rows, 20), &why));
		ck_ok(db_copy_data(db, view_skip(rows, 20), &why));
		ck_ok(db_copy_end(db, false, &why));
		ck_assert_int_eq(relays(db), 0);
		ck_ok(db_copy_begin(db, &copy_relays, &why));
		ck_ok(db_copy_data(db, rows, &why));
		ck_ok(db_copy_end(db, true, &why));
		ck_assert_int_eq(relays(db), 2);
		ck_ok(db_copy_begin(db, &copy_relays, &why));
		ck_ok(db_copy_data(db, VIEW_LIT("c\tf\tnever\n"), &why));
		ck_assert(db_copy_end(db, true, &why) == ERR_INVALID);
		ck_ok(db_begin(db, &why));
		ck_ok(db_copy_begin(db, &copy_relays, &why));
		db_rollback(db); /* in the middle of a COPY: the connection goes */
		ck_assert(!db_is_connected(db));
		ck_ok(db_reconnect(db, &why));
		ck_assert_int_eq(relays(db), 2);
		db_close(db);
	}
END_TEST

/* ---- losing the connection ---- */

static const struct db_statement end_session = { .name = "test_end",
						 .sql = "SELECT pg_terminate_backend(pg_backend_pid())" };

static const struct db_statement copy_tuples = {
	.name = "test_copy_tuples",
	.sql = "COPY delivery (campaign_id, subscriber_id, outcome, attempts, at, code, reason) FROM STDIN (FORMAT "
	       "binary)",
};
static const struct db_statement tuples_there = {
	.name = "test_tuples_there",
	.sql = "SELECT string_agg(concat_ws(':', campaign_id, subscriber_id, outcome, attempts,"
	       " extract(epoch FROM at)::bigint, coalesce(code::text, '-'), coalesce(reason, '-')), ' ' ORDER BY "
	       "subscriber_id)"
	       " FROM delivery",
};

/* In campaign 1, whose ledger there is. */
static void add_tuple(struct db_tuples *tuples, int64_t subscriber, const char *outcome, const char *reason)
{
	db_tuples_add_int8(tuples, 1);
	db_tuples_add_int8(tuples, subscriber);
	db_tuples_add_text(tuples, view_of(outcome));
	db_tuples_add_int4(tuples, 2);
	db_tuples_add_time(tuples, 60 * INT64_C(1000000));
	if (reason == NULL) {
		db_tuples_add_int2(tuples, 250);
		db_tuples_add_null(tuples);
	} else {
		db_tuples_add_null(tuples);
		db_tuples_add_text(tuples, view_of(reason));
	}
}

/* How a COPY of these two ends, on a connection that can be used after it. */
static enum err copy_two(struct db *db, int64_t first, const char *first_outcome, int64_t second)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	AUTO_DB_TUPLES tuples = db_tuples_of(7);
	add_tuple(&tuples, first, first_outcome, NULL);
	add_tuple(&tuples, second, "skipped", "a\tb\\N");
	enum err err = db_copy_tuples(db, &copy_tuples, &tuples, &why);
	ck_assert(db_is_connected(db) && (err == ERR_OK) == (why.len == 0));
	return err;
}

START_TEST(tuples_are_copied_all_or_none)
	{
		struct db *db = database_open();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		AUTO_DB_TUPLES none = db_tuples_of(7);
		ck_assert(db_run_script(db, VIEW_LIT("SELECT make_campaign_block(0)"), &why) == ERR_OK);
		ck_assert(copy_two(db, 4, "accepted", 5) == ERR_OK);
		ck_assert(copy_two(db, 6, "accepted", 5) == ERR_EXISTS);
		ck_assert(copy_two(db, 7, "no such outcome", 8) == ERR_INVALID);
		ck_assert(copy_two(db, 7, "refused", 8) == ERR_REFUSED);
		ck_assert(db_copy_tuples(db, &copy_tuples, &none, &why) == ERR_OK);
		AUTO_DB_ROWS *rows = one_row(db, &tuples_there, NULL, 0);
		ck_view_eq(db_get_text(rows, 0, 0), "1:4:accepted:2:60:250:- 1:5:skipped:2:60:-:a\tb\\N");
		db_close(db);
	}
END_TEST

START_TEST(a_lost_connection_comes_back)
	{
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct db *db = database_open();
		ck_assert_int_eq(relays(db), 0);
		ck_assert(db_run(db, &end_session, NULL, 0, NULL, &why) == ERR_UNAVAILABLE);
		ck_assert(!db_is_connected(db));
		ck_assert(db_run(db, &count_relays, NULL, 0, NULL, &why) == ERR_UNAVAILABLE);
		buf_reset(&why);
		ck_assert(db_begin(db, &why) == ERR_UNAVAILABLE);
		ck_assert(buf_view(&why).len > 0);
		ck_assert(db_commit(db, &why) == ERR_UNAVAILABLE);
		ck_assert(db_copy_begin(db, &copy_relays, &why) == ERR_UNAVAILABLE);
		ck_assert(db_copy_data(db, view_of("x"), &why) == ERR_UNAVAILABLE);
		ck_assert(db_copy_end(db, true, &why) == ERR_UNAVAILABLE);
		db_rollback(db);
		ck_ok(db_reconnect(db, &why));
		ck_assert(db_is_connected(db));
		ck_assert_int_eq(relays(db), 0);
		db_close(db);
		db_close(NULL);
	}
END_TEST

START_TEST(a_killed_server_is_away)
	{
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct db *db = database_open();
		const struct db_value a = db_text(view_of("a"));
		ck_ok(db_begin(db, &why));
		ck_ok(db_run(db, &add_relay, &a, 1, NULL, &why));
		database_control("kill");
		enum err err = db_commit(db, &why);
		ck_assert_msg(err == ERR_UNAVAILABLE, "%s: %s", err_name(err), buf_text(&why));
		ck_assert(db_reconnect(db, &why) == ERR_UNAVAILABLE);
		ck_assert(!db_is_connected(db));
		database_control("start");
		ck_ok(db_reconnect(db, &why));
		ck_assert_int_eq(relays(db), 0);
		ck_ok(db_run(db, &add_relay, &a, 1, NULL, &why));
		db_close(db);
	}
END_TEST

/* ---- opening ---- */

static const struct db_statement session = {
	.name = "test_session",
	.sql =
	    "SELECT current_schemas(false)::text, current_setting('synchronous_commit'), current_setting('TimeZone'),"
	    " current_setting('client_encoding'), current_setting('application_name'), current_setting('work_mem')",
};

/* As asked for; what a Unix socket has is nothing. */
static const struct db_statement watchfulness = {
	.name = "test_watchfulness",
	.sql = "SELECT string_agg(name || '=' || reset_val, ' ' ORDER BY name) FROM pg_settings"
	       " WHERE name LIKE 'tcp\\_%'",
};

/* The conninfo of an initialised database, with more behind it. */
static void initialised(struct buf *out, const char *more)
{
	db_close(database_open());
	buf_addf(out, "%s %s", database_last(), more);
}

START_TEST(the_session_is_ours)
	{
		AUTO_BUF where = buf_with_ceiling(LIMIT_WHY);
		initialised(&where, "options='-c work_mem=5MB -c synchronous_commit=off -c TimeZone=Asia/Jakarta'");
		struct db *db = database_connect(buf_text(&where));
		AUTO_DB_ROWS *rows = one_row(db, &session, NULL, 0);
		ck_view_eq(db_get_text(rows, 0, 0), "{verpost}");
		ck_view_eq(db_get_text(rows, 0, 1), "on");
		ck_view_eq(db_get_text(rows, 0, 2), "UTC");
		ck_view_eq(db_get_text(rows, 0, 3), "UTF8");
		ck_view_eq(db_get_text(rows, 0, 4), "unit");
		ck_view_eq(db_get_text(rows, 0, 5), "5MB");
		db_close(db);
	}
END_TEST

struct watch_row {
	const char *label, *more, *wanted;
};

static const struct watch_row watches[] = {
	{ "ours", "",
	  "tcp_keepalives_count=3 tcp_keepalives_idle=30 tcp_keepalives_interval=10 tcp_user_timeout=30000" },
	{ "as the client's", "keepalives_idle=7 keepalives_interval=6 keepalives_count=5 tcp_user_timeout=4000",
	  "tcp_keepalives_count=5 tcp_keepalives_idle=7 tcp_keepalives_interval=6 tcp_user_timeout=4000" },
	{ "the administrator's options", "keepalives_idle=7 options='-c tcp_keepalives_idle=9'",
	  "tcp_keepalives_count=3 tcp_keepalives_idle=9 tcp_keepalives_interval=10 tcp_user_timeout=30000" },
};

static const struct db_statement plans = {
	.name = "test_plans",
	.sql = "SELECT current_setting('plan_cache_mode') || ' ' || current_setting('enable_seqscan')",
};

START_TEST(who_looks_up_keeps_plans)
	{
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct db_options options = { .conninfo = database_fresh(), .program = "unit", .unsafe = true };
		for (int i = 0; i < 2; i++) {
			struct db *db = NULL;
			options.looks_up = i == 1;
			ck_ok(db_open(&options, &db, &why));
			AUTO_DB_ROWS *rows = one_row(db, &plans, NULL, 0);
			ck_view_eq(db_get_text(rows, 0, 0), i == 1 ? "force_generic_plan off" : "force_custom_plan on");
			db_close(db);
		}
	}
END_TEST

START_TEST(the_server_notices_too)
	{
		for (size_t i = 0; i < ARRAY_LEN(watches); i++) {
			const struct watch_row *row = &watches[i];
			AUTO_BUF where = buf_with_ceiling(LIMIT_WHY);
			initialised(&where, row->more);
			struct db *db = database_connect(buf_text(&where));
			AUTO_DB_ROWS *rows = one_row(db, &watchfulness, NULL, 0);
			struct view seen = db_get_text(rows, 0, 0);
			ck_assert_msg(view_eq(seen, view_of(row->wanted)), "%s: " VIEW_FMT, row->label, VIEW_ARG(seen));
			db_close(db);
		}
	}
END_TEST

struct open_row {
	const char *label, *more; /* appended to the conninfo of an empty database */
	bool check_version;
	enum err err;
	const char *says;
};

static const struct open_row openings[] = {
	{ "nobody listens", "host=/nonexistent", false, ERR_UNAVAILABLE, "no connection" },
	{ "no such database", "dbname=no_such", false, ERR_REFUSED, "3D000" },
	{ "no such role", "user=no_such", false, ERR_DENIED, "28000" },
	{ "no conninfo", "nonsense", false, ERR_INVALID, "connection string" },
	{ "not initialised", "", true, ERR_REFUSED, "listctl db init" },
	{ "plain", "", false, ERR_OK, "" },
};

START_TEST(refused_connections_say_why)
	{
		const char *base = database_fresh();
		for (size_t i = 0; i < ARRAY_LEN(openings); i++) {
			const struct open_row *row = &openings[i];
			AUTO_BUF where = buf_with_ceiling(LIMIT_WHY);
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			struct db *db = NULL;
			buf_addf(&where, "%s %s", base, row->more);
			struct db_options options = { .conninfo = buf_text(&where),
						      .program = "unit",
						      .check_version = row->check_version };
			enum err err = db_open(&options, &db, &why);
			ck_assert_msg(err == row->err, "%s: %s %s", row->label, err_name(err), buf_text(&why));
			ck_row(row->label, view_find(buf_view(&why), view_of(row->says)) != VIEW_NONE);
			ck_row(row->label, (db != NULL) == (err == ERR_OK));
			db_close(db);
		}
	}
END_TEST

struct check_row {
	const char *label, *change, *instance, *says; /* instance NULL: the right one; says NULL: it opens */
};

static const struct check_row checks[] = {
	{ "all is well", "SELECT 1", NULL, NULL },
	{ "other keys", "SELECT 1", "00000000-0000-4000-8000-000000000000", "instance" },
	{ "newer, and serves us", "UPDATE instance SET schema_version = 1000", NULL, NULL },
	{ "too new", "UPDATE instance SET oldest_program = 1000", NULL, "no longer serves" },
};

START_TEST(version_and_instance_are_compared)
	{
		AUTO_BUF where = buf_with_ceiling(LIMIT_WHY);
		initialised(&where, "");
		struct db *owner = database_connect(buf_text(&where));
		struct instance instance = { 0 };
		for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
			const struct check_row *row = &checks[i];
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			struct db *db = NULL;
			ck_ok(instance_read(owner, &instance, &why));
			ck_ok(db_run_script(owner, view_of(row->change), &why));
			struct db_options options = { .conninfo = buf_text(&where),
						      .program = "unit",
						      .instance = row->instance != NULL ? row->instance : instance.id,
						      .check_version = true };
			enum err err = db_open(&options, &db, &why);
			db_close(db);
			ck_assert_msg(err == (row->says != NULL ? ERR_REFUSED : ERR_OK), "%s: %s", row->label,
				      buf_text(&why));
			ck_row(row->label,
			       row->says == NULL || view_find(buf_view(&why), view_of(row->says)) != VIEW_NONE);
		}
		db_close(owner);
	}
END_TEST

START_TEST(no_fsync_no_trust)
	{
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		const char *where = database_fresh();
		struct db *db = database_connect(where), *unsafe = NULL;
		ck_ok(db_run_script(db, view_of("ALTER SYSTEM SET fsync = off"), &why));
		database_control("stop");
		database_control("start");
		ck_assert(db_reconnect(db, &why) == ERR_REFUSED);
		ck_assert(view_find(buf_view(&why), view_of("fsync=off")) != VIEW_NONE);
		struct db_options options = { .conninfo = where, .program = "unit", .unsafe = true };
		ck_ok(db_open(&options, &unsafe, &why));
		ck_ok(db_run_script(unsafe, view_of("ALTER SYSTEM RESET fsync"), &why));
		db_close(unsafe);
		database_control("stop");
		database_control("start");
		ck_ok(db_reconnect(db, &why));
		db_close(db);
	}
END_TEST

/* A backend that is stopped: nothing comes, and nothing ever would. */
START_TEST(silence_is_absence)
	{
		static const struct db_statement pid = { .name = "unit_pid", .sql = "SELECT pg_backend_pid()" };
		static const struct db_statement nap = { .name = "unit_nap", .sql = "SELECT pg_sleep(60)" };
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		const struct db_options options = { .conninfo = database_fresh(),
						    .program = "unit",
						    .patience_us = CLOCK_US_PER_SECOND };
		struct db *db = NULL;
		ck_ok(db_open(&options, &db, &why));
		ck_assert(db_run(db, &nap, NULL, 0, NULL, &why) == ERR_IO);
		ck_assert_str_eq(db_sqlstate(db), "57014"); /* the server's own timeout */
		ck_assert(db_is_connected(db));
		struct db_rows *rows = one_row(db, &pid, NULL, 0);
		pid_t backend = (pid_t)db_get_int(rows, 0, 0);
		db_rows_done(rows);
		ck_assert(kill(backend, SIGSTOP) == 0);
		buf_reset(&why);
		ck_assert(db_run(db, &pid, NULL, 0, NULL, &why) == ERR_UNAVAILABLE);
		ck_assert(kill(backend, SIGCONT) == 0);
		ck_assert(view_find(buf_view(&why), view_of("does not answer")) != VIEW_NONE);
		ck_assert(!db_is_connected(db));
		ck_ok(db_reconnect(db, &why));
		db_rows_done(one_row(db, &pid, NULL, 0));
		db_close(db);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		values_arrive,
		results_are_read,
		uuids_of_many_rows,
		arrays_arrive,
		arrays_of_types_known_by_their_text,
		arrays_are_read,
		failures_have_names,
		values_that_cannot_be_bound,
		transactions_end_as_told,
		what_can_wait_goes_with_the_next,
		what_fails_later_is_told_by_the_next,
		two_go_together_and_both_answer,
		copy_all_or_nothing,
		tuples_are_copied_all_or_none,
		a_lost_connection_comes_back,
		a_killed_server_is_away,
		the_session_is_ours,
		who_looks_up_keeps_plans,
		the_server_notices_too,
		refused_connections_say_why,
		version_and_instance_are_compared,
		no_fsync_no_trust,
		silence_is_absence,
	};
	return suite_of("db", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
