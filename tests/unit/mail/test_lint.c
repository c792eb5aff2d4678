#include "mail/lint.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "mail/lint_html.h"
#include "mail/mailbox_provider.h"
#include "mail/org_domain.h"
#include "mail/way_out.h"
#include "tests/support/unit.h"

#define WORDS "a reader reads these words of the letter and likes them since there are enough of them here "
#define GOOD_HTML                                                                                                      \
	"<p>" WORDS WORDS WORDS "</p><p><a href=\"https://example.org/a?b={{name}}\">more</a> <a "                     \
	"href=\"{{unsubscribe}}\">leave</a> <img src=\"https://example.org/i.png\" alt=\"\"></p>"
#define GOOD_TEXT WORDS "{{unsubscribe}}\n"

static const struct lint_gap no_gap = { { "city", 4 }, 0 }, some_gap = { { "city", 4 }, 3 },
			     all_gap = { { "city", 4 }, 10 };

static struct lint_letter good(void)
{
	return (struct lint_letter){
		.subject = VIEW_LIT("News of November"),
		.text_body = VIEW_LIT(GOOD_TEXT),
		.html_body = VIEW_LIT(GOOD_HTML),
		.from_domain = VIEW_LIT("news.example.org"),
		.bounce_domain = VIEW_LIT("bounce.example.org"),
		.dkim_domain = VIEW_LIT("example.org"),
		.signing_known = true,
		.has_web = true,
		.message_size = 5000,
		.readers = 10,
		.gaps = &no_gap,
		.gap_count = 1,
	};
}

static const struct attachment logo = { { "our logo.png", 12 }, { "image/png", 9 }, { "file1.0@x", 9 }, { "x", 1 } };
static struct buf large;

static void set_html(struct lint_letter *letter, struct view html)
{
	letter->html_body = html;
}

