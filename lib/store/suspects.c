#include "store/suspects.h"

#include <assert.h>

enum statement { MEMORY, EXTENT, RICH, SIEVE, HISTORY, STATEMENT_COUNT };

/* HISTORY, of people $2 to $3. A filter that lets everyone pass whom any list's policy condemns: of the failures that count, as many as the least patient of
 * the reasons asks for, as far apart as the least patient asks for. Successes only ever acquit, so it is asked three times, each time of
 * fewer people: of what came back alone; with the time each attempt was made (the ledger); and since a success in one of the newest campaigns,
 * which is where somebody who receives has one. What was before that is left out.
 *
 * Of who is left all successes since the first failure are read: by the key of each campaign, or, where that would be more look-ups than
 * the ledger has rows of these people ($9), in one go. The columns are those of verdicts_history. NOT IN, of what is never null: the planner believes
 * that few are left, and would go through all failures for each. */
#define PASSES                                                                                                         \
	"count(failures) >= min(failures) AND max(f.at) FILTER (WHERE failures > 0)"                                   \
	" - min(f.at) FILTER (WHERE failures > 0) >= min(days) * interval '1 day'"
#define CAME                                                                                                           \
	"came AS (SELECT subscriber_id AS who, campaign_id, source, e.reason, voided, received_at, "                   \
	"recipient, sent_at,"                                                                                          \
	" judged_at IS NOT NULL AND NOT voided AS known, failures, days"                                               \
	" FROM failure_report e LEFT JOIN unnest($4::text[], $5::bigint[], $6::bigint[], $7::boolean[])"               \
	" AS p(reason, failures, days, from_relay)"                                                                    \
	" ON p.reason = e.reason AND NOT voided AND (source <> 'reply' OR from_relay)"                                 \
	" WHERE coalesce(subscriber_id = ANY ($11), true) AND subscriber_id BETWEEN $2 AND $3),"                       \
	" many AS (SELECT who FROM came GROUP BY 1"                                                                    \
	" HAVING count(failures) >= min(failures) AND bool_or(known) ORDER BY 1)"
#define BEGAN                                                                                                          \
	"began AS MATERIALIZED (SELECT many.who, b.*, s.* FROM many CROSS JOIN LATERAL ("                              \
	"SELECT array_agg(list_id ORDER BY list_id) AS lists, bool_or($1::bigint IS NULL OR list_id = $1) AS here,"    \
	" array_agg(list_id ORDER BY list_id) FILTER (WHERE state = 'active') AS active,"                              \
	" coalesce(max(since) FILTER (WHERE reason = 'undo'), '-infinity') AS since"                                   \
	" FROM membership WHERE subscriber_id = many.who"                                                              \
	" AND state::text = ANY ($10) OFFSET 0) AS b"                                                                  \
	" CROSS JOIN LATERAL (SELECT address_key, address_since FROM subscriber"                                       \
	" WHERE id = many.who OFFSET 0) AS s WHERE b.here)"
#define LOOKED_UP(campaign, person)                                                                                    \
	" CROSS JOIN LATERAL (SELECT at, outcome FROM delivery"                                                        \
	" WHERE campaign_id = " campaign " AND subscriber_id = " person " OFFSET 0) AS d"
/* The ledger knows when an attempt was, or what is kept of it knows it. */
#define FAILED                                                                                                         \
	"failed AS (SELECT came.*, d.at, lists, active FROM began b JOIN came USING (who)"                             \
	" CROSS JOIN attempt_of(came.campaign_id, came.who, sent_at) AS d"                                             \
	" WHERE d.outcome IN ('accepted', 'refused') AND d.at >= b.since"                                              \
	" AND NOT is_of_former_address(d.at, came.recipient, b.address_key, b.address_since)),"                        \
	" grave AS (SELECT f.who, min(f.at) AS at FROM failed f GROUP BY 1 HAVING " PASSES ")"
#define NEWEST                                                                                                         \
	"newer AS MATERIALIZED (SELECT * FROM (SELECT id, list_id, started_at, ended_at, row_number()"                 \
	" OVER (PARTITION BY list_id ORDER BY started_at DESC) AS n FROM campaign_sent) AS c"                          \
	" WHERE n <= 20 ORDER BY started_at DESC),"                                                                    \
	" newest AS MATERIALIZED (SELECT g.who, n.at FROM (SELECT * FROM grave"                                        \
	" WHERE (SELECT count(*) FROM grave) * 20 < $9::bigint) AS g CROSS JOIN LATERAL ("                             \
	"SELECT d.at FROM newer c JOIN membership m ON m.list_id = c.list_id"                                          \
	" AND m.subscriber_id = g.who AND (c.ended_at IS NULL OR c.ended_at >= g.at - interval '1 day')" LOOKED_UP(    \
	    "c.id", "g.who") " WHERE d.outcome = 'accepted' AND d.at <= $8 AND NOT EXISTS (SELECT FROM bounce_event b" \
			     " WHERE b.campaign_id = c.id AND b.subscriber_id = g.who) LIMIT 1) AS n)"
