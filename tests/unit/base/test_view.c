#include "base/view.h"

#include <string.h>

#include "tests/support/unit.h"

START_TEST(finds_and_compares)
	{
		struct view text = VIEW_LIT("Hello, World");
		ck_assert(view_eq_nocase(text, VIEW_LIT("hELLO, wORLD")));
		ck_assert(!view_eq(text, VIEW_LIT("hello, world")));
		ck_assert_uint_eq(view_find(text, VIEW_LIT("World")), 7);
		ck_assert_uint_eq(view_find(text, VIEW_LIT("world")), VIEW_NONE);
		ck_assert_uint_eq(view_find_nocase(text, VIEW_LIT("world")), 7);
		ck_assert_uint_eq(view_find_nocase(text, VIEW_LIT("worlds")), VIEW_NONE);
		ck_assert_uint_eq(view_find_byte(text, 'o'), 4);
		ck_assert_uint_eq(view_find_last_byte(text, 'o'), 8);
		ck_assert(view_starts_nocase(text, VIEW_LIT("HELLO")) && view_ends_nocase(text, VIEW_LIT("WORLD")));
		ck_assert(!view_ends(VIEW_LIT("d"), VIEW_LIT("World")));
		ck_assert(view_eq(view_of(NULL), VIEW_LIT("")));
	}
END_TEST

START_TEST(slices_are_clamped)
	{
		struct view text = VIEW_LIT("abc");
		ck_view_eq(view_skip(text, 9), "");
		ck_view_eq(view_head(text, 9), "abc");
		ck_view_eq(view_slice(text, 1, 2), "b");
		ck_view_eq(view_slice(text, 2, 1), "");
		ck_view_eq(view_trim(VIEW_LIT(" \t abc\r\n")), "abc");
		ck_view_eq(view_trim(VIEW_LIT(" \t ")), "");
	}
END_TEST

START_TEST(cuts_words_and_lines)
	{
		struct view text = VIEW_LIT("one\r\ntwo\n\nlast");
		struct view line;
		const char *const expected[] = { "one", "two", "", "last" };
		for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
			ck_assert(view_cut_line(&text, &line));
			ck_view_eq(line, expected[i]);
		}
		ck_assert(!view_cut_line(&text, &line));
	}
END_TEST

struct number_row {
	const char *text;
	uint64_t max;
	bool ok;
};

static const struct number_row numbers[] = {
	{ "0", UINT64_MAX, true },
	{ "18446744073709551615", UINT64_MAX, true },
	{ "18446744073709551616", UINT64_MAX, false },
	{ "99999999999999999999", UINT64_MAX, false },
	{ "16", 15, false },
	{ "", 9, false },
	{ "+1", 9, false },
	{ "-1", 9, false },
	{ " 1", 9, false },
	{ "1x", 9, false },
};

START_TEST(numbers_are_whole)
	{
		for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
			uint64_t number = 77;
			ck_row(numbers[i].text,
			       view_to_u64(view_of(numbers[i].text), numbers[i].max, &number) == numbers[i].ok);
			ck_row(numbers[i].text, numbers[i].ok || number == 77);
		}
	}
END_TEST

START_TEST(kinds_of_text)
	{
		ck_assert(view_is_utf8(VIEW_LIT("Gr\xc3\xbc\xc3\x9f")));
		ck_assert(!view_is_utf8(VIEW_LIT("Gr\xfc\xdf")));
		ck_assert(!view_is_utf8(VIEW_LIT("\xed\xa0\x80"))); /* a surrogate */
		ck_assert(!view_is_utf8(VIEW_LIT("\xc0\xaf")));     /* overlong */
		ck_assert(view_is_ascii(VIEW_LIT("abc")) && !view_is_ascii(VIEW_LIT("\xc3\xbc")));
		ck_assert(view_has_control(VIEW_LIT("a\tb")) && view_has_control(VIEW_LIT("\x7f")));
		ck_assert(!view_has_control(VIEW_LIT("a b\xc3\xbc")));
	}
END_TEST

START_TEST(controls_are_seen_anywhere)
	{
		for (size_t len = 1; len <= 20; len++) {
			for (size_t at = 0; at < len; at++) {
				for (unsigned octet = 0; octet < 256; octet++) {
					char text[20];
					memset(text, 'a', sizeof(text));
					text[at] = (char)octet;
					ck_assert_msg(view_has_control(view_from(text, len)) ==
							  (octet < 32 || octet == 127),
						      "%u at %zu of %zu", octet, at, len);
				}
			}
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { finds_and_compares, slices_are_clamped, cuts_words_and_lines,
				       numbers_are_whole,  kinds_of_text,      controls_are_seen_anywhere };
	return suite_of("view", tests, ARRAY_LEN(tests));
}