static void from_provider(struct lint_letter *l)
{
	l->from_domain = VIEW_LIT("GMail.com");
}
static void from_provider_unsigned(struct lint_letter *l)
{
	l->from_domain = VIEW_LIT("yahoo.co.uk");
	l->dkim_domain = VIEW_LIT("");
}
static void dkim_unaligned(struct lint_letter *l)
{
	l->dkim_domain = VIEW_LIT("relay.example.net");
}
static void not_signed(struct lint_letter *l)
{
	l->dkim_domain = VIEW_LIT("");
}
static void bounce_unaligned(struct lint_letter *l)
{
	l->bounce_domain = VIEW_LIT("bounce.example.net");
}
static void bounce_below_another_suffix(struct lint_letter *l)
{
	l->from_domain = l->dkim_domain = VIEW_LIT("a.co.uk");
	l->bounce_domain = VIEW_LIT("b.co.uk");
}
static void no_web(struct lint_letter *l)
{
	l->has_web = false;
}
static void priority(struct lint_letter *l)
{
	l->list_headers = VIEW_LIT("X-A: b\nx-priority: 1\n");
}
static void long_subject(struct lint_letter *l)
{
	l->subject =
	    VIEW_LIT("{{name}}, this \u00fcber subject goes on and on and on, and on and on, until nobody reads it");
}
static void capitals(struct lint_letter *l)
{
	l->subject = VIEW_LIT("BUY THIS NOW {{name|dear friend of ours}}");
}
static void marks(struct lint_letter *l)
{
	l->subject = VIEW_LIT("News!!");
}
static void answer(struct lint_letter *l)
{
	l->subject = VIEW_LIT("RE: your order");
}
static void no_way_out_of_text(struct lint_letter *l)
{
	l->text_body = VIEW_LIT(WORDS);
}
static void no_way_out_of_html(struct lint_letter *l)
{
	set_html(l, VIEW_LIT("<p>" WORDS WORDS WORDS));
}
static void bare_way_out(struct lint_letter *l)
{
	set_html(l, VIEW_LIT("<p>" WORDS WORDS WORDS "<p>To leave: {{unsubscribe}}"));
}
static void no_way_out(struct lint_letter *l)
{
	no_way_out_of_text(l);
	no_way_out_of_html(l);
}
static void foreign_tags(struct lint_letter *l)
{
	l->subject = VIEW_LIT("News for [[name]]");
	l->text_body = VIEW_LIT("Dear\n*|FNAME|* [[name]], [[name]] *|CITY|* *|LNAME|* " GOOD_TEXT);
}
static void misplaced_tags(struct lint_letter *l)
{
	l->from_name = VIEW_LIT("*|LIST:COMPANY|*");
	l->list_title = VIEW_LIT("News for [[name]]");
	l->list_headers = VIEW_LIT("X-Reader: %%email%%\n");
}
static void program_elsewhere(struct lint_letter *l)
{
	set_html(l, VIEW_LIT(GOOD_HTML "<table background=\" java&#10;script:x\"><tr><td>x</table>"));
}
static void hidden_programs(struct lint_letter *l)
{
	set_html(l,
		 VIEW_LIT(GOOD_HTML
			  "<a href=\"&#106;avascript:x\">x</a><a href=\"java\tscript:x\">x</a><a href=\"data:x\">x</a>"
			  "<area href=\"VBScript&#58;x\">"));
}
static void hidden_refresh(struct lint_letter *l)
{
	set_html(l, VIEW_LIT(GOOD_HTML "<META HTTP-EQUIV=refresh content='0;url=https://a.test/'>"));
}
static void empty_text(struct lint_letter *l)
{
	l->text_body = VIEW_LIT("see the HTML {{unsubscribe}}");
}
static void no_html(struct lint_letter *l)
{
	set_html(l, VIEW_LIT(""));
}
static void broken_link(struct lint_letter *l)
{
	set_html(l, VIEW_LIT(GOOD_HTML "<a href=\"www.example.org/\x1b[31m\">x</a>"));
}
static void broken_links(struct lint_letter *l)
{
	set_html(l, VIEW_LIT(GOOD_HTML "<a href=a>x</a><a href=b>x</a><a href=c>x</a><a href=d>x</a><a href=e>x</a>"));
}
static void misleading_link(struct lint_letter *l)
{
	set_html(l, VIEW_LIT(GOOD_HTML "<a href=\"https://evil.test/\">https://www.bank.example/</a>"));
}
static void shortened_link(struct lint_letter *l)
{
	set_html(l, VIEW_LIT(GOOD_HTML "<a href=\"https://bit.ly/x\">x</a>"));
}
static void no_alt(struct lint_letter *l)
{
	set_html(l, VIEW_LIT(GOOD_HTML "<img src=\"cid:file1.0@x\">"));
	l->files = &logo;
	l->file_count = 1;
}
static void image_of_no_file(struct lint_letter *l)
{
	no_alt(l);
	set_html(l, VIEW_LIT(GOOD_HTML "<img alt=\"\" src=\"cid:file1.1@x\">"));
}
static void shown_markup(struct lint_letter *l)
{
	set_html(l,
		 VIEW_LIT(GOOD_HTML "<p>a &lt;br> &lt;/B&gt; &lt;a href=x>; 1 &lt; 2 &lt;3 &lt;be> <code>&lt;b></code>"
				    "<pre>&lt;p></pre>[shop](<a href=\"https://a.test/\">https://a.test/my</a> page)"));
}
static void local_srcset(struct lint_letter *l)
{
	set_html(l, VIEW_LIT(GOOD_HTML "<picture><source srcset=\"https://a.test/a.png 2x, b.png\"></picture>"));
}
static void data_image(struct lint_letter *l)
{
	set_html(l, VIEW_LIT(GOOD_HTML "<img alt=\"x\" src=\"data:image/png;base64,AAAA\">"));
}
static void images_alone(struct lint_letter *l)
{
	set_html(
	    l, VIEW_LIT("<img alt=\"all of it\" src=\"https://example.org/i.png\"><a href=\"{{unsubscribe}}\">x</a>"));
}
static void script(struct lint_letter *l)
{
	set_html(l, VIEW_LIT(GOOD_HTML "<script>alert(1)</script>"));
}
static void handler(struct lint_letter *l)
{
	set_html(l, VIEW_LIT(GOOD_HTML "<p ONCLICK=\"f()\" title=\"on\">x</p>"));
}
static void refresh(struct lint_letter *l)
{
	set_html(l, VIEW_LIT("<meta http-equiv=\"Refresh\" content=\"0; url=https://a.test/\">" GOOD_HTML));
}
static void large_html(struct lint_letter *l)
{
	buf_reset(&large);
	buf_add(&large, VIEW_LIT(GOOD_HTML));
	while (large.len <= 102 * 1024)
		buf_add(&large, VIEW_LIT("<p>" WORDS "</p>\n"));
	set_html(l, buf_view(&large));
}
static void large_message(struct lint_letter *l)
{
	l->message_size = (1 << 20) + 1;
	l->largest_reader = VIEW_LIT("ann@a.test");
	l->tried = 8;
}
static void large_copy(struct lint_letter *l)
{
	l->html_size = 120 << 10;
	l->largest_reader = VIEW_LIT("ann@a.test");
	l->tried = 10;
}
static void nobody(struct lint_letter *l)
{
	l->readers = 0;
}
static void some_skipped(struct lint_letter *l)
{
	l->tried = 8;
	l->skipped = 3;
	l->skipped_reader = VIEW_LIT("a@b.test");
	l->skipped_why = VIEW_LIT("x");
}
static void all_skipped(struct lint_letter *l)
{
	l->tried = l->skipped = 10;
}
static void gaps(struct lint_letter *l)
{
	l->gaps = &some_gap;
}
static void gap_of_all(struct lint_letter *l)
{
	l->gaps = &all_gap;
}

