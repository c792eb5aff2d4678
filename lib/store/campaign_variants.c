#include "store/campaign_variants.h"

#include <assert.h>

enum statement { READ, FORGET, ADD, STATEMENT_COUNT };

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
