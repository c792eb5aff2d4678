#include "mail/html_letter.h"

#include "base/limits.h"
#include "tests/support/unit.h"

static const struct row {
	const char *label, *html, *text;
} rows[] = {
	{ "hidden after a property of a like name", "a<div style='x-display:block;display:none'>b</div>", "a\n" },
	{ "hidden and shown again", "a<span style='display:none;display:inline'>b</span>", "ab\n" },
	{ "words", "Hello   <b>you</b>\nall", "Hello you all\n" },
	{ "paragraphs", "<p>a</p><p>b</p>\n<div>c</div><div>d</div>", "a\n\nb\n\nc\nd\n" },
	{ "headings", "<h1>A b</h1><p>c</p><h2>D&auml;</h2>e<h3>F</h3>g",
	  "A b\n===\n\nc\n\nD\xc3\xa4\n--\n\ne\n\nF\n\ng\n" },
	{ "line break", "<p>See you,<br>the editors</p>", "See you,\nthe editors\n" },
	{ "list", "<p>x</p><ul><li>a<li>b</ul>y", "x\n\n- a\n- b\n\ny\n" },
	{ "numbered", "<ol start=9><li>a</li><li>b</li></ol>", "9. a\n10. b\n" },
	{ "list in a list", "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "- a\n  - b\n- c\n" },
	{ "item with paragraphs", "<ul><li><p>a</p><p>b</p></li></ul>", "- a\n\n  b\n" },
	{ "empty items", "<ul><li></li><li><ul><li>a</li></ul></li></ul>b", "- - a\n\nb\n" },
	{ "quotation", "<p>x</p><blockquote><p>a</p><p>b</p></blockquote><p>c</p>", "x\n\n> a\n>\n> b\n\nc\n" },
	{ "pre", "<pre>  a  b\n\tc\n</pre>", "  a  b\n\tc\n" },
	{ "rule", "a<hr>b", "a\n\n----------------------------------------\n\nb\n" },
	{ "link", "<a href=\"https://a.test/?b=1&amp;c=2\">here</a>.", "here (https://a.test/?b=1&c=2).\n" },
	{ "link that says itself", "<a href='https://a.test/'>a.test/</a> <a href='mailto:x@a.test'>x@a.test</a>",
	  "a.test/ x@a.test\n" },
	{ "link without a text", "a <a href='https://a.test/'><img src=x></a> b", "a https://a.test/ b\n" },
	{ "link to nowhere", "<a href='#top'>a</a> <a>b</a> <a href=''>c</a> <a href='JavaScript:x()'>d</a>",
	  "a b c d\n" },
	{ "link with blanks", "<a href='https://a.test/b c'>d</a>", "d (https://a.test/b%20c)\n" },
	{ "image", "<img src=x alt='A cat'> <img src=y> <img src=z alt=''>", "[A cat]\n" },
	{ "image that is a link", "<a href='https://a.test/'><img src=x alt='A cat'></a>",
	  "[A cat] (https://a.test/)\n" },
	{ "table", "<table><thead><tr><th>a<th>b</thead><tr><td>1<td>2<tr><td>3<td>4</table>",
	  "a | b\n-----\n1 | 2\n3 | 4\n" },
	{ "table for layout", "<table><tr><td><p>a</p></td><td><p>b</p></td></tr></table>", "a\n\nb\n" },
	{ "not shown",
	  "<head><title>t</title><style>s</style></head>a<script>x</script><!-- c --><div style='Display : "
	  "none'>d</div>",
	  "a\n" },
	{ "entities", "&lt;b&gt; &amp;amp; &copy; &euro; &#x1F600; &nosuch;",
	  "<b> &amp; \xc2\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 &nosuch;\n" },
	{ "controls", "a&#1;b&#127;c&#13;d", "abc d\n" },
	{ "charset of its own", "<meta charset=iso-8859-1><p>\xc3\xa4</p>", "\xc3\xa4\n" },
	{ "nothing closed", "<p>a<b>b<i>c<p>d", "abc\n\nd\n" },
	{ "lines of 74", "<p>aaaaaaaaaa bbbbbbbbbb cccccccccc dddddddddd eeeeeeeeee ffffffffff ggggggggg h</p>",
	  "aaaaaaaaaa bbbbbbbbbb cccccccccc dddddddddd eeeeeeeeee ffffffffff\nggggggggg h\n" },
	{ "characters, not octets",
	  "<p>\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4 bbbbbbbbbb cccccccccc "
	  "dddddddddd eeeeeeeeee "
	  "ffffffffff ggggggggg</p>",
	  "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4 bbbbbbbbbb cccccccccc dddddddddd "
	  "eeeeeeeeee "
	  "ffffffffff ggggggggg\n" },
	{ "struck out", "<p><del>50</del> 30 EUR, <s>a <b>b</b> </s>c, x<strike>y</strike>",
	  "~~50~~ 30 EUR, ~~a b~~ c, x~~y~~\n" },
	{ "struck and put in", "<del>50</del><ins>30</ins> (<del>a</del>)<del> </del><del></del>.",
	  "~~50~~ 30 (~~a~~) .\n" },
	{ "struck by style", "<span style=\"color:red;Text-Decoration: line-through\">50</span> 30", "~~50~~ 30\n" },
	{ "struck twice", "<del>a <s>b</s> c</del>", "~~a b c~~\n" },
	{ "struck lines", "<del>a<br>b</del>", "~~a~~\n~~b~~\n" },
	{ "struck blocks", "<del><p>a</p><p>b</p></del><p>c</p>", "~~a~~\n\n~~b~~\n\nc\n" },
	{ "struck items", "<ul><li><del>a</del></li><li>b</li></ul>", "- ~~a~~\n- b\n" },
	{ "struck fields", "<del>{{old}}</del> {{#x}}<del>a</del>{{/x}}", "~~{{old}}~~ {{#x}}~~a~~{{/x}}\n" },
	{ "struck link", "<del><a href='https://a.test/'>a</a></del>", "~~a (https://a.test/)~~\n" },
	{ "struck in pre", "<pre>a <del>50</del> 30\n10<sup>2</sup></pre>", "a ~~50~~ 30\n10\u00b2\n" },
	{ "superscript", "10<sup>2</sup> 10<sup>-3</sup> x<sup>n</sup> e<sup>2k</sup> a<sup>{{n}}</sup>",
	  "10\u00b2 10\u207b\u00b3 x\u207f e^(2k) a^({{n}})\n" },
	{ "ordinals and marks", "4<sup>th</sup> 1<sup>er</sup> A<sup>TM</sup> B<sup>&reg;</sup> c<sup></sup>",
	  "4th 1er ATM B\u00ae c\n" },
	{ "footnote", "a<sup><a href='#1'>12</a></sup>", "a\u00b9\u00b2\n" },
	{ "subscript", "H<sub>2</sub>O 10<sub>2</sub> x<sub>ij</sub> x<sub>k</sub>", "H\u2082O 10\u2082 x_(ij) x_k\n" },
	{ "superscript of one letter", "e<sup>x</sup>", "e^x\n" },
	/* tags */
	{ "field", "<p>Dear {{name|dear reader}}, {{{x}}}</p>", "Dear {{name|dear reader}}, {{{x}}}\n" },
	{ "field in a target", "<a href=\"https://a.test/{{id}}\">x</a> <a href='{{unsubscribe}}'>leave</a>",
	  "x (https://a.test/{{id}}) leave ({{unsubscribe}})\n" },
	{ "autolink with a field",
	  "<a href=\"https://a.test/{{id}}?b=1&amp;c={{x|d}}\">https://a.test/{{id}}?b=1&amp;c={{x|d}}</a>",
	  "https://a.test/{{id}}?b=1&c={{x|d}}\n" },
	{ "link to another field", "<a href=\"https://a.test/{{id}}\">https://a.test/{{name}}</a>",
	  "https://a.test/{{name}} (https://a.test/{{id}})\n" },
	{ "link to a program",
	  "<a href=\"&#106;ava&#10;script:x\">a</a> <a href=\"vbscript:x\">b</a> <a href=' data:x'>c</a>", "a b c\n" },
	{ "default with references", "{{name|Tom &amp; Jerry}} {{{x|a &#8364; &#123;}}}",
	  "{{name|Tom & Jerry}} {{{x|a \u20ac &#123;}}}\n" },
	{ "a brace behind a tag", "{{x}}&#125; {{{x}}}<b>}</b>", "{{x}} } {{{x}}} }\n" },
	{ "default with markup", "{{name|a <b> \"c\"}}", "{{name|a <b> \"c\"}}\n" },
	{ "a tag is not broken",
	  "<p>aaaaaaaaaa bbbbbbbbbb cccccccccc dddddddddd eeeeeeeeee ffffffff {{name|dear reader}}</p>",
	  "aaaaaaaaaa bbbbbbbbbb cccccccccc dddddddddd eeeeeeeeee ffffffff\n{{name|dear reader}}\n" },
	{ "a tag is as wide as its default",
	  "<p>aaaaaaaaaa bbbbbbbbbb cccccccccc dddddddddd eeeeeeeeee {{{x}}}{{#y}} {{name|dear youu}}{{/y}}</p>",
	  "aaaaaaaaaa bbbbbbbbbb cccccccccc dddddddddd eeeeeeeeee {{{x}}}{{#y}}\n{{name|dear youu}}{{/y}}\n" },
	{ "a section's tag has no width",
	  "<p>aaaaaaaaaa bbbbbbbbbb cccccccccc dddddddddd eeeeeeeeee {{#yyyyyyyyyyyy}}ffff{{/yyyyyyyyyyyy}} "
	  "{{name}}</p><h1>{{x|four}}</h1>",
	  "aaaaaaaaaa bbbbbbbbbb cccccccccc dddddddddd eeeeeeeeee {{#yyyyyyyyyyyy}}ffff{{/yyyyyyyyyyyy}} "
	  "{{name}}\n\n{{x|four}}\n====\n" },
	{ "inline section", "<p>a{{#vip}} b{{/vip}}</p>", "a{{#vip}} b{{/vip}}\n" },
	{ "section of blocks", "<p>a</p>\n{{#vip}}\n<p>b</p>\n{{/vip}}\n<p>c</p>",
	  "a\n\n{{#vip}}\nb\n\n{{/vip}}\nc\n" },
	{ "section of items", "<ul>{{#l}}<li>{{.}}</li>{{/l}}</ul>", "{{#l}}\n- {{.}}\n{{/l}}\n" },
	{ "section in a quotation", "<blockquote>\n{{#l}}\n<p>a</p>\n{{/l}}\n</blockquote>",
	  "{{#l}}\n> a\n>\n{{/l}}\n" },
	{ "section of rows", "<table><tr><th>a</table><table>{{#l}}<tr><td>{{x}}<td>b</tr>{{/l}}</table>",
	  "a\n\n{{#l}}\n{{x}} | b\n{{/l}}\n" },
	{ "remark", "a{{! b }}c", "ac\n" },
	{ "braces of its own", "&#123;{x}} {<b>{</b>y}} &#123;{{x}}", "{ {x}} { {y}} { {{x}}\n" },
	{ "a list that is a section", "<ul>{{#l}}<li>a</li>{{/l}}</ul><p>b</p>", "{{#l}}\n- a\n{{/l}}\n\nb\n" },
	{ "empty", " ", "" },
};

START_TEST(test_rows)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF text = buf_with_ceiling(LIMIT_TEMPLATE);
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			enum err err = html_letter_to_text(view_of(rows[i].html), &text, &why);
			ck_assert_msg(err == ERR_OK, "%s: %s", rows[i].label, buf_text(&why));
			ck_assert_msg(view_eq(buf_view(&text), view_of(rows[i].text)), "%s: got\n%s\nexpected\n%s",
				      rows[i].label, buf_text(&text), rows[i].text);
		}
	}
