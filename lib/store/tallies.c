#include "store/tallies.h"

#include <assert.h>

#include "base/limits.h"
#include "store/audit.h"

enum statement {
	ADD,
	ADD_REPORTS,
	ANY_GROUP,
	ANY_WHOLE,
	HOLD_GROUPS,
	PAUSE,
	HOLD,
	PURGE,
	HOLDS,
	HOLDS_OF,
	LIFT,
	FREE,
	FORGET,
	STATEMENT_COUNT
};

#define ADD_UP                                                                                                         \
	" ON CONFLICT (campaign_id, group_name, minute, source) DO UPDATE SET accepted = t.accepted + "                \
	"excluded.accepted,"                                                                                           \
	" hard = t.hard + excluded.hard, policy = t.policy + excluded.policy, soft = t.soft + excluded.soft,"          \
	" complaints = t.complaints + excluded.complaints"

/* Held groups are not counted. */
#define NOT_HELD                                                                                                       \
	" AND NOT EXISTS (SELECT FROM campaign_group_hold h"                                                           \
	" WHERE h.campaign_id = t.campaign_id AND h.group_name = t.group_name)"

/* What became of messages within the window ($1, microseconds), without what is held already, for each `of`; and the first reason to
 * trip, if any. $2 to $7: share (in thousandths) and least number for hard, policy, complaints.
 *
 * What the relay said is a share of what ended within the window. Reports come hours and days later, so together with them it is a share of
 * all that was sent so far, and nothing when nothing was accepted. */
#define JUDGED(of, where)                                                                                              \
	"WITH recent AS (SELECT " of                                                                                   \
	" sum(t.accepted + t.hard + t.policy + t.soft) FILTER (WHERE NOT t.is_report) AS ended,"                       \
	" coalesce(sum(t.hard) FILTER (WHERE NOT t.is_report), 0) AS hard,"                                            \
	" coalesce(sum(t.policy) FILTER (WHERE NOT t.is_report), 0) AS policy,"                                        \
	" sum(t.hard) AS all_hard, sum(t.policy) AS all_policy, sum(t.complaints) AS complaints"                       \
	" FROM campaign_tally t JOIN campaign c ON c.id = t.campaign_id"                                               \
	" WHERE c.state = 'running' AND t.minute >= now() - $1 * interval '1 microsecond'" where NOT_HELD              \
	" GROUP BY 1, 2),"                                                                                             \
	" judged AS (SELECT r.campaign_id, r.group_name, CASE"                                                         \
	" WHEN $2 > 0 AND hard >= $3 AND hard * 1000 >= $2 * ended"                                                    \
	" THEN format('%s of %s messages bounced hard within %s minutes', hard, ended, minutes)"                       \
	" WHEN $4 > 0 AND policy >= $5 AND policy * 1000 >= $4 * ended"                                                \
	" THEN format('%s of %s messages were rejected because of us within %s minutes', policy, ended, minutes)"      \
	" WHEN so_far.accepted > 0 THEN CASE"                                                                          \
	" WHEN $2 > 0 AND all_hard > hard AND all_hard >= $3 AND all_hard * 1000 >= $2 * sent"                         \
	" THEN format('%s hard bounces within %s minutes after %s messages so far', all_hard, minutes, sent)"          \
	" WHEN $4 > 0 AND all_policy > policy AND all_policy >= $5 AND all_policy * 1000 >= $4 * sent"                 \
	" THEN format('%s rejections because of us within %s minutes after %s messages so far', all_policy, minutes,"  \
	" sent)"                                                                                                       \
	" WHEN $6 > 0 AND complaints >= $7 AND complaints * 1000 >= $6 * so_far.accepted"                              \
	" THEN format('%s complaints within %s minutes about %s messages so far', complaints, minutes,"                \
	" so_far.accepted) END END AS reason FROM recent r"                                                            \
	" CROSS JOIN LATERAL (SELECT $1 / 60000000 AS minutes) AS words"                                               \
	" LEFT JOIN LATERAL (SELECT sum(t.accepted) AS accepted, sum(t.accepted) + r.hard + r.policy AS sent"          \
	" FROM campaign_tally t WHERE (r.all_hard > r.hard OR r.all_policy > r.policy OR r.complaints > 0)"            \
	" AND t.campaign_id = r.campaign_id AND (r.group_name = '' OR t.group_name = r.group_name)" NOT_HELD           \
	") AS so_far ON true)"

#define JUDGED_GROUPS JUDGED("t.campaign_id, t.group_name,", " AND t.group_name <> ''")
#define JUDGED_WHOLE JUDGED("t.campaign_id, '' AS group_name,", "")

