#include "mail/merge_names.h"

#include "base/edits.h"
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
		size_t far = edits_between(fields->names[i], name);
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
