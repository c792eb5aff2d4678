#include "store/explanations.h"

#include <assert.h>

enum statement { PERSON, MEMBERSHIPS, SUPPRESSIONS, SENDS, PAST, CAMPAIGNS, PRUNES, STATEMENT_COUNT };

static const struct db_statement statements[] = {
	[PERSON] = { "explanations_person",
		     "SELECT id, address, name, attributes, created_at FROM subscriber WHERE address_key = $1" },
	[MEMBERSHIPS] = { "explanations_memberships",
			  "SELECT l.name, m.state, m.reason, c.name, m.since, l.id FROM membership m"
			  " JOIN list l ON l.id = m.list_id LEFT JOIN campaign c ON c.id = m.campaign_id"
			  " WHERE m.subscriber_id = $1 ORDER BY l.name" },
	[SUPPRESSIONS] = { "explanations_suppressions",
			   "SELECT s.kind, s.value, l.name, s.reason, s.source, s.created_at FROM suppression_in_force "
			   "s"
			   " LEFT JOIN list l ON l.id = s.list_id WHERE s.value = ANY (suppression_values($1, $2)) "
			   "ORDER BY 6" },
	/* One look-up by key a campaign, in the ledger and in the retry queue; OFFSET 0 keeps the planner from scanning partitions
	 * instead. The frozen ids are searched only in campaigns that still have some to send. */
	[SENDS] = { "explanations_sends",
		    "WITH mine AS MATERIALIZED (SELECT DISTINCT c.id, c.name, c.state, c.started_at, l.name AS list "
		    "FROM "
		    "membership m"
		    " JOIN campaign_target t ON t.list_id = m.list_id"
		    " JOIN campaign c ON c.id = t.campaign_id AND c.started_at IS NOT NULL"
		    " LEFT JOIN campaign_reached h ON h.campaign_id = c.id AND h.subscriber_id = $1"
		    " JOIN list l ON l.id = coalesce(h.list_id, c.list_id)"
		    " WHERE m.subscriber_id = $1),"
		    " ended AS (SELECT mine.*, d.* FROM mine CROSS JOIN LATERAL (SELECT outcome::text AS place, at, "
		    "attempts,"
		    " code, status, reason, reply, NULL::timestamptz AS next_at FROM delivery"
		    " WHERE campaign_id = mine.id AND subscriber_id = $1 OFFSET 0) AS d),"
		    " waiting AS (SELECT mine.*, f.* FROM mine CROSS JOIN LATERAL (SELECT state AS place, "
		    "last_attempt_at AS at,"
		    " attempts, code, status, waits_for AS reason, reply, next_attempt_at AS next_at FROM deferral"
		    " WHERE campaign_id = mine.id AND subscriber_id = $1 OFFSET 0) AS f),"
		    " pending AS (SELECT open.*, 'pending', NULL::timestamptz, 0::smallint, NULL::smallint, NULL, "
		    "NULL, NULL,"
		    " NULL::timestamptz FROM (SELECT * FROM mine WHERE state IN ('running', 'paused')) AS open"
		    " WHERE open.id NOT IN (SELECT id FROM ended UNION ALL SELECT id FROM waiting)"
		    " AND EXISTS (SELECT FROM campaign_chunk k WHERE k.campaign_id = open.id AND NOT k.done"
		    " AND $1 = ANY (k.subscriber_ids)))"
		    " SELECT name, list, place, at, attempts, code, status, reason, reply, next_at FROM (SELECT * FROM "
		    "ended"
		    " UNION ALL SELECT * FROM waiting UNION ALL SELECT * FROM pending) AS x"
		    " ORDER BY started_at DESC, id DESC LIMIT $2" },
	[CAMPAIGNS] = { "explanations_campaigns",
			"SELECT id, name FROM campaign WHERE id = ANY ($1::bigint[]) ORDER BY id" },
	/* What is kept of attempts that the retention has dropped. */
	[PAST] = { "explanations_past",
		   "SELECT c.name, x.sent_at, x.kind, x.reason, x.received_at FROM (SELECT campaign_id, sent_at,"
		   " CASE WHEN voided THEN 'voided' ELSE kind::text END AS kind, reason, received_at FROM past_report"
		   " WHERE subscriber_id = $1 UNION ALL SELECT campaign_id, sent_at, 'success', NULL, NULL"
		   " FROM past_success WHERE subscriber_id = $1) AS x LEFT JOIN campaign c ON c.id = x.campaign_id"
		   " ORDER BY x.sent_at DESC, x.campaign_id DESC LIMIT $2" },
	[PRUNES] = { "explanations_prunes",
		     "SELECT p.batch_id, l.name, p.old_reason, b.actor, b.created_at, b.undone_at, p.restored, b.kind"
		     " FROM prune_change p JOIN prune_batch b ON b.id = p.batch_id LEFT JOIN list l ON l.id = p.list_id"
		     " WHERE p.subscriber_id = $1 ORDER BY p.batch_id DESC" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

static enum err about(struct db *db, enum statement statement, struct db_value whom, struct db_rows **ret_rows,
		      struct buf *why)
{
	return db_run(db, &statements[statement], &whom, 1, ret_rows, why);
}

enum err explanations_person(struct db *db, struct view address_key, struct explained_person *ret_person,
			     struct db_rows **ret_rows, struct buf *why)
{
	struct db_rows *rows = NULL;
	enum err err = about(db, PERSON, db_text(address_key), &rows, why);
	if (err != ERR_OK)
		return err;
	if (db_row_count(rows) == 0) {
		db_rows_done(rows);
		buf_addf(why, "nobody here has the address " VIEW_FMT "; `listctl subscriber find` looks for others",
			 VIEW_ARG(address_key));
		return ERR_NOT_FOUND;
	}
	*ret_person = (struct explained_person){ .id = (uint64_t)db_get_int(rows, 0, 0),
						 .address = db_get_text(rows, 0, 1),
						 .name = db_get_text(rows, 0, 2),
						 .attributes = db_get_text(rows, 0, 3),
						 .created_us = db_get_time(rows, 0, 4) };
	*ret_rows = rows;
	return ERR_OK;
}

enum err explanations_memberships(struct db *db, uint64_t subscriber_id, struct db_rows **ret_rows, struct buf *why)
{
	return about(db, MEMBERSHIPS, db_int((int64_t)subscriber_id), ret_rows, why);
}

void explained_membership_at(const struct db_rows *rows, size_t row, struct explained_membership *ret_membership)
{
	*ret_membership = (struct explained_membership){ .list = db_get_text(rows, row, 0),
							 .state = db_get_text(rows, row, 1),
							 .reason = db_get_text(rows, row, 2),
							 .campaign = db_get_text(rows, row, 3),
							 .since_us = db_get_time(rows, row, 4),
							 .list_id = db_get_int(rows, row, 5) };
}

enum err explanations_suppressions(struct db *db, struct view address_key, struct view canonical,
				   struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_text(address_key), db_text_or_null(canonical) };
	return db_run(db, &statements[SUPPRESSIONS], values, ARRAY_LEN(values), ret_rows, why);
}

void explained_suppression_at(const struct db_rows *rows, size_t row, struct explained_suppression *ret_suppression)
{
	*ret_suppression = (struct explained_suppression){ .kind = db_get_text(rows, row, 0),
							   .value = db_get_text(rows, row, 1),
							   .list = db_get_text(rows, row, 2),
							   .reason = db_get_text(rows, row, 3),
							   .source = db_get_text(rows, row, 4),
							   .created_us = db_get_time(rows, row, 5) };
}

enum err explanations_sends(struct db *db, uint64_t subscriber_id, size_t limit, struct db_rows **ret_rows,
			    struct buf *why)
{
	const struct db_value values[] = { db_int((int64_t)subscriber_id), db_int((int64_t)limit) };
	return db_run(db, &statements[SENDS], values, ARRAY_LEN(values), ret_rows, why);
}

void explained_send_at(const struct db_rows *rows, size_t row, struct explained_send *ret_send)
{
	*ret_send = (struct explained_send){
		.campaign = db_get_text(rows, row, 0),
		.list = db_get_text(rows, row, 1),
		.place = db_get_text(rows, row, 2),
		.at_us = db_get_time(rows, row, 3),
		.attempts = db_get_int(rows, row, 4),
		.code = db_get_int(rows, row, 5),
		.status = db_get_text(rows, row, 6),
		.reason = db_get_text(rows, row, 7),
		.reply = db_get_text(rows, row, 8),
		.next_us = db_get_time(rows, row, 9),
	};
}

enum err explanations_campaigns(struct db *db, const struct db_array *campaign_ids, struct db_rows **ret_rows,
				struct buf *why)
{
	return about(db, CAMPAIGNS, db_values(campaign_ids), ret_rows, why);
}

struct view explained_campaign(const struct db_rows *rows, uint64_t campaign_id)
{
	for (size_t i = 0; rows != NULL && i < db_row_count(rows); i++) {
		if ((uint64_t)db_get_int(rows, i, 0) == campaign_id)
			return db_get_text(rows, i, 1);
	}
	return (struct view){ 0 };
}

enum err explanations_past(struct db *db, uint64_t subscriber_id, size_t limit, struct db_rows **ret_rows,
			   struct buf *why)
{
	const struct db_value values[] = { db_int((int64_t)subscriber_id), db_int((int64_t)limit) };
	return db_run(db, &statements[PAST], values, ARRAY_LEN(values), ret_rows, why);
}

void explained_past_at(const struct db_rows *rows, size_t row, struct explained_past *ret_past)
{
	*ret_past = (struct explained_past){ .campaign = db_get_text(rows, row, 0),
					     .sent_us = db_get_time(rows, row, 1),
					     .kind = db_get_text(rows, row, 2),
					     .reason = db_get_text(rows, row, 3),
					     .received_us = db_get_time(rows, row, 4) };
}

enum err explanations_prunes(struct db *db, uint64_t subscriber_id, struct db_rows **ret_rows, struct buf *why)
{
	return about(db, PRUNES, db_int((int64_t)subscriber_id), ret_rows, why);
}

void explained_prune_at(const struct db_rows *rows, size_t row, struct explained_prune *ret_prune)
{
	*ret_prune = (struct explained_prune){
		.batch_id = (uint64_t)db_get_int(rows, row, 0),
		.list = db_get_text(rows, row, 1),
		.reason = db_get_text(rows, row, 2),
		.actor = db_get_text(rows, row, 3),
		.at_us = db_get_time(rows, row, 4),
		.undone_us = db_get_time(rows, row, 5),
		.restored = db_get_bool(rows, row, 6),
		.kind = db_get_text(rows, row, 7),
	};
}
