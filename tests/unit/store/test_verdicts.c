#include "store/verdicts.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "store/bounces.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

/* Histories are written as a text, one attempt after the other: DAY LIST OUTCOME. One person, two lists, a campaign an attempt. */
enum step_type {
	ARRIVES, /* accepted, nothing came back */
	BOUNCES, /* accepted, then a report */
	TWICE,   /* accepted, then two reports: the given reason and a milder one */
	REFUSED, /* the relay refused it, and said the reason */
	VOIDED,  /* a report that an administrator took out */
	ORPHAN,  /* a report that counts for nothing */
	LATE,    /* a report after the token's life */
	SKIPPED, /* not sent; a report all the same */
};

struct step {
	int day; /* before now */
	int list;
	enum step_type type;
	enum bounce_reason reason;
};

enum { STEPS_MOST = 12, WINDOW_DAYS = 7, LIFE_DAYS = 30 };

struct row {
	const char *label;
	struct step steps[STEPS_MOST];
	const char *reason; /* NULL: both memberships stay active */
};

#define UNKNOWN REASON_USER_UNKNOWN
#define FULL REASON_MAILBOX_FULL

static const struct row rows[] = {
	{ "nothing happened", { { 1, 1, ARRIVES, 0 } }, NULL },
	{ "one user-unknown is enough", { { 0, 1, BOUNCES, UNKNOWN } }, "user-unknown" },
	{ "heard from the relay too", { { 0, 1, REFUSED, UNKNOWN } }, "user-unknown" },
	{ "null MX at once", { { 0, 1, BOUNCES, REASON_NULL_MX } }, "null-mx" },
	{ "domain-unknown needs two", { { 5, 1, BOUNCES, REASON_DOMAIN_UNKNOWN } }, NULL },
	{ "domain-unknown twice on one day",
	  { { 5, 1, BOUNCES, REASON_DOMAIN_UNKNOWN }, { 5, 2, BOUNCES, REASON_DOMAIN_UNKNOWN } },
	  NULL },
	{ "domain-unknown twice in three days, over two lists",
	  { { 5, 1, BOUNCES, REASON_DOMAIN_UNKNOWN }, { 2, 2, BOUNCES, REASON_DOMAIN_UNKNOWN } },
	  "domain-unknown" },
	{ "monthly list: the fifth full mailbox",
	  { { 120, 1, BOUNCES, FULL },
	    { 90, 1, BOUNCES, FULL },
	    { 60, 1, BOUNCES, FULL },
	    { 30, 1, BOUNCES, FULL },
	    { 0, 1, BOUNCES, FULL } },
	  "mailbox-full" },
	{ "monthly list: only four",
	  { { 90, 1, BOUNCES, FULL }, { 60, 1, BOUNCES, FULL }, { 30, 1, BOUNCES, FULL }, { 0, 1, BOUNCES, FULL } },
	  NULL },
	{ "monthly list: a success between resets",
	  { { 150, 1, BOUNCES, FULL },
	    { 120, 1, BOUNCES, FULL },
	    { 90, 1, BOUNCES, FULL },
	    { 60, 1, ARRIVES, 0 },
	    { 30, 1, BOUNCES, FULL },
	    { 0, 1, BOUNCES, FULL } },
	  NULL },
	{ "daily list: five in five days are too fast",
	  { { 4, 1, BOUNCES, FULL },
	    { 3, 1, BOUNCES, FULL },
	    { 2, 1, BOUNCES, FULL },
	    { 1, 1, BOUNCES, FULL },
	    { 0, 1, BOUNCES, FULL } },
	  NULL },
	{ "daily list: a month of them",
	  { { 30, 1, BOUNCES, FULL },
	    { 20, 1, BOUNCES, FULL },
	    { 10, 1, BOUNCES, FULL },
	    { 5, 1, BOUNCES, FULL },
	    { 0, 1, BOUNCES, FULL } },
	  "mailbox-full" },
	/* Where others go wrong. A score that goes stale within a week never ends a monthly list's dead address (Mailman). */
	{ "monthly list: a disabled mailbox, a month apart",
	  { { 30, 1, BOUNCES, REASON_MAILBOX_DISABLED }, { 0, 1, BOUNCES, REASON_MAILBOX_DISABLED } },
	  "mailbox-disabled" },
	/* Ten of anything within ten days are an outage, not a dead address (Sympa). */
	{ "daily list: ten days of a network's trouble",
	  { { 9, 1, BOUNCES, REASON_NETWORK },
	    { 8, 1, BOUNCES, REASON_NETWORK },
	    { 7, 1, BOUNCES, REASON_NETWORK },
	    { 6, 1, BOUNCES, REASON_NETWORK },
	    { 5, 1, BOUNCES, REASON_NETWORK },
	    { 4, 1, BOUNCES, REASON_NETWORK },
	    { 3, 1, BOUNCES, REASON_NETWORK },
	    { 2, 1, BOUNCES, REASON_NETWORK },
	    { 1, 1, BOUNCES, REASON_NETWORK },
	    { 0, 1, BOUNCES, REASON_NETWORK } },
	  NULL },
	/* One 5.7.1 is what the operator holds against us, and block-lists nobody (listmonk). */
	{ "one refusal by policy", { { 0, 1, BOUNCES, REASON_POLICY } }, NULL },
	{ "one listing of our own at a block list", { { 0, 1, BOUNCES, REASON_SENDER_BLOCKED } }, NULL },
	{ "an undecided attempt between neither counts nor resets",
	  { { 40, 1, BOUNCES, FULL },
	    { 20, 1, BOUNCES, FULL },
	    { 10, 1, BOUNCES, FULL },
	    { 6, 1, ARRIVES, 0 },
	    { 5, 1, BOUNCES, FULL },
	    { 0, 1, BOUNCES, FULL } },
	  "mailbox-full" },
	{ "a success on the other list resets",
	  { { 40, 1, BOUNCES, FULL },
	    { 30, 1, BOUNCES, FULL },
	    { 20, 2, ARRIVES, 0 },
	    { 10, 1, BOUNCES, FULL },
	    { 5, 1, BOUNCES, FULL },
	    { 0, 1, BOUNCES, FULL } },
	  NULL },
	{ "relay-denied from the relay never counts",
	  { { 20, 1, REFUSED, REASON_RELAY_DENIED },
	    { 10, 1, REFUSED, REASON_RELAY_DENIED },
	    { 0, 1, REFUSED, REASON_RELAY_DENIED } },
	  NULL },
	{ "relay-denied reported from afar does",
	  { { 20, 1, BOUNCES, REASON_RELAY_DENIED },
	    { 10, 1, BOUNCES, REASON_RELAY_DENIED },
	    { 0, 1, BOUNCES, REASON_RELAY_DENIED } },
	  "relay-denied" },
	{ "policy from the relay never counts",
	  { { 60, 1, REFUSED, REASON_POLICY },
	    { 50, 1, REFUSED, REASON_POLICY },
	    { 40, 1, REFUSED, REASON_POLICY },
	    { 30, 1, REFUSED, REASON_POLICY },
	    { 20, 1, REFUSED, REASON_POLICY },
	    { 0, 1, REFUSED, REASON_POLICY } },
	  NULL },
	{ "our own trouble never counts",
	  { { 60, 1, BOUNCES, REASON_SPAM_CONTENT },
	    { 50, 1, BOUNCES, REASON_SENDER_BLOCKED },
	    { 40, 1, BOUNCES, REASON_AUTH_FAILURE },
	    { 30, 1, BOUNCES, REASON_SENDER_REJECTED },
	    { 20, 1, BOUNCES, REASON_RATE_LIMITED },
	    { 10, 1, BOUNCES, REASON_MESSAGE_TOO_BIG },
	    { 0, 1, BOUNCES, REASON_PROTOCOL_ERROR } },
	  NULL },
	{ "our own trouble between does not reset",
	  { { 20, 1, BOUNCES, REASON_MAILBOX_DISABLED },
	    { 15, 1, BOUNCES, REASON_SPAM_CONTENT },
	    { 0, 1, BOUNCES, REASON_MAILBOX_DISABLED } },
	  "mailbox-disabled" },
	{ "the gravest of two reports", { { 0, 1, TWICE, UNKNOWN } }, "user-unknown" },
	{ "two reports about one attempt are one failure",
	  { { 40, 1, TWICE, FULL }, { 20, 1, TWICE, FULL }, { 0, 1, TWICE, FULL } },
	  NULL },
	{ "a voided report", { { 0, 1, VOIDED, UNKNOWN } }, NULL },
	{ "an orphan", { { 0, 1, ORPHAN, UNKNOWN } }, NULL },
	{ "a report after the token's life", { { 60, 1, LATE, UNKNOWN } }, NULL },
	{ "never sent to", { { 0, 1, SKIPPED, UNKNOWN } }, NULL },
};

