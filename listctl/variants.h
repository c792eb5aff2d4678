/* Variants of a campaign (mail/variant.h) on their way from the command line into the database, and back to people. */
#ifndef LISTCTL_VARIANTS_H
#define LISTCTL_VARIANTS_H

#include "listctl/draft.h"

struct variants {
	struct draft *drafts; /* all but the first, which is the campaign's own */
	size_t draft_count;
	struct campaign_variant items[VARIANTS_MOST]; /* borrow from those */
	size_t count;                                 /* 0: none, or from 2 */
};

/* Makes those that --variant and --variant-letter ask for, of the letter at the path (NULL: none) and what the campaign began with, and puts
 * them into main's content; each is compiled, and warned of what lint finds. Borrowed: all. Release with variants_done(), also after a failure. */
enum err variants_read(struct call *call, const struct destination *to, struct view campaign_name,
		       const struct campaign_content *begun, const char *letter, struct draft *main,
		       struct variants *ret_variants) MUST_USE;
void variants_done(struct variants *variants);
/* Whether the call says anything of variants. */
bool variants_are_given(const struct call *call);

/* Whether --variant and --variant-letter can be read: before anything is looked at, and said about it. */
enum err variants_check(struct call *call) MUST_USE;
/* Whether an edit may do to the campaign's variants what the call says: none is lost that was not named. own: its letter. */
enum err variants_check_replaced(struct call *call, const struct campaign_variants *variants,
				 const struct campaign_content *own, bool has_new_letter) MUST_USE;
/* "A 70%, B 30%: Another subject"; nothing without. */
void variants_describe(const struct campaign_variants *variants, struct buf *out);

/* The one that the option --variant names; 0 without. */
enum err variants_option(struct call *call, const struct campaign_variants *variants, unsigned *ret_variant) MUST_USE;
/* Its words in place of the campaign's own; 0 and 1 are these. */
void variants_vary(struct campaign_content *content, const struct campaign_variants *variants, unsigned variant);
/* "B", or null for 0. Keep is where the letter stands meanwhile. */
struct output_cell variants_cell(unsigned variant, char *keep);

#endif
