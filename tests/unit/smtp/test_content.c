#include "smtp/content.h"

#include <string.h>

#include "tests/support/unit.h"

struct row {
	const char *label;
	const char *message;
	size_t len; /* 0: strlen */
	enum err err;
	const char *wire;
};

static const struct row rows[] = {
	{ "empty", "", 0, ERR_OK, ".\r\n" },
	{ "plain", "a\r\nb\r\n", 0, ERR_OK, "a\r\nb\r\n.\r\n" },
	{ "no end of line", "a\r\nb", 0, ERR_OK, "a\r\nb\r\n.\r\n" },
	{ "no extra line", "a\r\n\r\n", 0, ERR_OK, "a\r\n\r\n.\r\n" },
	{ "leading dot", ".a\r\n", 0, ERR_OK, "..a\r\n.\r\n" },
	{ "dot in a line", "a.b\r\n", 0, ERR_OK, "a.b\r\n.\r\n" },
	{ "lines of dots", ".\r\n..\r\nx\r\n.", 0, ERR_OK, "..\r\n...\r\nx\r\n..\r\n.\r\n" },
	{ "bare LF", "a\nb\r\n", 0, ERR_INVALID, "" },
	{ "bare CR", "a\rb\r\n", 0, ERR_INVALID, "" },
	{ "CR at the end", "a\r", 0, ERR_INVALID, "" },
	{ "CR CR LF", "a\r\r\n", 0, ERR_INVALID, "" },
	{ "LF CR", "a\n\r", 0, ERR_INVALID, "" },
	{ "smuggled LF . LF", "a\n.\nMAIL", 0, ERR_INVALID, "" },
	{ "smuggled LF . CRLF", "a\n.\r\nMAIL", 0, ERR_INVALID, "" },
	{ "smuggled CRLF . LF", "a\r\n.\nMAIL", 0, ERR_INVALID, "" },
	{ "smuggled CRLF . CR", "a\r\n.\rMAIL", 0, ERR_INVALID, "" },
	{ "smuggled CR . CR", "a\r.\rMAIL", 0, ERR_INVALID, "" },
	{ "smuggled CR . CRLF", "a\r.\r\nMAIL", 0, ERR_INVALID, "" },
	{ "smuggled NUL", "a\r\n\0.\r\nMAIL", 11, ERR_INVALID, "" },
	{ "smuggled CRLF . CRLF", "a\r\n.\r\nMAIL FROM:<>\r\n", 0, ERR_OK, "a\r\n..\r\nMAIL FROM:<>\r\n.\r\n" },
};

START_TEST(rows_on_the_wire)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF out = buf_with_ceiling(100);
			buf_addf(&out, "<");
			size_t len = rows[i].len > 0 ? rows[i].len : strlen(rows[i].message);
			ck_row(rows[i].label, content_stuff(view_from(rows[i].message, len), &out) == rows[i].err);
			ck_view_eq(view_skip(buf_view(&out), 1), rows[i].wire);
			ck_row(rows[i].label, buf_err(&out) == ERR_OK);
		}
	}
END_TEST

START_TEST(too_big_leaves_nothing)
	{
		AUTO_BUF out = buf_with_ceiling(8);
		buf_addf(&out, "keep");
		ck_assert(content_stuff(view_of("12345\r\n"), &out) == ERR_TOO_BIG);
		ck_view_eq(buf_view(&out), "keep");
		ck_assert(content_stuff(view_of(""), &out) == ERR_OK);
		ck_view_eq(buf_view(&out), "keep.\r\n");
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { rows_on_the_wire, too_big_leaves_nothing };
	return suite_of("content", tests, ARRAY_LEN(tests));
}
