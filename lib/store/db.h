/* One connection to PostgreSQL: the only door to libpq. A statement is a row of a table in the store module that owns it; it is
 * prepared at its first use on a connection, its parameters are always bound, results come back typed, and decisions are
 * taken by SQLSTATE, never by text.
 *
 * Every session sets search_path=verpost, synchronous_commit=on, TimeZone=UTC and client_encoding=UTF8; and over TCP both ends notice within
 * about 40 s that the other one is gone (keepalives and tcp_user_timeout of the conninfo go for the server's end too). A struct db outlives its
 * connection: after ERR_UNAVAILABLE, db_reconnect() starts again (statements are prepared anew). */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct db;
struct db_rows;

/* What a program asks of the server before it works with it. */
struct db_options {
	const char *conninfo; /* libpq connection string */
	const char *program;  /* application_name: "sender", "bounced", "listctl" */
	const char *instance; /* the instance id its keys name; NULL: not compared */
	bool check_version;   /* refuse a database that is newer than, or not initialised for, this program */
	bool unsafe;          /* work with a server that has fsync=off */
	int64_t patience_us;  /* a server that is silent for longer is taken to be away; 0: it may take its time */
	bool looks_up;        /* it asks only for what keys find: statements are planned once and cannot scan a table */
	/* The program is to end: then after four seconds. NULL: it may take its time in any case. */
	bool (*is_stopped)(void);
};

/* ERR_UNAVAILABLE: the server is away, try again; ERR_REFUSED: not initialised, wrong version or instance, fsync off;
 * ERR_DENIED: the login was refused. `why` says which and what to do. The caller closes *ret_db. */
enum err db_open(const struct db_options *options, struct db **ret_db, struct buf *why) MUST_USE;
/* Another connection with the options of one that is open: for what that one's transaction has not committed, as it was before. */
enum err db_open_beside(const struct db *db, struct db **ret_db, struct buf *why) MUST_USE;
/* Drops the connection and opens it again with the same options and checks. */
enum err db_reconnect(struct db *db, struct buf *why) MUST_USE;
void db_close(struct db *db); /* accepts NULL */
bool db_is_connected(const struct db *db);

/* Calls waiting() about once a second while the server keeps a statement waiting, for who shows that it does; NULL: no more. It must not use this
 * db. */
void db_while_waiting(struct db *db, void (*waiting)(void *user), void *user);

/* ---- statements ---- */

struct db_statement {
	const char *name; /* unique in the program; the prepared statement's name */
	const char *sql;
};

/* A parameter. The bytes are borrowed until the call returns. */
struct db_value {
	enum db_type { DB_NULL, DB_BOOL, DB_INT, DB_TEXT, DB_BYTES, DB_TIME, DB_ARRAY } type;
	int64_t number;    /* DB_BOOL, DB_INT (bigint), DB_TIME (microseconds since 1970, UTC) */
	struct view bytes; /* DB_TEXT, DB_BYTES */
	const struct db_array *array;
};
struct db_value db_null(void);
struct db_value db_bool(bool value);
struct db_value db_int(int64_t value);
struct db_value db_text(struct view value);         /* for any type with a text form too: uuid, enum, jsonb, interval */
struct db_value db_text_or_null(struct view value); /* the empty view is NULL */
struct db_value db_id_or_null(uint64_t id);         /* 0 is NULL: none, or any */
struct db_value db_bytes(struct view value);
struct db_value db_time(int64_t wall_us);
struct db_value db_values(const struct db_array *array);

/* An array parameter, filled element by element, for INSERT ... SELECT unnest(). All elements are of one type. */
struct db_array {
	enum db_type type; /* DB_INT, DB_TEXT, DB_BYTES, DB_TIME, DB_BOOL */
	size_t count;
	struct buf body; /* wire form of the elements */
	bool has_null;
};
struct db_array db_array_of(enum db_type type);
void db_array_done(struct db_array *array);
#define AUTO_DB_ARRAY __attribute__((cleanup(db_array_done))) struct db_array
/* The error is sticky in body; db_run() returns it. */
void db_array_add_int(struct db_array *array, int64_t value);       /* also DB_TIME and DB_BOOL */
void db_array_add_bytes(struct db_array *array, struct view value); /* also DB_TEXT */
void db_array_add_null(struct db_array *array);

