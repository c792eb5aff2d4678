#include "store/relay_tests.h"

#include <assert.h>

#include "base/limits.h"
#include "store/audit.h"

enum statement {
	ASK,
	RELAYS,
	FIND,
	NEWEST,
	TAKE,
	GIVE_BACK,
	SEAL,
	ANSWER,
	BACK,
	REPORTED,
	ASK_FOR_DUE,
	NEXT_DUE,
	CLEAR,
	HOLD,
	PURGE,
	STATEMENT_COUNT
};

#define STRINGIFY(number) #number
#define TEXT_OF(number) STRINGIFY(number)

/* Of a row t of relay_test_state; the parameter holds relay_tests_terms.report_addresses. */
#define PATH_PASSES(parameter)                                                                                         \
	"coalesce(t.state = 'back' AND (t.path_kept OR (t.message_kept AND t.mail_from <> '' AND lower(t.mail_from)"   \
	" = ANY (string_to_array(lower(" parameter "::text), ' ')))), false)"
#define PASSES(parameter) "(" PATH_PASSES(parameter) " AND coalesce(t.changed = '', false))"
#define JUDGED(parameter) PATH_PASSES(parameter) ", " PASSES(parameter)

#define COLUMNS                                                                                                        \
	"t.id, t.campaign_id, t.relay, t.from_address, t.state, t.asked_at, t.due_by, t.taken_by, t.taken_at,"         \
	" t.answered_at, t.accepted, t.code, t.step, t.reply, t.back_at, t.reported_at, t.mail_from, t.path_kept,"     \
	" t.message_kept, t.changed, t.report_kind::text, t.diagnostic"

enum column {
	COL_ID,
	COL_CAMPAIGN,
	COL_RELAY,
	COL_FROM,
	COL_STATE,
	COL_ASKED,
	COL_DUE,
	COL_TAKEN_BY,
	COL_TAKEN,
	COL_ANSWERED,
	COL_ACCEPTED,
	COL_CODE,
	COL_STEP,
	COL_REPLY,
	COL_BACK,
	COL_REPORTED,
	COL_MAIL_FROM,
	COL_PATH_KEPT,
	COL_MESSAGE_KEPT,
	COL_CHANGED,
	COL_KIND,
	COL_DIAGNOSTIC,
	COL_PATH_PASSES,
	COL_PASSES,
	COL_DUE_CAMPAIGN, /* with NEXT_DUE */
};

#define IS_RARE(relay)                                                                                                 \
	"((SELECT count(*) FROM relay_test h WHERE h.relay = " relay " AND h.asked_at > now() - interval '1 hour')"    \
	" < " TEXT_OF(RELAY_TESTS_AN_HOUR_NUMBER) ")"
#define RELAY_TESTS_AN_HOUR_NUMBER 30
static_assert(RELAY_TESTS_AN_HOUR_NUMBER == (int)RELAY_TESTS_AN_HOUR, "one bound");

/* Campaigns that are due, not held and not tested for the time they are scheduled for, with each relay they may use; relay is null for
 * one that no relay fits: sender will say so when it starts. */
#define DUE                                                                                                            \
	"due AS (SELECT c.id AS campaign, c.from_address AS from_address, c.start_at, r.name AS relay"                 \
	" FROM campaign c LEFT JOIN LATERAL relays_of_campaign(c.id) AS r(name) ON true"                               \
	" WHERE c.state = 'scheduled' AND c.start_at <= now() AND c.hold_reason IS NULL"                               \
	" AND c.tested_for IS DISTINCT FROM c.start_at)"

/* Which tests t say something for d of DUE: what was asked since the campaign was to start, and of others what is under way or good,
 * unless a later one of the relay has come to another end. Where no more may be asked, what is known of the relay. */
#define IS_LAST_WORD "t.id IN (SELECT p.id FROM relay_path p WHERE p.relay = d.relay)"
#define SERVES(parameter)                                                                                              \
	"t.relay = d.relay AND (t.asked_at >= d.start_at OR (NOT " IS_RARE(                                            \
	    "d.relay") " AND " IS_LAST_WORD ")"                                                                        \
		       " OR (t.asked_at > now() - interval '10 minutes'"                                               \
		       " AND (t.state IN ('asked', 'taken', 'sent') OR (" PASSES(parameter) " AND " IS_LAST_WORD       \
											    "))))"