struct kind_row {
	const char *outcome; /* in the ledger */
	const char *reason;
};

static const struct kind_row outcomes[] = {
	[ARRIVES] = { "accepted", "NULL" }, [BOUNCES] = { "accepted", "NULL" }, [TWICE] = { "accepted", "NULL" },
	[REFUSED] = { "refused", "'x'" },   [VOIDED] = { "accepted", "NULL" },  [ORPHAN] = { "accepted", "NULL" },
	[LATE] = { "accepted", "NULL" },    [SKIPPED] = { "skipped", "'x'" },
};

static void script(struct db *db, const char *format, ...) PRINTF_LIKE(2, 3);
static void script(struct db *db, const char *format, ...)
{
	AUTO_BUF sql = buf_with_ceiling(LIMIT_LOG_LINE);
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	va_list values;
	va_start(values, format);
	buf_addv(&sql, format, values);
	va_end(values);
	ck_assert_msg(db_run_script(db, buf_view(&sql), &why) == ERR_OK, "%s: %s", buf_text(&why), buf_text(&sql));
}

static void add_report(struct db *db, int campaign, const struct step *step, enum bounce_reason reason, int number)
{
	script(
	    db,
	    "INSERT INTO bounce_event (campaign_id, id, subscriber_id, report_hash, source, received_at, kind, reason,"
	    " orphan, voided, judged_at) VALUES (%d, nextval('bounce_event_id'), 1, sha256('%d %d'), '%s',"
	    " now() - interval '%d days', 'bounce-%s', '%s', %s, %s, now())",
	    campaign, campaign, number, step->type == REFUSED ? "reply" : "report",
	    step->type == LATE ? step->day - LIFE_DAYS - 1 : step->day, reason == FULL ? "soft" : "hard",
	    reason_name(reason), step->type == ORPHAN ? "true" : "false", step->type == VOIDED ? "true" : "false");
}

