/* Goes through a template's texts, fields and sections in their order and knows where each stands (mail/slot.h). A section must end where it
 * began: what is left out must not change what the rest is. {{#x}}...{{/x}}{{^x}}...{{/x}} is one of two texts. */
#ifndef MAIL_SLOT_WALK_H
#define MAIL_SLOT_WALK_H

#include "base/limits.h"
#include "mail/slot.h"

struct slot_walk {
	struct slot_place place;
	struct slot_section_open {
		struct view name; /* borrowed */
		bool is_inverted;
		struct slot_place begin;
		struct slot_place otherwise; /* where the other way leads */
	} open[LIMIT_TEMPLATE_DEPTH];
	size_t depth;
	struct slot_section_open closed; /* the one that has just ended, with the place behind it in `place` */
	struct slot_place closed_at;
	bool has_closed;
};

void slot_walk_begin(struct slot_walk *walk, enum slot_language language);

/* False: *ret_why says what is wrong, and for a text *ret_at where in it. */
bool slot_walk_text(struct slot_walk *walk, struct view text, size_t *ret_at, const char **ret_why) MUST_USE;
bool slot_walk_field(struct slot_walk *walk, enum slot_value value, enum slot_escape *ret_escape,
		     const char **ret_why) MUST_USE;
/* At most LIMIT_TEMPLATE_DEPTH are open; the caller sees to it. */
bool slot_walk_open(struct slot_walk *walk, struct view name, bool is_inverted, const char **ret_why) MUST_USE;
bool slot_walk_close(struct slot_walk *walk, const char **ret_why) MUST_USE;

#endif
