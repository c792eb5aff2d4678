#include "listctl/jsonpath.h"

#include "base/limits.h"
#include "tests/support/unit.h"

static const char *const right[] = {
	"$.country == \"ID\"",
	"$.country == \"ID\" && $.age > 20",
	"!($.a == 1) || exists($.b)",
	"$.a like_regex \"^b.*\" flag \"i\"",
	"$.a starts with \"b\"",
	"($.a > 1) is unknown",
	"$.\"zip code\" != null",
	"$.tags[*] == \"x\"",
	"exists($.orders[*] ? (@.price > 10 && @.paid == true))",
	"$.a[0 to last, 3].b.size() >= 2",
	"-$.a + 3 * ($.b - 1) % 2 < 1.5e3",
	"strict $.a <> 1",
	"lax $.**{1 to 2}.a == 1",
	"$.date >= \"2026-01-01\"",
	"$.a[*].keyvalue().value == 1 && $.b.double() < 3 || $.c.size() == 0",
	"($.a == 1).type() == \"boolean\"",
	"!exists($.a ? (@.b like_regex \"x\" flag \"qi\"))",
	"$.a[last - 1].b == $.c[0 to last]",
	"exists($.a[$.b ? (@ == last)])",
	"$.**{last}.a == 1",
	"$.a /* remark */ == 1",
	"$.st\xc3\xa4"
	"dt == \"K\xc3\xb6ln\"",
	"true",
	"$.exists == 1",
};

struct wrong {
	const char *text;
	size_t column;    /* octets before it */
	const char *says; /* part of what is said */
};

static const struct wrong wrongs[] = {
	{ "$.country = \"ID\"", 10, "compare with ==" },
	{ "$.a == 1 AND $.b == 2", 9, "write && for and" },
	{ "$.a == 1 or $.b == 2", 9, "write || for or" },
	{ "$.a == 1 & $.b == 2", 9, "write && for and" },
	{ "NOT $.a == 1", 0, "write !( ... ) for not" },
	{ "country == \"ID\"", 0, "begins with $." },
	{ "$country == \"ID\"", 0, "with a point" },
	{ "$.country == 'ID'", 13, "double quotation marks" },
	{ "$.country == \xe2\x80\x9cID\xe2\x80\x9d", 13, "typographic" },
	{ "$.country == ID", 13, "quotation marks" },
	{ "$.country == \"ID", 13, "not closed" },
	{ "$.country ==", 12, "missing at the end" },
	{ "", 0, "missing at the end" },
	{ "($.a == 1", 9, "missing at the end" },
	{ "$.a == 1)", 8, "does not follow" },
	{ "$.a == 1 $.b == 2", 9, "join two conditions" },
	{ "$.a like \"b\"", 4, "like_regex" },
	{ "$.a like_regex b", 15, "regular expression" },
	{ "$.a starts \"b\"", 11, "starts with" },
	{ "$.a in (1, 2)", 4, "one by one" },
	{ "$.a is null", 4, "== null" },
	{ "!$.a == 1", 1, "!( ... )" },
	{ "$.a.upper() == \"B\"", 4, "no such method" },
	{ "$.2nd == 1", 1, "" },
	{ "$.zip code == 1", 6, "does not follow" },
	{ "$.a == 1;", 8, "semicolon" },
	{ "$.tags[ == 1", 8, "expected" },
	{ "$.a == {1}", 7, "expected" },
	{ "exists $.a", 7, "opening bracket" },
	{ "$..a == 1", 2, "name of a field" },
	{ "$.since.datetime() > \"2026-01-01\"", 8, "compare as texts" },
	{ "exists($.a.DateTime(\"HH24\"))", 11, "compare as texts" },
	{ "@.a == 1", 0, "write $" },
	{ "exists($.a ? (@.b > 1)) && @.b == 1", 27, "write $" },
	{ "$.a == last", 7, "$.a[last]" },
	{ "$.a == TRUE", 7, "written small" },
	{ "$.a like_regex \"b\" flag \"ix\"", 24, "no such flag" },
	{ "$.a like_regex \"b\" && $.c", 22, "exists($.country)" },
	{ "$.a || $.b == 1", 0, "exists($.country)" },
	{ "!($.a)", 2, "exists($.country)" },
	{ "exists($.a == 1)", 7, "join conditions" },
	{ "exists($.a).b == 1", 11, "does not follow" },
	{ "$.a ? (@.b) == 1", 7, "exists($.country)" },
	{ "$.a == ($.b == 1)", 7, "join conditions" },
	{ "($.a == 1) + 1 == 2", 0, "join conditions" },
	{ "-($.a == 1) == 2", 1, "join conditions" },
	{ "$.a == 1 && true", 12, "exists($.country)" },
	{ "($.a) is unknown", 0, "exists($.country)" },
	{ "$.a[$.b == 1] == 2", 8, "bracket ]" },
	{ "$.a.size(\"x\") == 1", 9, "closing bracket" },
	{ "$.**{1, 2} == 1", 6, "closing bracket }" },
	{ "$.**{3000000000} == 1", 5, "number of a level" },
};

START_TEST(right_ones_pass)
	{
		for (size_t i = 0; i < ARRAY_LEN(right); i++) {
			struct jsonpath_slip slip;
			ck_row(right[i], jsonpath_check(view_of(right[i]), &slip));
		}
	}
