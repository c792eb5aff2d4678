#include "store/readers.h"

#include <assert.h>

enum statement { FIND, ANY, STATEMENT_COUNT };

static const struct db_statement statements[] = {
	[FIND] = { "readers_find", "SELECT s.id, s.address, s.name, s.attributes FROM subscriber s JOIN membership m"
				   " ON m.subscriber_id = s.id AND m.list_id = $1 WHERE s.address_key = $2" },
	/* The first active member from a point between the least and the greatest id, or else the first of all. */
	[ANY] = { "readers_any",
		  "WITH span AS (SELECT min(subscriber_id) AS low, max(subscriber_id) AS high FROM membership"
		  " WHERE list_id = $1), chosen AS ((SELECT subscriber_id FROM membership WHERE list_id = $1"
		  " AND state = 'active' AND subscriber_id >= (SELECT low + ((high - low) * "
		  "$2::text::float8)::bigint"
		  " FROM span) ORDER BY subscriber_id LIMIT 1) UNION ALL (SELECT subscriber_id FROM membership"
		  " WHERE list_id = $1 AND state = 'active' ORDER BY subscriber_id LIMIT 1) LIMIT 1)"
		  " SELECT s.id, s.address, s.name, s.attributes FROM subscriber s"
		  " JOIN chosen ON chosen.subscriber_id = s.id" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

static enum err read_one(struct db *db, uint64_t list_id, struct view address_key, double fraction,
			 struct db_rows **ret_rows, struct buf *why)
{
	AUTO_BUF text = buf_with_ceiling(64);
	buf_addf(&text, "%.6f", fraction);
	bool any = address_key.len == 0;
	const struct db_value values[] = { db_int((int64_t)list_id), db_text(any ? buf_view(&text) : address_key) };
	return db_run(db, &statements[any ? ANY : FIND], values, ARRAY_LEN(values), ret_rows, why);
}

enum err readers_find(struct db *db, uint64_t list_id, struct view address_key, double fraction,
		      struct reader *ret_reader, struct db_rows **ret_rows, struct buf *why)
{
	struct db_rows *rows = NULL;
	enum err err = read_one(db, list_id, address_key, fraction, &rows, why);
	if (err != ERR_OK)
		return err;
	if (db_row_count(rows) == 0) {
		db_rows_done(rows);
		if (address_key.len == 0)
			buf_addf(why, "the list has no active members; import some first");
		else
			buf_addf(why, VIEW_FMT " is not on the list", VIEW_ARG(address_key));
		return ERR_NOT_FOUND;
	}
	*ret_reader = (struct reader){
		.id = (uint64_t)db_get_int(rows, 0, 0),
		.address = db_get_text(rows, 0, 1),
		.name = db_get_text(rows, 0, 2),
		.attributes = db_get_text(rows, 0, 3),
	};
	*ret_rows = rows;
	return ERR_OK;
}
