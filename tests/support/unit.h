/* What every unit test file needs: Check, and assertions on views and bufs. */
#ifndef TESTS_SUPPORT_UNIT_H
#define TESTS_SUPPORT_UNIT_H

#include <check.h>

#include "base/buf.h"

/* Exported by the test file. */
Suite *test_suite(void);

/* One test case with the functions of the array; each runs in a process of its own unless CK_FORK=no. */
static inline Suite *suite_of(const char *name, const TTest *const *tests, size_t count)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	tcase_set_timeout(tcase, 60); /* a guard against a hang, not a measure of speed */
	for (size_t i = 0; i < count; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	return suite;
}

#define ck_view_eq(actual, expected)                                                                                   \
	ck_assert_msg(view_eq((actual), view_of(expected)), "got \"" VIEW_FMT "\", expected \"%s\"", VIEW_ARG(actual), \
		      (expected))

/* The same with the label of a table row in front. */
#define ck_row(label, condition) ck_assert_msg((condition), "%s: %s", (label), #condition)

#endif
