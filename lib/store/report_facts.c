#include "store/report_facts.h"

#include <assert.h>
#include <string.h>

#include "mail/reason.h"
#include "store/report_facts_private.h"
#include "store/workers.h"

/* ---- one campaign, or all together ---- */

/* t: all sums; o: how many of the reports that come at all have come, if they come as late as they did; u: who unsubscribed. */
#define TOGETHER(window)                                                                                               \
	" FROM (SELECT " SUMS " FROM report_copy WHERE part = 'c') AS t CROSS JOIN (SELECT"                            \
	" CASE WHEN bool_or(f IS NULL) THEN NULL ELSE share(sum(n * f), sum(n)) END AS reports_in"                     \
	" FROM (SELECT s.n, CASE WHEN s.slot < now() - " window " * interval '1 microsecond' THEN 1"                   \
	" WHEN d.reports >= 100 THEN width_bucket(extract(epoch FROM greatest(now() - s.slot, '0'))::float8,"          \
	" d.percentiles) / 100.0 END AS f FROM (SELECT slot, sum(copies) AS n FROM report_copy WHERE part = 't'"       \
	" AND outcome = 'accepted' GROUP BY 1) AS s CROSS JOIN report_delay d) AS y) AS o"                             \
	" CROSS JOIN (SELECT coalesce(sum(people), 0)::bigint AS people FROM report_left) AS u"
#define RATES                                                                                                          \
	"t.hard, t.soft, share(t.hard + t.soft, t.accepted), t.complained, share(t.complained, t.accepted), u.people," \
	" share(u.people, t.accepted), t.awaited, o.reports_in"

/* Steps of time, of which none is missing, such that so many of them hold nearly all. */
#define STEPS(steps, most_steps)                                                                                       \
	"t AS (SELECT slot, sum(copies) AS n FROM report_copy WHERE part = 't' GROUP BY 1),"                           \
	" b AS (SELECT min(slot) AS first, max(slot) AS last, min(slot) FILTER (WHERE upto >= 0.98 * whole) AS most"   \
	"  FROM (SELECT slot, sum(n) OVER (ORDER BY slot) AS upto, sum(n) OVER () AS whole FROM t) AS x),"             \
	" s AS (SELECT b.*, (SELECT coalesce(min(i), '28 days') FROM unnest(ARRAY[" steps "]::interval[]) AS i"        \
	"  WHERE b.first + " most_steps " * i >= b.most) AS step FROM b),"                                             \
	" e AS (SELECT step, date_bin(step, first, 'epoch') AS first, date_bin(step, last, 'epoch') AS last FROM s),"  \
	" steps AS (SELECT g AS at FROM e CROSS JOIN LATERAL generate_series(first,"                                   \
	"  least(last, first + (" most_steps " + 7) * step), step) AS g),"                                             \
	" placed AS (SELECT least(date_bin(e.step, c.slot, 'epoch'), (SELECT max(at) FROM steps)) AS at, c.*"          \
	"  FROM report_copy c CROSS JOIN e WHERE c.part = 't'),"                                                       \
	" summed AS (SELECT steps.at, " SUMS " FROM steps LEFT JOIN placed USING (at) GROUP BY 1)"
#define MINUTES                                                                                                        \
	"'10 seconds', '30 seconds', '1 minute', '2 minutes', '5 minutes', '10 minutes', '30 minutes', '1 hour',"      \
	" '3 hours', '6 hours', '1 day'"
#define DAYS "'1 day', '7 days'"

