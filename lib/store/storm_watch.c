#include "store/storm_watch.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "mail/storm_text.h"
#include "store/storm_members.h"
#include "store/storm_sql.h"

enum statement {
	EVALUATE,
	OPEN,
	MARK,
	TAKE_BACK,
	RELEASE,
	SURGES,
	LOOKED,
	TELL,
	FORGET,
	FORGET_LOOKS,
	STATEMENT_COUNT
};

/* EVALUATE: $1 the key, $2 since when, $3 how many to look at, $4 the least: with fewer the share, which costs most, is not asked for.
 *
 * The sample has as many of each slot as its share. Somebody had accepted before if the newest of his copies that this text is not about was
 * accepted, and nothing came back of it. What share fails is asked of what was sent since nine in ten of these copies were: reports may come hours after
 * them. What goes to a group is tallied (schema/003); of a domain in none, its share of the newest campaign is estimated by who is first in it. */
#define SAMPLED                                                                                                        \
	"WITH slots AS MATERIALIZED (SELECT slot, sum(events) AS n FROM storm_count"                                   \
	"  WHERE key = $1 AND slot > $2::timestamptz - interval '10 minutes' GROUP BY 1"                               \
	"), total AS MATERIALIZED (SELECT sum(n) AS n FROM slots"                                                      \
	"), sample AS MATERIALIZED (SELECT e.* FROM slots CROSS JOIN LATERAL (SELECT campaign_id, subscriber_id,"      \
	"   received_at, reason, diagnostic, recipient FROM bounce_event b WHERE b.storm_key = $1"                     \
	"   AND b.received_at >= greatest(slot, $2) AND b.received_at < slot + interval '10 minutes'"                  \
	"   AND NOT b.orphan AND NOT b.voided ORDER BY b.received_at"                                                  \
	"   LIMIT ceil($3::bigint * slots.n / (SELECT n FROM total))::bigint) AS e"                                    \
	"), people AS MATERIALIZED (SELECT DISTINCT ON (subscriber_id) campaign_id, subscriber_id, received_at"        \
	"  FROM sample ORDER BY subscriber_id, received_at DESC)"
#define KNOWN                                                                                                          \
	", newer AS MATERIALIZED (SELECT id, list_id FROM (SELECT id, list_id, row_number()"                           \
	"   OVER (PARTITION BY list_id ORDER BY started_at DESC) AS n FROM campaign_sent) AS c WHERE n <= 20"          \
	"), known AS MATERIALIZED (SELECT own.at FROM people p CROSS JOIN LATERAL ("                                   \
	"   SELECT d.outcome = 'accepted' AND NOT EXISTS (SELECT FROM bounce_event b WHERE b.campaign_id = d.id"       \
	"     AND b.subscriber_id = p.subscriber_id AND b.kind IN ('bounce-hard', 'bounce-soft')"                      \
	"     AND NOT b.orphan AND NOT b.voided) AS is_sound"                                                          \
	"   FROM (SELECT c.id, l.at, l.outcome FROM (SELECT DISTINCT n.id FROM membership m"                           \
	"      JOIN newer n ON n.list_id = m.list_id WHERE m.subscriber_id = p.subscriber_id"                          \
	"      AND n.id <> p.campaign_id OFFSET 0) AS c CROSS JOIN LATERAL (SELECT at, outcome FROM delivery"          \
	"      WHERE campaign_id = c.id AND subscriber_id = p.subscriber_id OFFSET 0) AS l) AS d"                      \
	"   WHERE d.outcome IN ('accepted', 'refused') AND d.at < p.received_at AND NOT EXISTS ("                      \
	"    SELECT FROM bounce_event b WHERE b.campaign_id = d.id AND b.subscriber_id = p.subscriber_id"              \
	"     AND b.storm_key = $1 AND b.received_at >= $2) ORDER BY d.at DESC LIMIT 1) AS last"                       \
	"  LEFT JOIN LATERAL (SELECT at FROM delivery d WHERE d.campaign_id = p.campaign_id"                           \
	"   AND d.subscriber_id = p.subscriber_id OFFSET 0) AS own ON true WHERE last.is_sound"                        \
	"), began AS MATERIALIZED (SELECT percentile_disc(0.1) WITHIN GROUP (ORDER BY at) AS at FROM known)"