struct row {
	const char *label;
	void (*spoil)(struct lint_letter *letter);
	const char *code, *text;
	enum lint_severity severity;
};

static const struct row rows[] = {
	{ "a mailbox provider", from_provider, "from-provider", "at GMail.com, which only its provider can sign for",
	  LINT_ERROR },
	{ "its signature", from_provider_unsigned, "from-provider", "yahoo.co.uk", LINT_ERROR },
	{ "another's signature", dkim_unaligned, "dkim-unaligned", "relay.example.net", LINT_ERROR },
	{ "no signature", not_signed, "unsigned", "news.example.org", LINT_WARNING },
	{ "another's bounce domain", bounce_unaligned, "bounce-unaligned", "bounce.example.net", LINT_WARNING },
	{ "alike by a public suffix", bounce_below_another_suffix, "bounce-unaligned", "b.co.uk", LINT_WARNING },
	{ "no one-click", no_web, "one-click-missing", "8058", LINT_NOTE },
	{ "urgent", priority, "header-spammy", "X-Priority", LINT_WARNING },
	{ "long", long_subject, "subject-long", "80 characters", LINT_WARNING },
	{ "capitals", capitals, "subject-shouts", "capitals", LINT_WARNING },
	{ "exclamation marks", marks, "subject-shouts", "\"!!\"", LINT_WARNING },
	{ "an answer to nothing", answer, "subject-answers", "Re:", LINT_WARNING },
	{ "no way out of the text", no_way_out_of_text, "unsubscribe-missing", "the text has no", LINT_ERROR },
	{ "no way out of the HTML", no_way_out_of_html, "unsubscribe-missing", "the HTML has no", LINT_ERROR },
	{ "a way out that is no link", bare_way_out, "unsubscribe-bare", "as a text", LINT_WARNING },
	{ "no way out at all", no_way_out, "unsubscribe-missing", "neither text nor HTML has {{unsubscribe}}",
	  LINT_ERROR },
	{ "tags of other programs", foreign_tags, "tag-foreign",
	  "[[name]] in line 1 of the subject, for which write {{name}}; *|FNAME|* in line 2 of the text, for which "
	  "write "
	  "{{first_name}}; *|CITY|* in line 2 of the text, for which write {{city}}; and 1 more",
	  LINT_WARNING },
	{ "tags where none can stand", misplaced_tags, "tag-foreign",
	  "*|LIST:COMPANY|* in the sender's name, which takes no field; [[name]] in the list's title, which takes no "
	  "field; "
	  "%%email%% in the list's header fields, which takes no field",
	  LINT_WARNING },
	{ "programs as links", hidden_programs, "link-broken", "\"javascript:x\", \"java", LINT_ERROR },
	{ "a program elsewhere", program_elsewhere, "link-broken", "script:x", LINT_ERROR },
	{ "a refresh in the body", hidden_refresh, "html-stripped", "\"meta refresh\"", LINT_WARNING },
	{ "a poor text", empty_text, "text-missing", "4 words", LINT_WARNING },
	{ "text alone", no_html, "html-missing", "no HTML part", LINT_NOTE },
	{ "no scheme", broken_link, "link-broken", "\"www.example.org/ [31m\"", LINT_ERROR },
	{ "four links", broken_links, "link-broken", "\"a\", \"b\", \"c\" and 2 more", LINT_ERROR },
	{ "phishing", misleading_link, "link-misleading", "https://evil.test/", LINT_WARNING },
	{ "shortened", shortened_link, "link-shortened", "bit.ly", LINT_WARNING },
	{ "no alt", no_alt, "image-without-alt", "images without alt: \"our logo.png\"", LINT_WARNING },
	{ "an image of no file", image_of_no_file, "image-broken", "cid:file1.1@x", LINT_ERROR },
	{ "a file in a srcset", local_srcset, "image-broken", "no mailbox shows: \"b.png\"", LINT_ERROR },
	{ "markup that shows", shown_markup, "markup-shown",
	  "readers see as text: \"<br>\", \"</B>\", \"<a href=x>\" and 1 more", LINT_WARNING },
	{ "an image in its URL", data_image, "image-broken", "data:image/png", LINT_ERROR },
	{ "images alone", images_alone, "image-heavy", "1 image and 1 words", LINT_WARNING },
	{ "a script", script, "html-stripped", "\"script\"", LINT_WARNING },
	{ "a handler", handler, "html-stripped", "\"onclick\"", LINT_WARNING },
	{ "a refresh", refresh, "html-stripped", "\"meta refresh\"", LINT_WARNING },
	{ "clipped", large_html, "gmail-clipped", "the HTML has 102 KB as it is written, since no copy", LINT_WARNING },
	{ "clipped for one", large_copy, "gmail-clipped",
	  "the HTML has 120 KB in the copy for ann@a.test, the largest of 10; Gmail shows the first 102",
	  LINT_WARNING },
	{ "large", large_message, "message-large",
	  "the message has 1024 KB in the copy for ann@a.test, the largest of the first 8", LINT_WARNING },
	{ "nobody", nobody, "readers-none", "nobody whom it would go to", LINT_WARNING },
	{ "some skipped", some_skipped, "readers-skipped", "3 of the first 8 readers get no copy, such as a@b.test: x",
	  LINT_WARNING },
	{ "all skipped", all_skipped, "readers-all-skipped", "10 of 10 readers", LINT_ERROR },
	{ "empty for some", gaps, "field-gaps", "{{city}} is empty for 3 of 10", LINT_WARNING },
	{ "empty for all", gap_of_all, "field-empty", "{{city}} is empty for 10 of 10", LINT_ERROR },
};

