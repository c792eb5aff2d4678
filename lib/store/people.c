#include "store/people.h"

#include <assert.h>

#include "base/limits.h"

enum statement { FIND, FIND_LOCKED, MEMBERSHIPS, AUDIT, SET, MOVE, STEP, STARTING, HOLDING, LAST_ID, STATEMENT_COUNT };

#define COLUMNS "SELECT s.id, s.address, s.address_key, s.canonical, s.name, s.attributes::text, s.created_at"
/* The address itself before other spellings of its mailbox. */
#define FIND_ONE                                                                                                       \
	COLUMNS " FROM subscriber s WHERE s.address_key IN ($1, $2) OR s.canonical = coalesce($2, $1) OR s.id = "      \
		"$3::bigint"                                                                                           \
		" ORDER BY s.address_key = $1 DESC, s.id LIMIT 1"

static const struct db_statement statements[] = {
	[FIND] = { .name = "people_find", .sql = FIND_ONE },
	[FIND_LOCKED] = { .name = "people_find_locked", .sql = FIND_ONE " FOR NO KEY UPDATE OF s" },
	[MEMBERSHIPS] = { .name = "people_memberships",
			  .sql =
			      "SELECT l.name, m.state, m.reason, m.since, m.joined_at, m.consent_source, m.consent_at"
			      " FROM membership m JOIN list l ON l.id = m.list_id WHERE m.subscriber_id = $1::bigint "
			      "ORDER BY l.name" },
	[AUDIT] = { .name = "people_audit",
		    .sql = "SELECT at, actor, action, detail::text FROM audit WHERE subscriber_id = $1::bigint"
			   " ORDER BY id DESC LIMIT $2::bigint" },
	[SET] = { .name = "people_set",
		  .sql = "UPDATE subscriber SET name = coalesce($2::text, name),"
			 " attributes = (attributes || $3::text::jsonb) - $4::text[] WHERE id = $1::bigint"
			 " RETURNING octet_length(attributes::text)" },
	[MOVE] = { .name = "people_move",
		   .sql = "UPDATE subscriber SET address = $2, address_key = $3, canonical = $4,"
			  " address_since = CASE WHEN coalesce(canonical, address_key) = coalesce($4, $3)"
			  " THEN address_since ELSE clock_timestamp() END WHERE id = $1::bigint" },
	[STEP] = { .name = "people_step",
		   .sql = "WITH moved AS (UPDATE membership m SET state = $4::text::membership_state, reason = $5, "
			  "since = now(),"
			  " campaign_id = NULL, consent_source = coalesce($6, m.consent_source),"
			  " consent_at = CASE WHEN $6::text IS NULL THEN m.consent_at ELSE now() END"
			  " WHERE m.subscriber_id = $1::bigint AND ($2::bigint = 0 OR m.list_id = $2)"
			  " AND m.state = ANY (string_to_array($3::text, ',')::membership_state[]) RETURNING m.list_id)"
			  " SELECT l.name FROM moved JOIN list l ON l.id = moved.list_id ORDER BY l.name" },
	/* $1 how it begins, $2 the mailbox of a whole address or null, $3 how many. The first way in which somebody is found counts. */
	[STARTING] = { .name = "people_starting",
		       .sql =
			   "WITH hit AS ("
			   " (SELECT s.id, NULL::text AS found_as, 1 AS way, s.address_key AS key FROM subscriber s"
			   "  WHERE s.address_key >= $1 AND s.address_key < $1 || U&'\\+10FFFF' ORDER BY s.address_key"
			   "  LIMIT $3::bigint)"
			   " UNION ALL (SELECT s.id, $2, 2, s.address_key FROM subscriber s"
			   "  WHERE s.canonical = $2 OR s.address_key = $2 LIMIT $3)"
			   " UNION ALL (SELECT f.subscriber_id, f.address_key, 3, f.address_key FROM former_address f"
			   "  WHERE (f.address_key >= $1 AND f.address_key < $1 || U&'\\+10FFFF')"
			   "  OR coalesce(f.canonical, f.address_key) = $2 ORDER BY f.address_key LIMIT $3)"
			   "), first AS (SELECT DISTINCT ON (id) * FROM hit ORDER BY id, way, key) " COLUMNS
			   ", first.found_as FROM first JOIN subscriber s USING (id) ORDER BY first.way, first.key"
			   " LIMIT $3" },
	/* $5 is $1 with its domain in A-labels, or null; $6 the mailbox of a whole address, or null. */
	[HOLDING] = { .name = "people_holding",
		      .sql = "WITH former AS MATERIALIZED ("
			     " SELECT f.subscriber_id, (array_agg(f.address_key ORDER BY f.until DESC))[1] AS key"
			     " FROM former_address f WHERE position(lower($1) IN f.address_key) > 0"
			     " OR position(lower($5::text) IN f.address_key) > 0"
			     " OR coalesce(f.canonical, f.address_key) = $6::text GROUP BY f.subscriber_id) " COLUMNS
			     ", CASE WHEN NOT s.holds THEN coalesce(former.key, $6) END FROM (SELECT *,"
			     "  position(lower($1) IN lower(address || ' ' || name || ' ' || attributes::text)) > 0"
			     "  OR coalesce(position(lower($5) IN lower(address)) > 0, false) AS holds FROM subscriber"
			     "  WHERE id > $2::bigint AND id <= $3::bigint) AS s"
			     " LEFT JOIN former ON former.subscriber_id = s.id"
			     " WHERE s.holds OR former.key IS NOT NULL OR s.canonical = $6 OR s.address_key = $6"
			     " ORDER BY s.id LIMIT $4::bigint" },
	[LAST_ID] = { .name = "people_last_id", .sql = "SELECT coalesce(max(id), 0) FROM subscriber" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row a statement");

struct person_row people_get(const struct db_rows *rows, size_t row)
{
	return (struct person_row){
		.id = db_get_int(rows, row, 0),
		.address = db_get_text(rows, row, 1),
		.key = db_get_text(rows, row, 2),
		.canonical = db_get_text(rows, row, 3),
		.name = db_get_text(rows, row, 4),
		.attributes = db_get_text(rows, row, 5),
		.created_us = db_get_time(rows, row, 6),
	};
}

enum err people_find(struct db *db, struct view key, struct view canonical, int64_t id, bool locked,
		     struct db_rows **ret_rows, struct person_row *ret_person, struct buf *why)
{
	const struct db_value values[] = { db_text_or_null(key), db_text_or_null(canonical),
					   id == 0 ? db_null() : db_int(id) };
	enum err err = db_find(db, &statements[locked ? FIND_LOCKED : FIND], values, ARRAY_LEN(values), ret_rows, why);
	if (err == ERR_OK)
		*ret_person = people_get(*ret_rows, 0);
	return err;
}

enum err people_memberships(struct db *db, int64_t id, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_int(id) };
	return db_run(db, &statements[MEMBERSHIPS], values, ARRAY_LEN(values), ret_rows, why);
}

struct person_membership people_membership_get(const struct db_rows *rows, size_t row)
{
	return (struct person_membership){
		.list = db_get_text(rows, row, 0),
		.state = db_get_text(rows, row, 1),
		.reason = db_get_text(rows, row, 2),
		.since_us = db_get_time(rows, row, 3),
		.joined_us = db_get_time(rows, row, 4),
		.consent_source = db_get_text(rows, row, 5),
		.consent_us = db_get_time(rows, row, 6),
	};
}

enum err people_audit(struct db *db, int64_t id, uint64_t limit, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_int(id), db_int((int64_t)limit) };
	return db_run(db, &statements[AUDIT], values, ARRAY_LEN(values), ret_rows, why);
}

