#include "store/budgets.h"

#include <assert.h>

enum statement { TURN, RELEASE, CUT, REOPEN, UNCUT, WAKE, WAKE_SOME, LIMITS, LIST, WAITS, STATEMENT_COUNT };

/* b is cut, or closed, now. */
#define IS_CUT                                                                                                         \
	" (b.closed_for IS NOT NULL"                                                                                   \
	" OR budget_rate(b, l.rate, now()) IS DISTINCT FROM l.rate)"

/* Of k: each key that has a limit or was used, and those of more. */
#define KEYS(more)                                                                                                     \
	" FROM (SELECT key FROM budget_limit UNION SELECT key FROM budget" more ") AS k"                               \
	" LEFT JOIN budget_limit l ON l.key = k.key LEFT JOIN budget b ON b.key = k.key"

/* In the order of budgets_standing_get(); of KEYS, and those of NAMES. */
#define COLUMNS                                                                                                        \
	"k.key, CASE WHEN w.id IS NOT NULL THEN concat_ws(' ', 'relay ' || w.relay,"                                   \
	" 'group ' || g.name) END, coalesce(l.rate, 0), coalesce(budget_rate(b, l.rate, now()), 0),"                   \
	" coalesce(l.slots, 0)::bigint, coalesce(l.of_day, 0),"                                                        \
	" CASE WHEN b.day = (now() AT TIME ZONE 'UTC')::date THEN b.used ELSE 0 END,"                                  \
	" (SELECT count(*) FROM budget_lease x WHERE x.key = k.key AND x.until > now()),"                              \
	" (SELECT coalesce(sum(x.slots), 0) FROM budget_lease x WHERE x.key = k.key"                                   \
	" AND greatest(x.until, x.holds_until) > now()),"                                                              \
	" CASE WHEN" IS_CUT " THEN b.cut_at END, b.closed_until, CASE WHEN" IS_CUT " THEN b.reason END"
#define NAMES                                                                                                          \
	" LEFT JOIN warmup w ON 'warmup:' || w.id = k.key"                                                             \
	" LEFT JOIN domain_group g ON g.id = w.group_id"

