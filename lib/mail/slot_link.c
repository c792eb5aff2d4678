#include "mail/slot_private.h"

/* Behind others a field makes no sense, or is run as a program. */
static const char *const schemes[] = { "http", "https", "mailto", "tel", "sms", "ftp", "cid" };

static bool is_good_scheme(const struct slot_place *place)
{
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		if (slot_name_is(place, schemes[i]))
			return true;
	}
	return false;
}

void slot_link_begin(struct slot_place *place)
{
	place->link = LINK_NOTHING;
	slot_name_begin(place);
}

/* Of a scheme that no field may follow only the name is kept: LINK_HEAD stays, with the : at its end. */
static void end_scheme(struct slot_place *place, const char **ret_why)
{
	if (place->has_field)
		*ret_why = "a field cannot be a link's scheme; write https: yourself";
	else if (slot_name_is(place, "mailto"))
		place->link = LINK_ADDRESS;
	else if (is_good_scheme(place))
		place->link = LINK_REST;
	else
		slot_name_add(place, ':');
}

void slot_link_read(struct slot_place *place, char c, const char **ret_why)
{
	bool is_blank = (unsigned char)c <= ' '; /* browsers skip them all in front */
	if ((place->link & LINK_WHOLE) != 0 && !is_blank)
		*ret_why = NOT_ALONE;
	if ((place->link & (LINK_NOTHING | LINK_HEAD)) == 0 || (is_blank && place->link == LINK_NOTHING))
		return;
	bool had_scheme = place->name_len > 0 && place->name[place->name_len - 1] == ':';
	place->link = (unsigned char)((place->link & ~LINK_NOTHING) | LINK_HEAD);
	if (had_scheme)
		return;
	if (c == '/' || c == '?' || c == '#')
		place->link = LINK_REST;
	else if (c == ':')
		end_scheme(place, ret_why);
	else
		slot_name_add(place, c);
}

bool slot_link_field(struct slot_place *place, enum slot_value value, enum slot_escape *ret_escape,
		     const char **ret_why)
{
	bool is_whole = value == SLOT_VALUE_LINK;
	if ((place->link & LINK_WHOLE) != 0 || (is_whole && place->link != LINK_NOTHING)) {
		*ret_why = NOT_ALONE;
		return false;
	}
	if (place->link == LINK_NOTHING) {
		*ret_escape = ESCAPE_LINK;
		place->link = is_whole ? LINK_HEAD | LINK_WHOLE : LINK_HEAD;
		place->has_field = true;
		return true;
	}
	if ((place->link & LINK_NOTHING) != 0) {
		*ret_why = "this field may begin the link or stand in its middle; write the whole link in each section";
		return false;
	}
	if (place->name_len > 0 && place->name[place->name_len - 1] == ':') {
		*ret_why = "no field may stand in such a link; begin it with https://, http:// or mailto:";
		return false;
	}
	place->has_field = true;
	if (value == SLOT_VALUE_AS_IS)
		*ret_escape = (place->link & LINK_HEAD) != 0 ? ESCAPE_LATE_TAIL : ESCAPE_TAIL;
	else
		*ret_escape = place->link == LINK_ADDRESS ? ESCAPE_ADDRESS : ESCAPE_PART;
	return true;
}