static void add_step(struct db *db, int campaign, const struct step *step)
{
	script(db,
	       "INSERT INTO campaign (name, list_id, subject, from_address, text_body, state, audience, started_at)"
	       " VALUES ('c%d', %d, 's', 'a@b.test', 't', 'running', 1, now() - interval '%d days');"
	       "INSERT INTO delivery (campaign_id, subscriber_id, outcome, at, reason)"
	       " VALUES (%d, 1, '%s', now() - interval '%d days', %s)",
	       campaign, step->list, step->day, campaign, outcomes[step->type].outcome, step->day,
	       outcomes[step->type].reason);
	if (step->type == ARRIVES)
		return;
	add_report(db, campaign, step, step->reason, 1);
	if (step->type == TWICE)
		add_report(db, campaign, step, REASON_OTHER, 2);
}

static void add_people(struct db *db)
{
	script(db, "%s",
	       "INSERT INTO list (name, title, list_id, from_address) VALUES ('a', 'A', 'a.test', 'a@b.test'),"
	       " ('b', 'B', 'b.test', 'a@b.test');"
	       "INSERT INTO subscriber (address, address_key) SELECT 'p' || g || '@x.test', 'p' || g || '@x.test'"
	       " FROM generate_series(1, 3) AS g;"
	       "INSERT INTO membership (list_id, subscriber_id) SELECT l, s FROM generate_series(1, 2) AS l,"
	       " generate_series(1, 3) AS s");
}