static const struct db_statement statements[] = {
	[TURN] = { .name = "budgets_turn",
		   .sql = "SELECT key, tokens, slots, rate, pace, opens_at"
			  " FROM budget_turn($1::uuid, $2::text[], $3::bigint[], $4::bigint[], $5::bigint[],"
			  " $6 * interval '1 microsecond')" },
	[RELEASE] = { .name = "budgets_release", .sql = "DELETE FROM budget_lease WHERE worker_id = $1::uuid" },
	/* $2: what one worker measured; there are as many as are alive. */
	[CUT] = { .name = "budgets_cut",
		  .sql = "SELECT budget_cut($1, $2::text::float8 * greatest(1, (SELECT count(*) FROM worker"
			 " WHERE pid IS NOT NULL AND seen_at > now() - interval '30 s')), $3::boolean, $4)" },
	[REOPEN] = { .name = "budgets_reopen",
		     .sql = "UPDATE budget SET closed_for = NULL, closed_until = NULL"
			    " WHERE key = $1 AND closed_for IS NOT NULL" },
	[UNCUT] = { .name = "budgets_uncut",
		    .sql = "UPDATE budget b SET closed_for = NULL, closed_until = NULL, cut_at = NULL, cut_from = NULL,"
			   " cut_rate = NULL, reason = NULL WHERE b.key = $1"
			   " AND (b.closed_for IS NOT NULL OR b.cut_at IS NOT NULL)" },
	[WAKE] = { .name = "budgets_wake",
		   .sql = "UPDATE deferral SET next_attempt_at = now() WHERE waits_for = $1 AND opened_by IS NULL"
			  " AND next_attempt_at > now()" },
	[WAKE_SOME] = { .name = "budgets_wake_some",
			.sql = "WITH due AS (SELECT campaign_id, subscriber_id FROM deferral WHERE waits_for = $1"
			       " AND opened_by IS NULL AND next_attempt_at > now() LIMIT $2 FOR UPDATE SKIP LOCKED)"
			       " UPDATE deferral f SET next_attempt_at = now() FROM due s"
			       " WHERE f.campaign_id = s.campaign_id AND f.subscriber_id = s.subscriber_id" },
	[LIMITS] = { .name = "budgets_limits",
		     .sql = "SELECT coalesce(l.key, b.key), l.rate IS NOT NULL OR l.of_day IS NOT NULL OR" IS_CUT ","
			    " l.slots IS NOT NULL, w.relay, g.name"
			    " FROM budget_limit l FULL JOIN budget b ON b.key = l.key"
			    " LEFT JOIN warmup w ON l.key = 'warmup:' || w.id LEFT JOIN domain_group g ON g.id = "
			    "w.group_id"
			    " WHERE l.key IS NOT NULL OR" IS_CUT },
	[LIST] = { .name = "budgets_list",
		   .sql = "SELECT " COLUMNS KEYS("") NAMES " WHERE l.key IS NOT NULL OR" IS_CUT " ORDER BY 1" },
	[WAITS] = { .name = "budgets_waits",
		    .sql = "WITH waiting AS (SELECT waits_for AS key, count(*) FROM deferral WHERE campaign_id = $1"
			   " AND waits_for IS NOT NULL AND waits_for NOT LIKE 'hold:%' GROUP BY 1)"
			   " SELECT " COLUMNS ", coalesce(p.count, 0)" KEYS(
			       " UNION SELECT key FROM waiting") " LEFT JOIN waiting p ON p.key = k.key" NAMES
								 " WHERE p.key IS NOT NULL OR ((b.key LIKE 'relay:%' "
								 "AND" IS_CUT ") OR (w.relay IS NOT NULL"
								 " AND b.day = (now() AT TIME ZONE 'UTC')::date AND "
								 "b.used >= l.of_day))"
								 " AND EXISTS (SELECT FROM campaign c WHERE c.id = $1 "
								 "AND c.state = 'running')"
								 " ORDER BY coalesce(p.count, 0) DESC, 1 LIMIT $2" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

enum err budgets_turn(struct db *db, const char *worker_id, const struct budget_ask *asks, size_t count,
		      int64_t holds_us, struct db_rows **ret_rows, struct buf *why)
{
	AUTO_DB_ARRAY keys = db_array_of(DB_TEXT);
	AUTO_DB_ARRAY waiting = db_array_of(DB_INT);
	AUTO_DB_ARRAY under_way = db_array_of(DB_INT);
	AUTO_DB_ARRAY unspent = db_array_of(DB_INT);
	for (size_t i = 0; i < count; i++) {
		db_array_add_bytes(&keys, asks[i].key);
		db_array_add_int(&waiting, asks[i].waiting);
		db_array_add_int(&under_way, asks[i].under_way);
		db_array_add_int(&unspent, asks[i].unspent);
	}
	const struct db_value values[] = { db_text(view_of(worker_id)), db_values(&keys),    db_values(&waiting),
					   db_values(&under_way),       db_values(&unspent), db_int(holds_us) };
	return db_run(db, &statements[TURN], values, ARRAY_LEN(values), ret_rows, why);
}

static int64_t int_or(const struct db_rows *rows, size_t row, size_t column, int64_t none)
{
	return db_is_null(rows, row, column) ? none : db_get_int(rows, row, column);
}

struct budget_grant budgets_get(const struct db_rows *rows, size_t row)
{
	return (struct budget_grant){
		.key = db_get_text(rows, row, 0),
		.tokens = int_or(rows, row, 1, -1),
		.slots = int_or(rows, row, 2, -1),
		.rate = db_get_double(rows, row, 3),
		.pace = db_get_double(rows, row, 4),
		.opens_us = db_get_time(rows, row, 5),
	};
}

enum err budgets_release(struct db *db, const char *worker_id, struct buf *why)
{
	const struct db_value values[] = { db_text(view_of(worker_id)) };
	return db_run(db, &statements[RELEASE], values, ARRAY_LEN(values), NULL, why);
}

enum err budgets_cut(struct db *db, struct view key, double measured, bool all_refused, struct view reason,
		     bool *ret_news, struct buf *why)
{
	enum { NUMBER_MOST = 64 };
	AUTO_BUF number = buf_with_ceiling(NUMBER_MOST);
	buf_addf(&number, "%.9g", measured);
	const struct db_value values[] = { db_text(key), db_text(buf_view(&number)),
					   db_text(all_refused ? VIEW_LIT("true") : VIEW_LIT("false")),
					   db_text(reason) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[CUT], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_news = db_get_bool(rows, 0, 0);
	return err;
}

enum err budgets_reopen(struct db *db, struct view key, struct buf *why)
{
	const struct db_value values[] = { db_text(key) };
	return db_run(db, &statements[REOPEN], values, ARRAY_LEN(values), NULL, why);
}

enum err budgets_uncut(struct db *db, struct view key, struct buf *why)
{
	const struct db_value values[] = { db_text(key) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[UNCUT], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK || db_changed(rows) > 0)
		return err;
	buf_addf(why, VIEW_FMT " is not cut; `listctl pace ls` shows what is", VIEW_ARG(key));
	return ERR_NOT_FOUND;
}

enum err budgets_wake(struct db *db, struct view key, struct buf *why)
{
	const struct db_value values[] = { db_text(key) };
	return db_run(db, &statements[WAKE], values, ARRAY_LEN(values), NULL, why);
}

enum err budgets_wake_some(struct db *db, struct view key, bool *ret_are_all, struct buf *why)
{
	enum { SOME = 4000 };
	const struct db_value values[] = { db_text(key), db_int(SOME) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[WAKE_SOME], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_are_all = db_changed(rows) < SOME;
	return err;
}

enum err budgets_limits(struct db *db, struct db_rows **ret_rows, struct buf *why)
{
	return db_run(db, &statements[LIMITS], NULL, 0, ret_rows, why);
}

struct budget_limit budgets_limit_get(const struct db_rows *rows, size_t row)
{
	return (struct budget_limit){
		.key = db_get_text(rows, row, 0),
		.has_tokens = db_get_bool(rows, row, 1),
		.has_slots = db_get_bool(rows, row, 2),
		.relay = db_get_text(rows, row, 3),
		.group = db_get_text(rows, row, 4),
	};
}

enum err budgets_list(struct db *db, struct db_rows **ret_rows, struct buf *why)
{
	return db_run(db, &statements[LIST], NULL, 0, ret_rows, why);
}

struct budget_standing budgets_standing_get(const struct db_rows *rows, size_t row)
{
	return (struct budget_standing){
		.key = db_get_text(rows, row, 0),
		.name = db_get_text(rows, row, 1),
		.limit = db_get_double(rows, row, 2),
		.rate = db_get_double(rows, row, 3),
		.slots = db_get_int(rows, row, 4),
		.of_day = db_get_int(rows, row, 5),
		.used = db_get_int(rows, row, 6),
		.workers = db_get_int(rows, row, 7),
		.taken = db_get_int(rows, row, 8),
		.cut_us = db_get_time(rows, row, 9),
		.closed_until_us = db_get_time(rows, row, 10),
		.reason = db_get_text(rows, row, 11),
	};
}

enum err budgets_waits(struct db *db, uint64_t campaign_id, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_int((int64_t)campaign_id), db_int(BUDGET_WAITS_MOST) };
	return db_run(db, &statements[WAITS], values, ARRAY_LEN(values), ret_rows, why);
}

struct budget_wait budgets_wait_get(const struct db_rows *rows, size_t row)
{
	enum { AFTER_STANDING = 12 };
	return (struct budget_wait){ .standing = budgets_standing_get(rows, row),
				     .recipients = db_get_int(rows, row, AFTER_STANDING) };
}
