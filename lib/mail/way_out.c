#include "mail/way_out.h"

#include "mail/template.h"

static bool is_way_out(const struct template_tag *tag)
{
	bool is_field = tag->sigil == '\0' || tag->sigil == '{' || tag->sigil == '&';
	return is_field && view_eq(tag->name, VIEW_LIT("unsubscribe"));
}

/* How many sections are open behind the tag. */
static size_t depth_behind(const struct template_tag *tag, size_t depth)
{
	if (tag->sigil == '#' || tag->sigil == '^')
		return depth + 1;
	return depth > 0 && tag->sigil == '/' ? depth - 1 : depth;
}

bool way_out_in(struct view source)
{
	struct template_tag tag;
	size_t depth = 0;
	for (size_t cursor = 0; template_next_tag(source, &cursor, &tag);) {
		if (depth == 0 && is_way_out(&tag))
			return true;
		depth = depth_behind(&tag, depth);
	}
	return false;
}

enum err way_out_keep_certain(struct view source, struct buf *out)
{
	struct template_tag tag;
	size_t depth = 0, done = 0;
	for (size_t cursor = 0; template_next_tag(source, &cursor, &tag);) {
		if (depth > 0 && is_way_out(&tag)) {
			buf_add(out, view_slice(source, done, tag.start));
			buf_add(out, VIEW_LIT("{{perhaps}}"));
			done = tag.end;
		}
		depth = depth_behind(&tag, depth);
	}
	return buf_add(out, view_skip(source, done));
}
