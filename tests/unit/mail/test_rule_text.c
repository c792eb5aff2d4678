#include "mail/rule_text.h"

#include "base/limits.h"
#include "mail/classify.h"
#include "tests/support/unit.h"

#define HEAD "rule: a\nreason: policy\n"
#define TAIL "example: the red door\n"
#define SOUND HEAD "phrase: red door\n" TAIL

struct row {
	const char *label, *text;
	const char *says; /* NULL: it is sound */
};

static const struct row rows[] = {
	{ "no text", "", NULL },
	{ "remarks alone", "# a\n\n  # b\n", NULL },
	{ "one rule", SOUND, NULL },
	{ "CRLF", "rule: a\r\nreason: policy\r\nphrase: red door\r\nexample: the red door\r\n", NULL },
	{ "blanks around", "  rule :  a \n reason : policy\nphrase:red door\nexample:the red door", NULL },
	{ "two rules", SOUND "rule: b\nreason: other\ncode: 450\nexample: 450 x\n", NULL },
	{ "status, code and phrase",
	  HEAD "status: 5.7.*\ncode: 550\nvague: no\nphrase: red door\nexample: 550 5.7.9 red door", NULL },
	{ "quotes keep spaces", HEAD "phrase: \" red \"\nexample: a red door", NULL },
	{ "capitals are compared small", HEAD "phrase: RED Door\n" TAIL, NULL },
	{ "asterisk", HEAD "phrase: the * door\n" TAIL, NULL },
	{ "no rule before", "reason: policy\n", "line 1: \"reason\": a rule begins" },
	{ "a key nobody knows", SOUND "colour: red\n", "line 5: \"colour\": a line begins" },
	{ "no colon", SOUND "red\n", "line 5: \"red\"" },
	{ "a name with capitals", "rule: A\n", "line 1: \"A\": a rule's name" },
	{ "no name", "rule:\n", "line 1: a rule's name" },
	{ "the name of a built-in one", "rule: mailbox-full\n", "there is a rule of this name" },
	{ "the same name twice", SOUND SOUND, "line 5: \"a\": there is a rule of this name" },
	{ "no such reason", "rule: a\nreason: nice\n", "line 2: \"nice\": there is no such reason" },
	{ "complaints are told otherwise", "rule: a\nreason: complaint\n", "a complaint is told" },
	{ "no reason", "rule: a\nphrase: red door\n" TAIL, "has no reason" },
	{ "no example", HEAD "phrase: red door\n", "has no example" },
	{ "an empty example", HEAD "phrase: red door\nexample:\n", "an example is" },
	{ "nothing to go by", HEAD TAIL, "neither phrase nor status nor code" },
	{ "the first rule is incomplete", HEAD "rule: b\n", "line 3: \"a\": the rule above has no example" },
	{ "reason twice", HEAD "reason: policy\n", "line 3: \"reason\": stands twice" },
	{ "a phrase of two letters", HEAD "phrase: ab\n" TAIL, "a phrase is" },
	{ "an empty phrase", HEAD "phrase:\n" TAIL, "a phrase is" },
	{ "an asterisk alone", HEAD "phrase: *\n" TAIL, "a phrase is" },
	{ "an asterisk at the end", HEAD "phrase: door *\n" TAIL, "a phrase is" },
	{ "two asterisks", HEAD "phrase: red * * door\n" TAIL, "a phrase is" },
	{ "two numbers", HEAD "status: 5.7\n", "a status is" },
	{ "four numbers", HEAD "status: 5.7.1.1\n", "a status is" },
	{ "class 2", HEAD "status: 2.0.0\n", "a status is" },
	{ "class 55", HEAD "status: 55.0.0\n", "a status is" },
	{ "a status of letters", HEAD "status: 5.a.0\n", "a status is" },
	{ "success", HEAD "code: 250\n", "a code is" },
	{ "no number", HEAD "code: 5x0\n", "a code is" },
	{ "maybe", HEAD "vague: maybe\n", "yes or no" },
	{ "no UTF-8",
	  HEAD "phrase: r\xe9"
	       "d door\n",
	  "line 3: rules are UTF-8" },
	{ "a control",
	  HEAD "phrase: r\x01"
	       "d door\n",
	  "line 3: rules are UTF-8" },
	{ "the example is not its own", HEAD "phrase: blue door\n" TAIL,
	  "line 1: the example of a is decided by no rule" },
	{ "an earlier rule takes it", SOUND "rule: b\nreason: other\nphrase: door\nexample: red door\n",
	  "line 5: the example of b is decided by a" },
};

