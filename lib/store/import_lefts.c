#include "store/import_lefts.h"

enum { PEOPLE_TOGETHER = 200 };

static const struct db_statement make_forms = {
	.name = "import_make_lefts",
	.sql = "CREATE TEMPORARY TABLE import_left (form text COLLATE \"C\" PRIMARY KEY) ON COMMIT DROP",
};
/* ours: this import has made him. */
static const struct db_statement make_people = {
	.name = "import_make_left_people",
	.sql = "CREATE TEMPORARY TABLE import_left_person (person bigint PRIMARY KEY, ours boolean) ON COMMIT DROP",
};
static const struct db_statement add_forms = {
	.name = "import_add_lefts",
	.sql = "INSERT INTO import_left SELECT DISTINCT unnest($1::text[]) ON CONFLICT DO NOTHING",
};
static const struct db_statement find_people = {
	.name = "import_find_lefts",
	.sql =
	    "INSERT INTO import_left_person"
	    " SELECT DISTINCT s.id, s.id > $1::bigint AND s.created_at = now() FROM import_left l CROSS JOIN LATERAL ("
	    "  SELECT id, created_at FROM subscriber WHERE address_key = l.form"
	    "  UNION ALL SELECT id, created_at FROM subscriber WHERE canonical = l.form OFFSET 0) s",
};
static const struct db_statement find_changed = {
	.name = "import_find_changed_lefts",
	.sql =
	    "SELECT p.person FROM import_left_person p WHERE NOT p.ours AND p.person > $1::bigint"
	    " AND EXISTS (SELECT FROM import_updated u WHERE u.person = p.person OFFSET 0) ORDER BY 1 LIMIT $2::bigint",
};
/* By the other connection: their rows are locked by this import, so that nobody else has changed them since. */
static const struct db_statement read_before = {
	.name = "import_read_before",
	.sql = "SELECT id, name, attributes::text FROM subscriber WHERE id = ANY ($1::bigint[])",
};
static const struct db_statement give_back = {
	.name = "import_give_back",
	.sql = "WITH given AS ("
	       "  UPDATE subscriber s SET name = b.name, attributes = b.attributes::jsonb"
	       "  FROM unnest($1::bigint[], $2::text[], $3::text[]) b (id, name, attributes) WHERE s.id = b.id "
	       "RETURNING s.id)"
	       " DELETE FROM import_updated u USING given g WHERE u.person = g.id",
};
/* Who had unsubscribed and was brought back has unsubscribed again; who was no member is none. */
static const struct db_statement leave = {
	.name = "import_leave",
	.sql =
	    "WITH mine AS MATERIALIZED ("
	    "  SELECT p.person, p.ours, m.state, m.since = now() AND m.state IN ('active', 'unconfirmed') AS is_fresh,"
	    "   NOT p.ours AND (m.reason = $2::text) IS TRUE AS is_back"
	    "  FROM import_left_person p JOIN membership m ON m.list_id = $1::bigint AND m.subscriber_id = p.person),"
	    " gone AS ("
	    "  DELETE FROM membership m USING mine x WHERE x.is_fresh AND NOT x.is_back AND m.list_id = $1::bigint"
	    "   AND m.subscriber_id = x.person RETURNING x.ours),"
	    " back AS ("
	    "  UPDATE membership m SET state = 'unsubscribed', reason = 'import' FROM mine x"
	    "  WHERE x.is_fresh AND x.is_back AND m.list_id = $1::bigint AND m.subscriber_id = x.person RETURNING 1)"
	    " SELECT (SELECT count(*) FROM gone WHERE ours), (SELECT count(*) FROM gone WHERE NOT ours),"
	    "  (SELECT count(*) FROM back),"
	    "  (SELECT count(*) FROM mine WHERE state = 'active' AND NOT is_fresh)",
};
static const struct db_statement forget = {
	.name = "import_forget_lefts",
	.sql = "DELETE FROM subscriber s USING import_left_person p WHERE p.ours AND s.id = p.person",
};

void import_lefts_init(struct import_lefts *lefts)
{
	*lefts = (struct import_lefts){ .forms = db_array_of(DB_TEXT) };
}

void import_lefts_done(struct import_lefts *lefts)
{
	db_array_done(&lefts->forms);
}

bool import_lefts_add(struct import_lefts *lefts, struct view address_key, struct view canonical)
{
	db_array_add_bytes(&lefts->forms, address_key);
	if (canonical.len > 0)
		db_array_add_bytes(&lefts->forms, canonical);
	return lefts->forms.count >= LEFTS_TOGETHER;
}