static void wipe(struct db *db)
{
	script(db, "%s",
	       "TRUNCATE list, subscriber, membership, campaign, delivery, bounce_event RESTART IDENTITY CASCADE;");
	add_people(db);
}

static struct verdict_terms terms_now(void)
{
	return (struct verdict_terms){ .now_us = clock_wall_us(),
				       .window_us = WINDOW_DAYS * CLOCK_US_PER_DAY,
				       .life_us = LIFE_DAYS * CLOCK_US_PER_DAY };
}

static size_t judge(struct db *db)
{
	/* With one who has no history, one who does not exist, and a repetition. */
	static const int64_t ids[] = { 3, 1, 99, 1 };
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct verdict_terms terms = terms_now();
	size_t disabled = 0;
	ck_assert_int_eq(db_begin(db, NULL), ERR_OK);
	ck_assert_msg(verdicts_judge(db, ids, ARRAY_LEN(ids), &terms, &disabled, &why) == ERR_OK, "%s", buf_text(&why));
	ck_assert_int_eq(db_commit(db, &why), ERR_OK);
	return disabled;
}

static const struct db_statement states = {
	.name = "test_states",
	.sql = "SELECT string_agg(state || ' ' || coalesce(reason, '-'), ',' ORDER BY list_id, subscriber_id)"
	       " FROM membership WHERE subscriber_id = $1",
};

static void check_state(struct db *db, const char *label, int64_t subscriber, const char *reason)
{
	AUTO_DB_ROWS *found = NULL;
	AUTO_BUF expected = buf_with_ceiling(LIMIT_WHY);
	if (reason == NULL)
		buf_addf(&expected, "active -,active -");
	else
		buf_addf(&expected, "disabled %s,disabled %s", reason, reason);
	ck_assert_int_eq(db_run(db, &states, (struct db_value[]){ db_int(subscriber) }, 1, &found, NULL), ERR_OK);
	ck_assert_msg(view_eq(db_get_text(found, 0, 0), buf_view(&expected)), "%s: %.*s, not %s", label,
		      VIEW_ARG(db_get_text(found, 0, 0)), buf_text(&expected));
}

START_TEST(histories)
	{
		struct db *db = database_open();
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			wipe(db);
			for (int s = 0; s < STEPS_MOST && (s == 0 || rows[i].steps[s].list != 0); s++)
				add_step(db, s + 1, &rows[i].steps[s]);
			size_t disabled = judge(db);
			ck_assert_msg(disabled == (rows[i].reason == NULL ? 0 : 2), "%s: %zu disabled", rows[i].label,
				      disabled);
			check_state(db, rows[i].label, 1, rows[i].reason);
			check_state(db, rows[i].label, 2, NULL);
			check_state(db, rows[i].label, 3, NULL);
			ck_assert_msg(judge(db) == 0, "%s: judging again changes something", rows[i].label);
		}
		db_close(db);
	}
END_TEST

