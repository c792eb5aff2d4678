#include "store/openings.h"

#include <pthread.h>
#include <sched.h>

#include "base/clock.h"
#include "base/limits.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

#define WORKER "6f1f9a52-8f1c-4c5e-9d5c-0a3a3f0b2a11"

/* Who may not be sent to, and why; the list is number 1. */
static const struct row {
	const char *label;
	const char *address;
	const char *change; /* SQL, about the subscriber $ */
	const char *reason; /* NULL: is sent to */
} rows[] = {
	{ "active", "a@x.test", "", NULL },
	{ "unsubscribed", "b@x.test",
	  "UPDATE membership SET state = 'unsubscribed', reason = 'x' WHERE subscriber_id = $", "unsubscribed" },
	{ "disabled", "c@x.test", "UPDATE membership SET state = 'disabled', reason = 'x' WHERE subscriber_id = $",
	  "disabled" },
	{ "of another list only", "d@x.test", "UPDATE membership SET list_id = 2 WHERE subscriber_id = $", "removed" },
	{ "erased", "e@x.test", "DELETE FROM membership WHERE subscriber_id = $; DELETE FROM subscriber WHERE id = $",
	  "erased" },
	{ "suppressed everywhere", "f@x.test",
	  "INSERT INTO suppression (kind, value, reason, source) VALUES ('address', 'f@x.test', 'r', 's')",
	  "suppressed" },
	{ "suppressed for this list", "g@x.test",
	  "INSERT INTO suppression (kind, value, list_id, reason, source) VALUES ('address', 'g@x.test', 1, 'r', 's')",
	  "suppressed" },
	{ "suppressed for another list", "h@x.test",
	  "INSERT INTO suppression (kind, value, list_id, reason, source) VALUES ('address', 'h@x.test', 2, 'r', 's')",
	  NULL },
	{ "suppressed domain", "i@bad.test",
	  "INSERT INTO suppression (kind, value, reason, source) VALUES ('domain', 'bad.test', 'r', 's')",
	  "suppressed" },
	{ "suppressed twice", "j@bad.test",
	  "INSERT INTO suppression (kind, value, reason, source) VALUES ('address', 'j@bad.test', 'r', 's')",
	  "suppressed" },
	{ "suppressed mailbox", "l.m+n@gmail.com",
	  "INSERT INTO suppression (kind, value, reason, source) VALUES ('address', 'lm@gmail.com', 'r', 's');"
	  "UPDATE subscriber SET canonical = 'lm@gmail.com' WHERE id = $",
	  "suppressed" },
	{ "a mailbox of a suppressed domain", "o.p@old.test",
	  "INSERT INTO suppression (kind, value, reason, source) VALUES ('domain', 'newer.test', 'r', 's');"
	  "UPDATE subscriber SET canonical = 'op@newer.test' WHERE id = $",
	  "suppressed" },
	{ "another mailbox", "q.r+n@gmail.com", "UPDATE subscriber SET canonical = 'qr@gmail.com' WHERE id = $", NULL },
	{ "another domain's end", "k@notbad.test", "", NULL },
};

enum { FAR = 1000000 };

static void script(struct db *db, const char *sql)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(db_run_script(db, view_of(sql), &why) == ERR_OK, "%s: %s", buf_text(&why), sql);
}

/* The rows' subscribers are 1, 1 + step, 1 + 2 step ...; one chunk holds them all. */
static struct db *open_world(int64_t step)
{
	struct db *db = database_open();
	script(db, "INSERT INTO worker (id, host, journal) VALUES ('" WORKER "', 'h', 'j');"
		   "INSERT INTO list (name, title, list_id, from_address) VALUES ('a', 'A', 'a.test', 'a@b.test'),"
		   " ('b', 'B', 'b.test', 'a@b.test');"
		   "INSERT INTO campaign (name, list_id, subject, from_address, text_body, state, audience, started_at)"
		   " VALUES ('c', 1, 's', 'a@b.test', 't', 'running', 9, now())");
	AUTO_BUF ids = buf_with_ceiling(LIMIT_LOG_LINE);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_BUF sql = buf_with_ceiling(LIMIT_LOG_LINE);
		long long id = 1 + step * (int64_t)i;
		buf_addf(&sql,
			 "INSERT INTO subscriber (id, address, address_key, name, attributes) OVERRIDING SYSTEM VALUE"
			 " VALUES (%lld, '%s', '%s', 'N%lld', '{\"n\": %lld}');"
			 "INSERT INTO membership (list_id, subscriber_id) VALUES (1, %lld);",
			 id, rows[i].address, rows[i].address, id, id, id);
		struct view rest = view_of(rows[i].change), part;
		while (view_cut(&rest, '$', &part)) {
			buf_add(&sql, part);
			if (part.len > 0 && part.data[part.len - 1] == ' ')
				buf_addf(&sql, "%lld", id);
		}
		script(db, buf_text(&sql));
		buf_addf(&ids, "%s%lld", i == 0 ? "" : ",", id);
	}
	AUTO_BUF chunk = buf_with_ceiling(LIMIT_LOG_LINE);
	buf_addf(&chunk, "INSERT INTO campaign_chunk (campaign_id, chunk_no, subscriber_ids) VALUES (1, 0, '{%s}')",
		 buf_text(&ids));
	script(db, buf_text(&chunk));
	return db;
}

