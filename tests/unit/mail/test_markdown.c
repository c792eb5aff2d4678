#include "mail/markdown.h"

#include "base/limits.h"
#include "mail/tag_cover.h"
#include "tests/support/unit.h"

static const struct row {
	const char *label, *source, *html;
	bool allow_html;
} rows[] = {
	{ "paragraph", "Hello *you*, **all**\n", "<p>Hello <em>you</em>, <strong>all</strong></p>\n", false },
	{ "strikethrough", "~~old~~\n", "<p><del>old</del></p>\n", false },
	{ "bare link", "see https://a.test/x\n", "<p>see <a href=\"https://a.test/x\">https://a.test/x</a></p>\n",
	  false },
	{ "table", "| a | b |\n|---|--:|\n| 1 | 2 |\n",
	  "<table>\n<thead>\n<tr>\n<th>a</th>\n<th align=\"right\">b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n"
	  "<td align=\"right\">2</td>\n</tr>\n</tbody>\n</table>\n",
	  false },
	{ "html is text", "a <b>c</b>\n\n<div>\n", "<p>a &lt;b&gt;c&lt;/b&gt;</p>\n<p>&lt;div&gt;</p>\n", false },
	{ "html is html", "a <b>c</b>\n", "<p>a <b>c</b></p>\n", true },
	/* fields */
	{ "field", "Dear {{name|*reader*}},\n", "<p>Dear {{name|*reader*}},</p>\n", false },
	{ "triple", "Dear {{{name}}} {{&name}}\n", "<p>Dear {{{name}}} {{&name}}</p>\n", false },
	{ "emphasised", "**{{name}}**, _{{city}}_ ~~{{x}}~~\n",
	  "<p><strong>{{name}}</strong>, <em>{{city}}</em> <del>{{x}}</del></p>\n", false },
	{ "target", "[here](https://a.test/{{id}}?a=b \"for {{name}}\")\n",
	  "<p><a href=\"https://a.test/{{id}}?a=b\" title=\"for {{name}}\">here</a></p>\n", false },
	{ "whole target", "[leave]({{unsubscribe}})\n", "<p><a href=\"{{unsubscribe}}\">leave</a></p>\n", false },
	{ "reference", "[a] [a]\n\n[a]: https://a.test/{{id}}\n",
	  "<p><a href=\"https://a.test/{{id}}\">a</a> <a href=\"https://a.test/{{id}}\">a</a></p>\n", false },
	{ "image", "![of {{name}}](https://a.test/{{id}}.png)\n",
	  "<p><img src=\"https://a.test/{{id}}.png\" alt=\"of {{name}}\"></p>\n", false },
	{ "bare link with field", "https://a.test/{{id}}\n",
	  "<p><a href=\"https://a.test/{{id}}\">https://a.test/{{id}}</a></p>\n", false },
	{ "code", "`{{name}}`\n\n```\n{{name}}\n```\n\n    {{name}}\n",
	  "<p><code>{{name}}</code></p>\n<pre><code>{{name}}\n</code></pre>\n<pre><code>{{name}}\n</code></pre>\n",
	  false },
	{ "heading", "# For {{name}}\n\n###### {{name}}\n", "<h1>For {{name}}</h1>\n<h6>{{name}}</h6>\n", false },
	{ "default with a bar and quotes", "{{name|a \"b\" <c> & d}}\n", "<p>{{name|a \"b\" <c> & d}}</p>\n", false },
	{ "ten and one", "{{a}}{{b}}{{a}}{{b}}{{a}}{{b}}{{a}}{{b}}{{a}}{{b}}{{name}}{{c}}\n",
	  "<p>{{a}}{{b}}{{a}}{{b}}{{a}}{{b}}{{a}}{{b}}{{a}}{{b}}{{name}}{{c}}</p>\n", false },
	{ "a word that covers", "vpqaq0z vpqbq0z {{name}}\n", "<p>vpqaq0z vpqbq0z {{name}}</p>\n", false },
	{ "remarks go", "a{{! no *x* }}b\n{{! a line }}\nc\n", "<p>ab\nc</p>\n", false },
	{ "braces of its own", "\\{\\{name}} {{name}} \\{`{`{{name}}\n",
	  "<p>&#123;{name}} {{name}} {<code>{</code>{{name}}</p>\n", false },
	{ "a brace behind a tag", "{{name}}\\} {{{name}}}`}`\n", "<p>{{name}}&#125; {{{name}}}<code>}</code></p>\n",
	  false },
	{ "a reference in a default", "{{name|Tom &amp; Jerry}}\n", "<p>{{name|Tom &amp; Jerry}}</p>\n", false },
	{ "a brace before a tag", "&#123;{{name}}\n", "<p>&#123;{{name}}</p>\n", false },
	/* sections */
	{ "inline section", "Hi{{#vip}} dear{{/vip}}!\n", "<p>Hi{{#vip}} dear{{/vip}}!</p>\n", false },
	{ "section between blocks", "{{#vip}}\n# A\n\nb\n{{/vip}}\nc\n",
	  "{{#vip}}\n<h1>A</h1>\n<p>b</p>\n{{/vip}}\n<p>c</p>\n", false },
	{ "section ends a paragraph", "a\n{{^vip}}\nb\n{{/vip}}\n", "<p>a</p>\n{{^vip}}\n<p>b</p>\n{{/vip}}\n", false },
	{ "section of items", "- a\n{{#l}}\n- {{.}}\n{{/l}}\n- c\n",
	  "<ul>\n<li>a</li>\n</ul>\n{{#l}}\n<ul>\n<li>{{.}}</li>\n</ul>\n{{/l}}\n<ul>\n<li>c</li>\n</ul>\n", false },
	{ "section in an item", "- a\n  {{#vip}}\n  b\n  {{/vip}}\n",
	  "<ul>\n<li>a\n{{#vip}}\nb\n{{/vip}}\n</li>\n</ul>\n", false },
	{ "section of rows", "| a |\n|---|\n{{#l}}\n| {{x}} |\n{{/l}}\n",
	  "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n<tbody>\n{{#l}}\n<tr>\n<td>{{x}}</td>\n</tr>\n{{/l}}\n"
	  "</tbody>\n</table>\n",
	  false },
	{ "section of rows with columns", "a | b\n:-:|---\n{{#l}}\n1 | 2\n{{/l}}\n",
	  "<table>\n<thead>\n<tr>\n<th align=\"center\">a</th>\n<th>b</th>\n</tr>\n</thead>\n<tbody>\n{{#l}}\n<tr>\n"
	  "<td align=\"center\">1</td>\n<td>2</td>\n</tr>\n{{/l}}\n</tbody>\n</table>\n",
	  false },
	{ "section around a table", "{{#l}}\n\n| a |\n|---|\n| 1 |\n\n{{/l}}\n",
	  "{{#l}}\n<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n</tr>\n</tbody>\n</"
	  "table>\n"
	  "{{/l}}\n",
	  false },
	{ "section in code", "```\na\n{{#l}}\nb\n{{/l}}\n```\n", "<pre><code>a\n{{#l}}\nb\n{{/l}}\n</code></pre>\n",
	  false },
	{ "section in html", "<div>\n{{#l}}\n<i>b</i>\n{{/l}}\n</div>\n", "<div>\n{{#l}}\n<i>b</i>\n{{/l}}\n</div>\n",
	  true },
	{ "not closed", "a {{name\n", "<p>a &#123;{name</p>\n", false },
	{ "empty", "", "", false },
};

