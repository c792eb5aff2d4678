#include "mail/template.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/limits.h"
#include "tests/support/rendering.h"
#include "tests/support/unit.h"

enum { CEILING = 1 << 20 };

/* ---- the Mustache specification, as far as the subset goes, in cases of our own ---- */

/* The paths of all that is in the data; the items of a list have its path. */
static void add_paths(const json_t *value, struct view path, struct buf *out)
{
	size_t index;
	const char *key;
	json_t *child;
	if (json_is_array(value)) {
		json_array_foreach(value, index, child) add_paths(child, path, out);
	}
	json_object_foreach((json_t *)(uintptr_t)value, key, child)
	{
		AUTO_BUF below = buf_with_ceiling(LIMIT_WHY);
		buf_addf(&below, VIEW_FMT "%s%s", VIEW_ARG(path), path.len > 0 ? "." : "", key);
		buf_addf(out, "%s%s", out->len > 0 ? " " : "", buf_text(&below));
		add_paths(child, buf_view(&below), out);
	}
}

static const char *text_of(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));
	ck_assert_msg(text != NULL, "a case without %s", key);
	return text;
}

static void run_case(const json_t *row)
{
	const char *name = text_of(row, "name");
	struct template *template = NULL;
	AUTO_BUF known = buf_with_ceiling(CEILING);
	AUTO_BUF out = buf_with_ceiling(CEILING);
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	size_t index;
	json_t *more;
	add_paths(json_object_get(row, "data"), VIEW_LIT(""), &known);
	json_array_foreach(json_object_get(row, "known"), index, more) buf_addf(&known, " %s", json_string_value(more));
	char *data = json_dumps(json_object_get(row, "data"), 0);
	enum err err = rendering_compile(text_of(row, "template"), SLOT_HTML, buf_text(&known), &template, &why);
	ck_assert_msg(err == ERR_OK, "%s: %s", name, buf_text(&why));
	err = rendering_render(template, data, &out, &why);
	ck_assert_msg(err == ERR_OK, "%s: %s", name, buf_text(&why));
	ck_assert_msg(view_eq(buf_view(&out), view_of(text_of(row, "expected"))), "%s: %s: got \"%s\"",
		      text_of(row, "of"), name, buf_text(&out));
	template_done(template);
	free(data);
}

START_TEST(specification)
	{
		json_error_t error;
		json_t *cases = json_load_file("tests/fixtures/templates/mustache.json", 0, &error);
		ck_assert_msg(cases != NULL, "line %d: %s", error.line, error.text);
		ck_assert_uint_gt(json_array_size(cases), 100);
		for (size_t i = 0; i < json_array_size(cases); i++)
			run_case(json_array_get(cases, i));
		json_decref(cases);
	}
END_TEST

/* ---- what the specification leaves open, and what is ours ---- */

struct row {
	const char *label, *template, *json, *expected;
};

#define KNOWN                                                                                                          \
	"a.b.c.d.e.f x.y s t n list.i.v list.name rows.cells.c.v bool other string number deep.er.name o.v "           \
	"First\u00a0Name"

