#include "listctl/json_array.h"

#include "tests/support/unit.h"

/* Elements, each with its line and | behind it; then ! and what is not whole, or ~ for one beyond the ceiling. */
struct row {
	const char *label, *json, *found;
};

enum { CEILING = 40 };

static const struct row rows[] = {
	{ "nothing in it", "[]", "" },
	{ "as it is written", "[\n  {\"a\": 1},\n  {\"a\": 2}\n]\n", "2{\"a\": 1}|3{\"a\": 2}|" },
	{ "in one line", "[{},{\"a\":[1,{}]}]", "1{}|1{\"a\":[1,{}]}|" },
	{ "over several lines", "[ {\n\"a\":\n1 }\n,\n\n{}]", "1{\n\"a\":\n1 }|6{}|" },
	{ "brackets in texts", "[{\"a\":\"]},{\\\"[\"},{}]", "1{\"a\":\"]},{\\\"[\"}|1{}|" },
	{ "a text that ends with a backslash", "[\"\\\\\",1]", "1\"\\\\\"|11|" },
	{ "what is no object", "[1, \"x\",]", "11|1\"x\"|" },
	{ "no end", "[{}", "!{}" },
	{ "no end behind an element", "[{},", "1{}|!" },
	{ "more behind it", "[{}] x", "1{}|!x" },
	{ "too long", "[\"0123456789012345678901234567890123456789\"]", "~" },
};

static void read_in_steps(const struct row *row, size_t step, struct buf *found)
{
	struct json_array array = json_array_with_ceiling(CEILING);
	struct view rest = view_of(row->json), element;
	enum element_state state = ELEMENT_NONE;
	while (rest.len > 0 && state != ELEMENT_LONG) {
		struct view part = view_head(rest, step);
		rest = view_skip(rest, step);
		while ((state = json_array_next(&array, &part, &element)) == ELEMENT_WHOLE)
			buf_addf(found, "%llu" VIEW_FMT "|", (unsigned long long)json_array_line(&array),
				 VIEW_ARG(element));
	}
	if (state == ELEMENT_LONG)
		buf_add_byte(found, '~');
	else if (json_array_rest(&array, &element))
		buf_addf(found, "!" VIEW_FMT, VIEW_ARG(element));
	json_array_done(&array);
}

START_TEST(elements)
	{
		static const size_t steps[] = { 1, 2, 3, 100 };
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			for (size_t j = 0; j < ARRAY_LEN(steps); j++) {
				AUTO_BUF found = buf_with_ceiling(1000);
				read_in_steps(&rows[i], steps[j], &found);
				ck_assert_msg(view_eq(buf_view(&found), view_of(rows[i].found)), "%s, by %zu: %s",
					      rows[i].label, steps[j], buf_text(&found));
			}
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { elements };
	return suite_of("json_array", tests, ARRAY_LEN(tests));
}
