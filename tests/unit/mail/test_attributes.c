#include "mail/attributes.h"

#include <string.h>

#include "base/limits.h"
#include "tests/support/unit.h"

static const struct {
	const char *label, *json;
	enum value_kind kind;
	const char *text; /* of a text or a number */
	size_t count;
} rows[] = {
	{ "text", "{\"x\": \"v\"}", VALUE_TEXT, "v", 0 },
	{ "empty text", "{\"x\": \"\"}", VALUE_TEXT, "", 0 },
	{ "integer", "{\"x\": -7}", VALUE_NUMBER, "-7", 0 },
	{ "largest integer", "{\"x\": 9223372036854775807}", VALUE_NUMBER, "9223372036854775807", 0 },
	{ "larger than that", "{\"x\": 9223372036854775808}", VALUE_NUMBER, "9.223372036854776e+18", 0 },
	{ "decimal", "{\"x\": 0.1}", VALUE_NUMBER, "0.1", 0 },
	{ "smallest", "{\"x\": 5e-324}", VALUE_NUMBER, "4.94065645841247e-324", 0 },
	{ "true", "{\"x\": true}", VALUE_TRUE, NULL, 0 },
	{ "false", "{\"x\": false}", VALUE_FALSE, NULL, 0 },
	{ "null", "{\"x\": null}", VALUE_NONE, NULL, 0 },
	{ "missing", "{}", VALUE_NONE, NULL, 0 },
	{ "object", "{\"x\": {}}", VALUE_OBJECT, NULL, 0 },
	{ "list", "{\"x\": [1, 2]}", VALUE_LIST, NULL, 2 },
};

START_TEST(kinds)
	{
		bool seen[VALUE_KIND_COUNT] = { 0 };
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct attributes attributes = { 0 };
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			ck_row(rows[i].label, attributes_parse(&attributes, view_of(rows[i].json), &why) == ERR_OK);
			struct value value = attributes_field(&attributes, NULL, VIEW_LIT("x"));
			ck_row(rows[i].label, value.kind == rows[i].kind && value.count == rows[i].count);
			if (value.kind == VALUE_TEXT)
				ck_view_eq(value.text, rows[i].text);
			if (value.kind == VALUE_NUMBER)
				ck_view_eq(attributes_number(&attributes, value.node), rows[i].text);
			seen[value.kind] = true;
			attributes_done(&attributes);
		}
		for (size_t kind = 0; kind < VALUE_KIND_COUNT; kind++)
			ck_assert_msg(seen[kind], "kind %zu has no row", kind);
	}
END_TEST

START_TEST(inside)
	{
		struct attributes attributes = { 0 };
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert(attributes_parse(&attributes, view_of("{\"l\": [{\"x\": \"v\"}]}"), &why) == ERR_OK);
		struct value list = attributes_field(&attributes, NULL, VIEW_LIT("l"));
		struct value item = attributes_item(&attributes, list.node, 0);
		ck_assert(item.kind == VALUE_OBJECT);
		ck_view_eq(attributes_field(&attributes, item.node, VIEW_LIT("x")).text, "v");
		ck_assert(attributes_item(&attributes, list.node, 1).kind == VALUE_NONE);
		attributes_done(&attributes);
		attributes_done(&attributes);
		ck_assert(attributes_field(&attributes, NULL, VIEW_LIT("l")).kind == VALUE_NONE);
	}
END_TEST

static const char *const refused[] = {
	"",      "x",           "[]", "\"x\"", "{", "{\"x\": \"\\u0000\"}", "{\"x\": \"\\ud800\"}", "{\"x\": \"\xff\"}",
	"{} {}", "{\"x\": NaN}"
};

START_TEST(refusals)
	{
		struct attributes attributes = { 0 };
		AUTO_BUF first = buf_with_ceiling(LIMIT_WHY);
		ck_assert(attributes_parse(&attributes, view_of("{\"x\": \"kept\"}"), &first) == ERR_OK);
		for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			ck_row(refused[i], attributes_parse(&attributes, view_of(refused[i]), &why) == ERR_INVALID);
			ck_row(refused[i], why.len > 0);
			ck_view_eq(attributes_field(&attributes, NULL, VIEW_LIT("x")).text, "kept");
		}
		AUTO_BUF endless = buf_with_ceiling(2 * LIMIT_ATTRIBUTES);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		while (endless.len <= LIMIT_ATTRIBUTES)
			buf_add(&endless, VIEW_LIT("[[[[[[[["));
		ck_assert(attributes_parse(&attributes, buf_view(&endless), &why) == ERR_INVALID);
		ck_assert(strstr(buf_text(&why), "more than the 65536 allowed") != NULL);
		ck_assert(attributes_parse(&attributes, view_head(buf_view(&endless), LIMIT_ATTRIBUTES), &why) ==
			  ERR_INVALID);
		attributes_done(&attributes);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { kinds, inside, refusals };
	return suite_of("attributes", tests, ARRAY_LEN(tests));
}
