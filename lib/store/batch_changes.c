#include "store/batch_changes.h"

static const struct db_statement disable = {
	"batch_disable",
	"WITH old AS MATERIALIZED (SELECT m.*, v.reason AS why, v.campaign_id AS decided_by"
	" FROM membership m JOIN unnest($2::bigint[], $3::text[], $4::bigint[], $6::bigint[])"
	" AS v(subscriber_id, reason, campaign_id, list_id)"
	" ON v.list_id = m.list_id AND v.subscriber_id = m.subscriber_id WHERE m.state = 'active' FOR UPDATE OF m),"
	" changed AS (UPDATE membership m SET state = 'disabled', reason = old.why, since = $5,"
	" campaign_id = old.decided_by FROM old WHERE m.list_id = old.list_id"
	" AND m.subscriber_id = old.subscriber_id RETURNING 1),"
	" kept AS (" BATCH_KEEP_CHANGE("disabled", "$5") ") SELECT count(*) FROM changed"
};

struct db_array batch_verdict_reasons(void)
{
	struct db_array reasons = db_array_of(DB_TEXT);
	for (size_t i = 0; i < REASON_COUNT; i++)
		db_array_add_bytes(&reasons, view_of(reason_name((enum bounce_reason)i)));
	return reasons;
}

enum err batch_disable(struct db *db, uint64_t batch, const struct verdict_sentences *sentences, int64_t now_us,
		       size_t *sum, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	if (verdict_sentences_count(sentences) == 0)
		return ERR_OK;
	const struct db_value values[] = { batch == 0 ? db_null() : db_int((int64_t)batch),
					   db_values(&sentences->subscribers),
					   db_values(&sentences->reasons),
					   db_values(&sentences->campaigns),
					   db_time(now_us),
					   db_values(&sentences->lists) };
	enum err err = db_run(db, &disable, values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*sum += (size_t)db_get_int(rows, 0, 0);
	return err;
}
