/* Variants of a campaign, for A/B tests: which one a recipient gets. By a hash of campaign and subscriber against cumulated shares, so
 * that it is the same at every attempt, whoever makes it and when, and has nothing to do with the variant of another campaign. */
#ifndef MAIL_VARIANT_H
#define MAIL_VARIANT_H

#include "base/view.h"

enum {
	VARIANTS_MOST = 5,
	VARIANT_ALL = 10000, /* what all shares of a campaign make together: hundredths of a percent */
};

/* From 1; 0 when there are none. schema/016 has the same in SQL. */
unsigned variant_of(int64_t campaign_id, int64_t subscriber_id, const unsigned *shares, size_t count);

/* "A" is 1. 0: it is none. */
unsigned variant_from_name(struct view name);
char variant_name(unsigned variant);

/* Cuts "12.5% " off a text: a share above 0 and below 100 with up to two decimals. */
bool variant_cut_share(struct view *text, unsigned *ret_share) MUST_USE;

#endif
