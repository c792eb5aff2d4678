#include "mail/layout.h"

#include "base/limits.h"
#include "mail/merge.h"
#include "mail/template.h"
#include "tests/support/unit.h"

#define SHOWN(subject) "{{! subject}}" subject "{{! /subject}}"
#define LINKED(subject) "{{! subject in a link}}" subject "{{! /subject}}"

static const struct row {
	const char *label, *layout, *subject, *preheader, *html;
	bool is_document;
} rows[] = {
	{ "content", "<a>{{{content}}}</a>", "s", "", "<a><p>{{x}}</p></a>", false },
	{ "content by ampersand", "{{&content}}", "s", "", "<p>{{x}}</p>", false },
	{ "subject", "{{{content}}}|{{subject}}", "Q&A <{{name|<b>}}>", "",
	  "<p>{{x}}</p>|" SHOWN("Q&amp;A &lt;{{name|<b>}}&gt;"), false },
	{ "subject is text", "{{{content}}}|{{{subject}}}", "{{{name}}} {{&city|\"x\"}}{{! no }}", "",
	  "<p>{{x}}</p>|" SHOWN("{{name}} {{city|\"x\"}}"), false },
	{ "braces of the subject's own", "{{{content}}}|{{subject}}", "a { b { {{x}}", "",
	  "<p>{{x}}</p>|" SHOWN("a &#123; b &#123; {{x}}"), false },
	{ "preheader", "{{#preheader}}\n<i>{{preheader}}</i>\n{{/preheader}}\n{{{content}}}", "s", "'p' {{x}}",
	  "<i>&#39;p&#39; {{x}}</i>\n<p>{{x}}</p>", false },
	{ "no preheader",
	  "a{{#preheader}}b{{#x}}{{preheader}}{{/x}}{{/preheader}}c{{^preheader}}d{{/preheader}}{{{content}}}", "s", "",
	  "acd<p>{{x}}</p>", false },
	{ "its default", "{{preheader|a & b &amp; c}}{{{content}}}", "s", "", "a &amp; b &amp; c<p>{{x}}</p>", false },
	{ "a subject's default is text", "{{{content}}}|{{subject}}", "{{name|A &amp; B & C}}", "",
	  "<p>{{x}}</p>|" SHOWN("{{name|A &amp;amp; B &amp; C}}"), false },
	{ "a brace behind a subject's tag", "{{{content}}}|{{subject}}", "a } {{x}} }", "",
	  "<p>{{x}}</p>|" SHOWN("a } {{x}} }"), false },
	{ "the rest stays", "{{#vip}}\n{{list.title}}\n{{/vip}}\n{{{content}}}{{! r }}{{unsubscribe}}", "s", "",
	  "{{#vip}}\n{{list.title}}\n{{/vip}}\n<p>{{x}}</p>{{unsubscribe}}", false },
	{ "in a link", "{{{content}}}<a href=\"https://x.test/?t={{subject}}&u\">", "Q&A #1 {{city|A & B}} 5%", "",
	  "<p>{{x}}</p><a href=\"https://x.test/?t=" LINKED("Q%26A%20%231%20{{city|A &amp; B}}%205%25") "&u\">",
	  false },
	{ "in a mailto: link", "{{{content}}}<a href='mailto:a@x.test?subject={{preheader|a b}}&body={{subject}}'>",
	  "\xc3\xa4{", "", "<p>{{x}}</p><a href='mailto:a@x.test?subject=a%20b&body=" LINKED("%C3%A4%7B") "'>", false },
	{ "in a value that is no link", "{{{content}}}<img alt=\"{{subject}}\">", "\"a\"", "",
	  "<p>{{x}}</p><img alt=\"" SHOWN("&quot;a&quot;") "\">", false },
	{ "in a link of a document", "<html><a href=\"https://x.test/{{subject}}\">", "a b", "",
	  "<html><a href=\"https://x.test/" LINKED("a%20b") "\">", true },
	{ "content behind a section", "{{#a}}x{{/a}}{{{content}}}", "s", "", "{{#a}}x{{/a}}<p>{{x}}</p>", false },
	{ "document", "<html>{{subject}}{{x}}</html>", "a&b", "", "<html>" SHOWN("a&amp;b") "{{x}}</html>", true },
};

