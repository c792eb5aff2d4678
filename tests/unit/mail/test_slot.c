#include "mail/slot_walk.h"

#include <string.h>

#include "base/limits.h"
#include "tests/support/rendering.h"
#include "tests/support/unit.h"

enum { CEILING = 1 << 20 };

#define KNOWN "v w x y unsubscribe"
#define ODD "{\"v\": \"a b/&<>\\\"'\u00e9:@?#%\"}"
#define ALONE "{{unsubscribe}} is a whole link and would not work here"
/* What becomes of ODD. */
#define ODD_HTML "a b/&amp;&lt;&gt;&quot;&#39;\u00e9:@?#%"
#define ODD_PART "a%20b%2F%26%3C%3E%22%27%C3%A9%3A%40%3F%23%25"
#define ODD_ADDRESS "a%20b%2F%26%3C%3E%22%27%C3%A9%3A@%3F%23%25"
#define ODD_TAIL "a%20b/&amp;%3C%3E%22%27%C3%A9:@?#%"

static const struct row {
	const char *label;
	enum slot_language language;
	const char *template, *json, *expected;
} rows[] = {
	{ "header", SLOT_PLAIN, "https://a/{{v}}", ODD, "https://a/a b/&<>\"'\u00e9:@?#%" },
	/* plain text */
	{ "text", SLOT_TEXT, "x {{v}} y", ODD, "x a b/&<>\"'\u00e9:@?#% y" },
	{ "text, part of a link", SLOT_TEXT, "see https://a.test/{{v}}", ODD, "see https://a.test/" ODD_PART },
	{ "text, part of a link in brackets", SLOT_TEXT, "see (http://a.test/?q={{v}}&z=1) {{w}}",
	  "{\"v\": \"1 2\", \"w\": \"3 4\"}", "see (http://a.test/?q=1%202&z=1) 3 4" },
	{ "text behind a link", SLOT_TEXT, "https://a.test {{v}}", "{\"v\": \"1 2\"}", "https://a.test 1 2" },
	{ "text, address", SLOT_TEXT, "<mailto:{{v}}>", ODD, "<mailto:" ODD_ADDRESS ">" },
	{ "text, tail", SLOT_TEXT, "https://a/{{{v}}}", "{\"v\": \"b/c?d=1&e=\u00e9 f\"}",
	  "https://a/b/c?d=1&e=%C3%A9%20f" },
	{ "text, whole link", SLOT_TEXT, "{{v}}", "{\"v\": \"javascript:x\"}", "javascript:x" },
	{ "text, no link", SLOT_TEXT, "xhttps://a/{{v}}", "{\"v\": \"1 2\"}", "xhttps://a/1 2" },
	/* HTML */
	{ "HTML text", SLOT_HTML, "<p>{{v}}</p>", ODD, "<p>" ODD_HTML "</p>" },
	{ "HTML text as it is", SLOT_HTML, "<p>{{{v}}}</p>", "{\"v\": \"<b>\"}", "<p><b></p>" },
	{ "link in HTML text", SLOT_HTML, "https://a/{{v}}", "{\"v\": \"1 2\"}", "https://a/1 2" },
	{ "a < b", SLOT_HTML, "1 < 2 {{v}} <3> {{v}}", "{\"v\": \"<\"}", "1 < 2 &lt; <3> &lt;" },
	{ "attribute", SLOT_HTML, "<p title=\"{{v}}\">", ODD, "<p title=\"" ODD_HTML "\">" },
	{ "attribute, single quotes", SLOT_HTML, "<p title='{{v}}'>", ODD, "<p title='" ODD_HTML "'>" },
	{ "attribute as it is, and yet one", SLOT_HTML, "<p title=\"{{{v}}}\">", ODD, "<p title=\"" ODD_HTML "\">" },
	{ "blanks around =", SLOT_HTML, "<P TITLE = \"{{v}}\"\n>", "{\"v\": \"<\"}", "<P TITLE = \"&lt;\"\n>" },
	{ "> in a value", SLOT_HTML, "<p title=\">\" alt=\"{{v}}\">{{{v}}}", "{\"v\": \"<\"}",
	  "<p title=\">\" alt=\"&lt;\"><" },
	{ "link, whole", SLOT_HTML, "<a href=\"{{v}}\">", "{\"v\": \"HTTPS://a/?b=1&c=\u00e9 \\\"d\"}",
	  "<a href=\"HTTPS://a/?b=1&amp;c=%C3%A9%20%22d\">" },
	{ "link, whole, mail", SLOT_HTML, "<a href=\" {{{v}}}\">", "{\"v\": \" mailto:a@b.test\"}",
	  "<a href=\" mailto:a@b.test\">" },
	{ "link, whole, empty", SLOT_HTML, "<a href=\"{{v}}\">", "{}", "<a href=\"\">" },
	{ "link, part", SLOT_HTML, "<a href='https://a/{{v}}'>", ODD, "<a href='https://a/" ODD_PART "'>" },
	{ "link, query", SLOT_HTML, "<img src=\"https://a?x={{v}}&y={{w}}\">", "{\"v\": \"1&2\", \"w\": \"=\"}",
	  "<img src=\"https://a?x=1%262&y=%3D\">" },
	{ "link, address", SLOT_HTML, "<a href=\"mailto:{{v}}\">", ODD, "<a href=\"mailto:" ODD_ADDRESS "\">" },
	{ "link, tail", SLOT_HTML, "<a href=\"https://a/{{{v}}}\">", ODD, "<a href=\"https://a/" ODD_TAIL "\">" },
	{ "link, no scheme of two values", SLOT_HTML, "<a href=\"{{v}}{{{w}}}\">", "{\"w\": \"javascript:1\"}",
	  "<a href=\"javascript%3A1\">" },
	{ "link, no scheme behind a head", SLOT_HTML, "<a href=\"java{{{v}}}\">", "{\"v\": \"script:1\"}",
	  "<a href=\"javascript%3A1\">" },
	{ "link, base and path", SLOT_HTML, "<a href=\"{{v}}/x?y={{w}}\">", "{\"v\": \"https://a\", \"w\": \"1 2\"}",
	  "<a href=\"https://a/x?y=1%202\">" },
	{ "a whole link alone", SLOT_HTML, "<a href=\" {{unsubscribe}}\n\">", "{\"unsubscribe\": \"mailto:a@b.test\"}",
	  "<a href=\" mailto:a@b.test\n\">" },
	{ "a whole link or another", SLOT_HTML, "<a href=\"{{#v}}{{unsubscribe}}{{/v}}{{^v}}https://a{{/v}}\">", "{}",
	  "<a href=\"https://a\">" },
	{ "a whole link as words", SLOT_HTML, "<p title=\"http://{{unsubscribe}}\">{{unsubscribe}}/x", "{}",
	  "<p title=\"http://\">/x" },
	{ "text, a whole link behind another", SLOT_TEXT, "(https://a.test) https://a.test\n{{unsubscribe}}.", "{}",
	  "(https://a.test) https://a.test\n." },
	{ "a scheme by references", SLOT_HTML, "<a href=\"&#104;ttps&colon;//a&sol;{{v}}?b=&{{v}}\">",
	  "{\"v\": \"1 2\"}", "<a href=\"&#104;ttps&colon;//a&sol;1%202?b=&1%202\">" },
	{ "a whole link behind a blank by reference", SLOT_HTML, "<a href=\"&#32;{{v}}\">", "{\"v\": \"http://a\"}",
	  "<a href=\"&#32;http://a\">" },
	{ "a description", SLOT_HTML, "<meta name=\"d\" content=\"{{v}}\"><p http-equiv=\"x\" content=\"{{v}}\">",
	  "{\"v\": \"<\"}", "<meta name=\"d\" content=\"&lt;\"><p http-equiv=\"x\" content=\"&lt;\">" },
	{ "style", SLOT_HTML, "<p style=\"width:{{v}}; color: {{w}}\">", "{\"v\": \"50%\", \"w\": \"#ff00aa\"}",
	  "<p style=\"width:50%; color: #ff00aa\">" },
	{ "title", SLOT_HTML, "<title>{{{v}}}</title>{{{v}}}", "{\"v\": \"</title>\"}",
	  "<title>&lt;/title&gt;</title></title>" },
	{ "behind style, script and comments", SLOT_HTML,
	  "<style>a<b{}</stylex></style ><script>'</p>'</script><!-- > --><!DOCTYPE x>{{v}}<!-->{{v}}",
	  "{\"v\": \"<\"}",
	  "<style>a<b{}</stylex></style ><script>'</p>'</script><!-- > --><!DOCTYPE x>&lt;<!-->&lt;" },
	{ "Outlook's comments", SLOT_HTML,
	  "<!--[if mso]><a href=\"{{v}}\">{{w}}</a><![endif]--><!--[if !mso]><!-->{{w}}<!--<![endif]-->",
	  "{\"v\": \"http://a\", \"w\": \"-->\"}",
	  "<!--[if mso]><a href=\"http://a\">--&gt;</a><![endif]--><!--[if !mso]><!-->--&gt;<!--<![endif]-->" },
	/* sections */
	{ "attributes in a section", SLOT_HTML, "<td{{#v}} class=\"{{v}}\"{{/v}} {{^v}}hidden{{/v}}>{{v}}",
	  "{\"v\": \"1\"}", "<td class=\"1\" >1" },
	{ "one link of two", SLOT_HTML, "<a href=\"{{#v}}https://a{{/v}}{{^v}}https://b{{/v}}/{{{w}}}\">",
	  "{\"w\": \"a:b c\"}", "<a href=\"https://b/a:b%20c\">" },
	{ "one of two values", SLOT_HTML, "<a href=\"{{#v}}{{v}}{{/v}}{{^v}}http://b{{/v}}\">", "{\"v\": \"http://a\"}",
	  "<a href=\"http://a\">" },
	{ "styles and comments in sections", SLOT_HTML, "<style>{{#v}}a{{/v}}</style><!--{{#v}}a{{/v}}-->", "{}",
	  "<style></style><!---->" },
	{ "text in sections, link outside", SLOT_TEXT, "http://a/{{#v}}b c{{/v}}{{w}}", "{\"w\": \"1 2\"}",
	  "http://a/1 2" },
};

