#include "store/db_private.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/instance.h"
#include "store/migrate.h"

/* What every connection gets; the administrator's conninfo wins where `ours` is false. What goes for our end of a TCP connection goes
 * for the server's as `setting`: it would else keep the sessions of a host that was cut off, and what they have locked, for two hours. */
struct keyword_row {
	const char *name, *value;
	bool ours;
	const char *setting;
};

static const struct keyword_row keywords[] = {
	{ .name = "client_encoding", .value = "UTF8", .ours = true },
	{ .name = "connect_timeout", .value = "10" },
	{ .name = "keepalives", .value = "1" },
	{ .name = "keepalives_idle", .value = "30", .setting = "tcp_keepalives_idle" },
	{ .name = "keepalives_interval", .value = "10", .setting = "tcp_keepalives_interval" },
	{ .name = "keepalives_count", .value = "3", .setting = "tcp_keepalives_count" },
	/* ms: a peer that vanished is noticed while we send, too */
	{ .name = "tcp_user_timeout", .value = "30000", .setting = "tcp_user_timeout" },
};

/* Set behind the administrator's own options: the last one wins. */
static const char session_options[] = " -c search_path=verpost -c synchronous_commit=on -c TimeZone=UTC -c jit=off";

/* A plan kept from when a table was small would scan it for ever after: statements here work on batches, so that planning each time costs
 * little. Where batches are small and many it costs more than all else: who only looks up keys keeps plans that can do nothing else. */
static const char planned_anew[] = " -c plan_cache_mode=force_custom_plan";
static const char planned_once[] = " -c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off"
				   " -c enable_mergejoin=off";

enum { KEYWORDS_MAX = 96, CONNECT_TIMEOUT_S = 10 };

/* The connection's parameters as libpq takes them; the values are borrowed. */
struct parameters {
	const char *names[KEYWORDS_MAX], *values[KEYWORDS_MAX];
	size_t count;
};

static void set_parameter(struct parameters *parameters, const char *name, const char *value)
{
	if (parameters->count + 1 >= KEYWORDS_MAX)
		return;
	parameters->names[parameters->count] = name;
	parameters->values[parameters->count++] = value;
}

static const char *given(const PQconninfoOption *options, const char *name)
{
	for (const PQconninfoOption *option = options; option->keyword != NULL; option++)
		if (strcmp(option->keyword, name) == 0)
			return option->val;
	return NULL;
}

static void add_watchfulness(const PQconninfoOption *options, struct buf *session)
{
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
		const struct keyword_row *row = &keywords[i];
		const char *value = given(options, row->name);
		if (row->setting != NULL)
			buf_addf(session, " -c %s=%s", row->setting, value != NULL ? value : row->value);
	}
}

