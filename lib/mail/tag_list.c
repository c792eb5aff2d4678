#include "mail/tag_list.h"

bool tag_list_next(struct view *list, struct view *ret_name, struct view *ret_value)
{
	struct view piece;
	do {
		if (!view_cut(list, ';', &piece))
			return false;
		piece = view_trim(piece);
	} while (piece.len == 0);
	size_t equals = view_find_byte(piece, '=');
	bool has_name = equals != VIEW_NONE;
	*ret_name = has_name ? view_trim(view_head(piece, equals)) : view_head(piece, 0);
	*ret_value = has_name ? view_trim(view_skip(piece, equals + 1)) : piece;
	return true;
}

struct view tag_list_get(struct view list, struct view name)
{
	struct view found, value;
	while (tag_list_next(&list, &found, &value)) {
		if (view_eq_nocase(found, name))
			return value;
	}
	return (struct view){ 0 };
}

bool tag_list_is(struct view list, struct view version)
{
	struct view name, value;
	return tag_list_next(&list, &name, &value) && view_eq_nocase(name, VIEW_LIT("v")) && view_eq(value, version);
}
