/* What a report tells, read of the copies that store/report_copies.h has counted and of what stands beside them. Each fact is rows of columns whose
 * order its statement gives; listctl/report_sections.c names and explains them, and a test holds the two together.
 *
 * Inside the snapshot in which the copies were counted. Shares are percentages, null where there is nothing to be a share of. */
#ifndef STORE_REPORT_FACTS_H
#define STORE_REPORT_FACTS_H

#include "store/report_copies.h"

enum report_fact {
	FACT_SNAPSHOT,  /* when */
	FACT_CAMPAIGN,  /* one row: what it is, and the sums */
	FACT_TOTALS,    /* one row: the sums over all campaigns */
	FACT_PLACES,    /* of one campaign: the ledger's sum */
	FACT_TIME,      /* of one campaign: ends over time, in at most 48 steps; the last holds what came later */
	FACT_DAYS,      /* of several: by day */
	FACT_LATE,      /* bounces by the time from the copy's end */
	FACT_REASONS,   /* by reason */
	FACT_OPERATORS, /* by domain group, or domain without one */
	FACT_DOMAINS,   /* by domain */
	FACT_RELAYS,    /* by relay; null: not known */
	FACT_SLOWEST,   /* domains that waited longest */
	FACT_VARIANTS,
	FACT_CAMPAIGNS, /* a row each, oldest first */
	FACT_LIST,      /* one row: members by state */
	FACT_GROWTH,    /* by week: who came and who left */
	FACT_WHERE,     /* by reason, list and campaign */
	FACT_EXAMPLES,  /* by reason: the newest words */
	FACT_US,        /* reasons about us, by operator */
	FACT_US_DAYS,   /* the same by day */
	FACT_TROUBLE,   /* what is held, closed, cut or left alone now */
	FACT_COUNT
};

enum err report_facts_read(struct db *db, enum report_fact fact, const struct report_scope *scope,
			   struct db_rows **ret_rows, struct buf *why) MUST_USE;

#endif
