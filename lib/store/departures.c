#include "store/departures.h"

#include <assert.h>

enum statement { UNSUBSCRIBE, COMPLAIN, STATEMENT_COUNT };

/* A removed membership changes too: what a person wants weighs more than a later undo of the prune. */
static const struct db_statement statements[] = {
	[UNSUBSCRIBE] = { .name = "departures_unsubscribe",
			  .sql = "WITH gone AS (UPDATE membership m"
				 " SET state = 'unsubscribed', reason = $3, since = now(), campaign_id = NULL"
				 " FROM (SELECT DISTINCT * FROM unnest($1::bigint[], $2::bigint[])"
				 "  AS g(list_id, subscriber_id)) AS v"
				 " WHERE m.list_id = v.list_id AND m.subscriber_id = v.subscriber_id"
				 " AND m.state <> 'unsubscribed' RETURNING m.list_id, m.subscriber_id)"
				 " INSERT INTO audit (actor, action, subject, detail, subscriber_id)"
				 " SELECT $4, 'membership.unsubscribe', 'subscriber:' || s.address_key,"
				 " jsonb_build_object('list', l.name, 'reason', $3), s.id"
				 " FROM gone JOIN list l ON l.id = gone.list_id"
				 " JOIN subscriber s ON s.id = gone.subscriber_id" },
	[COMPLAIN] = { .name = "departures_complain",
		       .sql = "WITH said AS MATERIALIZED (SELECT DISTINCT ON (s.id) s.id, s.address_key, s.canonical,"
			      " g.campaign_id FROM unnest($1::bigint[], $2::bigint[]) AS g(subscriber_id, campaign_id)"
			      " JOIN subscriber s ON s.id = g.subscriber_id ORDER BY s.id, g.campaign_id"
			      "), gone AS (UPDATE membership m"
			      " SET state = 'unsubscribed', reason = 'complaint', since = now(),"
			      " campaign_id = said.campaign_id"
			      " FROM said WHERE m.subscriber_id = said.id AND m.state <> 'unsubscribed'"
			      " RETURNING m.subscriber_id"
			      "), suppressed AS (INSERT INTO suppression (kind, value, list_id, reason, source)"
			      " SELECT 'address', coalesce(canonical, address_key), NULL, 'complaint', $3 FROM said"
			      " ORDER BY 2"
			      "), noted AS (INSERT INTO audit (actor, action, subject, detail, subscriber_id)"
			      " SELECT $3, 'subscriber.complaint', 'subscriber:' || address_key,"
			      " jsonb_build_object('campaign_id', campaign_id), id FROM said)"
			      " SELECT count(*) FROM gone" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

enum err departures_unsubscribe(struct db *db, const struct departure *departures, size_t count, struct view reason,
				struct view actor, size_t *ret_changed, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_DB_ARRAY lists = db_array_of(DB_INT);
	AUTO_DB_ARRAY subscribers = db_array_of(DB_INT);
	for (size_t i = 0; i < count; i++) {
		db_array_add_int(&lists, (int64_t)departures[i].list_id);
		db_array_add_int(&subscribers, (int64_t)departures[i].subscriber_id);
	}
	const struct db_value values[] = { db_values(&lists), db_values(&subscribers), db_text(reason),
					   db_text(actor) };
	enum err err = db_run(db, &statements[UNSUBSCRIBE], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_changed = db_changed(rows);
	return err;
}

enum err departures_complain(struct db *db, const struct departure *departures, size_t count, struct view actor,
			     size_t *ret_changed, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_DB_ARRAY subscribers = db_array_of(DB_INT);
	AUTO_DB_ARRAY campaigns = db_array_of(DB_INT);
	for (size_t i = 0; i < count; i++) {
		db_array_add_int(&subscribers, (int64_t)departures[i].subscriber_id);
		db_array_add_int(&campaigns, (int64_t)departures[i].campaign_id);
	}
	const struct db_value values[] = { db_values(&subscribers), db_values(&campaigns), db_text(actor) };
	enum err err = db_run(db, &statements[COMPLAIN], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_changed = (size_t)db_get_int(rows, 0, 0);
	return err;
}
