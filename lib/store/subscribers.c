#include "store/subscribers.h"

#include <assert.h>

enum statement { PAGE, COUNT, NAMES, STATEMENT_COUNT };

#define MEMBERS_OF_LIST                                                                                                \
	" FROM membership m JOIN subscriber s ON s.id = m.subscriber_id"                                               \
	" WHERE m.list_id = $1::bigint AND ($2::text IS NULL OR m.state = $2::text::membership_state)"

static const struct db_statement statements[] = {
	[PAGE] = {
		.name = "members_page",
		.sql = "SELECT s.id, s.address, s.name, s.attributes::text, m.state::text, m.reason, m.since" MEMBERS_OF_LIST
		       " AND m.subscriber_id > $3::bigint ORDER BY m.subscriber_id LIMIT $4::bigint",
	},
	[COUNT] = {
		.name = "members_count",
		.sql = "SELECT coalesce(sum(people), 0)::bigint FROM member_count"
		       " WHERE list_id = $1::bigint AND ($2::text IS NULL OR state = $2::text::membership_state)",
	},
	[NAMES] = {
		.name = "members_attribute_names",
		.sql = "SELECT DISTINCT jsonb_object_keys(s.attributes) COLLATE \"C\" AS name" MEMBERS_OF_LIST
		       " ORDER BY name",
	},
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row a statement");

enum err members_page(struct db *db, int64_t list_id, struct view state, int64_t after_id, uint64_t limit,
		      struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_int(list_id), db_text_or_null(state), db_int(after_id),
					   db_int((int64_t)limit) };
	return db_run(db, &statements[PAGE], values, ARRAY_LEN(values), ret_rows, why);
}

struct member members_get(const struct db_rows *rows, size_t row)
{
	return (struct member){
		.subscriber_id = db_get_int(rows, row, 0),
		.address = db_get_text(rows, row, 1),
		.name = db_get_text(rows, row, 2),
		.attributes = db_get_text(rows, row, 3),
		.state = db_get_text(rows, row, 4),
		.reason = db_get_text(rows, row, 5),
		.since_us = db_get_time(rows, row, 6),
	};
}

enum err members_count(struct db *db, int64_t list_id, struct view state, uint64_t *ret_count, struct buf *why)
{
	const struct db_value values[] = { db_int(list_id), db_text_or_null(state) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[COUNT], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_count = (uint64_t)db_get_int(rows, 0, 0);
	return err;
}

enum err members_attribute_names(struct db *db, int64_t list_id, struct view state, struct db_rows **ret_rows,
				 struct buf *why)
{
	const struct db_value values[] = { db_int(list_id), db_text_or_null(state) };
	return db_run(db, &statements[NAMES], values, ARRAY_LEN(values), ret_rows, why);
}
