/* Whom a campaign is for, in words: the names of what it was made with, and that nobody is left. */
#ifndef LISTCTL_AUDIENCE_TEXT_H
#define LISTCTL_AUDIENCE_TEXT_H

#include "listctl/call.h"
#include "store/campaigns.h"

/* Names parted by ", "; an empty one: none of that kind. */
struct audience_text {
	struct buf also_lists, segments, excluded_lists, excluded_segments;
};

/* Release with audience_text_done(). */
enum err audience_text_read(struct call *call, uint64_t campaign_id, struct audience_text *ret_text) MUST_USE;
void audience_text_done(struct audience_text *text); /* accepts a zeroed one, may run twice */

/* The campaign has started, and had nobody to go to. */
bool audience_was_nobody(const struct campaign *campaign);
/* Warns of it, if that is so. */
void audience_warn_of_none(struct call *call, const struct campaign *campaign);
/* Warns when a campaign that has not started, named by the first operand, would go to nobody now. What is in the way of finding out is no reason to
 * fail for a step that is done: it is warned of, too. */
void audience_warn_ahead(struct call *call);

#endif
