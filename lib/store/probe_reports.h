/* What came back about probes (store/probe_letters.h): reports that bounced received by their return paths, and refusals that sender heard. One that is about the
 * address decides, also when it comes after the silence; another makes its probe void. A complaint is obeyed as one about a campaign. */
#ifndef STORE_PROBE_REPORTS_H
#define STORE_PROBE_REPORTS_H

#include "store/verdicts.h"

struct probe_report {
	int64_t probe_id;
	int64_t received_us;
	enum bounce_kind kind; /* others than bounces and complaints say nothing */
	enum bounce_reason reason;
	bool is_reply; /* a relay's of ours */
	struct view diagnostic, reporting_mta;
	struct view message; /* empty: none */
};

/* Adds whom these probes are about, so that the caller can lock them (verdicts_lock()) before he does anything else; ids that are none of a probe are passed over.
 * ids has room for count more. Errors as db_run(). */
enum err probe_reports_people(struct db *db, const struct probe_report *reports, size_t count, int64_t *ids,
			      size_t *id_count, struct buf *why) MUST_USE;

struct probe_tally {
	size_t stored, disabled, complaints;
};
/* Inside the caller's transaction, who has locked these people: stores the reports and passes the verdict. The same report again changes nothing. Errors as db_run(). */
enum err probe_reports_store(struct db *db, const struct probe_report *reports, size_t count,
			     const struct verdict_terms *terms, struct probe_tally *ret_tally,
			     struct buf *why) MUST_USE;

/* Removes up to limit reports' messages stored before then. */
enum err probe_reports_purge_messages(struct db *db, int64_t before_us, size_t limit, size_t *ret_removed,
				      struct buf *why) MUST_USE;

#endif
