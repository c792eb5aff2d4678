#include "mail/reference.h"

#include "base/limits.h"
#include "tests/support/unit.h"

static const struct {
	const char *text;
	size_t len;
	uint32_t character;
} rows[] = {
	{ "&amp;x", 5, '&' },
	{ "&nbsp;", 6, 0xa0 },
	{ "&yuml;", 6, 0xff },
	{ "&divide;", 8, 0xf7 },
	{ "&szlig;", 7, 0xdf },
	{ "&euro;", 6, 0x20ac },
	{ "&colon;", 7, ':' },
	{ "&#106;", 6, 'j' },
	{ "&#106avascript", 5, 'j' },
	{ "&#x6A;", 6, 'j' },
	{ "&#X6a", 5, 'j' },
	{ "&#0000106;", 10, 'j' },
	{ "&#150;", 6, 0x2013 },
	{ "&#x9f;", 6, 0x178 },
	{ "&#1;", 4, 1 },
	{ "&#x10ffff;", 10, 0x10ffff },
	{ "&#x110000;", 0, 0 },
	{ "&#99999999999999999999;", 0, 0 },
	{ "&#;", 0, 0 },
	{ "&#x;", 0, 0 },
	{ "&amp", 0, 0 },
	{ "&AMp;", 0, 0 },
	{ "&nosuch;", 0, 0 },
	{ "&;", 0, 0 },
	{ "&", 0, 0 },
	{ "", 0, 0 },
	{ "x&amp;", 0, 0 },
	{ "&thisisnonameatall;", 0, 0 },
};

START_TEST(references)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			uint32_t character = 0;
			ck_row(rows[i].text, reference_read(view_of(rows[i].text), &character) == rows[i].len);
			ck_row(rows[i].text, rows[i].len == 0 || character == rows[i].character);
		}
	}
END_TEST

static const struct {
	const char *text, *keep, *decoded;
} texts[] = {
	{ "", "", "" },
	{ "a & b &amp; c&", "", "a & b & c&" },
	{ "&lt;b&gt;&#123;&rbrace;", "{}", "<b>&#123;&rbrace;" },
	{ "&amp;amp;", "", "&amp;" },
	{ "&#0;&#10;&#x7f;&#x85;&#x81;&#xd800;", "", "&#0;&#10;&#x7f;\u2026&#x81;&#xd800;" },
	{ "&eacute;&hellip;&#x1F600;", "", "\u00e9\u2026\U0001f600" },
};

START_TEST(decoded)
	{
		for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
			AUTO_BUF out = buf_with_ceiling(LIMIT_WHY);
			ck_row(texts[i].text, reference_decode(view_of(texts[i].text), texts[i].keep, &out) == ERR_OK);
			ck_assert_msg(view_eq(buf_view(&out), view_of(texts[i].decoded)), "%s: got %s", texts[i].text,
				      buf_text(&out));
			ck_row(texts[i].text, view_is_utf8(buf_view(&out)));
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { references, decoded };
	return suite_of("reference", tests, ARRAY_LEN(tests));
}