/* The same past of one address, on two lists that judge it otherwise. */
static const struct own_row {
	const char *label, *own; /* of list 2 */
	struct step steps[3];
	const char *states;
} own_rows[] = {
	{ "more patient",
	  "(2, 'user-unknown', 2, 0)",
	  { { 0, 1, BOUNCES, UNKNOWN } },
	  "disabled user-unknown,active -" },
	{ "as much as it asks for",
	  "(2, 'user-unknown', 2, 1)",
	  { { 1, 1, BOUNCES, UNKNOWN }, { 0, 2, BOUNCES, UNKNOWN } },
	  "disabled user-unknown,disabled user-unknown" },
	{ "too early",
	  "(2, 'user-unknown', 2, 2)",
	  { { 1, 1, BOUNCES, UNKNOWN }, { 0, 2, BOUNCES, UNKNOWN } },
	  "disabled user-unknown,active -" },
	{ "never", "(2, 'user-unknown', 0, 0)", { { 0, 2, BOUNCES, UNKNOWN } }, "disabled user-unknown,active -" },
	{ "less patient", "(2, 'mailbox-full', 1, 0)", { { 0, 1, BOUNCES, FULL } }, "active -,disabled mailbox-full" },
	{ "what never counts adds to nothing",
	  "(2, 'mailbox-full', 2, 0), (2, 'user-unknown', 0, 0)",
	  { { 1, 1, BOUNCES, FULL }, { 0, 1, BOUNCES, UNKNOWN } },
	  "disabled user-unknown,active -" },
	{ "about us for all of them",
	  "(2, 'spam-content', 1, 0)",
	  { { 0, 2, BOUNCES, REASON_SPAM_CONTENT } },
	  "active -,active -" },
	{ "of a later release", "(2, 'bored', 1, 0)", { { 0, 2, BOUNCES, FULL } }, "active -,active -" },
};

START_TEST(each_list_judges_by_its_own_policy)
	{
		struct db *db = database_open();
		for (size_t i = 0; i < ARRAY_LEN(own_rows); i++) {
			const struct own_row *row = &own_rows[i];
			AUTO_DB_ROWS *found = NULL;
			wipe(db);
			script(db, "INSERT INTO list_policy VALUES %s", row->own);
			for (int s = 0; s < (int)ARRAY_LEN(row->steps) && (s == 0 || row->steps[s].list != 0); s++)
				add_step(db, s + 1, &row->steps[s]);
			judge(db);
			ck_assert_int_eq(db_run(db, &states, (struct db_value[]){ db_int(1) }, 1, &found, NULL),
					 ERR_OK);
			ck_assert_msg(view_eq(db_get_text(found, 0, 0), view_of(row->states)), "%s: %.*s", row->label,
				      VIEW_ARG(db_get_text(found, 0, 0)));
			check_state(db, row->label, 2, NULL);
			ck_assert_msg(judge(db) == 0, "%s: judging again changes something", row->label);
		}
		db_close(db);
	}
END_TEST

START_TEST(a_late_report_turns_success_into_failure)
	{
		struct db *db = database_open();
		static const struct step failures[] = { { 40, 1, BOUNCES, FULL },
							{ 30, 1, BOUNCES, FULL },
							{ 20, 1, ARRIVES, 0 },
							{ 10, 1, BOUNCES, FULL },
							{ 0, 1, BOUNCES, FULL } };
		add_people(db);
		for (int i = 0; i < (int)ARRAY_LEN(failures); i++)
			add_step(db, i + 1, &failures[i]);
		ck_assert_uint_eq(judge(db), 0);
		add_report(db, 3, &(struct step){ .day = 5, .type = BOUNCES }, FULL, 9);
		ck_assert_uint_eq(judge(db), 2);
		check_state(db, "late report", 1, "mailbox-full");
		db_close(db);
	}
END_TEST

START_TEST(only_active_memberships_move)
	{
		struct db *db = database_open();
		add_people(db);
		script(db, "%s", "UPDATE membership SET state = 'unsubscribed', reason = 'mailto' WHERE list_id = 2");
		add_step(db, 1, &(struct step){ .day = 0, .list = 1, .type = BOUNCES, .reason = UNKNOWN });
		ck_assert_uint_eq(judge(db), 1);
		AUTO_DB_ROWS *found = NULL;
		ck_assert_int_eq(db_run(db, &states, (struct db_value[]){ db_int(1) }, 1, &found, NULL), ERR_OK);
		ck_view_eq(db_get_text(found, 0, 0), "disabled user-unknown,unsubscribed mailto");
		db_close(db);
	}
