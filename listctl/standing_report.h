/* One look at a campaign: its state and where its recipients stand, read in one snapshot. For status and watch. */
#ifndef LISTCTL_STANDING_REPORT_H
#define LISTCTL_STANDING_REPORT_H

#include "listctl/audience_text.h"
#include "store/budgets.h"
#include "store/campaigns.h"
#include "store/standings.h"
#include "store/tallies.h"

struct standing_report {
	struct campaign campaign;
	struct audience_text audience;
	struct standing standing;
	struct leaving_standing leaving;
	double rate; /* messages a second: over the last minute while it runs, over its whole time when it has ended */
	struct db_rows *campaign_rows, *reasons, *relays, *holds, *waits, *stranded;
};

/* ERR_NOT_FOUND, and as db_run(). Release with standing_report_done(). */
enum err standing_report_read(struct call *call, struct standing_report *ret_report) MUST_USE;
/* Some workers were told of a pause or cancel and have not said yet what they have under way. */
bool standing_report_is_early(const struct standing_report *report);
/* The campaign's state for people: "pausing" and "canceling" while workers still hold some of it, and "canceling" until nobody is left to be
 * settled. */
const char *standing_report_state(const struct standing_report *report);
/* How many messages are still under way of a campaign that is being paused or canceled, outside of its windows, or whose senders stop; -1: nobody
 * leaves it, or not all who do have said so yet. */
int64_t standing_report_under_way(const struct standing_report *report);
/* Its held groups as JSON: [{"group": "gmail", "reason": "why", "recipients": 12}, ...] */
void standing_report_add_holds(const struct standing_report *report, struct buf *out);
/* What slows the campaign, as JSON: [{"for": "group:gmail", "recipients": 12, "reason": "what waits and why"}, ...] */
void standing_report_add_waits(const struct standing_report *report, struct buf *out);
/* What became of the row-th worker that holds recipients and does not go on, and what to do: one sentence without a full stop. */
void standing_report_tell_stranded(const struct standing_report *report, size_t row, struct buf *out);
/* [{"worker": "id", "recipients": 12, "reason": "why"}, ...] */
void standing_report_add_stranded(const struct standing_report *report, struct buf *out);
void standing_report_done(struct standing_report *report); /* may run twice */

#endif
