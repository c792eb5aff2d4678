#include "store/db.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/db_private.h"

/* ---- the connection ---- */

static void options_done(struct db_options *options)
{
	free((void *)(uintptr_t)options->conninfo);
	free((void *)(uintptr_t)options->program);
	free((void *)(uintptr_t)options->instance);
}

static bool copy_text(const char *text, const char **ret_copy)
{
	*ret_copy = text != NULL ? strdup(text) : NULL;
	return text == NULL || *ret_copy != NULL;
}

static struct db *db_new(const struct db_options *options)
{
	struct db *db = calloc(1, sizeof *db);
	if (db == NULL)
		return NULL;
	db->options = *options;
	db->scratch = buf_with_ceiling(LIMIT_DB_PARAMETER);
	bool whole = copy_text(options->conninfo, &db->options.conninfo);
	whole = copy_text(options->program, &db->options.program) && whole;
	whole = copy_text(options->instance, &db->options.instance) && whole;
	if (whole)
		return db;
	db_close(db);
	return NULL;
}

void db_drop(struct db *db)
{
	PQfinish(db->conn);
	db->conn = NULL;
	db->prepared_count = 0;
	db->under_way = 0;
}

void db_close(struct db *db)
{
	if (db == NULL)
		return;
	db_drop(db);
	options_done(&db->options);
	buf_done(&db->scratch);
	free(db->prepared);
	free(db);
}

enum err db_open(const struct db_options *options, struct db **ret_db, struct buf *why)
{
	struct db *db = db_new(options);
	if (db == NULL)
		return ERR_MEMORY;
	enum err err = db_connect(db, why);
	if (err == ERR_OK)
		*ret_db = db;
	else
		db_close(db);
	return err;
}

enum err db_open_beside(const struct db *db, struct db **ret_db, struct buf *why)
{
	return db_open(&db->options, ret_db, why);
}

enum err db_reconnect(struct db *db, struct buf *why)
{
	db_drop(db);
	return db_connect(db, why);
}

bool db_is_connected(const struct db *db)
{
	return db->conn != NULL && PQstatus(db->conn) == CONNECTION_OK;
}

const char *db_sqlstate(const struct db *db)
{
	return db->sqlstate;
}

/* ---- statements ---- */

static struct prepared *find_prepared(struct db *db, const struct db_statement *statement)
{
	for (size_t i = 0; i < db->prepared_count; i++)
		if (db->prepared[i].statement == statement)
			return &db->prepared[i];
	return NULL;
}

static struct prepared *new_prepared(struct db *db, const struct db_statement *statement)
{
	if (db->prepared_count == db->prepared_room) {
		size_t room = db->prepared_room == 0 ? 16 : 2 * db->prepared_room;
		struct prepared *grown = reallocarray(db->prepared, room, sizeof *grown);
		if (grown == NULL)
			return NULL;
		db->prepared = grown;
		db->prepared_room = room;
	}
	struct prepared *prepared = &db->prepared[db->prepared_count++];
	*prepared = (struct prepared){ .statement = statement };
	return prepared;
}

/* The types of the parameters are the server's to infer; values are bound to them. */
/* What was sent is on its way and an answer has begun to arrive, or the connection has failed, which PQgetResult() then tells. False: silence for
 * longer than db_options.patience_us. */
static bool await_answer(const struct db *db)
{
	int64_t patience_us = db->options.patience_us;
	/* The server's own timeout comes first when it is there at all. */
	int64_t deadline_us = patience_us > 0 ? clock_boot_us() + patience_us + patience_us / 4 : INT64_MAX;
	for (;;) {
		int unsent = PQflush(db->conn);
		if (unsent < 0 || (unsent == 0 && !PQisBusy(db->conn)))
			return true;
		if (!db_wait(db, (short)(unsent > 0 ? POLLIN | POLLOUT : POLLIN), deadline_us))
			return false;
		if (PQconsumeInput(db->conn) != 1)
			return true;
	}
}

/* As PQexec(): the last result of what PQsend...() has sent. NULL with the connection dropped: the server is silent. */
static PGresult *finish(struct db *db, int was_sent)
{
	PGresult *last = NULL;
	if (was_sent != 1)
		return PQmakeEmptyPGresult(db->conn, PGRES_FATAL_ERROR);
	for (;;) {
		if (!await_answer(db)) {
			PQclear(last);
			db_drop(db);
			db->is_silent = true;
			return NULL;
		}
		PGresult *result = PQgetResult(db->conn);
		if (result == NULL)
			return last != NULL ? last : PQmakeEmptyPGresult(db->conn, PGRES_FATAL_ERROR);
		PQclear(last);
		last = result;
		if (PQresultStatus(result) == PGRES_COPY_IN)
			return last;
	}
}

