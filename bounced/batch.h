/* The rows of several records side by side, stored in one transaction. */
#ifndef BOUNCED_BATCH_H
#define BOUNCED_BATCH_H

#include "bounced/record.h"
#include "store/probe_reports.h"

/* Views stay borrowed from the records. */
struct batch {
	struct bounce_event *events;
	struct departure *departures;
	struct mailbox_message *letters;
	struct relay_test_return *tests;
	struct probe_report
	    *probes;     /* reports by return paths of campaign 0: about a probe, unless they are about a test */
	int64_t *people; /* whom the events and departures are about, with room for those of the probes */
	size_t event_count, departure_count, letter_count, test_count, probe_count, people_count;
};

struct batch_tally {
	struct bounces_tally tally;
	struct probe_tally probes;
	size_t unsubscribed, letters, tests;
};

/* Of the records linked by next. False without memory. The caller releases *ret_batch before the records. */
bool batch_new(const struct record *records, struct batch *ret_batch);
void batch_done(struct batch *batch);

/* Inside the caller's transaction. Errors as db_run(). */
enum err batch_store(struct db *db, const struct batch *batch, const struct verdict_terms *terms,
		     struct batch_tally *ret_tally, struct buf *why) MUST_USE;

#endif