#define SENT                                                                                                           \
	", newest AS MATERIALIZED (SELECT e.campaign_id, e.reason, e.diagnostic, e.recipient, s.address_key,"          \
	"   " STORM_GROUP("s.address_key") " AS name, EXISTS (SELECT FROM domain_group_domain x"                       \
					   "    WHERE x.domain = split_part(s.address_key, '@', 2)) AS is_group"       \
					   "  FROM sample e JOIN subscriber s ON s.id = e.subscriber_id ORDER BY "     \
					   "e.received_at DESC LIMIT 1"                                                \
					   "), sent AS MATERIALIZED (SELECT sum(t.accepted + t.hard + t.policy) AS "   \
					   "copies FROM newest CROSS JOIN began"                                       \
					   "  JOIN campaign_tally t ON NOT t.is_report AND t.minute >= "               \
					   "date_trunc('minute', began.at)"                                            \
					   "   AND CASE WHEN is_group THEN t.group_name = name ELSE t.campaign_id = "  \
					   "newest.campaign_id END)"
#define SHARE                                                                                                          \
	"CASE WHEN is_group OR (SELECT count(*) FROM known) < $4 THEN 1 ELSE (SELECT count(*) FILTER (WHERE "          \
	"split_part(s.address_key, '@', 2) = name)"                                                                    \
	" / greatest(count(*), 1)::float8 FROM (SELECT subscriber_id FROM delivery d"                                  \
	"  WHERE d.campaign_id = newest.campaign_id ORDER BY subscriber_id LIMIT 4000) AS d"                           \
	" CROSS JOIN LATERAL (SELECT address_key FROM subscriber WHERE id = d.subscriber_id OFFSET 0) AS s) END"

