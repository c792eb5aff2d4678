#include "mail/foreign_tag.h"

#include "base/limits.h"
#include "tests/support/unit.h"

static const struct {
	const char *source, *found; /* "TAG SUGGESTION" each, LF between */
	bool is_html;
} rows[] = {
	{ "Hi *|FNAME|*, *|LIST:COMPANY|*", "*|FNAME|* {{first_name}}\n*|LIST:COMPANY|* {{list.title}}", false },
	{ "*|IF:VIP|*a*|ELSE:|*b*|END:IF|*",
	  "*|IF:VIP|* {{#field}}...{{/field}}\n*|ELSE:|* {{^field}}...{{/field}}\n*|END:IF|* {{/field}}", false },
	{ "<p>Hi <em>|MERGE3|</em>", "<em>|MERGE3|</em> {{merge3}}", true },
	{ "%%first_name%% %%Home City%%", "%%first_name%% {{first_name}}\n%%Home City%% {{home_city}}", false },
	{ "[[name]] ${name} ${user.city} {$company}",
	  "[[name]] {{name}}\n${name} {{name}}\n${user.city} {{user_city}}\n{$company} {{company}}", false },
	{ "%recipient.name% %EMAIL% %unsubscribe_url%",
	  "%recipient.name% {{name}}\n%EMAIL% {{email}}\n%unsubscribe_url% {{unsubscribe}}", false },
	{ "[FIRST NAME] [EMAIL] {name} \u00abName\u00bb",
	  "[FIRST NAME] {{first_name}}\n[EMAIL] {{email}}\n{name} {{name}}\n\u00abName\u00bb {{name}}", false },
	{ "&laquo;Email&raquo; &lt;&lt;Name&gt;&gt;", "&laquo;Email&raquo; {{email}}\n&lt;&lt;Name&gt;&gt; {{name}}",
	  true },
	{ "{% if vip %}a{% endif %}", "{% if vip %} {{#field}}...{{/field}}\n{% endif %} {{/field}}", false },
	{ "{{ name | default: \"dear friend\" }} {{name|default('you')}}",
	  "{{ name | default: \"dear friend\" }} {{name|dear friend}}\n{{name|default('you')}} {{name|you}}", false },
	{ "{{name | capitalize}} {{name|\"you\"}} {{name|title of it}}",
	  "{{name | capitalize}} {{name}}\n{{name|\"you\"}} {{name|you}}", false },
	{ "<a href=\"https://a.test/?e=*|EMAIL|*\">x</a>", "*|EMAIL|* {{email}}", true },
	{ "<style>a{b}[[name]]</style><script>`${name}`</script><!-- [[name]] --><!--[if mso]>[[name]]<![endif]-->",
	  "[[name]] {{name}}", true },
	{ "[[name]]{{x|[[name]]}}[[name]]", "[[name]] {{name}}\n[[name]] {{name}}", false },
	/* spelt otherwise */
	{ "?u=%7B%7Bemail%7D%7D&c=%7b%7B%7D", "%7B%7Bemail%7D%7D {{email}}", true },
	{ "&#123;&#123;city&#125;&#125; &#x7b;{ city }&#X7D;",
	  "&#123;&#123;city&#125;&#125; {{city}}\n&#x7b;{ city }&#X7D; {{city}}", true },
	{ "&lbrace;&lcub;name}} {{name&rcub;&rbrace;", "&lbrace;&lcub;name}} {{name}}\n{{name&rcub;&rbrace; {{name}}",
	  true },
	{ "?u=*%7CEMAIL%7C*&v=%5B%5Bemail%5D%5D", "*%7CEMAIL%7C* {{email}}\n%5B%5Bemail%5D%5D {{email}}", true },
	{ "%7B%7B%7D%7D %7B%7B1%7D%7D &#123;name&#125; 50%25%25 {{name}}", "", true },
	{ "&#0123;&#x007b;name&#125&#125; %257B%257bname%257d%257D &amp;#123;&amp;lcub;name&#37;7D&amp;amp;#125;",
	  "&#0123;&#x007b;name&#125&#125; {{name}}\n%257B%257bname%257d%257D {{name}}\n"
	  "&amp;#123;&amp;lcub;name&#37;7D&amp;amp;#125; {{name}}",
	  true },
	/* no false alarms */
	{ "50% of 20% [1] [[1]] [Name of it] {a} {} *bold|* | a | b |*|", "", false },
	{ "https://a.test/%C3%A4%20%7Bname%7D%20x 100%% or %% both $5 ${} ${5}", "", false },
	{ "{{name|default}} {{name|default value}} {{#name}}{{.}}{{/name}}", "", false },
	{ "<!DOCTYPE html><p>[A cat] {color:red} a << b >> c \u00aboui\u00bb", "", true },
	{ "%%", "", false },
	{ "*|", "", false },
	{ "", "", false },
};

