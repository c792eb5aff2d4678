#include "listctl/sheet.h"

#include "base/limits.h"
#include "tests/support/unit.h"

/* What the header and the one row are for an object, when also `others` was learned. */
struct row {
	const char *label, *object, *others, *header, *cells;
};

static const struct row rows[] = {
	{ "texts", "{\"city\": \"Bonn\", \"zip\": \"01234\"}", "{}", ",city,zip", ",Bonn,01234" },
	{ "in the order of names", "{\"b\": \"1\", \"a\": \"2\"}", "{}", ",a,b", ",2,1" },
	{ "numbers", "{\"age\": 42}", "{\"age\": -1.5e3}", ",age:number", ",42" },
	{ "a long number", "{\"n\": 12345678901234567890.10}", "{}", ",n:number", ",12345678901234567890.10" },
	{ "booleans", "{\"vip\": true}", "{\"vip\": false}", ",vip:boolean", ",true" },
	{ "text among numbers", "{\"age\": 42}", "{\"age\": \"old\"}", ",age:json", ",42" },
	{ "number among texts", "{\"age\": \"old\"}", "{\"age\": 42}", ",age:json", ",\"\"\"old\"\"\"" },
	{ "nothing", "{\"a\": null}", "{\"a\": \"x\"}", ",a:json", ",null" },
	{ "a list", "{\"tags\": [\"a\", \"b,c\"]}", "{}", ",tags:json", ",\"[\"\"a\"\", \"\"b,c\"\"]\"" },
	{ "absent", "{}", "{\"a\": \"x\"}", ",a", "," },
	{ "empty text", "{\"a\": \"\"}", "{}", ",a", ",\"\"" },
	{ "lines and tabs", "{\"a\": \"x\\ny\\r\\n\\tz\"}", "{}", ",a", ",\"x\ny\r\n\tz\"" },
	{ "a tab in front", "{\"a\": \"\\tx\"}", "{}", ",a", ",\"'\tx\"" },
	{ "another control character goes as JSON", "{\"a\": \"x\\u001by\"}", "{}", ",a:json",
	  ",\"\"\"x\\u001by\"\"\"" },
	{ "an encoded word goes as JSON", "{\"a\": \"=?utf-8?Q?x?=\"}", "{}", ",a:json", ",\"\"\"=?utf-8?Q?x?=\"\"\"" },
	{ "a formula", "{\"a\": \"=1+1\"}", "{}", ",a", ",\"'=1+1\"" },
	{ "a negative number is none", "{\"a\": -5}", "{}", ",a:number", ",-5" },
	{ "names that import takes for more", "{\"full_name\": \"x\", \"status\": 1}", "{\"city\": \"y\"}",
	  ",city,attribute:full_name,attribute:status:number", ",,x,1" },
	{ "names that no more than look so", "{\"first_name\": \"x\", \"address\": \"y\"}", "{}", ",address,first_name",
	  ",y,x" },
	{ "what would be another's export", "{\"leid\": \"1\", \"euid\": \"2\", \"tags\": \"x\", \"city\": \"y\"}",
	  "{}", ",city,attribute:euid,attribute:leid,attribute:tags:text", ",y,2,1,x" },
	{ "names that import would change", "{\"City Name\": \"x\", \"#3\": 1, \"-\": \"y\", \"a_\": \"z\"}", "{}",
	  ",attribute:#3:number,attribute:-,attribute:City Name,attribute:a_", ",1,y,x,z" },
	{ "names that would lose something", "{\"\": \"x\", \" a\": \"y\", \"b\\n\": \"z\", \"c:json\": \"q\"}", "{}",
	  ",\"attribute:\"\"\"\"\",\"attribute:\"\" a\"\"\",\"attribute:\"\"b\\n\"\"\",attribute:c:json:text",
	  ",x,y,z,q" },
	{ "a word for a type", "{\"tags\": \"x\"}", "{}", ",tags", ",x" },
	{ "escaped text", "{\"a\": \"\\\"q\\\" \\u00fc\"}", "{}", ",a", ",\"\"\"q\"\" \xc3\xbc\"" },
};

static void learn(struct sheet *sheet, const char *object)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(sheet_learn(sheet, view_of(object), &why) == ERR_OK, "%s", buf_text(&why));
}

START_TEST(columns_say_what_they_hold)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF line = buf_with_ceiling(LIMIT_OUTPUT_LINE);
			struct sheet *sheet = sheet_new();
			learn(sheet, rows[i].object);
			learn(sheet, rows[i].others);
			sheet_arrange(sheet);
			sheet_header(sheet, true, &line);
			ck_assert_msg(view_eq(buf_view(&line), view_of(rows[i].header)), "%s: %s", rows[i].label,
				      buf_text(&line));
			buf_reset(&line);
			ck_row(rows[i].label, sheet_row(sheet, view_of(rows[i].object), true, &line));
			ck_assert_msg(view_eq(buf_view(&line), view_of(rows[i].cells)), "%s: %s", rows[i].label,
				      buf_text(&line));
			sheet_free(sheet);
		}
	}
END_TEST

/* Each does not fit under what another one said, leaves the line as it was, and fits when it is learned. */
START_TEST(what_was_not_learned_does_not_fit)
	{
		static const char *const others[] = { "{\"c\": \"new\"}",     "{\"a\": 1}",   "{\"b\": \"text\"}",
						      "{\"b\": null}",        "{\"a\": [] }", "{\"b\": {}}",
						      "{\"a\": \"x\\u0001\"}" };
		for (size_t i = 0; i < ARRAY_LEN(others); i++) {
			AUTO_BUF line = buf_with_ceiling(LIMIT_OUTPUT_LINE);
			struct sheet *sheet = sheet_new();
			learn(sheet, "{\"a\": \"x\", \"b\": 1}");
			sheet_arrange(sheet);
			buf_add(&line, VIEW_LIT("before"));
			ck_row(others[i], !sheet_row(sheet, view_of(others[i]), true, &line));
			ck_view_eq(buf_view(&line), "before");
			learn(sheet, others[i]);
			sheet_arrange(sheet);
			ck_row(others[i], sheet_row(sheet, view_of(others[i]), true, &line));
			sheet_free(sheet);
		}
	}
END_TEST

START_TEST(too_many_columns_are_refused)
	{
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct sheet *sheet = sheet_new();
		enum err err = ERR_OK;
		for (int i = 0; err == ERR_OK && i <= SHEET_COLUMNS_MOST; i++) {
			AUTO_BUF object = buf_with_ceiling(64);
			buf_addf(&object, "{\"c%d\": 1}", i);
			err = sheet_learn(sheet, buf_view(&object), &why);
			ck_assert_int_eq(err, i < SHEET_COLUMNS_MOST ? ERR_OK : ERR_TOO_BIG);
		}
		ck_assert(view_find(buf_view(&why), VIEW_LIT("--format json")) != VIEW_NONE);
		sheet_free(sheet);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { columns_say_what_they_hold, what_was_not_learned_does_not_fit,
				       too_many_columns_are_refused };
	return suite_of("sheet", tests, ARRAY_LEN(tests));
}
