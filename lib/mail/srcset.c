#include "mail/srcset.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/* A comma within an address, as data: has, is one of it; one that ends it is none. */
bool srcset_cut(struct view *candidates, struct view *ret_address)
{
	struct view rest = *candidates;
	while (rest.len > 0 && (is_blank(rest.data[0]) || rest.data[0] == ','))
		rest = view_skip(rest, 1);
	size_t end = 0;
	while (end < rest.len && !is_blank(rest.data[end]))
		end++;
	struct view address = view_head(rest, end);
	rest = view_skip(rest, end);
	bool is_bare = view_ends(address, VIEW_LIT(","));
	size_t comma = is_bare ? 0 : view_find_byte(rest, ',');
	while (view_ends(address, VIEW_LIT(",")))
		address.len--;
	/* "a.png,b.png": no browser reads that as two, and no one means it as one. */
	size_t between = view_starts_nocase(address, VIEW_LIT("data:")) ? VIEW_NONE : view_find_byte(address, ',');
	if (between != VIEW_NONE) {
		rest = view_skip(*candidates, (size_t)(address.data - candidates->data) + between + 1);
		address = view_head(address, between);
		comma = 0;
	}
	*candidates = view_skip(rest, comma == VIEW_NONE ? rest.len : comma);
	*ret_address = address;
	return address.len > 0;
}
