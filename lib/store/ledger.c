#include "store/ledger.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "store/ledger_words.h"

enum statement {
	LEAVE_QUEUE,
	MARK,
	END,
	TAKE_BACK,
	END_NEW,
	AWAIT,
	NAME_DOUBTFUL,
	QUEUE,
	PARK,
	HOLD,
	MARK_ROW,
	TAKE_ROW_BACK,
	RELEASE_ROW,
	STATEMENT_COUNT
};

/* The columns of one call, as arrays; in the order of the parameters. */
enum column {
	CAMPAIGN_ID,
	SUBSCRIBER_ID,
	OUTCOME,
	ATTEMPTS,
	AT,
	CODE,
	STATUS,
	REASON,
	REPLY,
	VARIANT,
	RELAY,
	FIRST_ATTEMPT_AT,
	NEXT_ATTEMPT_AT,
	KEY_ID,
	DAY,
	DATE_AT,
	CONNECTION,
	WAITS_FOR,
	COLUMN_COUNT,
	ENDS_VALUES = FIRST_ATTEMPT_AT + 1 /* those of the ledger itself */
};

static const enum db_type column_types[] = {
	[CAMPAIGN_ID] = DB_INT,
	[SUBSCRIBER_ID] = DB_INT,
	[OUTCOME] = DB_TEXT,
	[ATTEMPTS] = DB_INT,
	[AT] = DB_TIME,
	[CODE] = DB_INT,
	[STATUS] = DB_TEXT,
	[REASON] = DB_TEXT,
	[REPLY] = DB_TEXT,
	[FIRST_ATTEMPT_AT] = DB_TIME,
	[NEXT_ATTEMPT_AT] = DB_TIME,
	[KEY_ID] = DB_INT,
	[DAY] = DB_INT,
	[DATE_AT] = DB_TIME,
	[VARIANT] = DB_INT,
	[CONNECTION] = DB_TEXT,
	[WAITS_FOR] = DB_TEXT,
	[RELAY] = DB_TEXT,
};
static_assert(ARRAY_LEN(column_types) == COLUMN_COUNT, "one type per column");

static const char *const outcome_names[] = {
	[LEDGER_ACCEPTED] = "accepted", [LEDGER_REFUSED] = "refused",   [LEDGER_EXPIRED] = "expired",
	[LEDGER_SKIPPED] = "skipped",   [LEDGER_DEFERRED] = "deferred", [LEDGER_IN_DOUBT] = "in_doubt",
	[LEDGER_PARKED] = "parked",     [LEDGER_HELD] = "held",
};
static_assert(ARRAY_LEN(outcome_names) == LEDGER_OUTCOME_COUNT, "one name per outcome");

/* The parameters of END_NEW: $1 to $12; of NAME_DOUBTFUL, QUEUE, PARK and HOLD: $1 the worker, then all columns. */
#define MOVED                                                                                                          \
	"unnest($2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::timestamptz[], $7::bigint[], $8::text[],"    \
	" $9::text[], $10::text[], $11::bigint[], $12::text[], $13::timestamptz[], $14::timestamptz[],"                \
	" $15::bigint[], $16::bigint[], $17::timestamptz[], $18::text[], $19::text[])"                                 \
	" AS i(campaign_id, subscriber_id, state, attempts, at, code, status, reason, reply, variant, relay,"          \
	" first_attempt_at, next_attempt_at, key_id, day, date_at, connection, waits_for)"

#define HAS_NO_END                                                                                                     \
	" NOT EXISTS (SELECT FROM delivery d"                                                                          \
	" WHERE d.campaign_id = i.campaign_id AND d.subscriber_id = i.subscriber_id)"

/* One resend a recipient: who has been in doubt before is held for a person. */
#define IS_RESENT                                                                                                      \
	" c.in_doubt = 'resend' AND c.state <> 'canceled' AND NOT EXISTS (SELECT FROM doubt d"                         \
	" WHERE d.campaign_id = i.campaign_id AND d.subscriber_id = i.subscriber_id AND d.attempt < i.attempts)"

