#include "store/report_copies.h"

#include <assert.h>

#include "store/standings.h"
#include "store/storm_sql.h"

enum statement {
	TABLE_CAMPAIGN,
	TABLE_COPY,
	TABLE_PLACE,
	TABLE_LEFT,
	TABLE_DELAY,
	MEMORY,
	EMPTY_CAMPAIGN,
	EMPTY_COPY,
	EMPTY_PLACE,
	EMPTY_LEFT,
	EMPTY_DELAY,
	DOMAINS,
	CHOOSE,
	EXTENT,
	COUNT,
	OPEN_PLACE,
	LEFT,
	DELAYS,
	STATEMENT_COUNT
};

#define TABLE(name, columns) "CREATE TEMPORARY TABLE IF NOT EXISTS " name " (" columns ")"

/* Of people $3 to $4: reports about copies of the campaigns, one a copy. */
#define CAME                                                                                                           \
	"came AS MATERIALIZED (SELECT DISTINCT ON (e.campaign_id, e.subscriber_id) e.campaign_id, e.subscriber_id,"    \
	" e.kind, e.reason, e.received_at, bool_or(e.kind = 'complaint')"                                              \
	" OVER (PARTITION BY e.campaign_id, e.subscriber_id) AS complained FROM bounce_event e"                        \
	" WHERE e.campaign_id = ANY ($1::bigint[]) AND e.subscriber_id BETWEEN $3 AND $4"                              \
	" AND e.kind IN ('bounce-hard', 'bounce-soft', 'complaint') AND NOT e.orphan AND " IS_NOT_VOID(                \
	    "e") " ORDER BY e.campaign_id, e.subscriber_id, array_position(ARRAY['bounce-hard', 'complaint',"          \
		 " 'bounce-soft']::bounce_kind[], e.kind), e.received_at)"

