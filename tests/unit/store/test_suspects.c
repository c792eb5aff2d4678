/* Whom a reading of everyone condemns is whom the verdict condemns, one by one, whatever the shape of the past and whichever way it is read. */
#include "store/suspects.h"

#include "base/clock.h"
#include "base/limits.h"
#include "tests/support/database.h"
#include "tests/support/random_past.h"
#include "tests/support/unit.h"

enum { WINDOW_DAYS = 7, LIFE_DAYS = 30, PEOPLE = RANDOM_PAST_PEOPLE };

enum { LISTS = RANDOM_PAST_LISTS };

struct seen {
	struct verdict verdicts[PEOPLE + 1][LISTS + 1];
	size_t condemned;
};

static void remember(void *user, const struct verdict_history *history)
{
	struct seen *seen = user;
	ck_assert_int_le(history->subscriber_id, PEOPLE);
	for (size_t i = 0; i < history->list_count; i++) {
		const struct list_verdict *list = &history->lists[i];
		if (!list->verdict.disable || !list->is_active)
			continue;
		ck_assert_int_le(list->list_id, LISTS);
		seen->verdicts[history->subscriber_id][list->list_id] = list->verdict;
		seen->condemned++;
	}
}

static void count_steps(void *user, uint64_t done, uint64_t total)
{
	ck_assert_uint_le(done, total);
	(*(size_t *)user)++;
}

static struct verdict_terms terms_now(void)
{
	return (struct verdict_terms){ .now_us = clock_wall_us(),
				       .window_us = WINDOW_DAYS * CLOCK_US_PER_DAY,
				       .life_us = LIFE_DAYS * CLOCK_US_PER_DAY };
}

/* What the reading has to find, of a list or (0) of all. */
static struct seen by_person(struct db *db, uint64_t list_id, const struct verdict_terms *terms)
{
	static const struct db_statement who = {
		"test_who",
		"SELECT s.id FROM subscriber s WHERE EXISTS (SELECT FROM membership m WHERE m.subscriber_id = s.id"
		" AND m.state = 'active' AND ($1 = 0 OR m.list_id = $1)) AND EXISTS (SELECT FROM bounce_event e"
		" WHERE e.subscriber_id = s.id AND e.kind IN ('bounce-hard', 'bounce-soft') AND NOT e.orphan"
		" AND NOT e.voided AND e.judged_at IS NOT NULL) ORDER BY 1"
	};
	AUTO_DB_ROWS *rows = NULL;
	struct seen seen = { .condemned = 0 };
	ck_assert_int_eq(db_run(db, &who, (struct db_value[]){ db_int((int64_t)list_id) }, 1, &rows, NULL), ERR_OK);
	int64_t ids[PEOPLE];
	for (size_t i = 0; i < db_row_count(rows); i++)
		ids[i] = db_get_int(rows, i, 0);
	ck_assert_int_eq(verdicts_read(db, ids, db_row_count(rows), terms, remember, &seen, NULL), ERR_OK);
	return seen;
}

static void compare(const char *label, const struct seen *expected, const struct seen *found)
{
	for (size_t n = 0; n < (size_t)PEOPLE * LISTS; n++) {
		size_t i = 1 + n / LISTS, list = 1 + n % LISTS;
		const struct verdict *one = &expected->verdicts[i][list], *other = &found->verdicts[i][list];
		ck_assert_msg(one->disable == other->disable, "%s: person %zu is condemned %s", label, i,
			      one->disable ? "one by one alone" : "by the reading of all alone");
		ck_assert_msg(one->reason == other->reason && one->campaign_id == other->campaign_id,
			      "%s: person %zu is condemned for another reason", label, i);
	}
	ck_assert_uint_eq(expected->condemned, found->condemned);
}

static void check_list(struct db *db, const char *label, uint64_t list_id, const struct verdict_terms *terms,
		       const struct seen *expected)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct seen found = { .condemned = 0 };
	size_t steps = 0;
	const struct suspects_scope scope = { .list_id = list_id, .progress = count_steps, .progress_user = &steps };
	ck_assert_int_eq(db_begin(db, NULL), ERR_OK);
	ck_assert_msg(suspects_read(db, &scope, terms, remember, &found, &why) == ERR_OK, "%s", buf_text(&why));
	db_rollback(db);
	ck_assert_uint_gt(steps, 0);
	compare(label, expected, &found);
}

static void script(struct db *db, const char *sql)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(db_run_script(db, view_of(sql), &why) == ERR_OK, "%s", buf_text(&why));
}

/* The statistics decide how the past is read: a ledger that looks small in one go, one that looks large by keys. So do the audiences, of which
 * much or little came back. */
static const struct way {
	const char *label, *statistics;
} ways[] = {
	{ "read through", "UPDATE pg_class SET reltuples = 0 WHERE relname IN ('delivery_0', 'bounce_event_0')" },
	{ "looked up", "UPDATE pg_class SET reltuples = 1e6 WHERE relname = 'delivery_0'" },
	{ "in portions", "UPDATE pg_class SET reltuples = 4e5 WHERE relname = 'bounce_event_0'" },
	{ "but for one campaign sieved", "UPDATE campaign SET audience = CASE WHEN id = 7 THEN 1000000 ELSE 1 END" },
	{ "never sieved", "UPDATE campaign SET audience = 1000000" },
};

/* As all lists have it, with one that has a policy of its own, and with so little that came back that each failure decides. */
static const char *const own_policies[] = {
	"SELECT",
	"INSERT INTO list_policy VALUES (2, 'mailbox-full', 2, 0), (2, 'user-unknown', 0, 0), (2, 'network', 1, 0),"
	" (2, 'policy', 2, 90)",
	"INSERT INTO list_policy VALUES (2, 'network', 1, 0), (1, 'mailbox-full', 1, 0);"
	" DELETE FROM bounce_event WHERE (campaign_id * 7 + subscriber_id) % 3 <> 0",
};

static void check_past(struct db *db, const char *own)
{
	struct verdict_terms terms = terms_now();
	struct seen expected[LISTS + 1];
	script(db, "TRUNCATE list, subscriber, membership, campaign, delivery, bounce_event RESTART IDENTITY CASCADE");
	script(db, "SELECT setseed(0.1)");
	script(db, random_past);
	script(db, own);
	for (uint64_t list_id = 0; list_id < ARRAY_LEN(expected); list_id++) {
		expected[list_id] = by_person(db, list_id, &terms);
		ck_assert_uint_gt(expected[list_id].condemned, PEOPLE / 50);
		ck_assert_uint_lt(expected[list_id].condemned, PEOPLE / 4 * 3 * LISTS);
	}
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		script(db, ways[i].statistics);
		for (uint64_t list_id = 0; list_id < ARRAY_LEN(expected); list_id++)
			check_list(db, ways[i].label, list_id, &terms, &expected[list_id]);
	}
}

START_TEST(everyone_is_judged_as_one_by_one)
	{
		struct db *db = database_open();
		for (size_t i = 0; i < ARRAY_LEN(own_policies); i++)
			check_past(db, own_policies[i]);
		db_close(db);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { everyone_is_judged_as_one_by_one };
	return suite_of("suspects", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
