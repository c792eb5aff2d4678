#include "store/key_uses.h"

/* Deferrals carry the day of their first attempt, which a chunk has too. */
static const struct db_statement find = {
	.name = "key_uses_find",
	.sql = "SELECT (SELECT count(*) FROM campaign_chunk WHERE key_id = $1::bigint AND NOT done),"
	       " (SELECT count(*) FROM deferral WHERE key_id = $1::bigint),"
	       " coalesce((SELECT max(day) FROM campaign_chunk WHERE key_id = $1::bigint), -1)::bigint",
};

enum err key_uses_find(struct db *db, int64_t key_id, struct key_use *ret_use, struct buf *why)
{
	const struct db_value values[] = { db_int(key_id) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &find, values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_use = (struct key_use){
			.chunks = db_get_int(rows, 0, 0),
			.deferrals = db_get_int(rows, 0, 1),
			.last_day = db_get_int(rows, 0, 2),
		};
	return err;
}
