#include "store/import_steps.h"

#include <assert.h>

#include "store/import_turn.h"

/* What a statement is told, in the order of its parameters. */
enum param {
	LIST,
	LAST_ID,
	STATE,
	CONSENT_SOURCE,
	CONSENT_AT,
	ON_CONFLICT,
	RESUBSCRIBE,
	ACTOR,
	DOUBTS,
	NESTED,
	PLAIN_FIRST,
	PLAIN,
	PARAM_COUNT
};

/* For which rows a statement is needed. */
enum need { ALWAYS, IF_PLAIN, IF_TWICE, IF_CANONICALS, IF_CONSENTS, UNLESS_CONSENTS };

enum { PARAMS_MOST = 6 };

struct step {
	struct db_statement statement;
	enum need need;
	enum param params[PARAMS_MOST];
	size_t count;
};

/* ---- before the rows ---- */

/* The server ends by itself when this program is gone, or has stopped in the middle. A table that was analyzed while all that it holds was of a
 * transaction under way passes for empty, and would be read from its beginning for each row: so nobody analyzes it meanwhile, and what is looked up
 * by a key costs next to nothing, whatever was found before. */
static const struct db_statement preparations[] = {
	{
	    .name = "import_settings",
	    .sql = "SELECT set_config('work_mem', '64MB', true), set_config('temp_buffers', '40MB', true),"
		   " set_config('enable_mergejoin', 'off', true), set_config('random_page_cost', '0.01', true),"
		   " set_config('client_connection_check_interval', '1s', true),"
		   " CASE WHEN current_setting('idle_in_transaction_session_timeout') = '0'"
		   "  THEN set_config('idle_in_transaction_session_timeout', '1h', true) END,"
		   " set_config('verpost.members_are_counted', 'on', true)",
	},
	{
	    .name = "import_unanalyzed",
	    .sql = "LOCK TABLE subscriber, membership IN SHARE UPDATE EXCLUSIVE MODE",
	},
	{
	    .name = "import_rows",
	    .sql = "CREATE TEMPORARY TABLE import_row (position bigint, address text, address_key text COLLATE \"C\","
		   " canonical text COLLATE \"C\", name text, attributes jsonb, consent_source text,"
		   " consent_at timestamptz, erased bytea, twice boolean, fresh boolean, left_out boolean NOT NULL "
		   "DEFAULT false)"
		   " ON COMMIT DROP",
	},
	/* Few rows are of somebody who comes twice: to fold them, the others need not be looked at. */
	{ .name = "import_rows_twice", .sql = "CREATE INDEX ON import_row (position) WHERE twice" },
	/* Of the rows at hand those whose person is there. ours: this import has made them; seen: an earlier row was theirs; alias: by the
	 * canonical form; differs: there may be something to change. */
	{
	    .name = "import_people",
	    .sql = "CREATE TEMPORARY TABLE import_known (position bigint, person bigint, ours boolean, seen boolean,"
		   " alias boolean, differs boolean, consent_source text, consent_at timestamptz) ON COMMIT DROP",
	},
	/* People who were known before. */
	{
	    .name = "import_people_seen",
	    .sql = "CREATE TEMPORARY TABLE import_seen (person bigint PRIMARY KEY) ON COMMIT DROP",
	},
	/* before: a digest of name and attributes as they were. again: changed more than once, so perhaps back to that. */
	{
	    .name = "import_people_changed",
	    .sql = "CREATE TEMPORARY TABLE import_updated (person bigint PRIMARY KEY, before bytea, again boolean)"
		   " ON COMMIT DROP",
	},
	{
	    .name = "import_changes",
	    .sql = "CREATE TEMPORARY TABLE import_change (person bigint, name text, attributes jsonb, replaces boolean)"
		   " ON COMMIT DROP",
	},
	{
	    .name = "import_outs",
	    .sql = "CREATE TEMPORARY TABLE import_left_out (form text COLLATE \"C\" PRIMARY KEY) ON COMMIT DROP",
	},
	/* lost: removed between our look and our change, so that the rows must be looked at again. */
	{
	    .name = "import_tallies",
	    .sql = "CREATE TEMPORARY TABLE import_tally (duplicates bigint, aliases bigint, suppressed bigint,"
		   " erased bigint, created bigint, joined bigint, resubscribed bigint, unsubscribed bigint,"
		   " disabled bigint, removed bigint, lost bigint CHECK (lost = 0)) ON COMMIT DROP",
	},
};