static const struct row html_rows[] = {
	{ "spaces in the tag", "| {{ s }} {{{ s }}} {{& s }} |", "{\"s\": \"v\"}", "| v v v |" },
	{ "tab and line end in the tag", "{{\ts\n}}", "{\"s\": \"v\"}", "v" },
	{ "no-break space is part of a name", "{{First\u00a0Name}}", "{\"First\u00a0Name\": \"Jane\"}", "Jane" },
	{ "negative integer", "{{n}}", "{\"n\": -9223372036854775807}", "-9223372036854775807" },
	{ "all digits", "{{n}}", "{\"n\": 0.1234567890123456}", "0.1234567890123456" },
	{ "huge integer", "{{n}}", "{\"n\": 100000000000000000000}", "1e+20" },
	{ "zero", "{{n}}", "{\"n\": 0}", "0" },
	{ "zero is true", "{{#n}}{{n}}{{/n}}", "{\"n\": 0}", "0" },
	{ "empty string is false", "\"{{#s}}yes{{/s}}{{^s}}no{{/s}}\"", "{\"s\": \"\"}", "\"no\"" },
	{ "dotted, through a text", "({{a.b}})", "{\"a\": \"v\"}", "()" },
	{ "inner hides outer", "{{#o}}{{v}}{{/o}}", "{\"o\": {\"v\": \"in\"}, \"v\": \"out\"}", "in" },
	{ "list of nothing", "{{#list}}.{{/list}}", "{\"list\": [null, false]}", ".." },
	{ "lists in lists", "{{#rows}}{{#cells}}{{#c}}{{v}}{{/c}}{{/cells}}/{{/rows}}",
	  "{\"rows\":[{\"cells\":[{\"c\":{\"v\":1}},{\"c\":{\"v\":2}}]},{\"cells\":[]}]}", "12//" },
	{ "inverted empty object", "({{^o}}no{{/o}})", "{\"o\": {}}", "()" },
	{ "section within inverted", "{{^bool}}{{#s}}{{.}}{{/s}}{{/bool}}", "{\"s\": \"v\"}", "v" },
	{ "two on a line", " {{#bool}} {{/bool}} \n|", "{\"bool\": true}", "   \n|" },
	{ "comment that looks like a tag", "({{! {{nothing}})", "{}", "()" },
	{ "a brace behind a comment", "({{! x}}}{{!y}})", "{}", "(})" },
	/* defaults */
	{ "default for missing", "{{s|friend}}", "{}", "friend" },
	{ "default for empty", "{{s|friend}}", "{\"s\": \"\"}", "friend" },
	{ "default unused", "{{s|friend}}", "{\"s\": \"Jane\"}", "Jane" },
	{ "default with spaces", "{{ s | dear friend }}", "{}", "dear friend" },
	{ "default is escaped", "{{s|A & B}}{{{s|A & B}}}", "{}", "A &amp; BA & B" },
	{ "empty default", "({{s|}})", "{}", "()" },
	{ "default with a bar", "{{s|a|b}}", "{}", "a|b" },
	{ "default with references", "{{s|Tom &amp; Jerry}} {{s|&lt;b&gt;}}", "{}", "Tom &amp; Jerry &lt;b&gt;" },
	{ "default with a number", "{{s|caf&#233; &#x20ac; &eacute;}}", "{}", "caf\u00e9 \u20ac \u00e9" },
	{ "default with no reference", "{{s|A&B &nosuch; &#0; &#1;}}", "{}", "A&amp;B &amp;nosuch; &amp;#0; &amp;#1;" },
	{ "default that is HTML itself", "{{{s|A &amp; <b>B</b>}}}", "{}", "A &amp; <b>B</b>" },
	{ "default in a link", "<a href=\"https://a/?q={{s|b&amp;c}}\">", "{}", "<a href=\"https://a/?q=b%26c\">" },
	{ "default that is a link", "<a href=\"{{s|https://a/?b=1&amp;c=2}}\">", "{}",
	  "<a href=\"https://a/?b=1&amp;c=2\">" },
	{ "default in a value", "<p title=\"{{s|A &amp; B}}\">", "{}", "<p title=\"A &amp; B\">" },
	/* what editors put around a name */
	{ "no-break spaces around the name", "{{\u00a0s\u00a0}}", "{\"s\": \"v\"}", "v" },
	{ "the same as references", "{{&nbsp;s&#160;}} {{ s&nbsp; }}", "{\"s\": \"v\"}", "v v" },
	{ "zero-width spaces around the name", "{{\u200bs\ufeff|x}}", "{\"s\": \"v\"}", "v" },
	/* the text itself */
	{ "byte order mark", "\ufeff{{s}}", "{\"s\": \"v\"}", "v" },
	{ "lone braces", "{ s } }} { {", "{}", "{ s } }} { {" },
	{ "CR is a line end", "a\rb", "{}", "a\nb" },
};

static const struct row text_rows[] = {
	{ "not escaped", "{{s}}", "{\"s\": \"& < > \\\" '\"}", "& < > \" '" },
	{ "triple is the same", "{{{s}}}", "{\"s\": \"<b>\"}", "<b>" },
	{ "a default has no references", "{{s|Tom &amp; Jerry}}", "{}", "Tom &amp; Jerry" },
};

static void run_rows(const struct row *rows, size_t count, enum slot_language language)
{
	for (size_t i = 0; i < count; i++) {
		struct template *template = NULL;
		AUTO_BUF out = buf_with_ceiling(CEILING);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		enum err err = rendering_compile(rows[i].template, language, KNOWN, &template, &why);
		ck_assert_msg(err == ERR_OK, "%s: %s", rows[i].label, buf_text(&why));
		err = rendering_render(template, rows[i].json, &out, &why);
		ck_assert_msg(err == ERR_OK, "%s: %s", rows[i].label, buf_text(&why));
		ck_assert_msg(view_eq(buf_view(&out), view_of(rows[i].expected)), "%s: got \"%s\"", rows[i].label,
			      buf_text(&out));
		template_done(template);
	}
}

