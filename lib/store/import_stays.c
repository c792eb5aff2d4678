#include "store/import_stays.h"

/* import_seen is made by import_steps. A look at so many takes some seconds at most. */
static const struct db_statement find = {
	.name = "import_stays_find",
	.sql = "SELECT s.address, m.state::text FROM (SELECT person FROM import_seen ORDER BY person LIMIT 1000000) e"
	       " JOIN membership m ON m.list_id = $1::bigint AND m.subscriber_id = e.person"
	       " JOIN subscriber s ON s.id = e.person"
	       " WHERE m.state IN ('unsubscribed', 'disabled', 'removed') ORDER BY e.person LIMIT $2::bigint",
};

/* The last row tells how far the portion reaches, and has no address. Looked up by keys: what is known of these tables' sizes may be of before. */
static const struct db_statement next = {
	.name = "import_stays_next",
	.sql = "WITH portion AS MATERIALIZED (SELECT person FROM import_seen WHERE person > $2::bigint ORDER BY person"
	       "  LIMIT $3::bigint)"
	       " SELECT s.address, m.state::text, NULL::bigint, NULL::bigint FROM portion e CROSS JOIN LATERAL ("
	       "  SELECT state FROM membership WHERE list_id = $1::bigint AND subscriber_id = e.person"
	       "  AND state IN ('unsubscribed', 'disabled', 'removed') OFFSET 0) m CROSS JOIN LATERAL ("
	       "  SELECT address FROM subscriber WHERE id = e.person OFFSET 0) s"
	       " UNION ALL SELECT NULL, NULL, max(person), count(*) FROM portion",
};

#define SUPPRESSION(kind, value)                                                                                       \
	" LEFT JOIN LATERAL (SELECT value, reason FROM suppression_in_force s WHERE s.value = " value                  \
	" AND s.kind = '" kind "' AND (s.list_id IS NULL OR s.list_id = $1::bigint) OFFSET 0 LIMIT 1) " kind           \
	" ON true"
static const struct db_statement outs = {
	.name = "import_outs_next",
	.sql =
	    "SELECT o.form, CASE WHEN address.value IS NOT NULL THEN 'address' WHEN domain.value IS NOT NULL THEN "
	    "'domain' END, coalesce(address.value, domain.value), coalesce(address.reason, domain.reason) FROM ("
	    "  SELECT form FROM import_left_out WHERE form > $2::text COLLATE \"C\" ORDER BY form LIMIT $3::bigint) "
	    "o" SUPPRESSION("address", "o.form") SUPPRESSION("domain", "split_part(o.form, '@', 2)") " ORDER BY o.form",
};

static const struct db_statement erased = {
	.name = "import_outs_erased",
	.sql = "SELECT value FROM suppression WHERE kind = 'erased' AND value = ANY ($1::text[])",
};

enum err import_stays_find(struct db *db, int64_t list_id, uint64_t most, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_int(list_id), db_int((int64_t)most) };
	return db_run(db, &find, values, ARRAY_LEN(values), ret_rows, why);
}

enum err import_stays_next(struct db *db, int64_t list_id, int64_t *last, struct db_rows **ret_rows, bool *ret_more,
			   struct buf *why)
{
	const struct db_value values[] = { db_int(list_id), db_int(*last), db_int(STAYS_TOGETHER) };
	struct db_rows *rows;
	enum err err = db_run(db, &next, values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	size_t end = db_row_count(rows) - 1;
	*ret_more = db_get_int(rows, end, 3) == STAYS_TOGETHER;
	if (*ret_more)
		*last = db_get_int(rows, end, 2);
	*ret_rows = rows;
	return ERR_OK;
}

enum err import_outs_next(struct db *db, int64_t list_id, struct view after, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_int(list_id), db_text(after), db_int(STAYS_TOGETHER) };
	return db_run(db, &outs, values, ARRAY_LEN(values), ret_rows, why);
}

enum err import_outs_erased(struct db *db, const struct db_array *hashes, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_values(hashes) };
	return db_run(db, &erased, values, ARRAY_LEN(values), ret_rows, why);
}
