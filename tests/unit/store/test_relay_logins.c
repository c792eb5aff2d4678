#include "store/relay_logins.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/limits.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

enum { STEPS_MOST = 10 };

/* One says or does something: the secret of host A or B, wanted by worker 1 or 2. */
struct step {
	enum what {
		END,
		YES,   /* asks, and may: as new */
		KNOWN, /* ... as the relay takes it */
		BUSY,  /* ... may not: somebody is trying */
		HOUR,  /* ... may not: it was refused; at most so many seconds more */
		PEEK,  /* wants to know, and would be allowed */
		REFUSED,
		TAKEN,
		GIVES_UP,
		PASS,   /* seconds go by */
		FORGET, /* a person says so: so many were refused */
		EDIT    /* the relay's row changes */
	} what;
	const char *print, *who;
	int64_t number;
};

static void run_sql(struct db *db, const char *sql)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(db_run_script(db, view_of(sql), &why) == ERR_OK, "%s: %s", sql, buf_text(&why));
}

static void pass(struct db *db, int64_t seconds)
{
	char sql[256];
	snprintf(sql, sizeof(sql),
		 "UPDATE relay_login SET tried_at = tried_at - i, taken_at = taken_at - i, refused_at = refused_at - i"
		 " FROM (SELECT %lld * interval '1 s' AS i) x",
		 (long long)seconds);
	run_sql(db, sql);
}

static void ask(struct db *db, const char *label, const struct step *step)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	AUTO_DB_ROWS *rows = NULL;
	struct relay_login_answer answer;
	const struct relay_login_ask question = {
		.relay = VIEW_LIT("main"),
		.fingerprint = view_of(step->print),
		.who = view_of(step->who),
		.claims = step->what != PEEK,
	};
	ck_assert_msg(relay_logins_ask(db, &question, &answer, &rows, &why) == ERR_OK, "%s: %s", label, buf_text(&why));
	bool is_refused = answer.reply.len > 0;
	int64_t most_us = step->number * CLOCK_US_PER_SECOND;
	bool waits_so_long = answer.wait_us > most_us - 60 * CLOCK_US_PER_SECOND && answer.wait_us <= most_us;
	ck_assert_msg(is_refused == (step->what == HOUR), "%s: %s", label, step->print);
	ck_assert_msg(answer.is_known == (step->what == KNOWN), "%s: %s", label, step->print);
	ck_assert_msg((answer.wait_us > 0) == (step->what == HOUR || step->what == BUSY), "%s: %s", label, step->print);
	ck_assert_msg(step->what != HOUR || waits_so_long, "%s: %lld", label, (long long)answer.wait_us);
	ck_assert_msg(step->what != BUSY || answer.wait_us <= CLOCK_US_PER_SECOND, "%s: %s", label, step->print);
	if (is_refused)
		ck_view_eq(answer.reply, "535 no");
}

static void play(struct db *db, const char *label, const struct step *step)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct view relay = VIEW_LIT("main"), refusal = VIEW_LIT("535 no");
	struct view print = view_of(step->print == NULL ? "" : step->print);
	size_t count = 0;
	switch (step->what) {
	case YES:
	case KNOWN:
	case BUSY:
	case HOUR:
	case PEEK:
		ask(db, label, step);
		break;
	case REFUSED:
		ck_assert_msg(relay_logins_tell(db, relay, print, refusal, &why) == ERR_OK, "%s", buf_text(&why));
		break;
	case TAKEN:
		ck_assert_msg(relay_logins_tell(db, relay, print, VIEW_LIT(""), &why) == ERR_OK, "%s", buf_text(&why));
		break;
	case GIVES_UP:
		ck_assert_msg(relay_logins_give_up(db, relay, print, view_of(step->who), &why) == ERR_OK, "%s",
			      buf_text(&why));
		break;
	case PASS:
		pass(db, step->number);
		break;
	case FORGET:
		ck_assert_msg(relay_logins_forget(db, relay, &count, &why) == ERR_OK, "%s", buf_text(&why));
		ck_assert_msg((int64_t)count == step->number, "%s: %zu forgotten", label, count);
		break;
	case EDIT:
		run_sql(db, "UPDATE relay SET weight = weight + 1 WHERE name = 'main'");
		break;
	case END:
		break;
	}
}

static int64_t version(struct db *db)
{
	static const struct db_statement statement = { "test_version", "SELECT version FROM sending_version" };
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	AUTO_DB_ROWS *rows = NULL;
	ck_assert_msg(db_run(db, &statement, NULL, 0, &rows, &why) == ERR_OK, "%s", buf_text(&why));
	return db_get_int(rows, 0, 0);
}