static const struct fact_row facts[] = {
	[FACT_SNAPSHOT] = { { "report_snapshot", "SELECT now()" }, "" },
	[FACT_CAMPAIGN] = { { "report_campaign_row",
			      "SELECT c.name, (SELECT string_agg(l.name, ' ' ORDER BY x.place) FROM campaign_target x"
			      " JOIN list l ON l.id = x.list_id WHERE x.campaign_id = c.id), c.subject,"
			      " c.state::text, c.started_at, c.ended_at, c.audience, t.sent, t.accepted, " RATES
				  TOGETHER("$2") " JOIN campaign c ON c.id = $1" },
			    "cw" },
	[FACT_TOTALS] = { { "report_totals", "SELECT (SELECT count(*) FROM report_campaign), t.sent, t.accepted,"
					     " t.refused, t.expired, t.skipped, " RATES TOGETHER("$1") },
			  "w" },
	[FACT_PLACES] = { { "report_places",
			    "SELECT p.place, p.people, share(p.people, c.audience) FROM (SELECT o::text AS place,"
			    " coalesce(sum(r.copies), 0)::bigint AS people FROM"
			    " unnest(enum_range(NULL::delivery_outcome)) AS o"
			    " LEFT JOIN report_copy r ON r.part = 'c' AND r.outcome = o GROUP BY o"
			    " UNION ALL SELECT place, people FROM report_place) AS p JOIN campaign c ON c.id = $1"
			    " ORDER BY array_position(ARRAY['accepted', 'refused', 'expired', 'skipped',"
			    " 'in_doubt', 'deferred', 'pending'], p.place)" },
			  "c" },
	[FACT_TIME] = { { "report_time", "WITH " STEPS(MINUTES, "40") " SELECT at, accepted, refused, expired, skipped"
								      " FROM summed ORDER BY 1" },
			"" },
	[FACT_DAYS] = { { "report_days", "WITH " STEPS(DAYS, "100") " SELECT at, accepted, refused, expired, skipped,"
								    " hard, soft FROM summed ORDER BY 1" },
			"" },
	[FACT_LATE] = { { "report_late",
			  "SELECT name, hard, soft, share(sum(hard + soft) OVER (ORDER BY n), sum(hard + soft) OVER ())"
			  " FROM (SELECT n, name, " SUMS " FROM unnest(ARRAY['1 minute', '10 minutes', '1 hour',"
			  " '4 hours', '1 day', '2 days', '4 days', '7 days', 'later']) WITH ORDINALITY AS b(name, n)"
			  " LEFT JOIN report_copy ON part = 'c' AND outcome = 'accepted' AND late = n - 1"
			  " GROUP BY 1, 2) AS x ORDER BY n" },
			"" },
	[FACT_REASONS] = { { "report_reasons",
			     "SELECT t.why, t.why = ANY ($1::text[]), " BACK ", share(t.copies, (SELECT sum(copies)"
			     " FROM report_copy WHERE part = 'c' AND is_copy(outcome))) FROM (SELECT why, " SUMS
			     " FROM (SELECT *, " WHY " AS why FROM report_copy WHERE part = 'c') AS r"
			     " WHERE why IS NOT NULL GROUP BY 1) AS t ORDER BY t.copies DESC, 1" },
			   "u" },
	[FACT_OPERATORS] = { { "report_operators",
			       "SELECT t.operator, " MEASURES " FROM (SELECT operator, " SUMS BY_DOMAIN
			       " GROUP BY 1) AS t ORDER BY t.sent DESC, 1" },
			     "" },
	[FACT_DOMAINS] = { { "report_domains_each", "SELECT t.domain, " MEASURES " FROM (SELECT domain, " SUMS BY_DOMAIN
						    " GROUP BY 1) AS t ORDER BY t.sent DESC, 1" },
			   "" },
	[FACT_RELAYS] = { { "report_relays", "SELECT t.relay, " MEASURES " FROM (SELECT relay, " SUMS
					     " FROM report_copy WHERE part = 'c' AND is_copy(outcome) GROUP BY 1) AS t"
					     " ORDER BY t.sent DESC, 1" },
			  "" },
	/* One in ten thousand of all: of fewer copies a single late one would stand first. */
	[FACT_SLOWEST] = { { "report_slowest",
			     "SELECT t.domain, t.accepted, t.retried, t.deferred_minutes, t.mean_minutes,"
			     " t.longest_minutes FROM (SELECT domain, " SUMS
			     " FROM report_copy WHERE part = 'd' AND domain <> '' GROUP BY 1) AS t"
			     " WHERE t.accepted > 0 AND t.accepted >= (SELECT sum(copies) / 10000 FROM report_copy"
			     " WHERE part = 'c' AND outcome = 'accepted') ORDER BY t.mean_minutes DESC, 1 LIMIT 15" },
			   "" },
	[FACT_VARIANTS] = { { "report_variants",
			      "WITH v AS (SELECT position AS n, share, subject FROM campaign_variant"
			      " WHERE campaign_id = $1 UNION ALL SELECT 0, 10000, NULL"
			      " WHERE NOT EXISTS (SELECT FROM campaign_variant WHERE campaign_id = $1))"
			      " SELECT CASE WHEN v.n > 0 THEN chr(64 + v.n) END, v.share / 100.0::float8,"
			      " coalesce(v.subject, c.subject), t.sent, t.accepted, t.refused, t.expired,"
			      " t.hard + t.soft, t.complained,"
			      " coalesce((SELECT sum(people) FROM report_left WHERE variant = v.n), 0)::bigint"
			      " FROM v JOIN campaign c ON c.id = $1 CROSS JOIN LATERAL (SELECT " SUMS
			      " FROM report_copy WHERE part = 'c' AND variant = v.n) AS t ORDER BY v.n" },
			    "c" },
};

/* ---- asking ---- */

static const struct fact_row *row_of(enum report_fact fact)
{
	return fact < ARRAY_LEN(facts) && facts[fact].statement.sql != NULL ? &facts[fact] : report_fact_of_many(fact);
}

static void add_reasons_about_us(struct db_array *words)
{
	for (enum bounce_reason reason = 0; reason < REASON_COUNT; reason++) {
		if (reason_is_about_us(reason))
			db_array_add_bytes(words, view_of(reason_name(reason)));
	}
}

enum err report_facts_read(struct db *db, enum report_fact fact, const struct report_scope *scope,
			   struct db_rows **ret_rows, struct buf *why)
{
	enum { MOST_VALUES = 4 };
	const struct fact_row *row = row_of(fact);
	struct db_value values[MOST_VALUES];
	size_t count = 0;
	AUTO_DB_ARRAY about_us = db_array_of(DB_TEXT);
	add_reasons_about_us(&about_us);
	for (const char *letter = row->takes; *letter != '\0'; letter++) {
		struct db_value value = db_null();
		switch (*letter) {
		case 'c':
			value = db_int((int64_t)scope->campaign_id);
			break;
		case 'l':
			value = db_id_or_null(scope->list_id);
			break;
		case 's':
			value = scope->since_us == 0 ? db_null() : db_time(scope->since_us);
			break;
		case 'a':
			value = db_int(WORKERS_ALIVE_S);
			break;
		case 'w':
			value = db_int(scope->window_us);
			break;
		default:
			value = db_values(&about_us);
			break;
		}
		values[count++] = value;
	}
	return db_run(db, &row->statement, values, count, ret_rows, why);
}
