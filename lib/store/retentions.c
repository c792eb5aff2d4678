#include "store/retentions.h"

#include <assert.h>
#include <string.h>

enum statement { DUE, DROP, WEIGH, MESSAGES, MESSAGES_DRY, UNATTRIBUTED, UNATTRIBUTED_DRY, KNOWN, STATEMENT_COUNT };

/* Rows of a transaction. */
enum { PORTION = 5000 };

static const struct db_statement statements[] = {
	[DUE] = { "retentions_due", "SELECT block, campaigns::text, names, cardinality(campaigns), ended_at, people"
				    " FROM retention_due($1)" },
	[DROP] = { "retentions_drop", "SELECT retention_drop($1::text::bigint[], $2, $3)" },
	[WEIGH] = { "retentions_weigh", "SELECT what, number, octets FROM retention_weigh($1::text::bigint[])" },
	[MESSAGES] = { "retentions_messages",
		       "WITH gone AS (DELETE FROM bounce_raw WHERE (campaign_id, event_id) IN (SELECT campaign_id,"
		       " event_id FROM bounce_raw WHERE stored_at < $1 ORDER BY stored_at LIMIT $2)"
		       " RETURNING pg_column_size(message) AS octets)"
		       " SELECT count(*), coalesce(sum(octets), 0)::bigint FROM gone" },
	[MESSAGES_DRY] = { "retentions_messages_dry",
			   "SELECT count(*), coalesce(sum(pg_column_size(message)), 0)::bigint FROM bounce_raw"
			   " WHERE stored_at < $1 AND $2::bigint > 0" },
	/* Campaign 0 has what cannot be attributed: probes, and reports about campaigns whose block is gone. */
	[UNATTRIBUTED] = { "retentions_unattributed",
			   "WITH old AS MATERIALIZED (SELECT id FROM bounce_event WHERE campaign_id = 0"
			   " AND received_at < $1 AND judged_at IS NOT NULL LIMIT $2),"
			   " raw AS (DELETE FROM bounce_raw WHERE campaign_id = 0 AND event_id IN (SELECT id FROM old)"
			   " RETURNING pg_column_size(message) AS octets),"
			   " gone AS (DELETE FROM bounce_event e WHERE campaign_id = 0 AND id IN (SELECT id FROM old)"
			   " RETURNING pg_column_size(e) AS octets)"
			   " SELECT count(*), coalesce(sum(octets), 0)::bigint"
			   " + (SELECT coalesce(sum(octets), 0) FROM raw)::bigint FROM gone" },
	[UNATTRIBUTED_DRY] = { "retentions_unattributed_dry",
			       "SELECT count(*), coalesce(sum(pg_column_size(e)), 0)::bigint FROM bounce_event e"
			       " WHERE campaign_id = 0 AND received_at < $1 AND judged_at IS NOT NULL"
			       " AND $2::bigint > 0" },
	[KNOWN] = { "retentions_known", "SELECT count(*), max(c.ended_at), max(p.dropped_at) FROM campaign_past p"
					" JOIN campaign c ON c.id = p.campaign_id WHERE ($1::bigint = 0 OR c.id = $1)"
					" AND c.started_at IS NOT NULL" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

static const char *const kind_names[] = {
	[RETENTION_LEDGER] = "ledger",
	[RETENTION_EVENTS] = "events",
	[RETENTION_MESSAGES] = "messages",
	[RETENTION_AUDIENCES] = "audiences",
};
static_assert(ARRAY_LEN(kind_names) == RETENTION_KINDS, "one name per kind");

const char *retention_kind_name(enum retention_kind kind)
{
	return kind_names[kind];
}

enum err retentions_due(struct db *db, int64_t before_us, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value before = db_time(before_us);
	return db_run(db, &statements[DUE], &before, 1, ret_rows, why);
}

void retention_step_at(const struct db_rows *rows, size_t row, struct retention_step *ret_step)
{
	*ret_step = (struct retention_step){ .is_block = !db_is_null(rows, row, 0),
					     .block = db_get_int(rows, row, 0),
					     .campaigns = db_get_text(rows, row, 1),
					     .names = db_get_text(rows, row, 2),
					     .campaign_count = db_get_int(rows, row, 3),
					     .ended_us = db_get_time(rows, row, 4),
					     .people = db_get_int(rows, row, 5) };
}

enum err retentions_weigh(struct db *db, const struct retention_step *step, struct freed ret_freed[RETENTION_KINDS],
			  struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	const struct db_value campaigns = db_text(step->campaigns);
	enum err err = db_run(db, &statements[WEIGH], &campaigns, 1, &rows, why);
	if (err != ERR_OK)
		return err;
	for (size_t kind = 0; kind < RETENTION_KINDS; kind++)
		ret_freed[kind] = (struct freed){ 0 };
	for (size_t row = 0; row < db_row_count(rows); row++)
		for (size_t kind = 0; kind < RETENTION_KINDS; kind++)
			if (view_eq(db_get_text(rows, row, 0), view_of(kind_names[kind])))
				ret_freed[kind] = (struct freed){ db_get_int(rows, row, 1), db_get_int(rows, row, 2) };
	return ERR_OK;
}

static enum err drop(struct db *db, const struct retention_step *step, int64_t before_us,
		     struct freed ret_freed[RETENTION_KINDS], struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	const struct db_value values[] = { db_text(step->campaigns), step->is_block ? db_int(step->block) : db_null(),
					   db_time(before_us) };
	enum err err = retentions_weigh(db, step, ret_freed, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[DROP], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK && !db_get_bool(rows, 0, 0))
		return ERR_EXISTS;
	return err;
}

enum err retentions_drop(struct db *db, const struct retention_step *step, int64_t before_us,
			 struct freed ret_freed[RETENTION_KINDS], struct buf *why)
{
	enum err err = db_begin(db, why);
	if (err != ERR_OK)
		return err;
	err = drop(db, step, before_us, ret_freed, why);
	if (err == ERR_OK)
		return db_commit(db, why);
	bool is_locked = strcmp(db_sqlstate(db), "55P03") == 0;
	db_rollback(db);
	if (err == ERR_EXISTS || !is_locked)
		return err;
	buf_reset(why);
	buf_addf(why,
		 "somebody reads the ledger, so that the block of campaigns " VIEW_FMT
		 " cannot be dropped now; all of it is still there, and the next `listctl maintain` tries again",
		 VIEW_ARG(step->names));
	return ERR_REFUSED;
}

static enum err free_rows(struct db *db, enum statement statement, int64_t before_us, struct freed *ret_freed,
			  struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	const struct db_value values[] = { db_time(before_us), db_int(PORTION) };
	enum err err = db_run(db, &statements[statement], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_freed = (struct freed){ db_get_int(rows, 0, 0), db_get_int(rows, 0, 1) };
	return err;
}

enum err retentions_drop_messages(struct db *db, int64_t before_us, bool dry, struct freed *ret_freed, struct buf *why)
{
	return free_rows(db, dry ? MESSAGES_DRY : MESSAGES, before_us, ret_freed, why);
}

enum err retentions_drop_unattributed(struct db *db, int64_t before_us, bool dry, struct freed *ret_freed,
				      struct buf *why)
{
	return free_rows(db, dry ? UNATTRIBUTED_DRY : UNATTRIBUTED, before_us, ret_freed, why);
}

enum err retentions_known(struct db *db, uint64_t campaign_id, struct retained *ret_retained, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	const struct db_value campaign = db_int((int64_t)campaign_id);
	enum err err = db_run(db, &statements[KNOWN], &campaign, 1, &rows, why);
	if (err == ERR_OK)
		*ret_retained =
		    (struct retained){ db_get_int(rows, 0, 0), db_get_time(rows, 0, 1), db_get_time(rows, 0, 2) };
	return err;
}
