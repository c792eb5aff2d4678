#include "mail/html_parts.h"

#include "base/limits.h"
#include "tests/support/unit.h"

static const struct {
	const char *label, *html, *said;
} rows[] = {
	{ "none", "<p>charset=x</p>", "<p>charset=x</p>" },
	{ "utf-8", "<meta charset=\"utf-8\">", "<meta charset=\"utf-8\">" },
	{ "another", "<head><META Charset='iso-8859-1'/><p>", "<head><META Charset='utf-8'/><p>" },
	{ "bare", "<meta charset=latin1><meta charset=x >", "<meta charset=utf-8><meta charset=utf-8 >" },
	{ "by its header", "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=windows-1252\">",
	  "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">" },
	{ "other metas", "<meta name=a><p title='charset=x'>", "<meta name=a><p title='charset=x'>" },
	{ "not closed", "<meta charset=x", "<meta charset=x" },
	{ "empty", "<meta charset=>", "<meta charset=>" },
};

START_TEST(charset)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF out = buf_with_ceiling(LIMIT_WHY);
			ck_row(rows[i].label, html_parts_say_utf8(view_of(rows[i].html), &out) == ERR_OK);
			ck_assert_msg(view_eq(buf_view(&out), view_of(rows[i].said)), "%s: %s", rows[i].label,
				      buf_text(&out));
		}
	}
END_TEST

static const struct {
	const char *label, *html;
	bool is_blank;
} blanks[] = {
	{ "break", "<html><head><title>t</title></head><body><br></body></html>", true },
	{ "spaces", "<p> &nbsp; &nbsp;</p>", true },
	{ "text", "<p>a</p>", false },
	{ "image", "<IMG src=x>", false },
};

START_TEST(blank)
	{
		for (size_t i = 0; i < ARRAY_LEN(blanks); i++) {
			bool is_blank;
			ck_row(blanks[i].label, html_parts_is_blank(view_of(blanks[i].html), &is_blank) == ERR_OK);
			ck_row(blanks[i].label, is_blank == blanks[i].is_blank);
		}
	}
END_TEST

static const struct {
	const char *label, *first, *second, *joined;
} joins[] = {
	{ "documents", "<body>A</BODY></html>", "<html><BODY x>B</body></html>", "<body>AB</BODY></html>" },
	{ "fragments", "A", "B", "AB" },
	{ "no body", "<html>A</html>", "<html>B</html>", "<html>AB</html>" },
};

START_TEST(join)
	{
		for (size_t i = 0; i < ARRAY_LEN(joins); i++) {
			AUTO_BUF out = buf_with_ceiling(LIMIT_WHY);
			ck_row(joins[i].label,
			       html_parts_join(view_of(joins[i].first), view_of(joins[i].second), &out) == ERR_OK);
			ck_view_eq(buf_view(&out), joins[i].joined);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { charset, blank, join };
	return suite_of("html_parts", tests, ARRAY_LEN(tests));
}
