#include "store/erasures.h"

#include <assert.h>

enum statement { FIND, RUN, COUNT_OPEN, STATEMENT_COUNT };

static const struct db_statement statements[] = {
	[FIND] = { .name = "erasures_find", .sql = "SELECT id FROM subscriber WHERE address_key = $1" },
	[RUN] = { .name = "erasures_run", .sql = "SELECT place, deed, rows FROM erase_subscriber($1::bigint, $2)" },
	[COUNT_OPEN] = { .name = "erasures_count_open",
			 .sql = "SELECT (SELECT count(*) FROM deferral WHERE subscriber_id = $1::bigint)"
				" + (SELECT count(*) FROM chunk_window w JOIN campaign_chunk k ON k.campaign_id = "
				"w.campaign_id"
				" AND k.chunk_no = w.chunk_no WHERE $1 = ANY (k.subscriber_ids[w.first:w.last])"
				" AND NOT EXISTS (SELECT FROM delivery d WHERE d.campaign_id = w.campaign_id AND "
				"d.subscriber_id = $1))" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row a statement");

enum err erasures_find(struct db *db, struct view address_key, int64_t *ret_id, struct buf *why)
{
	const struct db_value values[] = { db_text(address_key) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[FIND], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK && db_row_count(rows) == 0)
		return ERR_NOT_FOUND;
	if (err == ERR_OK)
		*ret_id = db_get_int(rows, 0, 0);
	return err;
}

enum err erasures_run(struct db *db, int64_t subscriber_id, bool dry, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_int(subscriber_id), db_bool(dry) };
	return db_run(db, &statements[RUN], values, ARRAY_LEN(values), ret_rows, why);
}

enum err erasures_count_open(struct db *db, int64_t subscriber_id, uint64_t *ret_count, struct buf *why)
{
	const struct db_value values[] = { db_int(subscriber_id) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[COUNT_OPEN], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_count = (uint64_t)db_get_int(rows, 0, 0);
	return err;
}
