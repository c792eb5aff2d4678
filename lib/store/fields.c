#include "store/fields.h"

#include <assert.h>

enum statement { EXTENT, OF_SOME, OF_PORTION, SORTED, EMPTY_SOME, EMPTY_PORTION, STATEMENT_COUNT };

/* How many there are of a list before some of them are asked for all. */
enum {
	SPOTS = 100,
	A_SPOT = 200,
	FEW = SPOTS * A_SPOT,
	A_PORTION = 200000, /* ids, whoever has them */
	MINUS_MOST = 64,    /* names that are taken off each member's attributes before these are taken apart */
};

/* $1 list, $2 to $3 ids. */
#define PORTION                                                                                                        \
	"person AS MATERIALIZED (SELECT 1 AS one, s.name, s.attributes FROM membership m JOIN subscriber s ON s.id = " \
	"m.subscriber_id"                                                                                              \
	" WHERE m.list_id = $1::bigint AND m.state = 'active' AND m.subscriber_id BETWEEN $2::bigint AND $3::bigint"
/* Some at each of $2 spots, $3 each, between the least and the greatest id; and the newest, who may be the first with an attribute. */
#define SOME                                                                                                           \
	"chosen AS MATERIALIZED (SELECT m.subscriber_id FROM (SELECT min(subscriber_id) AS low,"                       \
	" max(subscriber_id) AS high FROM membership WHERE list_id = $1::bigint) AS span"                              \
	" CROSS JOIN generate_series(0, $2::bigint - 1) AS spot(n) CROSS JOIN LATERAL ("                               \
	" SELECT subscriber_id FROM membership WHERE list_id = $1 AND state = 'active'"                                \
	" AND subscriber_id >= low + (high - low) * n / $2 ORDER BY subscriber_id LIMIT $3::bigint) AS m"              \
	" UNION (SELECT subscriber_id FROM membership WHERE list_id = $1 AND state = 'active'"                         \
	" ORDER BY subscriber_id DESC LIMIT $3)),"                                                                     \
	" person AS MATERIALIZED (SELECT 1 AS one, s.name, s.attributes FROM chosen JOIN subscriber s ON s.id = "      \
	"chosen.subscriber_id)"
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
		     "SELECT (SELECT min(subscriber_id) FROM membership WHERE list_id = $1::bigint),"
		     " (SELECT max(subscriber_id) FROM membership WHERE list_id = $1),"
		     " (SELECT count(*) FROM (SELECT FROM membership WHERE list_id = $1 LIMIT $2::bigint) AS m)" },
	[OF_SOME] = { "fields_of_some", "WITH RECURSIVE " SOME HELD NAMES("attributes") " ORDER BY 1" },
	/* $4: names that are known, $5: of them, those to be taken off. Whoever has nothing else is not taken apart. */
	[OF_PORTION] = { "fields_of_portion",
			 "WITH RECURSIVE " PORTION " AND (s.attributes - $5::text[] <> '{}' OR s.attributes @? "
			 "'$.*[*].*'))" HELD NAMES("attributes - $5") " WHERE name <> ALL ($4::text[])" },
	[SORTED] = { "fields_sorted", "SELECT name COLLATE \"C\" FROM unnest($1::text[]) AS n(name) ORDER BY 1" },
	[EMPTY_SOME] = { "fields_empty_some", "WITH " SOME COUNTED("$4") },
	[EMPTY_PORTION] = { "fields_empty_portion", "WITH " PORTION ")" COUNTED("$4") },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

/* How the members are cut into portions. */
struct extent {
	int64_t first_id, last_id, step;
	bool is_small;
};

static enum err read_extent(struct db *db, int64_t list_id, struct extent *ret_extent, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	const struct db_value values[] = { db_int(list_id), db_int(FEW + 1) };
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
	const struct db_value values[] = { db_int(scope->list_id), db_int(SPOTS), db_int(A_SPOT) };
	return db_run(db, &statements[OF_SOME], values, ARRAY_LEN(values), ret_rows, why);
}

static enum err read_portions(struct db *db, const struct fields_scope *scope, const struct extent *extent,
			      struct known *known, struct buf *why)
{
	enum err err = ERR_OK;
	for (int64_t first = extent->first_id; err == ERR_OK && first <= extent->last_id; first += extent->step) {
		AUTO_DB_ROWS *rows = NULL;
		const struct db_value values[] = { db_int(scope->list_id), db_int(first),
						   db_int(first + extent->step - 1), db_values(&known->names),
						   db_values(&known->off) };
		scope->progress(scope->user, (uint64_t)(first - extent->first_id),
				(uint64_t)(extent->last_id - extent->first_id));
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
	enum err err = read_extent(db, scope->list_id, &extent, why);
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
	enum err err = read_extent(db, scope->list_id, &extent, why);
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
	enum err err = ERR_OK;
	for (int64_t first = extent->first_id; err == ERR_OK && first <= extent->last_id; first += extent->step) {
		AUTO_DB_ROWS *rows = NULL;
		const struct db_value values[] = { db_int(scope->list_id), db_int(first),
						   db_int(first + extent->step - 1), db_values(fields) };
		scope->progress(scope->user, (uint64_t)(first - extent->first_id),
				(uint64_t)(extent->last_id - extent->first_id));
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
	const struct db_value values[] = { db_int(scope->list_id), db_int(SPOTS), db_int(A_SPOT), db_values(fields) };
	enum err err = db_run(db, &statements[EMPTY_SOME], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		add_counts(rows, empty, looked_at);
	return err;
}

enum err fields_count_empty(struct db *db, const struct fields_scope *scope, bool *of_all, const struct view *fields,
			    size_t count, int64_t *empty, int64_t *looked_at, struct buf *why)
{
	AUTO_DB_ARRAY paths = db_array_of(DB_TEXT);
	struct extent extent;
	for (size_t i = 0; i < count; i++)
		db_array_add_bytes(&paths, fields[i]);
	enum err err = read_extent(db, scope->list_id, &extent, why);
	if (err != ERR_OK)
		return err;
	*of_all = *of_all || extent.is_small;
	return *of_all ? count_portions(db, scope, &extent, &paths, empty, looked_at, why)
		       : count_some(db, scope, &paths, empty, looked_at, why);
}
