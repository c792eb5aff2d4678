#include "store/relays.h"

#include <assert.h>

#include "store/workers.h"

enum statement {
	LOAD,
	LIST,
	ADD,
	CHANGE,
	RETRY,
	RETRY_SETTINGS,
	SETTINGS_RETRIED,
	REMOVE,
	REPORT,
	FORGET,
	STEP,
	STATEMENT_COUNT
};

/* In the order of relays_get(). */
#define COLUMNS                                                                                                        \
	"r.id, r.name, r.enabled, r.protocol, r.host, r.port, r.socket, r.tls, r.tls_name, r.tls_ca, r.auth,"          \
	" r.auth_user, host(r.source_address), r.helo, r.weight, r.connections, r.messages_per_second,"                \
	" r.messages_per_connection, r.in_flight, r.notify, array_to_string(r.campaigns, ' '),"                        \
	" array_to_string(r.lists, ' ')"

#define FINGERPRINT                                                                                                    \
	"md5(ROW(r.id, r.name, r.protocol, r.host, r.port, r.socket, r.tls, r.tls_name, r.tls_ca, r.auth,"             \
	" r.auth_user, r.source_address, r.helo, r.messages_per_connection, r.in_flight, r.notify)::text)"

/* In the order of bind(). */
#define SET                                                                                                            \
	"(name, enabled, protocol, host, port, socket, tls, tls_name, tls_ca, auth, auth_user, source_address, helo,"  \
	" weight, connections, messages_per_second, messages_per_connection, in_flight, notify, campaigns, lists,"     \
	" domains)"
#define VALUES                                                                                                         \
	"($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,"                       \
	" string_to_array($20::text, ' '), string_to_array($21::text, ' '), string_to_array($22::text, ' '))"
enum { VALUE_COUNT = 22 };

/* Never the time that was there. Who was refused without an end is due, too. */
#define RETRIED_NOW " SET retried_at = greatest(clock_timestamp(), retried_at + interval '1 us')"
#define WITH_DUE                                                                                                       \
	"WITH due AS (UPDATE deferral SET next_attempt_at = now() WHERE state = 'deferred' AND code >= 500"            \
	" AND waits_for IS NULL AND opened_by IS NULL AND next_attempt_at > now())"