static enum err fill(struct view layout, const char *subject, const char *preheader, bool is_document, struct buf *out,
		     struct buf *why)
{
	const struct layout_parts parts = { .content = VIEW_LIT("<p>{{x}}</p>"),
					    .subject = view_of(subject),
					    .preheader = view_of(preheader) };
	return is_document ? layout_fill_document(layout, &parts, out, why) : layout_fill(layout, &parts, out, why);
}

START_TEST(test_rows)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			const struct row *row = &rows[i];
			AUTO_BUF out = buf_with_ceiling(LIMIT_TEMPLATE);
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			ck_row(row->label, fill(view_of(row->layout), row->subject, row->preheader, row->is_document,
						&out, &why) == ERR_OK);
			ck_assert_msg(view_eq(buf_view(&out), view_of(row->html)), "%s: got %s", row->label,
				      buf_text(&out));
		}
	}
END_TEST

static const struct {
	const char *label, *html, *renewed;
	bool is_text;
} shown_rows[] = {
	{ "none", "<p>{{x}}{{! /}}", "<p>{{x}}{{! /}}", false },
	{ "one", "<title>" SHOWN("old {{x}}") "</title>", "<title>" SHOWN("a&amp;b {{y}}") "</title>", false },
	{ "two", SHOWN("old") "old" SHOWN(""), SHOWN("a&amp;b {{y}}") "old" SHOWN("a&amp;b {{y}}"), false },
	{ "one that only begins", "{{! subject}}<p>" SHOWN("old"), "{{! subject}}<p>" SHOWN("a&amp;b {{y}}"), false },
	{ "one that only ends", "<p>{{! /subject}}" SHOWN("old"), "<p>{{! /subject}}" SHOWN("a&amp;b {{y}}"), false },
	{ "of a link", "<a href=\"https://x.test/" LINKED("old") "\">" SHOWN("old"),
	  "<a href=\"https://x.test/" LINKED("a%26b%20{{y}}") "\">" SHOWN("a&amp;b {{y}}"), false },
	{ "in text", SHOWN("old") " (https://x.test/" LINKED("old") ")",
	  SHOWN("a&b {{y}}") " (https://x.test/" LINKED("a%26b%20{{y}}") ")", true },
	{ "one that does not end", "{{! subject}}<p>", "{{! subject}}<p>", false },
};

START_TEST(test_another_subject)
	{
		for (size_t i = 0; i < ARRAY_LEN(shown_rows); i++) {
			AUTO_BUF out = buf_with_ceiling(LIMIT_TEMPLATE);
			ck_row(shown_rows[i].label,
			       layout_renew_subject(view_of(shown_rows[i].html), !shown_rows[i].is_text,
						    VIEW_LIT("a&b {{y}}"), &out) == ERR_OK);
			ck_assert_msg(view_eq(buf_view(&out), view_of(shown_rows[i].renewed)), "%s: got %s",
				      shown_rows[i].label, buf_text(&out));
		}
	}
END_TEST

static const struct bad_row {
	const char *label, *layout, *preheader, *says;
	bool is_document;
} bad_rows[] = {
	{ "no content", "a", "", "line 1, column 1: {{{content}}} is missing", false },
	{ "content left out", "{{#preheader}}{{{content}}}{{/preheader}}", "", "is missing", false },
	{ "content twice", "{{{content}}}\n {{{content}}}", "", "line 2, column 2: ", false },
	{ "content in a section", "\n{{#x}}{{{content}}}{{/x}}", "",
	  "line 2, column 7: the content stands in a section, so that some readers would get no letter", false },
	{ "a link that begins with a subject", "{{{content}}}<a href=\"{{subject}}\">", "",
	  "a link cannot begin with a text", false },
	{ "content as text", "{{content}}", "", "line 1, column 1: the content is HTML already", false },
	{ "no place for the preheader", "{{{content}}}", "p", "{{preheader}}", false },
	{ "nor in a document", "<html>", "p", "{{preheader}}", true },
	{ "content in a value", "<p>\n<p title=\"{{{content}}}\">", "",
	  "line 2, column 11: the content is HTML and stands between elements only; move {{{content}}} there", false },
	{ "content in a tag", "<p {{{content}}}>", "", "the content is HTML and stands between", false },
	{ "content in a style", "<style>{{{content}}}</style>", "", "the content is HTML and stands between", false },
	{ "content in a title", "<title>{{{content}}}</title>", "", "the content is HTML and stands between", false },
	{ "content in a comment", "<!-- {{#x}}{{/x}} {{&content}} -->", "", "the content is HTML and stands between",
	  false },
	{ "content in a document", "<html>{{{content}}}", "", "line 1, column 7: ", true },
};

