#include "store/audiences.h"

#include <assert.h>

#include "store/segments.h"

enum statement { CLEAR, ADD, READ, COUNT, COUNT_SHARED, STATEMENT_COUNT };

static const struct db_statement statements[] = {
	[CLEAR] = { .name = "audiences_clear",
		    .sql =
			"DELETE FROM campaign_audience WHERE campaign_id = (SELECT id FROM campaign WHERE name = $1)" },
	[ADD] = { .name = "audiences_add",
		  .sql = "INSERT INTO campaign_audience (campaign_id, place, is_left_out, list_id, segment_id, name)"
			 " SELECT id, $2::bigint, $3, nullif($4::bigint, 0), nullif($5::bigint, 0), $6 FROM campaign "
			 "WHERE name = $1" },
	[READ] = { .name = "audiences_read",
		   .sql = "SELECT a.is_left_out, coalesce(a.list_id, 0), coalesce(a.segment_id, 0), a.name,"
			  " coalesce(a.definition, segment_text(a.segment_id)) FROM campaign_audience a"
			  " WHERE a.campaign_id = $1::bigint ORDER BY a.place" },
	[COUNT] = { .name = "audiences_count", .sql = "SELECT campaign_people_count($1::bigint)" },
	[COUNT_SHARED] = { .name = "audiences_count_shared",
			   .sql = "SELECT count(*) FROM membership m JOIN membership x ON x.list_id = $2::bigint"
				  " AND x.subscriber_id = m.subscriber_id AND x.state = 'active'"
				  " WHERE m.list_id = $1::bigint AND m.state = 'active'" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row a statement");

enum err audiences_replace(struct db *db, struct view campaign, const struct audience_part *parts, size_t count,
			   struct buf *why)
{
	const struct db_value name = db_text(campaign);
	enum err err = db_run(db, &statements[CLEAR], &name, 1, NULL, why);
	for (size_t i = 0; err == ERR_OK && i < count; i++) {
		const struct db_value values[] = { name,
						   db_int((int64_t)i),
						   db_bool(parts[i].is_left_out),
						   db_int(parts[i].list_id),
						   db_int(parts[i].segment_id),
						   db_text(parts[i].name) };
		err = db_run(db, &statements[ADD], values, ARRAY_LEN(values), NULL, why);
	}
	return err;
}

enum err audiences_read(struct db *db, uint64_t campaign_id, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_int((int64_t)campaign_id) };
	return db_run(db, &statements[READ], values, ARRAY_LEN(values), ret_rows, why);
}

struct audience_part audiences_get(const struct db_rows *rows, size_t row)
{
	return (struct audience_part){
		.is_left_out = db_get_bool(rows, row, 0),
		.list_id = db_get_int(rows, row, 1),
		.segment_id = db_get_int(rows, row, 2),
		.name = db_get_text(rows, row, 3),
		.definition = db_get_text(rows, row, 4),
	};
}

static enum err count_by(struct db *db, enum statement statement, const struct db_value *values, size_t count,
			 uint64_t *ret_count, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[statement], values, count, &rows, why);
	if (err == ERR_OK)
		*ret_count = (uint64_t)db_get_int(rows, 0, 0);
	return err;
}

enum err audiences_count(struct db *db, uint64_t campaign_id, uint64_t *ret_count, struct buf *why)
{
	const struct db_value values[] = { db_int((int64_t)campaign_id) };
	return count_by(db, COUNT, values, ARRAY_LEN(values), ret_count, why);
}

enum err audiences_count_part(struct db *db, const struct audience_part *part, uint64_t list_id, uint64_t *ret_count,
			      struct buf *why)
{
	if (part->segment_id != 0)
		return segments_count(db, part->segment_id, (int64_t)list_id, ret_count, why);
	const struct db_value values[] = { db_int((int64_t)list_id), db_int(part->list_id) };
	return count_by(db, COUNT_SHARED, values, ARRAY_LEN(values), ret_count, why);
}
