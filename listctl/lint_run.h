/* The rules of mail/lint.h asked about a campaign, with what its list, its readers and this host's keys say. */
#ifndef LISTCTL_LINT_RUN_H
#define LISTCTL_LINT_RUN_H

#include "listctl/draft.h"
#include "mail/compose.h"
#include "mail/lint.h"
#include "store/campaigns.h"
#include "store/lists.h"

struct lint_job {
	const struct campaign_content *content;
	const struct letter_file *letter; /* of which the content was made; NULL: nobody knows */
	enum draft_origin origin;
	struct view campaign_name;
	const struct destination *to;
	struct composer *composer; /* of the content, for copies through the campaign's own list */
	/* Whether it is going to be signed is asked too, and all readers are, also of a large list; otherwise fields are counted in some of them. */
	bool thorough;
};
enum err lint_run(struct call *call, const struct lint_job *job, lint_found *found, void *context) MUST_USE;
/* Warns of what is worse than a note; whether it is signed is left to signing_check(). A variant (0: the campaign's own letter) is named, and
 * what has been said already is not repeated. */
enum err lint_warn(struct call *call, const struct draft *draft, const struct destination *to,
		   struct view campaign_name, struct composer *composer, struct buf *said) MUST_USE;

#endif
