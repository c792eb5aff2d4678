#include "store/fields.h"

#include <assert.h>
#include <string.h>

enum statement {
	EXTENT,
	OF_SOME,
	OF_PORTION,
	SORTED,
	EMPTY_SOME,
	EMPTY_PORTION,
	EMPTY_SOME_CHOSEN,
	EMPTY_CHOSEN,
	STATEMENT_COUNT
};

/* How many there are of a list before some of them are asked for all. */
enum {
	SPOTS = 100,
	A_SPOT = 200,
	FEW = SPOTS * A_SPOT,
	ENOUGH = 1000,      /* of the audience: fewer of them tell too little of the others */
	A_PORTION = 200000, /* ids, whoever has them */
	MINUS_MOST = 64,    /* names that are taken off each member's attributes before these are taken apart */
};

/* $1 lists, $2 to $3 ids. Said of both tables, or all of one would be read for each portion. */
#define PORTION                                                                                                        \
	"person AS MATERIALIZED (SELECT 1 AS one, s.name, s.attributes FROM membership m JOIN subscriber s ON s.id = " \
	"m.subscriber_id"                                                                                              \
	" WHERE m.list_id = ANY ($1::bigint[]) AND m.state = 'active' AND m.subscriber_id BETWEEN $2::bigint AND "     \
	"$3::bigint AND s.id BETWEEN $2 AND $3"
/* Of each of the lists some at each of $2 spots, $3 each, between the least and the greatest id; and the newest, who may be the first with an
 * attribute. The same numbers as text where the audience takes the places before them. */
#define CHOSEN(spots, each)                                                                                            \
	"chosen AS MATERIALIZED (SELECT x.subscriber_id FROM unnest($1::bigint[]) AS l(list_id) CROSS JOIN LATERAL ("  \
	"SELECT m.subscriber_id FROM (SELECT min(subscriber_id) AS low, max(subscriber_id) AS high FROM membership"    \
	" WHERE list_id = l.list_id) AS span CROSS JOIN generate_series(0, " spots "::bigint - 1) AS spot(n)"          \
	" CROSS JOIN LATERAL (SELECT subscriber_id FROM membership WHERE list_id = l.list_id AND state = 'active'"     \
	" AND subscriber_id >= low + (high - low) * n / " spots " ORDER BY subscriber_id LIMIT " each "::bigint) AS m" \
	" UNION (SELECT subscriber_id FROM membership WHERE list_id = l.list_id AND state = 'active'"                  \
	" ORDER BY subscriber_id DESC LIMIT " each ")) AS x)"
#define SOME                                                                                                           \
	CHOSEN("$2", "$3")                                                                                             \
	", person AS MATERIALIZED (SELECT 1 AS one, s.name, s.attributes FROM subscriber s WHERE s.id IN (SELECT "     \
	"subscriber_id FROM chosen))"
/* Those of the audience $1 to $4, of some or of all. */
#define PERSON_OF_AUDIENCE(among)                                                                                      \
	"person AS MATERIALIZED (SELECT 1 AS one, s.name, s.attributes FROM audience_people($1::bigint[],"             \
	" $2::bigint[], $3::bigint[], $4::bigint[], " among ", NULL) AS p JOIN subscriber s ON s.id = p.id)"
/* The paths of what lies in other attributes; the items of a list have its path. */
#define HELD                                                                                                           \
	", held(path, value) AS (SELECT e.key, e.value FROM person CROSS JOIN LATERAL jsonb_each(attributes) AS e"     \
	" WHERE attributes @? '$.*[*].*' AND jsonb_typeof(e.value) IN ('object', 'array')"                             \
	" UNION ALL SELECT CASE WHEN e.key IS NULL THEN h.path ELSE h.path || '.' || e.key END, e.value"               \
	" FROM held h CROSS JOIN LATERAL ("                                                                            \
	" SELECT o.key, o.value FROM jsonb_each(CASE jsonb_typeof(h.value) WHEN 'object' THEN h.value END) AS o"       \
	" UNION ALL SELECT NULL, a.value"                                                                              \
	" FROM jsonb_array_elements(CASE jsonb_typeof(h.value) WHEN 'array' THEN h.value END) AS a) AS e"              \
	" WHERE jsonb_typeof(e.value) IN ('object', 'array'))"
