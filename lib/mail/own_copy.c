#include "mail/own_copy.h"

#include "base/base32.h"

/* That of a message token, mail/token.h. */
enum { TOKEN_OCTETS = 19, VERSION = 1 };

static bool is_token(struct view text)
{
	unsigned char octets[TOKEN_OCTETS];
	return base32_decode(text, octets, sizeof(octets)) && octets[0] >> 4 == VERSION;
}

bool own_copy_is(const struct parts *parts)
{
	struct view id = view_trim(parts_head(parts, HEAD_MESSAGE_ID));
	if (view_starts(id, VIEW_LIT("<")))
		id = view_skip(id, 1);
	size_t at = view_find_byte(id, '@');
	if (at == VIEW_NONE || !is_token(view_head(id, at)) || parts_head(parts, HEAD_LIST_ID).len == 0)
		return false;
	return !parts->is_report && parts_head(parts, HEAD_X_FAILED_RECIPIENTS).len == 0 &&
	       !view_starts_nocase(parts_head(parts, HEAD_AUTO_SUBMITTED), VIEW_LIT("auto-replied"));
}
