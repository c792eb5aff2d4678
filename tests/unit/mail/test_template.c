#include "mail/template.h"

#include <string.h>

#include "base/limits.h"
#include "mail/attributes.h"
#include "tests/support/unit.h"

enum { CEILING = 1 << 20 };

/* ---- the attributes as a source, a buf as a sink ---- */

static struct value field(void *context, const void *node, struct view name)
{
	return attributes_field(context, node, name);
}

static struct value item(void *context, const void *list, size_t index)
{
	return attributes_item(context, list, index);
}

static struct view number(void *context, const void *node)
{
	return attributes_number(context, node);
}

static enum err add_literal(void *context, size_t at, struct view text)
{
	(void)at;
	return buf_add(context, text);
}

static enum err add_value(void *context, struct view name, struct view text)
{
	(void)name;
	return buf_add(context, text);
}

static enum err compile(const char *source, enum template_slot slot, const char *known, struct template **ret_template,
			struct buf *why)
{
	struct view names[32], rest = view_of(known), name;
	size_t count = 0;
	while (view_cut(&rest, ' ', &name))
		names[count++] = name;
	return template_compile(view_of(source), slot, &(struct merge_names){ names, count }, ret_template, why);
}

static enum err render(const struct template *template, const char *json, struct buf *out, struct buf *why)
{
	struct attributes attributes = { 0 };
	struct template_source source = { &attributes, field, item, number };
	struct template_sink sink = { out, add_literal, add_value };
	AUTO_BUF scratch = buf_with_ceiling(CEILING);
	ck_assert(attributes_parse(&attributes, view_of(json), why) == ERR_OK);
	enum err err = template_render(template, &source, &sink, &scratch, why);
	attributes_done(&attributes);
	return err;
}

/* ---- what the Mustache specification asks of the subset, in rows of our own ---- */

struct row {
	const char *label, *template, *json, *expected;
};

#define KNOWN                                                                                                          \
	"a.b.c.d.e.f x.y s t n list.i.v list.name rows.cells.c.v bool other string number deep.er.name o.v "           \
	"First\u00a0Name"