static enum err not_connected(struct db *db, struct buf *why)
{
	return db_failed(db, NULL, why);
}

/* ---- statements that go together ---- */

static enum err take_result(struct db *db, PGresult *result, struct db_rows **ret_rows, struct buf *why)
{
	ExecStatusType status = PQresultStatus(result);
	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
		enum err err = db_failed(db, result, why);
		PQclear(result);
		return err;
	}
	if (ret_rows != NULL)
		return db_rows_new(result, ret_rows);
	PQclear(result);
	return ERR_OK;
}

/* Where the rows of the last ones under way go; those of earlier ones are dropped. */
struct wanted {
	struct db_rows **rows[2]; /* NULL: none */
	size_t count;
};

static struct db_rows **rows_wanted(const struct wanted *wanted, size_t under_way)
{
	return under_way <= wanted->count ? wanted->rows[wanted->count - under_way] : NULL;
}

/* The results of those under way, unless an earlier one has failed; then the server has passed over what stood behind it. */
static enum err take_results(struct db *db, const struct wanted *wanted, struct buf *why)
{
	enum err err = ERR_OK;
	for (; db->under_way > 0; db->under_way--) {
		PGresult *result = finish(db, 1);
		if (PQresultStatus(result) == PGRES_PIPELINE_ABORTED)
			PQclear(result);
		else
			err = take_result(db, result, rows_wanted(wanted, db->under_way), why);
		if (db->conn == NULL)
			return err;
	}
	return err;
}

static void drop_rows(const struct wanted *wanted)
{
	for (size_t i = 0; i < wanted->count; i++) {
		if (wanted->rows[i] == NULL)
			continue;
		db_rows_done(*wanted->rows[i]);
		*wanted->rows[i] = NULL;
	}
}

/* The rows wanted are NULL before. */
static enum err collect(struct db *db, const struct wanted *wanted, struct buf *why)
{
	if (PQpipelineSync(db->conn) != 1)
		return db_failed(db, NULL, why);
	enum err err = take_results(db, wanted, why);
	if (db->conn != NULL) {
		PGresult *end = finish(db, 1);
		bool is_in_order = PQresultStatus(end) == PGRES_PIPELINE_SYNC && PQexitPipelineMode(db->conn) == 1;
		PQclear(end);
		if (!is_in_order)
			err = db_failed(db, NULL, err == ERR_OK ? why : NULL);
	}
	if (err != ERR_OK)
		drop_rows(wanted);
	return err;
}

/* For what cannot go together with others. */
enum err db_settle(struct db *db, struct buf *why)
{
	if (!db_is_connected(db))
		return not_connected(db, why);
	return db->under_way > 0 ? collect(db, &(struct wanted){ .count = 0 }, why) : ERR_OK;
}

static enum err learn_types(struct db *db, struct prepared *prepared, struct buf *why)
{
	PGresult *result = finish(db, PQsendDescribePrepared(db->conn, prepared->statement->name));
	if (PQresultStatus(result) != PGRES_COMMAND_OK) {
		enum err err = db_failed(db, result, why);
		PQclear(result);
		return err;
	}
	int count = PQnparams(result);
	assert(count <= (int)LIMIT_DB_VALUES);
	prepared->count = (size_t)count;
	for (int i = 0; i < count; i++)
		prepared->types[i] = PQparamtype(result, i);
	PQclear(result);
	return ERR_OK;
}

static enum err prepare(struct db *db, const struct db_statement *statement, struct prepared **ret_prepared,
			struct buf *why)
{
	enum err err = ERR_OK;
	struct prepared *prepared = find_prepared(db, statement);
	if (prepared != NULL) {
		*ret_prepared = prepared;
		return ERR_OK;
	}
	err = db_settle(db, why);
	if (err != ERR_OK)
		return err;
	PGresult *result = finish(db, PQsendPrepare(db->conn, statement->name, statement->sql, 0, NULL));
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		err = db_failed(db, result, why);
	PQclear(result);
	if (err != ERR_OK)
		return err;
	prepared = new_prepared(db, statement);
	if (prepared == NULL)
		return ERR_MEMORY;
	err = learn_types(db, prepared, why);
	if (err == ERR_OK)
		*ret_prepared = prepared;
	else if (db->prepared_count > 0)
		db->prepared_count--;
	return err;
}