#define STAYING                                                                                                        \
	"stay AS (SELECT f.who, min(f.at) AS at FROM failed f JOIN grave USING (who)"                                  \
	" LEFT JOIN newest n USING (who) WHERE n.at IS NULL OR f.at >= n.at GROUP BY 1 HAVING " PASSES ")"
#define LATE                                                                                                           \
	"late AS (SELECT id, list_id FROM campaign_sent"                                                               \
	" WHERE (ended_at IS NULL OR ended_at >= (SELECT min(at) FROM stay) - interval '1 day'))"
#define LOOK_UPS "(SELECT count(*) FROM stay) * (SELECT count(*) FROM late)"
#define ACCEPTED                                                                                                       \
	"accepted AS (SELECT DISTINCT s.who, c.id AS campaign_id, d.at FROM stay s"                                    \
	" JOIN membership m ON m.subscriber_id = s.who JOIN late c ON c.list_id = m.list_id" LOOKED_UP(                \
	    "c.id",                                                                                                    \
	    "s.who") " WHERE " LOOK_UPS " <= $9 AND d.outcome = 'accepted' AND d.at >= s.at"                           \
		     " UNION ALL SELECT who, d.campaign_id, d.at FROM (SELECT *, subscriber_id AS who FROM delivery"   \
		     " WHERE campaign_id = ANY (ARRAY(SELECT id FROM late)) AND subscriber_id BETWEEN $2 AND $3"       \
		     " AND " LOOK_UPS " > $9 OFFSET 0) AS d"                                                           \
		     " JOIN stay s USING (who) WHERE d.outcome = 'accepted' AND d.at >= s.at"                          \
		     " UNION ALL SELECT who, campaign_id, sent_at FROM stay s"                                         \
		     " JOIN past_success p ON p.subscriber_id = who WHERE sent_at >= s.at)"

