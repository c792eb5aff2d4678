#include "mail/phrases.h"

#include "tests/support/unit.h"

#define SET(...)                                                                                                       \
	(const char *const[])                                                                                          \
	{                                                                                                              \
		__VA_ARGS__, NULL                                                                                      \
	}

static const char *const *const sets[] = {
	SET("he", "she"), SET("hers"), SET("mail * full", "box * very * full"), NULL, SET("his"),
	SET(" end "),     SET("q*z"),
};

struct row {
	const char *label, *text;
	bool found[ARRAY_LEN(sets)];
};

static const struct row rows[] = {
	{ "empty", "", { false } },
	{ "phrases within phrases", "ushers", { [0] = true, [1] = true } },
	{ "capitals", "HIS", { [4] = true } },
	{ "gap", "mail of somebody is full", { [2] = true } },
	{ "no gap, one space", "mail full", { [2] = true } },
	{ "wrong order", "full of mail", { false } },
	{ "gap too wide", "mail 123456789 123456789 123456789 123456789 123456789 is full", { false } },
	{ "a later start is nearer",
	  "mail 123456789 123456789 123456789 123456789 123456789 mail is full",
	  { [2] = true } },
	{ "three pieces", "a box that is very very full", { [2] = true } },
	{ "three pieces, one missing", "box is full", { false } },
	{ "spaces at either end", "end", { [5] = true } },
	{ "no word end", "bender", { false } },
	{ "pieces that touch", "qz", { [6] = true } },
	{ "addresses are one word", "his@hers.example", { false } },
};

START_TEST(finds_what_stands_there)
	{
		struct phrases *phrases;
		bool found[ARRAY_LEN(sets)];
		ck_assert_int_eq(phrases_new(sets, ARRAY_LEN(sets), &phrases), ERR_OK);
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			phrases_find(phrases, view_of(rows[i].text), found);
			for (size_t j = 0; j < ARRAY_LEN(sets); j++)
				ck_assert_msg(found[j] == rows[i].found[j], "%s: set %zu is %d", rows[i].label, j,
					      found[j]);
		}
		phrases_done(phrases);
	}
END_TEST

START_TEST(refuses_what_could_never_match)
	{
		const char *const *const empty_part[] = { SET("a**b") };
		const char *const *const empty_start[] = { SET("*b") };
		struct phrases *phrases = NULL;
		ck_assert_int_eq(phrases_new(empty_part, 1, &phrases), ERR_INVALID);
		ck_assert_int_eq(phrases_new(empty_start, 1, &phrases), ERR_INVALID);
		ck_assert_ptr_null(phrases);
		phrases_done(NULL);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { finds_what_stands_there, refuses_what_could_never_match };
	return suite_of("phrases", tests, ARRAY_LEN(tests));
}