static const struct db_statement lock_list = {
	.name = "import_lock_list",
	.sql = "SELECT FROM list WHERE id = $1::bigint FOR KEY SHARE",
};
static const struct db_statement look_around = {
	.name = "import_look_around",
	.sql = "SELECT coalesce((SELECT max(id) FROM subscriber), 0),"
	       " EXISTS (SELECT FROM subscriber WHERE canonical IS NOT NULL)",
};

/* What stays of whoever was erased. */
#define IS_ERASED(row)                                                                                                 \
	"EXISTS (SELECT FROM suppression x WHERE x.kind = 'erased' AND x.value = encode(" row ".erased, 'hex'))"

/* ---- the rows ---- */

static const struct db_statement copy = {
	.name = "import_copy",
	.sql = "COPY import_row (position, address, address_key, canonical, name, attributes, consent_source, "
	       "consent_at, erased,"
	       " twice, fresh) FROM STDIN (FORMAT binary)",
};

/* A new value e, of r, takes the place of what s has under its name when it is another, null too. A text that reads the same as a number, boolean or
 * list does not: a file without types would take them away. */
#define IS_ANOTHER                                                                                                     \
	"s.attributes -> e.key IS DISTINCT FROM e.value AND (jsonb_typeof(e.value) <> 'string'"                        \
	" OR s.attributes ->> e.key IS DISTINCT FROM r.attributes ->> e.key)"
/* First as a whole, for most have nothing new; what is cheap does not see what a list has lost. */
#define DIFFERS                                                                                                        \
	"CASE WHEN $2::text = 'update' THEN r.name <> s.name OR r.attributes <> s.attributes"                          \
	" ELSE (r.name <> '' AND r.name <> s.name) OR (CASE WHEN $4::boolean"                                          \
	"  THEN s.attributes || r.attributes <> s.attributes ELSE NOT s.attributes @> r.attributes END AND EXISTS ("   \
	"   SELECT FROM jsonb_each(r.attributes) e WHERE " IS_ANOTHER ")) END"
#define LOOKS "sha256(convert_to(s.name || E'\\n' || s.attributes::text, 'UTF8'))"
#define OURS "s.id > $1::bigint AND s.created_at = now()"
#define SEEN "EXISTS (SELECT FROM import_seen e WHERE e.person = s.id OFFSET 0)"

/* What the trigger of members would have counted; see schema/034. */
#define COUNTED(people)                                                                                                \
	" counted AS (INSERT INTO member_change (list_id, state, people)"                                              \
	"  SELECT $1::bigint, $2::text::membership_state, n FROM (SELECT " people ") AS x(n) WHERE n > 0)"