#define NAMES(of_attributes)                                                                                           \
	" SELECT DISTINCT name COLLATE \"C\" FROM (SELECT jsonb_object_keys(" of_attributes ") FROM person"            \
	" UNION ALL SELECT h.path || '.' || o.key FROM held h"                                                         \
	" CROSS JOIN LATERAL jsonb_each(CASE jsonb_typeof(h.value) WHEN 'object' THEN h.value END) AS o) AS n(name)"
#define COUNTED(fields)                                                                                                \
	" SELECT count(one) FILTER (WHERE coalesce(CASE WHEN f.path = 'name' THEN name"                                \
	" ELSE attributes #>> string_to_array(f.path, '.') END, '') = ''), count(one)"                                 \
	" FROM unnest(" fields "::text[]) WITH ORDINALITY AS f(path, at) LEFT JOIN person ON true"                     \
	" GROUP BY f.at ORDER BY f.at"

static const struct db_statement statements[] = {
	[EXTENT] = { "fields_extent",
		     "SELECT min(low), max(high), coalesce(sum(people), 0)::bigint FROM unnest($1::bigint[]) AS "
		     "l(list_id)"
		     " CROSS JOIN LATERAL (SELECT (SELECT min(subscriber_id) FROM membership WHERE list_id = "
		     "l.list_id) AS low,"
		     " (SELECT max(subscriber_id) FROM membership WHERE list_id = l.list_id) AS high, (SELECT count(*) "
		     "FROM"
		     " (SELECT FROM membership WHERE list_id = l.list_id LIMIT $2::bigint) AS m) AS people) AS x" },
	[OF_SOME] = { "fields_of_some", "WITH RECURSIVE " SOME HELD NAMES("attributes") " ORDER BY 1" },
	/* $4: names that are known, $5: of them, those to be taken off. Whoever has nothing else is not taken apart. */
	[OF_PORTION] = { "fields_of_portion",
			 "WITH RECURSIVE " PORTION " AND (s.attributes - $5::text[] <> '{}' OR s.attributes @? "
			 "'$.*[*].*'))" HELD NAMES("attributes - $5") " WHERE name <> ALL ($4::text[])" },
	[SORTED] = { "fields_sorted", "SELECT name COLLATE \"C\" FROM unnest($1::text[]) AS n(name) ORDER BY 1" },
	[EMPTY_SOME] = { "fields_empty_some", "WITH " SOME COUNTED("$4") },
	[EMPTY_PORTION] = { "fields_empty_portion", "WITH " PORTION ")" COUNTED("$4") },
	/* $1 to $4: audience_arrays(), $5 fields, $6 and $7 as $2 and $3 above. */
	[EMPTY_SOME_CHOSEN] = { "fields_empty_some_chosen",
				"WITH " CHOSEN("$6", "$7") ", " PERSON_OF_AUDIENCE(
				    "ARRAY(SELECT subscriber_id FROM chosen)") COUNTED("$5") },
	[EMPTY_CHOSEN] = { "fields_empty_chosen", "WITH " PERSON_OF_AUDIENCE("NULL") COUNTED("$5") },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

/* How the members are cut into portions. */
struct extent {
	int64_t first_id, last_id, step;
	bool is_small;
};

static enum err read_extent(struct db *db, const struct fields_scope *scope, struct extent *ret_extent, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_DB_ARRAY lists = db_array_of(DB_INT);
	audience_lists(scope->audience, &lists);
	const struct db_value values[] = { db_values(&lists), db_int(FEW + 1) };
	enum err err = db_run(db, &statements[EXTENT], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	int64_t first = db_get_int(rows, 0, 0), last = db_get_int(rows, 0, 1);
	bool is_small = db_get_int(rows, 0, 2) <= FEW;
	*ret_extent = (struct extent){ first, last, is_small ? last - first + 1 : A_PORTION, is_small };
	return ERR_OK;
}

/* ---- which there are ---- */

struct known {
	struct db_array names, off;
	size_t off_count;
};

static void known_done(struct known *known)
{
	db_array_done(&known->names);
	db_array_done(&known->off);
}

/* A long list of names to be taken off would cost more than it saves. */
static void add_known(struct known *known, const struct db_rows *rows)
{
	for (size_t i = 0; rows != NULL && i < db_row_count(rows); i++) {
		struct view name = db_get_text(rows, i, 0);
		db_array_add_bytes(&known->names, name);
		if (known->off_count < MINUS_MOST && view_find_byte(name, '.') == VIEW_NONE) {
			db_array_add_bytes(&known->off, name);
			known->off_count++;
		}
	}
}

static enum err read_some(struct db *db, const struct fields_scope *scope, struct db_rows **ret_rows, struct buf *why)
{
	AUTO_DB_ARRAY lists = db_array_of(DB_INT);
	audience_lists(scope->audience, &lists);
	const struct db_value values[] = { db_values(&lists), db_int(SPOTS), db_int(A_SPOT) };
	return db_run(db, &statements[OF_SOME], values, ARRAY_LEN(values), ret_rows, why);
}

static void tell_progress(const struct fields_scope *scope, const struct extent *extent, int64_t first)
{
	scope->progress(scope->user, (uint64_t)(first - extent->first_id),
			(uint64_t)(extent->last_id - extent->first_id));
}

static enum err read_portions(struct db *db, const struct fields_scope *scope, const struct extent *extent,
			      struct known *known, struct buf *why)
{
	AUTO_DB_ARRAY lists = db_array_of(DB_INT);
	enum err err = ERR_OK;
	audience_lists(scope->audience, &lists);
	for (int64_t first = extent->first_id; err == ERR_OK && first <= extent->last_id; first += extent->step) {
		AUTO_DB_ROWS *rows = NULL;
		const struct db_value values[] = { db_values(&lists), db_int(first), db_int(first + extent->step - 1),
						   db_values(&known->names), db_values(&known->off) };
		tell_progress(scope, extent, first);
		err = db_run(db, &statements[OF_PORTION], values, ARRAY_LEN(values), &rows, why);
		if (err == ERR_OK)
			add_known(known, rows);
	}
	return err;
}

enum err fields_of_all(struct db *db, const struct fields_scope *scope, struct db_rows **ret_rows, struct buf *why)
{
	AUTO_DB_ROWS *some = NULL;
	struct known known = { .names = db_array_of(DB_TEXT), .off = db_array_of(DB_TEXT) };
	struct extent extent;
	enum err err = read_extent(db, scope, &extent, why);
	if (err == ERR_OK && !extent.is_small)
		err = read_some(db, scope, &some, why);
	if (err == ERR_OK) {
		add_known(&known, some);
		err = read_portions(db, scope, &extent, &known, why);
	}
	const struct db_value values[] = { db_values(&known.names) };
	if (err == ERR_OK)
		err = db_run(db, &statements[SORTED], values, ARRAY_LEN(values), ret_rows, why);
	known_done(&known);
	return err;
}

enum err fields_of_some(struct db *db, const struct fields_scope *scope, bool *ret_are_all, struct db_rows **ret_rows,
			struct buf *why)
{
	struct extent extent;
	enum err err = read_extent(db, scope, &extent, why);
	if (err != ERR_OK)
		return err;
	*ret_are_all = extent.is_small;
	return extent.is_small ? fields_of_all(db, scope, ret_rows, why) : read_some(db, scope, ret_rows, why);
}

/* ---- for how many they are empty ---- */

/* rows: a field a row. */
static void add_counts(const struct db_rows *rows, int64_t *empty, int64_t *looked_at)
{
	for (size_t i = 0; i < db_row_count(rows); i++)
		empty[i] += db_get_int(rows, i, 0);
	if (db_row_count(rows) > 0)
		*looked_at += db_get_int(rows, 0, 1);
}

static enum err count_portions(struct db *db, const struct fields_scope *scope, const struct extent *extent,
			       const struct db_array *fields, int64_t *empty, int64_t *looked_at, struct buf *why)
{
	AUTO_DB_ARRAY lists = db_array_of(DB_INT);
	enum err err = ERR_OK;
	audience_lists(scope->audience, &lists);
	for (int64_t first = extent->first_id; err == ERR_OK && first <= extent->last_id; first += extent->step) {
		AUTO_DB_ROWS *rows = NULL;
		const struct db_value values[] = { db_values(&lists), db_int(first), db_int(first + extent->step - 1),
						   db_values(fields) };
		tell_progress(scope, extent, first);
		err = db_run(db, &statements[EMPTY_PORTION], values, ARRAY_LEN(values), &rows, why);
		if (err == ERR_OK)
			add_counts(rows, empty, looked_at);
	}
	return err;
}

static enum err count_some(struct db *db, const struct fields_scope *scope, const struct db_array *fields,
			   int64_t *empty, int64_t *looked_at, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_DB_ARRAY lists = db_array_of(DB_INT);
	audience_lists(scope->audience, &lists);
	const struct db_value values[] = { db_values(&lists), db_int(SPOTS), db_int(A_SPOT), db_values(fields) };
	enum err err = db_run(db, &statements[EMPTY_SOME], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		add_counts(rows, empty, looked_at);
	return err;
}

/* Of an audience that is not a whole list. It is asked about in one piece, which cannot tell how far it is. */
static enum err count_chosen(struct db *db, const struct fields_scope *scope, bool of_all,
			     const struct db_array *fields, int64_t *empty, int64_t *looked_at, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	struct audience_arrays arrays;
	struct db_value values[AUDIENCE_VALUES + 3];
	scope->progress(scope->user, 0, 0);
	audience_arrays(scope->audience, &arrays, values);
	values[AUDIENCE_VALUES] = db_values(fields);
	values[AUDIENCE_VALUES + 1] = db_int(SPOTS);
	values[AUDIENCE_VALUES + 2] = db_int(A_SPOT);
	enum err err = db_run(db, &statements[of_all ? EMPTY_CHOSEN : EMPTY_SOME_CHOSEN], values,
			      AUDIENCE_VALUES + (of_all ? 1 : 3), &rows, why);
	audience_arrays_done(&arrays);
	if (err == ERR_OK)
		add_counts(rows, empty, looked_at);
	return err;
}

static enum err count_audience(struct db *db, const struct fields_scope *scope, bool *of_all,
			       const struct db_array *fields, int64_t *empty, int64_t *looked_at, struct buf *why)
{
	enum err err = count_chosen(db, scope, *of_all, fields, empty, looked_at, why);
	if (err != ERR_OK || *of_all || *looked_at >= ENOUGH)
		return err;
	*of_all = true;
	*looked_at = 0;
	memset(empty, 0, fields->count * sizeof(*empty));
	return count_chosen(db, scope, true, fields, empty, looked_at, why);
}

enum err fields_count_empty(struct db *db, const struct fields_scope *scope, bool *of_all, const struct view *fields,
			    size_t count, int64_t *empty, int64_t *looked_at, struct buf *why)
{
	AUTO_DB_ARRAY paths = db_array_of(DB_TEXT);
	struct extent extent;
	for (size_t i = 0; i < count; i++)
		db_array_add_bytes(&paths, fields[i]);
	enum err err = read_extent(db, scope, &extent, why);
	if (err != ERR_OK)
		return err;
	*of_all = *of_all || extent.is_small;
	if (scope->audience->count > 0)
		return count_audience(db, scope, of_all, &paths, empty, looked_at, why);
	return *of_all ? count_portions(db, scope, &extent, &paths, empty, looked_at, why)
		       : count_some(db, scope, &paths, empty, looked_at, why);
}
