#include "store/audiences.h"

#include <assert.h>

#include "store/subscribers.h"

enum statement { CLEAR, ADD, READ, COUNT, COUNT_PART, NOW_BY_LIST, THEN_BY_LIST, OVERLAP, STATEMENT_COUNT };

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
			  " coalesce(a.definition, segment_text(a.segment_id)), coalesce(a.list_title, l.title),"
			  " coalesce(a.list_header_id, l.list_id), coalesce(a.list_headers, l.headers)"
			  " FROM campaign_audience a LEFT JOIN list l ON l.id = a.list_id WHERE a.campaign_id = "
			  "$1::bigint ORDER BY a.place" },
	[COUNT] = { .name = "audiences_count", .sql = "SELECT campaign_people_count($1::bigint)" },
	[COUNT_PART] = { .name = "audiences_count_part", .sql = "SELECT campaign_part_count($1::bigint, $2, $3)" },
	[NOW_BY_LIST] = { .name = "audiences_now_by_list",
			  .sql = "SELECT l.name, q.people FROM campaign_copies_by_list($1::bigint) WITH ORDINALITY"
				 " AS q(list_id, people, n) JOIN list l ON l.id = q.list_id ORDER BY n" },
	[THEN_BY_LIST] = { .name = "audiences_then_by_list",
			   .sql = "WITH r AS (SELECT list_id, count(*) AS n FROM campaign_reached"
				  " WHERE campaign_id = $1::bigint GROUP BY 1)"
				  " SELECT l.name, CASE WHEN t.list_id = c.list_id THEN c.audience - (SELECT "
				  "coalesce(sum(n), 0)::bigint FROM r) ELSE coalesce(r.n, 0) END FROM campaign c"
				  " JOIN campaign_target t ON t.campaign_id = c.id JOIN list l ON l.id = t.list_id"
				  " LEFT JOIN r ON r.list_id = t.list_id WHERE c.id = $1 ORDER BY t.place" },
	[OVERLAP] = { .name = "audiences_overlap",
		      .sql = "SELECT in_several, unsubscribed FROM campaign_overlap($1::bigint)" },
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
		.list_title = db_get_text(rows, row, 5),
		.list_header_id = db_get_text(rows, row, 6),
		.list_headers = db_get_text(rows, row, 7),
	};
}

size_t audiences_count_targets(const struct db_rows *rows)
{
	size_t count = 0;
	for (size_t i = 0; i < db_row_count(rows); i++) {
		const struct audience_part part = audiences_get(rows, i);
		count += audience_part_is_target(&part);
	}
	return count;
}

/* ---- as a value ---- */

enum err audience_load(struct db *db, uint64_t campaign_id, uint64_t own_list, bool has_started,
		       struct audience *ret_audience, struct buf *why)
{
	struct db_rows *rows = NULL;
	enum err err = audiences_read(db, campaign_id, &rows, why);
	if (err != ERR_OK)
		return err;
	*ret_audience = (struct audience){ .own_list = (int64_t)own_list,
					   .started_id = has_started ? (int64_t)campaign_id : 0,
					   .rows = rows };
	for (size_t i = 0; i < db_row_count(rows) && i < AUDIENCE_PARTS_MOST; i++)
		ret_audience->parts[ret_audience->count++] = audiences_get(rows, i);
	return ERR_OK;
}

void audience_done(struct audience *audience)
{
	db_rows_done(audience->rows);
	audience->rows = NULL;
	for (size_t i = 0; i < audience->count; i++) {
		db_rows_done(audience->part_rows[i]);
		audience->part_rows[i] = NULL;
	}
}

void audience_lists(const struct audience *audience, struct db_array *ret_lists)
{
	db_array_add_int(ret_lists, audience->own_list);
	for (size_t i = 0; i < audience->count; i++) {
		if (audience_part_is_target(&audience->parts[i]))
			db_array_add_int(ret_lists, audience->parts[i].list_id);
	}
}

size_t audience_count_lists(const struct audience *audience)
{
	size_t count = 1;
	for (size_t i = 0; i < audience->count; i++)
		count += audience_part_is_target(&audience->parts[i]);
	return count;
}

void audience_take_list(const struct audience *audience, int64_t list_id, struct list *list)
{
	for (size_t i = 0; i < audience->count; i++) {
		const struct audience_part *part = &audience->parts[i];
		if (list_id == audience->own_list || !audience_part_is_target(part) || part->list_id != list_id)
			continue;
		list->id = list_id;
		list->name = part->name;
		list->title = part->list_title;
		list->list_id = part->list_header_id;
		list->headers = part->list_headers;
	}
}

void audience_arrays(const struct audience *audience, struct audience_arrays *ret_arrays,
		     struct db_value values[AUDIENCE_VALUES])
{
	*ret_arrays = (struct audience_arrays){ db_array_of(DB_INT), db_array_of(DB_INT), db_array_of(DB_INT),
						db_array_of(DB_INT) };
	audience_lists(audience, &ret_arrays->lists);
	for (size_t i = 0; i < audience->count; i++) {
		const struct audience_part *part = &audience->parts[i];
		if (part->segment_id != 0)
			db_array_add_int(part->is_left_out ? &ret_arrays->segments_out : &ret_arrays->segments,
					 part->segment_id);
		else if (part->list_id != 0 && part->is_left_out)
			db_array_add_int(&ret_arrays->lists_out, part->list_id);
	}
	values[0] = db_values(&ret_arrays->lists);
	values[1] = db_values(&ret_arrays->segments);
	values[2] = db_values(&ret_arrays->lists_out);
	values[3] = db_values(&ret_arrays->segments_out);
}

void audience_arrays_done(struct audience_arrays *arrays)
{
	db_array_done(&arrays->lists);
	db_array_done(&arrays->segments);
	db_array_done(&arrays->lists_out);
	db_array_done(&arrays->segments_out);
}

/* ---- counting ---- */

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

enum err audiences_count_part(struct db *db, const struct audience_part *part, uint64_t campaign_id,
			      uint64_t *ret_count, struct buf *why)
{
	if (audience_part_is_target(part))
		return members_count(db, part->list_id, VIEW_LIT("active"), ret_count, why);
	const struct db_value values[] = { db_int((int64_t)campaign_id), db_int(part->segment_id),
					   db_int(part->list_id) };
	return count_by(db, COUNT_PART, values, ARRAY_LEN(values), ret_count, why);
}

enum err audiences_by_list(struct db *db, uint64_t campaign_id, bool has_started, struct db_rows **ret_rows,
			   struct buf *why)
{
	const struct db_value values[] = { db_int((int64_t)campaign_id) };
	return db_run(db, &statements[has_started ? THEN_BY_LIST : NOW_BY_LIST], values, ARRAY_LEN(values), ret_rows,
		      why);
}

enum err audiences_overlap(struct db *db, uint64_t campaign_id, struct audience_overlap *ret_overlap, struct buf *why)
{
	const struct db_value values[] = { db_int((int64_t)campaign_id) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[OVERLAP], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_overlap = (struct audience_overlap){ .in_several = db_get_int(rows, 0, 0),
							  .unsubscribed = db_get_int(rows, 0, 1) };
	return err;
}