/* The parts of a plan that OFFSET 0 keeps apart are looked up for each row by the key, however many people there are. */
static const struct step steps[] = {
	{ .statement = { .name = "import_savepoint", .sql = "SAVEPOINT import_batch" } },
	{ .statement = { .name = "import_sets", .sql = "SELECT set_config('enable_hashjoin', 'on', true)" } },
	{
	    .statement = { .name = "import_join_plain",
			   .sql = "WITH joined AS ("
				  "  INSERT INTO membership (list_id, subscriber_id, state, reason, consent_source, "
				  "consent_at)"
				  "  SELECT $1::bigint, id, $2::text::membership_state, 'import', $3::text, "
				  "$4::timestamptz"
				  "  FROM generate_series($5::bigint, $5::bigint + $6::bigint - 1) AS id)," COUNTED(
				      "$6::bigint") " INSERT INTO import_tally (created, joined) VALUES ($6::bigint, "
						    "$6::bigint)" },
	    .need = IF_PLAIN,
	    .params = { LIST, STATE, CONSENT_SOURCE, CONSENT_AT, PLAIN_FIRST, PLAIN },
	    .count = 6,
	},
	{
	    .statement = { .name = "import_find",
			   .sql = "INSERT INTO import_known"
				  " SELECT r.position, s.id, " OURS ", " OURS " OR " SEEN ", false, " DIFFERS ","
				  "  r.consent_source, r.consent_at"
				  " FROM import_row r CROSS JOIN LATERAL (SELECT id, created_at, name, attributes FROM "
				  "subscriber"
				  "  WHERE address_key = r.address_key OFFSET 0) s WHERE $3::boolean OR NOT r.fresh" },
	    .params = { LAST_ID, ON_CONFLICT, DOUBTS, NESTED },
	    .count = 4,
	},
	{
	    .statement = { .name = "import_find_forms",
			   .sql = "WITH new AS MATERIALIZED (SELECT position, address_key, canonical FROM import_row r"
				  "  WHERE ($3::boolean OR NOT r.fresh) AND NOT EXISTS (SELECT FROM import_known k "
				  "WHERE k.position = r.position)),"
				  " near AS MATERIALIZED (SELECT position, min(id) AS id FROM ("
				  "   SELECT n.position, s.id FROM new n CROSS JOIN LATERAL (SELECT id FROM subscriber"
				  "    WHERE canonical = coalesce(n.canonical, n.address_key) OFFSET 0) s"
				  "   UNION ALL"
				  "   SELECT n.position, s.id FROM new n CROSS JOIN LATERAL (SELECT id FROM subscriber"
				  "    WHERE address_key = n.canonical AND canonical IS NULL OFFSET 0) s) AS x GROUP "
				  "BY position)"
				  " INSERT INTO import_known"
				  " SELECT r.position, s.id, " OURS ", " OURS " OR " SEEN ", true, " DIFFERS ","
				  "  r.consent_source, r.consent_at"
				  " FROM near n JOIN import_row r USING (position) CROSS JOIN LATERAL ("
				  "  SELECT id, created_at, name, attributes FROM subscriber WHERE id = n.id OFFSET 0) "
				  "s" },
	    .need = IF_CANONICALS,
	    .params = { LAST_ID, ON_CONFLICT, DOUBTS, NESTED },
	    .count = 4,
	},
	/* The address of the file, what it is another spelling of, and the one that a known person's mail goes to. */
	{
	    .statement = { .name = "import_find_suppressed",
			   .sql =
			       "WITH spelled AS ("
			       "  SELECT position, address_key AS key FROM import_row"
			       "  UNION ALL SELECT position, canonical FROM import_row WHERE canonical IS NOT NULL"
			       "  UNION ALL SELECT k.position, s.address_key FROM import_known k CROSS JOIN LATERAL ("
			       "   SELECT address_key FROM subscriber WHERE id = k.person OFFSET 0) s WHERE k.alias),"
			       " hit AS MATERIALIZED ("
			       "  SELECT DISTINCT position FROM spelled WHERE EXISTS (SELECT FROM suppression) AND ("
			       "   EXISTS (SELECT FROM suppression_in_force s WHERE s.kind = 'address' AND s.value = "
			       "key"
			       "    AND (s.list_id IS NULL OR s.list_id = $1::bigint) OFFSET 0)"
			       "   OR EXISTS (SELECT FROM suppression_in_force s WHERE s.kind = 'domain' AND s.value = "
			       "split_part(key, '@', 2)"
			       "    AND (s.list_id IS NULL OR s.list_id = $1::bigint) OFFSET 0))"
			       "  UNION SELECT r.position FROM import_row r WHERE r.erased IS NOT NULL AND " IS_ERASED(
				   "r") ")"
					" UPDATE import_row r SET left_out = true FROM hit WHERE r.position = "
					"hit.position" },
	    .params = { LIST },
	    .count = 1,
	},
	/* The rows of a person become the last of them. One that is known by its key is also whom the other spellings mean. */
	{
	    .statement = { .name = "import_fold",
			   .sql =
			       "WITH whose AS MATERIALIZED ("
			       "  SELECT r.*, coalesce(r.canonical, r.address_key) AS own, k.ours, k.seen, "
			       "coalesce(k.person,"
			       "    min(k.person) OVER (PARTITION BY coalesce(r.canonical, r.address_key))) AS person"
			       "  FROM import_row r LEFT JOIN import_known k USING (position) WHERE r.twice),"
			       " named AS MATERIALIZED (SELECT *, coalesce(person::text, own) AS form FROM whose),"
			       " folded AS MATERIALIZED ("
			       "  SELECT form, max(position) AS last, min(person) AS person, bool_or(ours) AS ours,"
			       "   bool_or(seen) AS seen, bool_or(left_out) AS left_out, count(*) AS rows,"
			       "   count(DISTINCT address_key) AS spellings,"
			       "   (array_agg(name ORDER BY position DESC) FILTER (WHERE name <> ''))[1] AS name,"
			       "   (array_agg(consent_source ORDER BY position DESC) FILTER (WHERE consent_source IS "
			       "NOT NULL))[1] AS source,"
			       "   (array_agg(consent_at ORDER BY position DESC) FILTER (WHERE consent_at IS NOT "
			       "NULL))[1] AS at"
			       "  FROM named GROUP BY form HAVING count(*) > 1),"
			       " merged AS MATERIALIZED ("
			       "  SELECT form, jsonb_object_agg(e.key, e.value ORDER BY position) AS attributes"
			       "  FROM named JOIN folded USING (form), jsonb_each(named.attributes) e GROUP BY form),"
			       " gone AS ("
			       "  DELETE FROM import_row r USING named n JOIN folded f USING (form)"
			       "  WHERE r.twice AND r.position = n.position AND n.position < f.last),"
			       " forgotten AS ("
			       "  DELETE FROM import_known k USING named n JOIN folded f USING (form) WHERE k.position "
			       "= n.position),"
			       " known AS ("
			       "  INSERT INTO import_known SELECT last, person, ours, seen, false, true, source, at "
			       "FROM folded"
			       "  WHERE person IS NOT NULL),"
			       " kept AS ("
			       "  UPDATE import_row r SET name = coalesce(f.name, ''), attributes = "
			       "coalesce(m.attributes, '{}'),"
			       "   left_out = f.left_out, consent_source = f.source, consent_at = f.at"
			       "  FROM folded f LEFT JOIN merged m USING (form) WHERE r.twice AND r.position = f.last)"
			       " INSERT INTO import_tally (duplicates, aliases)"
			       " SELECT coalesce(sum(rows - 1), 0), coalesce(sum(spellings - 1), 0) FROM folded" },
	    .need = IF_TWICE,
	},
	{
	    .statement = { .name = "import_leave_out",
			   .sql =
			       "WITH outs AS ("
			       "  DELETE FROM import_row WHERE left_out RETURNING position, coalesce(canonical, "
			       "address_key) AS form, erased),"
			       " forgotten AS (DELETE FROM import_known k USING outs o WHERE k.position = o.position),"
			       " new AS (INSERT INTO import_left_out SELECT form FROM outs ON CONFLICT DO NOTHING "
			       "RETURNING form),"
			       " told AS ("
			       "  SELECT count(*) AS people, count(*) FILTER (WHERE n.form IN ("
			       "   SELECT form FROM outs o WHERE o.erased IS NOT NULL AND " IS_ERASED(
				   "o") ")) AS erased FROM new n)"
					" INSERT INTO import_tally (suppressed, erased, duplicates)"
					" SELECT people - erased, erased, (SELECT count(*) FROM outs) - people FROM "
					"told" },
	},
	{
	    .statement = { .name = "import_see",
			   .sql = "WITH new AS ("
				  "  INSERT INTO import_seen (person) SELECT DISTINCT person FROM import_known WHERE "
				  "NOT seen)"
				  " INSERT INTO import_tally (duplicates, aliases)"
				  " SELECT count(*), count(*) FILTER (WHERE alias) FROM import_known WHERE seen" },
	},
	{
	    .statement = { .name = "import_add",
			   .sql = "WITH made AS ("
				  "  INSERT INTO subscriber (address, address_key, canonical, name, attributes)"
				  "  SELECT address, address_key, canonical, name, attributes FROM import_row r"
				  "  WHERE NOT EXISTS (SELECT FROM import_known k WHERE k.position = r.position) "
				  "RETURNING id),"
				  " joined AS ("
				  "  INSERT INTO membership (list_id, subscriber_id, state, reason, consent_source, "
				  "consent_at)"
				  "  SELECT $1::bigint, id, $2::text::membership_state, 'import', $3::text, "
				  "$4::timestamptz FROM made)," COUNTED(
				      "count(*) FROM made") " INSERT INTO import_tally (created, joined) SELECT "
							    "count(*), count(*) FROM made" },
	    .need = UNLESS_CONSENTS,
	    .params = { LIST, STATE, CONSENT_SOURCE, CONSENT_AT },
	    .count = 4,
	},
	{
	    .statement = { .name = "import_add_consents",
			   .sql = "WITH made AS ("
				  "  INSERT INTO subscriber (address, address_key, canonical, name, attributes)"
				  "  SELECT address, address_key, canonical, name, attributes FROM import_row r"
				  "  WHERE NOT EXISTS (SELECT FROM import_known k WHERE k.position = r.position)"
				  "  RETURNING id, address_key),"
				  " joined AS ("
				  "  INSERT INTO membership (list_id, subscriber_id, state, reason, consent_source, "
				  "consent_at)"
				  "  SELECT $1::bigint, m.id, $2::text::membership_state, 'import', "
				  "coalesce(r.consent_source, $3::text),"
				  "   coalesce(r.consent_at, $4::timestamptz) FROM made m JOIN import_row r USING "
				  "(address_key))," COUNTED(
				      "count(*) FROM made") " INSERT INTO import_tally (created, joined) SELECT "
							    "count(*), count(*) FROM made" },
	    .need = IF_CONSENTS,
	    .params = { LIST, STATE, CONSENT_SOURCE, CONSENT_AT },
	    .count = 4,
	},
	/* Of people of two rows the second is merged over the first in any case. */
	{
	    .statement = { .name = "import_list_changes",
			   .sql = "INSERT INTO import_change"
				  " SELECT person, name, attributes, $1::text = 'update' AND NOT seen"
				  " FROM import_known JOIN import_row USING (position)"
				  " WHERE (differs OR seen) AND (ours OR $1::text <> 'keep') ORDER BY person" },
	    .params = { ON_CONFLICT },
	    .count = 1,
	},
	/* A plan with sets would read all people for some of them. */
	{ .statement = { .name = "import_keys", .sql = "SELECT set_config('enable_hashjoin', 'off', true)" } },
	/* Locks are taken in the order of ids. */
	{
	    .statement = { .name = "import_change",
			   .sql =
			       "WITH locked AS MATERIALIZED ("
			       "  SELECT c.*, " LOOKS " AS before FROM import_change c CROSS JOIN LATERAL ("
			       "   SELECT name, attributes FROM subscriber WHERE id = c.person OFFSET 0 FOR NO KEY "
			       "UPDATE) s),"
			       " changed AS ("
			       "  UPDATE subscriber s SET name = CASE WHEN r.name = '' AND NOT r.replaces THEN s.name "
			       "ELSE r.name END,"
			       "   attributes = CASE WHEN r.replaces THEN r.attributes ELSE s.attributes || coalesce(("
			       "    SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(r.attributes) e"
			       "    WHERE " IS_ANOTHER "), '{}') END"
			       "  FROM locked r WHERE s.id = r.person AND CASE"
			       "   WHEN r.replaces THEN r.name <> s.name OR r.attributes <> s.attributes"
			       "   ELSE (r.name <> '' AND r.name <> s.name) OR EXISTS (SELECT FROM "
			       "jsonb_each(r.attributes) e"
			       "    WHERE " IS_ANOTHER ") END RETURNING s.id, "
			       "r.before)"
			       " INSERT INTO import_updated SELECT c.id, c.before, false FROM changed c"
			       " WHERE EXISTS (SELECT FROM import_seen e WHERE e.person = c.id OFFSET 0)"
			       " ON CONFLICT (person) DO UPDATE SET again = true" },
	},
	/* Whoever is a member already, in whatever state, stays as they are, unless those who have unsubscribed are to come back. */
	{
	    .statement = { .name = "import_join",
			   .sql =
			       "WITH there AS MATERIALIZED ("
			       "  SELECT k.person AS id, k.consent_source, k.consent_at, m.state FROM import_known k "
			       "LEFT JOIN LATERAL ("
			       "   SELECT state FROM membership WHERE list_id = $1::bigint AND subscriber_id = "
			       "k.person OFFSET 0) m ON true"
			       "  WHERE NOT k.seen),"
			       " locked AS MATERIALIZED ("
			       "  SELECT t.* FROM (SELECT * FROM there WHERE state IS NULL ORDER BY id) t CROSS JOIN "
			       "LATERAL ("
			       "   SELECT FROM subscriber WHERE id = t.id OFFSET 0 FOR KEY SHARE) s),"
			       " joined AS ("
			       "  INSERT INTO membership (list_id, subscriber_id, state, reason, consent_source, "
			       "consent_at)"
			       "  SELECT $1::bigint, id, $2::text::membership_state, 'import', "
			       "coalesce(consent_source, $3::text),"
			       "   coalesce(consent_at, $4::timestamptz) FROM locked)," COUNTED(
				   "count(*) FROM locked") ","
							   " back AS ("
							   "  UPDATE membership m SET state = "
							   "$2::text::membership_state, reason = $5::text, "
							   "since "
							   "= now(),"
							   "   campaign_id = NULL, consent_source = "
							   "coalesce(t.consent_source, $3::text, "
							   "m.consent_source),"
							   "   consent_at = coalesce(t.consent_at, "
							   "$4::timestamptz, m.consent_at)"
							   "  FROM there t WHERE $5::text IS NOT NULL AND "
							   "t.state = 'unsubscribed' AND m.list_id = "
							   "$1::bigint"
							   "   AND m.subscriber_id = t.id AND m.state = "
							   "'unsubscribed' RETURNING "
							   "m.subscriber_id,"
							   "   coalesce(t.consent_source, $3::text, '') AS consent),"
							   " noted AS ("
							   "  INSERT INTO audit (actor, action, subject, detail, "
							   "subscriber_id)"
							   "  SELECT $6::text, 'subscriber.resubscribe', "
							   "'subscriber:' || s.address_key,"
							   "   jsonb_build_object('lists', (SELECT "
							   "jsonb_build_array(name) FROM list WHERE id = "
							   "$1::bigint), 'reason', $5::text,"
							   "    'consent', b.consent, 'import', true), s.id"
							   "  FROM back b CROSS JOIN LATERAL (SELECT id, "
							   "address_key FROM subscriber WHERE id = "
							   "b.subscriber_id OFFSET 0) s"
							   "  WHERE $6::text IS NOT NULL)"
							   " INSERT INTO import_tally (joined, resubscribed, "
							   "unsubscribed, disabled, removed, lost)"
							   " SELECT (SELECT count(*) FROM locked), (SELECT "
							   "count(*) FROM back),"
							   "  count(*) FILTER (WHERE state = 'unsubscribed') - "
							   "(SELECT count(*) FROM back),"
							   "  count(*) FILTER (WHERE state = 'disabled'), "
							   "count(*) FILTER (WHERE state = "
							   "'removed'),"
							   "  count(*) FILTER (WHERE state IS NULL) - (SELECT "
							   "count(*) FROM locked) FROM there" },
	    .params = { LIST, STATE, CONSENT_SOURCE, CONSENT_AT, RESUBSCRIBE, ACTOR },
	    .count = 6,
	},
	{ .statement = { .name = "import_release", .sql = "RELEASE SAVEPOINT import_batch" } },
	{ .statement = { .name = "import_empty", .sql = "TRUNCATE import_row, import_known, import_change" } },
};