static const struct db_statement statements[] = {
	[TABLE_CAMPAIGN] = { "report_table_campaign", TABLE("report_campaign", "id bigint, started_at timestamptz") },
	/* part: what its rows are summed by. 'c': campaign, end and report; 'd': domain; 't': time. What it is not summed by is null. */
	[TABLE_COPY] = { "report_table_copy",
			 TABLE("report_copy",
			       "part text, campaign_id bigint, variant smallint, domain text COLLATE \"C\","
			       " slot timestamptz, outcome delivery_outcome, reason text, kind bounce_kind, came text,"
			       " late integer, is_open boolean, relay text, copies bigint, complaints bigint, retried "
			       "bigint, timed bigint,"
			       " deferred float8,"
			       " waited float8, longest float8") },
	[TABLE_PLACE] = { "report_table_place", TABLE("report_place", "place text, people bigint") },
	[TABLE_LEFT] = { "report_table_left",
			 TABLE("report_left", "campaign_id bigint, variant bigint, people bigint") },
	[TABLE_DELAY] = { "report_table_delay", TABLE("report_delay", "percentiles float8[], reports bigint") },
	[MEMORY] = { "report_memory", "SELECT set_config('work_mem', '64MB', true), set_config('jit', 'off', true)" },
	[EMPTY_CAMPAIGN] = { "report_empty_campaign", "DELETE FROM report_campaign" },
	[EMPTY_COPY] = { "report_empty_copy", "DELETE FROM report_copy" },
	[EMPTY_PLACE] = { "report_empty_place", "DELETE FROM report_place" },
	[EMPTY_LEFT] = { "report_empty_left", "DELETE FROM report_left" },
	[EMPTY_DELAY] = { "report_empty_delay", "DELETE FROM report_delay" },
	/* A group's domains; else the name itself, if it is the domain of anybody. */
	[DOMAINS] = { "report_domains",
		      "SELECT d.domain FROM domain_group g JOIN domain_group_domain d ON d.group_id = g.id"
		      " WHERE g.name = $1 UNION ALL SELECT $1 WHERE NOT EXISTS (SELECT FROM domain_group WHERE name = "
		      "$1)"
		      " AND EXISTS (SELECT FROM subscriber WHERE split_part(address_key, '@', 2) = $1)" },
	[CHOOSE] = { "report_choose",
		     "INSERT INTO report_campaign SELECT c.id, c.started_at FROM campaign c"
		     " WHERE c.started_at IS NOT NULL AND ($1::bigint IS NULL OR c.id = $1)"
		     " AND ($2::bigint IS NULL OR c.id IN (SELECT campaign_id FROM campaign_target WHERE list_id = $2))"
		     " AND ($3::timestamptz IS NULL OR c.started_at >= $3)"
		     " AND NOT EXISTS (SELECT FROM campaign_past p WHERE p.campaign_id = c.id) RETURNING id" },
	/* The last id, and about how many rows there are to read. */
	[EXTENT] = { "report_extent", "SELECT greatest((SELECT max(id) FROM subscriber), 1),"
				      " (SELECT coalesce(sum(c.audience), 0)::bigint FROM campaign c"
				      "  JOIN report_campaign USING (id))" },
	/* $2 the list or null, $5 the domains or null, $6 the window in microseconds, $7 how many seconds a slot of time has. A copy waited from the
	 * start of its campaign to its end, and was deferred from its first attempt to its last. */
	[COUNT] = { "report_count",
		    "INSERT INTO report_copy WITH " CAME
		    " SELECT CASE WHEN grouping(domain) = 0 THEN 'd' WHEN grouping(slot) = 0 THEN 't' ELSE 'c' END,"
		    " campaign_id, variant, domain, slot, outcome, reason, kind, came, late, is_open, relay, count(*),"
		    " count(*) FILTER (WHERE complained), count(*) FILTER (WHERE attempts > 1), count(deferred),"
		    " sum(deferred), sum(waited), max(waited)"
		    " FROM (SELECT d.campaign_id, coalesce(d.variant, 0) AS variant,"
		    "  coalesce(split_part(s.address_key, '@', 2), '') AS domain,"
		    "  date_bin($7 * interval '1 second', d.at, 'epoch') AS slot, d.outcome, d.reason, came.kind,"
		    "  came.reason AS came, width_bucket(extract(epoch FROM came.received_at - d.at)::float8,"
		    "  ARRAY[60, 600, 3600, 14400, 86400, 172800, 345600, 604800]::float8[]) AS late,"
		    "  d.at >= now() - $6 * interval '1 microsecond' AS is_open, d.relay, came.complained,"
		    "  d.attempts, CASE WHEN d.first_at IS NOT NULL THEN"
		    "  extract(epoch FROM greatest(d.at - d.first_at, '0'))::float8 END AS deferred,"
		    "  extract(epoch FROM greatest(d.at - c.started_at, '0'))::float8 AS waited"
		    "  FROM delivery d JOIN report_campaign r ON r.id = d.campaign_id JOIN campaign c ON c.id = r.id"
		    "  LEFT JOIN campaign_reached h ON $2::bigint IS NOT NULL AND h.campaign_id = d.campaign_id"
		    "   AND h.subscriber_id = d.subscriber_id"
		    "  LEFT JOIN came ON came.campaign_id = d.campaign_id AND came.subscriber_id = d.subscriber_id"
		    "  LEFT JOIN subscriber s ON s.id = d.subscriber_id AND s.id BETWEEN $3 AND $4"
		    "  WHERE d.campaign_id = ANY ($1::bigint[]) AND d.subscriber_id BETWEEN $3 AND $4"
		    "  AND ($2::bigint IS NULL OR coalesce(h.list_id, c.list_id) = $2)"
		    "  AND ($5::text[] IS NULL OR split_part(s.address_key, '@', 2) = ANY ($5::text[]))) AS x"
		    " GROUP BY GROUPING SETS ((campaign_id, variant, outcome, reason, kind, came, late, is_open, "
		    "relay),"
		    " (domain, outcome, reason, kind, came), (slot, outcome, reason, kind, came))" },
	[OPEN_PLACE] = { "report_open_place", "INSERT INTO report_place VALUES ($1, $2)" },
	/* Who unsubscribed belongs to the newest campaign that the list had then, if he got it. Asked of lists as they are now. */
	[LEFT] = { "report_left",
		   "INSERT INTO report_left WITH span AS MATERIALIZED (SELECT * FROM (SELECT t.list_id, c.id,"
		   " c.started_at, lead(c.started_at, 1, 'infinity') OVER (PARTITION BY t.list_id"
		   " ORDER BY c.started_at, c.id) AS until FROM campaign_target t JOIN campaign c ON c.id = "
		   "t.campaign_id"
		   " WHERE c.started_at IS NOT NULL) AS s WHERE id = ANY ($1::bigint[])"
		   " AND ($2::bigint IS NULL OR list_id = $2))"
		   " SELECT d.campaign_id, coalesce(d.variant, 0), count(*) FROM membership m JOIN span s"
		   " ON s.list_id = m.list_id AND m.since >= s.started_at AND m.since <= s.until"
		   " JOIN campaign c ON c.id = s.id"
		   " CROSS JOIN LATERAL (SELECT * FROM delivery e WHERE e.campaign_id = s.id"
		   "  AND e.subscriber_id = m.subscriber_id AND e.outcome = 'accepted' AND e.at <= m.since OFFSET 0) "
		   "AS d"
		   " LEFT JOIN campaign_reached h ON h.campaign_id = s.id AND h.subscriber_id = m.subscriber_id"
		   " LEFT JOIN subscriber p ON p.id = m.subscriber_id"
		   " WHERE m.list_id = ANY (ARRAY(SELECT list_id FROM span)) AND m.state = 'unsubscribed'"
		   " AND m.reason <> 'complaint' AND coalesce(h.list_id, c.list_id) = m.list_id"
		   " AND ($3::text[] IS NULL OR split_part(p.address_key, '@', 2) = ANY ($3::text[])) GROUP BY 1, 2" },
	/* How late reports come: of the newest 2,000 about copies whose window has passed since. */
	[DELAYS] = { "report_delays",
		     "INSERT INTO report_delay SELECT percentile_cont(ARRAY(SELECT n / 100.0 FROM generate_series(1, "
		     "100) "
		     "AS n))"
		     " WITHIN GROUP (ORDER BY extract(epoch FROM e.received_at - d.at)::float8), count(*)"
		     " FROM (SELECT campaign_id, subscriber_id, received_at FROM bounce_event"
		     "  WHERE received_at < now() - $1 * interval '1 microsecond' AND source <> 'reply'"
		     "  AND kind IN ('bounce-hard', 'bounce-soft') AND NOT orphan AND NOT voided"
		     "  ORDER BY received_at DESC LIMIT 2000) AS e"
		     " CROSS JOIN LATERAL (SELECT at FROM delivery WHERE campaign_id = e.campaign_id"
		     "  AND subscriber_id = e.subscriber_id AND outcome = 'accepted' OFFSET 0) AS d" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

static enum err run_each(struct db *db, enum statement first, enum statement last, struct buf *why)
{
	enum err err = ERR_OK;
	for (enum statement i = first; err == ERR_OK && i <= last; i++)
		err = db_run(db, &statements[i], NULL, 0, NULL, why);
	return err;
}

enum err report_copies_prepare(struct db *db, struct buf *why)
{
	return run_each(db, TABLE_CAMPAIGN, TABLE_DELAY, why);
}

/* ---- which ---- */

/* What a pass is over. Arrays that are not asked for stay empty. */
struct pass {
	const struct report_scope *scope;
	struct db_array campaigns, domains;
	int64_t last_id, step;
};

static enum err find_domains(struct db *db, struct pass *pass, struct buf *why)
{
	const struct db_value name = db_text(pass->scope->group);
	AUTO_DB_ROWS *rows = NULL;
	enum err err = pass->scope->group.len == 0 ? ERR_OK : db_run(db, &statements[DOMAINS], &name, 1, &rows, why);
	if (err != ERR_OK || rows == NULL)
		return err;
	for (size_t i = 0; i < db_row_count(rows); i++)
		db_array_add_bytes(&pass->domains, db_get_text(rows, i, 0));
	if (pass->domains.count > 0)
		return ERR_OK;
	buf_addf(why,
		 "there is no domain group " VIEW_FMT ", and nobody has an address at such a domain; `listctl group "
		 "ls` shows the groups",
		 VIEW_ARG(pass->scope->group));
	return ERR_NOT_FOUND;
}

static enum err choose(struct db *db, struct pass *pass, struct buf *why)
{
	enum { ROWS_A_PORTION = 100000 };
	const struct report_scope *scope = pass->scope;
	const struct db_value values[] = { db_id_or_null(scope->campaign_id), db_id_or_null(scope->list_id),
					   scope->since_us == 0 ? db_null() : db_time(scope->since_us) };
	AUTO_DB_ROWS *chosen = NULL, *extent = NULL;
	enum err err = find_domains(db, pass, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[CHOOSE], values, ARRAY_LEN(values), &chosen, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[EXTENT], NULL, 0, &extent, why);
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < db_row_count(chosen); i++)
		db_array_add_int(&pass->campaigns, db_get_int(chosen, i, 0));
	pass->last_id = db_get_int(extent, 0, 0);
	pass->step = pass->last_id / (db_get_int(extent, 0, 1) / ROWS_A_PORTION + 1) + 1;
	return ERR_OK;
}

/* ---- counting ---- */

static struct db_value domains_of(const struct pass *pass)
{
	return pass->domains.count == 0 ? db_null() : db_values(&pass->domains);
}

static enum err count(struct db *db, const struct pass *pass, report_progress *progress, void *user, struct buf *why)
{
	enum { DAY_S = 86400 };
	const struct report_scope *scope = pass->scope;
	struct db_value values[] = { db_values(&pass->campaigns),
				     db_id_or_null(scope->list_id),
				     db_null(),
				     db_null(),
				     domains_of(pass),
				     db_int(scope->window_us),
				     db_int(scope->campaign_id == 0 ? DAY_S : 10) };
	enum err err = ERR_OK;
	for (int64_t first = 0; err == ERR_OK && pass->campaigns.count > 0 && first <= pass->last_id;
	     first += pass->step) {
		progress(user, (uint64_t)first, (uint64_t)pass->last_id);
		values[2] = db_int(first);
		/* The last portion has those too who are gone. */
		values[3] = db_int(first + pass->step <= pass->last_id ? first + pass->step - 1 : INT64_MAX);
		err = db_run(db, &statements[COUNT], values, ARRAY_LEN(values), NULL, why);
	}
	return err;
}

/* Where recipients without a ledger row are. */
static enum err count_open(struct db *db, uint64_t campaign_id, struct buf *why)
{
	static const enum standing_place open[] = { PLACE_IN_DOUBT, PLACE_DEFERRED, PLACE_PENDING };
	struct standing standing;
	enum err err = standings_open(db, campaign_id, &standing, why);
	for (size_t i = 0; err == ERR_OK && i < ARRAY_LEN(open); i++) {
		const struct db_value values[] = { db_text(view_of(standing_place_name(open[i]))),
						   db_int(standing.count[open[i]]) };
		err = db_run(db, &statements[OPEN_PLACE], values, ARRAY_LEN(values), NULL, why);
	}
	return err;
}

static enum err collect(struct db *db, struct pass *pass, report_progress *progress, void *user, struct buf *why)
{
	enum err err = run_each(db, MEMORY, EMPTY_DELAY, why);
	if (err == ERR_OK)
		err = choose(db, pass, why);
	if (err == ERR_OK)
		err = count(db, pass, progress, user, why);
	if (err == ERR_OK && pass->scope->campaign_id != 0)
		err = count_open(db, pass->scope->campaign_id, why);
	const struct db_value left[] = { db_values(&pass->campaigns), db_id_or_null(pass->scope->list_id),
					 domains_of(pass) };
	if (err == ERR_OK)
		err = db_run(db, &statements[LEFT], left, ARRAY_LEN(left), NULL, why);
	const struct db_value window = db_int(pass->scope->window_us);
	return err == ERR_OK ? db_run(db, &statements[DELAYS], &window, 1, NULL, why) : err;
}

enum err report_copies_collect(struct db *db, const struct report_scope *scope, report_progress *progress, void *user,
			       struct buf *why)
{
	struct pass pass = { .scope = scope, .campaigns = db_array_of(DB_INT), .domains = db_array_of(DB_TEXT) };
	enum err err = collect(db, &pass, progress, user, why);
	db_array_done(&pass.campaigns);
	db_array_done(&pass.domains);
	return err;
}
