#include "store/import_stays.h"

/* import_seen is made by import_steps. A look at so many takes some seconds at most. */
static const struct db_statement find = {
	.name = "import_stays_find",
	.sql = "SELECT s.address, m.state::text FROM (SELECT person FROM import_seen ORDER BY person LIMIT 1000000) e"
	       " JOIN membership m ON m.list_id = $1::bigint AND m.subscriber_id = e.person"
	       " JOIN subscriber s ON s.id = e.person"
	       " WHERE m.state IN ('unsubscribed', 'disabled', 'removed') ORDER BY e.person LIMIT $2::bigint",
};

enum err import_stays_find(struct db *db, int64_t list_id, uint64_t most, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_int(list_id), db_int((int64_t)most) };
	return db_run(db, &find, values, ARRAY_LEN(values), ret_rows, why);
}