static const struct db_statement take_back = {
	.name = "import_take_back",
	.sql = "ROLLBACK TO SAVEPOINT import_batch",
};

static const struct db_statement count = {
	.name = "import_count",
	.sql = "SELECT coalesce(sum(duplicates), 0)::bigint, coalesce(sum(aliases), 0)::bigint, "
	       "coalesce(sum(suppressed), 0)::bigint,"
	       " coalesce(sum(erased), 0)::bigint, coalesce(sum(created), 0)::bigint, coalesce(sum(joined), 0)::bigint,"
	       " coalesce(sum(resubscribed), 0)::bigint, coalesce(sum(unsubscribed), 0)::bigint, "
	       "coalesce(sum(disabled), 0)::bigint,"
	       " coalesce(sum(removed), 0)::bigint, "
	       " (SELECT count(*) FROM import_updated) - (SELECT count(*) FROM import_updated u CROSS JOIN LATERAL ("
	       "   SELECT name, attributes FROM subscriber WHERE id = u.person OFFSET 0) s"
	       "  WHERE u.again AND " LOOKS " = u.before) FROM import_tally",
};

enum err import_steps_prepare(struct db *db, struct buf *why)
{
	enum err err = ERR_OK;
	for (size_t i = 0; i < ARRAY_LEN(preparations) && err == ERR_OK; i++)
		err = db_run(db, &preparations[i], NULL, 0, NULL, why);
	for (size_t i = 0; i < ARRAY_LEN(steps) && err == ERR_OK; i++)
		err = db_prepare(db, &steps[i].statement, why);
	return err;
}

