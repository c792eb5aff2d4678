#include "store/freezes.h"

#include <assert.h>

enum statement {
	KIND,
	ROOM,
	MARK,
	FREEZE,
	FREEZE_LOCAL,
	FREEZE_CHOSEN,
	FREEZE_CHOSEN_LOCAL,
	FREEZE_SEVERAL,
	FREEZE_SEVERAL_LOCAL,
	STATEMENT_COUNT
};

/* Who is suppressed before campaign $1 begins. Like is_suppressed(), but for all at once. */
#define NEVER                                                                                                          \
	" never AS MATERIALIZED (SELECT x.id FROM campaign c JOIN suppressed_subscriber x"                             \
	" ON (x.list_id IS NULL OR x.list_id = c.list_id) WHERE c.id = $1)"
#define IS_NEVER "m.subscriber_id IN (SELECT id FROM never)"
#define SKIP_NEVER                                                                                                     \
	"INSERT INTO delivery (campaign_id, subscriber_id, outcome, at, reason)"                                       \
	" SELECT $1, u.id, 'skipped', now(), 'suppressed' FROM people CROSS JOIN LATERAL unnest(never) AS u(id)"

/* Chunks of at most $2, but so many of them that all workers have some. */
#define CHUNK_SIZE(people) " least($2, greatest(500, " people " / 50))::bigint"

/* Whose ids are m.subscriber_id: the members of the campaign's list, or those of them that its audience is narrowed to. */
#define MEMBERS "JOIN membership m ON m.list_id = c.list_id AND m.state = 'active'"
#define CHOSEN "CROSS JOIN campaign_people($1) AS m(subscriber_id)"

/* What the segments were when their people were found, in the one snapshot of the statement: they may be edited, and go. */
#define NOTHING_TO_DEFINE ""
#define DEFINED                                                                                                        \
	" defined AS (UPDATE campaign_audience SET definition = segment_text(segment_id)"                              \
	" WHERE campaign_id = $1 AND segment_id IS NOT NULL),"

/* $1 campaign, $2 ids a chunk. All ids are sorted into one array first and cut from that. */
#define FREEZE_ALL_AT_ONCE(source, defined)                                                                            \
	"WITH" NEVER "," defined " people AS MATERIALIZED ("                                                           \
	" SELECT array_agg(id ORDER BY id) FILTER (WHERE NOT is_never) AS ids,"                                        \
	" array_agg(id) FILTER (WHERE is_never) AS never"                                                              \
	" FROM (SELECT m.subscriber_id AS id, " IS_NEVER " AS is_never"                                                \
	" FROM campaign c " source " WHERE c.id = $1) AS member),"                                                     \
	" chunks AS ("                                                                                                 \
	" INSERT INTO campaign_chunk (campaign_id, chunk_no, subscriber_ids)"                                          \
	" SELECT $1, n / size, ids[n + 1:n + size] FROM people"                                                        \
	" CROSS JOIN LATERAL (SELECT" CHUNK_SIZE(                                                                      \
	    "cardinality(ids)") " AS size) AS each"                                                                    \
				" CROSS JOIN LATERAL generate_series(0::bigint, cardinality(ids) - 1, size) AS g(n))," \
				" skipped AS (" SKIP_NEVER ")"                                                         \
				" SELECT (coalesce(cardinality(ids), 0) + coalesce(cardinality(never), 0))::bigint, "  \
				"NULL::bigint FROM people"

/* The same, each chunk of one instant and in the order of the instants. A local time that a zone's clocks skip is as much later; of one that they
 * show twice it is the second. */
#define FREEZE_BY_ZONE(source, defined)                                                                                \
	"WITH" NEVER "," defined " c AS MATERIALIZED ("                                                                \
	" SELECT list_id, local_attribute, local_time, local_time AT TIME ZONE zone AS due"                            \
	" FROM campaign WHERE id = $1),"                                                                               \
	" zones AS MATERIALIZED ("                                                                                     \
	" SELECT DISTINCT ON (lower(z.name)) lower(z.name) AS key, c.local_time AT TIME ZONE z.name AS due"            \
	" FROM c CROSS JOIN zone_name z ORDER BY lower(z.name), z.name),"                                              \
	" people AS MATERIALIZED ("                                                                                    \
	" SELECT due, array_agg(id ORDER BY id) FILTER (WHERE NOT is_never) AS ids,"                                   \
	" array_agg(id) FILTER (WHERE is_never) AS never,"                                                             \
	" count(*) FILTER (WHERE is_lost) AS lost FROM ("                                                              \
	" SELECT m.subscriber_id AS id, coalesce(z.due, c.due) AS due, z.key IS NULL AS is_lost, " IS_NEVER            \
	" AS is_never"                                                                                                 \
	" FROM c " source " JOIN subscriber s ON s.id = m.subscriber_id"                                               \
	" LEFT JOIN zones z ON z.key = lower(btrim(s.attributes ->> c.local_attribute))) AS member"                    \
	" GROUP BY due),"                                                                                              \
	" sized AS (SELECT due, ids," CHUNK_SIZE(                                                                      \
	    "cardinality(ids)") " AS size FROM people WHERE ids IS NOT NULL),"                                         \
				" placed AS MATERIALIZED ("                                                            \
				" SELECT due, ids, size, (sum((cardinality(ids) + size - 1) / size) OVER (ORDER BY "   \
				"due)"                                                                                 \
				" - (cardinality(ids) + size - 1) / size)::bigint AS before FROM sized),"              \
				" chunks AS ("                                                                         \
				" INSERT INTO campaign_chunk (campaign_id, chunk_no, subscriber_ids, not_before)"      \
				" SELECT $1, before + n / size, ids[n + 1:n + size], due FROM placed"                  \
				" CROSS JOIN LATERAL generate_series(0::bigint, cardinality(ids) - 1, size) AS g(n))," \
				" skipped AS (" SKIP_NEVER ")"                                                         \
				" SELECT coalesce(sum(coalesce(cardinality(ids), 0) + coalesce(cardinality(never), "   \
				"0)), 0)::bigint,"                                                                     \
				" coalesce(sum(lost), 0)::bigint FROM people"