static const struct row html_rows[] = {
	/* interpolation */
	{ "no tags", "Hello & goodbye", "{}", "Hello & goodbye" },
	{ "value", "Hello, {{s}}!", "{\"s\": \"world\"}", "Hello, world!" },
	{ "escaped", "{{s}}", "{\"s\": \"& < > \\\" '\"}", "&amp; &lt; &gt; &quot; &#39;" },
	{ "no second pass", "{{s}}", "{\"s\": \"{{t}} &amp;\", \"t\": \"x\"}", "{{t}} &amp;amp;" },
	{ "triple", "{{{s}}}", "{\"s\": \"<b>\"}", "<b>" },
	{ "ampersand", "{{&s}}", "{\"s\": \"<b>\"}", "<b>" },
	{ "integer", "{{n}} mph", "{\"n\": 85}", "85 mph" },
	{ "negative integer", "{{n}}", "{\"n\": -9223372036854775807}", "-9223372036854775807" },
	{ "decimal", "{{n}}", "{\"n\": 1.21}", "1.21" },
	{ "all digits", "{{n}}", "{\"n\": 0.1234567890123456}", "0.1234567890123456" },
	{ "huge integer", "{{n}}", "{\"n\": 100000000000000000000}", "1e+20" },
	{ "zero", "{{n}}", "{\"n\": 0}", "0" },
	{ "null", "I ({{s}}) am", "{\"s\": null}", "I () am" },
	{ "missing", "I ({{s}}) am", "{}", "I () am" },
	{ "booleans", "{{bool}} {{s}}", "{\"bool\": true, \"s\": false}", "true false" },
	{ "spaces in the tag", "| {{ s }} {{{ s }}} {{& s }} |", "{\"s\": \"v\"}", "| v v v |" },
	{ "tab and line end in the tag", "{{\ts\n}}", "{\"s\": \"v\"}", "v" },
	{ "spaces around stay", "  {{s}}\n", "{\"s\": \"v\"}", "  v\n" },
	{ "no-break space is part of a name", "{{First\u00a0Name}}", "{\"First\u00a0Name\": \"Jane\"}", "Jane" },
	/* dotted names */
	{ "dotted", "{{a.b}}", "{\"a\": {\"b\": \"v\"}}", "v" },
	{ "dotted, deep", "{{a.b.c.d.e.f}}", "{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":\"v\"}}}}}}", "v" },
	{ "dotted, broken chain", "({{a.b.c}})", "{\"a\": {}}", "()" },
	{ "dotted, first part decides", "{{#a}}({{x.y}}){{/a}}", "{\"a\": {\"x\": {}}, \"x\": {\"y\": \"no\"}}", "()" },
	{ "dotted, through a text", "({{a.b}})", "{\"a\": \"v\"}", "()" },
	/* implicit iterator */
	{ "items", "{{#list}}({{.}}){{/list}}", "{\"list\": [\"a\", 1, 2.5, true, \"<\"]}", "(a)(1)(2.5)(true)(&lt;)" },
	{ "raw items", "{{#list}}({{{.}}}){{/list}}", "{\"list\": [\"<\"]}", "(<)" },
	{ "items of items", "{{#list}}({{#.}}{{.}}{{/.}}){{/list}}", "{\"list\": [[1, 2], [3]]}", "(12)(3)" },
	/* sections */
	{ "true", "\"{{#bool}}yes{{/bool}}\"", "{\"bool\": true}", "\"yes\"" },
	{ "false", "\"{{#bool}}yes{{/bool}}\"", "{\"bool\": false}", "\"\"" },
	{ "null section", "\"{{#bool}}yes{{/bool}}\"", "{\"bool\": null}", "\"\"" },
	{ "missing section", "\"{{#bool}}yes{{/bool}}\"", "{}", "\"\"" },
	{ "empty string is false", "\"{{#s}}yes{{/s}}{{^s}}no{{/s}}\"", "{\"s\": \"\"}", "\"no\"" },
	{ "zero is a value", "{{#n}}{{n}}{{/n}}", "{\"n\": 0}", "0" },
	{ "object", "{{#o}}Hi {{v}}.{{/o}}", "{\"o\": {\"v\": \"Joe\"}}", "Hi Joe." },
	{ "outer names within", "{{#o}}{{v}}{{s}}{{/o}}", "{\"o\": {\"v\": \"1\"}, \"s\": \"2\"}", "12" },
	{ "inner hides outer", "{{#o}}{{v}}{{/o}}", "{\"o\": {\"v\": \"in\"}, \"v\": \"out\"}", "in" },
	{ "text as a section", "{{#string}}{{.}} is {{string}}{{/string}}", "{\"string\": \"v\"}", "v is v" },
	{ "list of objects", "{{#list}}{{name}};{{/list}}", "{\"list\": [{\"name\": 1}, {\"name\": 2}]}", "1;2;" },
	{ "empty list", "({{#list}}yes{{/list}})", "{\"list\": []}", "()" },
	{ "list of nothing", "{{#list}}.{{/list}}", "{\"list\": [null, false]}", ".." },
	{ "twice", "{{#bool}}1{{/bool}}{{#bool}}2{{/bool}}", "{\"bool\": true}", "12" },
	{ "nested", "{{#bool}}A{{#other}}B{{/other}}C{{/bool}}", "{\"bool\": true, \"other\": true}", "ABC" },
	{ "nested, inner false", "{{#bool}}A{{#other}}B{{/other}}C{{/bool}}", "{\"bool\": true}", "AC" },
	{ "the same nested", "{{#bool}}A{{#bool}}B{{/bool}}C{{/bool}}", "{\"bool\": true}", "ABC" },
	{ "dotted section", "{{#a.b}}yes{{/a.b}}", "{\"a\": {\"b\": true}}", "yes" },
	{ "spaces in section tags", "{{# bool }}={{/ bool }}", "{\"bool\": true}", "=" },
	{ "lists in lists", "{{#rows}}{{#cells}}{{#c}}{{v}}{{/c}}{{/cells}}/{{/rows}}",
	  "{\"rows\":[{\"cells\":[{\"c\":{\"v\":1}},{\"c\":{\"v\":2}}]},{\"cells\":[]}]}", "12//" },
	/* inverted */
	{ "inverted false", "{{^bool}}no{{/bool}}", "{\"bool\": false}", "no" },
	{ "inverted missing", "{{^bool}}no{{/bool}}", "{}", "no" },
	{ "inverted true", "({{^bool}}no{{/bool}})", "{\"bool\": true}", "()" },
	{ "inverted object", "({{^o}}no{{/o}})", "{\"o\": {}}", "()" },
	{ "inverted list", "({{^list}}no{{/list}})", "{\"list\": [1]}", "()" },
	{ "inverted empty list", "({{^list}}no{{/list}})", "{\"list\": []}", "(no)" },
	{ "section within inverted", "{{^bool}}{{#s}}{{.}}{{/s}}{{/bool}}", "{\"s\": \"v\"}", "v" },
	/* standalone lines */
	{ "standalone section", "| This\n{{#bool}}\n|\n{{/bool}}\n| is", "{\"bool\": true}", "| This\n|\n| is" },
	{ "standalone, indented", "| This\n  {{#bool}}\t\n|\n  {{/bool}}  \n| is", "{\"bool\": true}",
	  "| This\n|\n| is" },
	{ "standalone, CRLF", "|\r\n{{#bool}}\r\n{{/bool}}\r\n|", "{\"bool\": true}", "|\n|" },
	{ "standalone at the start", "  {{#bool}}\n#{{/bool}}\n/", "{\"bool\": true}", "#\n/" },
	{ "standalone at the end", "#{{#bool}}\n/\n  {{/bool}}", "{\"bool\": true}", "#\n/\n" },
	{ "standalone inverted", "a\n{{^bool}}\nb\n{{/bool}}\nc", "{}", "a\nb\nc" },
	{ "not standalone", " {{#bool}}a{{/bool}}\n", "{\"bool\": true}", " a\n" },
	{ "two on a line", " {{#bool}} {{/bool}} \n|", "{\"bool\": true}", "   \n|" },
	{ "a value is not standalone", "|\n  {{s}}\n|", "{\"s\": \"\"}", "|\n  \n|" },
	/* comments */
	{ "comment", "12345{{! a comment }}67890", "{}", "1234567890" },
	{ "comment of lines", "12345{{!\n  lines\n}}67890\n", "{}", "1234567890\n" },
	{ "standalone comment", "Begin.\n  {{! alone }}\nEnd.", "{}", "Begin.\nEnd." },
	{ "standalone comment of lines", "Begin.\n  {{!\n alone\n  }}\nEnd.", "{}", "Begin.\nEnd." },
	{ "comment in a line", "  12 {{! 34 }}\n", "{}", "  12 \n" },
	{ "comment that looks like a tag", "({{! {{nothing}})", "{}", "()" },
	/* defaults */
	{ "default for missing", "{{s|friend}}", "{}", "friend" },
	{ "default for empty", "{{s|friend}}", "{\"s\": \"\"}", "friend" },
	{ "default unused", "{{s|friend}}", "{\"s\": \"Jane\"}", "Jane" },
	{ "default with spaces", "{{ s | dear friend }}", "{}", "dear friend" },
	{ "default is escaped", "{{s|A & B}}{{{s|A & B}}}", "{}", "A &amp; BA & B" },
	{ "empty default", "({{s|}})", "{}", "()" },
	{ "default with a bar", "{{s|a|b}}", "{}", "a|b" },
	/* the text itself */
	{ "byte order mark", "\ufeff{{s}}", "{\"s\": \"v\"}", "v" },
	{ "lone braces", "{ s } }} { {", "{}", "{ s } }} { {" },
	{ "CR is a line end", "a\rb", "{}", "a\nb" },
};