START_TEST(beyond_the_specification)
	{
		run_rows(html_rows, ARRAY_LEN(html_rows), SLOT_HTML);
		run_rows(text_rows, ARRAY_LEN(text_rows), SLOT_TEXT);
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
	{ "Handlebars' if", "{{#if vip}}x{{/if}}", "vip", "line 1, column 1: \"if vip\" is no field; here {{#field}}" },
	{ "Handlebars' else", "{{#vip}}x{{else}}y{{/vip}}", "vip", "\"else\" is no field; here {{/field}}{{^field}}" },
	{ "a choice", "{{name or 'you'}}", "name", "stands behind a |: {{field|text}}" },
	{ "nothing near", "{{xylophone}}", "name email", "the field \"xylophone\" is unknown; known are name, email" },
	{ "half of it is another", "{{size}}", "city email", "known are city, email" },
	{ "nothing known", "{{x}}", "", "there are no fields here" },
	{ "second line", "a\nb {{x}}", "name", "line 2, column 3: " },
	{ "a tag as default", "Hi\n {{name|{{email}}}}", "name email",
	  "line 2, column 9: the text behind | holds a brace; another field takes the place of \"name\" as "
	  "{{#name}}{{name}}{{/name}}{{^name}}...{{/name}}" },
	{ "a brace in a default", "{{name|a } b}}", "name", "line 1, column 10: the text behind | holds a brace" },
	{ "a default that is no link", "<a href=\"{{name|www.example.org}}\">", "name",
	  "line 1, column 10: the text behind | cannot stand here: it begins a link" },
	{ "a default that is a script", "<a href=\"{{name|javascript:x}}\">", "name", "cannot stand here" },
	{ "a default that no style has", "<p style=\"color:{{name|a(b)}}\">", "name", "cannot stand here" },
	{ "a brace too many", "Hi\n{{name}}} x", "name",
	  "line 2, column 9: a } too many stands behind {{name}}; remove it, or put a blank before it" },
	{ "four braces", "{{{name}}}}", "name", "line 1, column 11: a } too many stands behind {{{name}}}; " },
	{ "a brace behind a section's tag", "{{#name}}}{{/name}}", "name", "line 1, column 10: a } too many" },
	{ "HTML in a tag", "a\n{{ na<span lang=\"de\">me</span> }}", "name",
	  "line 2, column 1: formatting (HTML) stands inside the tag, as it comes by pasting; type the tag anew, in "
	  "one piece: "
	  "{{name}}" },
	{ "much HTML in a tag",
	  "{{<span\nstyle=\"mso-bidi-font-weight:normal;mso-ansi-language:DE;font-family:Calibri;color:black;mso-"
	  "fareast-font-"
	  "family:Calibri\">name</span>}}",
	  "name", "line 1, column 1: formatting (HTML) stands inside the tag" },
	{ "HTML in a section's tag", "{{#na<b>me</b>}}{{/name}}", "name",
	  "type the tag anew, in one piece: {{#name}}" },
	{ "a zero-width space in a name", "{{na\u200bme}}", "name",
	  "line 1, column 1: the tag holds the invisible character U+200B, as it comes by pasting; type the tag anew: "
	  "{{name}}" },
	{ "a no-break space in a name", "{{first\u00a0name}}", "first_name name",
	  "the tag holds the invisible character U+00A0, as it comes by pasting; type the tag anew: {{first name}}" },
	{ "a reference in a name", "{{first&nbsp;name}}", "first_name name", "the invisible character U+00A0" },
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
			enum err err =
			    rendering_compile(bad_rows[i].template, SLOT_HTML, bad_rows[i].known, &template, &why);
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
		ck_assert(template_compile(VIEW_LIT("a\0b"), SLOT_TEXT, &none, &template, &why) == ERR_INVALID);
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
			ck_assert(rendering_compile(rows[i].template, SLOT_TEXT, "s", &template, &why) == ERR_OK);
			ck_row(rows[i].label, rendering_render(template, rows[i].known, &out, &why) == ERR_INVALID);
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
		ck_assert(rendering_compile("{{#s}}{{#s}}{{#s}}{{/s}}{{/s}}{{/s}}", SLOT_TEXT, "s", &template, &why) ==
			  ERR_OK);
		ck_assert(rendering_render(template, buf_text(&json), &out, &why) == ERR_TOO_BIG);
		template_done(template);
	}
END_TEST

START_TEST(output_has_a_ceiling)
	{
		struct template *template = NULL;
		AUTO_BUF out = buf_with_ceiling(3);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert(rendering_compile("ab{{s}}", SLOT_TEXT, "s", &template, &why) == ERR_OK);
		ck_assert(rendering_render(template, "{\"s\": \"cd\"}", &out, &why) == ERR_TOO_BIG);
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
		ck_assert(rendering_compile("A{{s|x}}B{{#o}}{{v}}{{.}}{{/o}}C", SLOT_TEXT, "s o.v", &template, &why) ==
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
	const TTest *const tests[] = { specification,        beyond_the_specification, refusals,
				       nul_is_refused,       structures_are_no_text,   endless_lists_end,
				       output_has_a_ceiling, uses_and_literals };
	return suite_of("template", tests, ARRAY_LEN(tests));
}
