#include "listctl/sniff.h"

#include <string.h>

#include "tests/support/unit.h"

static const struct layout_row {
	const char *label, *start;
	enum layout layout;
	char delimiter;
} rows[] = {
	{ "commas", "email,name\na@example.org,Ann\n", LAYOUT_CSV, ',' },
	{ "semicolons", "email;name\na@example.org;Lee, Ann\n", LAYOUT_CSV, ';' },
	{ "tabs", "email\tname\na@example.org\tAnn; Lee\n", LAYOUT_CSV, '\t' },
	{ "bars", "email|name\na@example.org|Ann\n", LAYOUT_CSV, '|' },
	{ "semicolons, commas in each row", "email;name;at\na@example.org;Lee, Ann;1,5\nb@example.org;Ox, Bo;2,5\n",
	  LAYOUT_CSV, ';' },
	{ "commas in quotation marks", "email;\"a,b\"\na@example.org;\"x,y\"\n", LAYOUT_CSV, ';' },
	{ "no header", "a@example.org;Ann\nb@example.org;Bob\n", LAYOUT_CSV, ';' },
	{ "names first", "Ann;a@example.org\nBob;b@example.org\n", LAYOUT_CSV, ';' },
	{ "one column", "email\na@example.org\n", LAYOUT_CSV, ',' },
	{ "a header alone", "E-Mail;Vorname;Nachname", LAYOUT_CSV, ';' },
	{ "an address column in the middle", "Ort|Kontakt;x|E-Mail\nBonn|7;8|a@example.org\n", LAYOUT_CSV, '|' },
	{ "a blank line first", "\nemail;name\na@example.org;Ann\n", LAYOUT_CSV, ';' },
	{ "CR alone", "email;name\ra@example.org;Ann\r", LAYOUT_CSV, ';' },
	{ "a last row that is cut off", "a;b;email\n1;2;a@example.org\n1;\"2;b@exa", LAYOUT_CSV, ';' },
	{ "nothing", "", LAYOUT_CSV, ',' },
	{ "Excel's word", "sep=|\nemail|name\n", LAYOUT_CSV, '|' },
	{ "addresses alone", "a@example.org\nb@example.org\n", LAYOUT_LINES, ',' },
	{ "names in front", "Ann Lee <a@example.org>\nb@example.org\n\"Lee, Cy\" <c@example.org>\n", LAYOUT_LINES,
	  ',' },
	{ "names behind", "a@example.org Ann\nb@example.org\tBob Ox\n", LAYOUT_LINES, ',' },
	{ "a line that is none among many", "a@x.org\nb@x.org\nc@x.org\nd@x.org\noops\ne@x.org\n", LAYOUT_LINES, ',' },
	{ "a comment behind the only address", "Ann Y <y2@h.org>\n# comment\n", LAYOUT_LINES, ',' },
	{ "comments in front", "# of the choir\n#\n\na@x.org\nb@x.org\n", LAYOUT_LINES, ',' },
	{ "one bad line of two", "a@x.org\noops\n", LAYOUT_LINES, ',' },
	{ "a bad line first", "a@@x.org\nb@x.org\nc@x.org\n", LAYOUT_LINES, ',' },
	{ "a bad line first, without @", "Choir of 2024\nb@x.org\nc@x.org\n", LAYOUT_LINES, ',' },
	{ "a column's name first", "E-Mail Address\na@x.org\nb@x.org\n", LAYOUT_CSV, ',' },
	{ "it in quotation marks", "\"Email\"\na@x.org\nb@x.org\n", LAYOUT_CSV, ',' },
	{ "tabs under a header", "Kontakt\tName\na@x.org\tAnn\nb@x.org\tBob\n", LAYOUT_CSV, '\t' },
	{ "three columns by tabs, no header", "a@x.org\tAnn\tBonn\nb@x.org\tBob\tKiel\n", LAYOUT_CSV, '\t' },
	{ "more bad lines than good ones", "a@x.org\none\ntwo\n", LAYOUT_CSV, ',' },
	{ "comments alone", "# a\n# b\n", LAYOUT_LINES, ',' },
	{ "a dump", "email a@example.org\ngecos Ann\ndate 1\n\nemail b@example.org\ndate 2\n", LAYOUT_STANZAS, ',' },
};