static const struct row text_rows[] = {
	{ "not escaped", "{{s}}", "{\"s\": \"& < > \\\" '\"}", "& < > \" '" },
	{ "triple is the same", "{{{s}}}", "{\"s\": \"<b>\"}", "<b>" },
};

static void run_rows(const struct row *rows, size_t count, enum template_slot slot)
{
	for (size_t i = 0; i < count; i++) {
		struct template *template = NULL;
		AUTO_BUF out = buf_with_ceiling(CEILING);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		enum err err = compile(rows[i].template, slot, KNOWN, &template, &why);
		ck_assert_msg(err == ERR_OK, "%s: %s", rows[i].label, buf_text(&why));
		err = render(template, rows[i].json, &out, &why);
		ck_assert_msg(err == ERR_OK, "%s: %s", rows[i].label, buf_text(&why));
		ck_assert_msg(view_eq(buf_view(&out), view_of(rows[i].expected)), "%s: got \"%s\"", rows[i].label,
			      buf_text(&out));
		template_done(template);
	}
}

START_TEST(specification)
	{
		run_rows(html_rows, ARRAY_LEN(html_rows), TEMPLATE_HTML);
		run_rows(text_rows, ARRAY_LEN(text_rows), TEMPLATE_TEXT);
	}
END_TEST