enum err import_steps_begin(struct db *db, struct import_terms *terms, bool *ret_has_canonicals, struct buf *why)
{
	const struct db_value values[] = { db_int(terms->list_id) };
	AUTO_DB_ROWS *list = NULL;
	AUTO_DB_ROWS *around = NULL;
	enum err err = import_turn_take(db, NULL, NULL, why);
	if (err == ERR_OK)
		err = db_run(db, &lock_list, values, ARRAY_LEN(values), &list, why);
	if (err == ERR_OK)
		err = db_run(db, &look_around, NULL, 0, &around, why);
	if (err != ERR_OK)
		return err;
	if (db_row_count(list) == 0) {
		buf_addf(why, "the list was deleted meanwhile");
		return ERR_NOT_FOUND;
	}
	terms->last_id = db_get_int(around, 0, 0);
	*ret_has_canonicals = db_get_bool(around, 0, 1);
	return ERR_OK;
}

const struct db_statement *import_steps_copy(void)
{
	return &copy;
}

static const char *const conflict_names[] = {
	[IMPORT_MERGE] = "merge",
	[IMPORT_KEEP] = "keep",
	[IMPORT_UPDATE] = "update",
};
static_assert(ARRAY_LEN(conflict_names) == IMPORT_CONFLICT_COUNT, "one name each");

