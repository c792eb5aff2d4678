#include "store/ledger_words.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum statement { GONE, GONE_OR_GOING, STATEMENT_COUNT };

/* Ids of those who are not there. An erasure looks for what is written of a person once it has locked them: so whoever writes what may name them
 * holds them until it can be seen, and takes somebody who is held against that for gone. The lock is a write a person, hence only for
 * such words; without them to come a moment too late does no harm. */
static const struct db_statement statements[] = {
	[GONE] = { .name = "ledger_words_gone",
		   .sql = "SELECT a.id FROM unnest($1::bigint[]) AS a(id) LEFT JOIN LATERAL"
			  " (SELECT true AS is_there FROM subscriber WHERE id = a.id OFFSET 0) AS s ON true"
			  " WHERE s.is_there IS NULL" },
	[GONE_OR_GOING] = { .name = "ledger_words_gone_or_going",
			    .sql = "WITH held AS MATERIALIZED (SELECT id FROM subscriber WHERE id = ANY ($1::bigint[])"
				   " FOR KEY SHARE SKIP LOCKED)"
				   " SELECT a.id FROM unnest($1::bigint[]) AS a(id)"
				   " WHERE NOT EXISTS (SELECT FROM held h WHERE h.id = a.id)" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

/* As a whole, the way erasure looks for it too (address_pattern(), schema/045). */
static bool may_name_somebody(struct view said)
{
	return view_find_byte(said, '@') != VIEW_NONE || view_find(said, VIEW_LIT("%40")) != VIEW_NONE ||
	       view_find(said, VIEW_LIT("=40")) != VIEW_NONE;
}

static enum err find_gone(struct db *db, enum statement statement, const struct db_array *people,
			  struct db_rows **ret_gone, struct buf *why)
{
	const struct db_value values[] = { db_values(people) };
	return people->count == 0 ? ERR_OK
				  : db_run(db, &statements[statement], values, ARRAY_LEN(values), ret_gone, why);
}

static void take_words(struct ledger_row *rows, size_t count, const struct db_rows *gone)
{
	for (size_t i = 0; gone != NULL && i < db_row_count(gone); i++) {
		int64_t id = db_get_int(gone, i, 0);
		for (size_t j = 0; j < count; j++) {
			if (rows[j].subscriber_id == id)
				rows[j].reply = VIEW_LIT("");
		}
	}
}

static enum err without_words(const struct ledger_row *rows, size_t count, const struct db_rows *gone,
			      const struct db_rows *going, struct ledger_row **ret_rows)
{
	struct ledger_row *kept = malloc(count * sizeof(*kept));
	if (kept == NULL)
		return ERR_MEMORY;
	memcpy(kept, rows, count * sizeof(*kept));
	take_words(kept, count, gone);
	take_words(kept, count, going);
	*ret_rows = kept;
	return ERR_OK;
}

static size_t count_of(const struct db_rows *rows)
{
	return rows == NULL ? 0 : db_row_count(rows);
}

enum err ledger_words_keep(struct db *db, const struct ledger_row *rows, size_t count, struct ledger_row **ret_rows,
			   struct buf *why)
{
	AUTO_DB_ARRAY people = db_array_of(DB_INT);
	AUTO_DB_ARRAY named = db_array_of(DB_INT);
	AUTO_DB_ROWS *gone = NULL;
	AUTO_DB_ROWS *going = NULL;
	for (size_t i = 0; i < count; i++) {
		if (rows[i].reply.len > 0)
			db_array_add_int(may_name_somebody(rows[i].reply) ? &named : &people, rows[i].subscriber_id);
	}
	enum err err = find_gone(db, GONE, &people, &gone, why);
	if (err == ERR_OK)
		err = find_gone(db, GONE_OR_GOING, &named, &going, why);
	if (err != ERR_OK)
		return err;
	if (count_of(gone) + count_of(going) > 0)
		return without_words(rows, count, gone, going, ret_rows);
	*ret_rows = NULL;
	return ERR_OK;
}