START_TEST(what_is_sound_and_what_is_told)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			const struct row *row = &rows[i];
			struct classifier *classifier = NULL;
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			enum err err = classifier_new_with(view_of(row->text), &classifier, &why);
			ck_assert_msg((err == ERR_OK) == (row->says == NULL), "%s: %s", row->label, buf_text(&why));
			if (row->says != NULL)
				ck_assert_msg(view_find(buf_view(&why), view_of(row->says)) != VIEW_NONE, "%s: %s",
					      row->label, buf_text(&why));
			classifier_done(classifier);
		}
	}
END_TEST

START_TEST(a_rule_is_read_as_it_is_written)
	{
		static const char text[] =
		    "# one\n\nrule: a-1\nreason: rate-limited\nstatus: *.7.1\ncode: 451\nvague: yes\n"
		    "phrase: Red  DOOR of a@b.test\nphrase: \" é ß\"\nexample: 451 4.7.1 red door of x@y.z\n";
		struct rule_text *rules;
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert_int_eq(rule_text_read(view_of(text), &rules, &why), ERR_OK);
		ck_assert_uint_eq(rule_text_count(rules), 1);
		const struct rule *rule = rule_text_rule(rules, 0);
		ck_assert_uint_eq(rule_text_line(rules, 0), 3);
		ck_assert_str_eq(rule->name, "a-1");
		ck_assert_int_eq(rule->reason, REASON_RATE_LIMITED);
		ck_assert_str_eq(rule->status, "*.7.1");
		ck_assert_uint_eq(rule->code, 451);
		ck_assert(rule->is_vague);
		ck_assert_str_eq(rule->phrases[0], "red door of @");
		ck_assert_str_eq(rule->phrases[1], " é ß");
		ck_assert_ptr_null(rule->phrases[2]);
		rule_text_done(rules);
	}
END_TEST

static const char *decider(const struct classifier *classifier, const char *text)
{
	const struct evidence evidence = { .text = view_of(text), .is_final = true };
	struct finding finding;
	classify(classifier, &evidence, &finding);
	return finding.rule;
}

START_TEST(own_rules_come_first_and_can_be_replaced)
	{
		struct classifier *classifier, *fresh;
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert_int_eq(classifier_new_with(VIEW_LIT(SOUND), &classifier, &why), ERR_OK);
		const char *before = decider(classifier, "552 over quota behind the red door");
		ck_assert_str_eq(before, "a");
		ck_assert_str_eq(decider(classifier, "552 over quota"), "mailbox-full");
		size_t count = classifier_rule_count(classifier);
		ck_assert_int_eq(classifier_new(&fresh), ERR_OK);
		classifier_replace(classifier, fresh);
		ck_assert_str_eq(decider(classifier, "552 over quota behind the red door"), "mailbox-full");
		ck_assert_uint_eq(classifier_rule_count(classifier), count - 1);
		ck_assert_str_eq(before, "a"); /* the name that was given out is still there */
		classifier_done(classifier);
	}
END_TEST

static const struct {
	const char *label, *rule, *text, *line;
} lines[] = {
	{ "the line with the words", "mailbox-full", "Sorry.\n 552 Mailbox full \nBye.", "552 Mailbox full" },
	{ "words over the end of a line", "mailbox-full", "Sorry.\nThe mailbox is\nfull now\nBye.",
	  "The mailbox is\nfull now" },
	{ "a rule of codes", "status-user", "Sorry.\n550 5.1.1 no\n", "550 5.1.1 no" },
	{ "the code stood elsewhere", "status-user", " no ", "no" },
	{ "the words stood elsewhere", "mailbox-full", "\nno\n", "no" },
	{ "no rule", "none", "552 Mailbox full", "" },
	{ "no text", "mailbox-full", "", "" },
};

START_TEST(the_line_that_decided_is_found)
	{
		struct classifier *classifier;
		ck_assert_int_eq(classifier_new(&classifier), ERR_OK);
		for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
			struct view line = classify_line(classifier, lines[i].rule, view_of(lines[i].text));
			ck_row(lines[i].label, view_eq(line, view_of(lines[i].line)));
		}
		classifier_done(classifier);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { what_is_sound_and_what_is_told, a_rule_is_read_as_it_is_written,
				       own_rules_come_first_and_can_be_replaced, the_line_that_decided_is_found };
	return suite_of("rule_text", tests, ARRAY_LEN(tests));
}
