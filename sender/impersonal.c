#include "sender/impersonal.h"

#include "base/limits.h"

/* The first of the two in the text; its length is that of the one found. */
static size_t find(struct view said, struct view address, struct view quoted, size_t *ret_length)
{
	size_t at = view_find_nocase(said, address), quoted_at = view_find_nocase(said, quoted);
	*ret_length = at <= quoted_at ? address.len : quoted.len;
	return at <= quoted_at ? at : quoted_at;
}

void impersonal_add(struct view said, struct view address, struct buf *out)
{
	AUTO_BUF quoted = buf_with_ceiling(LIMIT_ADDRESS_TEXT + sizeof("%40"));
	size_t sign = view_find_last_byte(address, '@'), length;
	if (sign == VIEW_NONE) {
		buf_add(out, said);
		return;
	}
	buf_addf(&quoted, VIEW_FMT "%%40" VIEW_FMT, VIEW_ARG(view_head(address, sign)),
		 VIEW_ARG(view_skip(address, sign + 1)));
	for (size_t at; (at = find(said, address, buf_view(&quoted), &length)) != VIEW_NONE;) {
		buf_add(out, view_head(said, at));
		buf_add(out, VIEW_LIT("recipient"));
		said = view_skip(said, at + length);
	}
	buf_add(out, said);
}
