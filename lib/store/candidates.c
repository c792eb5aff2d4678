#include "store/candidates.h"

#include <assert.h>

#include "store/id_list.h"

enum statement { DISABLED, CANDIDATES, SHARES, STATEMENT_COUNT };

static const struct db_statement statements[] = {
	[DISABLED] = { "candidates_disabled", "SELECT DISTINCT subscriber_id FROM membership WHERE state = 'disabled'"
					      " AND ($1::bigint IS NULL OR list_id = $1) ORDER BY 1" },
	/* $2: only these people (those that are locked), or null. $3 to $5, $7: whom the verdict of this moment ($6) condemns, and why, when it is not
	 * carried out. $8: with evidence, which takes most of the time. */
	[CANDIDATES] = { "candidates_read",
			 "SELECT m.list_id, m.subscriber_id, l.name, s.address, m.reason, c.name,"
			 " coalesce(e.diagnostic, (SELECT 'dropped with the ledger at ' || to_char(p.dropped_at, "
			 "'YYYY-MM-DD')"
			 " FROM campaign_past p WHERE $8 AND p.campaign_id = m.campaign_id)), m.since"
			 " FROM (SELECT list_id, subscriber_id, reason, campaign_id, since FROM membership"
			 "  WHERE state = 'disabled' AND ($1::bigint IS NULL OR list_id = $1)"
			 "  AND ($2::bigint[] IS NULL OR subscriber_id = ANY($2))"
			 "  UNION ALL SELECT a.list_id, a.subscriber_id, v.reason, v.campaign_id, $6"
			 "  FROM unnest($3::bigint[], $4::text[], $5::bigint[], $7::bigint[])"
			 "  AS v(subscriber_id, reason, campaign_id, list_id) JOIN membership a"
			 "  ON a.list_id = v.list_id AND a.subscriber_id = v.subscriber_id AND a.state = 'active'"
			 "  AND ($1::bigint IS NULL OR a.list_id = $1)) AS m"
			 " JOIN list l ON l.id = m.list_id JOIN subscriber s ON s.id = m.subscriber_id"
			 " LEFT JOIN campaign c ON c.id = m.campaign_id"
			 " LEFT JOIN LATERAL (SELECT b.diagnostic FROM bounce_event b WHERE $8::boolean AND "
			 "b.campaign_id = "
			 "m.campaign_id"
			 " AND b.subscriber_id = m.subscriber_id AND NOT b.voided ORDER BY b.reason = m.reason DESC,"
			 " b.received_at LIMIT 1) AS e ON true ORDER BY 1, m.reason, 2" },
	[SHARES] = { "candidates_shares",
		     "SELECT l.name, n.members, n.disabled FROM list l CROSS JOIN LATERAL (SELECT"
		     " sum(m.people)::bigint AS members,"
		     " sum(m.people) FILTER (WHERE m.state = 'disabled')::bigint AS disabled FROM member_count m"
		     " WHERE m.list_id = l.id AND m.state IN ('active', 'disabled')) AS n"
		     " WHERE ($1::bigint IS NULL OR l.id = $1) AND n.disabled > 0 ORDER BY 1" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

/* ---- candidates ---- */

/* Those active members whom the evidence condemns now. */
struct condemned {
	const struct id_list *among; /* NULL: everyone; else ascending */
	struct verdict_sentences sentences, waiting;
	struct id_list people; /* of both */
};

static void keep_condemned(void *user, const struct verdict_history *history)
{
	struct condemned *condemned = user;
	if (condemned->among != NULL && !id_list_has(condemned->among, history->subscriber_id))
		return;
	bool is_condemned = verdict_sentences_add(&condemned->sentences, history, true);
	if (verdict_sentences_add_waiting(&condemned->waiting, history) || is_condemned)
		id_list_add(&condemned->people, history->subscriber_id);
}

static enum err find_condemned(struct db *db, const struct candidate_scope *scope, const struct id_list *among,
			       struct condemned *ret_condemned, struct buf *why)
{
	*ret_condemned =
	    (struct condemned){ .among = among, .sentences = verdict_sentences(), .waiting = verdict_sentences() };
	const struct suspects_scope reading = { .list_id = scope->list_id,
						.progress = scope->progress,
						.progress_user = scope->progress_user };
	enum err err = suspects_read(db, &reading, &scope->terms, keep_condemned, ret_condemned, why);
	return err != ERR_OK ? err : ret_condemned->people.err;
}

static void condemned_done(struct condemned *condemned)
{
	verdict_sentences_done(&condemned->sentences);
	verdict_sentences_done(&condemned->waiting);
	id_list_done(&condemned->people);
}

static enum err read_candidates(struct db *db, const struct candidate_scope *scope, const struct id_list *only,
				const struct verdict_sentences *sentences, struct db_rows **ret_rows, struct buf *why)
{
	AUTO_DB_ARRAY ids = db_array_of(DB_INT);
	for (size_t i = 0; only != NULL && i < only->count; i++)
		db_array_add_int(&ids, only->ids[i]);
	const struct db_value values[] = {
		db_id_or_null(scope->list_id),      only == NULL ? db_null() : db_values(&ids),
		db_values(&sentences->subscribers), db_values(&sentences->reasons),
		db_values(&sentences->campaigns),   db_time(scope->terms.now_us),
		db_values(&sentences->lists),       db_bool(scope->with_evidence)
	};
	return db_run(db, &statements[CANDIDATES], values, ARRAY_LEN(values), ret_rows, why);
}

static struct candidate_count count_of(const struct condemned *condemned, size_t asked)
{
	return (struct candidate_count){ .judged = verdict_sentences_count(&condemned->sentences),
					 .waiting = verdict_sentences_count(&condemned->waiting),
					 .asked = asked };
}

enum err candidates_look(struct db *db, const struct candidate_scope *scope, struct candidate_count *ret_count,
			 struct db_rows **ret_rows, struct buf *why)
{
	struct condemned condemned;
	enum err err = find_condemned(db, scope, NULL, &condemned, why);
	if (err == ERR_OK)
		err = read_candidates(db, scope, NULL, &condemned.sentences, ret_rows, why);
	if (err == ERR_OK)
		*ret_count = count_of(&condemned, 0);
	condemned_done(&condemned);
	return err;
}

/* Everyone concerned is held, and then looked at again: what was read before may have changed. */
static enum err hold_condemned(struct db *db, const struct candidate_scope *scope, struct id_list *ret_held,
			       struct buf *why)
{
	struct condemned condemned;
	enum err err = find_condemned(db, scope, NULL, &condemned, why);
	if (err == ERR_OK)
		err = id_list_read(db, &statements[DISABLED], db_id_or_null(scope->list_id), ret_held, why);
	for (size_t i = 0; err == ERR_OK && i < condemned.people.count; i++)
		id_list_add(ret_held, condemned.people.ids[i]);
	condemned_done(&condemned);
	if (err == ERR_OK)
		err = ret_held->err;
	if (err != ERR_OK || ret_held->count == 0)
		return err;
	id_list_sort(ret_held);
	return verdicts_lock(db, ret_held->ids, ret_held->count, why);
}

enum err candidates_hold(struct db *db, const struct candidate_scope *scope, struct candidate_count *ret_count,
			 struct db_rows **ret_rows, struct buf *why)
{
	struct id_list held = { 0 };
	struct condemned condemned = { 0 };
	size_t asked = 0;
	const struct verdict_sentences none = verdict_sentences();
	enum err err = hold_condemned(db, scope, &held, why);
	if (err == ERR_OK)
		err = find_condemned(db, scope, &held, &condemned, why);
	if (err == ERR_OK)
		err = verdicts_ask_probes(db, &condemned.waiting, &asked, why);
	if (err == ERR_OK && verdict_sentences_count(&condemned.sentences) > 0)
		err = verdicts_disable(db, &condemned.sentences, scope->terms.now_us, why);
	if (err == ERR_OK)
		err = read_candidates(db, scope, &held, &none, ret_rows, why);
	if (err == ERR_OK)
		*ret_count = count_of(&condemned, asked);
	condemned_done(&condemned);
	id_list_done(&held);
	return err;
}

void candidate_at(const struct db_rows *rows, size_t row, struct candidate *ret_candidate)
{
	*ret_candidate = (struct candidate){
		.list_id = (uint64_t)db_get_int(rows, row, 0),
		.subscriber_id = (uint64_t)db_get_int(rows, row, 1),
		.list = db_get_text(rows, row, 2),
		.address = db_get_text(rows, row, 3),
		.reason = db_get_text(rows, row, 4),
		.campaign = db_get_text(rows, row, 5),
		.evidence = db_get_text(rows, row, 6),
		.since_us = db_get_time(rows, row, 7),
	};
}

enum err candidates_shares(struct db *db, uint64_t list_id, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_id_or_null(list_id) };
	return db_run(db, &statements[SHARES], values, ARRAY_LEN(values), ret_rows, why);
}

void candidate_share_at(const struct db_rows *rows, size_t row, struct candidate_share *ret_share)
{
	*ret_share = (struct candidate_share){ .list = db_get_text(rows, row, 0),
					       .members = db_get_int(rows, row, 1),
					       .disabled = db_get_int(rows, row, 2) };
}
