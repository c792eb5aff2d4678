#include "listctl/from.h"

#include "mail/address.h"

/* Without the quotes around the whole and the backslashes within (RFC 5322 section 3.2.4). */
static void add_name(struct view text, struct buf *ret_name)
{
	text = view_trim(text);
	bool quoted = text.len >= 2 && text.data[0] == '"' && text.data[text.len - 1] == '"';
	if (quoted)
		text = view_slice(text, 1, text.len - 1);
	for (size_t i = 0; i < text.len; i++) {
		if (quoted && text.data[i] == '\\' && i + 1 < text.len)
			i++;
		buf_add_byte(ret_name, text.data[i]);
	}
}

enum err from_parse(struct view text, struct buf *ret_name, struct buf *ret_address, struct buf *why)
{
	struct view name = { 0 }, address = view_trim(text);
	if (!view_is_utf8(text) || view_has_control(text)) {
		buf_addf(why, "a sender must be one line of UTF-8 text such as \"Example News <news@example.org>\"");
		return ERR_INVALID;
	}
	size_t open = view_find_last_byte(address, '<');
	if (open != VIEW_NONE) {
		if (!view_ends(address, VIEW_LIT(">"))) {
			buf_addf(why, "\"" VIEW_FMT "\" lacks the closing >", VIEW_ARG(address));
			return ERR_INVALID;
		}
		name = view_head(address, open);
		address = view_slice(address, open + 1, address.len - 1);
	}
	enum err err = address_parse(address, ret_address, why);
	if (err != ERR_OK)
		return err;
	add_name(name, ret_name);
	return buf_err(ret_name);
}