START_TEST(test_rows)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF html = buf_with_ceiling(LIMIT_TEMPLATE);
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			enum err err = markdown_to_html(view_of(rows[i].source), rows[i].allow_html, &html, &why);
			ck_assert_msg(err == ERR_OK, "%s: %s", rows[i].label, buf_text(&why));
			ck_assert_msg(view_eq(buf_view(&html), view_of(rows[i].html)), "%s: got\n%s\nexpected\n%s",
				      rows[i].label, buf_text(&html), rows[i].html);
		}
	}
END_TEST

static const struct bad_row {
	const char *label, *source, *says;
} bad_rows[] = {
	{ "across emphasis", "a\n\n**b {{#vip}}c** d{{/vip}}\n", "line 3, column 18: the section" },
	{ "out of a table", "{{#vip}}\n\n| a |\n|---|\n| 1 |\n{{/vip}}\n", "line 6, column 1: the section" },
	{ "a way out that is none", "a\n\n[leave](http://{{unsubscribe}})\n", "line 3, column 16: {{unsubscribe}} is" },
	{ "a way out in an address", "a <mailto:a@b.c?body={{unsubscribe}}>\n",
	  "line 1, column 22: {{unsubscribe}} is" },
	{ "a way out with a tail, and more", "{{a}} [leave]({{unsubscribe}}/x) {{a}}\n",
	  "line 1, column 15: {{unsubscribe}} is" },
	{ "a way out with a tail at the end", "[leave]({{unsubscribe}}?x)\n", "line 1, column 9: {{unsubscribe}} is" },
	{ "into a list", "{{#vip}}\n- a {{/vip}}\n", "line 2, column 5: the section" },
};

