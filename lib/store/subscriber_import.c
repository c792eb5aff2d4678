#include "store/subscribers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

enum { SEND_AT = 64 << 10 };

enum statement {
	PREPARE,
	TABLE,
	COPY,
	ANALYZE,
	FOLD,
	DROP_SUPPRESSED,
	DROP_SUPPRESSED_DOMAINS,
	INSERT,
	UPDATE,
	JOIN,
	STATEMENT_COUNT
};

/* The rows come into a temporary table and are merged set by set, each step in the order of keys or ids, so that two imports
 * never wait for each other in a circle. */
static const struct db_statement statements[] = {
	/* The session plans every statement anew, and so would the checks of foreign keys, row by row: as long as all the rest together. */
	[PREPARE] = {
		.name = "import_prepare",
		.sql = "SELECT set_config('plan_cache_mode', 'auto', true), set_config('work_mem', '64MB', true)",
	},
	[TABLE] = {
		.name = "import_table",
		.sql = "CREATE TEMPORARY TABLE import_row (position bigint, address text, address_key text COLLATE \"C\","
		       " name text, attributes jsonb) ON COMMIT DROP",
	},
	[COPY] = {
		.name = "import_copy",
		.sql = "COPY import_row (position, address, address_key, name, attributes) FROM STDIN",
	},
	[ANALYZE] = { .name = "import_analyze", .sql = "ANALYZE import_row" },
	/* An address that stands there several times becomes its last row, with the values of all: later ones win. */
	[FOLD] = {
		.name = "import_fold",
		.sql = "WITH twice AS MATERIALIZED ("
		       "  SELECT address_key FROM import_row GROUP BY address_key HAVING count(*) > 1),"
		       " folded AS MATERIALIZED ("
		       "  SELECT r.address_key, max(r.position) AS position, coalesce("
		       "    (array_agg(r.name ORDER BY r.position DESC) FILTER (WHERE r.name <> ''))[1], '') AS name"
		       "  FROM import_row r JOIN twice USING (address_key) GROUP BY r.address_key),"
		       " merged AS MATERIALIZED ("
		       "  SELECT r.address_key, jsonb_object_agg(e.key, e.value ORDER BY r.position) AS attributes"
		       "  FROM import_row r JOIN twice USING (address_key), jsonb_each(r.attributes) e"
		       "  GROUP BY r.address_key),"
		       " gone AS ("
		       "  DELETE FROM import_row r USING folded f"
		       "  WHERE r.address_key = f.address_key AND r.position < f.position RETURNING 1),"
		       " kept AS ("
		       "  UPDATE import_row r SET name = f.name, attributes = coalesce(m.attributes, '{}')"
		       "  FROM folded f LEFT JOIN merged m USING (address_key)"
		       "  WHERE r.address_key = f.address_key AND r.position = f.position)"
		       " SELECT count(*) FROM gone",
	},
	[DROP_SUPPRESSED] = {
		.name = "import_drop_suppressed",
		.sql = "DELETE FROM import_row r USING suppression s WHERE s.kind = 'address' AND s.value = r.address_key"
		       " AND (s.list_id IS NULL OR s.list_id = $1::bigint)",
	},
	[DROP_SUPPRESSED_DOMAINS] = {
		.name = "import_drop_suppressed_domains",
		.sql = "DELETE FROM import_row r USING suppression s"
		       " WHERE s.kind = 'domain' AND s.value = split_part(r.address_key, '@', 2)"
		       " AND (s.list_id IS NULL OR s.list_id = $1::bigint)",
	},
	[INSERT] = {
		.name = "import_insert",
		.sql = "INSERT INTO subscriber (address, address_key, name, attributes)"
		       " SELECT r.address, r.address_key, r.name, r.attributes FROM import_row r"
		       " WHERE NOT EXISTS (SELECT FROM subscriber s WHERE s.address_key = r.address_key)"
		       " ORDER BY r.address_key ON CONFLICT (address_key) DO NOTHING",
	},
	/* A value that is there already in another JSON type (42 for "42") stays as it is. The weaker lock lets another import check
	 * its new memberships' keys meanwhile, which holds locks of its own from this step. */
	[UPDATE] = {
		.name = "import_update",
		.sql = "WITH changing AS MATERIALIZED ("
		       "  SELECT s.id, r.name, r.attributes FROM import_row r JOIN subscriber s USING (address_key)"
		       "  WHERE (r.name <> '' AND r.name <> s.name) OR (NOT s.attributes @> r.attributes AND EXISTS ("
		       "    SELECT FROM jsonb_each_text(r.attributes) e WHERE s.attributes ->> e.key IS DISTINCT FROM e.value))"
		       "  ORDER BY s.id FOR NO KEY UPDATE OF s)"
		       " UPDATE subscriber s SET name = CASE WHEN c.name = '' THEN s.name ELSE c.name END,"
		       "  attributes = s.attributes || coalesce((SELECT jsonb_object_agg(e.key, e.value)"
		       "    FROM jsonb_each_text(c.attributes) e WHERE s.attributes ->> e.key IS DISTINCT FROM e.value), '{}')"
		       " FROM changing c WHERE s.id = c.id",
	},
	/* Whoever is a member already, in whatever state, stays as they are. */
	[JOIN] = {
		.name = "import_join",
		.sql = "WITH people AS MATERIALIZED (SELECT s.id FROM import_row r JOIN subscriber s USING (address_key)),"
		       " joined AS ("
		       "  INSERT INTO membership (list_id, subscriber_id, state, reason)"
		       "  SELECT $1::bigint, p.id, 'active', 'import' FROM people p ORDER BY p.id"
		       "  ON CONFLICT (list_id, subscriber_id) DO NOTHING RETURNING 1)"
		       " SELECT (SELECT count(*) FROM joined), count(*) FILTER (WHERE m.state = 'unsubscribed'),"
		       "  count(*) FILTER (WHERE m.state = 'disabled'), count(*) FILTER (WHERE m.state = 'removed')"
		       " FROM people p LEFT JOIN membership m ON m.list_id = $1::bigint AND m.subscriber_id = p.id",
	},
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row a statement");

struct subscriber_import {
	struct db *db;
	struct buf batch; /* lines in COPY's text format */
	uint64_t rows;
	bool copying;
};

enum err subscriber_import_begin(struct db *db, struct subscriber_import **ret_import, struct buf *why)
{
	struct subscriber_import *import = calloc(1, sizeof(*import));
	if (import == NULL)
		return ERR_MEMORY;
	import->db = db;
	import->batch = buf_with_ceiling(LIMIT_COPY_BATCH);
	enum err err = db_run(db, &statements[PREPARE], NULL, 0, NULL, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[TABLE], NULL, 0, NULL, why);
	if (err == ERR_OK)
		err = db_copy_begin(db, &statements[COPY], why);
	if (err != ERR_OK) {
		subscriber_import_done(import);
		return err;
	}
	import->copying = true;
	*ret_import = import;
	return ERR_OK;
}

void subscriber_import_done(struct subscriber_import *import)
{
	if (import == NULL)
		return;
	if (import->copying && db_copy_end(import->db, false, NULL) == ERR_OK) {
		/* Aborting never succeeds: the server reports the COPY as failed, which is what was asked for. */
	}
	buf_done(&import->batch);
	free(import);
}

/* COPY's text format: a backslash before what would end the field or the row. */
static void add_field(struct buf *batch, struct view text, char end)
{
	while (text.len > 0) {
		size_t plain = 0;
		while (plain < text.len && memchr("\\\t\n\r", text.data[plain], 4) == NULL)
			plain++;
		buf_add(batch, view_head(text, plain));
		if (plain < text.len) {
			const char byte = text.data[plain];
			buf_add_byte(batch, '\\');
			buf_add_byte(batch, byte == '\t' ? 't' : byte == '\n' ? 'n' : byte == '\r' ? 'r' : '\\');
			plain++;
		}
		text = view_skip(text, plain);
	}
	buf_add_byte(batch, end);
}

static enum err send_batch(struct subscriber_import *import, struct buf *why)
{
	enum err err = buf_err(&import->batch);
	if (err == ERR_OK)
		err = db_copy_data(import->db, buf_view(&import->batch), why);
	buf_reset(&import->batch);
	return err;
}

enum err subscriber_import_add(struct subscriber_import *import, const struct subscriber_row *row, struct buf *why)
{
	struct buf *batch = &import->batch;
	buf_add_u64(batch, ++import->rows);
	buf_add_byte(batch, '\t');
	add_field(batch, row->address, '\t');
	add_field(batch, row->address_key, '\t');
	add_field(batch, row->name, '\t');
	add_field(batch, row->attributes, '\n');
	if (batch->len < SEND_AT && buf_err(batch) == ERR_OK)
		return ERR_OK;
	return send_batch(import, why);
}

/* Adds the rows that the statement changed to *count. */
static enum err step(struct subscriber_import *import, enum statement statement, const int64_t *list_id,
		     uint64_t *count, struct buf *why)
{
	const struct db_value values[] = { db_int(list_id == NULL ? 0 : *list_id) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(import->db, &statements[statement], values, list_id == NULL ? 0 : 1, &rows, why);
	if (err == ERR_OK)
		*count += db_changed(rows);
	return err;
}

static enum err fold(struct subscriber_import *import, struct import_counts *counts, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(import->db, &statements[FOLD], NULL, 0, &rows, why);
	if (err == ERR_OK)
		counts->duplicates = (uint64_t)db_get_int(rows, 0, 0);
	return err;
}

static enum err join(struct subscriber_import *import, int64_t list_id, struct import_counts *counts, struct buf *why)
{
	const struct db_value values[] = { db_int(list_id) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(import->db, &statements[JOIN], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	counts->joined = (uint64_t)db_get_int(rows, 0, 0);
	counts->unsubscribed = (uint64_t)db_get_int(rows, 0, 1);
	counts->disabled = (uint64_t)db_get_int(rows, 0, 2);
	counts->removed = (uint64_t)db_get_int(rows, 0, 3);
	return ERR_OK;
}

enum err subscriber_import_merge(struct subscriber_import *import, int64_t list_id, struct import_counts *ret_counts,
				 struct buf *why)
{
	struct import_counts counts = { .rows = import->rows };
	uint64_t ignored = 0;
	enum err err = send_batch(import, why);
	if (err != ERR_OK)
		return err;
	import->copying = false;
	err = db_copy_end(import->db, true, why);
	if (err == ERR_OK)
		err = step(import, ANALYZE, NULL, &ignored, why);
	if (err == ERR_OK)
		err = fold(import, &counts, why);
	if (err == ERR_OK)
		err = step(import, DROP_SUPPRESSED, &list_id, &counts.suppressed, why);
	if (err == ERR_OK)
		err = step(import, DROP_SUPPRESSED_DOMAINS, &list_id, &counts.suppressed, why);
	if (err == ERR_OK)
		err = step(import, INSERT, NULL, &counts.created, why);
	if (err == ERR_OK)
		err = step(import, UPDATE, NULL, &counts.updated, why);
	if (err == ERR_OK)
		err = join(import, list_id, &counts, why);
	if (err != ERR_OK)
		return err;
	uint64_t people = counts.rows - counts.duplicates - counts.suppressed;
	counts.unchanged = people - counts.created - counts.updated;
	counts.already = people - counts.joined - counts.unsubscribed - counts.disabled - counts.removed;
	*ret_counts = counts;
	return ERR_OK;
}