END_TEST

START_TEST(wrong_ones_are_placed)
	{
		for (size_t i = 0; i < ARRAY_LEN(wrongs); i++) {
			struct jsonpath_slip slip;
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			ck_row(wrongs[i].text, !jsonpath_check(view_of(wrongs[i].text), &slip));
			jsonpath_explain(view_of(wrongs[i].text), &slip, &why);
			ck_assert_msg(slip.at == wrongs[i].column, "%s: at %zu", wrongs[i].text, slip.at);
			ck_assert_msg(view_find(buf_view(&why), view_of(wrongs[i].says)) != VIEW_NONE, "%s: %s",
				      wrongs[i].text, buf_text(&why));
		}
	}
END_TEST

START_TEST(the_place_is_marked)
	{
		static const char text[] = "$.st\xc3\xa4"
					   "dt == \"x\"\n&& $.b = 1\n&& $.c == 2";
		struct jsonpath_slip slip;
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert(!jsonpath_check(view_of(text), &slip));
		jsonpath_explain(view_of(text), &slip, &why);
		ck_assert_msg(view_starts(buf_view(&why), VIEW_LIT("line 2, column 8: ")), "%s", buf_text(&why));
		ck_assert_msg(view_ends(buf_view(&why), VIEW_LIT("\n    && $.b = 1\n           ^")), "%s",
			      buf_text(&why));
	}
END_TEST

START_TEST(long_and_deep_ones_are_refused)
	{
		struct jsonpath_slip slip;
		AUTO_BUF deep = buf_with_ceiling(LIMIT_WHY);
		AUTO_BUF wide = buf_with_ceiling(4 * JSONPATH_MOST);
		for (int i = 0; i < 900; i++)
			buf_add_byte(&deep, '(');
		ck_assert(!jsonpath_check(buf_view(&deep), &slip));
		ck_assert_str_eq(slip.what, "brackets stand too deep here");
		buf_reset(&deep);
		for (int i = 0; i < 500; i++)
			buf_add(&deep, VIEW_LIT("$["));
		ck_assert(!jsonpath_check(buf_view(&deep), &slip));
		ck_assert_str_eq(slip.what, "brackets stand too deep here");
		while (wide.len <= JSONPATH_MOST)
			buf_add(&wide, VIEW_LIT("$.a == 1 || "));
		ck_assert(!jsonpath_check(buf_view(&wide), &slip));
		ck_assert_str_eq(slip.what, "the predicate is longer than 2000 octets");
	}
END_TEST

/* What a predicate names of a subscriber's attributes, "," behind each. */
static const struct {
	const char *text, *fields;
} named[] = {
	{ "$.country == \"$.no\" && $ . \"zip code\" > 1 && exists($.orders[*] ? (@.price > $.limit)) && $[0] == 1",
	  "country,zip code,orders,limit," },
	{ "$.size() == 1", "" },
	{ "$.size () == 1", "" },
	{ "$.size /* remark */ () == 1", "" },
	{ "$.size == 1", "size," },
	{ "$.\"size\" == 1", "size," },
	{ "exists($.keyvalue() ? (@.key == \"a\"))", "" },
	{ "$.*.type() == \"string\"", "" },
	{ "$.**.a == 1", "" },
	{ "$.a.size() > $.b.c.double()", "a,b," },
	{ "strict $.a == 1", "a," },
	{ "($).a == 1", "" },
	{ "exists($ ? (@.a == 1))", "" },
	{ "$.\"\\u0061\" == 1", "" },
	{ "$.\\u0061 == 1 && $.b == 1", "b," },
	{ "$.a == 1 /* $.b */", "a," },
	{ "true", "" },
};

START_TEST(fields_are_named)
	{
		for (size_t i = 0; i < ARRAY_LEN(named); i++) {
			AUTO_BUF found = buf_with_ceiling(LIMIT_WHY);
			struct view field;
			size_t at = 0;
			while (jsonpath_field(view_of(named[i].text), &at, &field))
				buf_addf(&found, VIEW_FMT ",", VIEW_ARG(field));
			ck_assert_msg(view_eq(buf_view(&found), view_of(named[i].fields)), "%s: %s", named[i].text,
				      buf_text(&found));
		}
	}
END_TEST

START_TEST(parts_are_named)
	{
		static const char text[] = "$.a == \"x\" && $.b like_regex \"(\" flag \"i\" || $.c > 1e9";
		static const char *const questions[] = { "\"x\"", "like_regex \"(\" flag \"i\"", "1e9" };
		static const size_t places[] = { 7, 29, 51 };
		struct jsonpath_slip place;
		struct view question;
		size_t at = 0, found = 0;
		while (jsonpath_part(view_of(text), &at, &place, &question)) {
			ck_assert_uint_lt(found, ARRAY_LEN(questions));
			ck_assert_uint_eq(place.at, places[found]);
			ck_view_eq(question, questions[found++]);
		}
		ck_assert_uint_eq(found, ARRAY_LEN(questions));
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { right_ones_pass,     wrong_ones_are_placed,
				       the_place_is_marked, long_and_deep_ones_are_refused,
				       fields_are_named,    parts_are_named };
	return suite_of("jsonpath", tests, ARRAY_LEN(tests));
}