END_TEST

static void fill(struct buf *out, const char *piece, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_add(out, view_of(piece));
}

/* What would take long, nest deep or grow. */
START_TEST(test_hostile)
	{
		static const struct {
			const char *label, *piece;
			size_t count;
			enum err err;
		} hostile[] = {
			{ "nested", "<div>", 10000, ERR_INVALID },
			{ "nested lists", "<ul><li>", 10000, ERR_INVALID },
			{ "deep as can be", "<blockquote>a", 120, ERR_OK },
			{ "attributes", "<p a=b c=d e", 2000, ERR_INVALID },
			{ "brackets", "<<<<", 10000, ERR_OK },
			{ "comments", "<!--", 10000, ERR_OK },
			{ "entities", "&amp;&#0;&#xffffffff;&", 10000, ERR_OK },
			{ "doctypes",
			  "<!DOCTYPE x SYSTEM \"file:///etc/passwd\" [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>&e;",
			  10, ERR_OK },
			{ "tags", "{{a}}", 50000, ERR_OK },
			{ "tables", "<table><tr><td>", 40, ERR_OK },
		};
		for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
			AUTO_BUF html = buf_with_ceiling(LIMIT_TEMPLATE);
			AUTO_BUF text = buf_with_ceiling(LIMIT_TEMPLATE);
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			fill(&html, hostile[i].piece, hostile[i].count);
			enum err err = html_letter_to_text(buf_view(&html), &text, &why);
			ck_assert_msg(err == hostile[i].err, "%s: %s %s", hostile[i].label, err_name(err),
				      buf_text(&why));
			ck_row(hostile[i].label, (err == ERR_OK) == (why.len == 0) && (err == ERR_OK || text.len == 0));
			ck_row(hostile[i].label, view_is_utf8(buf_view(&text)) &&
						     view_find(buf_view(&text), VIEW_LIT("root:")) == VIEW_NONE);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { test_rows, test_hostile };
	return suite_of("html_letter", tests, ARRAY_LEN(tests));
}