static void fill_params(const struct import_terms *terms, const struct import_marks *marks,
			struct db_value values[PARAM_COUNT])
{
	const struct import_options *options = &terms->options;
	values[LIST] = db_int(terms->list_id);
	values[LAST_ID] = db_int(terms->last_id);
	values[STATE] = db_text(options->unconfirmed ? VIEW_LIT("unconfirmed") : VIEW_LIT("active"));
	values[CONSENT_SOURCE] = db_text_or_null(options->consent_source);
	values[CONSENT_AT] = options->consent_us == 0 ? db_null() : db_time(options->consent_us);
	values[ON_CONFLICT] = db_text(view_of(conflict_names[options->on_conflict]));
	values[DOUBTS] = db_bool(marks->doubts);
	values[NESTED] = db_bool(marks->nested);
	values[RESUBSCRIBE] = db_text_or_null(options->resubscribe);
	values[ACTOR] = db_text_or_null(options->actor);
	values[PLAIN_FIRST] = db_int(marks->plain_first);
	values[PLAIN] = db_int((int64_t)marks->plain);
}

static bool is_needed(enum need need, const struct import_marks *marks)
{
	switch (need) {
	case ALWAYS:
		return true;
	case IF_PLAIN:
		return marks->plain > 0;
	case IF_TWICE:
		return marks->twice;
	case IF_CANONICALS:
		return marks->canonicals;
	case IF_CONSENTS:
		return marks->consents;
	case UNLESS_CONSENTS:
		return !marks->consents;
	}
	return true;
}