static const struct db_statement statements[] = {
	/* $1 source, then columns. */
	[ADD] = { .name = "tallies_add",
		  .sql = "INSERT INTO campaign_tally AS t (campaign_id, group_name, minute, source, accepted, hard, "
			 "policy, soft,"
			 " complaints) SELECT i.c, i.g, date_trunc('minute', now()), $1, i.a, i.h, i.p, i.s, i.m"
			 " FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], "
			 "$7::bigint[],"
			 " $8::bigint[]) AS i(c, g, a, h, p, s, m) ORDER BY 1, 2" ADD_UP },
	/* $1 campaigns, $2 subscribers, $3 kinds. The connection is the source. */
	[ADD_REPORTS] = { .name = "tallies_add_reports",
			  .sql = "INSERT INTO campaign_tally AS t (campaign_id, group_name, minute, source, "
				 "is_report,"
				 " hard, policy, soft, complaints)"
				 " SELECT i.c, coalesce(g.name, ''), date_trunc('minute', now()),"
				 " 'report:' || pg_backend_pid(), true, count(*) FILTER (WHERE i.k = 'hard'),"
				 " count(*) FILTER (WHERE i.k = 'policy'), count(*) FILTER (WHERE i.k = 'soft'),"
				 " count(*) FILTER (WHERE i.k = 'complaint')"
				 " FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS i(c, s, k)"
				 " JOIN subscriber s ON s.id = i.s"
				 " LEFT JOIN domain_group_domain d ON d.domain = split_part(s.address_key, '@', 2)"
				 " LEFT JOIN domain_group g ON g.id = d.group_id GROUP BY 1, 2 ORDER BY 1, 2" ADD_UP },
	[ANY_GROUP] = { .name = "tallies_any_group",
			.sql = JUDGED_GROUPS " SELECT FROM judged WHERE reason IS NOT NULL LIMIT 1" },
	[ANY_WHOLE] = { .name = "tallies_any_whole",
			.sql = JUDGED_WHOLE " SELECT FROM judged WHERE reason IS NOT NULL LIMIT 1" },
	[HOLD_GROUPS] = { .name = "tallies_hold_groups",
			  .sql = JUDGED_GROUPS " INSERT INTO campaign_group_hold (campaign_id, group_name, reason)"
					       " SELECT campaign_id, group_name, reason FROM judged"
					       " WHERE reason IS NOT NULL"
					       " ON CONFLICT DO NOTHING RETURNING campaign_id, group_name, reason" },
	[PAUSE] = { .name = "tallies_pause",
		    .sql = JUDGED_WHOLE " UPDATE campaign c SET state = 'paused', hold_reason = j.reason FROM judged j"
					" WHERE c.id = j.campaign_id AND j.reason IS NOT NULL AND c.state = 'running'"
					" RETURNING c.id, '', j.reason" },
	[HOLD] = { .name = "tallies_hold",
		   .sql = "INSERT INTO campaign_group_hold (campaign_id, group_name, reason) SELECT id, $2, $3"
			  " FROM campaign WHERE id = $1 AND state = 'running' ON CONFLICT DO NOTHING" },
	[PURGE] = { .name = "tallies_purge", .sql = "SELECT campaign_tally_forget(NULL, NULL, $1)" },
	[HOLDS] = { .name = "tallies_holds",
		    .sql = "SELECT h.campaign_id, h.group_name FROM campaign_group_hold h"
			   " JOIN campaign c ON c.id = h.campaign_id WHERE c.state IN ('running', 'paused')" },
	[HOLDS_OF] = { .name = "tallies_holds_of",
		       .sql = "SELECT h.group_name, h.reason, h.held_at, (SELECT count(*) FROM deferral f"
			      " WHERE f.campaign_id = h.campaign_id AND f.waits_for = 'hold:' || h.group_name"
			      " AND f.next_attempt_at IS NULL) FROM campaign_group_hold h"
			      " JOIN campaign c ON c.id = h.campaign_id AND c.state IN ('running', 'paused')"
			      " WHERE h.campaign_id = $1 ORDER BY h.group_name" },
	/* Waits for workers that are parking recipients of this group just now: the next statement sees those. */
	[LIFT] = { .name = "holds_lift",
		   .sql = "DELETE FROM campaign_group_hold h USING campaign c"
			  " WHERE c.id = h.campaign_id AND c.name = $1 AND h.group_name = $2"
			  " AND c.state IN ('running', 'paused')" },
	[FREE] = { .name = "holds_free",
		   .sql = "UPDATE deferral f SET next_attempt_at = now(), waits_for = NULL FROM campaign c"
			  " WHERE c.name = $1 AND f.campaign_id = c.id AND f.waits_for = 'hold:' || $2::text"
			  " AND f.next_attempt_at IS NULL" },
	[FORGET] = { .name = "holds_forget",
		     .sql = "SELECT campaign_tally_forget(id, $2, 'infinity') FROM campaign WHERE name = $1" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

enum err tallies_add(struct db *db, const char *source, const struct tally *tallies, size_t count, struct buf *why)
{
	enum { CAMPAIGN, GROUP, ACCEPTED, HARD, POLICY, SOFT, COMPLAINTS, COLUMN_COUNT };
	struct db_array columns[COLUMN_COUNT];
	struct db_value values[1 + COLUMN_COUNT];
	values[0] = db_text(view_of(source));
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		columns[i] = db_array_of(i == GROUP ? DB_TEXT : DB_INT);
		values[1 + i] = db_values(&columns[i]);
	}
	for (size_t i = 0; i < count; i++) {
		const struct tally *tally = &tallies[i];
		db_array_add_int(&columns[CAMPAIGN], tally->campaign_id);
		db_array_add_bytes(&columns[GROUP], tally->group);
		db_array_add_int(&columns[ACCEPTED], tally->accepted);
		db_array_add_int(&columns[HARD], tally->hard);
		db_array_add_int(&columns[POLICY], tally->policy);
		db_array_add_int(&columns[SOFT], tally->soft);
		db_array_add_int(&columns[COMPLAINTS], tally->complaints);
	}
	enum err err = db_run(db, &statements[ADD], values, ARRAY_LEN(values), NULL, why);
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		db_array_done(&columns[i]);
	return err;
}

static const char *const kind_names[] = {
	[TALLY_HARD] = "hard",
	[TALLY_POLICY] = "policy",
	[TALLY_SOFT] = "soft",
	[TALLY_COMPLAINT] = "complaint",
};
static_assert(ARRAY_LEN(kind_names) == TALLY_KIND_COUNT, "one name per kind");

enum err tallies_add_reports(struct db *db, const struct tally_report *reports, size_t count, struct buf *why)
{
	AUTO_DB_ARRAY campaigns = db_array_of(DB_INT);
	AUTO_DB_ARRAY subscribers = db_array_of(DB_INT);
	AUTO_DB_ARRAY kinds = db_array_of(DB_TEXT);
	for (size_t i = 0; i < count; i++) {
		db_array_add_int(&campaigns, reports[i].campaign_id);
		db_array_add_int(&subscribers, reports[i].subscriber_id);
		db_array_add_bytes(&kinds, view_of(kind_names[reports[i].kind]));
	}
	const struct db_value values[] = { db_values(&campaigns), db_values(&subscribers), db_values(&kinds) };
	return db_run_later(db, &statements[ADD_REPORTS], values, ARRAY_LEN(values), why);
}

/* ---- tripping ---- */

static enum err note_tripped(struct db *db, const struct tally_tripped *tripped, struct buf *why)
{
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF detail = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&subject, "campaign:%lld", (long long)tripped->campaign_id);
	/* A group's name and the reason hold no quote and no control character. */
	buf_addf(&detail, "{\"group\": \"" VIEW_FMT "\", \"reason\": \"" VIEW_FMT "\"}", VIEW_ARG(tripped->group),
		 VIEW_ARG(tripped->reason));
	return audit_append(db, VIEW_LIT("sender"), "campaign.hold", buf_view(&subject), buf_view(&detail), why);
}

