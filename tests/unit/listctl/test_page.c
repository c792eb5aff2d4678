#include "listctl/page.h"

#include "tests/support/unit.h"

struct row {
	const char *label, *text, *expected;
};

static const struct row texts[] = {
	{ "plain", "caf\xc3\xa9 \xf0\x9f\x93\xac", "caf\xc3\xa9 \xf0\x9f\x93\xac" },
	{ "markup", "</style><script>a('b')&\"</script>",
	  "&lt;/style&gt;&lt;script&gt;a(&#39;b&#39;)&amp;&quot;&lt;/script&gt;" },
	{ "a reference stays text", "&lt;", "&amp;lt;" },
	{ "lines and tabs", "a\n\tb", "a\n\tb" },
	{ "controls", "a\r\x1b[0m\x7f", "a\xef\xbf\xbd\xef\xbf\xbd[0m\xef\xbf\xbd" },
	{ "C1", "\xc2\x9b", "\xef\xbf\xbd" },
	{ "turned direction",
	  "\xe2\x80\xae"
	  "gnp\xe2\x81\xa9\xe2\x80\x8f",
	  "\xef\xbf\xbdgnp\xef\xbf\xbd\xef\xbf\xbd" },
	{ "no characters of XML", "\xef\xbf\xbe\xef\xbf\xbf", "\xef\xbf\xbd\xef\xbf\xbd" },
	{ "Latin 1", "caf\xe9", "caf\xef\xbf\xbd" },
	{ "cut character", "\xe6\x97", "\xef\xbf\xbd\xef\xbf\xbd" },
	{ "nothing", "", "" },
};

START_TEST(text_stays_text)
	{
		for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
			AUTO_BUF out = buf_with_ceiling(512);
			page_add_text(&out, view_of(texts[i].text));
			ck_assert_msg(view_eq(buf_view(&out), view_of(texts[i].expected)), "%s: %s", texts[i].label,
				      buf_text(&out));
		}
	}
END_TEST

START_TEST(nul_is_replaced)
	{
		AUTO_BUF out = buf_with_ceiling(64);
		page_add_text(&out, view_from("a\0b", 3));
		ck_view_eq(buf_view(&out), "a\xef\xbf\xbd"
					   "b");
	}
END_TEST

static const struct row names[] = {
	{ "one word", "sent", "sent" },
	{ "several", "bounced_hard", "bounced hard" },
	{ "a share", "reports_in_percent", "reports in\xc2\xa0%" },
};

START_TEST(names_are_words)
	{
		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			AUTO_BUF out = buf_with_ceiling(64);
			page_add_name(&out, names[i].text);
			ck_row(names[i].label, view_eq(buf_view(&out), view_of(names[i].expected)));
		}
	}
END_TEST

static const struct {
	int64_t number;
	const char *expected;
} numbers[] = {
	{ 0, "0" },
	{ 999, "999" },
	{ 1000, "1\xe2\x80\xaf"
		"000" },
	{ -123456, "-123\xe2\x80\xaf"
		   "456" },
	{ 1234567, "1\xe2\x80\xaf"
		   "234\xe2\x80\xaf"
		   "567" },
	{ INT64_MIN, "-9\xe2\x80\xaf"
		     "223\xe2\x80\xaf"
		     "372\xe2\x80\xaf"
		     "036\xe2\x80\xaf"
		     "854\xe2\x80\xaf"
		     "775\xe2\x80\xaf"
		     "808" },
};

START_TEST(numbers_are_parted)
	{
		for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
			AUTO_BUF out = buf_with_ceiling(64);
			page_add_number(&out, numbers[i].number);
			ck_view_eq(buf_view(&out), numbers[i].expected);
		}
	}
END_TEST

START_TEST(a_page_forbids_what_it_does_not_have)
	{
		AUTO_BUF out = buf_with_ceiling(64 << 10);
		page_begin(&out, VIEW_LIT("<b>"));
		page_end(&out);
		struct view page = buf_view(&out);
		ck_assert(view_find(page, VIEW_LIT("content=\"default-src 'none'; style-src 'unsafe-inline'; ")) !=
			  VIEW_NONE);
		ck_assert(view_find(page, VIEW_LIT("<title>&lt;b&gt;</title>")) != VIEW_NONE);
		ck_assert(view_find(page, VIEW_LIT("@media print")) != VIEW_NONE);
		ck_assert(view_find(page, VIEW_LIT("prefers-color-scheme:dark")) != VIEW_NONE);
		ck_assert(view_find(page, VIEW_LIT("url(")) == VIEW_NONE);
		ck_assert(view_find(page, VIEW_LIT("<script")) == VIEW_NONE);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { text_stays_text, nul_is_replaced, names_are_words, numbers_are_parted,
				       a_page_forbids_what_it_does_not_have };
	return suite_of("page", tests, ARRAY_LEN(tests));
}