struct seen {
	size_t count;
	char code[64];
	struct buf text;
	enum lint_severity severity;
	bool has_remedy;
};

static void see(void *context, const struct lint_finding *finding)
{
	struct seen *seen = context;
	seen->count++;
	snprintf(seen->code, sizeof(seen->code), "%s", finding->code);
	buf_reset(&seen->text);
	buf_add(&seen->text, finding->text);
	seen->severity = finding->severity;
	seen->has_remedy = strlen(finding->remedy) > 0;
}

START_TEST(each_rule_alone)
	{
		large = buf_with_ceiling(LIMIT_TEMPLATE);
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			const struct row *row = &rows[i];
			struct lint_letter letter = good();
			struct seen seen = { .text = buf_with_ceiling(LIMIT_WHY) };
			row->spoil(&letter);
			ck_row(row->label, lint_letter(&letter, see, &seen) == ERR_OK);
			ck_assert_msg(seen.count == 1 && strcmp(seen.code, row->code) == 0,
				      "%s: %zu findings, the last %s", row->label, seen.count, seen.code);
			ck_assert_msg(view_find(buf_view(&seen.text), view_of(row->text)) != VIEW_NONE, "%s: %s",
				      row->label, buf_text(&seen.text));
			ck_row(row->label, seen.severity == row->severity && seen.has_remedy);
			buf_done(&seen.text);
		}
		buf_done(&large);
	}
END_TEST

