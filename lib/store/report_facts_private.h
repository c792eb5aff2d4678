/* What the statements of report_facts*.c have in common. */
#ifndef STORE_REPORT_FACTS_PRIVATE_H
#define STORE_REPORT_FACTS_PRIVATE_H

#include "store/report_facts.h"

struct fact_row {
	struct db_statement statement;
	const char *
	    takes; /* its parameters in order: c the campaign, l the list or null, s since or null, w the window, u reasons about us */
};

/* The row of one about several campaigns: report_facts_many.c. */
const struct fact_row *report_fact_of_many(enum report_fact fact);

/* Sums over rows of report_copy. A bounce is of a copy that was accepted; what was refused at once is counted as that. */
#define OF(condition) "coalesce(sum(copies) FILTER (WHERE " condition "), 0)::bigint"
#define BOUNCED                                                                                                        \
	OF("outcome = 'accepted' AND kind = 'bounce-hard'")                                                            \
	" AS bounced_hard, " OF("outcome = 'accepted' AND kind = 'bounce-soft'") " AS bounced_soft"
#define ENDS                                                                                                           \
	OF("outcome = 'accepted'")                                                                                     \
	" AS accepted, " OF("outcome = 'refused'") " AS refused, " OF("outcome = 'expired'") " AS expired, " OF(       \
	    "outcome = 'skipped'") " AS skipped"
#define SUMS                                                                                                           \
	OF("is_copy(outcome)")                                                                                         \
	" AS sent, " ENDS ", " BOUNCED ", coalesce(sum(complaints), 0)::bigint AS complained"
#define SHARE(part, whole) "(100.0 * " part " / nullif(" whole ", 0))::float8"

/* Why a copy failed: what came back about it, else what the relay said. */
#define WHY                                                                                                            \
	"CASE WHEN outcome = 'skipped' THEN NULL WHEN kind IS NOT NULL THEN came WHEN outcome IN ('refused', "         \
	"'expired') THEN reason END"
/* By reason: where it was said. */
#define BACK                                                                                                           \
	OF("outcome = 'refused'")                                                                                      \
	", " OF("outcome = 'expired'") ", " BOUNCED                                                                    \
				       ", " OF("kind = 'complaint' AND outcome = 'accepted'") ", sum(copies)::bigint"

#define OPERATOR "coalesce((SELECT g.name FROM domain_group g WHERE g.id = d.group_id), nullif(r.domain, ''))"
#define OF_OPERATOR " FROM report_copy r LEFT JOIN domain_group_domain d ON d.domain = r.domain WHERE r.part = 'd'"
#define MEASURES                                                                                                       \
	OF("is_copy(outcome)")                                                                                         \
	", " ENDS ", coalesce(sum(retried) FILTER (WHERE is_copy(outcome)), 0)::bigint,"                               \
	" (sum(waited) FILTER (WHERE outcome = 'accepted')"                                                            \
	" / nullif(sum(copies) FILTER (WHERE outcome = 'accepted'), 0) / 60)::float8, " BOUNCED                        \
	", " SHARE("sum(copies) FILTER (WHERE outcome = 'accepted' AND kind IN ('bounce-hard', 'bounce-soft'))",       \
		   "sum(copies) FILTER (WHERE outcome = 'accepted')") ", coalesce(sum(complaints), "                   \
								      "0)::bigint, " SHARE("sum(complaints)",          \
											   "sum(copies) FILTER "       \
											   "(WHERE outcome = "         \
											   "'accepted')")

#endif