static const struct db_statement statements[] = {
	/* $1 worker, $2 campaigns, $3 subscribers. */
	[LEAVE_QUEUE] = { .name = "ledger_leave_queue",
			  .sql = "DELETE FROM deferral f USING unnest($2::bigint[], $3::bigint[]) AS i(c, s)"
				 " WHERE f.campaign_id = i.c AND f.subscriber_id = i.s AND f.opened_by = $1::uuid" },
	[MARK] = { .name = "ledger_mark", .sql = "SAVEPOINT ledger" },
	[END] = { .name = "ledger_end",
		  .sql = "COPY delivery (campaign_id, subscriber_id, outcome, attempts, at, code, status, reason, "
			 "reply, variant, relay, first_at)"
			 " FROM STDIN (FORMAT binary)" },
	[TAKE_BACK] = { .name = "ledger_take_back", .sql = "ROLLBACK TO SAVEPOINT ledger" },
	[END_NEW] = { .name = "ledger_end_new",
		      .sql = "INSERT INTO delivery (campaign_id, subscriber_id, outcome, attempts, at, code, status, "
			     "reason, reply, variant, relay, first_at)"
			     " SELECT i.campaign_id, i.subscriber_id, i.outcome::delivery_outcome, i.attempts, i.at, "
			     "i.code, i.status, i.reason, i.reply, nullif(i.variant, 0), i.relay, i.first_at"
			     " FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::timestamptz[],"
			     " $6::bigint[], $7::text[], $8::text[], $9::text[], $10::bigint[], $11::text[],"
			     " $12::timestamptz[])"
			     " AS i(campaign_id, subscriber_id, outcome, attempts, at, code, status, reason, reply,"
			     " variant, relay, first_at)"
			     " ON CONFLICT DO NOTHING" },
	/* A transaction whose commit was not heard of is repeated, and meanwhile another worker may have taken whom it put into the queue, and end
	 * him in this moment. A statement that began before that end would not see it, and put him into the queue beside it: so whoever has such a
	 * row is waited for first. $1 campaigns, $2 subscribers. */
	[AWAIT] = { .name = "ledger_await",
		    .sql = "SELECT FROM deferral f JOIN unnest($1::bigint[], $2::bigint[]) AS i(c, s)"
			   " ON f.campaign_id = i.c AND f.subscriber_id = i.s ORDER BY f.campaign_id, f.subscriber_id"
			   " FOR UPDATE OF f" },
	[NAME_DOUBTFUL] = { .name = "ledger_name_doubtful",
			    .sql = "INSERT INTO doubt (campaign_id, subscriber_id, attempt, worker_id, connection, at,"
				   " decision, decided_at)"
				   " SELECT i.campaign_id, i.subscriber_id, i.attempts, $1::uuid, "
				   "coalesce(i.connection, ''), i.at,"
				   " CASE WHEN" IS_RESENT " THEN 'resend' ELSE 'hold' END, now()"
				   " FROM " MOVED " JOIN campaign c ON c.id = i.campaign_id"
				   " WHERE i.state = 'in_doubt' AND" HAS_NO_END " ON CONFLICT DO NOTHING" },
	/* A row that shows this attempt already, or that another has in hand, stays as it is. Clocks of hosts differ, and jump: the last
	 * attempt may seem to come before the first. */
	[QUEUE] = { .name = "ledger_queue",
		    .sql =
			"INSERT INTO deferral AS f (campaign_id, subscriber_id, state, attempts, first_attempt_at,"
			" last_attempt_at, next_attempt_at, key_id, day, date_at, variant, code, status, reply, relay)"
			" SELECT i.campaign_id, i.subscriber_id, i.state, i.attempts, i.first_attempt_at,"
			" greatest(i.at, i.first_attempt_at),"
			" CASE WHEN i.state = 'deferred' OR (" IS_RESENT ") THEN i.next_attempt_at END,"
			" i.key_id, i.day, i.date_at, i.variant, i.code, i.status, i.reply, i.relay"
			" FROM " MOVED " JOIN campaign c ON c.id = i.campaign_id"
			" WHERE i.state IN ('deferred', 'in_doubt') AND" HAS_NO_END
			" ON CONFLICT (campaign_id, subscriber_id) DO UPDATE SET state = excluded.state,"
			" attempts = excluded.attempts, last_attempt_at = excluded.last_attempt_at,"
			" first_attempt_at = coalesce(f.first_attempt_at, excluded.first_attempt_at),"
			" next_attempt_at = excluded.next_attempt_at, code = excluded.code, status = excluded.status,"
			" reply = excluded.reply, relay = excluded.relay, opened_by = NULL, waits_for = NULL"
			" WHERE f.opened_by = $1::uuid AND f.attempts < excluded.attempts" },
	/* Untried: what an earlier attempt left (its state, when it was) stays. Who waits for a group that is held has no time; where the
	 * hold was lifted meanwhile it is now. The lock makes whoever lifts it wait for this transaction, and sees its rows then. */
	[PARK] = { .name = "ledger_park",
		   .sql =
		       "WITH held AS MATERIALIZED (SELECT h.campaign_id, 'hold:' || h.group_name AS waits_for"
		       " FROM campaign_group_hold h WHERE EXISTS (SELECT FROM unnest($2::bigint[], $19::text[]) AS "
		       "p(c, w)"
		       " WHERE p.c = h.campaign_id AND p.w = 'hold:' || h.group_name) FOR SHARE)"
		       " INSERT INTO deferral AS f (campaign_id, subscriber_id, state, attempts, next_attempt_at, "
		       "waits_for,"
		       " key_id, day, date_at, variant)"
		       " SELECT i.campaign_id, i.subscriber_id, 'deferred', 0,"
		       " CASE WHEN h.waits_for IS NULL THEN coalesce(i.next_attempt_at, now()) END, i.waits_for,"
		       " i.key_id, i.day, i.date_at, i.variant"
		       " FROM " MOVED " LEFT JOIN held h ON h.campaign_id = i.campaign_id AND h.waits_for = i.waits_for"
		       " WHERE i.state = 'parked' AND" HAS_NO_END " ON CONFLICT (campaign_id, subscriber_id) DO UPDATE "
		       "SET next_attempt_at = excluded.next_attempt_at,"
		       " waits_for = excluded.waits_for, opened_by = NULL WHERE f.opened_by = $1::uuid" },
	/* Whose copy was put off after the doubt has no doubt of that attempt yet. */
	[HOLD] = { .name = "ledger_hold",
		   .sql = "WITH held AS (UPDATE deferral f SET state = 'in_doubt', next_attempt_at = NULL, waits_for = "
			  "NULL,"
			  " opened_by = NULL, code = NULL, status = NULL, reply = concat_ws(': ', 'not sent again', "
			  "i.reason, i.reply), relay = NULL FROM " MOVED
			  " WHERE i.state = 'held' AND f.campaign_id = i.campaign_id"
			  " AND f.subscriber_id = i.subscriber_id AND f.opened_by = $1::uuid"
			  " RETURNING f.campaign_id, f.subscriber_id, f.attempts, f.last_attempt_at)"
			  " INSERT INTO doubt AS d (campaign_id, subscriber_id, attempt, worker_id, connection, at, "
			  "decision,"
			  " decided_at) SELECT campaign_id, subscriber_id, attempts, $1::uuid, '', last_attempt_at, "
			  "'hold',"
			  " now() FROM held ON CONFLICT (campaign_id, subscriber_id, attempt)"
			  " DO UPDATE SET decision = excluded.decision, decided_at = excluded.decided_at" },
	[MARK_ROW] = { .name = "ledger_mark_row", .sql = "SAVEPOINT ledger_row" },
	[TAKE_ROW_BACK] = { .name = "ledger_take_row_back", .sql = "ROLLBACK TO SAVEPOINT ledger_row" },
	[RELEASE_ROW] = { .name = "ledger_release_row", .sql = "RELEASE SAVEPOINT ledger_row" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

static bool is_end(enum ledger_outcome outcome)
{
	return outcome <= LEDGER_SKIPPED;
}

struct table {
	struct db_array columns[COLUMN_COUNT];
	struct db_value values[1 + COLUMN_COUNT]; /* the worker, then the columns */
	size_t count;
};

static void table_open(struct table *table, const char *worker_id)
{
	table->count = 0;
	table->values[0] = db_text(view_of(worker_id));
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		table->columns[i] = db_array_of(column_types[i]);
		table->values[1 + i] = db_values(&table->columns[i]);
	}
}

static void table_done(struct table *table)
{
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		db_array_done(&table->columns[i]);
}

static void add_text(struct db_array *column, struct view text)
{
	if (text.len == 0)
		db_array_add_null(column);
	else
		db_array_add_bytes(column, text);
}

static void add_number(struct db_array *column, int64_t number)
{
	if (number == 0)
		db_array_add_null(column);
	else
		db_array_add_int(column, number);
}

/* The ledger keeps it where it tells more than the end does. */
static int64_t first_of_several(const struct ledger_row *row)
{
	return row->attempts > 1 ? row->first_attempt_us : 0;
}

static void table_add(struct table *table, const struct ledger_row *row)
{
	struct db_array *columns = table->columns;
	db_array_add_int(&columns[CAMPAIGN_ID], row->campaign_id);
	db_array_add_int(&columns[SUBSCRIBER_ID], row->subscriber_id);
	db_array_add_bytes(&columns[OUTCOME], view_of(outcome_names[row->outcome]));
	db_array_add_int(&columns[ATTEMPTS], row->attempts);
	db_array_add_int(&columns[AT], row->at_us);
	add_number(&columns[CODE], row->code);
	add_text(&columns[STATUS], row->status);
	add_text(&columns[REASON], row->reason);
	add_text(&columns[REPLY], row->reply);
	db_array_add_int(&columns[VARIANT], row->terms.variant);
	add_text(&columns[RELAY], row->relay);
	add_number(&columns[FIRST_ATTEMPT_AT], is_end(row->outcome) ? first_of_several(row) : row->first_attempt_us);
	table->count++;
	if (is_end(row->outcome))
		return;
	add_number(&columns[NEXT_ATTEMPT_AT], row->next_attempt_us);
	db_array_add_int(&columns[KEY_ID], row->terms.key_id);
	db_array_add_int(&columns[DAY], row->terms.day);
	db_array_add_int(&columns[DATE_AT], row->terms.date_us);
	add_text(&columns[CONNECTION], row->connection);
	add_text(&columns[WAITS_FOR], row->waits_for);
}

static void fill(struct table *table, const struct ledger_row *rows, size_t count, bool ends, bool only_from_queue)
{
	for (size_t i = 0; i < count; i++) {
		if (is_end(rows[i].outcome) == ends && (rows[i].from_queue || !only_from_queue))
			table_add(table, &rows[i]);
	}
}

/* Before the ledger rows, so that nobody is in both at any commit. */
static enum err leave_queue(struct db *db, const char *worker_id, const struct ledger_row *rows, size_t count,
			    struct buf *why)
{
	struct table table;
	table_open(&table, worker_id);
	fill(&table, rows, count, true, true);
	enum err err = ERR_OK;
	if (table.count > 0)
		err = db_run(db, &statements[LEAVE_QUEUE], table.values, 3, NULL, why);
	table_done(&table);
	return err;
}

static void add_end_text(struct db_tuples *ends, struct view text)
{
	if (text.len == 0)
		db_tuples_add_null(ends);
	else
		db_tuples_add_text(ends, text);
}

/* One more for END. */
static void add_end(struct db_tuples *ends, const struct ledger_row *row)
{
	db_tuples_add_int8(ends, row->campaign_id);
	db_tuples_add_int8(ends, row->subscriber_id);
	db_tuples_add_text(ends, view_of(outcome_names[row->outcome]));
	db_tuples_add_int4(ends, (int32_t)row->attempts);
	db_tuples_add_time(ends, row->at_us);
	if (row->code == 0)
		db_tuples_add_null(ends);
	else
		db_tuples_add_int2(ends, (int16_t)row->code);
	add_end_text(ends, row->status);
	add_end_text(ends, row->reason);
	add_end_text(ends, row->reply);
	if (row->terms.variant == 0)
		db_tuples_add_null(ends);
	else
		db_tuples_add_int2(ends, (int16_t)row->terms.variant);
	add_end_text(ends, row->relay);
	if (first_of_several(row) == 0)
		db_tuples_add_null(ends);
	else
		db_tuples_add_time(ends, first_of_several(row));
}

/* Those that may stand there already. */
static enum err insert_new_ends(struct db *db, const struct ledger_row *rows, size_t count, struct buf *why)
{
	struct table table;
	table_open(&table, "");
	fill(&table, rows, count, true, false);
	enum err err = db_run(db, &statements[END_NEW], table.values + 1, ENDS_VALUES, NULL, why);
	table_done(&table);
	return err;
}

static enum err copy_ends(struct db *db, struct db_tuples *ends, struct buf *why)
{
	enum err err = db_run(db, &statements[MARK], NULL, 0, NULL, why);
	return err == ERR_OK ? db_copy_tuples(db, &statements[END], ends, why) : err;
}

/* Rows are all but always new, and a COPY of them costs half of what an INSERT does. Where one is there already, which only a repetition
 * finds, all are written again in the way that looks at each before. */
static enum err end(struct db *db, const struct ledger_row *rows, size_t count, struct buf *why)
{
	AUTO_DB_TUPLES ends = db_tuples_of(ENDS_VALUES);
	size_t said = why->len;
	for (size_t i = 0; i < count; i++) {
		if (is_end(rows[i].outcome))
			add_end(&ends, &rows[i]);
	}
	enum err err = ends.count > 0 ? copy_ends(db, &ends, why) : ERR_OK;
	if (err != ERR_EXISTS)
		return err;
	buf_cut(why, said);
	err = db_run(db, &statements[TAKE_BACK], NULL, 0, NULL, why);
	return err == ERR_OK ? insert_new_ends(db, rows, count, why) : err;
}

static enum err move(struct db *db, const char *worker_id, const struct ledger_row *rows, size_t count, struct buf *why)
{
	static const enum statement steps[] = { QUEUE, NAME_DOUBTFUL, PARK, HOLD };
	struct table table;
	size_t outcomes[LEDGER_OUTCOME_COUNT] = { 0 };
	table_open(&table, worker_id);
	fill(&table, rows, count, false, false);
	for (size_t i = 0; i < count; i++)
		outcomes[rows[i].outcome]++;
	const size_t needs[STATEMENT_COUNT] = {
		[QUEUE] = outcomes[LEDGER_DEFERRED] + outcomes[LEDGER_IN_DOUBT],
		[NAME_DOUBTFUL] = outcomes[LEDGER_IN_DOUBT],
		[PARK] = outcomes[LEDGER_PARKED],
		[HOLD] = outcomes[LEDGER_HELD],
	};
	enum err err = table.count == 0 ? ERR_OK : db_run(db, &statements[AWAIT], table.values + 1, 2, NULL, why);
	for (size_t i = 0; err == ERR_OK && i < ARRAY_LEN(steps); i++) {
		if (needs[steps[i]] > 0)
			err = db_run(db, &statements[steps[i]], table.values, ARRAY_LEN(table.values), NULL, why);
	}
	table_done(&table);
	return err;
}

static enum err append(struct db *db, const char *worker_id, const struct ledger_row *rows, size_t count,
		       struct buf *why)
{
	enum err err = leave_queue(db, worker_id, rows, count, why);
	if (err == ERR_OK)
		err = end(db, rows, count, why);
	if (err == ERR_OK)
		err = move(db, worker_id, rows, count, why);
	return err;
}

enum err ledger_append(struct db *db, const char *worker_id, const struct ledger_row *rows, size_t count,
		       struct buf *why)
{
	struct ledger_row *kept = NULL;
	enum err err = ledger_words_keep(db, rows, count, &kept, why);
	if (err == ERR_OK)
		err = append(db, worker_id, kept == NULL ? rows : kept, count, why);
	free(kept);
	return err;
}

/* ---- where the database refuses a row ---- */

bool ledger_is_refusal(const struct db *db, enum err err)
{
	static const char *const classes[] = { "22", "23" };
	bool is_about_values = false;
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		is_about_values = is_about_values || strncmp(db_sqlstate(db), classes[i], 2) == 0;
	return is_about_values && (err == ERR_INVALID || err == ERR_REFUSED || err == ERR_EXISTS);
}

enum err ledger_mark(struct db *db, struct buf *why)
{
	return db_run(db, &statements[MARK_ROW], NULL, 0, NULL, why);
}

enum err ledger_take_back(struct db *db, struct buf *why)
{
	return db_run(db, &statements[TAKE_ROW_BACK], NULL, 0, NULL, why);
}

enum err ledger_release(struct db *db, struct buf *why)
{
	return db_run(db, &statements[RELEASE_ROW], NULL, 0, NULL, why);
}

struct ledger_row ledger_plain(const struct ledger_row *row, int64_t now_us, int64_t next_us)
{
	return (struct ledger_row){
		.campaign_id = row->campaign_id,
		.subscriber_id = row->subscriber_id,
		.outcome = row->outcome,
		.attempts = row->attempts,
		.at_us = now_us,
		.from_queue = row->from_queue,
		.reason = row->reason,
		.reply = VIEW_LIT("the database refused what else was to be written"),
		.first_attempt_us = row->outcome == LEDGER_PARKED ? 0 : now_us,
		.next_attempt_us = next_us,
		.terms = row->terms,
	};
}

const char *ledger_outcome_name(enum ledger_outcome outcome)
{
	return outcome_names[outcome];
}
