#include "mail/autoreply.h"

static bool is_present(const struct parts *parts, enum head_field field)
{
	return parts_head(parts, field).len > 0;
}

/* Newsletters and lists are generated too, and speak of anything. */
static bool is_list_mail(const struct parts *parts)
{
	return is_present(parts, HEAD_LIST_ID) || is_present(parts, HEAD_LIST_UNSUBSCRIBE);
}

bool autoreply_is(const struct parts *parts, bool subject_says, bool text_says)
{
	struct view automatic = parts_head(parts, HEAD_AUTO_SUBMITTED);
	if (view_starts_nocase(automatic, VIEW_LIT("auto-replied")))
		return true;
	if (view_starts_nocase(parts_head(parts, HEAD_PRECEDENCE), VIEW_LIT("auto_reply")))
		return true;
	/* "no" is how some programs say that it is none */
	struct view autoreply = parts_head(parts, HEAD_X_AUTOREPLY);
	if (autoreply.len > 0 && !view_starts_nocase(autoreply, VIEW_LIT("no")))
		return true;
	if (is_present(parts, HEAD_X_AUTORESPOND))
		return true;
	if (is_list_mail(parts))
		return false;
	if (subject_says)
		return true;
	bool is_generated = view_starts_nocase(automatic, VIEW_LIT("auto-"));
	bool suppresses = is_present(parts, HEAD_X_AUTO_RESPONSE_SUPPRESS);
	bool answers = is_present(parts, HEAD_IN_REPLY_TO) || is_present(parts, HEAD_REFERENCES);
	return (is_generated && (answers || suppresses)) || text_says;
}