static const struct {
	const char *html;
	bool has_way_out;
} ways[] = {
	{ "<p>{{unsubscribe}}</p>", true },
	{ "<a href=\"{{{unsubscribe}}}\">leave</a>", true },
	{ "<a href=\" {{unsubscribe}}\"><b><img src=\"cid:x\"></b></a>", true },
	{ "{{#vip}}x{{/vip}}<a href=\"{{unsubscribe}}\">leave</a>", true },
	{ "{{#vip}}{{#b}}x{{/b}}<a href=\"{{unsubscribe}}\">leave</a>{{/vip}}", false },
	{ "<p>{{^vip}}{{unsubscribe}}{{/vip}}</p>", false },
	{ "<p>{{! unsubscribe}}{{#unsubscribe}}{{/unsubscribe}}</p>", false },
	{ "<a href=\"{{unsubscribe}}\"> </a>", false },
	{ "<p title=\"{{unsubscribe}}\">x</p>", false },
	{ "<title>{{unsubscribe}}</title><p>x", false },
	{ "<div style=\"color:red; display : none\"><p><a href=\"{{unsubscribe}}\">leave</a></p></div>", false },
	{ "<div hidden><a href=\"{{unsubscribe}}\">leave</a></div>", false },
	{ "<a href=\"{{unsubscribe}}\"><span style=\"display:none\">leave</span></a>", false },
	{ "<p>x<!-- <a href=\"{{unsubscribe}}\">leave</a> -->", false },
	{ "<img src=\"{{unsubscribe}}\" alt=\"\">", false },
	/* What each of some sections shows, somebody sees all. */
	{ "{{#vip}}<p>{{unsubscribe}}{{/vip}}{{^vip}}<b>{{unsubscribe}}</b>{{/vip}}", true },
	{ "{{^vip}}{{unsubscribe}}{{/vip}}x{{#vip}}{{#b}}{{unsubscribe}}{{/b}}{{^b}}{{unsubscribe}}{{/b}}{{/vip}}",
	  true },
	{ "{{#vip}}{{#b}}{{unsubscribe}}{{/b}}{{/vip}}{{^vip}}{{unsubscribe}}{{/vip}}", false },
	{ "{{#vip}}{{unsubscribe}}{{/vip}}{{^other}}{{unsubscribe}}{{/other}}", false },
	{ "{{#vip}}<p style=\"display:none\">{{unsubscribe}}</p>{{/vip}}{{^vip}}{{unsubscribe}}{{/vip}}", false },
	{ "{{#a}}{{#b}}{{unsubscribe}}{{/b}}{{/a}}{{^b}}{{unsubscribe}}{{/b}}{{^a}}{{unsubscribe}}{{/a}}",
	  false }, /* a.b, and b */
	{ "{{#unsubscribe}}<a href=\"{{unsubscribe}}\">leave</a>{{/unsubscribe}}", true },
	{ "<a href={{unsubscribe}}>leave</a>", true },
	/* Styles that hide. */
	{ "<p style=\"visibility: hidden\">{{unsubscribe}}", false },
	{ "<p style=\"visibility: hidden\"><b style=\"visibility:visible\">{{unsubscribe}}", true },
	{ "<p style=\"opacity:0.0\">{{unsubscribe}}", false },
	{ "<p style=\"opacity:0.5\">{{unsubscribe}}", true },
	{ "<p style=\"OPACITY:0 !important\"><a href=\"{{unsubscribe}}\"><img src=x></a>", false },
	{ "<p style=\"font-size:0\">{{unsubscribe}}", false },
	{ "<p style=\"font-size:0px\"><b style=\"font-size:1em\">{{unsubscribe}}", false },
	{ "<p style=\"font-size:0px\"><b style=\"font-size:14px\">{{unsubscribe}}", true },
	{ "<p style=\"font-size:0px\"><b style=\"font:bold 14px/1.5 Arial\">{{unsubscribe}}", true },
	{ "<p style=\"font:0/0 a\">{{unsubscribe}}", false },
	{ "<p style=\"font-size:0\"><a href=\"{{unsubscribe}}\"><img src=x></a>", true },
	{ "<div style=\"max-height:0;overflow:hidden\">{{unsubscribe}}", false },
	{ "<div style=\"overflow: hidden; height: 0px\"><p style=\"height:9px\">{{unsubscribe}}", false },
	{ "<div style=\"max-height:0\">{{unsubscribe}}", true },
	{ "<div style=\"max-height:10px;overflow:hidden\">{{unsubscribe}}", true },
	{ "<div style=\"x-display:block;display:none\">{{unsubscribe}}", false },
	{ "<div style=\"display:none;display:block\">{{unsubscribe}}", true },
	{ "<p style=\"color:#FFF;background-color:#ffffff\">{{unsubscribe}}", false },
	{ "<td bgcolor=white><p style=\"color:#fff\"><a href=\"{{unsubscribe}}\">leave</a>", false },
	{ "<table><tr><td bgcolor=white><a style=\"color:#fff\" href=\"{{unsubscribe}}\">leave</a>", false },
	{ "<table><tr><td bgcolor=\"#00f\"><a style=\"color:#fff\" href=\"{{unsubscribe}}\">leave</a>", true },
	{ "<table bgcolor=white><tr><td background=\"x.png\"><font color=white>{{unsubscribe}}", true },
	{ "<p style=\"color:#fff;background:#fff url(x.png)\">{{unsubscribe}}", true },
	{ "<p style=\"color:#fff;background:#fff none\">{{unsubscribe}}", false },
	{ "<p style=\"color:transparent\">{{unsubscribe}}", false },
	{ "<p style=\"color:#ffffff\">{{unsubscribe}}", false }, /* a page is white */
	{ "<p style=\"color:#fdfdfd\">{{unsubscribe}}", false },
	{ "<p style=\"color:#bbb\">{{unsubscribe}}", true },
	{ "<style>.dark { background: black }</style><p class=dark style=\"color:white\">{{unsubscribe}}", true },
	{ "<style>.dark { background: black }</style><p style=\"color:white;background:#fff\">{{unsubscribe}}", false },
	{ "<p style=\"color:rgb(255, 255, 255)\">{{unsubscribe}}", false },
	{ "<p style=\"color:rgb(100% 100% 100% / 1)\">{{unsubscribe}}", false },
	{ "<p style=\"background:rgb(0,0,0);color:hsl(0, 0%, 100%)\">{{unsubscribe}}", true },
	{ "<p style=\"background:hsl(240,100%,50%);color:#00f\">{{unsubscribe}}", false },
	{ "<p style=\"color:rgba(0,0,0,0)\">{{unsubscribe}}", false },
	{ "<p style=\"color:rgba(0,0,0,.6)\">{{unsubscribe}}", true },
	{ "<p style=\"color:#00000000\">{{unsubscribe}}", false },
	{ "<p style=\"background-color:rgba(0,0,0,0);color:#fff\">{{unsubscribe}}", false },
	{ "<body bgcolor=000000><p style=\"color:#fff\">{{unsubscribe}}", true },
	{ "<table><tr><td bgcolor=\"{{brand}}\"><p style=\"color:#fff\">{{unsubscribe}}", true },
	{ "<p style=\"background:{{brand}};color:#fff\">{{unsubscribe}}", true },
	{ "<p style=\"background:papayawhip;color:PapayaWhip\">{{unsubscribe}}", false },
	{ "<p style=\"background:linear-gradient(#fff,#000);color:#fff\">{{unsubscribe}}", true },
	{ "<p style=\"/* x */display/* y */:/* z; */none\">{{unsubscribe}}", false },
	{ "<p style=\"/* display:none; */color:red\">{{unsubscribe}}", true },
	{ "<p style=\"/* never closed; display:none\">{{unsubscribe}}", true },
	{ "<p style=\"font-size:0.1px\">{{unsubscribe}}", false },
	{ "<p style=\"font-size:1pt\">{{unsubscribe}}", false },
	{ "<p style=\"font-size:1%\">{{unsubscribe}}", false },
	{ "<p style=\"font-size:0.8em\">{{unsubscribe}}", true },
	{ "<p style=\"font-size:.7rem\">{{unsubscribe}}", true },
	{ "<p style=\"font-size:8pt\">{{unsubscribe}}", true },
	{ "<p style=\"font-size:x-small\">{{unsubscribe}}", true },
	{ "<a href=\"{{unsubscribe}}\">&nbsp;</a>", false },
	{ "<a href=\"{{unsubscribe}}\">&#8203;&zwnj;\u00ad\ufeff &#x2003;</a>", false },
	{ "<a href=\"{{unsubscribe}}\">&nbsp;.</a>", true },
	{ "<a href=\"{{unsubscribe}}\"><img src=x width=1 height=1></a>", false },
	{ "<a href=\"{{unsubscribe}}\"><img src=x width=\"0\"></a>", false },
	{ "<a href=\"{{unsubscribe}}\"><img src=x style=\"height:1px\"></a>", false },
	{ "<a href=\"{{unsubscribe}}\"><img src=x width=\"100%\" style=\"height:auto;max-width:600px\"></a>", true },
	{ "<p style=\"position:absolute;left:-9999px\">{{unsubscribe}}", false },
	{ "<p style=\"left:-9999px\">{{unsubscribe}}", true }, /* without a position it is nothing */
	{ "<p style=\"margin-left:-99em\">{{unsubscribe}}", true },
	{ "<p style=\"margin:0 0 0 -9999px\">{{unsubscribe}}", false },
	{ "<p style=\"text-indent:-9999px\">{{unsubscribe}}", false },
	{ "<p style=\"text-indent:-9999px\"><b style=\"text-indent:0\">{{unsubscribe}}", true },
	{ "<p style=\"text-indent:-20px\">{{unsubscribe}}", true },
	{ "<p style=\"position:absolute;clip:rect(0 0 0 0)\">{{unsubscribe}}", false },
	{ "<p style=\"clip-path:inset(50%)\">{{unsubscribe}}", false },
	{ "<p style=\"transform:scale(0)\">{{unsubscribe}}", false },
	{ "<div style=\"max-width:0;overflow:hidden\">{{unsubscribe}}", false },
	{ "<div style=\"width:1px;height:1px;overflow:hidden\">{{unsubscribe}}", false },
	{ "<div style=\"max-width:600px;overflow:hidden\">{{unsubscribe}}", true },
	{ "<p style=\"opacity:.01\">{{unsubscribe}}", false },
	{ "<p style=\"opacity:5%\">{{unsubscribe}}", false },
	{ "<p style=\"mso-hide:all\">{{unsubscribe}}", false },
	{ "<p>x<!--[if mso]><a href=\"{{unsubscribe}}\">leave</a><![endif]--><a style=\"mso-hide:all\" "
	  "href=\"{{unsubscribe}}\">leave</a>",
	  true },
	{ "<p>x<!--[if !mso]><!--><a style=\"mso-hide:all\" href=\"{{unsubscribe}}\">leave</a><!--<![endif]-->",
	  false },
	{ "<div style=\"display:none;max-height:0;overflow:hidden;mso-hide:all\">a preheader &zwnj;&nbsp;</div>"
	  "<p>{{unsubscribe}}",
	  true },
};