START_TEST(test_bad)
	{
		for (size_t i = 0; i < ARRAY_LEN(bad_rows); i++) {
			const struct bad_row *row = &bad_rows[i];
			AUTO_BUF out = buf_with_ceiling(LIMIT_TEMPLATE);
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			ck_row(row->label, fill(view_of(row->layout), "s", row->preheader, row->is_document, &out,
						&why) == ERR_INVALID);
			ck_assert_msg(view_find(buf_view(&why), view_of(row->says)) != VIEW_NONE, "%s: %s", row->label,
				      buf_text(&why));
			ck_row(row->label, out.len == 0);
		}
	}
END_TEST

START_TEST(test_check)
	{
		static const struct {
			const char *layout, *says; /* says NULL: good */
		} checks[] = {
			{ "{{{content}}} {{city}} {{list.title}} {{unsubscribe}} {{subject}} {{preheader}}", NULL },
			{ "{{{content}}}\n{{town}}", "line 2, column 1: the field \"town\" is unknown" },
			{ "{{#city}}{{{content}}}", "is not closed" },
			{ "a", "{{{content}}} is missing" },
		};
		const struct view attributes[] = { VIEW_LIT("city") };
		for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			enum err err = layout_check(view_of(checks[i].layout), attributes, 1, &why);
			ck_assert_msg((err == ERR_OK) == (checks[i].says == NULL), "%s: %s", checks[i].layout,
				      buf_text(&why));
			ck_assert(checks[i].says == NULL ||
				  view_find(buf_view(&why), view_of(checks[i].says)) != VIEW_NONE);
		}
	}
END_TEST

/* What the built-in one promises: it is good for any list, and its foot names the list and the way out. */
START_TEST(test_builtin)
	{
		AUTO_BUF out = buf_with_ceiling(LIMIT_TEMPLATE);
		AUTO_BUF names = buf_with_ceiling(LIMIT_TEMPLATE);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct merge_names known;
		struct template *template = NULL;
		const struct view attributes[] = { VIEW_LIT("x") };
		ck_assert(layout_check(layout_builtin(), NULL, 0, &why) == ERR_OK);
		ck_assert(fill(layout_builtin(), "S", "P", false, &out, &why) == ERR_OK);
		ck_assert(merge_known(attributes, 1, &names, &known) == ERR_OK);
		ck_assert(template_compile(buf_view(&out), SLOT_HTML, &known, &template, &why) == ERR_OK);
		template_done(template);
		static const char *const holds[] = { "<title>" SHOWN("S") "</title>",
						     "display:none",
						     ">P</div>",
						     "href=\"{{unsubscribe}}\"",
						     "{{list.title}}",
						     "prefers-color-scheme: dark",
						     "max-width:600px" };
		for (size_t i = 0; i < ARRAY_LEN(holds); i++)
			ck_assert_msg(view_find(buf_view(&out), view_of(holds[i])) != VIEW_NONE, "%s", holds[i]);
		ck_assert(view_find(buf_view(&out), VIEW_LIT("<img")) == VIEW_NONE);
		ck_assert(layout_is_document(layout_builtin()) && !layout_is_document(VIEW_LIT("<p>a</p>")));
	}
END_TEST

START_TEST(test_every_field)
	{
		for (size_t i = 0; i < 3; i++)
			ck_assert(layout_field(i).len > 0);
		ck_assert(layout_field(3).len == 0);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { test_rows,  test_another_subject, test_bad,
				       test_check, test_builtin,         test_every_field };
	return suite_of("layout", tests, ARRAY_LEN(tests));
}