START_TEST(who_may_try)
	{
		static const struct row {
			const char *label;
			struct step steps[STEPS_MOST];
			bool is_heard; /* all workers look again at the last step */
		} rows[] = {
			{ "one at a time, whichever the host",
			  { { YES, "A", "1", 0 }, { BUSY, "A", "2", 0 }, { BUSY, "B", "2", 0 }, { YES, "A", "1", 0 } },
			  false },
			{ "who says no more is waited for a minute",
			  { { YES, "A", "1", 0 }, { PASS, NULL, NULL, 61 }, { YES, "A", "2", 0 } },
			  false },
			{ "what is taken is taken for all",
			  { { YES, "A", "1", 0 }, { TAKEN, "A", NULL, 0 }, { KNOWN, "A", "2", 0 } },
			  false },
			{ "that it is taken need not be heard",
			  { { YES, "A", "1", 0 }, { TAKEN, "A", NULL, 0 } },
			  false },
			{ "refused: an hour for all",
			  { { YES, "A", "1", 0 },
			    { REFUSED, "A", NULL, 0 },
			    { HOUR, "A", "1", 3600 },
			    { PASS, NULL, NULL, 1800 },
			    { HOUR, "A", "2", 1800 },
			    { PASS, NULL, NULL, 1801 },
			    { YES, "A", "2", 0 },
			    { BUSY, "A", "1", 0 } },
			  false },
			{ "refused: all hear of it", { { YES, "A", "1", 0 }, { REFUSED, "A", NULL, 0 } }, true },
			{ "refused after it was taken: all hear of it",
			  { { TAKEN, "A", NULL, 0 }, { REFUSED, "A", NULL, 0 } },
			  true },
			{ "taken after it was refused: all hear of it",
			  { { REFUSED, "A", NULL, 0 }, { TAKEN, "A", NULL, 0 } },
			  true },
			{ "what was refused on several hosts is tried once an hour together",
			  { { REFUSED, "A", NULL, 0 },
			    { PASS, NULL, NULL, 1800 },
			    { YES, "B", "2", 0 },
			    { REFUSED, "B", NULL, 0 },
			    { PASS, NULL, NULL, 1801 },
			    { HOUR, "A", "1", 1800 },
			    { PASS, NULL, NULL, 1800 },
			    { YES, "A", "1", 0 },
			    { BUSY, "B", "2", 0 } },
			  false },
			{ "another file is tried at once",
			  { { REFUSED, "A", NULL, 0 }, { YES, "A2", "1", 0 }, { HOUR, "A", "2", 3600 } },
			  false },
			{ "a person says so",
			  { { REFUSED, "A", NULL, 0 },
			    { REFUSED, "B", NULL, 0 },
			    { FORGET, NULL, NULL, 2 },
			    { YES, "A", "1", 0 } },
			  false },
			{ "and all hear of it", { { REFUSED, "A", NULL, 0 }, { FORGET, NULL, NULL, 1 } }, true },
			{ "nothing to be said", { { TAKEN, "A", NULL, 0 }, { FORGET, NULL, NULL, 0 } }, false },
			{ "an edit",
			  { { REFUSED, "A", NULL, 0 }, { EDIT, NULL, NULL, 0 }, { YES, "A", "1", 0 } },
			  false },
			{ "to know takes nothing", { { PEEK, "A", "1", 0 }, { YES, "A", "2", 0 } }, false },
			{ "not tried after all",
			  { { YES, "A", "1", 0 }, { GIVES_UP, "A", "1", 0 }, { YES, "A", "2", 0 } },
			  false },
			{ "not by another one",
			  { { YES, "A", "1", 0 }, { GIVES_UP, "A", "2", 0 }, { BUSY, "A", "2", 0 } },
			  false },
		};
		struct db *db = database_open();
		run_sql(db, "INSERT INTO relay (name, host, port) VALUES ('main', 'mx.test', 25)");
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			int64_t before = 0;
			run_sql(db, "DELETE FROM relay_login");
			for (size_t k = 0; k < STEPS_MOST && rows[i].steps[k].what != END; k++) {
				before = version(db);
				play(db, rows[i].label, &rows[i].steps[k]);
			}
			ck_assert_msg((version(db) > before) == rows[i].is_heard, "%s: heard", rows[i].label);
		}
		db_close(db);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { who_may_try };
	return suite_of("relay_logins", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
