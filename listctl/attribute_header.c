#include "listctl/attribute_header.h"

#include "base/limits.h"
#include "listctl/field_types.h"
#include "listctl/json_text.h"
#include "listctl/json_walk.h"
#include "listctl/output.h"

bool attribute_header_cut(struct view *header)
{
	static const struct view prefix = { ATTRIBUTE_HEADER_PREFIX, sizeof(ATTRIBUTE_HEADER_PREFIX) - 1 };
	struct view name = view_trim(view_skip(*header, prefix.len));
	if (name.len == 0 || !view_starts_nocase(*header, prefix))
		return false;
	*header = name;
	return true;
}

void attribute_header_read(struct view header, struct buf *name)
{
	AUTO_BUF wrong = buf_with_ceiling(256);
	AUTO_BUF text = buf_with_ceiling(LIMIT_CSV_FIELD);
	bool is_json = view_starts(header, VIEW_LIT("\"")) && json_text_check(header, &wrong) &&
		       json_walk_text(view_slice(header, 1, header.len - 1), &text);
	buf_add(name, is_json ? buf_view(&text) : header);
}

/* A name that would lose something as it stands. */
static bool needs_marks(struct view name)
{
	return name.len == 0 || name.data[0] == '"' || view_has_control(name) || view_trim(name).len != name.len;
}

void attribute_header_write(struct view name, const char *type, struct buf *header)
{
	enum field_type found;
	size_t start = header->len;
	buf_add(header, VIEW_LIT(ATTRIBUTE_HEADER_PREFIX));
	if (needs_marks(name))
		output_json_string(header, name);
	else
		buf_add(header, name);
	struct view whole = view_skip(buf_view(header), start);
	bool ends_as_type = field_type_cut(whole, &found).len != whole.len;
	buf_add(header, view_of(*type == '\0' && ends_as_type ? ":text" : type));
}