/* Runs one statement. *ret_rows may be NULL when no rows are wanted; else the caller releases it with db_rows_done().
 * ERR_UNAVAILABLE: the connection is lost, or the server cannot work (disk full, shutting down) and it was dropped (the result of a
 * commit is then unknown); ERR_EXISTS: unique violation; ERR_REFUSED: another
 * constraint or a serialisation failure; ERR_INVALID: a value the server cannot read; ERR_DENIED; ERR_IO: anything else.
 * `why` may be NULL. */
enum err db_run(struct db *db, const struct db_statement *statement, const struct db_value *values, size_t count,
		struct db_rows **ret_rows, struct buf *why) MUST_USE;
/* The same where there has to be a row: ERR_NOT_FOUND without a sentence where there is none, and *ret_rows is NULL. */
enum err db_find(struct db *db, const struct db_statement *statement, const struct db_value *values, size_t count,
		 struct db_rows **ret_rows, struct buf *why) MUST_USE;
/* The same as db_run() without waiting for its result, which nobody wants: it goes with the next statement, or with the commit, and that one tells if it failed;
 * then the next one was not run. A transaction only. */
enum err db_run_later(struct db *db, const struct db_statement *statement, const struct db_value *values, size_t count,
		      struct buf *why) MUST_USE;
/* What the first use of a statement does, and waits for, else. */
enum err db_prepare(struct db *db, const struct db_statement *statement, struct buf *why) MUST_USE;
/* Has the server begin with what db_run_later() holds back, while the program does something else. */
enum err db_set_off(struct db *db, struct buf *why) MUST_USE;
/* Waits until all of it is done. The error is the first one's; what stood behind it was not run. */
enum err db_settle(struct db *db, struct buf *why) MUST_USE;
/* Two in one round trip: the second sees what the first has done, and is not run when that has failed. A transaction only;
 * errors as db_run(). */
struct db_call {
	const struct db_statement *statement;
	const struct db_value *values;
	size_t count;
	struct db_rows **ret_rows; /* NULL: not wanted */
};
enum err db_run_both(struct db *db, const struct db_call *first, const struct db_call *second,
		     struct buf *why) MUST_USE;
/* SQL text of several statements, without parameters: migrations only. */
enum err db_run_script(struct db *db, struct view sql, struct buf *why) MUST_USE;
/* SQLSTATE of the last failure, "" when there was none. */
const char *db_sqlstate(const struct db *db);

/* ---- results: row and column from 0 ---- */

void db_rows_done(struct db_rows *rows); /* accepts NULL */
static inline void db_rows_auto(struct db_rows **rows)
{
	db_rows_done(*rows);
}
#define AUTO_DB_ROWS __attribute__((cleanup(db_rows_auto))) struct db_rows
size_t db_row_count(const struct db_rows *rows);
/* Rows changed by INSERT, UPDATE or DELETE. */
size_t db_changed(const struct db_rows *rows);
bool db_is_null(const struct db_rows *rows, size_t row, size_t column);
int64_t db_get_int(const struct db_rows *rows, size_t row, size_t column); /* int2, int4, int8; 0 for NULL */
bool db_get_bool(const struct db_rows *rows, size_t row, size_t column);
int64_t db_get_time(const struct db_rows *rows, size_t row,
		    size_t column); /* timestamptz as microseconds since 1970; 0 for NULL */
double db_get_double(const struct db_rows *rows, size_t row, size_t column);
/* text, bytea, uuid (text form), enum, jsonb (text form): borrowed from rows; empty for NULL. */
struct view db_get_text(const struct db_rows *rows, size_t row, size_t column);

