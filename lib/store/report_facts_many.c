#include "store/report_facts_private.h"

#include <assert.h>

#include "store/storm_sql.h"

/* Of list $1, the weeks from the one in which $2 lies, or the list began: none is missing. */
#define WEEKS                                                                                                          \
	"weeks AS (SELECT generate_series(date_trunc('week', coalesce($2::timestamptz,"                                \
	" (SELECT min(joined_at) FROM membership WHERE list_id = $1), now())), now(), '7 days') AS at)"
#define MOVES                                                                                                          \
	"coalesce(sum(n) FILTER (WHERE what = 'joined'), 0)::bigint AS joined,"                                        \
	" coalesce(sum(n) FILTER (WHERE what = 'unsubscribed'), 0)::bigint AS unsubscribed,"                           \
	" coalesce(sum(n) FILTER (WHERE what = 'complained'), 0)::bigint AS complained,"                               \
	" coalesce(sum(n) FILTER (WHERE what = 'disabled'), 0)::bigint AS disabled,"                                   \
	" coalesce(sum(n) FILTER (WHERE what = 'removed'), 0)::bigint AS removed"
#define EVENT_OF_LIST                                                                                                  \
	" LEFT JOIN campaign_reached h ON $1::bigint IS NOT NULL AND h.campaign_id = e.campaign_id"                    \
	" AND h.subscriber_id = e.subscriber_id WHERE e.kind IN ('bounce-hard', 'bounce-soft', 'complaint')"           \
	" AND NOT e.orphan AND " IS_NOT_VOID("e") " AND ($1::bigint IS NULL OR coalesce(h.list_id, c.list_id) = $1)"