START_TEST(ways_out_that_every_reader_sees)
	{
		for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
			struct lint_html facts;
			ck_row(ways[i].html, lint_html_read(view_of(ways[i].html), NULL, 0, &facts) == ERR_OK);
			ck_row(ways[i].html, facts.has_way_out == ways[i].has_way_out);
			lint_html_done(&facts);
		}
		ck_assert(!way_out_in(VIEW_LIT("{{#a}}{{unsubscribe}}{{/a}}")));
		ck_assert(way_out_in(VIEW_LIT("{{#a}}{{#b}}{{/b}}{{/a}}{{&unsubscribe}}")));
		ck_assert(way_out_in(VIEW_LIT("{{#a}}{{unsubscribe}}{{/a}}{{^a}}{{unsubscribe}}{{/a}}")));
	}
END_TEST

START_TEST(a_good_letter_has_no_findings)
	{
		struct lint_letter letter = good();
		struct seen seen = { .text = buf_with_ceiling(LIMIT_WHY) };
		ck_assert(lint_letter(&letter, see, &seen) == ERR_OK);
		ck_assert_msg(seen.count == 0, "%s: %s", seen.code, buf_text(&seen.text));
		letter.signing_known = false;
		letter.dkim_domain = VIEW_LIT("");
		ck_assert(lint_letter(&letter, see, &seen) == ERR_OK && seen.count == 0);
		buf_done(&seen.text);
	}