static enum err send_statement(struct db *db, const struct db_statement *statement, const struct db_value *values,
			       size_t count, int *ret_sent, struct buf *why)
{
	struct prepared *prepared = NULL;
	struct binding binding;
	if (!db_is_connected(db))
		return not_connected(db, why);
	enum err err = prepare(db, statement, &prepared, why);
	if (err != ERR_OK)
		return err;
	assert(count == prepared->count);
	err = db_bind(prepared->types, values, count, &db->scratch, &binding, why);
	if (err == ERR_OK)
		*ret_sent = PQsendQueryPrepared(db->conn, statement->name, (int)count, binding.values, binding.lengths,
						binding.formats, 1);
	return err;
}

enum err db_run_later(struct db *db, const struct db_statement *statement, const struct db_value *values, size_t count,
		      struct buf *why)
{
	int was_sent = 0;
	struct prepared *prepared = NULL;
	if (!db_is_connected(db))
		return not_connected(db, why);
	enum err err = prepare(db, statement, &prepared, why);
	if (err == ERR_OK && db->under_way == 0 && PQenterPipelineMode(db->conn) != 1)
		err = db_failed(db, NULL, why);
	if (err == ERR_OK)
		err = send_statement(db, statement, values, count, &was_sent, why);
	if (err != ERR_OK)
		return err;
	if (was_sent != 1)
		return db_failed(db, NULL, why);
	db->under_way++;
	return ERR_OK;
}

enum err db_prepare(struct db *db, const struct db_statement *statement, struct buf *why)
{
	struct prepared *prepared = NULL;
	if (!db_is_connected(db))
		return not_connected(db, why);
	return prepare(db, statement, &prepared, why);
}

enum err db_set_off(struct db *db, struct buf *why)
{
	if (!db_is_connected(db))
		return not_connected(db, why);
	return PQflush(db->conn) < 0 ? db_failed(db, NULL, why) : ERR_OK;
}

enum err db_run(struct db *db, const struct db_statement *statement, const struct db_value *values, size_t count,
		struct db_rows **ret_rows, struct buf *why)
{
	int was_sent = 0;
	enum err err = send_statement(db, statement, values, count, &was_sent, why);
	if (err != ERR_OK)
		return err;
	if (db->under_way == 0)
		return take_result(db, finish(db, was_sent), ret_rows, why);
	if (was_sent != 1)
		return db_failed(db, NULL, why);
	db->under_way++;
	struct db_rows *rows = NULL;
	const struct wanted wanted = { .rows = { ret_rows != NULL ? &rows : NULL }, .count = 1 };
	err = collect(db, &wanted, why);
	if (err == ERR_OK && ret_rows != NULL)
		*ret_rows = rows;
	return err;
}

static void hand_over(const struct db_call *call, struct db_rows *rows)
{
	if (call->ret_rows != NULL)
		*call->ret_rows = rows;
	else
		db_rows_done(rows);
}

enum err db_run_both(struct db *db, const struct db_call *first, const struct db_call *second, struct buf *why)
{
	struct db_rows *rows[2] = { NULL, NULL };
	const struct wanted wanted = { .rows = { &rows[0], &rows[1] }, .count = 2 };
	struct prepared *prepared = NULL;
	if (!db_is_connected(db))
		return not_connected(db, why);
	/* Before anything is under way: to prepare a statement would take the rows of the other. */
	enum err err = prepare(db, second->statement, &prepared, why);
	if (err == ERR_OK)
		err = db_run_later(db, first->statement, first->values, first->count, why);
	if (err == ERR_OK)
		err = db_run_later(db, second->statement, second->values, second->count, why);
	if (err == ERR_OK)
		err = collect(db, &wanted, why);
	if (err != ERR_OK)
		return err;
	hand_over(first, rows[0]);
	hand_over(second, rows[1]);
	return ERR_OK;
}

/* One statement without parameters, its rows dropped. */
static enum err exec_plain(struct db *db, const char *sql, struct buf *why)
{
	enum err err = db_settle(db, why);
	return err == ERR_OK ? take_result(db, finish(db, PQsendQuery(db->conn, sql)), NULL, why) : err;
}

enum err db_run_script(struct db *db, struct view sql, struct buf *why)
{
	AUTO_BUF text = buf_with_ceiling(LIMIT_DB_PARAMETER);
	enum err err = buf_add(&text, sql);
	return err == ERR_OK ? exec_plain(db, buf_text(&text), why) : err;
}

/* ---- transactions ---- */

enum statement { BEGIN, BEGIN_SNAPSHOT, COMMIT, STATEMENT_COUNT };

