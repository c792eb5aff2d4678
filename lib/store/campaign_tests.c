#include "store/campaign_tests.h"

#include <assert.h>

#include "mail/address.h"

enum statement { ROUTE, NAMED, ASK, FIND, TAKE, GIVE_BACK, ANSWER, PURGE, STATEMENT_COUNT };

/* In the order of campaign_tests_get(); t is the test, s whose copy it is, c its campaign, l the list that the copy goes through. */
#define COLUMNS                                                                                                        \
	"t.id, t.campaign_id, t.subscriber_id, t.address, t.relay, t.plain, s.address, s.name, s.attributes::text,"    \
	" t.due_by, t.taken_at, t.answered_at, t.taken_by, t.accepted, t.due_by <= now(), t.code, t.step, t.reply,"    \
	" t.variant, l.id, l.name"
#define JOINED                                                                                                         \
	" JOIN subscriber s ON s.id = t.subscriber_id JOIN campaign c ON c.id = t.campaign_id"                         \
	" JOIN list l ON l.id = coalesce(t.list_id, c.list_id)"

static const struct db_statement statements[] = {
	/* $1 campaign, $2 domain. The order of sender/routes.h. */
	[ROUTE] = { .name = "campaign_tests_route",
		    .sql = "WITH used AS (SELECT r.*, r.domains || ARRAY(SELECT d.domain FROM domain_group g JOIN"
			   " domain_group_domain d ON d.group_id = g.id WHERE '@' || g.name = ANY (r.domains)) AS "
			   "all_domains"
			   " FROM relay r WHERE r.enabled), fits AS (SELECT u.name, u.weight,"
			   " CASE WHEN u.domains <> '{}' THEN 3 WHEN u.campaigns <> '{}' THEN 2 WHEN u.lists <> '{}' "
			   "THEN 1"
			   " ELSE 0 END AS rank FROM campaign c JOIN list l ON l.id = c.list_id JOIN used u"
			   " ON name_fits(u.campaigns, c.name) AND name_fits(u.lists, l.name) WHERE c.id = $1"
			   " AND (u.domains = '{}' OR EXISTS (SELECT FROM unnest(u.all_domains) AS d WHERE d = $2"
			   " OR (d LIKE '.%' AND right($2, length(d)) = d))))"
			   " SELECT name FROM (SELECT name, rank, weight FROM fits UNION ALL"
			   " SELECT '" RELAY_TESTS_DEFAULT
			   "', 0, 0 WHERE NOT EXISTS (SELECT FROM relay WHERE enabled)) AS f"
			   " ORDER BY rank DESC, weight DESC, name LIMIT 1" },
	[NAMED] = { .name = "campaign_tests_named",
		    .sql = "SELECT name FROM relay WHERE name = $1 UNION ALL SELECT $1 WHERE $1 = '" RELAY_TESTS_DEFAULT
			   "' AND NOT EXISTS (SELECT FROM relay WHERE enabled) LIMIT 1" },
	[ASK] = { .name = "campaign_tests_ask",
		  .sql =
		      "INSERT INTO campaign_test (campaign_id, subscriber_id, address, relay, plain, asked_by, due_by,"
		      " variant, list_id)"
		      " VALUES ($1, $2, $3, $4, $5::text::boolean, $6, now() + $7::bigint * interval '1 microsecond',"
		      " nullif($8::smallint, 0), $9)"
		      " RETURNING id" },
	[FIND] = { .name = "campaign_tests_find",
		   .sql = "SELECT " COLUMNS " FROM campaign_test t" JOINED
			  " WHERE t.id = ANY ($1::bigint[]) ORDER BY t.id" },
	[TAKE] = { .name = "campaign_tests_take",
		   .sql = "WITH pick AS (SELECT id FROM campaign_test WHERE taken_at IS NULL AND due_by > now()"
			  " ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED), taken AS (UPDATE campaign_test t"
			  " SET taken_at = now(), taken_by = $1 FROM pick WHERE t.id = pick.id RETURNING t.*)"
			  " SELECT " COLUMNS " FROM taken t" JOINED " ORDER BY t.id" },
	[GIVE_BACK] = { .name = "campaign_tests_give_back",
			.sql = "UPDATE campaign_test SET taken_at = NULL, taken_by = NULL WHERE id = $1"
			       " AND answered_at IS NULL" },
	[ANSWER] = { .name = "campaign_tests_answer",
		     .sql = "UPDATE campaign_test SET answered_at = now(), accepted = $2::text::boolean, step = $3,"
			    " code = $4, reply = $5 WHERE id = $1 AND answered_at IS NULL" },
	[PURGE] = { .name = "campaign_tests_purge",
		    .sql = "DELETE FROM campaign_test WHERE asked_at < $1 AND due_by < $1" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row a statement");

/* ---- asking ---- */

static enum err find_relay(struct db *db, const struct campaign_test_wish *wish, struct db_rows **ret_rows,
			   struct buf *why)
{
	struct db_rows *rows = NULL;
	bool is_named = wish->relay.len > 0;
	const struct db_value routed[] = { db_int((int64_t)wish->campaign_id), db_text(address_domain(wish->address)) };
	const struct db_value named[] = { db_text(wish->relay) };
	enum err err = is_named ? db_run(db, &statements[NAMED], named, ARRAY_LEN(named), &rows, why)
				: db_run(db, &statements[ROUTE], routed, ARRAY_LEN(routed), &rows, why);
	if (err != ERR_OK)
		return err;
	if (db_row_count(rows) > 0) {
		*ret_rows = rows;
		return ERR_OK;
	}
	db_rows_done(rows);
	if (is_named)
		buf_add(why, VIEW_LIT("there is no such relay; `listctl relay ls` shows those there are"));
	else
		buf_addf(why, "no relay in use takes this campaign's mail to " VIEW_FMT "; --relay names one",
			 VIEW_ARG(wish->address));
	return ERR_NOT_FOUND;
}

enum err campaign_tests_ask(struct db *db, const struct campaign_test_wish *wish, int64_t *ret_id, struct buf *why)
{
	AUTO_DB_ROWS *relay = NULL;
	AUTO_DB_ROWS *rows = NULL;
	enum err err = find_relay(db, wish, &relay, why);
	if (err != ERR_OK)
		return err;
	const struct db_value values[] = { db_int((int64_t)wish->campaign_id),
					   db_int((int64_t)wish->subscriber_id),
					   db_text(wish->address),
					   db_text(db_get_text(relay, 0, 0)),
					   db_text(wish->is_plain ? VIEW_LIT("true") : VIEW_LIT("false")),
					   db_text(wish->actor),
					   db_int(wish->patience_us),
					   db_int(wish->variant),
					   db_int(wish->list_id) };
	err = db_run(db, &statements[ASK], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_id = db_get_int(rows, 0, 0);
	return err;
}

enum err campaign_tests_find(struct db *db, const int64_t *ids, size_t count, struct db_rows **ret_rows,
			     struct buf *why)
{
	AUTO_DB_ARRAY array = db_array_of(DB_INT);
	for (size_t i = 0; i < count; i++)
		db_array_add_int(&array, ids[i]);
	const struct db_value values[] = { db_values(&array) };
	return db_run(db, &statements[FIND], values, ARRAY_LEN(values), ret_rows, why);
}

void campaign_tests_get(const struct db_rows *rows, size_t row, struct campaign_test *ret_test)
{
	*ret_test = (struct campaign_test){
		.id = db_get_int(rows, row, 0),
		.campaign_id = db_get_int(rows, row, 1),
		.subscriber_id = db_get_int(rows, row, 2),
		.address = db_get_text(rows, row, 3),
		.relay = db_get_text(rows, row, 4),
		.is_plain = db_get_bool(rows, row, 5),
		.reader_address = db_get_text(rows, row, 6),
		.reader_name = db_get_text(rows, row, 7),
		.reader_attributes = db_get_text(rows, row, 8),
		.due_us = db_get_time(rows, row, 9),
		.taken_us = db_get_time(rows, row, 10),
		.answered_us = db_get_time(rows, row, 11),
		.taken_by = db_get_text(rows, row, 12),
		.code = (unsigned)db_get_int(rows, row, 15),
		.step = db_get_text(rows, row, 16),
		.reply = db_get_text(rows, row, 17),
		.variant = (unsigned)db_get_int(rows, row, 18),
		.list_id = db_get_int(rows, row, 19),
		.list_name = db_get_text(rows, row, 20),
	};
	if (ret_test->answered_us == 0)
		ret_test->state = db_get_bool(rows, row, 14) ? CAMPAIGN_TEST_LATE : CAMPAIGN_TEST_WAITS;
	else if (db_is_null(rows, row, 13))
		ret_test->state = CAMPAIGN_TEST_DOUBTFUL;
	else
		ret_test->state = db_get_bool(rows, row, 13) ? CAMPAIGN_TEST_ACCEPTED : CAMPAIGN_TEST_REFUSED;
}

/* ---- sending ---- */

enum err campaign_tests_take(struct db *db, struct view host, size_t limit, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_text(host), db_int((int64_t)limit) };
	return db_run(db, &statements[TAKE], values, ARRAY_LEN(values), ret_rows, why);
}

enum err campaign_tests_give_back(struct db *db, int64_t id, struct buf *why)
{
	const struct db_value values[] = { db_int(id) };
	return db_run(db, &statements[GIVE_BACK], values, ARRAY_LEN(values), NULL, why);
}

enum err campaign_tests_answer(struct db *db, const struct relay_test_answer *answer, struct buf *why)
{
	static const char *const words[] = {
		[RELAY_ANSWER_TAKEN] = "true",
		[RELAY_ANSWER_REFUSED] = "false",
		[RELAY_ANSWER_DOUBTFUL] = NULL,
	};
	const struct db_value values[] = {
		db_int(answer->id),
		db_text_or_null(view_of(words[answer->answer])),
		db_text_or_null(answer->step),
		answer->code == 0 ? db_null() : db_int(answer->code),
		db_text(answer->reply),
	};
	return db_run(db, &statements[ANSWER], values, ARRAY_LEN(values), NULL, why);
}

enum err campaign_tests_purge(struct db *db, int64_t before_us, struct buf *why)
{
	const struct db_value values[] = { db_time(before_us) };
	return db_run(db, &statements[PURGE], values, ARRAY_LEN(values), NULL, why);
}
