#include "mail/variant.h"

#include <stdlib.h>

#include "tests/support/unit.h"

START_TEST(frozen)
	{
		static const unsigned shares[] = { 2000, 3000, 5000 };
		static const unsigned expected[] = { 1, 3, 1, 3, 1, 1, 3, 3, 1, 3, 2, 3, 3, 1, 3, 1, 2, 2, 3, 3 };
		for (size_t i = 0; i < ARRAY_LEN(expected); i++)
			ck_assert_uint_eq(variant_of(7, 1000 + (int64_t)i, shares, 3), expected[i]);
		ck_assert_uint_eq(variant_of(7, 1000, shares, 0), 0);
	}
END_TEST

/* Of 100,000 each share comes out within five standard deviations, in one campaign as in another, and the two have nothing to do with
 * each other. */
START_TEST(uniform)
	{
		enum { PEOPLE = 100000, DEVIATIONS = 5 };
		static const unsigned shares[] = { 2000, 3000, 4999, 1 };
		for (int64_t campaign = 1; campaign <= 3; campaign++) {
			long counts[ARRAY_LEN(shares)] = { 0 }, both = 0;
			for (int64_t person = 1; person <= PEOPLE; person++) {
				unsigned variant = variant_of(campaign, person, shares, ARRAY_LEN(shares));
				counts[variant - 1]++;
				both +=
				    variant == 2 && variant_of(campaign + 1, person, shares, ARRAY_LEN(shares)) == 2;
			}
			for (size_t i = 0; i < ARRAY_LEN(shares); i++) {
				double expected = (double)PEOPLE * shares[i] / VARIANT_ALL;
				double off = (double)counts[i] - expected;
				ck_assert(off * off <= DEVIATIONS * DEVIATIONS * expected);
			}
			ck_assert(labs(both - PEOPLE * 9 / 100) < 500);
		}
	}
END_TEST

static const struct {
	const char *label, *text;
	unsigned share; /* 0: refused */
	const char *rest;
} rows[] = {
	{ "whole", "50% Hello you", 5000, "Hello you" },
	{ "one decimal", "33.3% x", 3330, "x" },
	{ "two decimals", " 0.01%x ", 1, "x" },
	{ "a blank before the sign", "5 % x", 500, "x" },
	{ "percent sign in the subject", "5% 10% off", 500, "10% off" },
	{ "none", "Hello", 0, "" },
	{ "nothing behind it", "50% ", 0, "" },
	{ "zero", "0% x", 0, "" },
	{ "all", "100% x", 0, "" },
	{ "negative", "-1% x", 0, "" },
	{ "three decimals", "1.005% x", 0, "" },
	{ "no decimals", "1.% x", 0, "" },
	{ "words", "half% x", 0, "" },
	{ "empty", "", 0, "" },
};

START_TEST(shares)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct view text = view_of(rows[i].text);
			unsigned share = 0;
			ck_row(rows[i].label, variant_cut_share(&text, &share) == (rows[i].share > 0));
			ck_row(rows[i].label, share == rows[i].share);
			ck_row(rows[i].label, rows[i].share == 0 || view_eq(text, view_of(rows[i].rest)));
		}
	}
END_TEST

START_TEST(names)
	{
		for (unsigned variant = 1; variant <= VARIANTS_MOST; variant++) {
			char name = variant_name(variant);
			ck_assert_uint_eq(variant_from_name(view_from(&name, 1)), variant);
		}
		ck_assert_uint_eq(variant_from_name(VIEW_LIT("b")), 2);
		ck_assert_uint_eq(variant_from_name(VIEW_LIT("F")), 0);
		ck_assert_uint_eq(variant_from_name(VIEW_LIT("@")), 0);
		ck_assert_uint_eq(variant_from_name(VIEW_LIT("")), 0);
		ck_assert_uint_eq(variant_from_name(VIEW_LIT("AB")), 0);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { frozen, uniform, shares, names };
	return suite_of("mail/variant", tests, ARRAY_LEN(tests));
}
