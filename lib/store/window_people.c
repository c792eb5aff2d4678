#include "store/window_people.h"

#include <assert.h>

enum statement { RANGE_OF_PEOPLE, RANGE_FEW, RANGE_MANY, LISTED_PEOPLE, LISTED_FEW, LISTED_MANY, STATEMENT_COUNT };

/* Columns of PEOPLE. */
enum column { ID, ADDRESS, NAME, ATTRIBUTES, SKIP_REASON, ADDRESSES_AT };

/* All that is needed to send to members of list $1: a row each in the order of their ids, none for who is gone. Nearly all recipients come by
 * here, so everything is read for all at once. `among` says whom, `younger` what of the suppressions has to be asked: see schema/007. */
#define PEOPLE(among, younger)                                                                                         \
	"SELECT s.id, s.address, s.name, s.attributes, CASE WHEN m.state IS NULL THEN 'removed'"                       \
	" WHEN m.state <> 'active' THEN m.state::text" younger PROBED " END, (SELECT version FROM address_version)"    \
	" FROM subscriber s LEFT JOIN membership m ON m.list_id = $1 AND m.subscriber_id = s.id"                       \
	" AND m.subscriber_id BETWEEN $2 AND $3 WHERE s.id BETWEEN $2 AND $3" among " ORDER BY s.id"

/* Who waits for the answer to a probe gets nothing else (schema/057). */
#define PROBED " WHEN s.id IN (SELECT h.subscriber_id FROM probe_hold h WHERE h.list_id = $1) THEN 'probed'"

/* All from $2 to $3, or of these $4. */
#define RANGE ""
#define LISTED " AND s.id = ANY ($4::bigint[])"

/* None, those above `mark`, of which there are few, or any: address by address. */
#define NONE ""
#define FEW(mark)                                                                                                      \
	" WHEN " NAMED_BY("s.address_key", mark) " OR s.canonical IS NOT NULL AND (" NAMED_BY(                         \
	    "s.canonical", mark) ") THEN 'suppressed'"
#define NAMED_BY(address, mark)                                                                                        \
	address " IN (" YOUNGER(mark) ") OR split_part(" address ", '@', 2) IN (" YOUNGER(mark) ")"
#define YOUNGER(mark)                                                                                                  \
	"SELECT x.value FROM suppression_in_force x WHERE x.id > " mark " AND (x.list_id IS NULL OR x.list_id = $1)"
#define EVERY                                                                                                          \
	" WHEN " NAMED_BY_ANY("s.address_key") " OR s.canonical IS NOT NULL AND (" NAMED_BY_ANY(                       \
	    "s.canonical") ") THEN 'suppressed'"
#define NAMED_BY_ANY(address)                                                                                          \
	"(SELECT true FROM suppression_in_force x WHERE x.value = " address                                            \
	" AND (x.list_id IS NULL OR x.list_id = $1) LIMIT 1) OR split_part(" address                                   \
	", '@', 2) IN (SELECT x.value FROM suppression_in_force x"                                                     \
	" WHERE x.kind = 'domain' AND (x.list_id IS NULL OR x.list_id = $1))"

static const struct db_statement statements[] = {
	[RANGE_OF_PEOPLE] = { .name = "window_people_range", .sql = PEOPLE(RANGE, NONE) },
	[RANGE_FEW] = { .name = "window_people_range_few", .sql = PEOPLE(RANGE, FEW("$4")) },
	[RANGE_MANY] = { .name = "window_people_range_many", .sql = PEOPLE(RANGE, EVERY) },
	[LISTED_PEOPLE] = { .name = "window_people_listed", .sql = PEOPLE(LISTED, NONE) },
	[LISTED_FEW] = { .name = "window_people_listed_few", .sql = PEOPLE(LISTED, FEW("$5")) },
	[LISTED_MANY] = { .name = "window_people_listed_many", .sql = PEOPLE(LISTED, EVERY) },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

/* How those are read who are to be sent to; columns: what of the suppressions has to be asked. */
enum { ASK_NONE, ASK_FEW, ASK_ANY, ASK_COUNT };
static const enum statement ways[][ASK_COUNT] = {
	[false] = { RANGE_OF_PEOPLE, RANGE_FEW, RANGE_MANY },
	[true] = { LISTED_PEOPLE, LISTED_FEW, LISTED_MANY },
};

static size_t what_to_ask(int64_t younger)
{
	enum { FEW_SUPPRESSIONS = 1000 };
	return younger <= 0 ? ASK_NONE : younger <= FEW_SUPPRESSIONS ? ASK_FEW : ASK_ANY;
}

/* An audience is frozen in the order of the ids: where not too many others lie between, the whole range is read, and find() passes
 * over them. */
static enum err read_asking(struct db *db, const struct window_asked *asked, size_t ask, struct db_rows **ret_rows,
			    struct buf *why)
{
	AUTO_DB_ARRAY ids = db_array_of(DB_INT);
	int64_t count = (int64_t)asked->ids->count, low = INT64_MAX, high = 0;
	for (size_t i = 0; i < asked->ids->count; i++) {
		int64_t id = db_int_at(asked->ids, i);
		low = id < low ? id : low;
		high = id > high ? id : high;
	}
	bool is_listed = high - low >= 2 * count;
	struct db_value values[5] = { db_int(asked->list_id), db_int(low), db_int(high) };
	size_t used = 3;
	for (size_t i = 0; is_listed && i < asked->ids->count; i++)
		db_array_add_int(&ids, db_int_at(asked->ids, i));
	if (is_listed)
		values[used++] = db_values(&ids);
	if (ask == ASK_FEW)
		values[used++] = db_int(asked->suppressed_up_to);
	return db_run(db, &statements[ways[is_listed][ask]], values, used, ret_rows, why);
}

/* The window and its people are seen each at their own moment. An address that was changed between may be one that was suppressed long
 * before the mark: then the whole table is asked, which is right for whatever address is read with it. */
enum err window_people_read(struct db *db, const struct window_asked *asked, struct db_rows **ret_rows, struct buf *why)
{
	size_t ask = what_to_ask(asked->younger);
	struct db_rows *rows = NULL;
	enum err err = read_asking(db, asked, ask, &rows, why);
	if (err == ERR_OK && ask != ASK_ANY && db_row_count(rows) > 0 &&
	    db_get_int(rows, 0, ADDRESSES_AT) != asked->addresses_at) {
		db_rows_done(rows);
		rows = NULL;
		err = read_asking(db, asked, ASK_ANY, &rows, why);
	}
	if (err == ERR_OK)
		*ret_rows = rows;
	return err;
}

/* The row of rows that is about id, which is the guessed one unless somebody is gone; or the number of rows: there is none. */
static size_t find(const struct db_rows *rows, int64_t id, size_t guess)
{
	size_t count = db_row_count(rows), low = 0, high = count;
	if (guess < count && db_get_int(rows, guess, ID) == id)
		return guess;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (db_get_int(rows, middle, ID) < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && db_get_int(rows, low, ID) == id ? low : count;
}

struct window_person window_people_get(const struct db_rows *rows, int64_t id, size_t guess)
{
	size_t row = find(rows, id, guess);
	if (row == db_row_count(rows))
		return (struct window_person){ .skip_reason = VIEW_LIT("erased") };
	return (struct window_person){
		.address = db_get_text(rows, row, ADDRESS),
		.name = db_get_text(rows, row, NAME),
		.attributes = db_get_text(rows, row, ATTRIBUTES),
		.skip_reason = db_get_text(rows, row, SKIP_REASON),
	};
}
