#include "store/near_names.h"

#include <assert.h>

#include "base/edits.h"
#include "base/limits.h"

enum { LONGEST = 64, ASKED_MOST = 10000 };

/* Those whose length allows it, the newest first. */
#define NEAR(table)                                                                                                    \
	"SELECT name FROM " table " WHERE abs(length(name) - length($1)) <= length(name) / 3 ORDER BY id DESC"         \
	" LIMIT $2::bigint"

static const struct db_statement statements[] = {
	[NAMED_LIST] = { .name = "near_names_list", .sql = NEAR("list") },
	[NAMED_SEGMENT] = { .name = "near_names_segment", .sql = NEAR("segment") },
	[NAMED_CAMPAIGN] = { .name = "near_names_campaign", .sql = NEAR("campaign") },
};
static_assert(ARRAY_LEN(statements) == NAMED_COUNT, "one row a kind");

static struct view nearest_of(const struct db_rows *rows, struct view name)
{
	struct view nearest = { 0 };
	size_t best = SIZE_MAX;
	bool is_only = false;
	for (size_t i = 0; i < db_row_count(rows); i++) {
		struct view known = db_get_text(rows, i, 0);
		size_t edits = edits_between(known, name);
		if (!edits_are_few(known, edits) || edits > best)
			continue;
		is_only = edits < best;
		best = edits;
		nearest = known;
	}
	return is_only ? nearest : VIEW_LIT("");
}

bool near_names_add(struct db *db, enum named named, struct view name, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	const struct db_value values[] = { db_text(name), db_int(ASKED_MOST) };
	if (name.len == 0 || name.len > LONGEST || !view_is_utf8(name) || view_has_control(name) ||
	    db_run(db, &statements[named], values, ARRAY_LEN(values), &rows, &cause) != ERR_OK)
		return false;
	struct view nearest = nearest_of(rows, name);
	if (nearest.len == 0)
		return false;
	buf_addf(why, "; did you mean " VIEW_FMT "?", VIEW_ARG(nearest));
	return true;
}
