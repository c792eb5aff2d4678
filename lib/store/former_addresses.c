#include "store/former_addresses.h"

#include <assert.h>

enum { TOGETHER = 10000 };

enum statement { FIND, OF, LOAD, STATEMENT_COUNT };

#define COLUMNS "SELECT f.subscriber_id, f.address_key, s.address, f.since, f.until"
#define MAILBOX "coalesce(f.canonical, f.address_key)"

static const struct db_statement statements[] = {
	[FIND] = { .name = "former_addresses_find",
		   .sql = COLUMNS " FROM former_address f JOIN subscriber s ON s.id = f.subscriber_id"
				  " WHERE " MAILBOX " = coalesce($2, $1) AND NOT EXISTS (SELECT FROM subscriber"
				  "  WHERE address_key IN ($1, $2) OR canonical = coalesce($2, $1))"
				  " ORDER BY f.until DESC LIMIT 1" },
	[OF] = { .name = "former_addresses_of",
		 .sql = COLUMNS " FROM former_address f JOIN subscriber s ON s.id = f.subscriber_id"
				" WHERE f.subscriber_id = $1::bigint ORDER BY f.until DESC, f.address_key" },
	/* By the key of the table. $1, $2 what was reached, $3 how many. */
	[LOAD] = { .name = "former_addresses_load",
		   .sql = "SELECT f.subscriber_id, f.address_key, " MAILBOX " FROM former_address f"
			  " WHERE (f.subscriber_id, f.address_key) > ($1::bigint, $2) ORDER BY f.subscriber_id, "
			  "f.address_key LIMIT $3::bigint" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row a statement");

struct former_address former_addresses_get(const struct db_rows *rows, size_t row)
{
	return (struct former_address){
		.subscriber_id = db_get_int(rows, row, 0),
		.key = db_get_text(rows, row, 1),
		.address = db_get_text(rows, row, 2),
		.since_us = db_get_time(rows, row, 3),
		.until_us = db_get_time(rows, row, 4),
	};
}

enum err former_addresses_find(struct db *db, struct view key, struct view canonical, struct db_rows **ret_rows,
			       struct former_address *ret_former, struct buf *why)
{
	const struct db_value values[] = { db_text(key), db_text_or_null(canonical) };
	enum err err = db_find(db, &statements[FIND], values, ARRAY_LEN(values), ret_rows, why);
	if (err == ERR_OK)
		*ret_former = former_addresses_get(*ret_rows, 0);
	return err;
}

enum err former_addresses_of(struct db *db, int64_t subscriber_id, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_int(subscriber_id) };
	return db_run(db, &statements[OF], values, ARRAY_LEN(values), ret_rows, why);
}

/* Adds to the filter; *ret_rows are the last that were read. */
static enum err load_some(struct db *db, int64_t person, struct view key, struct import_filter *filter,
			  struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_int(person), db_text(key), db_int(TOGETHER) };
	enum err err = db_run(db, &statements[LOAD], values, ARRAY_LEN(values), ret_rows, why);
	for (size_t i = 0; err == ERR_OK && i < db_row_count(*ret_rows); i++)
		import_filter_add(filter, db_get_text(*ret_rows, i, 2));
	return err;
}

enum err former_addresses_load(struct db *db, struct import_filter **ret_filter, struct buf *why)
{
	struct import_filter *filter = import_filter_new();
	struct db_rows *rows = NULL;
	enum err err = filter == NULL ? ERR_MEMORY : load_some(db, 0, VIEW_LIT(""), filter, &rows, why);
	bool any = err == ERR_OK && db_row_count(rows) > 0;
	while (err == ERR_OK && db_row_count(rows) == TOGETHER) {
		AUTO_DB_ROWS *before = rows;
		rows = NULL;
		err = load_some(db, db_get_int(before, TOGETHER - 1, 0), db_get_text(before, TOGETHER - 1, 1), filter,
				&rows, why);
	}
	db_rows_done(rows);
	if (err != ERR_OK || !any) {
		import_filter_free(filter);
		filter = NULL;
	}
	if (err == ERR_OK)
		*ret_filter = filter;
	return err;
}
