#include "store/campaign_variants.h"

#include <assert.h>

enum statement { READ, FORGET, ADD, RESULTS, STATEMENT_COUNT };

static const struct db_statement statements[] = {
	[READ] = { "campaign_variants_read", "SELECT share, subject, text_body, html_body FROM campaign_variant"
					     " WHERE campaign_id = $1 ORDER BY position" },
	[FORGET] = { "campaign_variants_forget",
		     "DELETE FROM campaign_variant v USING campaign c WHERE c.name = $1 AND v.campaign_id = c.id" },
	[ADD] = { "campaign_variants_add",
		  "INSERT INTO campaign_variant (campaign_id, position, share, subject, text_body, html_body)"
		  " SELECT c.id, v.position, v.share, v.subject, v.text_body, v.html_body FROM campaign c CROSS JOIN"
		  " unnest($2::bigint[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY"
		  " AS v(share, subject, text_body, html_body, position) WHERE c.name = $1" },
	/* Whose membership ended is asked of the list as it is now. */
	[RESULTS] = { "campaign_results",
		      "WITH v AS (SELECT position AS n, share, subject FROM campaign_variant WHERE campaign_id = $1"
		      " UNION ALL SELECT 0, 10000, NULL"
		      " WHERE NOT EXISTS (SELECT FROM campaign_variant WHERE campaign_id = $1)),"
		      " came AS MATERIALIZED (SELECT subscriber_id, bool_or(kind <> 'complaint') AS bounced,"
		      " bool_or(kind = 'complaint') AS complained FROM bounce_event WHERE campaign_id = $1"
		      " AND NOT voided AND kind IN ('bounce-hard', 'bounce-soft', 'complaint') GROUP BY 1),"
		      " ends AS (SELECT coalesce(d.variant, 0) AS n, count(*) FILTER (WHERE d.outcome = 'accepted') AS "
		      "accepted,"
		      " count(*) FILTER (WHERE d.outcome = 'refused') AS refused,"
		      " count(*) FILTER (WHERE d.outcome = 'expired') AS expired,"
		      " count(*) FILTER (WHERE d.outcome = 'accepted' AND came.bounced) AS bounced,"
		      " count(*) FILTER (WHERE d.outcome = 'accepted' AND came.complained) AS complained"
		      " FROM delivery d LEFT JOIN came USING (subscriber_id)"
		      " WHERE d.campaign_id = $1 AND d.outcome <> 'skipped' GROUP BY 1),"
		      " gone AS (SELECT coalesce(d.variant, 0) AS n, count(*) AS persons FROM campaign c"
		      " JOIN campaign_target t ON t.campaign_id = c.id"
		      " JOIN membership m ON m.list_id = t.list_id AND m.state = 'unsubscribed'"
		      " AND m.reason <> 'complaint'"
		      " JOIN delivery d ON d.campaign_id = $1 AND d.subscriber_id = m.subscriber_id"
		      " AND d.outcome = 'accepted' AND m.since >= d.at"
		      " LEFT JOIN campaign_reached h ON h.campaign_id = $1 AND h.subscriber_id = d.subscriber_id"
		      " WHERE c.id = $1 AND m.list_id = coalesce(h.list_id, c.list_id)"
		      " AND NOT EXISTS (SELECT FROM campaign_target u JOIN campaign o ON o.id = u.campaign_id"
		      " WHERE u.list_id = m.list_id"
		      " AND o.id <> c.id AND o.started_at > c.started_at AND o.started_at < m.since) GROUP BY 1)"
		      " SELECT v.n::bigint, v.share::bigint, coalesce(v.subject, c.subject), coalesce(e.accepted, 0),"
		      " coalesce(e.refused, 0), coalesce(e.expired, 0), coalesce(e.bounced, 0),"
		      " coalesce(e.complained, 0), coalesce(g.persons, 0)"
		      " FROM v JOIN campaign c ON c.id = $1 LEFT JOIN ends e USING (n)"
		      " LEFT JOIN gone g USING (n) ORDER BY v.n" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

enum err campaign_variants_read(struct db *db, uint64_t campaign_id, struct campaign_variants *ret_variants,
				struct buf *why)
{
	const struct db_value values[] = { db_int((int64_t)campaign_id) };
	*ret_variants = (struct campaign_variants){ 0 };
	enum err err = db_run(db, &statements[READ], values, ARRAY_LEN(values), &ret_variants->rows, why);
	if (err != ERR_OK)
		return err;
	const struct db_rows *rows = ret_variants->rows;
	for (size_t i = 0; i < db_row_count(rows) && i < VARIANTS_MOST; i++)
		ret_variants->items[ret_variants->count++] = (struct campaign_variant){
			.share = (unsigned)db_get_int(rows, i, 0),
			.subject = db_get_text(rows, i, 1),
			.text_body = db_get_text(rows, i, 2),
			.html_body = db_get_text(rows, i, 3),
		};
	return ERR_OK;
}

void campaign_variants_done(struct campaign_variants *variants)
{
	db_rows_done(variants->rows);
	*variants = (struct campaign_variants){ 0 };
}

static void add_text(struct db_array *column, struct view text)
{
	if (text.len == 0)
		db_array_add_null(column);
	else
		db_array_add_bytes(column, text);
}

static enum err add(struct db *db, struct view campaign, const struct campaign_variant *variants, size_t count,
		    struct buf *why)
{
	AUTO_DB_ARRAY shares = db_array_of(DB_INT);
	AUTO_DB_ARRAY subjects = db_array_of(DB_TEXT);
	AUTO_DB_ARRAY texts = db_array_of(DB_TEXT);
	AUTO_DB_ARRAY htmls = db_array_of(DB_TEXT);
	for (size_t i = 0; i < count; i++) {
		db_array_add_int(&shares, variants[i].share);
		add_text(&subjects, variants[i].subject);
		add_text(&texts, variants[i].text_body);
		add_text(&htmls, variants[i].html_body);
	}
	const struct db_value values[] = { db_text(campaign), db_values(&shares), db_values(&subjects),
					   db_values(&texts), db_values(&htmls) };
	return db_run(db, &statements[ADD], values, ARRAY_LEN(values), NULL, why);
}

enum err campaign_variants_replace(struct db *db, struct view campaign, const struct campaign_variant *variants,
				   size_t count, struct buf *why)
{
	const struct db_value values[] = { db_text(campaign) };
	enum err err = db_run(db, &statements[FORGET], values, ARRAY_LEN(values), NULL, why);
	return err != ERR_OK || count == 0 ? err : add(db, campaign, variants, count, why);
}

/* ---- results ---- */

enum err campaign_results(struct db *db, uint64_t campaign_id, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_int((int64_t)campaign_id) };
	return db_run(db, &statements[RESULTS], values, ARRAY_LEN(values), ret_rows, why);
}

void campaign_results_get(const struct db_rows *rows, size_t row, struct campaign_result *ret_result)
{
	*ret_result = (struct campaign_result){
		.variant = (unsigned)db_get_int(rows, row, 0),
		.share = (unsigned)db_get_int(rows, row, 1),
		.subject = db_get_text(rows, row, 2),
		.accepted = db_get_int(rows, row, 3),
		.refused = db_get_int(rows, row, 4),
		.expired = db_get_int(rows, row, 5),
		.bounced = db_get_int(rows, row, 6),
		.complained = db_get_int(rows, row, 7),
		.left = db_get_int(rows, row, 8),
	};
}
