#include "mail/front_matter.h"

#include "base/limits.h"
#include "tests/support/unit.h"

static const struct good_row {
	const char *label, *source;
	enum front_key key;
	const char *text;
	size_t line, column;
	const char *body;
	size_t body_line;
} good_rows[] = {
	{ "none", "Hello\n", FRONT_SUBJECT, "", 0, 0, "Hello\n", 1 },
	{ "plain", "---\nsubject: News\n---\nHi\n", FRONT_SUBJECT, "News", 2, 10, "Hi\n", 4 },
	{ "blanks", "---  \n\n# a remark\nsubject :  News: a b \t\n---\n", FRONT_SUBJECT, "News: a b", 4, 12, "", 6 },
	{ "double quotes", "---\nsubject: \"It's {{name}}\"\n---\nx", FRONT_SUBJECT, "It's {{name}}", 2, 11, "x", 4 },
	{ "single quotes", "---\nsubject: '\"Hi\" \\n'\n---\nx", FRONT_SUBJECT, "\"Hi\" \\n", 2, 11, "x", 4 },
	{ "inner quotes", "---\nsubject: Don't \"quote\"\n---\nx", FRONT_SUBJECT, "Don't \"quote\"", 2, 10, "x", 4 },
	{ "from", "---\nfrom: A <a@b.test>\nsubject: x\n---\n", FRONT_FROM, "A <a@b.test>", 2, 7, "", 5 },
	{ "name in quotes", "---\nfrom: \"A, B\" <a@b.test>\n---\nx", FRONT_FROM, "\"A, B\" <a@b.test>", 2, 7, "x", 4 },
	{ "all of it in quotes", "---\nreply-to: '\"A, B\" <a@b.test>'\n---\nx", FRONT_REPLY_TO, "\"A, B\" <a@b.test>",
	  2, 12, "x", 4 },
	{ "given empty", "---\nreply-to:\n---\nx", FRONT_REPLY_TO, "", 2, 10, "x", 4 },
	{ "preheader", "---\npreheader: \xc3\xa4\n---\nx", FRONT_PREHEADER, "\xc3\xa4", 2, 12, "x", 4 },
	{ "keys in any case", "---\nSubject: x\nREPLY-TO: a@b.test\n---\nx", FRONT_REPLY_TO, "a@b.test", 3, 11, "x",
	  5 },
	{ "html", "---\nhtml: yes\n---\nx", FRONT_HTML, "yes", 2, 7, "x", 4 },
	{ "names", "---\nattachments: \"a, b.pdf\", it's.pdf\n---\nx", FRONT_ATTACHMENTS, "\"a, b.pdf\", it's.pdf", 2,
	  14, "x", 4 },
	{ "names in brackets", "---\nattachments: [ a.pdf, b.pdf ]\n---\nx", FRONT_ATTACHMENTS, "a.pdf, b.pdf", 2, 16,
	  "x", 4 },
	{ "no names", "---\nattachments: []\n---\nx", FRONT_ATTACHMENTS, "", 2, 15, "x", 4 },
	{ "later dashes", "a\n---\nsubject: x\n---\n", FRONT_SUBJECT, "", 0, 0, "a\n---\nsubject: x\n---\n", 1 },
	{ "a rule behind an empty line", "\n---\nNote: x\n---\n", FRONT_SUBJECT, "", 0, 0, "\n---\nNote: x\n---\n", 1 },
	{ "a rule behind a line", "a\n---\nsubject: x\n", FRONT_SUBJECT, "", 0, 0, "a\n---\nsubject: x\n", 1 },
	{ "nothing in it", "---\n---\nx", FRONT_SUBJECT, "", 0, 0, "x", 3 },
	{ "empty", "", FRONT_SUBJECT, "", 0, 0, "", 1 },
};

START_TEST(test_good)
	{
		for (size_t i = 0; i < ARRAY_LEN(good_rows); i++) {
			const struct good_row *row = &good_rows[i];
			struct front_matter front;
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			ck_row(row->label, front_matter_read(view_of(row->source), &front, &why) == ERR_OK);
			const struct front_value *value = &front.values[row->key];
			ck_row(row->label, view_eq(value->text, view_of(row->text)));
			ck_row(row->label, value->line == row->line && value->column == row->column);
			ck_row(row->label,
			       view_eq(front.body, view_of(row->body)) && front.body_line == row->body_line);
			ck_row(row->label, why.len == 0);
		}
	}
END_TEST

