#include "mail/slot_walk.h"

void slot_walk_begin(struct slot_walk *walk, enum slot_language language)
{
	*walk = (struct slot_walk){ .place = slot_start(language) };
}

bool slot_walk_text(struct slot_walk *walk, struct view text, size_t *ret_at, const char **ret_why)
{
	if (text.len > 0)
		walk->has_closed = false;
	return slot_read(&walk->place, text, ret_at, ret_why);
}

bool slot_walk_field(struct slot_walk *walk, enum slot_value value, enum slot_escape *ret_escape, const char **ret_why)
{
	walk->has_closed = false;
	return slot_field(&walk->place, value, ret_escape, ret_why);
}

bool slot_walk_open(struct slot_walk *walk, struct view name, bool is_inverted, const char **ret_why)
{
	bool is_other = walk->has_closed && is_inverted != walk->closed.is_inverted && view_eq(name, walk->closed.name);
	if (is_other)
		walk->place = walk->closed.begin;
	if (!slot_section(&walk->place, ret_why))
		return false;
	walk->open[walk->depth++] = (struct slot_section_open){
		.name = name,
		.is_inverted = is_inverted,
		.begin = walk->place,
		.otherwise = is_other ? walk->closed_at : walk->place,
	};
	walk->has_closed = false;
	return true;
}

bool slot_walk_close(struct slot_walk *walk, const char **ret_why)
{
	if (!slot_section(&walk->place, ret_why))
		return false;
	walk->closed = walk->open[--walk->depth];
	walk->closed_at = walk->place;
	walk->has_closed = true;
	if (slot_join(&walk->closed.otherwise, &walk->place, &walk->place))
		return true;
	*ret_why = "the section that ends here leads from one part of the HTML into another, such as out of a tag or a "
		   "value; put all of it into the section";
	return false;
}