END_TEST

static int64_t count_of(struct db *db, const struct db_statement *statement)
{
	AUTO_DB_ROWS *found = NULL;
	ck_assert_int_eq(db_run(db, statement, NULL, 0, &found, NULL), ERR_OK);
	return db_get_int(found, 0, 0);
}

static const struct db_statement rows_read = {
	.name = "test_rows_read",
	.sql = "SELECT sum(seq_tup_read + idx_tup_fetch)::bigint FROM pg_stat_xact_user_tables"
	       " WHERE relname IN ('membership', 'campaign', 'subscriber')",
};

/* bounced plans once, when tables may be small, and judges with every report: what others have must not be looked at. */
START_TEST(a_verdict_reads_what_is_its_own)
	{
		enum { OTHERS = 3000, OLD_CAMPAIGNS = 400, READ_MOST = 60 };
		db_close(database_open());
		struct db *db = NULL;
		const struct db_options options = { .conninfo = database_last(), .program = "unit", .looks_up = true };
		ck_assert_int_eq(db_open(&options, &db, NULL), ERR_OK);
		add_people(db);
		ck_assert_uint_eq(judge(db), 0);
		script(
		    db,
		    "INSERT INTO campaign (name, list_id, subject, from_address, text_body, state, audience, "
		    "started_at, "
		    "ended_at)"
		    " SELECT 'old-' || g, 1, 's', 'a@b.test', 't', 'finished', 1, at, at FROM generate_series(1, %d) "
		    "AS g,"
		    " LATERAL (SELECT now() - interval '1 year') AS x(at);"
		    "INSERT INTO subscriber (address, address_key) SELECT 'o' || g || '@x.test', 'o' || g || '@x.test'"
		    " FROM generate_series(1, %d) AS g;"
		    "INSERT INTO membership (list_id, subscriber_id) SELECT 1, id FROM subscriber WHERE id > 3; "
		    "ANALYZE",
		    OLD_CAMPAIGNS, OTHERS);
		add_step(db, OLD_CAMPAIGNS + 1, &(struct step){ .day = 0, .list = 1, .type = BOUNCES, .reason = FULL });
		static const int64_t ids[] = { 1 };
		struct verdict_terms terms = terms_now();
		size_t disabled = 0;
		ck_assert_int_eq(db_begin(db, NULL), ERR_OK);
		int64_t before = count_of(db, &rows_read);
		ck_assert_int_eq(verdicts_judge(db, ids, 1, &terms, &disabled, NULL), ERR_OK);
		int64_t read = count_of(db, &rows_read) - before;
		ck_assert_msg(read > 0 && read <= READ_MOST, "%lld rows were read", (long long)read);
		db_rollback(db);
		db_close(db);
	}
END_TEST

/* Five failures, 2 to 42 days ago; then memberships change. */
START_TEST(history_begins_anew_with_an_undo)
	{
		static const struct undo_row {
			const char *label, *change;
			size_t disabled;
		} changes[] = {
			{ "joined another list yesterday",
			  "UPDATE membership SET reason = 'import', since = now() - interval '1 day' WHERE list_id = 2",
			  2 },
			{ "put back yesterday",
			  "UPDATE membership SET reason = 'undo', since = now() - interval '1 day'", 0 },
			{ "put back into one of two lists",
			  "UPDATE membership SET reason = 'undo', since = now() - interval '1 day' WHERE list_id = 2",
			  0 },
			{ "put back between the failures",
			  "UPDATE membership SET reason = 'undo', since = now() - interval '15 days'", 0 },
			{ "put back before them",
			  "UPDATE membership SET reason = 'undo', since = now() - interval '50 days'", 2 },
			{ "put back, and left since",
			  "UPDATE membership SET reason = 'undo', since = now() - interval '1 day' WHERE list_id = 2;"
			  "UPDATE membership SET state = 'unsubscribed' WHERE list_id = 2",
			  1 },
		};
		struct db *db = database_open();
		for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
			wipe(db);
			for (int n = 0; n < 5; n++)
				add_step(
				    db, n + 1,
				    &(struct step){ .day = 42 - 10 * n, .list = 1, .type = BOUNCES, .reason = FULL });
			script(db, "%s", changes[i].change);
			size_t disabled = judge(db);
			ck_assert_msg(disabled == changes[i].disabled, "%s: %zu disabled", changes[i].label, disabled);
			if (disabled > 0)
				continue;
			add_step(db, 6, &(struct step){ .day = 0, .list = 2, .type = BOUNCES, .reason = UNKNOWN });
			ck_assert_msg(judge(db) == 2, "%s: a fresh failure must count", changes[i].label);
		}
		db_close(db);
	}
