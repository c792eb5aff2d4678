#include "listctl/name_list.h"

static const char separators[] = ", ";

bool name_list_cut(struct view *text, struct view *ret_name)
{
	while (text->len > 0 && view_find_byte(view_of(separators), text->data[0]) != VIEW_NONE)
		*text = view_skip(*text, 1);
	size_t len = 0;
	while (len < text->len && view_find_byte(view_of(separators), text->data[len]) == VIEW_NONE)
		len++;
	*ret_name = view_head(*text, len);
	*text = view_skip(*text, len);
	return len > 0;
}

bool name_list_names_any(struct view text)
{
	struct view name;
	return name_list_cut(&text, &name);
}

enum err name_list_check(struct call *call, const char *option, struct view text)
{
	if (!name_list_names_any(text))
		return call_misused(call, "--%s names nothing", option);
	for (struct view rest = text; view_find_byte(rest, ',') != VIEW_NONE;) {
		struct view part;
		bool is_good = view_cut(&rest, ',', &part) && name_list_names_any(part) && name_list_names_any(rest);
		if (!is_good)
			return call_misused(call, "--%s has an empty name between its commas: \"" VIEW_FMT "\"", option,
					    VIEW_ARG(text));
	}
	return ERR_OK;
}