static struct opening opening_of(size_t limit)
{
	return (struct opening){ .worker_id = WORKER,
				 .limit = limit,
				 .lease_us = CLOCK_US_PER_SECOND,
				 .terms = { .key_id = 3, .day = 77, .date_us = 1000000, .variant = 0 } };
}

static void check_row(const struct openings *found, size_t at, size_t row, int64_t step, bool exhausted)
{
	const char *label = rows[row].label;
	struct opened opened = openings_get(found, at);
	AUTO_BUF name = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&name, "N%lld", (long long)opened.subscriber_id);
	ck_row(label, opened.campaign_id == 1 && opened.list_id == 1);
	ck_row(label, opened.subscriber_id == 1 + step * (int64_t)row);
	ck_row(label, opened.chunk_exhausted == exhausted && opened.chunk_no == 0);
	ck_row(label, opened.terms.key_id == 3 && opened.terms.day == 77 && opened.terms.date_us == 1000000);
	ck_row(label, opened.attempts == 0 && opened.first_attempt_us == 0);
	ck_assert_msg(view_eq(opened.skip_reason, view_of(rows[row].reason)), "%s: \"" VIEW_FMT "\"", label,
		      VIEW_ARG(opened.skip_reason));
	if (opened.skip_reason.len > 0 && view_eq(opened.skip_reason, VIEW_LIT("erased")))
		return;
	ck_row(label, view_eq(opened.address, view_of(rows[row].address)));
	ck_row(label, view_eq(opened.name, buf_view(&name)));
	ck_row(label, view_find(opened.attributes, VIEW_LIT("\"n\"")) != VIEW_NONE);
}

/* How much of the suppressions a claim has to ask, by what the campaign knows of them; none of it may change the answer. */
static const struct knowledge {
	const char *label, *change;
} knowledge[] = {
	{ "nothing is known", "SELECT" },
	{ "all are younger than the mark", "UPDATE campaign SET addresses_at = (SELECT version FROM address_version)" },
	{ "many are younger than the mark",
	  "UPDATE campaign SET addresses_at = (SELECT version FROM address_version);"
	  "INSERT INTO suppression (kind, value, reason, source)"
	  " SELECT 'address', 'stranger' || n || '@x.test', 'r', 's' FROM generate_series(1, 2000) AS n" },
	{ "an address has changed since", "UPDATE campaign SET addresses_at = (SELECT version FROM address_version),"
					  " suppressed_up_to = (SELECT max(id) FROM suppression);"
					  "UPDATE subscriber SET address_key = address_key WHERE id = 1" },
};

/* A claim, then the rest of the chunk. */
static void open_all(int64_t step, const char *change)
{
	enum { FIRST = 4 };
	struct db *db = open_world(step);
	script(db, change);
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	AUTO_OPENINGS *claimed = NULL;
	AUTO_OPENINGS *rest = NULL;
	struct opening opening = opening_of(FIRST);
	ck_assert_msg(openings_claim(db, &opening, &claimed, &why) == ERR_OK, "%s", buf_text(&why));
	ck_assert_uint_eq(openings_count(claimed), FIRST);
	for (size_t i = 0; i < FIRST; i++)
		check_row(claimed, i, i, step, false);
	const struct held_chunk held = { .campaign_id = 1, .chunk_no = 0 };
	opening = opening_of(LIMIT_LOG_LINE);
	ck_assert_msg(openings_continue(db, &opening, &held, &rest, &why) == ERR_OK, "%s", buf_text(&why));
	ck_assert_uint_eq(openings_count(rest), ARRAY_LEN(rows) - FIRST);
	for (size_t i = FIRST; i < ARRAY_LEN(rows); i++) {
		check_row(rest, i - FIRST, i, step, true);
		ck_assert_int_eq(openings_get(rest, i - FIRST).window_first, FIRST + 1);
	}
	db_close(db);
}

START_TEST(neighbours_are_opened)
	{
		for (size_t i = 0; i < ARRAY_LEN(knowledge); i++)
			open_all(1, knowledge[i].change);
	}
END_TEST

START_TEST(people_far_apart_are_opened)
	{
		for (size_t i = 0; i < ARRAY_LEN(knowledge); i++)
			open_all(FAR, knowledge[i].change);
	}
END_TEST

static void check_reason(const struct openings *found, size_t at, const char *reason)
{
	struct view got = openings_get(found, at).skip_reason;
	ck_assert_msg(view_eq(got, view_of(reason)), "%s: \"" VIEW_FMT "\"", rows[at].label, VIEW_ARG(got));
}

