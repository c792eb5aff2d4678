#include "listctl/sender_text.h"

#include "mail/address.h"
#include "mail/header.h"

enum { SHOWN_OCTETS = 40 };

enum err sender_text_parse(struct view text, const char *what, struct buf *ret_name, struct buf *ret_address,
			   struct buf *why)
{
	struct view name = { 0 }, address = view_trim(text);
	size_t field = view_find(text, VIEW_LIT("{{"));
	if (field != VIEW_NONE) {
		buf_addf(why,
			 "%s: a merge field cannot stand here, and " VIEW_FMT
			 " would go out as it is; write what is the same for all readers",
			 what, VIEW_ARG(view_head(view_skip(text, field), SHOWN_OCTETS)));
		return ERR_INVALID;
	}
	size_t open = view_find_last_byte(address, '<');
	if (view_ends(address, VIEW_LIT(">")) && open != VIEW_NONE) {
		name = view_trim(view_head(address, open));
		address = view_slice(address, open + 1, address.len - 1);
	}
	if (name.len >= 2 && name.data[0] == '"' && name.data[name.len - 1] == '"')
		name = view_slice(name, 1, name.len - 1);
	if (!header_takes(name)) {
		buf_addf(why, "%s: the name must be UTF-8 text without control characters", what);
		return ERR_INVALID;
	}
	if (view_find_byte(address, '@') == VIEW_NONE) {
		buf_addf(why, "%s: here is no address; write Name <name@example.org>", what);
		return ERR_INVALID;
	}
	size_t before = why->len, start = ret_address->len;
	buf_addf(why, "%s: ", what);
	enum err err = address_parse(address, ret_address, why);
	if (err != ERR_OK)
		return err;
	if (!address_is_ascii(view_skip(buf_view(ret_address), start))) {
		buf_add(why, VIEW_LIT("the part before the @ is not ASCII, which many relays refuse; use another "
				      "address"));
		return ERR_INVALID;
	}
	buf_cut(why, before);
	return buf_add(ret_name, name);
}