/* What copies take from the lists beside the campaign's own, of which runs_run keeps that. */
#define LISTS_DEFINED                                                                                                  \
	" lists_defined AS (UPDATE campaign_audience a SET name = l.name, list_title = l.title,"                       \
	" list_header_id = l.list_id, list_headers = l.headers FROM list l"                                            \
	" WHERE a.campaign_id = $1 AND l.id = a.list_id AND NOT a.is_left_out),"

/* The same for several lists, by what goes through which (schema/037): each chunk of one list and, where there are local times, of one instant. */
#define NEVER_BY_LIST                                                                                                  \
	" never AS MATERIALIZED (SELECT x.id, x.list_id FROM suppressed_subscriber x WHERE x.list_id IS NULL"          \
	" OR x.list_id IN (SELECT list_id FROM campaign_target WHERE campaign_id = $1)),"
#define OWN_LIST " c AS MATERIALIZED (SELECT list_id FROM campaign WHERE id = $1),"
#define CAMPAIGN_AND_ZONES                                                                                             \
	" c AS MATERIALIZED (SELECT list_id, local_attribute, local_time AT TIME ZONE zone AS due"                     \
	" FROM campaign WHERE id = $1),"                                                                               \
	" zones AS MATERIALIZED (SELECT DISTINCT ON (lower(z.name)) lower(z.name) AS key,"                             \
	" g.local_time AT TIME ZONE z.name AS due FROM campaign g CROSS JOIN zone_name z WHERE g.id = $1"              \
	" ORDER BY lower(z.name), z.name),"
#define IS_NEVER_BY_LIST                                                                                               \
	"(m.id IN (SELECT id FROM never WHERE list_id IS NULL)"                                                        \
	" OR (m.id, m.list_id) IN (SELECT id, list_id FROM never WHERE list_id IS NOT NULL))"
#define PEOPLE_BY_LIST(due, lost, in_order, joined, group)                                                             \
	" people AS MATERIALIZED (SELECT " due " AS due, m.list_id,"                                                   \
	" array_agg(m.id" in_order ") FILTER (WHERE NOT " IS_NEVER_BY_LIST ") AS ids,"                                 \
	" array_agg(m.id) FILTER (WHERE " IS_NEVER_BY_LIST ") AS never, " lost " AS lost"                              \
	" FROM campaign_copies($1) AS m" joined " GROUP BY " group "),"
/* They come in the order of their ids, which only makes reading them quicker: to sort them again would take a fourth of the time. */
#define ALL_AT_ONCE PEOPLE_BY_LIST("NULL::timestamptz", "NULL::bigint", "", "", "m.list_id")
#define EACH_BY_ZONE                                                                                                   \
	PEOPLE_BY_LIST("coalesce(z.due, c.due)", "count(*) FILTER (WHERE z.key IS NULL)", " ORDER BY m.id",            \
		       " CROSS JOIN c JOIN subscriber s ON s.id = m.id"                                                \
		       " LEFT JOIN zones z ON z.key = lower(btrim(s.attributes ->> c.local_attribute))",               \
		       "1, m.list_id")
#define PLACED_BY_LIST                                                                                                 \
	" sized AS (SELECT due, list_id, ids, least($2, greatest(500, cardinality(ids) / 50))::bigint AS size"         \
	" FROM people WHERE ids IS NOT NULL),"                                                                         \
	" placed AS MATERIALIZED (SELECT due, list_id, ids, size, (sum((cardinality(ids) + size - 1) / size)"          \
	" OVER (ORDER BY due, list_id) - (cardinality(ids) + size - 1) / size)::bigint AS before FROM sized),"