START_TEST(values)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct template *template = NULL;
			AUTO_BUF out = buf_with_ceiling(CEILING);
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			enum err err = rendering_compile(rows[i].template, rows[i].language, KNOWN, &template, &why);
			ck_assert_msg(err == ERR_OK, "%s: %s", rows[i].label, buf_text(&why));
			err = rendering_render(template, rows[i].json, &out, &why);
			ck_assert_msg(err == ERR_OK, "%s: %s", rows[i].label, buf_text(&why));
			ck_assert_msg(view_eq(buf_view(&out), view_of(rows[i].expected)), "%s: got %s", rows[i].label,
				      buf_text(&out));
			template_done(template);
		}
	}
END_TEST

static const struct bad_row {
	const char *label, *template, *why;
	enum slot_language language;
} bad_rows[] = {
	{ "http:// before a whole link", "<p>\n<a href=\"http://{{unsubscribe}}\">", "line 2, column 17: " ALONE,
	  SLOT_HTML },
	{ "a path before a whole link", "<a href='https://a/{{{unsubscribe}}}'>", ALONE, SLOT_HTML },
	{ "mailto: before a whole link", "<a href=\"mailto:{{unsubscribe}}\">", ALONE, SLOT_HTML },
	{ "a field before a whole link", "<a href=\"{{v}}{{unsubscribe}}\">", ALONE, SLOT_HTML },
	{ "a path behind a whole link", "<a href=\"{{unsubscribe}}/x\">", "column 25: " ALONE, SLOT_HTML },
	{ "a field behind a whole link", "<a href=\"{{unsubscribe}}{{v}}\">", "column 25: " ALONE, SLOT_HTML },
	{ "behind a section with a whole link", "<a href=\"{{#v}}{{unsubscribe}}{{/v}}x\">", ALONE, SLOT_HTML },
	{ "text, http:// before a whole link", "a\nhttp://{{unsubscribe}}", "line 2, column 8: " ALONE, SLOT_TEXT },
	{ "text, mailto: before a whole link", "<mailto:{{unsubscribe}}>", ALONE, SLOT_TEXT },
	{ "style element", "<p>\n<STYLE>a { color: {{v}} }</STYLE>", "line 2, column 19: no field may stand in <style>",
	  SLOT_HTML },
	{ "script element", "<script>{{v}}</script>", "column 9: no field may stand in <style>, <script>", SLOT_HTML },
	{ "behind a false end", "<script></scriptx>{{v}}", "column 19: no field may stand in <style>", SLOT_HTML },
	{ "comment", "<!-- {{v}} -->", "column 6: no field may stand in a comment", SLOT_HTML },
	{ "comment that goes on", "<!-- -- > {{v}} -->", "no field may stand in a comment", SLOT_HTML },
	{ "comment with an arrow", "<!-- -> {{v}} -->", "no field may stand in a comment", SLOT_HTML },
	{ "condition", "<!--[if {{v}}]>", "no field may stand in a comment", SLOT_HTML },
	{ "doctype", "<!DOCTYPE {{v}}>", "no field may stand in a comment", SLOT_HTML },
	{ "tag name", "<{{v}}>", "column 2: behind < no field may stand", SLOT_HTML },
	{ "within a tag name", "<b{{v}}>", "no field may stand within a tag", SLOT_HTML },
	{ "end tag", "</b {{v}}>", "no field may stand within a tag", SLOT_HTML },
	{ "attribute name", "<p {{v}}=\"1\">", "column 4: no field may stand within a tag", SLOT_HTML },
	{ "behind an attribute", "<p a=\"1\"{{v}}>", "no field may stand within a tag", SLOT_HTML },
	{ "unquoted value", "<p a={{v}}>", "column 6: no field may stand in a value without quotes", SLOT_HTML },
	{ "in an unquoted value", "<a href=http://a/{{v}}>", "no field may stand in a value without quotes",
	  SLOT_HTML },
	{ "handler", "<p onclick=\"f('{{v}}')\">", "is run as a program", SLOT_HTML },
	{ "document", "<iframe srcdoc=\"{{v}}\">", "read as a document", SLOT_HTML },
	{ "javascript:", "<a href=\"JavaScript:f('{{v}}')\">", "no field may stand in such a link", SLOT_HTML },
	{ "data:", "<img src=\"data:image/png;base64,{{v}}\">", "no field may stand in such a link", SLOT_HTML },
	{ "javascript: by references", "<a href=\"&#106;ava&#x73;cript:f('{{v}}')\">",
	  "no field may stand in such a link", SLOT_HTML },
	{ "javascript: with a blank in it", "<a href=\"java\tscript:f('{{v}}')\">", "no field may stand in such a link",
	  SLOT_HTML },
	{ "javascript: with a reference to a line end", "<a href=\"java&NewLine;script&#10;:{{v}}\">",
	  "no field may stand in such a link", SLOT_HTML },
	{ "a reference to :", "<a href=\"javascript&colon;{{v}}\">", "no field may stand in such a link", SLOT_HTML },
	{ "a number without ;", "<a href=\"&#106avascript:{{v}}\">", "no field may stand in such a link", SLOT_HTML },
	{ "a control before it", "<a href=\"&#1;javascript:{{v}}\">", "no field may stand in such a link", SLOT_HTML },
	{ "vbscript:", "<a href=\"vb&#115;cript:{{v}}\">", "no field may stand in such a link", SLOT_HTML },
	{ "data: by references", "<img src=\"&#100;ata:image/png;base64,{{v}}\">", "no field may stand in such a link",
	  SLOT_HTML },
	{ "a reference that goes on", "<a href=\"&#10{{v}}avascript:x\">", "column 14: a character reference",
	  SLOT_HTML },
	{ "a named one that goes on", "<a href=\"javascript&col{{{v}}}\">", "a character reference", SLOT_HTML },
	{ "a section in a reference", "<a href=\"&#10{{#v}}6{{/v}};avascript:x\">", "a character reference",
	  SLOT_HTML },
	{ "a refresh", "<meta http-equiv=\"refresh\" content=\"0;url={{v}}\">",
	  "column 43: no field may stand in the content of a <meta http-equiv>", SLOT_HTML },
	{ "a refresh, the other way", "<meta content='0;url={{v}}' HTTP-EQUIV=refresh>",
	  "no field may stand in the content of a <meta http-equiv>", SLOT_HTML },
	{ "a refresh in one of two sections",
	  "<meta {{#v}}http-equiv=\"refresh\"{{/v}}{{^v}}name=\"d\"{{/v}} content=\"0;url={{v}}\">",
	  "of a <meta http-equiv>", SLOT_HTML },
	{ "a refresh in a section", "<META {{#v}}http-equiv=\"refresh\"{{/v}} content=\"0;url={{v}}\">",
	  "of a <meta http-equiv>", SLOT_HTML },
	{ "scheme of a value", "<a href=\"{{v}}:x\">", "column 15: a field cannot be a link's scheme", SLOT_HTML },
	{ "a scheme's end", "<a href=\"java{{v}}:x\">", "a field cannot be a link's scheme", SLOT_HTML },
	{ "beginning or middle", "<a href=\"{{#v}}http://a/{{/v}}{{w}}\">", "may begin the link or stand in its middle",
	  SLOT_HTML },
	{ "section out of a value", "<p title=\"{{#v}}\">{{/v}}", "column 19: the section that ends here leads from",
	  SLOT_HTML },
	{ "section into a comment", "{{#v}}<!--{{/v}}{{w}}", "the section that ends here leads from", SLOT_HTML },
	{ "section into style", "{{#v}}<style>{{/v}}", "the section that ends here leads from", SLOT_HTML },
	{ "section into another value", "<p a=\"{{#v}}\" href=\"{{/v}}\">", "the section that ends here leads from",
	  SLOT_HTML },
	{ "section of an unquoted value", "<p a={{#v}}1{{/v}}>", "no section may begin or end here", SLOT_HTML },
	{ "section of a name's half", "<st{{#v}} a{{/v}}yle>", "column 18: the tag's name goes on behind a merge tag",
	  SLOT_HTML },
	{ "section of an attribute's name", "<p {{#v}}a{{/v}}=\"1\">", "the = behind a section's tag", SLOT_HTML },
	{ "section behind <", "<{{#v}}b{{/v}}>", "no section may begin or end here", SLOT_HTML },
};