/* ---- refusals ---- */

struct bad_row {
	const char *label, *template, *known, *why;
};

#define TEN_OPEN "{{#s}}{{#s}}{{#s}}{{#s}}{{#s}}{{#s}}{{#s}}{{#s}}{{#s}}{{#s}}"

static const struct bad_row bad_rows[] = {
	{ "misspelt", "Dear {{nmae}}", "name email",
	  "line 1, column 6: the field \"nmae\" is unknown; the nearest known one is \"name\"" },
	{ "wrong case", "{{Name}}", "name email", "the nearest known one is \"name\"" },
	{ "nothing near", "{{xylophone}}", "name email", "the field \"xylophone\" is unknown; known are name, email" },
	{ "nothing known", "{{x}}", "", "there are no fields here" },
	{ "second line", "a\nb {{x}}", "name", "line 2, column 3: " },
	{ "after CRLF", "a\r\nb\r\n{{x}}", "name", "line 3, column 1: " },
	{ "columns are characters", "\u00fc\u4f8b{{x}}", "name", "line 1, column 3: " },
	{ "unknown section", "{{#x}}{{/x}}", "name", "the field \"x\" is unknown" },
	{ "unknown with default", "{{x|y}}", "name", "the field \"x\" is unknown" },
	{ "unknown within a section", "{{#o}}{{sky}}{{/o}}", "o.sku", "the field \"sky\" is unknown" },
	{ "below a section, outside of it", "{{#o}}{{/o}}{{sku}}", "o.sku", "the field \"sku\" is unknown" },
	{ "inverted sections have no inside", "{{^o}}{{sku}}{{/o}}", "o.sku", "the field \"sku\" is unknown" },
	{ "unclosed tag", "Dear {{name", "name", "line 1, column 6: the tag that begins here is not closed; add }}" },
	{ "unclosed tag, another later", "Dear {{name\n and {{email}}", "name email",
	  "line 1, column 6: the tag that begins here is not closed" },
	{ "unclosed by one brace", "{{name} {{email}}", "name email",
	  "column 1: the tag that begins here is not closed" },
	{ "unclosed triple", "{{{name}}", "name", "is not closed; add }}}" },
	{ "unclosed comment", "a{{! b", "name", "column 2: the tag that begins here is not closed" },
	{ "unclosed section", "x\n {{#s}}y", "s", "line 2, column 2: the section \"s\" is not closed; add {{/s}}" },
	{ "unclosed inverted section", "{{^s}}y", "s", "the section \"s\" is not closed" },
	{ "closed twice", "{{#s}}{{/s}}{{/s}}", "s", "column 13: {{/s}} closes no section" },
	{ "closed across", "{{#s}}{{#t}}{{/s}}{{/t}}", "s t", "column 13: {{/s}} stands where {{/t}} is due" },
	{ "empty tag", "{{}}", "s", "the tag names no field" },
	{ "blank tag", "{{  }}", "s", "the tag names no field" },
	{ "empty section", "{{#}}{{/}}", "s", "the tag names no field" },
	{ "partial", "{{> header}}", "s", "partials are not supported" },
	{ "delimiters", "{{=<% %>=}}", "s", "the delimiters cannot be changed" },
	{ "parent", "{{<base}}{{/base}}", "s", "parent templates are not supported" },
	{ "block", "{{$title}}{{/title}}", "s", "blocks are not supported" },
	{ "item outside", "{{.}}", "s", "{{.}} stands in no section" },
	{ "leading dot", "{{.s}}", "s", "has a dot too many" },
	{ "trailing dot", "{{s.}}", "s", "has a dot too many" },
	{ "two dots", "{{s..t}}", "s.t", "has a dot too many" },
	{ "default in a section", "{{#s|x}}{{/s}}", "s", "a section takes no default" },
	{ "too deep", TEN_OPEN TEN_OPEN, "s", "more than 16 sections" },
	{ "Latin-1", "caf\xe9", "s", "not UTF-8" },
	{ "control character", "a\x01", "s", "line 1, column 2: the text holds the control character U+0001" },
};

START_TEST(refusals)
	{
		for (size_t i = 0; i < ARRAY_LEN(bad_rows); i++) {
			struct template *template = NULL;
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			enum err err = compile(bad_rows[i].template, TEMPLATE_HTML, bad_rows[i].known, &template, &why);
			ck_assert_msg(err == ERR_INVALID && template == NULL, "%s: accepted", bad_rows[i].label);
			ck_assert_msg(strstr(buf_text(&why), bad_rows[i].why) != NULL, "%s: %s", bad_rows[i].label,
				      buf_text(&why));
			ck_row(bad_rows[i].label, !view_has_control(buf_view(&why)));
		}
	}