START_TEST(test_bad)
	{
		for (size_t i = 0; i < ARRAY_LEN(bad_rows); i++) {
			AUTO_BUF html = buf_with_ceiling(LIMIT_TEMPLATE);
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			buf_add(&html, VIEW_LIT("before"));
			ck_row(bad_rows[i].label,
			       markdown_to_html(view_of(bad_rows[i].source), false, &html, &why) == ERR_INVALID);
			ck_assert_msg(view_starts(buf_view(&why), view_of(bad_rows[i].says)), "%s: %s",
				      bad_rows[i].label, buf_text(&why));
			ck_view_eq(buf_view(&html), "before");
		}
	}
END_TEST

static void fill(struct buf *out, const char *piece, size_t size)
{
	while (out->len < size)
		buf_add(out, view_of(piece));
}

/* Sources that would take long or make much. */
START_TEST(test_hostile)
	{
		static const struct {
			const char *label, *piece;
			size_t size;
			enum err err;
		} hostile[] = {
			{ "too long", "word\n", LIMIT_LETTER + 1, ERR_TOO_BIG },
			{ "a wide table", "|-", 1000, ERR_INVALID },
			{ "a long line", "word ", 20000, ERR_INVALID },
			{ "quotes in quotes", ">", 10000, ERR_OK },
			{ "brackets", "[", 10000, ERR_OK },
			{ "stars", "*a _b ", 10000, ERR_OK },
			{ "tags", "{{a}}\n", 60000, ERR_OK },
			{ "lines of sections", "{{#a}}\n", 60000, ERR_OK },
			{ "sections that end", "{{/a}}\n", 60000, ERR_OK },
			{ "rows", "|a|\n|-|\n{{#a}}\n|b|\n{{/a}}\n", 60000, ERR_OK },
		};
		for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
			AUTO_BUF source = buf_with_ceiling(LIMIT_TEMPLATE);
			AUTO_BUF html = buf_with_ceiling(LIMIT_TEMPLATE);
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			fill(&source, hostile[i].piece, hostile[i].size);
			enum err err = markdown_to_html(buf_view(&source), false, &html, &why);
			ck_assert_msg(err == hostile[i].err, "%s: %s %s", hostile[i].label, err_name(err),
				      buf_text(&why));
			ck_row(hostile[i].label, (err == ERR_OK) == (why.len == 0));
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { test_rows, test_bad, test_hostile };
	return suite_of("markdown", tests, ARRAY_LEN(tests));
}