START_TEST(places_where_none_may_stand)
	{
		for (size_t i = 0; i < ARRAY_LEN(bad_rows); i++) {
			struct template *template = NULL;
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			enum err err =
			    rendering_compile(bad_rows[i].template, bad_rows[i].language, KNOWN, &template, &why);
			ck_assert_msg(err == ERR_INVALID && template == NULL, "%s: accepted", bad_rows[i].label);
			ck_assert_msg(strstr(buf_text(&why), bad_rows[i].why) != NULL, "%s: %s", bad_rows[i].label,
				      buf_text(&why));
		}
	}
END_TEST

START_TEST(values_that_cannot_stand)
	{
		static const struct {
			const char *template, *json;
		} bad[] = {
			{ "<a href=\"{{v}}\">", "{\"v\": \"javascript:alert(1)\"}" },
			{ "<a href=\"{{{v}}}\">", "{\"v\": \"java\\nscript:alert(1)\"}" },
			{ "<a href=\"{{v}}\">", "{\"v\": \"data:text/html,x\"}" },
			{ "<a href=\"{{v}}\">", "{\"v\": \"//evil.test\"}" },
			{ "<a href=\"{{v}}/x\">", "{\"v\": \"www.example.org\"}" },
			{ "<p style=\"color:{{v}}\">", "{\"v\": \"red;background:url(x)\"}" },
			{ "<p style=\"color:{{{v}}}\">", "{\"v\": \"\\\\22\"}" },
		};
		for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
			struct template *template = NULL;
			AUTO_BUF out = buf_with_ceiling(CEILING);
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			ck_assert(rendering_compile(bad[i].template, SLOT_HTML, KNOWN, &template, &why) == ERR_OK);
			ck_row(bad[i].json, rendering_render(template, bad[i].json, &out, &why) == ERR_INVALID);
			ck_row(bad[i].json,
			       strstr(buf_text(&why), "the field \"v\" cannot stand where it is used") != NULL);
			template_done(template);
		}
	}
