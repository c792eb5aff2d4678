#include "store/alerts.h"

#include <assert.h>

#include "store/workers.h"

enum statement { LOOK, REPORT, LIST, NEXT, TOLD, STATEMENT_COUNT };

#define COLUMNS "SELECT kind, subject, said, first_at, last_at, ended_at, told_at FROM alert"

static const struct db_statement statements[] = {
	[LOOK] = { "alerts_look",
		   "SELECT alerts_notice('{campaign,group,storm,relay}', array_agg(kind), array_agg(subject),"
		   " array_agg(said)) FROM troubles($1::bigint::integer)" },
	[REPORT] = { "alerts_report",
		     "SELECT alerts_notice(ARRAY[$1::text], array_agg($1::text), array_agg($2::text),"
		     " array_agg($3::text)) FROM generate_series(1, CASE WHEN $3::text = '' THEN 0 ELSE 1 END)" },
	[LIST] = { "alerts_list", COLUMNS " WHERE $1 OR ended_at IS NULL ORDER BY first_at, kind, subject" },
	[NEXT] = { "alerts_next", COLUMNS " WHERE ended_at IS NULL AND (told_at IS NULL"
					  " OR told_at < now() - $1 * interval '1 microsecond')"
					  " ORDER BY first_at, kind, subject LIMIT 1 FOR UPDATE SKIP LOCKED" },
	[TOLD] = { "alerts_told", "UPDATE alert SET told_at = now() WHERE kind = $1 AND subject = $2" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

enum err alerts_look(struct db *db, struct buf *why)
{
	const struct db_value alive = db_int(WORKERS_ALIVE_S);
	return db_run(db, &statements[LOOK], &alive, 1, NULL, why);
}

enum err alerts_report(struct db *db, const char *kind, struct view subject, struct view said, struct buf *why)
{
	const struct db_value values[] = { db_text(view_of(kind)), db_text(subject), db_text(said) };
	return db_run(db, &statements[REPORT], values, ARRAY_LEN(values), NULL, why);
}

enum err alerts_list(struct db *db, bool all, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value with_ended = db_bool(all);
	return db_run(db, &statements[LIST], &with_ended, 1, ret_rows, why);
}

void alert_at(const struct db_rows *rows, size_t row, struct alert *ret_alert)
{
	*ret_alert = (struct alert){ .kind = db_get_text(rows, row, 0),
				     .subject = db_get_text(rows, row, 1),
				     .said = db_get_text(rows, row, 2),
				     .first_us = db_get_time(rows, row, 3),
				     .last_us = db_get_time(rows, row, 4),
				     .ended_us = db_get_time(rows, row, 5),
				     .told_us = db_get_time(rows, row, 6) };
}

enum err alerts_next(struct db *db, int64_t interval_us, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value interval = db_int(interval_us);
	return db_find(db, &statements[NEXT], &interval, 1, ret_rows, why);
}

enum err alerts_told(struct db *db, const struct alert *alert, struct buf *why)
{
	const struct db_value values[] = { db_text(alert->kind), db_text(alert->subject) };
	return db_run(db, &statements[TOLD], values, ARRAY_LEN(values), NULL, why);
}