static const struct fact_row facts[] = {
	[FACT_CAMPAIGNS] = { { "report_campaigns",
			       "SELECT c.name, l.name, c.started_at, c.state::text, coalesce(t.sent, 0),"
			       " coalesce(t.accepted, 0), coalesce(t.refused, 0), coalesce(t.expired, 0),"
			       " coalesce(t.hard, 0), coalesce(t.soft, 0), share(t.hard, t.accepted),"
			       " share(t.soft, t.accepted), coalesce(t.complained, 0), share(t.complained, "
			       "t.accepted),"
			       " u.people, share(u.people, t.accepted), coalesce(t.awaited, 0)"
			       " FROM report_campaign r JOIN campaign c ON c.id = r.id JOIN list l ON l.id = "
			       "c.list_id"
			       " LEFT JOIN (SELECT campaign_id, " SUMS " FROM report_copy WHERE part = 'c' GROUP BY 1)"
			       " AS t ON t.campaign_id = c.id"
			       " CROSS JOIN LATERAL (SELECT coalesce(sum(people), 0)::bigint AS people FROM "
			       "report_left"
			       " WHERE campaign_id = c.id) AS u ORDER BY c.started_at, c.id" },
			     "" },
	[FACT_LIST] = { { "report_list",
			  "SELECT l.name, l.title, l.created_at, coalesce(sum(m.people), 0)::bigint,"
			  " coalesce(sum(m.people) FILTER (WHERE m.state = 'active'), 0)::bigint,"
			  " coalesce(sum(m.people) FILTER (WHERE m.state = 'unconfirmed'), 0)::bigint,"
			  " coalesce(sum(m.people) FILTER (WHERE m.state = 'unsubscribed'), 0)::bigint,"
			  " coalesce(sum(m.people) FILTER (WHERE m.state = 'disabled'), 0)::bigint,"
			  " coalesce(sum(m.people) FILTER (WHERE m.state = 'removed'), 0)::bigint"
			  " FROM list l LEFT JOIN member_count m ON m.list_id = l.id WHERE l.id = $1 GROUP BY "
			  "l.id" },
			"l" },
	/* What a membership was before its state of now is not known. Weeks before the first member say nothing. */
	[FACT_GROWTH] = { { "report_growth",
			    "WITH " WEEKS ", moved AS (SELECT date_trunc('week', v.at) AS at, v.what, count(*) AS n"
			    " FROM membership m CROSS JOIN LATERAL (VALUES ('joined', m.joined_at),"
			    " (CASE WHEN m.state = 'unsubscribed' AND m.reason = 'complaint' THEN 'complained'"
			    " WHEN m.state IN ('unsubscribed', 'disabled', 'removed') THEN m.state::text END, "
			    "m.since))"
			    " AS v(what, at) WHERE m.list_id = $1 AND v.what IS NOT NULL GROUP BY 1, 2)"
			    " SELECT at, joined, unsubscribed, complained, disabled, removed,"
			    " joined - unsubscribed - complained - disabled - removed"
			    " FROM (SELECT weeks.at, " MOVES " FROM weeks LEFT JOIN moved USING (at) GROUP BY 1) AS w"
			    " WHERE at >= (SELECT min(at) FROM moved) ORDER BY 1" },
			  "ls" },
	[FACT_WHERE] = { { "report_where",
			   "SELECT x.why, l.name, c.name, c.started_at, x.copies, share(x.copies, t.sent)"
			   " FROM (SELECT campaign_id, why, sum(copies)::bigint AS copies FROM (SELECT *, " WHY
			   " AS why FROM report_copy WHERE part = 'c') AS r WHERE why IS NOT NULL GROUP BY 1, 2) "
			   "AS x"
			   " JOIN (SELECT campaign_id, sum(copies) FILTER (WHERE is_copy(outcome)) AS sent"
			   "  FROM report_copy WHERE part = 'c' GROUP BY 1) AS t USING (campaign_id)"
			   " JOIN campaign c ON c.id = x.campaign_id JOIN list l ON l.id = c.list_id"
			   " ORDER BY x.copies DESC, 1, c.id" },
			 "" },
	[FACT_EXAMPLES] = { { "report_examples",
			      "SELECT reason, kind::text, diagnostic, reporting_mta, received_at FROM (SELECT DISTINCT "
			      "ON"
			      " (e.reason) e.reason, e.kind, e.diagnostic, e.reporting_mta, e.received_at"
			      " FROM bounce_event e JOIN campaign c ON c.id = e.campaign_id" EVENT_OF_LIST
			      " AND e.campaign_id = ANY (ARRAY(SELECT id FROM report_campaign))"
			      " ORDER BY e.reason, e.received_at DESC, e.id DESC) AS x ORDER BY 1" },
			    "l" },
	[FACT_US] = { { "report_us", "SELECT t.why, t.operator, " BACK " FROM (SELECT why, operator, " SUMS
				     " FROM (SELECT *, " WHY " AS why" BY_DOMAIN ") AS x WHERE why = ANY ($1::text[])"
				     " GROUP BY 1, 2) AS t ORDER BY t.copies DESC, 1, 2" },
		      "u" },
	/* By the day on which campaigns began, so that a share is of the copies that it is about. */
	[FACT_US_DAYS] = { { "report_us_days",
			     "SELECT at, sent, about_us, share(about_us, sent) FROM (SELECT date_trunc('day', "
			     "c.started_at) AS at,"
			     " coalesce(sum(copies) FILTER (WHERE is_copy(outcome)), 0)::bigint AS sent,"
			     " coalesce(sum(copies) FILTER (WHERE why = ANY ($1::text[])), 0)::bigint AS about_us"
			     " FROM (SELECT *, " WHY " AS why FROM report_copy WHERE part = 'c') AS r"
			     " JOIN campaign c ON c.id = r.campaign_id GROUP BY 1) AS x ORDER BY 1" },
			   "u" },
	[FACT_TROUBLE] = { { "report_trouble",
			     "SELECT * FROM (SELECT 'relay' AS what, relay AS name, CASE WHEN is_everywhere THEN "
			     "'left "
			     "alone'"
			     " ELSE 'left alone by some' END AS how, reason, since, retry_at AS until"
			     " FROM relay_troubles($1::integer) UNION ALL"
			     " SELECT 'destination', key, 'closed', reason, NULL, closed_until FROM budget"
			     " WHERE closed_until > now() UNION ALL"
			     " SELECT 'destination', b.key, 'slowed down', b.reason, b.cut_at, NULL FROM budget b"
			     " LEFT JOIN budget_limit l ON l.key = b.key WHERE b.cut_at IS NOT NULL"
			     " AND budget_rate(b, l.rate, now()) IS DISTINCT FROM l.rate UNION ALL"
			     " SELECT 'group', h.group_name, 'held in ' || c.name, h.reason, h.held_at, NULL"
			     " FROM campaign_group_hold h JOIN campaign c ON c.id = h.campaign_id"
			     " WHERE c.state IN ('running', 'paused') UNION ALL"
			     " SELECT 'storm', group_name, 'bounces held: storm ' || id, reason, since, until FROM "
			     "storm"
			     " WHERE state = 'holding' UNION ALL"
			     " SELECT 'campaign', name, 'paused', hold_reason, NULL, NULL FROM campaign"
			     " WHERE state = 'paused') AS t ORDER BY since NULLS LAST, what, name" },
			   "a" },
};

const struct fact_row *report_fact_of_many(enum report_fact fact)
{
	return &facts[fact];
}
static_assert(ARRAY_LEN(facts) == FACT_COUNT, "the last fact has its row");