END_TEST

/* Whatever octet a value holds, in links nothing stays that ends one, and in values nothing that ends those. */
START_TEST(each_octet)
	{
		for (int escape = ESCAPE_HTML; escape < ESCAPE_COUNT; escape++) {
			for (int octet = 0; octet < 256; octet++) {
				char text[] = { 'x', (char)octet, 'y' };
				struct view value = view_from(text, sizeof(text)), got = { 0 };
				const char *wish = NULL;
				AUTO_BUF scratch = buf_with_ceiling(CEILING);
				enum err err =
				    slot_escape_value((enum slot_escape)escape, value, &scratch, &got, &wish);
				ck_assert(err == ERR_OK || (err == ERR_INVALID && wish != NULL));
				if (err != ERR_OK)
					continue;
				static const char breaking[] = "\"'<>";
				for (size_t i = 0; i < got.len; i++) {
					ck_assert(strchr(breaking, got.data[i]) == NULL || got.data[i] == '\0');
					bool is_blank = got.data[i] == ' ' || got.data[i] == '\n';
					ck_assert(!is_blank || escape == ESCAPE_HTML || escape == ESCAPE_STYLE);
				}
			}
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { values, places_where_none_may_stand, values_that_cannot_stand, each_octet };
	return suite_of("slot", tests, ARRAY_LEN(tests));
}
