#include "mail/clean_text.h"

#include "mail/html_text.h"
#include "tests/support/unit.h"

struct row {
	const char *label, *text;
	bool keep_lines;
	size_t most;
	const char *clean;
};

static const struct row rows[] = {
	{ "plain", "abc", false, 99, "abc" },
	{ "UTF-8", "für", false, 99, "für" },
	{ "Latin-1", "f\xfcr", false, 99, "f\xef\xbf\xbdr" },
	{ "overlong", "\xc0\xaf", false, 99, "\xef\xbf\xbd\xef\xbf\xbd" },
	{ "surrogate", "\xed\xa0\x80", false, 99, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "cut off", "a\xe2\x82", false, 99, "a\xef\xbf\xbd\xef\xbf\xbd" },
	{ "terminal escape", "a\x1b[31m", false, 99, "a [31m" },
	{ "C1 control",
	  "a\xc2\x9b"
	  "b",
	  false, 99, "a b" },
	{ "lines kept", "a\r\nb\rc\n", true, 99, "a\nb\nc\n" },
	{ "lines not kept", "a\r\nb", false, 99, "a b" },
	{ "never within a character", "aaä", false, 3, "aa" },
};

START_TEST(text_is_made_safe)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF out = buf_with_ceiling(256);
			clean_text_add(view_of(rows[i].text), rows[i].keep_lines, rows[i].most, &out);
			ck_assert_msg(view_eq(buf_view(&out), view_of(rows[i].clean)), "%s: " VIEW_FMT, rows[i].label,
				      VIEW_ARG(buf_view(&out)));
		}
	}
END_TEST

static const struct row html[] = {
	{ .label = "tags", .text = "<b>a</b> b", .clean = "a b" },
	{ .label = "lines", .text = "<p>a<br/>b", .clean = "\na\nb" },
	{ .label = "entities", .text = "a&lt;b&gt;&nbsp;&#39;", .clean = "a<b> '" },
	{ .label = "style", .text = "a<style>x{}</style>b<SCRIPT>y</script>c", .clean = "abc" },
	{ .label = "comment", .text = "a<!-- <b> -->b", .clean = "ab" },
	{ .label = "address in brackets", .text = "<a@example.org>: no", .clean = "<a@example.org>: no" },
	{ .label = "open tag", .text = "a<b", .clean = "a" },
	{ .label = "open comment", .text = "a<!-- b", .clean = "a" },
	{ .label = "less than", .text = "1 < 2 & 3", .clean = "1 < 2 & 3" },
};

START_TEST(html_becomes_text)
	{
		for (size_t i = 0; i < ARRAY_LEN(html); i++) {
			AUTO_BUF out = buf_with_ceiling(256);
			html_to_text(view_of(html[i].text), &out);
			ck_assert_msg(view_eq(buf_view(&out), view_of(html[i].clean)), "%s: " VIEW_FMT, html[i].label,
				      VIEW_ARG(buf_view(&out)));
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { text_is_made_safe, html_becomes_text };
	return suite_of("clean_text", tests, ARRAY_LEN(tests));
}