enum err import_steps_merge(struct db *db, const struct import_terms *terms, const struct import_marks *marks,
			    struct buf *why)
{
	struct db_value known[PARAM_COUNT], values[PARAMS_MOST];
	enum err err = ERR_OK;
	fill_params(terms, marks, known);
	for (size_t i = 0; i < ARRAY_LEN(steps) && err == ERR_OK; i++) {
		const struct step *step = &steps[i];
		if (!is_needed(step->need, marks))
			continue;
		for (size_t j = 0; j < step->count; j++)
			values[j] = known[step->params[j]];
		err = db_run_later(db, &step->statement, values, step->count, why);
	}
	return err == ERR_OK ? db_set_off(db, why) : err;
}

enum err import_steps_take_back(struct db *db, struct buf *why)
{
	return db_run(db, &take_back, NULL, 0, NULL, why);
}

enum err import_steps_count(struct db *db, struct import_counts *counts, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	uint64_t *const places[] = {
		&counts->duplicates, &counts->aliases, &counts->suppressed,   &counts->erased,
		&counts->created,    &counts->joined,  &counts->resubscribed, &counts->unsubscribed,
		&counts->disabled,   &counts->removed, &counts->updated,
	};
	enum err err = db_run(db, &count, NULL, 0, &rows, why);
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		*places[i] = (uint64_t)db_get_int(rows, 0, i);
	return ERR_OK;
}