static bool is_overruled(const char *name)
{
	if (strcmp(name, "options") == 0 || strcmp(name, "fallback_application_name") == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
		if (strcmp(keywords[i].name, name) == 0)
			return keywords[i].ours;
	return false;
}

static void gather(const struct db *db, const PQconninfoOption *options, const char *session,
		   struct parameters *ret_parameters)
{
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
		if (keywords[i].ours || given(options, keywords[i].name) == NULL)
			set_parameter(ret_parameters, keywords[i].name, keywords[i].value);
	for (const PQconninfoOption *option = options; option->keyword != NULL; option++)
		if (option->val != NULL && !is_overruled(option->keyword))
			set_parameter(ret_parameters, option->keyword, option->val);
	set_parameter(ret_parameters, "options", session);
	set_parameter(ret_parameters, "fallback_application_name", db->options.program);
}

/* The server, too, gives up: neither a statement that waits nor a transaction whose program was stopped in the middle holds others up for ever. */
static void add_patience(const struct db *db, struct buf *session)
{
	long long patience_ms = db->options.patience_us / CLOCK_US_PER_MS;
	if (patience_ms > 0)
		buf_addf(session, " -c statement_timeout=%lld -c idle_in_transaction_session_timeout=%lld", patience_ms,
			 patience_ms);
}

/* A connection whose errors name their SQLSTATE, begun and not yet complete. */
static enum err begin(struct db *db, int *ret_timeout_s, struct buf *why)
{
	char *complaint = NULL;
	PQconninfoOption *options = PQconninfoParse(db->options.conninfo, &complaint);
	if (options == NULL) {
		db_whyf(why, "the connection string of the database cannot be read: ");
		db_explain(why, complaint != NULL ? complaint : "no memory");
		PQfreemem(complaint);
		return ERR_INVALID;
	}
	AUTO_BUF session = buf_with_ceiling(LIMIT_WHY);
	struct parameters parameters = { 0 };
	const char *own = given(options, "options"), *timeout = given(options, "connect_timeout");
	add_watchfulness(options, &session);
	buf_addf(&session, " %s%s", own != NULL ? own : "", session_options);
	buf_addf(&session, "%s", db->options.looks_up ? planned_once : planned_anew);
	add_patience(db, &session);
	gather(db, options, buf_text(&session), &parameters);
	*ret_timeout_s = timeout != NULL ? atoi(timeout) : CONNECT_TIMEOUT_S;
	db->conn = PQconnectStartParams(parameters.names, parameters.values, 0);
	PQconninfoFree(options);
	if (db->conn == NULL)
		return ERR_MEMORY;
	PQsetErrorVerbosity(db->conn, PQERRORS_VERBOSE);
	return ERR_OK;
}

/* libpq keeps the SQLSTATE of a refused connection to itself except in its message, "SEVERITY:  SQLSTATE: text" in any language. */
static const char *find_sqlstate(const char *message)
{
	static const char code[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	const char *found = NULL;
	for (const char *at = message; (at = strstr(at, ":  ")) != NULL; at++)
		if (strspn(at + 3, code) == 5 && at[8] == ':')
			found = at + 3;
	return found;
}

/* The message without its SQLSTATE and without the lines about where in the server's source it arose. */
static void explain_refusal(const char *message, const char *sqlstate, struct buf *why)
{
	if (sqlstate == NULL) {
		db_explain(why, message);
		return;
	}
	db_explain(why, sqlstate + 7);
	db_whyf(why, " (SQLSTATE %.5s)", sqlstate);
}

static enum err refused(struct db *db, struct buf *why)
{
	const char *message = PQerrorMessage(db->conn);
	const char *sqlstate = find_sqlstate(message);
	enum err err = ERR_UNAVAILABLE;
	if (sqlstate != NULL)
		err = db_err_of_sqlstate(sqlstate);
	else if (PQconnectionNeedsPassword(db->conn))
		err = ERR_DENIED;
	memcpy(db->sqlstate, sqlstate != NULL ? sqlstate : "08001", 5);
	db_whyf(why, "no connection to PostgreSQL: ");
	explain_refusal(message, sqlstate, why);
	db_drop(db);
	return err;
}

/* Who is to end waits no longer than this. */
#define HURRY_US (INT64_C(4) * CLOCK_US_PER_SECOND)

static int64_t hurry(const struct db *db, int64_t deadline_us, int64_t *hurried_us)
{
	if (*hurried_us == 0 && db->options.is_stopped != NULL && db->options.is_stopped())
		*hurried_us = clock_boot_us() + HURRY_US;
	return *hurried_us != 0 && *hurried_us < deadline_us ? *hurried_us : deadline_us;
}

void db_while_waiting(struct db *db, void (*waiting)(void *user), void *user)
{
	db->waiting = waiting;
	db->waiting_user = user;
}

bool db_wait(const struct db *db, short events, int64_t deadline_us)
{
	int64_t hurried_us = 0;
	struct pollfd fd = { .fd = PQsocket(db->conn), .events = events };
	int64_t left_us = deadline_us - clock_boot_us();
	int ready;
	do {
		int64_t step_ms = left_us < CLOCK_US_PER_SECOND ? left_us / CLOCK_US_PER_MS + 1 : 1000;
		ready = left_us > 0 ? poll(&fd, 1, (int)step_ms) : -1;
		if (ready == 0 && db->waiting != NULL)
			db->waiting(db->waiting_user);
		left_us = hurry(db, deadline_us, &hurried_us) - clock_boot_us();
	} while ((ready == 0 || (ready < 0 && errno == EINTR)) && left_us > 0);
	return ready > 0;
}

static enum err complete(struct db *db, int timeout_s, struct buf *why)
{
	int64_t deadline_us = INT64_MAX;
	if (timeout_s > 0)
		deadline_us = clock_boot_us() + (int64_t)timeout_s * CLOCK_US_PER_SECOND;
	PostgresPollingStatusType wants = PGRES_POLLING_WRITING;
	if (PQstatus(db->conn) == CONNECTION_BAD)
		return refused(db, why);
	while (wants != PGRES_POLLING_OK) {
		if (!db_wait(db, wants == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline_us)) {
			db_whyf(why, "PostgreSQL does not answer: nothing came within %d s", timeout_s);
			db_drop(db);
			return ERR_UNAVAILABLE;
		}
		wants = PQconnectPoll(db->conn);
		if (wants == PGRES_POLLING_FAILED)
			return refused(db, why);
	}
	PQsetErrorVerbosity(db->conn, PQERRORS_DEFAULT);
	return ERR_OK;
}

static void ignore_notice(void *unused, const PGresult *notice)
{
	(void)unused;
	(void)notice;
}

/* ---- the checks ---- */

enum statement { FSYNC, STATEMENT_COUNT };

static const struct db_statement statements[] = {
	[FSYNC] = { .name = "db_fsync", .sql = "SELECT current_setting('fsync')::boolean" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

static enum err check_server(struct db *db, struct buf *why)
{
	enum { OLDEST_SERVER = 150000 };
	AUTO_DB_ROWS *rows = NULL;
	int version = PQserverVersion(db->conn);
	if (version < OLDEST_SERVER) {
		db_whyf(why, "the server is PostgreSQL %d; verpost needs 15 or newer", version / 10000);
		return ERR_REFUSED;
	}
	if (db->options.unsafe)
		return ERR_OK;
	enum err err = db_run(db, &statements[FSYNC], NULL, 0, &rows, why);
	if (err != ERR_OK || db_get_bool(rows, 0, 0))
		return err;
	db_whyf(why, "the PostgreSQL server runs with fsync=off and would lose what it has confirmed; "
		     "turn fsync on, or start with --unsafe");
	return ERR_REFUSED;
}

/* The version rule: migrate.h. */
static enum err check_version(const struct instance *instance, struct buf *why)
{
	int ours = migrate_program_version();
	if (instance->oldest_program > ours) {
		db_whyf(
		    why,
		    "the database (version %d) no longer serves this program (version %d): install verpost %d or newer",
		    instance->schema_version, ours, instance->oldest_program);
		return ERR_REFUSED;
	}
	if (instance->schema_version < ours) {
		db_whyf(why,
			"the database (version %d) is older than this program (version %d); run `listctl db upgrade`",
			instance->schema_version, ours);
		return ERR_REFUSED;
	}
	return ERR_OK;
}

static enum err check_instance(struct db *db, struct buf *why)
{
	const struct db_options *options = &db->options;
	struct instance instance;
	if (!options->check_version && options->instance == NULL)
		return ERR_OK;
	enum err err = instance_read(db, &instance, why);
	if (err == ERR_NOT_FOUND) {
		db_whyf(why, "the database \"%s\" is not initialised; run `listctl db init`", PQdb(db->conn));
		return ERR_REFUSED;
	}
	if (err == ERR_OK && options->check_version)
		err = check_version(&instance, why);
	if (err != ERR_OK || options->instance == NULL || strcmp(options->instance, instance.id) == 0)
		return err;
	db_whyf(
	    why,
	    "the key file is of the database instance %s, but this database is %s; use the key file made for it, or "
	    "after a restore make a new key",
	    options->instance, instance.id);
	return ERR_REFUSED;
}

enum err db_connect(struct db *db, struct buf *why)
{
	int timeout_s = 0;
	enum err err = begin(db, &timeout_s, why);
	if (err == ERR_OK)
		err = complete(db, timeout_s, why);
	if (err != ERR_OK)
		return err;
	PQsetNoticeReceiver(db->conn, ignore_notice, NULL);
	/* So that sending to a silent server does not block either. */
	if (db->options.patience_us > 0 && PQsetnonblocking(db->conn, 1) != 0)
		return db_failed(db, NULL, why);
	db->is_silent = false;
	err = check_server(db, why);
	if (err == ERR_OK)
		err = check_instance(db, why);
	if (err != ERR_OK)
		db_drop(db);
	return err;
}