START_TEST(tags)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF found = buf_with_ceiling(LIMIT_WHY);
			struct foreign_tag tag;
			struct view source = view_of(rows[i].source);
			for (size_t cursor = 0; foreign_tag_next(source, rows[i].is_html, &cursor, &tag);) {
				buf_addf(&found, "%s" VIEW_FMT " ", found.len > 0 ? "\n" : "", VIEW_ARG(tag.text));
				ck_row(rows[i].source, view_starts(view_skip(source, tag.start), tag.text));
				ck_row(rows[i].source, foreign_tag_suggest(&tag, &found) == ERR_OK);
			}
			ck_assert_msg(view_eq(buf_view(&found), view_of(rows[i].found)), "%s: got\n%s", rows[i].source,
				      buf_text(&found));
		}
	}
END_TEST

/* Ours in braces that are spelt otherwise, of what somebody has. */
static const struct {
	const char *source, *why; /* a part of it; NULL: it is well */
	bool is_html;
} own_rows[] = {
	{ "a\n&#123;&#123;first_name&#125;&#125;",
	  "line 2, column 1: the braces of &#123;&#123;first_name&#125;&#125; are encoded, so that it would go out as "
	  "it stands; "
	  "write {{first_name}}",
	  true },
	{ "a &#0123;&#0123;first_name&#0125;&#0125;", "line 1, column 3: ", true },
	{ "&#x7b;&#x007B;first_name&#X7d;}", "write {{first_name}}", true },
	{ "?n=%7B%7Bfirst_name%7D%7D", "column 4: the braces of %7B%7Bfirst_name%7D%7D are", true },
	{ "?n=%257B%257Bfirst_name%257D%257D", "write {{first_name}}", false },
	{ "&amp;#123;&amp;#123;first_name&amp;#125;&amp;#125;", "write {{first_name}}", true },
	{ "&lbrace;&lcub;first_name&rcub;&rbrace;", "write {{first_name}}", true },
	{ "{&#123;first_name}&#125;", "write {{first_name}}", true },
	{ "%7B%7B+first_name%20%7D%7D &#123;&#123;&nbsp;email&nbsp;&#125;&#125;", "write {{first_name}}", true },
	{ "&#123;&#123;&nbsp;email&nbsp;&#125;&#125;", "write {{email}}", true },
	{ "%7B%7B%7Bfirst_name%7D%7D%7D", "write {{first_name}}", true },
	{ "%7B%7B%23orders%7D%7D", "write {{#orders}}", true },
	{ "%7B%7Bfirst_name%7Cfriend%7D%7D", "write {{first_name|friend}}", true },
	{ "%7B%7Bsku%7D%7D %7B%7Borders.sku%7D%7D", "write {{sku}}", true },
	{ "%7B%7Bcaf%C3%A9%7D%7D", "write {{caf\u00e9}}", true },
	{ "{{first_name}} {{email}} {%7B {{ &#123;first_name&#125; %7Bemail%7D", NULL, true },
	{ "&#123;&#123;nobody&#125;&#125; %7B%7B%7D%7D %7B%7B+%7D%7D %7B%7B", NULL, true },
	{ "&#123; &#123;first_name&#125; &#125; 100%", NULL, true },
	{ "<style>&#123;&#123;email&#125;&#125;</style><!-- %7B%7Bemail%7D%7D --> {{! %7B%7Bemail%7D%7D }}", NULL,
	  true },
	{ "", NULL, false },
};

START_TEST(own_tags_in_other_spellings)
	{
		const struct view names[] = { VIEW_LIT("first_name"), VIEW_LIT("email"), VIEW_LIT("orders.sku"),
					      VIEW_LIT("caf\u00e9") };
		const struct merge_names known = { .names = names, .count = ARRAY_LEN(names) };
		for (size_t i = 0; i < ARRAY_LEN(own_rows); i++) {
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			const char *says = own_rows[i].why;
			enum err err =
			    foreign_tag_refuse_own(view_of(own_rows[i].source), own_rows[i].is_html, &known, &why);
			ck_row(own_rows[i].source, err == (says == NULL ? ERR_OK : ERR_INVALID));
			ck_assert_msg(view_find(buf_view(&why), view_of(says)) != VIEW_NONE, "%s: %s",
				      own_rows[i].source, buf_text(&why));
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { tags, own_tags_in_other_spellings };
	return suite_of("foreign_tag", tests, ARRAY_LEN(tests));
}
