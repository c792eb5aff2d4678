/* The variants of a campaign (mail/variant.h). What became of each: store/report_facts.h. */
#ifndef STORE_CAMPAIGN_VARIANTS_H
#define STORE_CAMPAIGN_VARIANTS_H

#include "mail/variant.h"
#include "store/db.h"

struct campaign_variant {
	unsigned share;
	struct view subject, text_body, html_body; /* of the first all empty: the campaign's own */
};

struct campaign_variants {
	struct db_rows *rows; /* what the items borrow from */
	struct campaign_variant items[VARIANTS_MOST];
	size_t count; /* 0, or from 2 */
};

/* In their order. Release with campaign_variants_done(), also after a failure. */
enum err campaign_variants_read(struct db *db, uint64_t campaign_id, struct campaign_variants *ret_variants,
				struct buf *why) MUST_USE;
void campaign_variants_done(struct campaign_variants *variants); /* accepts a zeroed one */

/* Puts these in place of those that the campaign has; within the caller's transaction. */
enum err campaign_variants_replace(struct db *db, struct view campaign, const struct campaign_variant *variants,
				   size_t count, struct buf *why) MUST_USE;

#endif
