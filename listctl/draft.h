/* A campaign's content on its way from the command line into the database: what the list or the campaign has, overlaid with the options that
 * were given, compiled before it is kept. */
#ifndef LISTCTL_DRAFT_H
#define LISTCTL_DRAFT_H

#include "listctl/call.h"
#include "mail/compose.h"
#include "store/campaigns.h"
#include "store/lists.h"

struct draft {
	struct campaign_content content; /* views of the bufs below, or of what it was made from */
	struct buf from_name, from_address, reply_to, text, html;
};

/* Overlays content (borrowed) with the verb's options --subject, --text, --html, --from, --reply-to, --in-doubt. A refusal names option or
 * file. Release with draft_done(), also after a failure. */
enum err draft_read(struct call *call, const struct campaign_content *content, struct draft *ret_draft) MUST_USE;
void draft_done(struct draft *draft);

/* Compiles the content for members of the list. The caller releases *ret_composer. */
enum err draft_compile(struct call *call, const struct campaign_content *content, const struct list *list,
		       struct view campaign_name, struct composer **ret_composer) MUST_USE;

#endif