/* What came before the mark was settled when the campaign started. */
START_TEST(only_younger_suppressions_are_asked)
	{
		struct db *db = open_world(1);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		AUTO_OPENINGS *found = NULL;
		script(db, "UPDATE campaign SET addresses_at = (SELECT version FROM address_version),"
			   " suppressed_up_to = (SELECT max(id) FROM suppression);"
			   "INSERT INTO suppression (kind, value, reason, source)"
			   " VALUES ('address', 'a@x.test', 'r', 's'), ('domain', 'notbad.test', 'r', 's')");
		struct opening opening = opening_of(ARRAY_LEN(rows));
		ck_assert_msg(openings_claim(db, &opening, &found, &why) == ERR_OK, "%s", buf_text(&why));
		check_reason(found, 0, "suppressed");
		check_reason(found, 1, "unsubscribed");
		check_reason(found, 5, "");
		check_reason(found, ARRAY_LEN(rows) - 1, "suppressed");
		db_close(db);
	}
END_TEST

struct claimant {
	struct db *db;
	struct openings *found;
	enum err err;
};

static void *claim_in_a_thread(void *owner)
{
	struct claimant *claimant = owner;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct opening opening = opening_of(ARRAY_LEN(rows));
	claimant->err = openings_claim(claimant->db, &opening, &claimant->found, &why);
	return NULL;
}

static const struct db_statement lock_waiters = {
	.name = "lock_waiters",
	.sql = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'membership'::regclass"
};

static void wait_for_a_waiter(struct db *db)
{
	for (int64_t count = 0; count == 0; sched_yield()) {
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		AUTO_DB_ROWS *found = NULL;
		ck_assert_msg(db_run(db, &lock_waiters, NULL, 0, &found, &why) == ERR_OK, "%s", buf_text(&why));
		count = db_get_int(found, 0, 0);
	}
}

/* Which chunk is opened and who is in it are two statements. Between them, where the second waits for this lock, somebody gets an address whose
 * domain was suppressed before the mark. */
static void check_change_between(int64_t step, const char *younger)
{
	struct db *db = open_world(step);
	struct claimant claimant = { .db = database_connect(database_last()) };
	pthread_t thread;
	script(db, "UPDATE campaign SET addresses_at = (SELECT version FROM address_version),"
		   " suppressed_up_to = (SELECT max(id) FROM suppression)");
	script(db, younger);
	script(db, "BEGIN; LOCK TABLE membership IN ACCESS EXCLUSIVE MODE");
	ck_assert(pthread_create(&thread, NULL, claim_in_a_thread, &claimant) == 0);
	wait_for_a_waiter(db);
	script(db, "UPDATE subscriber SET address = 'new@bad.test', address_key = 'new@bad.test' WHERE id = 1; COMMIT");
	ck_assert(pthread_join(thread, NULL) == 0);
	ck_assert_int_eq(claimant.err, ERR_OK);
	ck_assert_uint_eq(openings_count(claimant.found), ARRAY_LEN(rows));
	check_reason(claimant.found, 0, "suppressed");
	ck_assert(view_eq(openings_get(claimant.found, 0).address, VIEW_LIT("new@bad.test")));
	openings_done(claimant.found);
	db_close(claimant.db);
	db_close(db);
}

START_TEST(an_address_changed_between_the_statements_is_asked_for)
	{
		const char *younger = "INSERT INTO suppression (kind, value, reason, source)"
				      " VALUES ('address', 'stranger@x.test', 'r', 's')";
		check_change_between(1, "SELECT");
		check_change_between(1, younger);
		check_change_between(FAR, "SELECT");
		check_change_between(FAR, younger);
	}
END_TEST

static bool is_refused(const struct db_rows *refusals, int64_t subscriber, const char *reason)
{
	for (size_t i = 0; i < db_row_count(refusals); i++) {
		struct refusal refusal = refusal_get(refusals, i);
		if (refusal.subscriber_id == subscriber)
			return reason != NULL && view_eq(refusal.reason, view_of(reason));
	}
	return reason == NULL;
}

/* What is read again gives the same answers as what was read first. */
START_TEST(a_recheck_says_the_same)
	{
		struct db *db = open_world(1);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		AUTO_DB_ARRAY campaigns = db_array_of(DB_INT);
		AUTO_DB_ARRAY subscribers = db_array_of(DB_INT);
		AUTO_DB_ROWS *refusals = NULL;
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			db_array_add_int(&campaigns, 1);
			db_array_add_int(&subscribers, 1 + (int64_t)i);
		}
		ck_assert_int_eq(openings_recheck(db, &campaigns, &subscribers, &refusals, &why), ERR_OK);
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			ck_row(rows[i].label, is_refused(refusals, 1 + (int64_t)i, rows[i].reason));
		db_close(db);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { neighbours_are_opened, people_far_apart_are_opened,
				       only_younger_suppressions_are_asked,
				       an_address_changed_between_the_statements_is_asked_for,
				       a_recheck_says_the_same };
	return suite_of("openings", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
