/* What the files of db share and nobody else includes: db.c runs statements, db_connect.c opens and checks a connection,
 * db_error.c reads SQLSTATEs, db_value.c writes parameters, db_tuples.c rows for COPY, db_rows.c reads results, db_copy_out.c those of COPY. */
#ifndef STORE_DB_PRIVATE_H
#define STORE_DB_PRIVATE_H

#include <libpq-fe.h>

#include "base/limits.h"
#include "store/db.h"

/* Types that the server names in its answers (pg_type; these numbers never change). */
enum db_oid {
	OID_BOOL = 16,
	OID_BYTEA = 17,
	OID_NAME = 19,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_TEXT = 25,
	OID_OID = 26,
	OID_JSON = 114,
	OID_FLOAT4 = 700,
	OID_FLOAT8 = 701,
	OID_INET = 869,
	OID_BOOL_ARRAY = 1000,
	OID_BYTEA_ARRAY = 1001,
	OID_INT2_ARRAY = 1005,
	OID_INT4_ARRAY = 1007,
	OID_TEXT_ARRAY = 1009,
	OID_INT8_ARRAY = 1016,
	OID_BPCHAR = 1042,
	OID_VARCHAR = 1043,
	OID_DATE = 1082,
	OID_TIMESTAMP = 1114,
	OID_TIMESTAMPTZ = 1184,
	OID_TIMESTAMPTZ_ARRAY = 1185,
	OID_INTERVAL = 1186,
	OID_NUMERIC = 1700,
	OID_UUID = 2950,
	OID_UUID_ARRAY = 2951,
	OID_JSONB = 3802,
};

/* Microseconds between 1970 (ours) and 2000 (the server's). */
#define DB_EPOCH_US INT64_C(946684800000000)

/* A statement as this connection has prepared it. */
struct prepared {
	const struct db_statement *statement;
	size_t count;
	Oid types[LIMIT_DB_VALUES];
};

struct db {
	struct db_options options; /* its strings are owned */
	PGconn *conn;              /* NULL while not connected */
	struct prepared *prepared;
	size_t prepared_count, prepared_room;
	size_t under_way;   /* statements sent, or to be sent with the next one, whose results were not taken yet */
	struct buf scratch; /* text forms of one statement's parameters */
	char sqlstate[6];
	void (*waiting)(void *user); /* NULL: nobody wants to know */
	void *waiting_user;
	bool is_silent; /* why there is no connection */
};

/* ---- db_value.c ---- */

/* The parameters of one statement as libpq takes them. */
struct binding {
	const char *values[LIMIT_DB_VALUES];
	int lengths[LIMIT_DB_VALUES];
	int formats[LIMIT_DB_VALUES];
	unsigned char numbers[LIMIT_DB_VALUES][8];
	size_t offsets[LIMIT_DB_VALUES]; /* into scratch, where values[] is NULL and in_scratch is set */
	bool in_scratch[LIMIT_DB_VALUES];
};
/* Types are what the server inferred. ERR_INVALID: a value that cannot have its type. The bytes are borrowed. */
enum err db_bind(const Oid *types, const struct db_value *values, size_t count, struct buf *scratch,
		 struct binding *ret_binding, struct buf *why) MUST_USE;

/* ---- db_tuples.c ---- */

/* Adds the trailer; *ret_body is borrowed. */
enum err db_tuples_end(struct db_tuples *tuples, struct view *ret_body) MUST_USE;

/* ---- db_rows.c ---- */

/* Takes the result over, also on failure. */
enum err db_rows_new(PGresult *result, struct db_rows **ret_rows) MUST_USE;
const char *db_rows_command(const struct db_rows *rows); /* what the server says it did: "COMMIT" */

/* ---- db_error.c ---- */

/* What a SQLSTATE means to a caller. */
enum err db_err_of_sqlstate(const char *sqlstate);
/* After a failed call: sets db->sqlstate, explains, and drops a connection that is lost or of no use. result may be NULL. */
enum err db_failed(struct db *db, const PGresult *result, struct buf *why);
/* Explanations; nothing is done when why is NULL. db_explain appends the first line of a library's message, clipped, without a
 * final full stop. */
void db_explain(struct buf *why, const char *message);
void db_whyf(struct buf *why, const char *format, ...) PRINTF_LIKE(2, 3);

/* ---- db.c ---- */

void db_drop(struct db *db);

/* ---- db_connect.c ---- */

enum err db_connect(struct db *db, struct buf *why) MUST_USE;
/* Until the connection's socket is ready for these events of poll(2); false at the deadline (boot time). */
bool db_wait(const struct db *db, short events, int64_t deadline_us);

#endif