END_TEST

START_TEST(every_rule_has_a_case)
	{
		for (size_t rule = 0; lint_rule_code(rule) != NULL; rule++) {
			bool found = false;
			for (size_t i = 0; i < ARRAY_LEN(rows); i++)
				found = found || strcmp(rows[i].code, lint_rule_code(rule)) == 0;
			ck_row(lint_rule_code(rule), found);
		}
	}
END_TEST

static const struct {
	const char *url;
	bool works;
} links[] = {
	{ "https://example.org", true },
	{ "HTTP://example.org:8080/a?b=c&d#e", true },
	{ "https://user@example.org/", true },
	{ "https://b\u00fccher.example/", true },
	{ "https://[2001:db8::1]/", true },
	{ "https://{{host}}/", true },
	{ "https://example.org/{{#a}}x{{/a}}", true },
	{ "{{unsubscribe}}", true },
	{ " {{{link}}} ", true },
	{ "mailto:a@example.org?subject=x", true },
	{ "tel:+4912345", true },
	{ "#part", true },
	{ "https://example.org:65535", true },
	{ "https://example.org:{{port}}/", true },
	{ "https://example.org/%C3%bc?x=%20", true },
	{ "https://example.org:65536/", false },
	{ "https://example.org:99999?x", false },
	{ "https://example.org:80a/", false },
	{ "https://example.org/%zz", false },
	{ "https://example.org/100%", false },
	{ "mailto:a@example.org?subject=100%", false },
	{ "", false },
	{ "#", false },
	{ "www.example.org", false },
	{ "/page", false },
	{ "page.html", false },
	{ "https:/example.org", false },
	{ "https://", false },
	{ "https://localhost/", false },
	{ "https://exa mple.org/", false },
	{ "https://example..org/", false },
	{ "https//example.org", false },
	{ "htps://example.org", false },
	{ "javascript:alert(1)", false },
	{ "mailto:nobody", false },
	{ "tel:", false },
	{ "https://example.org/{{open", false },
	{ "https://example.org/<b>", false },
};

