#include "mail/merge_names.h"

#include "base/limits.h"

enum {
	MAX_LISTED = 12,
	MAX_DISTANCE = 3,
};

bool merge_names_know(const struct merge_names *fields, struct view path)
{
	for (size_t i = 0; i < fields->count; i++) {
		struct view name = fields->names[i];
		if (view_starts(name, path) && (name.len == path.len || name.data[path.len] == '.'))
			return true;
	}
	return false;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;
	return ab < c ? ab : c;
}

/* Levenshtein's distance without regard to case; names beyond LIMIT_FIELD_NAME are far from everything. */
static size_t distance(struct view a, struct view b)
{
	size_t row[LIMIT_FIELD_NAME + 1];
	if (a.len > LIMIT_FIELD_NAME || b.len > LIMIT_FIELD_NAME)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t changed = diagonal + (lower(a.data[i - 1]) != lower(b.data[j - 1]));
			diagonal = row[j];
			row[j] = least(row[j] + 1, row[j - 1] + 1, changed);
		}
	}
	return row[b.len];
}

static void list(const struct merge_names *fields, struct buf *why)
{
	buf_add(why, VIEW_LIT("known are "));
	for (size_t i = 0; i < fields->count && i < MAX_LISTED; i++)
		buf_addf(why, "%s" VIEW_FMT, i == 0 ? "" : ", ", VIEW_ARG(fields->names[i]));
	if (fields->count > MAX_LISTED)
		buf_add(why, VIEW_LIT(" and others"));
}

void merge_names_suggest(const struct merge_names *fields, struct view name, struct buf *why)
{
	struct view nearest = { 0 };
	size_t best = MAX_DISTANCE + 1;
	for (size_t i = 0; i < fields->count; i++) {
		size_t far = distance(fields->names[i], name);
		size_t longer = fields->names[i].len > name.len ? fields->names[i].len : name.len;
		if (far < best && far * 2 <= longer && far < fields->names[i].len) {
			best = far;
			nearest = fields->names[i];
		}
	}
	if (nearest.len > 0)
		buf_addf(why, "the nearest known one is \"" VIEW_FMT "\"", VIEW_ARG(nearest));
	else if (fields->count > 0)
		list(fields, why);
	else
		buf_add(why, VIEW_LIT("there are no fields here"));
}
