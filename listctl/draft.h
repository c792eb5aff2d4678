/* A campaign's content on its way from the command line into the database: what the list or the campaign has, overlaid with the options that
 * were given, compiled before it is kept. */
#ifndef LISTCTL_DRAFT_H
#define LISTCTL_DRAFT_H

#include "listctl/call.h"
#include "listctl/destination.h"
#include "listctl/letter.h"
#include "mail/compose.h"
#include "store/campaigns.h"
#include "store/lists.h"

struct draft {
	unsigned
	    variant; /* 0: the campaign's own; else of one that has been made from the same files: what was warned of is not said again */
	struct campaign_content content; /* views of the bufs below, or of what it was made from */
	struct buf from_name, from_address, reply_to, text, html;
	struct letter_file letter;
	struct letter_values front; /* what its front matter says */
	struct letter_files files;  /* beside it */
	struct buf said;            /* warnings of lint */
};

/* Overlays content (borrowed) with the letter at a path (NULL: none), and that with the verb's options --subject, --text, --html, --from,
 * --reply-to, --in-doubt. A refusal names option or file. Release with draft_done(), also after a failure. */
enum err draft_read(struct call *call, const struct campaign_content *content, const char *letter,
		    struct draft *ret_draft) MUST_USE;
/* Makes the bodies that no option gave: those of the letter, in the list's layout; the text of a campaign that has only HTML. */
enum err draft_compose(struct call *call, const struct destination *to, struct draft *draft) MUST_USE;
void draft_done(struct draft *draft);

/* Whether a content comes from what the call names, or has been kept with a campaign, perhaps under rules that took more. */
enum draft_origin { DRAFT_WRITTEN, DRAFT_KEPT };

/* Compiles the content for copies that go through the list of the destination. The caller releases *ret_composer. */
enum err draft_compile(struct call *call, const struct campaign_content *content, enum draft_origin origin,
		       const struct destination *to, struct view campaign_name,
		       struct composer **ret_composer) MUST_USE;

#endif