START_TEST(links_that_may_work)
	{
		for (size_t i = 0; i < ARRAY_LEN(links); i++)
			ck_row(links[i].url, lint_html_is_link(view_of(links[i].url)) == links[i].works);
	}
END_TEST

START_TEST(odd_html_is_read)
	{
		static const char *const odd[] = { "",
						   "<",
						   "<a href",
						   "<a href=\"",
						   "\xff\xfe",
						   "<img src=x alt>",
						   "{{#a}}<p",
						   "</div>",
						   "<a href=\"{{#x}}\">",
						   "<svg><a href=\"x\"/></svg>" };
		AUTO_BUF deep = buf_with_ceiling(LIMIT_TEMPLATE);
		for (size_t i = 0; i < 2000; i++)
			buf_add(&deep, VIEW_LIT("<div><a href=\"x\">"));
		for (size_t i = 0; i <= ARRAY_LEN(odd); i++) {
			struct lint_html facts;
			struct view html = i < ARRAY_LEN(odd) ? view_of(odd[i]) : buf_view(&deep);
			enum err err = lint_html_read(html, NULL, 0, &facts);
			ck_row(i < ARRAY_LEN(odd) ? odd[i] : "deep", err == ERR_OK || err == ERR_INVALID);
			lint_html_done(&facts);
		}
	}
END_TEST

static const struct {
	const char *a, *b;
	bool aligned;
} pairs[] = {
	{ "example.org", "example.org", true },  { "news.example.org", "Bounce.Mail.EXAMPLE.org", true },
	{ "example.org", "example.net", false }, { "a.co.uk", "b.co.uk", false },
	{ "x.a.co.uk", "a.co.uk", true },        { "a.github.io", "b.github.io", false },
	{ "bounce.test", "news.test", false },   { "", "", false },
	{ "org", "example.org", false },
};

START_TEST(alignment)
	{
		for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
			ck_row(pairs[i].a,
			       org_domain_aligned(view_of(pairs[i].a), view_of(pairs[i].b)) == pairs[i].aligned);
	}
END_TEST

static const struct {
	const char *domain;
	bool has;
} providers[] = {
	{ "gmail.com", true },       { "GoogleMail.com", true },   { "yahoo.com", true },
	{ "yahoo.fr", true },        { "yahoo.co.jp", true },      { "yahoo.com.br", true },
	{ "outlook.com", true },     { "icloud.com", true },       { "hotmail.co.uk", true },
	{ "news.gmail.com", false }, { "example.org", false },     { "yahoo.example", false },
	{ "live.org", false },       { "live.example.fr", false }, { "", false },
};

START_TEST(providers_of_mailboxes)
	{
		for (size_t i = 0; i < ARRAY_LEN(providers); i++)
			ck_row(providers[i].domain,
			       mailbox_provider_has(view_of(providers[i].domain)) == providers[i].has);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		each_rule_alone,
		a_good_letter_has_no_findings,
		every_rule_has_a_case,
		links_that_may_work,
		odd_html_is_read,
		alignment,
		ways_out_that_every_reader_sees,
		providers_of_mailboxes,
	};
	return suite_of("lint", tests, ARRAY_LEN(tests));
}