END_TEST

START_TEST(nul_is_refused)
	{
		struct template *template = NULL;
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct merge_names none = { 0 };
		ck_assert(template_compile(VIEW_LIT("a\0b"), TEMPLATE_TEXT, &none, &template, &why) == ERR_INVALID);
		ck_assert(strstr(buf_text(&why), "U+0000") != NULL);
	}
END_TEST

START_TEST(structures_are_no_text)
	{
		static const struct bad_row rows[] = {
			{ "list", "{{s}}", "{\"s\": [1]}", "the field \"s\" is a list; use it as a section, {{#s}}" },
			{ "object", "{{s}}", "{\"s\": {}}", "the field \"s\" is an object" },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct template *template = NULL;
			AUTO_BUF out = buf_with_ceiling(CEILING);
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			ck_assert(compile(rows[i].template, TEMPLATE_TEXT, "s", &template, &why) == ERR_OK);
			ck_row(rows[i].label, render(template, rows[i].known, &out, &why) == ERR_INVALID);
			ck_assert_msg(strstr(buf_text(&why), rows[i].why) != NULL, "%s", buf_text(&why));
			template_done(template);
		}
	}
END_TEST

/* 200^3 turns that write nothing. */
START_TEST(endless_lists_end)
	{
		struct template *template = NULL;
		AUTO_BUF json = buf_with_ceiling(CEILING);
		AUTO_BUF out = buf_with_ceiling(CEILING);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		buf_add(&json, VIEW_LIT("{\"s\": ["));
		for (size_t i = 0; i < 200; i++)
			buf_add(&json, VIEW_LIT("1,"));
		buf_add(&json, VIEW_LIT("1]}"));
		ck_assert(compile("{{#s}}{{#s}}{{#s}}{{/s}}{{/s}}{{/s}}", TEMPLATE_TEXT, "s", &template, &why) ==
			  ERR_OK);
		ck_assert(render(template, buf_text(&json), &out, &why) == ERR_TOO_BIG);
		template_done(template);
	}
END_TEST

START_TEST(output_has_a_ceiling)
	{
		struct template *template = NULL;
		AUTO_BUF out = buf_with_ceiling(3);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert(compile("ab{{s}}", TEMPLATE_TEXT, "s", &template, &why) == ERR_OK);
		ck_assert(render(template, "{\"s\": \"cd\"}", &out, &why) == ERR_TOO_BIG);
		template_done(template);
	}
END_TEST

START_TEST(uses_and_literals)
	{
		struct template *template = NULL;
		struct template_use use;
		struct view text;
		size_t cursor = 0;
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert(compile("A{{s|x}}B{{#o}}{{v}}{{.}}{{/o}}C", TEMPLATE_TEXT, "s o.v", &template, &why) ==
			  ERR_OK);
		ck_assert(template_next_use(template, &cursor, &use) && use.has_default && !use.in_section);
		ck_view_eq(use.path, "s");
		ck_assert(template_next_use(template, &cursor, &use) && !use.has_default && use.in_section);
		ck_view_eq(use.path, "o");
		ck_assert(template_next_use(template, &cursor, &use) && use.in_section);
		ck_view_eq(use.path, "o.v");
		ck_assert(template_next_use(template, &cursor, &use) && use.in_section);
		ck_view_eq(use.path, "o");
		ck_assert(!template_next_use(template, &cursor, &use));
		cursor = 0;
		ck_assert_uint_eq(template_literal_count(template), 3);
		ck_assert(template_next_literal(template, &cursor, &text) && view_eq(text, VIEW_LIT("A")));
		ck_assert(template_next_literal(template, &cursor, &text) && view_eq(text, VIEW_LIT("B")));
		ck_assert(template_next_literal(template, &cursor, &text) && view_eq(text, VIEW_LIT("C")));
		ck_assert(!template_next_literal(template, &cursor, &text));
		template_done(template);
		template_done(NULL);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { specification,          refusals,          nul_is_refused,
				       structures_are_no_text, endless_lists_end, output_has_a_ceiling,
				       uses_and_literals };
	return suite_of("template", tests, ARRAY_LEN(tests));
}
