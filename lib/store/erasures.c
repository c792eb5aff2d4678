#include "store/erasures.h"

#include <assert.h>

enum statement { NAMESAKES, COUNT_OPEN, PORTIONS, TEXTS, PERSON, STRANGER, WITHOUT, STATEMENT_COUNT };

static const struct db_statement statements[] = {
	[NAMESAKES] = { .name = "erasures_namesakes",
			.sql = "SELECT o.address FROM subscriber s JOIN subscriber o ON o.id <> s.id"
			       " AND (o.canonical = coalesce(s.canonical, s.address_key)"
			       " OR o.address_key = coalesce(s.canonical, s.address_key))"
			       " WHERE s.id = $1::bigint ORDER BY o.id LIMIT 10" },
	[COUNT_OPEN] = { .name = "erasures_count_open",
			 .sql = "SELECT (SELECT count(*) FROM campaign c CROSS JOIN LATERAL (SELECT FROM deferral f"
				" WHERE f.campaign_id = c.id AND f.subscriber_id = $1::bigint OFFSET 0) AS f)"
				" + (SELECT count(*) FROM chunk_window w JOIN campaign_chunk k ON k.campaign_id = "
				"w.campaign_id"
				" AND k.chunk_no = w.chunk_no WHERE $1 = ANY (k.subscriber_ids[w.first:w.last])"
				" AND NOT EXISTS (SELECT FROM delivery d WHERE d.campaign_id = w.campaign_id AND "
				"d.subscriber_id = $1))" },
	[PORTIONS] = { .name = "erasures_portions", .sql = "SELECT place, low, high FROM erasable_portions()" },
	[TEXTS] = { .name = "erasures_texts",
		    .sql =
			"SELECT deed, rows FROM erase_texts($1, $2::bigint, $3::bigint, $4::bigint, $5::text[], $6)" },
	[PERSON] = { .name = "erasures_person",
		     .sql = "SELECT place, deed, rows FROM erase_person($1::bigint, $2::text[], $3)" },
	[STRANGER] = { .name = "erasures_stranger",
		       .sql = "SELECT place, deed, rows FROM erase_stranger($1::text[], $2)" },
	[WITHOUT] = { .name = "erasures_without", .sql = "SELECT text_without($1, $2::text[])" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row a statement");

enum err erasures_namesakes(struct db *db, int64_t subscriber_id, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_int(subscriber_id) };
	return db_run(db, &statements[NAMESAKES], values, ARRAY_LEN(values), ret_rows, why);
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

enum err erasures_portions(struct db *db, struct db_rows **ret_rows, struct buf *why)
{
	return db_run(db, &statements[PORTIONS], NULL, 0, ret_rows, why);
}

struct erasure_portion erasures_portion_get(const struct db_rows *rows, size_t row)
{
	return (struct erasure_portion){ .place = db_get_text(rows, row, 0),
					 .low = db_get_int(rows, row, 1),
					 .high = db_get_int(rows, row, 2) };
}

enum err erasures_texts(struct db *db, const struct erasure_of *who, const struct erasure_portion *portion,
			struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_text(portion->place),    db_int(portion->low),      db_int(portion->high),
					   db_int(who->subscriber_id), db_values(who->spellings), db_bool(who->dry) };
	return db_run(db, &statements[TEXTS], values, ARRAY_LEN(values), ret_rows, why);
}

/* Only what was done whole ends with a row of the table `last`. */
static enum err run_whole(struct db *db, enum statement statement, const struct db_value *values, size_t count,
			  struct view last, struct db_rows **ret_rows, struct buf *why)
{
	struct db_rows *rows = NULL;
	enum err err = db_run(db, &statements[statement], values, count, &rows, why);
	size_t got = err == ERR_OK ? db_row_count(rows) : 0;
	if (err == ERR_OK && (got == 0 || !view_eq(db_get_text(rows, got - 1, 0), last)))
		err = ERR_NOT_FOUND;
	if (err == ERR_OK)
		*ret_rows = rows;
	else
		db_rows_done(rows);
	return err;
}

enum err erasures_person(struct db *db, const struct erasure_of *who, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value person[] = { db_int(who->subscriber_id), db_values(who->spellings), db_bool(who->dry) };
	const struct db_value stranger[] = { db_values(who->spellings), db_bool(who->dry) };
	return who->subscriber_id == ERASURE_NOBODY
		   ? run_whole(db, STRANGER, stranger, ARRAY_LEN(stranger), VIEW_LIT("suppression"), ret_rows, why)
		   : run_whole(db, PERSON, person, ARRAY_LEN(person), VIEW_LIT("subscriber"), ret_rows, why);
}

enum err erasures_without(struct db *db, struct view text, const struct db_array *spellings, struct buf *ret_text,
			  struct buf *why)
{
	const struct db_value values[] = { db_text(text), db_values(spellings) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[WITHOUT], values, ARRAY_LEN(values), &rows, why);
	return err == ERR_OK ? buf_add(ret_text, db_get_text(rows, 0, 0)) : err;
}
