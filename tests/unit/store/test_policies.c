#include "store/policies.h"

#include "base/limits.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

static struct list_policy rows[] = { { .list_id = 3 }, { .list_id = 7 }, { .list_id = 9 } };
static const struct policies three = { .rows = rows, .count = ARRAY_LEN(rows) };

START_TEST(a_list_has_its_own_or_the_default)
	{
		static const int64_t without[] = { 0, 1, 4, 8, 10 };
		const struct policies none = { 0 };
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			ck_assert_ptr_eq(policies_of(&three, rows[i].list_id), &rows[i].policy);
		for (size_t i = 0; i < ARRAY_LEN(without); i++)
			ck_assert_ptr_eq(policies_of(&three, without[i]), &policy_default);
		ck_assert_ptr_eq(policies_of(&none, 3), &policy_default);
	}
END_TEST

/* Of one reason, in three lists; what the least asks for. */
static const struct row {
	const char *label;
	enum bounce_reason reason;
	struct policy_row of[3], least;
} least_rows[] = {
	{ "the default is the least", REASON_USER_UNKNOWN, { { 2, 5 }, { 0, 0 }, { 9, 9 } }, { 1, 0 } },
	{ "fewer of one, sooner of another", REASON_MAILBOX_FULL, { { 2, 60 }, { 9, 1 }, { 5, 30 } }, { 2, 1 } },
	{ "never is not the least", REASON_NETWORK, { { 0, 0 }, { 0, 0 }, { 0, 0 } }, { 5, 30 } },
	{ "what never counts by default", REASON_SPAM_CONTENT, { { 0, 0 }, { 4, 2 }, { 0, 0 } }, { 4, 2 } },
};

START_TEST(the_least_of_them_all)
	{
		for (size_t i = 0; i < ARRAY_LEN(least_rows); i++) {
			const struct row *row = &least_rows[i];
			for (size_t list = 0; list < ARRAY_LEN(rows); list++) {
				rows[list].policy = policy_default;
				rows[list].policy.rows[row->reason] = row->of[list];
			}
			const struct policy least = policies_least(&three);
			ck_row(row->label, least.rows[row->reason].failures == row->least.failures);
			ck_row(row->label, least.rows[row->reason].days == row->least.days);
		}
	}
END_TEST

static bool set(struct db *db, int64_t list_id, enum bounce_reason reason, const struct policy_row *row)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	bool changed = false;
	ck_assert_msg(policies_set(db, list_id, reason, row, &changed, &why) == ERR_OK, "%s", buf_text(&why));
	return changed;
}

START_TEST(what_is_set_is_read)
	{
		struct db *db = database_open();
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		const struct policy_row twice = { 2, 4 };
		struct policies found;
		ck_assert_int_eq(db_run_script(db,
					       VIEW_LIT("INSERT INTO list (name, title, list_id, from_address) VALUES"
							" ('a', 'A', 'a.test', 'a@b.test'), ('b', 'B', 'b.test', "
							"'a@b.test')"),
					       &why),
				 ERR_OK);
		ck_assert(set(db, 2, REASON_USER_UNKNOWN, &twice) && !set(db, 2, REASON_USER_UNKNOWN, &twice));
		ck_assert(set(db, 2, REASON_NETWORK, &(struct policy_row){ 0 }) && !set(db, 1, REASON_NETWORK, NULL));
		ck_assert_int_eq(policies_read(db, &found, &why), ERR_OK);
		ck_assert_uint_eq(found.count, 1);
		const struct policy *own = policies_of(&found, 2);
		ck_assert(own->rows[REASON_USER_UNKNOWN].failures == 2 && own->rows[REASON_USER_UNKNOWN].days == 4);
		ck_assert(own->rows[REASON_NETWORK].failures == 0 && own->rows[REASON_MAILBOX_FULL].failures == 5);
		policies_done(&found);
		ck_assert(set(db, 2, REASON_USER_UNKNOWN, NULL) && set(db, 2, REASON_NETWORK, NULL));
		ck_assert_int_eq(policies_read(db, &found, &why), ERR_OK);
		ck_assert_uint_eq(found.count, 0);
		policies_done(&found);
		db_close(db);
	}
END_TEST

START_TEST(what_is_tried_holds_for_whom_it_was_meant)
	{
		struct policies policies = { 0 };
		const struct policy_row one = { 7, 8 }, all = { 3, 4 };
		for (int64_t id = 9; id >= 5; id -= 2)
			ck_assert_int_eq(policies_try(&policies, id, REASON_NETWORK, one), ERR_OK);
		ck_assert_uint_eq(policies.count, 3);
		for (int64_t id = 4; id <= 10; id++) {
			unsigned failures = policies_of(&policies, id)->rows[REASON_NETWORK].failures;
			ck_assert_uint_eq(failures, id % 2 == 1 && id >= 5 ? 7 : 5);
		}
		ck_assert_int_eq(policies_try(&policies, 0, REASON_MOVED, all), ERR_OK);
		ck_assert_int_eq(policies_try(&policies, 6, REASON_OTHER, one), ERR_OK);
		for (int64_t id = 4; id <= 10; id++)
			ck_assert_uint_eq(policies_of(&policies, id)->rows[REASON_MOVED].failures, 3);
		ck_assert_uint_eq(policies_least(&policies).rows[REASON_MOVED].failures, 3);
		policies_done(&policies);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { a_list_has_its_own_or_the_default, the_least_of_them_all,
				       what_is_tried_holds_for_whom_it_was_meant, what_is_set_is_read };
	return suite_of("policies", tests, database_start() ? ARRAY_LEN(tests) : 3);
}