/* The elements of a bigint[] without nulls: borrowed from rows; none for NULL. */
struct db_ints {
	const char *bytes;
	size_t count;
};
struct db_ints db_get_ints(const struct db_rows *rows, size_t row, size_t column);
int64_t db_int_at(const struct db_ints *ints, size_t at);

/* ---- transactions ---- */

/* It goes with the first statement (db_run_later()). READ COMMITTED whatever the default of the server: what follows a lock must see what was committed before it was granted. */
enum err db_begin(struct db *db, struct buf *why) MUST_USE;
/* REPEATABLE READ READ ONLY: one snapshot for a report. */
enum err db_begin_snapshot(struct db *db, struct buf *why) MUST_USE;
/* ERR_UNAVAILABLE: the result is unknown. */
enum err db_commit(struct db *db, struct buf *why) MUST_USE;
/* Safe to call at any time; a lost connection has rolled back by itself. */
void db_rollback(struct db *db);

/* ---- bulk input ---- */

/* COPY ... FROM STDIN (FORMAT binary) of rows that are all there. The error of db_tuples is sticky; db_copy_tuples() returns it.
 * ERR as db_run(). */
struct db_tuples {
	size_t columns; /* of each row, in the order of the statement's */
	size_t count;   /* of fields so far */
	struct buf body;
};
struct db_tuples db_tuples_of(size_t columns);
void db_tuples_done(struct db_tuples *tuples);
#define AUTO_DB_TUPLES __attribute__((cleanup(db_tuples_done))) struct db_tuples
void db_tuples_add_int2(struct db_tuples *tuples, int16_t value);
void db_tuples_add_int4(struct db_tuples *tuples, int32_t value);
void db_tuples_add_int8(struct db_tuples *tuples, int64_t value);
void db_tuples_add_time(struct db_tuples *tuples, int64_t wall_us);
void db_tuples_add_text(struct db_tuples *tuples, struct view value); /* also enums, by their label */
void db_tuples_add_bool(struct db_tuples *tuples, bool value);
void db_tuples_add_json(struct db_tuples *tuples, struct view value); /* for jsonb */
void db_tuples_add_null(struct db_tuples *tuples);
enum err db_copy_tuples(struct db *db, const struct db_statement *copy, struct db_tuples *tuples,
			struct buf *why) MUST_USE;

/* COPY ... FROM STDIN in pieces, of a format that the caller or db_copy_some() makes; not with db_options.patience_us. */
enum err db_copy_begin(struct db *db, const struct db_statement *copy, struct buf *why) MUST_USE;
enum err db_copy_data(struct db *db, struct view bytes, struct buf *why) MUST_USE;
/* The rows added since the last time, in the binary format; tuples can take more after it. is_last: there are no more. */
enum err db_copy_some(struct db *db, struct db_tuples *tuples, bool is_last, struct buf *why) MUST_USE;
/* ok=false gives the COPY up (ERR_OK then: the failure was asked for). ERR as db_run(). */
enum err db_copy_end(struct db *db, bool ok, struct buf *why) MUST_USE;

/* ---- bulk output ---- */

/* A row as it comes: data NULL is null, everything else in the binary form of its type. Borrowed for the call. Anything but ERR_OK ends
 * the COPY, and db_copy_out() returns it. */
typedef enum err db_row_handler(void *context, const struct view *fields, size_t count, struct buf *why);

/* COPY (SELECT ...) TO STDOUT (FORMAT binary), in constant memory whatever the number of rows. It takes no parameters: what it needs is set
 * before by set_config(). Not with db_options.patience_us. ERR as db_run(). */
enum err db_copy_out(struct db *db, const struct db_statement *copy, db_row_handler *handler, void *context,
		     struct buf *why) MUST_USE;
/* What a field holds in binary form. A field of another form is 0 or empty. */
int64_t db_field_time(struct view field); /* timestamptz, in microseconds since 1970 */
struct view db_field_jsonb(struct view field);

#endif