START_TEST(layouts)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			size_t hint;
			ck_assert_msg(sniff_layout(view_of(rows[i].start)) == rows[i].layout, "%s", rows[i].label);
			if (rows[i].layout != LAYOUT_CSV)
				continue;
			char delimiter = sniff_delimiter(view_of(rows[i].start), &hint);
			ck_assert_msg(delimiter == rows[i].delimiter, "%s: %c", rows[i].label, delimiter);
			ck_row(rows[i].label, (hint > 0) == (strncmp(rows[i].start, "sep=", 4) == 0));
		}
	}
END_TEST

static const struct {
	const char *line, *address, *name; /* NULL: none */
} lines[] = {
	{ "a@example.org", "a@example.org", "" },
	{ "  a@example.org  ", "a@example.org", "" },
	{ "Ann Lee <a@example.org>", "a@example.org", "Ann Lee" },
	{ "<a@example.org>", "a@example.org", "" },
	{ "\"Lee, Ann\" <a@example.org>", "a@example.org", "Lee, Ann" },
	{ "a@example.org Ann Lee", "a@example.org", "Ann Lee" },
	{ "a@example.org\tAnn", "a@example.org", "Ann" },
	{ "Ann Lee <a@example.org>;", "a@example.org", "Ann Lee" },
	{ "Ann Lee <a@example.org>,", "a@example.org", "Ann Lee" },
	{ "a@example.org (Ann Lee)", "a@example.org", "Ann Lee" },
	{ "(Ann) <a@example.org>", "a@example.org", "Ann" },
	{ "a@example.org Ann (Lee)", "a@example.org", "Ann (Lee)" },
	{ "a@example.org <a@example.org>", "a@example.org", "a@example.org" },
	{ "a@example.org b@example.org", NULL, NULL },
	{ "Ann <a@example.org>, Bob <b@example.org>", NULL, NULL },
	{ "a@example.org\tAnn\tBonn", NULL, NULL },
	{ "a@example.org,Ann", NULL, NULL },
	{ "Ann", NULL, NULL },
	{ "Ann <a@example.org", NULL, NULL },
	{ "\"Ann\",<a@example.org>", NULL, NULL },
	{ "", NULL, NULL },
};

START_TEST(lines_are_parted)
	{
		for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
			struct view address, name;
			bool is = sniff_line(view_of(lines[i].line), &address, &name);
			ck_row(lines[i].line, is == (lines[i].address != NULL));
			if (!is)
				continue;
			ck_view_eq(address, lines[i].address);
			ck_view_eq(name, lines[i].name);
		}
	}
END_TEST

START_TEST(what_is_no_text)
	{
		AUTO_BUF why = buf_with_ceiling(1024);
		char octets[512];
		for (size_t i = 0; i < sizeof(octets); i++)
			octets[i] = (char)(i * 7);
		ck_assert(!sniff_is_text(view_from(octets, sizeof(octets)), &why));
		ck_assert_ptr_nonnull(strstr(buf_text(&why), "no text"));
		buf_reset(&why);
		ck_assert(!sniff_is_text(view_from("PK\003\004", 4), &why));
		ck_assert_ptr_nonnull(strstr(buf_text(&why), "Excel"));
		buf_reset(&why);
		ck_assert(sniff_is_text(VIEW_LIT("email,name\na@example.org,x\0\n"), &why));
		ck_assert(sniff_is_text(VIEW_LIT(""), &why));
		ck_assert(sniff_is_text(VIEW_LIT("\xfc\xe4\x80,\n"), &why) && why.len == 0);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { layouts, lines_are_parted, what_is_no_text };
	return suite_of("sniff", tests, ARRAY_LEN(tests));
}
