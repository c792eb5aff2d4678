#include "store/simulations.h"

#include <assert.h>

#include "store/batch_changes.h"

enum statement { EACH, GROUPS, STATEMENT_COUNT };

/* $1 list, $2 to $4 the memberships that the policies condemn, and why, $5 bounce reasons, $6 since when, in microseconds (0: ever). Who was disabled by a verdict and is not
 * condemned would have stayed, unless a complaint or a suppression forbids it. The planner, who believes that few are condemned, is given no join in which it could
 * go through all of them for each of the others. */
#define CHANGES                                                                                                        \
	"WITH condemned AS MATERIALIZED (SELECT * FROM unnest($2::bigint[], $3::bigint[], $4::text[])"                 \
	" AS v(subscriber_id, list_id, reason)),"                                                                      \
	" ended AS MATERIALIZED (SELECT list_id, subscriber_id, reason, campaign_id FROM membership"                   \
	" WHERE state IN ('disabled', 'removed') AND ($1::bigint IS NULL OR list_id = $1)"                             \
	" AND reason = ANY ($5::text[]) AND campaign_id IS NOT NULL),"                                                 \
	" spared AS MATERIALIZED (SELECT list_id, subscriber_id, min(reason) AS reason,"                               \
	" min(campaign_id) AS campaign_id FROM (SELECT *, true AS is_spared FROM ended"                                \
	" UNION ALL SELECT list_id, subscriber_id, NULL, NULL, false FROM condemned) AS x"                             \
	" GROUP BY 1, 2 HAVING bool_and(is_spared)),"                                                                  \
	" changes AS (SELECT false AS is_restored, v.list_id, v.subscriber_id, v.reason FROM condemned v"              \
	" CROSS JOIN LATERAL (SELECT state FROM membership WHERE list_id = v.list_id"                                  \
	" AND subscriber_id = v.subscriber_id OFFSET 0) AS m"                                                          \
	" WHERE m.state = 'active' AND ($1::bigint IS NULL OR v.list_id = $1)"                                         \
	" UNION ALL SELECT true, m.list_id, m.subscriber_id, m.reason FROM spared m"                                   \
	" WHERE ($6::bigint = 0 OR EXISTS (SELECT FROM delivery d WHERE d.campaign_id = m.campaign_id"                 \
	" AND d.subscriber_id = m.subscriber_id AND d.at >= to_timestamp($6 / 1e6)))"                                  \
	" AND NOT EXISTS (SELECT FROM suppressed_subscriber x WHERE x.id = m.subscriber_id"                            \
	"  AND (x.list_id IS NULL OR x.list_id = m.list_id))"                                                          \
	" AND NOT EXISTS (SELECT FROM reported e WHERE e.subscriber_id = m.subscriber_id"                              \
	"  AND e.kind = 'complaint' AND NOT e.voided AND NOT e.orphan))"
#define NAMED                                                                                                          \
	" FROM changes c JOIN list l ON l.id = c.list_id"                                                              \
	" CROSS JOIN LATERAL (SELECT address FROM subscriber WHERE id = c.subscriber_id OFFSET 0) AS s"

static const struct db_statement statements[] = {
	[EACH] = { "simulations_each",
		   CHANGES " SELECT is_restored, l.name, reason, s.address, 1::bigint" NAMED " ORDER BY 2, 1, 3, 4" },
	[GROUPS] = { "simulations_groups", CHANGES " SELECT is_restored, l.name, reason, min(s.address), count(*)" NAMED
						   " GROUP BY 1, 2, 3 ORDER BY 2, 1, 3" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row a statement");

static void keep_condemned(void *user, const struct verdict_history *history)
{
	verdict_sentences_add(user, history, false);
}

static enum err read_changes(struct db *db, const struct simulation_scope *scope,
			     const struct verdict_sentences *condemned, struct db_rows **ret_rows, struct buf *why)
{
	AUTO_DB_ARRAY reasons = batch_verdict_reasons();
	const struct db_value values[] = { scope->list_id == 0 ? db_null() : db_int((int64_t)scope->list_id),
					   db_values(&condemned->subscribers),
					   db_values(&condemned->lists),
					   db_values(&condemned->reasons),
					   db_values(&reasons),
					   db_int(scope->terms.since_us) };
	return db_run(db, &statements[scope->each ? EACH : GROUPS], values, ARRAY_LEN(values), ret_rows, why);
}

enum err simulations_read(struct db *db, const struct simulation_scope *scope, struct db_rows **ret_rows,
			  struct buf *why)
{
	struct verdict_sentences condemned = verdict_sentences();
	const struct suspects_scope reading = { .list_id = scope->list_id,
						.with_gone = true,
						.progress = scope->progress,
						.progress_user = scope->progress_user };
	enum err err = suspects_read(db, &reading, &scope->terms, keep_condemned, &condemned, why);
	if (err == ERR_OK)
		err = read_changes(db, scope, &condemned, ret_rows, why);
	verdict_sentences_done(&condemned);
	return err;
}

void simulated_at(const struct db_rows *rows, size_t row, struct simulated *ret_simulated)
{
	*ret_simulated = (struct simulated){ .is_restored = db_get_bool(rows, row, 0),
					     .list = db_get_text(rows, row, 1),
					     .reason = db_get_text(rows, row, 2),
					     .example = db_get_text(rows, row, 3),
					     .memberships = db_get_int(rows, row, 4) };
}