static const struct db_statement statements[] = {
	[BEGIN] = { .name = "db_begin", .sql = "BEGIN ISOLATION LEVEL READ COMMITTED" },
	[BEGIN_SNAPSHOT] = { .name = "db_begin_snapshot", .sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" },
	[COMMIT] = { .name = "db_commit", .sql = "COMMIT" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

enum err db_begin(struct db *db, struct buf *why)
{
	return db_run_later(db, &statements[BEGIN], NULL, 0, why);
}

enum err db_begin_snapshot(struct db *db, struct buf *why)
{
	return db_run_later(db, &statements[BEGIN_SNAPSHOT], NULL, 0, why);
}

enum err db_commit(struct db *db, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[COMMIT], NULL, 0, &rows, why);
	/* The server ends a failed transaction by COMMIT without an error, but says what it did. */
	if (err != ERR_OK || strcmp(db_rows_command(rows), "ROLLBACK") != 0)
		return err;
	db_whyf(why, "a statement of the transaction had failed, so that nothing was changed");
	return ERR_REFUSED;
}

void db_rollback(struct db *db)
{
	if (db_settle(db, NULL) != ERR_OK && !db_is_connected(db))
		return;
	PGTransactionStatusType status = PQtransactionStatus(db->conn);
	if (status == PQTRANS_IDLE)
		return;
	/* In the middle of a COPY no statement can be sent; without the connection the server rolls back. */
	if (status == PQTRANS_ACTIVE || exec_plain(db, "ROLLBACK", NULL) != ERR_OK)
		db_drop(db);
}

/* ---- COPY ---- */

enum err db_copy_begin(struct db *db, const struct db_statement *copy, struct buf *why)
{
	enum err err = db_settle(db, why);
	if (err != ERR_OK)
		return err;
	PGresult *result = PQexec(db->conn, copy->sql);
	err = PQresultStatus(result) == PGRES_COPY_IN ? ERR_OK : db_failed(db, result, why);
	PQclear(result);
	return err;
}

enum err db_copy_data(struct db *db, struct view bytes, struct buf *why)
{
	if (!db_is_connected(db))
		return not_connected(db, why);
	while (bytes.len > 0) {
		struct view part = view_head(bytes, LIMIT_DB_PARAMETER);
		if (PQputCopyData(db->conn, part.data, (int)part.len) != 1)
			return db_failed(db, NULL, why);
		bytes = view_skip(bytes, part.len);
	}
	return ERR_OK;
}

enum err db_copy_tuples(struct db *db, const struct db_statement *copy, struct db_tuples *tuples, struct buf *why)
{
	struct view body;
	enum err err = db_tuples_end(tuples, &body);
	if (err != ERR_OK) {
		db_whyf(why, "too much was put into one statement");
		return err;
	}
	err = db_settle(db, why);
	if (err != ERR_OK)
		return err;
	PGresult *result = finish(db, PQsendQuery(db->conn, copy->sql));
	if (PQresultStatus(result) != PGRES_COPY_IN)
		return take_result(db, result, NULL, why);
	PQclear(result);
	bool was_sent = PQputCopyData(db->conn, body.data, (int)body.len) == 1 && PQputCopyEnd(db->conn, NULL) == 1;
	return take_result(db, finish(db, was_sent), NULL, why);
}

enum err db_copy_some(struct db *db, struct db_tuples *tuples, bool is_last, struct buf *why)
{
	struct view body = buf_view(&tuples->body);
	enum err err = is_last ? db_tuples_end(tuples, &body) : buf_err(&tuples->body);
	if (err == ERR_OK)
		err = db_copy_data(db, body, why);
	buf_reset(&tuples->body);
	return err;
}

/* The last result of the COPY; the first failure is the one that counts. */
static enum err drain_copy(struct db *db, struct buf *why)
{
	enum err err = ERR_OK;
	PGresult *result;
	while (db->conn != NULL && (result = PQgetResult(db->conn)) != NULL) {
		if (PQresultStatus(result) != PGRES_COMMAND_OK && err == ERR_OK)
			err = db_failed(db, result, why);
		PQclear(result);
	}
	return err;
}

enum err db_copy_end(struct db *db, bool ok, struct buf *why)
{
	static const char query_canceled[] = "57014";
	if (!db_is_connected(db))
		return not_connected(db, why);
	if (PQputCopyEnd(db->conn, ok ? NULL : "given up") != 1)
		return db_failed(db, NULL, why);
	if (ok)
		return drain_copy(db, why);
	/* The failure that was asked for. */
	enum err err = drain_copy(db, NULL);
	return err == ERR_IO && strcmp(db->sqlstate, query_canceled) == 0 ? ERR_OK : err;
}