static const struct db_statement statements[] = {
	[ASK] = { .name = "relay_tests_ask",
		  .sql = "INSERT INTO relay_test (relay, from_address, asked_by, due_by)"
			 " SELECT $1::text, (SELECT from_address FROM list ORDER BY id DESC LIMIT 1), $2,"
			 " now() + $3::bigint * interval '1 microsecond' WHERE " IS_RARE("$1") " RETURNING id" },
	[RELAYS] = { .name = "relay_tests_relays",
		     .sql = "SELECT name FROM relay WHERE enabled UNION ALL"
			    " SELECT '" RELAY_TESTS_DEFAULT "' WHERE NOT EXISTS (SELECT FROM relay WHERE enabled)"
			    " ORDER BY 1" },
	[FIND] = { .name = "relay_tests_find",
		   .sql = "SELECT " COLUMNS ", " JUDGED("$2") " FROM relay_test_state t WHERE t.id = ANY ($1::bigint[])"
							      " ORDER BY t.id" },
	[NEWEST] = { .name = "relay_tests_newest",
		     .sql = "SELECT " COLUMNS ", " JUDGED("$1") " FROM relay_path t ORDER BY t.relay" },
	[TAKE] = { .name = "relay_tests_take",
		   .sql = "WITH pick AS (SELECT id FROM relay_test WHERE taken_at IS NULL AND due_by > now()"
			  " ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED), taken AS (UPDATE relay_test t"
			  " SET taken_at = now(), taken_by = $1 FROM pick WHERE t.id = pick.id RETURNING t.*)"
			  " SELECT t.id, t.campaign_id, t.relay, t.from_address, 'taken', t.asked_at, t.due_by,"
			  " t.taken_by, t.taken_at, NULL::timestamptz, NULL::boolean, NULL::smallint, NULL, NULL,"
			  " NULL::timestamptz, NULL::timestamptz, NULL, NULL::boolean, NULL::boolean, NULL, NULL, NULL,"
			  " false, false"
			  " FROM taken t ORDER BY t.id" },
	[GIVE_BACK] = { .name = "relay_tests_give_back",
			.sql = "UPDATE relay_test SET taken_at = NULL, taken_by = NULL, sent_seal = NULL"
			       " WHERE id = $1 AND answered_at IS NULL AND back_at IS NULL" },
	[SEAL] = { .name = "relay_tests_seal",
		   .sql = "UPDATE relay_test SET sent_seal = $2 WHERE id = $1 AND taken_at IS NOT NULL"
			  " AND answered_at IS NULL" },
	[ANSWER] = { .name = "relay_tests_answer",
		     .sql = "UPDATE relay_test SET answered_at = now(), accepted = $2::text::boolean, step = $3,"
			    " code = $4, reply = $5 WHERE id = $1 AND answered_at IS NULL" },
	[BACK] = { .name = "relay_tests_back",
		   .sql =
		       "UPDATE relay_test t SET back_at = g.at, mail_from = g.mail_from, path_kept = g.path_kept,"
		       " message_kept = g.message_kept, back_seal = g.seal FROM (SELECT DISTINCT ON (id) * FROM"
		       " unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::boolean[], $5::boolean[], $6::text[])"
		       " AS u(id, at, mail_from, path_kept, message_kept, seal) ORDER BY id, at) AS g"
		       " WHERE t.id = g.id AND t.back_at IS NULL AND t.sent_seal IS NOT NULL" },
	[REPORTED] = { .name = "relay_tests_reported",
		       .sql = "UPDATE relay_test t SET reported_at = g.at, report_kind = g.kind::bounce_kind,"
			      " diagnostic = g.diagnostic FROM (SELECT DISTINCT ON (id) * FROM"
			      " unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[])"
			      " AS u(id, at, kind, diagnostic) ORDER BY id, kind = 'delay', at) AS g"
			      " WHERE t.id = g.id AND (t.report_kind IS NULL"
			      " OR (t.report_kind = 'delay' AND g.kind <> 'delay'))" },
	[ASK_FOR_DUE] = { .name = "relay_tests_ask_for_due",
			  .sql =
			      "WITH " DUE " INSERT INTO relay_test (relay, campaign_id, from_address, asked_by, due_by)"
			      " SELECT DISTINCT ON (d.relay) d.relay, d.campaign, d.from_address, 'sender',"
			      " now() + $1::bigint * interval '1 microsecond' FROM due d WHERE d.relay IS NOT NULL"
			      " AND NOT EXISTS (SELECT FROM relay_test_state t WHERE " SERVES(
				  "$2") ")"
					" AND " IS_RARE("d.relay") " ORDER BY d.relay, d.campaign" },
	[NEXT_DUE] = { .name = "relay_tests_next_due",
		       .sql =
			   "WITH " DUE ", newest AS (SELECT DISTINCT ON (d.campaign, d.relay) d.campaign, "
			   "d.relay AS of_relay, t.*, " PATH_PASSES("$1") " AS path_passes, d.relay IS NULL OR " PASSES(
			       "$1") " AS passes"
				     " FROM due d LEFT JOIN relay_test_state t ON " SERVES(
					 "$1") " ORDER BY d.campaign, d.relay, t.id DESC),"
					       " ready AS (SELECT campaign FROM newest GROUP BY campaign HAVING "
					       "bool_and(of_relay IS NULL"
					       " OR coalesce(state IN ('back', 'bounced', 'refused', 'late'), false)))"
					       " SELECT " COLUMNS ", t.path_passes, t.passes, t.campaign FROM newest t "
					       "JOIN ready USING (campaign)"
					       " ORDER BY t.campaign, t.passes, t.of_relay LIMIT 1" },
	[CLEAR] = { .name = "relay_tests_clear",
		    .sql = "UPDATE campaign SET tested_for = start_at WHERE id = $1 AND state = 'scheduled'" },
	[HOLD] = { .name = "relay_tests_hold",
		   .sql = "UPDATE campaign SET hold_reason = $2 WHERE id = $1 AND state = 'scheduled'"
			  " AND hold_reason IS NULL" },
	[PURGE] = { .name = "relay_tests_purge",
		    .sql = "DELETE FROM relay_test t WHERE t.asked_at < $1 AND t.due_by < $1 AND NOT EXISTS"
			   " (SELECT FROM relay_path p WHERE p.id = t.id AND (p.relay = '" RELAY_TESTS_DEFAULT
			   "' OR EXISTS (SELECT FROM relay r WHERE r.name = p.relay)))" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

struct state_row {
	const char *name;
	bool is_over;
};
static const struct state_row states[] = {
	[RELAY_TEST_ASKED] = { "asked", false }, [RELAY_TEST_TAKEN] = { "taken", false },
	[RELAY_TEST_SENT] = { "sent", false },   [RELAY_TEST_REFUSED] = { "refused", true },
	[RELAY_TEST_BACK] = { "back", true },    [RELAY_TEST_BOUNCED] = { "bounced", true },
	[RELAY_TEST_LATE] = { "late", true },
};
static_assert(ARRAY_LEN(states) == RELAY_TEST_STATE_COUNT, "one row per state");

const char *relay_test_state_name(enum relay_test_state state)
{
	return states[state].name;
}

const char *relay_test_result(const struct relay_test *test)
{
	if (test->state != RELAY_TEST_BACK)
		return relay_test_state_name(test->state);
	if (!test->path_kept)
		return "rewritten";
	return test->changed.len > 0 ? "modified" : "kept";
}

bool relay_test_is_over(enum relay_test_state state)
{
	return states[state].is_over;
}

/* A word of a later release: nothing is known. */
static enum relay_test_state state_of(struct view name)
{
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		if (view_eq(name, view_of(states[i].name)))
			return (enum relay_test_state)i;
	}
	return RELAY_TEST_ASKED;
}

void relay_tests_get(const struct db_rows *rows, size_t row, struct relay_test *ret_test)
{
	*ret_test = (struct relay_test){
		.id = db_get_int(rows, row, COL_ID),
		.campaign_id = db_get_int(rows, row, COL_CAMPAIGN),
		.relay = db_get_text(rows, row, COL_RELAY),
		.from_address = db_get_text(rows, row, COL_FROM),
		.state = state_of(db_get_text(rows, row, COL_STATE)),
		.path_passes = db_get_bool(rows, row, COL_PATH_PASSES),
		.passes = db_get_bool(rows, row, COL_PASSES),
		.asked_us = db_get_time(rows, row, COL_ASKED),
		.due_us = db_get_time(rows, row, COL_DUE),
		.taken_by = db_get_text(rows, row, COL_TAKEN_BY),
		.taken_us = db_get_time(rows, row, COL_TAKEN),
		.answered_us = db_get_time(rows, row, COL_ANSWERED),
		.accepted = db_get_bool(rows, row, COL_ACCEPTED),
		.code = (unsigned)db_get_int(rows, row, COL_CODE),
		.step = db_get_text(rows, row, COL_STEP),
		.reply = db_get_text(rows, row, COL_REPLY),
		.back_us = db_get_time(rows, row, COL_BACK),
		.reported_us = db_get_time(rows, row, COL_REPORTED),
		.mail_from = db_get_text(rows, row, COL_MAIL_FROM),
		.path_kept = db_get_bool(rows, row, COL_PATH_KEPT),
		.message_kept = db_get_bool(rows, row, COL_MESSAGE_KEPT),
		.changed = db_get_text(rows, row, COL_CHANGED),
		.report_kind = db_get_text(rows, row, COL_KIND),
		.diagnostic = db_get_text(rows, row, COL_DIAGNOSTIC),
	};
}

/* ---- telling ---- */

#define REACH_BOUNCED "is bounced running, does the MX of bounce.domain lead to it, and may the relay's hosts reach it?"

static void tell_asked(const struct relay_test *test, struct buf *out)
{
	(void)test;
	buf_add(out, VIEW_LIT("waits for a sender to take it"));
}

static void tell_taken(const struct relay_test *test, struct buf *out)
{
	buf_addf(out, "sender on " VIEW_FMT " is handing it to the relay", VIEW_ARG(test->taken_by));
}

static void tell_sent(const struct relay_test *test, struct buf *out)
{
	buf_addf(out, "the relay has it; it is not back yet");
	if (test->reported_us != 0)
		buf_addf(out, " (" VIEW_FMT ": " VIEW_FMT ")", VIEW_ARG(test->report_kind), VIEW_ARG(test->diagnostic));
}

static void tell_refused(const struct relay_test *test, struct buf *out)
{
	if (test->code == 0)
		buf_addf(out, "the relay could not be used: " VIEW_FMT, VIEW_ARG(test->reply));
	else
		buf_addf(out, "the relay refused it at " VIEW_FMT ": %u " VIEW_FMT, VIEW_ARG(test->step), test->code,
			 VIEW_ARG(test->reply));
}

static void tell_rewritten(const struct relay_test *test, struct buf *out)
{
	if (test->mail_from.len == 0) {
		buf_add(out, VIEW_LIT("MAIL FROM is rewritten to <>: no bounce would come back from anywhere; let the "
				      "relay keep the envelope sender"));
		return;
	}
	buf_addf(out, "MAIL FROM is rewritten to " VIEW_FMT, VIEW_ARG(test->mail_from));
	if (test->path_passes)
		buf_add(out, VIEW_LIT(", where bounced takes reports and finds the recipient by ENVID or Message-ID"));
	else if (test->message_kept)
		buf_add(out, VIEW_LIT(", so bounces go there; let the relay keep the envelope sender, or have that "
				      "address's mail handed to bounced, and name it in bounced.report_addresses and "
				      "who brings it in bounced.report_networks"));
	else
		buf_add(out, VIEW_LIT(" and the Message-ID is replaced, so that bounces go there and do not tell whom "
				      "they are about; let the relay keep the envelope sender"));
}

static void tell_back(const struct relay_test *test, struct buf *out)
{
	if (!test->path_kept)
		tell_rewritten(test, out);
	else
		buf_add(out, VIEW_LIT("the return path came back as it was sent"));
	if (test->changed.len > 0)
		buf_addf(out,
			 "; but the relay modified the message (" VIEW_FMT
			 "): have it add no footer and no mark to the "
			 "subject and leave what it forwards as it is, since a modified message breaks its DKIM "
			 "signature",
			 VIEW_ARG(test->changed));
}

static void tell_bounced(const struct relay_test *test, struct buf *out)
{
	buf_addf(out, "the relay could not bring it to bounced (" VIEW_FMT "): " REACH_BOUNCED,
		 VIEW_ARG(test->diagnostic));
}

static void tell_late(const struct relay_test *test, struct buf *out)
{
	if (test->taken_us == 0)
		buf_add(out, VIEW_LIT("no sender took it in time: is sender running?"));
	else if (test->answered_us == 0)
		buf_addf(out, "sender on " VIEW_FMT " took it and did not get an answer of the relay in time",
			 VIEW_ARG(test->taken_by));
	else
		buf_addf(out, "the relay %s (" VIEW_FMT ") and it is not back in time: " REACH_BOUNCED,
			 test->accepted ? "took it" : "may have taken it", VIEW_ARG(test->reply));
}

static void (*const tellers[])(const struct relay_test *test, struct buf *out) = {
	[RELAY_TEST_ASKED] = tell_asked,     [RELAY_TEST_TAKEN] = tell_taken, [RELAY_TEST_SENT] = tell_sent,
	[RELAY_TEST_REFUSED] = tell_refused, [RELAY_TEST_BACK] = tell_back,   [RELAY_TEST_BOUNCED] = tell_bounced,
	[RELAY_TEST_LATE] = tell_late,
};
static_assert(ARRAY_LEN(tellers) == RELAY_TEST_STATE_COUNT, "one row per state");

void relay_test_tell(const struct relay_test *test, struct buf *out)
{
	tellers[test->state](test, out);
}

/* ---- asking ---- */

enum err relay_tests_ask(struct db *db, const struct relay_test_wish *wish, int64_t *ret_id, struct buf *why)
{
	const struct db_value values[] = { db_text(wish->relay), db_text(wish->actor), db_int(wish->patience_us) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[ASK], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	if (db_row_count(rows) == 0) {
		buf_addf(why, "relay " VIEW_FMT " was tested %d times within the last hour; try again later",
			 VIEW_ARG(wish->relay), RELAY_TESTS_AN_HOUR);
		return ERR_REFUSED;
	}
	*ret_id = db_get_int(rows, 0, 0);
	return ERR_OK;
}

enum err relay_tests_relays(struct db *db, struct db_rows **ret_rows, struct buf *why)
{
	return db_run(db, &statements[RELAYS], NULL, 0, ret_rows, why);
}

enum err relay_tests_find(struct db *db, const int64_t *ids, size_t count, const struct relay_tests_terms *terms,
			  struct db_rows **ret_rows, struct buf *why)
{
	AUTO_DB_ARRAY array = db_array_of(DB_INT);
	for (size_t i = 0; i < count; i++)
		db_array_add_int(&array, ids[i]);
	const struct db_value values[] = { db_values(&array), db_text(terms->report_addresses) };
	return db_run(db, &statements[FIND], values, ARRAY_LEN(values), ret_rows, why);
}

enum err relay_tests_newest(struct db *db, const struct relay_tests_terms *terms, struct db_rows **ret_rows,
			    struct buf *why)
{
	const struct db_value values[] = { db_text(terms->report_addresses) };
	return db_run(db, &statements[NEWEST], values, ARRAY_LEN(values), ret_rows, why);
}

/* ---- sending ---- */

enum err relay_tests_take(struct db *db, struct view host, size_t limit, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_text(host), db_int((int64_t)limit) };
	return db_run(db, &statements[TAKE], values, ARRAY_LEN(values), ret_rows, why);
}

enum err relay_tests_seal(struct db *db, int64_t id, struct view seal, struct buf *why)
{
	const struct db_value values[] = { db_int(id), db_text(seal) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[SEAL], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK || db_changed(rows) > 0)
		return err;
	buf_add(why, VIEW_LIT("the test is not there any more"));
	return ERR_NOT_FOUND;
}

enum err relay_tests_give_back(struct db *db, int64_t id, struct buf *why)
{
	const struct db_value values[] = { db_int(id) };
	return db_run(db, &statements[GIVE_BACK], values, ARRAY_LEN(values), NULL, why);
}

enum err relay_tests_answer(struct db *db, const struct relay_test_answer *answer, struct buf *why)
{
	static const char *const accepted[] = {
		[RELAY_ANSWER_TAKEN] = "true",
		[RELAY_ANSWER_REFUSED] = "false",
		[RELAY_ANSWER_DOUBTFUL] = NULL,
	};
	const struct db_value values[] = { db_int(answer->id), db_text_or_null(view_of(accepted[answer->answer])),
					   db_text_or_null(answer->step),
					   answer->code == 0 ? db_null() : db_int(answer->code),
					   db_text(answer->reply) };
	return db_run(db, &statements[ANSWER], values, ARRAY_LEN(values), NULL, why);
}

/* ---- receiving ---- */

static enum err store_back(struct db *db, const struct relay_test_return *returns, size_t count, size_t *ret_stored,
			   struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_DB_ARRAY ids = db_array_of(DB_INT);
	AUTO_DB_ARRAY times = db_array_of(DB_TIME);
	AUTO_DB_ARRAY senders = db_array_of(DB_TEXT);
	AUTO_DB_ARRAY paths = db_array_of(DB_BOOL);
	AUTO_DB_ARRAY messages = db_array_of(DB_BOOL);
	AUTO_DB_ARRAY seals = db_array_of(DB_TEXT);
	for (size_t i = 0; i < count; i++) {
		if (returns[i].is_report)
			continue;
		db_array_add_int(&ids, (int64_t)returns[i].test_id);
		db_array_add_int(&times, returns[i].received_us);
		db_array_add_bytes(&senders, returns[i].mail_from);
		db_array_add_int(&paths, returns[i].path_kept);
		db_array_add_int(&messages, returns[i].message_kept);
		db_array_add_bytes(&seals, returns[i].seal);
	}
	if (ids.count == 0)
		return ERR_OK;
	const struct db_value values[] = { db_values(&ids),   db_values(&times),    db_values(&senders),
					   db_values(&paths), db_values(&messages), db_values(&seals) };
	enum err err = db_run(db, &statements[BACK], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_stored += db_changed(rows);
	return err;
}

static enum err store_reported(struct db *db, const struct relay_test_return *returns, size_t count, size_t *ret_stored,
			       struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_DB_ARRAY ids = db_array_of(DB_INT);
	AUTO_DB_ARRAY times = db_array_of(DB_TIME);
	AUTO_DB_ARRAY kinds = db_array_of(DB_TEXT);
	AUTO_DB_ARRAY diagnostics = db_array_of(DB_TEXT);
	for (size_t i = 0; i < count; i++) {
		if (!returns[i].is_report || returns[i].kind == KIND_COMPLAINT)
			continue;
		db_array_add_int(&ids, (int64_t)returns[i].test_id);
		db_array_add_int(&times, returns[i].received_us);
		db_array_add_bytes(&kinds, view_of(kind_name(returns[i].kind)));
		db_array_add_bytes(&diagnostics, returns[i].diagnostic);
	}
	if (ids.count == 0)
		return ERR_OK;
	const struct db_value values[] = { db_values(&ids), db_values(&times), db_values(&kinds),
					   db_values(&diagnostics) };
	enum err err = db_run(db, &statements[REPORTED], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_stored += db_changed(rows);
	return err;
}

enum err relay_tests_return(struct db *db, const struct relay_test_return *returns, size_t count, size_t *ret_stored,
			    struct buf *why)
{
	size_t stored = 0;
	enum err err = store_back(db, returns, count, &stored, why);
	if (err == ERR_OK)
		err = store_reported(db, returns, count, &stored, why);
	if (err == ERR_OK)
		*ret_stored = stored;
	return err;
}

/* ---- before campaigns ---- */

enum err relay_tests_ask_for_due(struct db *db, int64_t patience_us, const struct relay_tests_terms *terms,
				 struct buf *why)
{
	const struct db_value values[] = { db_int(patience_us), db_text(terms->report_addresses) };
	return db_run(db, &statements[ASK_FOR_DUE], values, ARRAY_LEN(values), NULL, why);
}

enum err relay_tests_next_due(struct db *db, const struct relay_tests_terms *terms, struct relay_tests_due *ret_due,
			      struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_text(terms->report_addresses) };
	struct db_rows *rows = NULL;
	enum err err = db_run(db, &statements[NEXT_DUE], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	if (db_row_count(rows) == 0) {
		db_rows_done(rows);
		return ERR_NOT_FOUND;
	}
	*ret_due = (struct relay_tests_due){ .campaign_id = db_get_int(rows, 0, COL_DUE_CAMPAIGN),
					     .all_pass = db_get_bool(rows, 0, COL_PASSES) };
	if (!ret_due->all_pass)
		relay_tests_get(rows, 0, &ret_due->failed);
	*ret_rows = rows;
	return ERR_OK;
}

enum err relay_tests_clear(struct db *db, int64_t campaign_id, struct buf *why)
{
	const struct db_value values[] = { db_int(campaign_id) };
	return db_run(db, &statements[CLEAR], values, ARRAY_LEN(values), NULL, why);
}

enum err relay_tests_hold(struct db *db, int64_t campaign_id, struct view reason, struct buf *why)
{
	const struct db_value values[] = { db_int(campaign_id), db_text(reason) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[HOLD], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK || db_changed(rows) == 0)
		return err;
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&subject, "campaign:%lld", (long long)campaign_id);
	return audit_append(db, VIEW_LIT("sender"), "campaign.hold", buf_view(&subject), VIEW_LIT(""), why);
}

/* ---- forgetting ---- */

enum err relay_tests_purge(struct db *db, int64_t before_us, struct buf *why)
{
	const struct db_value values[] = { db_time(before_us) };
	return db_run(db, &statements[PURGE], values, ARRAY_LEN(values), NULL, why);
}
