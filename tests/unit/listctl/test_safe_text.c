#include "listctl/safe_text.h"

#include "tests/support/unit.h"

struct row {
	const char *label, *text, *safe;
};

static const struct row rows[] = {
	{ "plain", "caf\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x93\xac",
	  "caf\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x93\xac" },
	{ "line ends", "a\r\nb\nc\td", "a\nb\nc\td" },
	{ "a lone CR", "over\rwritten", "over\\x0Dwritten" },
	{ "escape sequence", "\x1b]0;title\x07", "\\x1B]0;title\\x07" },
	{ "DEL and backspace", "a\x7f\x08", "a\\x7F\\x08" },
	{ "C1 control in UTF-8",
	  "\xc2\x9b"
	  "31m",
	  "\\xC2\\x9B31m" },
	{ "right-to-left override",
	  "\xe2\x80\xae"
	  "gnp.exe",
	  "\\xE2\\x80\\xAEgnp.exe" },
	{ "byte order mark within",
	  "a\xef\xbb\xbf"
	  "b",
	  "a\\xEF\\xBB\\xBF"
	  "b" },
	{ "Latin 1", "caf\xe9", "caf\\xE9" },
	{ "cut character", "\xe6\x97", "\\xE6\\x97" },
	{ "overlong", "\xc0\xaf", "\\xC0\\xAF" },
	{ "nothing", "", "" },
};

START_TEST(terminals_are_safe)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF safe = buf_with_ceiling(256);
			ck_row(rows[i].label, safe_text_add(view_of(rows[i].text), &safe) == ERR_OK);
			ck_assert_msg(view_eq(buf_view(&safe), view_of(rows[i].safe)), "%s: %s", rows[i].label,
				      buf_text(&safe));
		}
	}
END_TEST

START_TEST(nul_is_shown)
	{
		AUTO_BUF safe = buf_with_ceiling(64);
		ck_assert(safe_text_add(view_from("a\0b", 3), &safe) == ERR_OK);
		ck_view_eq(buf_view(&safe), "a\\x00b");
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { terminals_are_safe, nul_is_shown };
	return suite_of("safe_text", tests, ARRAY_LEN(tests));
}
