#include "store/relays.h"

static const struct db_statement report = {
	.name = "relays_report",
	.sql = "INSERT INTO relay_state AS r (relay, tripped, reason, since, retry_at)"
	       " VALUES ($1, $2::text IS NOT NULL, $2::text, now(), $3::timestamptz)"
	       " ON CONFLICT (relay) DO UPDATE SET tripped = excluded.tripped, reason = excluded.reason,"
	       " retry_at = excluded.retry_at,"
	       " since = CASE WHEN r.tripped = excluded.tripped THEN r.since ELSE excluded.since END",
};

enum err relays_report(struct db *db, struct view relay, struct view reason, int64_t retry_at_us, struct buf *why)
{
	const struct db_value values[] = {
		db_text(relay),
		db_text_or_null(reason),
		reason.len == 0 ? db_null() : db_time(retry_at_us),
	};
	return db_run(db, &report, values, ARRAY_LEN(values), NULL, why);
}