static const struct db_statement statements[] = {
	[MEMORY] = { "suspects_memory", "SELECT set_config('work_mem', '64MB', true), set_config('jit', 'off', true)" },
	/* The last id, and how many events and ledger rows there are: the planner's numbers, which cost nothing. */
	[EXTENT] = { "suspects_extent",
		     "SELECT (SELECT max(subscriber_id) FROM membership), n.events, n.copies"
		     " FROM (SELECT coalesce(sum(p.reltuples) FILTER (WHERE i.inhparent = 'bounce_event'::regclass), "
		     "0)::bigint AS events,"
		     " coalesce(sum(p.reltuples) FILTER (WHERE i.inhparent = 'delivery'::regclass), 0)::bigint AS "
		     "copies"
		     " FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhrelid AND p.reltuples > 0"
		     " WHERE i.inhparent IN ('bounce_event'::regclass, 'delivery'::regclass)) AS n" },
	/* The campaigns about which much came back ($1 to $2 of $3 people: a quarter of the audience), how much it is, and about all. A row of the
	 * ledger by its key costs as much as several that are read in one go. */
	[RICH] = { "suspects_rich",
		   "SELECT array_agg(id) FILTER (WHERE is_rich), coalesce(sum(n) FILTER (WHERE is_rich), 0)::bigint,"
		   " coalesce(sum(n), 0)::bigint FROM (SELECT id, n,"
		   " n * 4 > audience * ($2::bigint - $1::bigint + 1)::float8 / $3::bigint AS is_rich"
		   " FROM (SELECT id, audience, (SELECT count(*) FROM bounce_event"
		   " WHERE campaign_id = c.id AND subscriber_id BETWEEN $1 AND $2) AS n"
		   " FROM campaign c WHERE started_at IS NOT NULL OFFSET 0) AS x) AS y" },
	/* Where these campaigns ($8) are nearly all, HISTORY is asked of those alone whose failures may be enough; what is of another campaign may have
	 * been at any time. FULL JOIN: joins of this kind alone never go through all of one side for each of the other, whatever the planner believes. */
	[SIEVE] = { "suspects_sieve",
		    "SELECT array_agg(who) FROM (SELECT who FROM (SELECT who, known, is_undated,"
		    " CASE WHEN is_undated OR d.at IS NOT NULL THEN failures END AS failures,"
		    " CASE WHEN is_undated OR d.at IS NOT NULL THEN days END AS days,"
		    " CASE WHEN failures > 0 THEN d.at END AS at FROM (SELECT subscriber_id AS who, campaign_id,"
		    " judged_at IS NOT NULL AND NOT voided AS known, failures, days,"
		    " failures > 0 AND (sent_at IS NOT NULL OR campaign_id <> ALL ($8::bigint[])) AS is_undated"
		    " FROM failure_report e LEFT JOIN unnest($4::text[], $5::bigint[], $6::bigint[], $7::boolean[])"
		    " AS p(reason, failures, days, from_relay)"
		    " ON p.reason = e.reason AND NOT voided AND (source <> 'reply' OR from_relay)"
		    " WHERE subscriber_id BETWEEN $2 AND $3) AS came FULL JOIN (SELECT campaign_id, subscriber_id AS "
		    "who, at"
		    " FROM delivery WHERE campaign_id = ANY ($8) AND subscriber_id BETWEEN $2 AND $3"
		    " AND outcome IN ('accepted', 'refused') OFFSET 0) AS d USING (campaign_id, who)) AS f GROUP BY 1"
		    " HAVING bool_or(known) AND count(failures) >= min(failures)"
		    " AND (bool_or(is_undated) OR max(at) - min(at) >= min(days) * interval '1 day')) AS x"
		    " WHERE EXISTS (SELECT FROM membership WHERE subscriber_id = who AND subscriber_id BETWEEN $2 AND "
		    "$3"
		    " AND state::text = ANY ($9)"
		    " AND ($1::bigint IS NULL OR list_id = $1))" },
	[HISTORY] = { "suspects_history",
		      "WITH " CAME ", " BEGAN ", " FAILED ", " NEWEST ", " STAYING ", " LATE ", " ACCEPTED
		      " SELECT who, campaign_id, f.at, reason, source = 'reply', voided, received_at, lists,"
		      " active, false FROM failed f JOIN stay s USING (who) WHERE f.at >= s.at"
		      " UNION ALL SELECT who, campaign_id, at, NULL, false, false, NULL, NULL, NULL, false"
		      " FROM accepted WHERE (who, campaign_id) NOT IN (SELECT who, campaign_id FROM failed)"
		      " ORDER BY 1, 3, 2" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

/* The policy as columns; reasons that never disable are left out. */
struct columns {
	struct db_array reasons, failures, days, from_relay;
};

static void columns_done(struct columns *columns)
{
	db_array_done(&columns->reasons);
	db_array_done(&columns->failures);
	db_array_done(&columns->days);
	db_array_done(&columns->from_relay);
}

static struct columns columns_of(const struct policy *policy)
{
	struct columns columns = { .reasons = db_array_of(DB_TEXT),
				   .failures = db_array_of(DB_INT),
				   .days = db_array_of(DB_INT),
				   .from_relay = db_array_of(DB_BOOL) };
	for (enum bounce_reason reason = 0; reason < REASON_COUNT; reason++) {
		if (policy->rows[reason].failures == 0 || reason_is_about_us(reason))
			continue;
		db_array_add_bytes(&columns.reasons, view_of(reason_name(reason)));
		db_array_add_int(&columns.failures, (int64_t)policy->rows[reason].failures);
		db_array_add_int(&columns.days, (int64_t)policy->rows[reason].days);
		db_array_add_int(&columns.from_relay, reason_counts_from_relay(reason));
	}
	return columns;
}

/* How the people are cut into portions. */
struct extent {
	int64_t last_id, step;
	int64_t copies; /* of a portion */
};

static enum err read_extent(struct db *db, struct extent *ret_extent, struct buf *why)
{
	enum { EVENTS_A_PORTION = 100000 };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[MEMORY], NULL, 0, NULL, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[EXTENT], NULL, 0, &rows, why);
	if (err != ERR_OK)
		return err;
	int64_t portions = db_get_int(rows, 0, 1) / EVENTS_A_PORTION + 1;
	int64_t last_id = db_get_int(rows, 0, 0);
	*ret_extent = (struct extent){ .last_id = last_id,
				       .step = last_id / portions + 1,
				       .copies = db_get_int(rows, 0, 2) / portions };
	return ERR_OK;
}

struct listener {
	void (*told)(void *user, const struct verdict_history *history);
	void *user;
};

static struct db_array states_of(const struct suspects_scope *scope)
{
	static const char *const states[] = { "active", "disabled", "removed" };
	struct db_array array = db_array_of(DB_TEXT);
	for (size_t i = 0; i < (scope->with_gone ? ARRAY_LEN(states) : 1); i++)
		db_array_add_bytes(&array, view_of(states[i]));
	return array;
}

/* What is read: people first to last, by the policy whose columns these are. */
struct reading {
	const struct suspects_scope *scope;
	const struct verdict_terms *terms;
	const struct columns *columns;
	const struct db_array *states;
	struct extent extent;
	int64_t first, last;
};

static void ids_of(const struct db_rows *rows, struct db_array *ids)
{
	if (db_is_null(rows, 0, 0))
		return;
	const struct db_ints found = db_get_ints(rows, 0, 0);
	for (size_t i = 0; i < found.count; i++)
		db_array_add_int(ids, db_int_at(&found, i));
}

static struct db_value list_of(const struct reading *reading)
{
	return reading->scope->list_id == 0 ? db_null() : db_int((int64_t)reading->scope->list_id);
}

/* None, unless they are nearly all of what came back. */
static enum err read_rich(struct db *db, const struct reading *reading, struct db_array *rich, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	const struct db_value values[] = { db_int(reading->first), db_int(reading->last),
					   db_int(reading->extent.last_id) };
	enum err err = db_run(db, &statements[RICH], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK && db_get_int(rows, 0, 1) * 20 >= db_get_int(rows, 0, 2) * 19)
		ids_of(rows, rich);
	return err;
}

static enum err sieve(struct db *db, const struct reading *reading, const struct db_array *rich,
		      struct db_array *people, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	const struct columns *columns = reading->columns;
	const struct db_value values[] = { list_of(reading),
					   db_int(reading->first),
					   db_int(reading->last),
					   db_values(&columns->reasons),
					   db_values(&columns->failures),
					   db_values(&columns->days),
					   db_values(&columns->from_relay),
					   db_values(rich),
					   db_values(reading->states) };
	enum err err = db_run(db, &statements[SIEVE], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		ids_of(rows, people);
	return err;
}

/* only: of these people; NULL: of all of the portion. */
static enum err read_history(struct db *db, const struct reading *reading, const struct db_array *only,
			     const struct listener *listener, struct buf *why)
{
	AUTO_DB_ROWS *evidence = NULL;
	const struct columns *columns = reading->columns;
	const struct verdict_terms *terms = reading->terms;
	const struct db_value values[] = { list_of(reading),
					   db_int(reading->first),
					   db_int(reading->last),
					   db_values(&columns->reasons),
					   db_values(&columns->failures),
					   db_values(&columns->days),
					   db_values(&columns->from_relay),
					   db_time(terms->now_us - terms->window_us),
					   db_int(reading->extent.copies),
					   db_values(reading->states),
					   only == NULL ? db_null() : db_values(only) };
	enum err err = db_run(db, &statements[HISTORY], values, ARRAY_LEN(values), &evidence, why);
	if (err == ERR_OK)
		err = verdicts_tell(db, evidence, terms, listener->told, listener->user, why);
	return err;
}

static enum err read_portion(struct db *db, const struct reading *reading, const struct listener *listener,
			     struct buf *why)
{
	AUTO_DB_ARRAY rich = db_array_of(DB_INT);
	AUTO_DB_ARRAY people = db_array_of(DB_INT);
	enum err err = read_rich(db, reading, &rich, why);
	if (err != ERR_OK)
		return err;
	if (rich.count == 0)
		return read_history(db, reading, NULL, listener, why);
	err = sieve(db, reading, &rich, &people, why);
	return err != ERR_OK || people.count == 0 ? err : read_history(db, reading, &people, listener, why);
}

static enum err read_portions(struct db *db, const struct suspects_scope *scope, const struct verdict_terms *terms,
			      const struct columns *columns, const struct listener *listener, struct buf *why)
{
	AUTO_DB_ARRAY states = states_of(scope);
	struct reading reading = { .scope = scope, .terms = terms, .columns = columns, .states = &states };
	enum err err = read_extent(db, &reading.extent, why);
	const struct extent *extent = &reading.extent;
	for (reading.first = 1; err == ERR_OK && reading.first <= extent->last_id; reading.first += extent->step) {
		reading.last = reading.first + extent->step - 1;
		scope->progress(scope->progress_user, (uint64_t)reading.first, (uint64_t)extent->last_id);
		err = read_portion(db, &reading, listener, why);
	}
	return err;
}

enum err suspects_read(struct db *db, const struct suspects_scope *scope, const struct verdict_terms *terms,
		       void (*told)(void *user, const struct verdict_history *history), void *user, struct buf *why)
{
	struct policies in_force = { 0 };
	struct verdict_terms full = *terms;
	const struct listener listener = { told, user };
	enum err err = ERR_OK;
	if (terms->policies == NULL) {
		err = policies_read(db, &in_force, why);
		full.policies = &in_force;
	}
	const struct policy least = policies_least(full.policies);
	struct columns columns = columns_of(&least);
	if (err == ERR_OK)
		err = read_portions(db, scope, &full, &columns, &listener, why);
	columns_done(&columns);
	policies_done(&in_force);
	return err;
}