enum err people_check_size(size_t size, struct buf *why)
{
	if (size <= LIMIT_ATTRIBUTES)
		return ERR_OK;
	buf_addf(why, "the attributes of a person take at most %d octets as JSON, and these would be %zu",
		 LIMIT_ATTRIBUTES, size);
	return ERR_TOO_BIG;
}

enum err people_set(struct db *db, int64_t id, const struct view *name, struct view set, const struct db_array *unset,
		    struct buf *why)
{
	const struct db_value values[] = { db_int(id), name == NULL ? db_null() : db_text(*name), db_text(set),
					   db_values(unset) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_find(db, &statements[SET], values, ARRAY_LEN(values), &rows, why);
	return err == ERR_OK ? people_check_size((size_t)db_get_int(rows, 0, 0), why) : err;
}

enum err people_move(struct db *db, int64_t id, struct view address, struct view key, struct view canonical,
		     struct buf *why)
{
	const struct db_value values[] = { db_int(id), db_text(address), db_text(key), db_text_or_null(canonical) };
	return db_run(db, &statements[MOVE], values, ARRAY_LEN(values), NULL, why);
}

enum err people_step(struct db *db, int64_t id, const struct membership_step *step, struct db_rows **ret_rows,
		     struct buf *why)
{
	const struct db_value values[] = {
		db_int(id),        db_int(step->list_id), db_text(step->from),
		db_text(step->to), db_text(step->reason), db_text_or_null(step->consent_source)
	};
	return db_run(db, &statements[STEP], values, ARRAY_LEN(values), ret_rows, why);
}

struct view people_found_as(const struct db_rows *rows, size_t row)
{
	return db_get_text(rows, row, 7);
}

enum err people_starting(struct db *db, const struct people_sought *sought, uint64_t limit, struct db_rows **ret_rows,
			 struct buf *why)
{
	const struct db_value values[] = { db_text(sought->text), db_text_or_null(sought->mailbox),
					   db_int((int64_t)limit) };
	return db_run(db, &statements[STARTING], values, ARRAY_LEN(values), ret_rows, why);
}

enum err people_holding(struct db *db, const struct people_sought *sought, int64_t after_id, int64_t last_id,
			uint64_t limit, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_text(sought->text),
					   db_int(after_id),
					   db_int(last_id),
					   db_int((int64_t)limit),
					   db_text_or_null(sought->ascii),
					   db_text_or_null(sought->mailbox) };
	return db_run(db, &statements[HOLDING], values, ARRAY_LEN(values), ret_rows, why);
}

enum err people_last_id(struct db *db, int64_t *ret_id, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[LAST_ID], NULL, 0, &rows, why);
	if (err == ERR_OK)
		*ret_id = db_get_int(rows, 0, 0);
	return err;
}