enum err import_lefts_send(struct import_lefts *lefts, struct db *db, struct buf *why)
{
	const struct db_value values[] = { db_values(&lefts->forms) };
	enum err err = ERR_OK;
	if (lefts->forms.count == 0)
		return ERR_OK;
	if (!lefts->is_any)
		err = db_run(db, &make_forms, NULL, 0, NULL, why);
	lefts->is_any = true;
	if (err == ERR_OK)
		err = db_run(db, &add_forms, values, ARRAY_LEN(values), NULL, why);
	db_array_done(&lefts->forms);
	lefts->forms = db_array_of(DB_TEXT);
	return err;
}

static enum err give_values_back(struct db *db, const struct db_rows *before, struct buf *why)
{
	struct db_array arrays[] = { db_array_of(DB_INT), db_array_of(DB_TEXT), db_array_of(DB_TEXT) };
	for (size_t row = 0; row < db_row_count(before); row++) {
		db_array_add_int(&arrays[0], db_get_int(before, row, 0));
		db_array_add_bytes(&arrays[1], db_get_text(before, row, 1));
		db_array_add_bytes(&arrays[2], db_get_text(before, row, 2));
	}
	const struct db_value values[] = { db_values(&arrays[0]), db_values(&arrays[1]), db_values(&arrays[2]) };
	enum err err = db_run(db, &give_back, values, ARRAY_LEN(values), NULL, why);
	for (size_t i = 0; i < ARRAY_LEN(arrays); i++)
		db_array_done(&arrays[i]);
	return err;
}

/* *beside is opened for the first who is found. *last: 0 when there is nobody any more. */
static enum err restore_some(struct db *db, struct db **beside, int64_t *last, struct buf *why)
{
	AUTO_DB_ROWS *people = NULL;
	AUTO_DB_ROWS *before = NULL;
	const struct db_value from[] = { db_int(*last), db_int(PEOPLE_TOGETHER) };
	enum err err = db_run(db, &find_changed, from, ARRAY_LEN(from), &people, why);
	if (err != ERR_OK)
		return err;
	size_t count = db_row_count(people);
	*last = count == 0 ? 0 : db_get_int(people, count - 1, 0);
	if (count == 0)
		return ERR_OK;
	struct db_array ids = db_array_of(DB_INT);
	for (size_t row = 0; row < count; row++)
		db_array_add_int(&ids, db_get_int(people, row, 0));
	const struct db_value values[] = { db_values(&ids) };
	if (*beside == NULL)
		err = db_open_beside(db, beside, why);
	if (err == ERR_OK)
		err = db_run(*beside, &read_before, values, ARRAY_LEN(values), &before, why);
	db_array_done(&ids);
	return err == ERR_OK ? give_values_back(db, before, why) : err;
}

enum err import_lefts_restore(struct import_lefts *lefts, struct db *db, const struct import_terms *terms,
			      struct buf *why)
{
	const struct db_value after[] = { db_int(terms->last_id) };
	struct db *beside = NULL;
	int64_t last = 0;
	enum err err = import_lefts_send(lefts, db, why);
	if (err != ERR_OK || !lefts->is_any)
		return err;
	err = db_run(db, &make_people, NULL, 0, NULL, why);
	if (err == ERR_OK)
		err = db_run(db, &find_people, after, ARRAY_LEN(after), NULL, why);
	if (err == ERR_OK)
		err = restore_some(db, &beside, &last, why);
	while (err == ERR_OK && last != 0)
		err = restore_some(db, &beside, &last, why);
	db_close(beside);
	return err;
}

static void count_back(struct import_counts *counts, uint64_t made, uint64_t joined, uint64_t back)
{
	/* Where the reason for bringing back is "import", those who joined look like them. */
	uint64_t returned = back < counts->resubscribed ? back : counts->resubscribed;
	counts->created -= made;
	counts->resubscribed -= returned;
	counts->joined -= made + joined + back - returned;
	counts->taken_back = made + joined + back;
	counts->back_new = made;
}

enum err import_lefts_take_back(struct import_lefts *lefts, struct db *db, const struct import_terms *terms,
				struct import_counts *counts, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	const struct db_value values[] = { db_int(terms->list_id), db_text_or_null(terms->options.resubscribe) };
	if (!lefts->is_any)
		return ERR_OK;
	enum err err = db_run(db, &leave, values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		err = db_run(db, &forget, NULL, 0, NULL, why);
	if (err != ERR_OK)
		return err;
	count_back(counts, (uint64_t)db_get_int(rows, 0, 0), (uint64_t)db_get_int(rows, 0, 1),
		   (uint64_t)db_get_int(rows, 0, 2));
	counts->still_active = (uint64_t)db_get_int(rows, 0, 3);
	return ERR_OK;
}