static const struct bad_row {
	const char *label, *source, *place, *says;
} bad_rows[] = {
	{ "unknown key", "---\nsubject: x\nsubjekt: y\n---\n",
	  "line 3, column 1: ", "known are subject, from, reply-to, preheader, html, attachments" },
	{ "no key", "---\n: x\n---\n", "line 2, column 1: ", "unknown" },
	{ "no colon", "---\nsubject\n---\n", "line 2, column 1: ", "key: value" },
	{ "behind an empty line", "\n \n---\nsubject: x\n---\nHi\n",
	  "line 3, column 1: ", "an empty line stands before the front matter" },
	{ "behind an empty line, a remark first", "\n---\n# a\n\nFrom : x\n---\nHi\n",
	  "line 2, column 1: ", "remove it" },
	{ "indented", " ---\nsubject: x\n---\nHi\n", "line 1, column 1: ", "a blank stands before the front matter" },
	{ "twice", "---\nsubject: x\nfrom: a@b.test\nsubject: y\n---\n", "line 4, column 1: ", "line 2 already" },
	{ "twice in another case", "---\nsubject: x\nSubject: y\n---\n", "line 3, column 1: ", "line 2 already" },
	{ "no end", "---\nsubject: x\n", "line 1, column 1: ", "add a line ---" },
	{ "only a fence", "---", "line 1, column 1: ", "add a line ---" },
	{ "several lines", "---\nsubject: x\n  y\n---\n", "line 3, column 1: ", "one line" },
	{ "open quote", "---\nsubject: \"x\n---\n", "line 2, column 10: ", "does not end the line" },
	{ "quote and more", "---\nsubject: \"x\" y\n---\n", "line 2, column 10: ", "does not end the line" },
	{ "quote and more of a sender", "---\nfrom: \"x\" y\n---\n", "line 2, column 7: ", "does not end the line" },
	{ "a quote and an address in a subject", "---\nsubject: \"x\" <y>\n---\n",
	  "line 2, column 10: ", "does not end the line" },
	{ "one quote", "---\nsubject: \"\n---\n", "line 2, column 10: ", "does not end the line" },
	{ "quotes within", "---\nsubject: \"x\" and \"y\"\n---\n", "line 2, column 11: ", "other kind" },
	{ "control", "---\nsubject: a\tb\n---\n", "line 2, column 10: ", "subject takes a text without control" },
	{ "an open name", "---\nattachments: a.pdf, \"b\n---\n", "line 2, column 14: ", "each in its own" },
	{ "a name and more", "---\nattachments: \"a\" b\n---\n", "line 2, column 14: ", "each in its own" },
	{ "no name between", "---\nattachments: a,, b\n---\n", "line 2, column 14: ", "each in its own" },
	{ "neither yes nor no", "---\nhtml: maybe\n---\n", "line 2, column 7: ", "html takes yes or no" },
};

START_TEST(test_bad)
	{
		for (size_t i = 0; i < ARRAY_LEN(bad_rows); i++) {
			const struct bad_row *row = &bad_rows[i];
			struct front_matter front = { .body_line = 77 };
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			ck_row(row->label, front_matter_read(view_of(row->source), &front, &why) == ERR_INVALID);
			ck_assert_msg(view_starts(buf_view(&why), view_of(row->place)), "%s: %s", row->label,
				      buf_text(&why));
			ck_assert_msg(view_find(buf_view(&why), view_of(row->says)) != VIEW_NONE, "%s: %s", row->label,
				      buf_text(&why));
			ck_row(row->label, front.body_line == 77);
		}
	}
END_TEST

START_TEST(test_every_key)
	{
		for (size_t i = 0; i < FRONT_KEY_COUNT; i++) {
			AUTO_BUF source = buf_with_ceiling(1000);
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			struct front_matter front;
			ck_assert(front_key_name((enum front_key)i) != NULL);
			buf_addf(&source, "---\n%s: yes\n---\n", front_key_name((enum front_key)i));
			ck_assert(front_matter_read(buf_view(&source), &front, &why) == ERR_OK);
			for (size_t j = 0; j < FRONT_KEY_COUNT; j++)
				ck_assert((front.values[j].line == 2) == (i == j));
			ck_view_eq(front.values[i].text, "yes");
		}
	}
END_TEST

START_TEST(test_names)
	{
		static const char *const wanted[] = { "a, b.pdf", "c 'd'.pdf", "e.pdf", "f,\".pdf" };
		struct view rest = VIEW_LIT("\"a, b.pdf\" ,c 'd'.pdf,  e.pdf , 'f,\".pdf'"), name;
		for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
			ck_assert(front_matter_cut_name(&rest, &name));
			ck_view_eq(name, wanted[i]);
		}
		ck_assert(!front_matter_cut_name(&rest, &name));
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { test_good, test_bad, test_every_key, test_names };
	return suite_of("front_matter", tests, ARRAY_LEN(tests));
}
