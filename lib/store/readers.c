#include "store/readers.h"

#include <assert.h>

#include "store/subscribers.h"

enum statement { FIND, ANY, COUNT, FIRST, PAGE, STATEMENT_COUNT };

/* $1 to $4: audience_arrays(). */
#define PEOPLE(among, most)                                                                                            \
	"audience_people($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], " among ", " most ")"

static const struct db_statement statements[] = {
	/* $5 address or, null, $6 id; $7 the campaign that has started, or 0. The list of who is not reached is the first one that has them, active or
	 * not. */
	[FIND] = { "readers_find",
		   "SELECT s.id, s.address, s.name, s.attributes, coalesce(p.list_id, m.list_id), p.list_id IS NOT NULL"
		   " FROM subscriber s CROSS JOIN LATERAL (SELECT m.list_id FROM unnest($1::bigint[]) WITH ORDINALITY"
		   " AS l(list_id, n) JOIN membership m ON m.list_id = l.list_id AND m.subscriber_id = s.id"
		   " ORDER BY m.state <> 'active', n LIMIT 1) AS m"
		   " LEFT JOIN LATERAL (SELECT q.list_id FROM " PEOPLE(
		       "ARRAY[s.id]", "1") " AS q WHERE $7::bigint = 0"
					   " UNION ALL SELECT campaign_reaches($7, s.id) WHERE $7 <> 0) AS p ON true"
					   " WHERE s.address_key = $5 OR s.id = $6::bigint" },
	/* Some of each list from a point between its least and its greatest id on, and its first ones: who of them is in the audience, in an
	 * order that $5 gives. */
	[ANY] = { "readers_any",
		  "WITH tried AS (SELECT x.id FROM unnest($1::bigint[]) AS l(list_id) CROSS JOIN LATERAL ("
		  "(SELECT m.subscriber_id AS id FROM membership m WHERE m.list_id = l.list_id AND m.state = 'active'"
		  " AND m.subscriber_id >= (SELECT low + ((high - low) * $5::text::float8)::bigint FROM (SELECT"
		  " min(subscriber_id) AS low, max(subscriber_id) AS high FROM membership WHERE list_id = l.list_id)"
		  " AS span) ORDER BY m.subscriber_id LIMIT 50) UNION (SELECT m.subscriber_id FROM membership m"
		  " WHERE m.list_id = l.list_id AND m.state = 'active' ORDER BY m.subscriber_id LIMIT 50)) AS x)"
		  " SELECT id FROM " PEOPLE(
		      "ARRAY(SELECT id FROM tried)",
		      "NULL") " ORDER BY"
			      " hashint8extended(id, ($5::text::float8 * 1000000)::bigint) LIMIT 1" },
	[COUNT] = { "readers_count", "SELECT count(*) FROM " PEOPLE("NULL", "NULL") },
	[FIRST] = { "readers_first", "SELECT id, list_id FROM " PEOPLE("NULL", "$5::bigint") },
	[PAGE] = { "readers_page", "SELECT s.id, s.address, s.name, s.attributes, p.list_id, true FROM "
				   "unnest($1::bigint[], $2::bigint[])"
				   " AS p(id, list_id) JOIN subscriber s ON s.id = p.id ORDER BY s.id" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

/* The audience is $1 to $4, then come these. */
static enum err run(struct db *db, enum statement statement, const struct audience *audience,
		    const struct db_value *more, size_t count, struct db_rows **ret_rows, struct buf *why)
{
	enum { MORE_MOST = 4 };
	struct db_value values[AUDIENCE_VALUES + MORE_MOST];
	struct audience_arrays arrays;
	audience_arrays(audience, &arrays, values);
	for (size_t i = 0; i < count && i < MORE_MOST; i++)
		values[AUDIENCE_VALUES + i] = more[i];
	enum err err = db_run(db, &statements[statement], values, AUDIENCE_VALUES + count, ret_rows, why);
	audience_arrays_done(&arrays);
	return err;
}

/* 0: there is nobody. Where none of some is in the audience, the first of all are asked for. */
static enum err choose(struct db *db, const struct audience *audience, double fraction, int64_t *ret_id,
		       struct buf *why)
{
	AUTO_DB_ROWS *some = NULL;
	AUTO_DB_ROWS *first = NULL;
	AUTO_BUF text = buf_with_ceiling(64);
	buf_addf(&text, "%.6f", fraction);
	const struct db_value point = db_text(buf_view(&text));
	enum err err = run(db, ANY, audience, &point, 1, &some, why);
	*ret_id = err == ERR_OK && db_row_count(some) > 0 ? db_get_int(some, 0, 0) : 0;
	if (err != ERR_OK || *ret_id != 0)
		return err;
	err = readers_first(db, audience, 1, &first, why);
	if (err == ERR_OK && db_row_count(first) > 0)
		*ret_id = db_get_int(first, 0, 0);
	return err;
}

static enum err find(struct db *db, const struct audience *audience, struct view address_key, int64_t id,
		     struct reader *ret_reader, struct db_rows **ret_rows, struct buf *why)
{
	struct db_rows *rows = NULL;
	const struct db_value more[] = { db_text_or_null(address_key), id == 0 ? db_null() : db_int(id),
					 db_int(audience->started_id) };
	enum err err = run(db, FIND, audience, more, ARRAY_LEN(more), &rows, why);
	if (err == ERR_OK && db_row_count(rows) > 0) {
		*ret_reader = readers_get(rows, 0);
		*ret_rows = rows;
		return ERR_OK;
	}
	db_rows_done(rows);
	if (err != ERR_OK)
		return err;
	buf_addf(why, VIEW_FMT " is not on the list%s", VIEW_ARG(address_key),
		 audience_count_lists(audience) > 1 ? "s" : "");
	return ERR_NOT_FOUND;
}

enum err readers_find(struct db *db, const struct audience *audience, struct view address_key, double fraction,
		      struct reader *ret_reader, struct db_rows **ret_rows, struct buf *why)
{
	int64_t id = 0;
	enum err err = address_key.len > 0 ? ERR_OK : choose(db, audience, fraction, &id, why);
	if (err != ERR_OK)
		return err;
	if (address_key.len > 0 || id != 0)
		return find(db, audience, address_key, id, ret_reader, ret_rows, why);
	buf_addf(why, audience->count == 0 ? "the list has no active members; import some first"
					   : "nobody is in the audience; `listctl campaign audience` says why");
	return ERR_NOT_FOUND;
}

struct reader readers_get(const struct db_rows *rows, size_t row)
{
	return (struct reader){
		.id = (uint64_t)db_get_int(rows, row, 0),
		.address = db_get_text(rows, row, 1),
		.name = db_get_text(rows, row, 2),
		.attributes = db_get_text(rows, row, 3),
		.list_id = db_get_int(rows, row, 4),
		.is_reached = db_get_bool(rows, row, 5),
	};
}

enum err readers_count(struct db *db, const struct audience *audience, uint64_t *ret_count, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	if (audience->count == 0)
		return members_count(db, audience->own_list, VIEW_LIT("active"), ret_count, why);
	enum err err = run(db, COUNT, audience, NULL, 0, &rows, why);
	if (err == ERR_OK)
		*ret_count = (uint64_t)db_get_int(rows, 0, 0);
	return err;
}

enum err readers_first(struct db *db, const struct audience *audience, uint64_t most, struct db_rows **ret_rows,
		       struct buf *why)
{
	const struct db_value limit = db_int((int64_t)most);
	return run(db, FIRST, audience, &limit, 1, ret_rows, why);
}

enum err readers_page(struct db *db, const struct db_rows *first, size_t from, size_t count, struct db_rows **ret_rows,
		      struct buf *why)
{
	AUTO_DB_ARRAY ids = db_array_of(DB_INT);
	AUTO_DB_ARRAY lists = db_array_of(DB_INT);
	for (size_t row = from; row < from + count && row < db_row_count(first); row++) {
		db_array_add_int(&ids, db_get_int(first, row, 0));
		db_array_add_int(&lists, db_get_int(first, row, 1));
	}
	const struct db_value values[] = { db_values(&ids), db_values(&lists) };
	return db_run(db, &statements[PAGE], values, ARRAY_LEN(values), ret_rows, why);
}