END_TEST

/* ---- storing ---- */

static struct bounce_event event_of(uint64_t campaign, uint64_t subscriber, enum bounce_kind kind,
				    enum bounce_reason reason, unsigned char hash)
{
	struct bounce_event event = { .campaign_id = campaign,
				      .subscriber_id = subscriber,
				      .source = BOUNCE_FROM_REPORT,
				      .received_us = clock_wall_us(),
				      .finding = { .kind = kind, .reason = reason, .rule = "test" },
				      .message = VIEW_LIT("the message") };
	memset(event.report_hash, hash, sizeof(event.report_hash));
	return event;
}

static struct bounces_tally append(struct db *db, const struct bounce_event *events, size_t count)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct verdict_terms terms = terms_now();
	struct bounces_tally tally = { 0 };
	ck_assert_int_eq(db_begin(db, NULL), ERR_OK);
	ck_assert_msg(bounces_append(db, events, count, &terms, &tally, &why) == ERR_OK, "%s", buf_text(&why));
	ck_assert_int_eq(db_commit(db, &why), ERR_OK);
	return tally;
}

static const struct db_statement count_messages = { .name = "test_messages", .sql = "SELECT count(*) FROM bounce_raw" };
static const struct db_statement count_suppressed = {
	.name = "test_suppressed",
	.sql = "SELECT count(*) FROM suppression WHERE value = 'p2@x.test' AND list_id IS NULL",
};

START_TEST(a_batch_is_stored_once)
	{
		struct db *db = database_open();
		add_people(db);
		add_step(db, 1, &(struct step){ .day = 0, .list = 1, .type = ARRIVES });
		const struct bounce_event events[] = {
			event_of(1, 1, KIND_HARD, UNKNOWN, 1),               /* judged */
			event_of(1, 1, KIND_HARD, UNKNOWN, 1),               /* the same again */
			event_of(1, 2, KIND_COMPLAINT, REASON_COMPLAINT, 2), /* obeyed although its row has not come */
			event_of(1, 3, KIND_SOFT, FULL, 3),                  /* waits */
			event_of(9, 1, KIND_HARD, UNKNOWN, 4),               /* no such campaign */
			event_of(4000000000, 1, KIND_HARD, UNKNOWN, 5),      /* nor a block for it */
			event_of(1, 99, KIND_HARD, UNKNOWN, 6),              /* erased: without the message */
			event_of(1, 3, KIND_DELAY, REASON_NETWORK, 7),       /* counts for nothing, waits for nothing */
		};
		struct bounces_tally tally = append(db, events, ARRAY_LEN(events));
		ck_assert_uint_eq(tally.stored, 7);
		ck_assert_uint_eq(tally.orphans, 3);
		ck_assert_uint_eq(tally.waiting, 1);
		ck_assert_uint_eq(tally.complaints, 1);
		ck_assert_uint_eq(tally.disabled, 2);
		check_state(db, "judged", 1, "user-unknown");
		check_state(db, "waits", 3, NULL);
		ck_assert_int_eq(count_of(db, &count_messages), 6);
		ck_assert_int_eq(count_of(db, &count_suppressed), 1);
		tally = append(db, events, ARRAY_LEN(events));
		ck_assert_uint_eq(tally.stored + tally.orphans + tally.waiting + tally.complaints + tally.disabled, 0);
		ck_assert_int_eq(count_of(db, &count_messages), 6);
		db_close(db);
	}