static const struct db_statement statements[] = {
	[EVALUATE] = { "storm_watch_evaluate", SAMPLED KNOWN SENT
		       " SELECT (SELECT count(*) FROM people), (SELECT count(*) FROM known), (SELECT count(*) FROM "
		       "sample),"
		       " (SELECT n FROM total)::bigint, coalesce(sent.copies, 0)::bigint, is_group, " SHARE
		       ", name, reason, diagnostic, recipient FROM newest CROSS JOIN sent" },
	/* One that is open goes on. */
	[OPEN] = { "storm_watch_open",
		   "INSERT INTO storm (key, group_name, reason, said, since, until, sampled, accepted, copies)"
		   " SELECT $1, $2, $3, $4, began.at, $6, $7, $8, $9 FROM (SELECT greatest($5::timestamptz,"
		   "  (SELECT max(until) FROM storm WHERE key = $1)) AS at) AS began WHERE began.at < $6"
		   " ON CONFLICT (key) WHERE state = 'holding'"
		   " DO UPDATE SET until = greatest(storm.until, excluded.until)" },
	[MARK] = { "storm_watch_mark", "SAVEPOINT storm" },
	[TAKE_BACK] = { "storm_watch_take_back", "ROLLBACK TO SAVEPOINT storm" },
	[RELEASE] = { "storm_watch_release", "RELEASE SAVEPOINT storm" },
	/* $1 since when, $2 the least, $3 now, $4 and $5: a storm that holds until then, and a text that was looked at since then, can wait. Texts of
	 * which so many came and which were not looked at lately, nor with about as many; when it could not be told, for as long as they come. */
	[SURGES] = { "storm_watch_surges",
		     "SELECT c.key, c.came FROM (SELECT key, sum(events)::bigint AS came, max(slot) AS newest"
		     "  FROM storm_count WHERE slot > $1 GROUP BY key HAVING sum(events) >= $2) AS c"
		     " LEFT JOIN storm_look l ON l.key = c.key AND l.looked_at > $5"
		     " WHERE (l.key IS NULL OR c.came * 2 >= l.came * 3 OR (NOT l.is_told"
		     "  AND c.newest > $3::timestamptz - interval '20 minutes'))"
		     " AND NOT EXISTS (SELECT FROM storm s WHERE s.key = c.key AND s.until > $3"
		     "  AND (s.state <> 'holding' OR s.until > $4)) ORDER BY 1" },
	[LOOKED] = { "storm_watch_looked",
		     "INSERT INTO storm_look (key, looked_at, came, is_told) VALUES ($1, $2, $3, $4) ON CONFLICT (key)"
		     " DO UPDATE SET looked_at = excluded.looked_at, came = excluded.came, is_told = "
		     "excluded.is_told" },
	[TELL] = { "storm_watch_tell",
		   "UPDATE storm SET told_at = now() WHERE told_at IS NULL RETURNING id, group_name,"
		   " reason, said, sampled, accepted, copies" },
	[FORGET] = { "storm_watch_forget", "DELETE FROM storm_count WHERE slot < $1" },
	[FORGET_LOOKS] = { "storm_watch_forget_looks", "DELETE FROM storm_look WHERE looked_at < $1" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

enum {
	COL_PEOPLE,
	COL_KNOWN,
	COL_SAMPLE,
	COL_TOTAL,
	COL_COPIES,
	COL_IS_GROUP,
	COL_SHARE,
	COL_GROUP,
	COL_REASON,
	COL_DIAGNOSTIC,
	COL_RECIPIENT
};

/* ---- what it takes ---- */

enum sight { NO_STORM, STORM, NOT_TOLD };

/* Of the reports within the window, nine in ten whose address had accepted before, against the copies sent since these were. Until the tallies of those
 * copies are written, which a worker does every second, nothing can be told. */
static enum sight judge_sight(const struct db_rows *rows, const struct storm_terms *terms, int64_t *ret_copies)
{
	double failed = 0.9 * (double)db_get_int(rows, 0, COL_TOTAL) * (double)db_get_int(rows, 0, COL_KNOWN) /
			(double)db_get_int(rows, 0, COL_SAMPLE);
	double copies = (double)db_get_int(rows, 0, COL_COPIES);
	double sent = copies * db_get_double(rows, 0, COL_SHARE);
	if ((uint64_t)db_get_int(rows, 0, COL_KNOWN) < terms->least)
		return NO_STORM;
	if (copies < 1 || (db_get_bool(rows, 0, COL_IS_GROUP) && sent < failed))
		return NOT_TOLD;
	if (failed * 1000 < (double)terms->share * sent)
		return NO_STORM;
	*ret_copies = (int64_t)sent;
	return STORM;
}

static enum err open_storm(struct db *db, int64_t key, const struct db_rows *seen, int64_t copies,
			   const struct verdict_terms *terms, struct buf *why)
{
	AUTO_BUF said = buf_with_ceiling(LIMIT_STORM_TEXT);
	enum err err =
	    storm_text_write(db_get_text(seen, 0, COL_DIAGNOSTIC), db_get_text(seen, 0, COL_RECIPIENT), &said);
	if (err != ERR_OK)
		return err;
	const struct db_value values[] = { db_int(key),
					   db_text(db_get_text(seen, 0, COL_GROUP)),
					   db_text(db_get_text(seen, 0, COL_REASON)),
					   db_text(buf_view(&said)),
					   db_time(terms->now_us - terms->storms.window_us),
					   db_time(terms->now_us + terms->storms.window_us),
					   db_int(db_get_int(seen, 0, COL_PEOPLE)),
					   db_int(db_get_int(seen, 0, COL_KNOWN)),
					   db_int(copies) };
	return db_run(db, &statements[OPEN], values, ARRAY_LEN(values), NULL, why);
}

/* *ret_sight STORM: one is open. */
static enum err consider(struct db *db, int64_t key, const struct verdict_terms *terms, enum sight *ret_sight,
			 struct buf *why)
{
	AUTO_DB_ROWS *seen = NULL;
	int64_t copies = 0;
	enum sight sight = NO_STORM;
	const struct db_value values[] = { db_int(key), db_time(terms->now_us - terms->storms.window_us),
					   db_int(STORM_SAMPLE), db_int((int64_t)terms->storms.least) };
	enum err err = db_run(db, &statements[EVALUATE], values, ARRAY_LEN(values), &seen, why);
	if (err == ERR_OK && db_row_count(seen) > 0)
		sight = judge_sight(seen, &terms->storms, &copies);
	if (err == ERR_OK && sight == STORM)
		err = open_storm(db, key, seen, copies, terms, why);
	if (err == ERR_OK)
		*ret_sight = sight;
	return err;
}

/* ---- as reports are stored ---- */

static int by_key(const void *left, const void *right)
{
	const struct storm_sighting *a = left, *b = right;
	return (a->key > b->key) - (a->key < b->key);
}

static size_t merge(struct storm_sighting *sightings, size_t count)
{
	size_t merged = 0;
	qsort(sightings, count, sizeof(*sightings), by_key);
	for (size_t i = 0; i < count; i++) {
		if (merged > 0 && sightings[merged - 1].key == sightings[i].key)
			sightings[merged - 1].added += sightings[i].added;
		else
			sightings[merged++] = sightings[i];
	}
	return merged;
}

/* Whether the number has reached one of those at which is looked: the least, and then half as many more each time. */
static bool is_due(const struct storm_sighting *sighting, uint64_t least)
{
	uint64_t before = (uint64_t)sighting->before, after = before + (uint64_t)sighting->added;
	uint64_t mark = least;
	while (mark <= before)
		mark += mark / 2 + 1;
	return mark <= after;
}

/* Whoever stores reports must not lose them by a failure of this one, which storm_watch_look() meets too, and tells. */
static enum err consider_apart(struct db *db, int64_t key, const struct verdict_terms *terms, bool *opened,
			       struct buf *why)
{
	AUTO_BUF failure = buf_with_ceiling(LIMIT_WHY);
	enum sight sight = NO_STORM;
	enum err err = db_run(db, &statements[MARK], NULL, 0, NULL, why);
	if (err != ERR_OK)
		return err;
	err = consider(db, key, terms, &sight, &failure);
	if (err == ERR_UNAVAILABLE) {
		buf_add(why, buf_view(&failure));
		return err;
	}
	*opened = *opened || (err == ERR_OK && sight == STORM);
	return db_run(db, &statements[err == ERR_OK ? RELEASE : TAKE_BACK], NULL, 0, NULL, why);
}

enum err storm_watch_notice(struct db *db, struct storm_sighting *sightings, size_t count,
			    const struct verdict_terms *terms, bool *ret_opened, struct buf *why)
{
	enum err err = ERR_OK;
	bool opened = false;
	if (terms->storms.share == 0 || count == 0)
		return ERR_OK;
	count = merge(sightings, count);
	for (size_t i = 0; err == ERR_OK && i < count; i++)
		if (is_due(&sightings[i], terms->storms.least))
			err = consider_apart(db, sightings[i].key, terms, &opened, why);
	if (err == ERR_OK && opened)
		*ret_opened = true;
	return err;
}

/* ---- from time to time ---- */

static enum err look_at(struct db *db, int64_t key, int64_t came, const struct verdict_terms *terms, struct buf *why)
{
	enum sight sight = NO_STORM;
	enum err err = consider(db, key, terms, &sight, why);
	const struct db_value values[] = { db_int(key), db_time(terms->now_us), db_int(came),
					   db_bool(sight != NOT_TOLD) };
	return err == ERR_OK ? db_run(db, &statements[LOOKED], values, ARRAY_LEN(values), NULL, why) : err;
}

static enum err find_surges(struct db *db, const struct verdict_terms *terms, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	const struct storm_terms *storms = &terms->storms;
	const struct db_value values[] = { db_time(terms->now_us - storms->window_us), db_int((int64_t)storms->least),
					   db_time(terms->now_us),
					   db_time(terms->now_us + storms->window_us - storms->window_us / 32),
					   db_time(terms->now_us - storms->window_us / 8) };
	enum err err = db_run(db, &statements[SURGES], values, ARRAY_LEN(values), &rows, why);
	for (size_t row = 0; err == ERR_OK && row < db_row_count(rows); row++)
		err = look_at(db, db_get_int(rows, row, 0), db_get_int(rows, row, 1), terms, why);
	return err;
}

static enum err tell(struct db *db, void (*told)(void *user, const struct storm_told *storm), void *user,
		     struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[TELL], NULL, 0, &rows, why);
	for (size_t row = 0; err == ERR_OK && row < db_row_count(rows); row++) {
		const struct storm_told storm = { .id = db_get_int(rows, row, 0),
						  .group = db_get_text(rows, row, 1),
						  .reason = db_get_text(rows, row, 2),
						  .said = db_get_text(rows, row, 3),
						  .sampled = db_get_int(rows, row, 4),
						  .accepted = db_get_int(rows, row, 5),
						  .copies = db_get_int(rows, row, 6) };
		told(user, &storm);
	}
	return err;
}

enum err storm_watch_look(struct db *db, const struct verdict_terms *terms, struct view actor,
			  void (*told)(void *user, const struct storm_told *storm), void *user, struct buf *why)
{
	const struct db_value old = db_time(terms->now_us - 2 * terms->storms.window_us);
	enum err err = terms->storms.share == 0 ? ERR_OK : find_surges(db, terms, why);
	if (err == ERR_OK && told != NULL)
		err = tell(db, told, user, why);
	if (err == ERR_OK)
		err = storm_members_restore_all(db, terms, actor, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[FORGET], &old, 1, NULL, why);
	return err == ERR_OK ? db_run(db, &statements[FORGET_LOOKS], &old, 1, NULL, why) : err;
}
