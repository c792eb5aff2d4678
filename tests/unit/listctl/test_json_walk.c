#include "listctl/json_walk.h"

#include "tests/support/unit.h"

/* What the walk found: name=kind:value, one after the other; a text as what it stands for. Broken: "!" at the end. */
struct row {
	const char *label, *json, *found;
};

static const struct row rows[] = {
	{ "nothing in it", "{}", "" },
	{ "blanks", " { \"a\" :\t1 , \"b\":2 } ", "a=n:1;b=n:2;" },
	{ "as PostgreSQL writes it", "{\"age\": 42, \"city\": \"K\xc3\xb6ln\", \"vip\": true}",
	  "age=n:42;city=t:K\xc3\xb6ln;vip=b:true;" },
	{ "a long number keeps its digits", "{\"n\": 123456789012345678901234567890.10}",
	  "n=n:123456789012345678901234567890.10;" },
	{ "nothing and no", "{\"a\": null, \"b\": false}", "a=0:null;b=b:false;" },
	{ "a tree with brackets in texts", "{\"a\": [1, \"]}\\\"\", {\"b\": \"{\"}], \"c\": {}}",
	  "a=j:[1, \"]}\\\"\", {\"b\": \"{\"}];c=j:{};" },
	{ "escapes", "{\"a\": \"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "a=t:\"\\/\b\f\n\r\t;" },
	{ "units of UTF-16", "{\"a\": \"\\u0041\\u00fc\\u20ac\\ud83d\\udcec\"}",
	  "a=t:A\xc3\xbc\xe2\x82\xac\xf0\x9f\x93\xac;" },
	{ "half a character", "{\"a\": \"\\ud83d\"}", "a=t:?;" },
	{ "the other half", "{\"a\": \"\\udcec\"}", "a=t:?;" },
	{ "unknown escape", "{\"a\": \"\\x\"}", "a=t:?;" },
	{ "a name with a quotation mark", "{\"a\\\"b\": 1}", "a\\\"b=n:1;" },
	{ "empty text", "{\"a\": \"\"}", "a=t:;" },
	{ "not an object", "[1]", "!" },
	{ "nothing", "", "!" },
	{ "cut in a text", "{\"a\": \"b", "!" },
	{ "cut behind a member", "{\"a\": 1", "a=n:1;!" },
	{ "cut in a tree", "{\"a\": [1, {\"b\"", "!" },
	{ "no comma", "{\"a\": 1 \"b\": 2}", "a=n:1;!" },
	{ "no colon", "{\"a\" 1}", "!" },
	{ "a word that is none", "{\"a\": yes}", "!" },
};

static void add_found(const struct json_member *member, struct buf *found)
{
	static const char kinds[] = { [JSON_KIND_TEXT] = 't',
				      [JSON_KIND_NUMBER] = 'n',
				      [JSON_KIND_BOOLEAN] = 'b',
				      [JSON_KIND_NULL] = '0',
				      [JSON_KIND_TREE] = 'j' };
	AUTO_BUF text = buf_with_ceiling(256);
	buf_add(found, member->name);
	buf_addf(found, "=%c:", kinds[member->kind]);
	if (member->kind != JSON_KIND_TEXT)
		buf_add(found, member->value);
	else if (json_walk_text(member->value, &text))
		buf_add(found, buf_view(&text));
	else
		buf_add(found, VIEW_LIT("?"));
	buf_add_byte(found, ';');
}

START_TEST(members_are_found)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF found = buf_with_ceiling(512);
			struct json_walk walk = json_walk_of(view_of(rows[i].json));
			struct json_member member;
			while (json_walk_next(&walk, &member))
				add_found(&member, &found);
			if (walk.is_broken)
				buf_add_byte(&found, '!');
			ck_assert_msg(view_eq(buf_view(&found), view_of(rows[i].found)), "%s: %s", rows[i].label,
				      buf_text(&found));
			ck_row(rows[i].label, !json_walk_next(&walk, &member));
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { members_are_found };
	return suite_of("json_walk", tests, ARRAY_LEN(tests));
}
