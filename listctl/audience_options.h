/* Whom a campaign is for, as options of `campaign create` and `campaign edit` say it. */
#ifndef LISTCTL_AUDIENCE_OPTIONS_H
#define LISTCTL_AUDIENCE_OPTIONS_H

#include "listctl/call.h"
#include "store/campaigns.h"

/* Rows for a verb's table of options. */
#define AUDIENCE_OPTIONS                                                                                               \
	{ "also-list", "LIST,...",                                                                                     \
	  "to members of these lists, too: one copy each, through the first list they are in; nobody who "             \
	  "unsubscribed from one of them" },                                                                           \
	    { "segment", "NAME,...", "only members who are in one of these segments; may be given several times" },    \
	    { "exclude-segment", "NAME,...", "nobody who is in one of these" },                                        \
	    { "exclude-list", "LIST,...", "nobody who is an active member of one of these lists" },                    \
	{                                                                                                              \
		"everybody", NULL, "all members of its own list again, and no others"                                  \
	}

/* When one of the options was given, all that they say takes the place of what the campaign has; names are looked up. *ret_audience outlives *content, which
 * refers to it; names borrow from the command line. Release it with audience_done(), also after a failure. */
enum err audience_options_read(struct call *call, int64_t own_list, struct audience *ret_audience,
			       struct campaign_content *content) MUST_USE;
/* Says whom a campaign would go to now, when it is not for its whole list and no other. */
enum err audience_tell(struct call *call, struct view campaign) MUST_USE;

#endif
