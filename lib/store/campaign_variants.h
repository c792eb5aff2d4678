/* The variants of a campaign (mail/variant.h), and what became of each. */
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

struct campaign_result {
	unsigned variant; /* 0: the campaign has none */
	unsigned share;
	struct view subject;
	int64_t accepted, refused, expired; /* ends in the ledger of those that were sent */
	int64_t bounced, complained;        /* of the accepted: about how many there is such a report */
	int64_t left;                       /* unsubscribed since, before the list's next campaign started */
};
/* One row a variant, one for a campaign without; see campaign_results_get(). */
enum err campaign_results(struct db *db, uint64_t campaign_id, struct db_rows **ret_rows, struct buf *why) MUST_USE;
void campaign_results_get(const struct db_rows *rows, size_t row, struct campaign_result *ret_result);

#endif