static struct tally_tripped tripped_at(const struct db_rows *rows, size_t row)
{
	return (struct tally_tripped){
		.campaign_id = db_get_int(rows, row, 0),
		.group = db_get_text(rows, row, 1),
		.reason = db_get_text(rows, row, 2),
	};
}

static enum err judge(struct db *db, enum statement statement, const struct tally_terms *terms,
		      struct db_rows **ret_rows, struct buf *why)
{
	const struct tally_limit *limits[] = { &terms->hard, &terms->policy, &terms->complaints };
	struct db_value values[1 + 2 * ARRAY_LEN(limits)] = { db_int(terms->window_us) };
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		values[1 + 2 * i] = db_int((int64_t)limits[i]->share);
		values[2 + 2 * i] = db_int((int64_t)limits[i]->least);
	}
	return db_run(db, &statements[statement], values, ARRAY_LEN(values), ret_rows, why);
}

static enum err trip(struct db *db, enum statement statement, const struct tally_terms *terms,
		     struct db_rows **ret_rows, struct buf *why)
{
	enum err err = judge(db, statement, terms, ret_rows, why);
	for (size_t i = 0; err == ERR_OK && i < db_row_count(*ret_rows); i++) {
		const struct tally_tripped tripped = tripped_at(*ret_rows, i);
		err = note_tripped(db, &tripped, why);
	}
	return err;
}

/* Nearly always there is nothing to write. */
static enum err trips_any(struct db *db, const struct tally_terms *terms, bool *ret_trips, struct buf *why)
{
	static const enum statement statements_of[] = { ANY_GROUP, ANY_WHOLE };
	enum err err = ERR_OK;
	*ret_trips = false;
	for (size_t i = 0; err == ERR_OK && !*ret_trips && i < ARRAY_LEN(statements_of); i++) {
		AUTO_DB_ROWS *rows = NULL;
		err = judge(db, statements_of[i], terms, &rows, why);
		*ret_trips = err == ERR_OK && db_row_count(rows) > 0;
	}
	return err;
}