END_TEST

START_TEST(a_report_that_comes_again_judges_nobody)
	{
		struct db *db = database_open();
		add_people(db);
		add_step(db, 1, &(struct step){ .day = 0, .list = 1, .type = ARRIVES });
		script(
		    db, "%s",
		    "INSERT INTO delivery (campaign_id, subscriber_id, outcome, at) VALUES (1, 3, 'accepted', now())");
		const struct bounce_event events[] = { event_of(1, 1, KIND_HARD, UNKNOWN, 1),
						       event_of(1, 3, KIND_HARD, UNKNOWN, 2) };
		ck_assert_uint_eq(append(db, events, 1).disabled, 2);
		script(db, "%s", "UPDATE membership SET state = 'active', reason = NULL WHERE subscriber_id = 1");
		/* Beside one that is new. */
		struct bounces_tally tally = append(db, events, ARRAY_LEN(events));
		ck_assert_uint_eq(tally.stored, 1);
		check_state(db, "new", 3, "user-unknown");
		check_state(db, "seen before", 1, NULL);
		db_close(db);
	}
END_TEST

static struct bounces_tally settle(struct db *db, size_t limit, struct bounces_cursor *cursor)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct verdict_terms terms = terms_now();
	struct bounces_tally tally = { 0 };
	ck_assert_msg(bounces_settle(db, limit, &terms, cursor, &tally, &why) == ERR_OK, "%s", buf_text(&why));
	return tally;
}

START_TEST(waiting_events_are_judged_when_their_row_comes)
	{
		struct db *db = database_open();
		struct bounces_cursor cursor = { 0 };
		add_people(db);
		add_step(db, 1, &(struct step){ .day = 0, .list = 1, .type = ARRIVES });
		const struct bounce_event events[] = { event_of(1, 2, KIND_HARD, UNKNOWN, 1),
						       event_of(1, 3, KIND_HARD, UNKNOWN, 2) };
		ck_assert_uint_eq(append(db, events, ARRAY_LEN(events)).waiting, 2);
		ck_assert_uint_eq(settle(db, 10, &cursor).waiting, 2);
		ck_assert_int_eq(cursor.event_id, 0);
		script(
		    db, "%s",
		    "INSERT INTO delivery (campaign_id, subscriber_id, outcome, at) VALUES (1, 3, 'accepted', now())");
		/* One at a time: the one that still waits does not stand in the way of the other. */
		ck_assert_uint_eq(settle(db, 1, &cursor).waiting, 1);
		ck_assert_int_ne(cursor.event_id, 0);
		ck_assert_uint_eq(settle(db, 1, &cursor).disabled, 2);
		check_state(db, "its row came", 3, "user-unknown");
		check_state(db, "still waits", 2, NULL);
		script(db, "%s", "UPDATE campaign SET state = 'finished', ended_at = now()");
		cursor = (struct bounces_cursor){ 0 };
		ck_assert_uint_eq(settle(db, 10, &cursor).orphans, 1);
		ck_assert_uint_eq(settle(db, 10, &cursor).waiting, 0);
		check_state(db, "its row never came", 2, NULL);
		db_close(db);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { histories,
				       each_list_judges_by_its_own_policy,
				       a_late_report_turns_success_into_failure,
				       only_active_memberships_move,
				       a_verdict_reads_what_is_its_own,
				       history_begins_anew_with_an_undo,
				       a_batch_is_stored_once,
				       a_report_that_comes_again_judges_nobody,
				       waiting_events_are_judged_when_their_row_comes };
	return suite_of("verdicts", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