static const struct db_statement statements[] = {
	[LOAD] = { .name = "relays_load",
		   .sql =
		       "SELECT " COLUMNS ", array_to_string(r.domains || ARRAY(SELECT d.domain FROM domain_group g"
		       " JOIN domain_group_domain d ON d.group_id = g.id WHERE '@' || g.name = ANY (r.domains)), ' '),"
		       " " FINGERPRINT ", NULL, NULL::timestamptz, NULL::timestamptz, r.created_at, r.retried_at, "
		       "false, 0, NULL::timestamptz, NULL FROM relay r"
		       " WHERE r.enabled ORDER BY r.id" },
	[LIST] = { .name = "relays_list",
		   .sql =
		       "SELECT " COLUMNS ", array_to_string(r.domains, ' '), " FINGERPRINT ","
		       " s.reason, s.since, s.retry_at, r.created_at, r.retried_at, coalesce(s.is_everywhere, false),"
		       " coalesce(p.count, 0), p.at, p.said"
		       " FROM relay r LEFT JOIN relay_troubles($2::integer) s ON s.relay = r.name"
		       " LEFT JOIN relay_steps($2::integer) p ON p.relay = r.name"
		       " WHERE $1::text IS NULL OR r.name = $1 ORDER BY r.name" },
	[ADD] = { .name = "relays_add", .sql = "INSERT INTO relay " SET " VALUES " VALUES },
	[CHANGE] = { .name = "relays_change", .sql = "UPDATE relay SET " SET " = " VALUES " WHERE name = $1" },
	[RETRY] = { .name = "relays_retry", .sql = WITH_DUE " UPDATE relay" RETRIED_NOW " WHERE name = $1" },
	[RETRY_SETTINGS] = { .name = "relays_retry_settings", .sql = WITH_DUE " UPDATE settings_relay" RETRIED_NOW },
	[SETTINGS_RETRIED] = { .name = "relays_settings_retried", .sql = "SELECT retried_at FROM settings_relay" },
	[REMOVE] = { .name = "relays_remove",
		     .sql = "WITH found AS (DELETE FROM relay_finding WHERE relay = $1)"
			    " DELETE FROM relay WHERE name = $1" },
	[REPORT] = { .name = "relays_report",
		     .sql =
			 "INSERT INTO relay_finding AS f"
			 " (worker_id, relay, reason, retry_at, out_of_step, out_of_step_at, out_of_step_said)"
			 " VALUES ($1::uuid, $2, $3, $4::timestamptz, $5, CASE WHEN $5::bigint > 0 THEN now() END, $6)"
			 " ON CONFLICT (relay, worker_id) DO UPDATE SET reason = excluded.reason,"
			 " retry_at = excluded.retry_at, out_of_step = excluded.out_of_step,"
			 " out_of_step_said = excluded.out_of_step_said,"
			 " out_of_step_at = CASE WHEN excluded.out_of_step = f.out_of_step THEN f.out_of_step_at"
			 " ELSE excluded.out_of_step_at END, since = CASE WHEN (f.reason IS NULL) = (excluded.reason "
			 "IS "
			 "NULL)"
			 " THEN f.since ELSE excluded.since END" },
	[FORGET] = { .name = "relays_forget",
		     .sql = "DELETE FROM relay_finding WHERE worker_id = $1::uuid AND relay = $2" },
	[STEP] = { .name = "relays_step",
		   .sql = "SELECT count, at, said FROM relay_steps($1::integer) WHERE relay = $2" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row a statement");

enum err relays_load(struct db *db, struct db_rows **ret_rows, struct buf *why)
{
	return db_run(db, &statements[LOAD], NULL, 0, ret_rows, why);
}

/* The name as a person gave it may hold anything: shown only when it could be one. */
static enum err no_such_relay(struct view name, struct buf *why)
{
	if (view_eq(name, VIEW_LIT("default")))
		buf_addf(why, "default is the relay of the settings (relay.host, relay.port), which has no row: to "
			      "change it, and for AUTH or TLS, make one by `listctl relay add NAME --host HOST`; "
			      "`listctl relay retry default` has it tried at once");
	else if (view_is_ascii(name) && !view_has_control(name) && name.len <= 64)
		buf_addf(why, "there is no relay " VIEW_FMT "; `listctl relay ls` shows those there are",
			 VIEW_ARG(name));
	else
		buf_addf(why, "there is no such relay; `listctl relay ls` shows those there are");
	return ERR_NOT_FOUND;
}

enum err relays_list(struct db *db, struct view name_or_empty, struct db_rows **ret_rows, struct buf *why)
{
	if (!view_is_utf8(name_or_empty))
		return no_such_relay(name_or_empty, why);
	const struct db_value values[] = { db_text_or_null(name_or_empty), db_int(WORKERS_ALIVE_S) };
	struct db_rows *rows = NULL;
	enum err err = db_run(db, &statements[LIST], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK && name_or_empty.len > 0 && db_row_count(rows) == 0) {
		db_rows_done(rows);
		return no_such_relay(name_or_empty, why);
	}
	if (err == ERR_OK)
		*ret_rows = rows;
	return err;
}

struct relay_row relays_get(const struct db_rows *rows, size_t row)
{
	return (struct relay_row){
		.id = db_get_int(rows, row, 0),
		.name = db_get_text(rows, row, 1),
		.is_enabled = db_get_bool(rows, row, 2),
		.protocol = db_get_text(rows, row, 3),
		.host = db_get_text(rows, row, 4),
		.port = (unsigned)db_get_int(rows, row, 5),
		.socket = db_get_text(rows, row, 6),
		.tls = db_get_text(rows, row, 7),
		.tls_name = db_get_text(rows, row, 8),
		.tls_ca = db_get_text(rows, row, 9),
		.auth = db_get_text(rows, row, 10),
		.auth_user = db_get_text(rows, row, 11),
		.source = db_get_text(rows, row, 12),
		.helo = db_get_text(rows, row, 13),
		.weight = (unsigned)db_get_int(rows, row, 14),
		.connections = (unsigned)db_get_int(rows, row, 15),
		.messages_per_second = db_is_null(rows, row, 16) ? 0 : db_get_double(rows, row, 16),
		.messages_per_connection = (uint64_t)db_get_int(rows, row, 17),
		.in_flight = (unsigned)db_get_int(rows, row, 18),
		.notify = db_get_text(rows, row, 19),
		.campaigns = db_get_text(rows, row, 20),
		.lists = db_get_text(rows, row, 21),
		.domains = db_get_text(rows, row, 22),
		.fingerprint = db_get_text(rows, row, 23),
		.trouble = db_get_text(rows, row, 24),
		.trouble_since_us = db_get_time(rows, row, 25),
		.retry_us = db_get_time(rows, row, 26),
		.created_us = db_get_time(rows, row, 27),
		.retried_us = db_get_time(rows, row, 28),
		.is_trouble_everywhere = db_get_bool(rows, row, 29),
		.steps_lost = (uint64_t)db_get_int(rows, row, 30),
		.step_us = db_get_time(rows, row, 31),
		.step = db_get_text(rows, row, 32),
	};
}

/* ---- writing ---- */

static struct db_value int_or_null(uint64_t number)
{
	return number == 0 ? db_null() : db_int((int64_t)number);
}

static enum err write_row(struct db *db, enum statement statement, const struct relay_row *row, size_t *ret_changed,
			  struct buf *why)
{
	AUTO_BUF rate = buf_with_ceiling(64);
	if (row->messages_per_second > 0)
		buf_addf(&rate, "%.17g", row->messages_per_second);
	const struct db_value values[] = {
		db_text(row->name),
		db_bool(row->is_enabled),
		db_text(row->protocol),
		db_text_or_null(row->host),
		int_or_null(row->port),
		db_text_or_null(row->socket),
		db_text(row->tls),
		db_text_or_null(row->tls_name),
		db_text_or_null(row->tls_ca),
		db_text(row->auth),
		db_text_or_null(row->auth_user),
		db_text_or_null(row->source),
		db_text_or_null(row->helo),
		db_int(row->weight),
		int_or_null(row->connections),
		db_text_or_null(buf_view(&rate)),
		int_or_null(row->messages_per_connection),
		int_or_null(row->in_flight),
		db_text_or_null(row->notify),
		db_text(row->campaigns),
		db_text(row->lists),
		db_text(row->domains),
	};
	static_assert(ARRAY_LEN(values) == VALUE_COUNT, "one value a column");
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[statement], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_changed = db_changed(rows);
	return err;
}

enum err relays_add(struct db *db, const struct relay_row *row, struct buf *why)
{
	size_t changed;
	return write_row(db, ADD, row, &changed, why);
}

enum err relays_change(struct db *db, const struct relay_row *row, struct buf *why)
{
	size_t changed = 0;
	enum err err = write_row(db, CHANGE, row, &changed, why);
	return err == ERR_OK && changed == 0 ? no_such_relay(row->name, why) : err;
}

enum err relays_retry(struct db *db, struct view name, struct buf *why)
{
	const struct db_value values[] = { db_text(name) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[RETRY], values, ARRAY_LEN(values), &rows, why);
	return err == ERR_OK && db_changed(rows) == 0 ? no_such_relay(name, why) : err;
}

enum err relays_retry_settings(struct db *db, struct buf *why)
{
	return db_run(db, &statements[RETRY_SETTINGS], NULL, 0, NULL, why);
}

enum err relays_settings_retried(struct db *db, int64_t *ret_retried_us, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[SETTINGS_RETRIED], NULL, 0, &rows, why);
	if (err == ERR_OK)
		*ret_retried_us = db_row_count(rows) == 0 ? 0 : db_get_time(rows, 0, 0);
	return err;
}

enum err relays_remove(struct db *db, struct view name, struct buf *why)
{
	if (!view_is_utf8(name))
		return no_such_relay(name, why);
	const struct db_value values[] = { db_text(name) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[REMOVE], values, ARRAY_LEN(values), &rows, why);
	return err == ERR_OK && db_changed(rows) == 0 ? no_such_relay(name, why) : err;
}

enum err relays_report(struct db *db, const char *worker_id, struct view relay, const struct relay_finding *finding,
		       struct buf *why)
{
	const struct db_value values[] = {
		db_text(view_of(worker_id)),
		db_text(relay),
		db_text_or_null(finding->reason),
		finding->reason.len == 0 || finding->retry_us == 0 ? db_null() : db_time(finding->retry_us),
		db_int((int64_t)finding->steps_lost),
		db_text_or_null(finding->step),
	};
	return db_run(db, &statements[REPORT], values, ARRAY_LEN(values), NULL, why);
}

enum err relays_forget(struct db *db, const char *worker_id, struct view relay, struct buf *why)
{
	const struct db_value values[] = { db_text(view_of(worker_id)), db_text(relay) };
	return db_run(db, &statements[FORGET], values, ARRAY_LEN(values), NULL, why);
}

enum err relays_step(struct db *db, struct view relay, struct relay_row *row, struct db_rows **ret_rows,
		     struct buf *why)
{
	const struct db_value values[] = { db_int(WORKERS_ALIVE_S), db_text(relay) };
	enum err err = db_run(db, &statements[STEP], values, ARRAY_LEN(values), ret_rows, why);
	if (err != ERR_OK || db_row_count(*ret_rows) == 0)
		return err;
	row->steps_lost = (uint64_t)db_get_int(*ret_rows, 0, 0);
	row->step_us = db_get_time(*ret_rows, 0, 1);
	row->step = db_get_text(*ret_rows, 0, 2);
	return ERR_OK;
}