enum err tallies_trip(struct db *db, const struct tally_terms *terms,
		      void (*told)(void *user, const struct tally_tripped *tripped), void *user, struct buf *why)
{
	static const enum statement steps[] = { HOLD_GROUPS, PAUSE };
	struct db_rows *rows[ARRAY_LEN(steps)] = { NULL };
	bool trips;
	enum err err = trips_any(db, terms, &trips, why);
	if (err != ERR_OK || !trips)
		return err;
	err = db_begin(db, why);
	for (size_t i = 0; err == ERR_OK && i < ARRAY_LEN(steps); i++)
		err = trip(db, steps[i], terms, &rows[i], why);
	if (err == ERR_OK)
		err = db_commit(db, why);
	if (err != ERR_OK)
		db_rollback(db);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		for (size_t row = 0; err == ERR_OK && row < db_row_count(rows[i]); row++) {
			const struct tally_tripped tripped = tripped_at(rows[i], row);
			told(user, &tripped);
		}
		db_rows_done(rows[i]);
	}
	return err;
}

enum err tallies_hold(struct db *db, int64_t campaign_id, struct view group, struct view reason, bool *ret_held,
		      struct buf *why)
{
	const struct db_value values[] = { db_int(campaign_id), db_text(group), db_text(reason) };
	AUTO_DB_ROWS *rows = NULL;
	/* The reason quotes a reply, which may hold anything: it stands with the hold. */
	const struct tally_tripped tripped = { campaign_id, group, VIEW_LIT("refused time after time") };
	enum err err = db_run(db, &statements[HOLD], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	*ret_held = db_changed(rows) > 0;
	return *ret_held ? note_tripped(db, &tripped, why) : ERR_OK;
}

enum err tallies_purge(struct db *db, int64_t before_us, struct buf *why)
{
	const struct db_value values[] = { db_time(before_us) };
	return db_run(db, &statements[PURGE], values, ARRAY_LEN(values), NULL, why);
}

/* ---- held groups ---- */

enum err tallies_holds(struct db *db, struct db_rows **ret_rows, struct buf *why)
{
	return db_run(db, &statements[HOLDS], NULL, 0, ret_rows, why);
}

enum err holds_of(struct db *db, uint64_t campaign_id, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_int((int64_t)campaign_id) };
	return db_run(db, &statements[HOLDS_OF], values, ARRAY_LEN(values), ret_rows, why);
}

void holds_at(const struct db_rows *rows, size_t row, struct held_group *ret_held)
{
	*ret_held = (struct held_group){
		.group = db_get_text(rows, row, 0),
		.reason = db_get_text(rows, row, 1),
		.since_us = db_get_time(rows, row, 2),
		.waiting = db_get_int(rows, row, 3),
	};
}

static enum err lift(struct db *db, struct view campaign, struct view group, struct view actor, size_t *ret_freed,
		     struct buf *why)
{
	const struct db_value values[] = { db_text(campaign), db_text(group) };
	AUTO_DB_ROWS *lifted = NULL, *freed = NULL;
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF detail = buf_with_ceiling(LIMIT_WHY);
	enum err err = db_run(db, &statements[LIFT], values, ARRAY_LEN(values), &lifted, why);
	if (err == ERR_OK && db_changed(lifted) == 0) {
		buf_addf(why, "the group " VIEW_FMT " is not held; `listctl campaign status` shows what is",
			 VIEW_ARG(group));
		return ERR_NOT_FOUND;
	}
	if (err == ERR_OK)
		err = db_run(db, &statements[FREE], values, ARRAY_LEN(values), &freed, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[FORGET], values, ARRAY_LEN(values), NULL, why);
	if (err != ERR_OK)
		return err;
	*ret_freed = db_changed(freed);
	buf_addf(&subject, "campaign:" VIEW_FMT, VIEW_ARG(campaign));
	buf_addf(&detail, "{\"group\": \"" VIEW_FMT "\", \"recipients\": %zu}", VIEW_ARG(group), *ret_freed);
	return audit_append(db, actor, "campaign.resume", buf_view(&subject), buf_view(&detail), why);
}

enum err holds_lift(struct db *db, struct view campaign, struct view group, struct view actor, size_t *ret_freed,
		    struct buf *why)
{
	enum err err = db_begin(db, why);
	if (err == ERR_OK)
		err = lift(db, campaign, group, actor, ret_freed, why);
	if (err == ERR_OK)
		return db_commit(db, why);
	db_rollback(db);
	return err;
}
