/* What the statements of report_facts*.c have in common. */
#ifndef STORE_REPORT_FACTS_PRIVATE_H
#define STORE_REPORT_FACTS_PRIVATE_H

#include "store/report_facts.h"

struct fact_row {
	struct db_statement statement;
	/* Its parameters in order: c the campaign, l the list or null, s since or null, w the window, u reasons about us, a
	 * after how many silent seconds a worker is dead. */
	const char *takes;
};

/* The row of one about several campaigns: report_facts_many.c. */
const struct fact_row *report_fact_of_many(enum report_fact fact);

/* All that is summed over rows of report_copy; each statement takes of it what it tells. A bounce is of a copy that was accepted: what was refused at
 * once is counted as that. objected: complaints that are a copy's gravest report. */
#define SUMS                                                                                                           \
	"sum(copies)::bigint AS copies,"                                                                               \
	" coalesce(sum(copies) FILTER (WHERE is_copy(outcome)), 0)::bigint AS sent,"                                   \
	" coalesce(sum(copies) FILTER (WHERE outcome = 'accepted'), 0)::bigint AS accepted,"                           \
	" coalesce(sum(copies) FILTER (WHERE outcome = 'refused'), 0)::bigint AS refused,"                             \
	" coalesce(sum(copies) FILTER (WHERE outcome = 'expired'), 0)::bigint AS expired,"                             \
	" coalesce(sum(copies) FILTER (WHERE outcome = 'skipped'), 0)::bigint AS skipped,"                             \
	" coalesce(sum(copies) FILTER (WHERE outcome = 'accepted' AND kind = 'bounce-hard'), 0)::bigint AS hard,"      \
	" coalesce(sum(copies) FILTER (WHERE outcome = 'accepted' AND kind = 'bounce-soft'), 0)::bigint AS soft,"      \
	" coalesce(sum(copies) FILTER (WHERE outcome = 'accepted' AND kind = 'complaint'), 0)::bigint AS objected,"    \
	" coalesce(sum(copies) FILTER (WHERE outcome = 'accepted' AND is_open), 0)::bigint AS awaited,"                \
	" coalesce(sum(complaints), 0)::bigint AS complained,"                                                         \
	" coalesce(sum(retried) FILTER (WHERE is_copy(outcome)), 0)::bigint AS retried,"                               \
	" (sum(deferred) / nullif(sum(timed), 0) / 60)::float8 AS deferred_minutes,"                                   \
	" (sum(waited) FILTER (WHERE outcome = 'accepted')"                                                            \
	" / nullif(sum(copies) FILTER (WHERE outcome = 'accepted'), 0) / 60)::float8 AS mean_minutes,"                 \
	" (max(longest) FILTER (WHERE outcome = 'accepted') / 60)::float8 AS longest_minutes"

/* Why a copy failed: what came back about it, else what the relay said. */
#define WHY                                                                                                            \
	"CASE WHEN outcome = 'skipped' THEN NULL WHEN kind IS NOT NULL THEN came"                                      \
	" WHEN outcome IN ('refused', 'expired') THEN reason END"
/* Of t, by reason: where it was said. */
#define BACK "t.refused, t.expired, t.hard, t.soft, t.objected, t.copies"

/* Of t, by whom it went to or through. */
#define MEASURES                                                                                                       \
	"t.sent, t.accepted, t.refused, t.expired, t.skipped, t.retried, t.deferred_minutes, t.mean_minutes,"          \
	" t.hard, t.soft, share(t.hard + t.soft, t.accepted), t.complained, share(t.complained, t.accepted)"

/* Rows of d: domains with the operator that receives for them. */
#define BY_DOMAIN                                                                                                      \
	" FROM (SELECT r.*, coalesce(g.name, nullif(r.domain, '')) AS operator FROM report_copy r"                     \
	" LEFT JOIN domain_group_domain m ON m.domain = r.domain LEFT JOIN domain_group g ON g.id = m.group_id"        \
	" WHERE r.part = 'd') AS d"

#endif