#define FREEZE_BY_LIST(campaign, people)                                                                               \
	"WITH" NEVER_BY_LIST campaign DEFINED LISTS_DEFINED people PLACED_BY_LIST                                      \
	" chunks AS (INSERT INTO campaign_chunk (campaign_id, chunk_no, subscriber_ids, not_before, list_id)"          \
	" SELECT $1, before + n / size, ids[n + 1:n + size], placed.due, nullif(placed.list_id, c.list_id)"            \
	" FROM c CROSS JOIN placed CROSS JOIN LATERAL generate_series(0::bigint, cardinality(ids) - 1, size) AS "      \
	"g(n)),"                                                                                                       \
	" reached AS (INSERT INTO campaign_reached (campaign_id, subscriber_id, list_id)"                              \
	" SELECT $1, u.id, people.list_id FROM c JOIN people ON people.list_id <> c.list_id"                           \
	" CROSS JOIN LATERAL unnest(ids || never) AS u(id)),"                                                          \
	" skipped AS (" SKIP_NEVER ")"                                                                                 \
	" SELECT coalesce(sum(coalesce(cardinality(ids), 0) + coalesce(cardinality(never), 0)), 0)::bigint,"           \
	" sum(lost)::bigint FROM people"

static const struct db_statement statements[] = {
	[KIND] = { .name = "freezes_kind",
		   .sql = "SELECT local_attribute IS NOT NULL, EXISTS (SELECT FROM campaign_audience a WHERE "
			  "a.campaign_id = c.id), EXISTS (SELECT FROM campaign_target t WHERE t.campaign_id = c.id AND "
			  "t.list_id <> c.list_id)"
			  " FROM campaign c WHERE id = $1::bigint" },
	/* Sorting a million ids and attributes on disk would take most of the time; and a regular expression in a segment may take for ever, while
	 * other campaigns wait. Only until the end of the transaction. */
	[ROOM] = { .name = "freezes_room",
		   .sql =
		       "SELECT set_config('work_mem', '64MB', true), set_config('statement_timeout', '600s', true)" },
	/* $1 campaign. Before the audience is read: see schema/007. */
	[MARK] = { .name = "freezes_mark",
		   .sql = "UPDATE campaign SET suppressed_up_to = suppression_mark(), addresses_at = v.version"
			  " FROM address_version v WHERE id = $1" },
	[FREEZE] = { .name = "freezes_members", .sql = FREEZE_ALL_AT_ONCE(MEMBERS, NOTHING_TO_DEFINE) },
	[FREEZE_LOCAL] = { .name = "freezes_members_local", .sql = FREEZE_BY_ZONE(MEMBERS, NOTHING_TO_DEFINE) },
	[FREEZE_CHOSEN] = { .name = "freezes_chosen", .sql = FREEZE_ALL_AT_ONCE(CHOSEN, DEFINED) },
	[FREEZE_CHOSEN_LOCAL] = { .name = "freezes_chosen_local", .sql = FREEZE_BY_ZONE(CHOSEN, DEFINED) },
	[FREEZE_SEVERAL] = { .name = "freezes_several", .sql = FREEZE_BY_LIST(OWN_LIST, ALL_AT_ONCE) },
	[FREEZE_SEVERAL_LOCAL] = { .name = "freezes_several_local",
				   .sql = FREEZE_BY_LIST(CAMPAIGN_AND_ZONES, EACH_BY_ZONE) },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row a statement");

static enum err choose(struct db *db, int64_t campaign_id, enum statement *ret_freeze, struct buf *why)
{
	enum { WHOLE_LIST, CHOSEN_OF_LIST, OF_SEVERAL, KIND_COUNT };
	static const enum statement freezes[KIND_COUNT][2] = {
		[WHOLE_LIST] = { [false] = FREEZE, [true] = FREEZE_LOCAL },
		[CHOSEN_OF_LIST] = { [false] = FREEZE_CHOSEN, [true] = FREEZE_CHOSEN_LOCAL },
		[OF_SEVERAL] = { [false] = FREEZE_SEVERAL, [true] = FREEZE_SEVERAL_LOCAL },
	};
	const struct db_value values[] = { db_int(campaign_id) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[KIND], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	size_t kind = db_get_bool(rows, 0, 2) ? OF_SEVERAL : db_get_bool(rows, 0, 1) ? CHOSEN_OF_LIST : WHOLE_LIST;
	*ret_freeze = freezes[kind][db_get_bool(rows, 0, 0)];
	return ERR_OK;
}

enum err freezes_make(struct db *db, int64_t campaign_id, size_t chunk_size, int64_t *ret_audience,
		      int64_t *ret_fallback, struct buf *why)
{
	const struct db_value values[] = { db_int(campaign_id), db_int((int64_t)chunk_size) };
	AUTO_DB_ROWS *rows = NULL;
	enum statement freeze = FREEZE;
	enum err err = choose(db, campaign_id, &freeze, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[ROOM], NULL, 0, NULL, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[MARK], values, 1, NULL, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[freeze], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	*ret_audience = db_get_int(rows, 0, 0);
	*ret_fallback = db_is_null(rows, 0, 1) ? -1 : db_get_int(rows, 0, 1);
	return ERR_OK;
}
