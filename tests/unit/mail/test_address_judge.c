#include "mail/address_judge.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "mail/address.h"
#include "tests/support/unit.h"

#define RULE(of_kind, does, text, means)                                                                               \
	{                                                                                                              \
		.kind = of_kind, .action = does, .value = { text, sizeof(text) - 1 }, .hint = {                        \
			means,                                                                                         \
			sizeof(means) - 1                                                                              \
		}                                                                                                      \
	}

static const struct address_rule rules[] = {
	RULE(ADDRESS_ROLE, ADDRESS_WARN, "info", ""),
	RULE(ADDRESS_ROLE, ADDRESS_REFUSE, "noreply", ""),
	RULE(ADDRESS_ROLE, ADDRESS_OFF, "hello", ""),
	RULE(ADDRESS_DISPOSABLE, ADDRESS_WARN, "trash.example", ""),
	RULE(ADDRESS_DISPOSABLE, ADDRESS_OFF, "fine.trash.example", ""),
	RULE(ADDRESS_DISPOSABLE, ADDRESS_REFUSE, "bad.fine.trash.example", ""),
	RULE(ADDRESS_DISPOSABLE, ADDRESS_OFF, "off.example", ""),
	RULE(ADDRESS_TYPO, ADDRESS_WARN, "*", ""),
	RULE(ADDRESS_TYPO, ADDRESS_REFUSE, "exmaple.org", "example.org"),
	RULE(ADDRESS_TYPO, ADDRESS_OFF, "gmal.com", ""),
	/* The first one counts. */
	RULE(ADDRESS_ROLE, ADDRESS_REFUSE, "info", ""),
};

static const struct row {
	const char *label, *key, *findings; /* "kind action hint;" of each */
} rows[] = {
	{ "nobody special", "jane@example.org", "" },
	{ "a role", "info@example.org", "role warn ;" },
	{ "a role with a sub-address", "info+news@example.org", "role warn ;" },
	{ "a role that is refused", "noreply@example.org", "role refuse ;" },
	{ "a role that is switched off", "hello@example.org", "" },
	{ "a local part that begins like one", "information@example.org", "" },
	{ "a sub-address alone", "+info@example.org", "" },
	{ "a disposable domain", "jane@trash.example", "disposable warn ;" },
	{ "one below it", "jane@a.b.trash.example", "disposable warn ;" },
	{ "one that ends alike", "jane@nottrash.example", "" },
	{ "an exception", "jane@fine.trash.example", "" },
	{ "below the exception", "jane@x.fine.trash.example", "" },
	{ "an exception from the exception", "jane@x.bad.fine.trash.example", "disposable refuse ;" },
	{ "a rule that is switched off", "jane@off.example", "" },
	{ "a slip", "jane@gmial.com", "typo warn gmail.com;" },
	{ "a slip with www", "jane@www.gmail.com", "typo warn gmail.com;" },
	{ "a slip of a row", "jane@exmaple.org", "typo refuse example.org;" },
	{ "a slip that is none", "jane@gmal.com", "" },
	{ "a star is no domain", "jane@*", "typo warn ;" },
	{ "role and disposable", "info@trash.example", "role warn ;disposable warn ;" },
	{ "role and slip", "info@gmial.com", "role warn ;typo warn gmail.com;" },
	{ "no @", "info", "role warn ;" },
	{ "empty", "", "" },
};

static struct address_judge *judge_of(const struct address_rule *list, size_t count)
{
	struct address_judge *judge = address_judge_new();
	ck_assert_ptr_nonnull(judge);
	for (size_t i = 0; i < count; i++)
		ck_assert(address_judge_add(judge, &list[i]) == ERR_OK);
	return judge;
}

static void check(struct address_judge *judge, const char *label, const char *key, const char *expected)
{
	struct address_finding findings[ADDRESS_RULE_KIND_COUNT];
	AUTO_BUF text = buf_with_ceiling(LIMIT_WHY);
	size_t count = address_judge_ask(judge, view_of(key), findings);
	bool refuses = false;
	for (size_t i = 0; i < count; i++) {
		buf_addf(&text, "%s %s " VIEW_FMT ";", address_rule_kind_name(findings[i].kind),
			 address_rule_action_name(findings[i].action), VIEW_ARG(findings[i].hint));
		refuses |= findings[i].action == ADDRESS_REFUSE;
	}
	ck_assert_msg(view_eq(buf_view(&text), view_of(expected)), "%s: got %s", label, buf_text(&text));
	ck_row(label, address_findings_refuse(findings, count) == refuses);
}

/* Twice, since the second answer about a domain is remembered. */
START_TEST(each_address_by_its_rules)
	{
		struct address_judge *judge = judge_of(rules, ARRAY_LEN(rules));
		for (size_t round = 0; round < 2; round++) {
			for (size_t i = 0; i < ARRAY_LEN(rows); i++)
				check(judge, rows[i].label, rows[i].key, rows[i].findings);
		}
		address_judge_free(judge);
	}
END_TEST

START_TEST(without_rules_nothing_is_said)
	{
		struct address_judge *judge = judge_of(NULL, 0);
		check(judge, "slip", "jane@gmial.com", "");
		check(judge, "role", "postmaster@example.org", "");
		address_judge_free(judge);
		address_judge_free(NULL);
	}
END_TEST

START_TEST(slips_may_be_refused_or_switched_off)
	{
		static const struct address_rule refused = RULE(ADDRESS_TYPO, ADDRESS_REFUSE, "*", "");
		static const struct address_rule off = RULE(ADDRESS_TYPO, ADDRESS_OFF, "*", "");
		struct address_judge *judge = judge_of(&refused, 1);
		check(judge, "refused", "jane@gmial.com", "typo refuse gmail.com;");
		address_judge_free(judge);
		judge = judge_of(&off, 1);
		check(judge, "off", "jane@gmial.com", "");
		address_judge_free(judge);
	}
END_TEST

START_TEST(a_rule_added_later_counts_at_once)
	{
		static const struct address_rule later = RULE(ADDRESS_DISPOSABLE, ADDRESS_WARN, "later.example", "");
		struct address_judge *judge = judge_of(rules, ARRAY_LEN(rules));
		check(judge, "before", "jane@later.example", "");
		ck_assert(address_judge_add(judge, &later) == ERR_OK);
		check(judge, "after", "jane@later.example", "disposable warn ;");
		address_judge_free(judge);
	}
END_TEST

/* A domain as long as may be, and longer than what is remembered. */
START_TEST(long_domains_are_judged_like_others)
	{
		struct address_judge *judge = judge_of(rules, ARRAY_LEN(rules));
		char key[LIMIT_ADDRESS + 1] = "jane@";
		while (strlen(key) + 2 + sizeof("trash.example") < sizeof(key))
			memcpy(key + strlen(key), "a.", sizeof("a."));
		memcpy(key + strlen(key), "trash.example", sizeof("trash.example"));
		check(judge, "first", key, "disposable warn ;");
		check(judge, "another between", "jane@example.org", "");
		check(judge, "again", key, "disposable warn ;");
		key[strlen(key) - 1] = 'x';
		check(judge, "its neighbour", key, "");
		address_judge_free(judge);
	}
END_TEST

static enum err add_numbered(struct address_judge *judge, unsigned number)
{
	char value[32];
	snprintf(value, sizeof(value), "d%u.example", number);
	const struct address_rule rule = { .kind = ADDRESS_DISPOSABLE,
					   .action = ADDRESS_WARN,
					   .value = view_of(value) };
	return address_judge_add(judge, &rule);
}

START_TEST(many_rules_up_to_the_ceiling)
	{
		struct address_judge *judge = judge_of(NULL, 0);
		for (unsigned i = 0; i < LIMIT_ADDRESS_RULES; i++)
			ck_assert(add_numbered(judge, i) == ERR_OK);
		ck_assert(add_numbered(judge, LIMIT_ADDRESS_RULES) == ERR_TOO_BIG);
		check(judge, "first", "jane@d0.example", "disposable warn ;");
		check(judge, "last", "jane@d99999.example", "disposable warn ;");
		check(judge, "none", "jane@d100000.example", "");
		address_judge_free(judge);
	}
END_TEST

START_TEST(findings_are_told_in_words)
	{
		static const struct {
			const char *key, *words;
		} told[] = {
			{ "info+x@example.org", "info@ is a role" },
			{ "jane@a.trash.example", "a.trash.example gives mailboxes to throw away" },
			{ "jane@gmial.com", "gmial.com is probably gmail.com mistyped" },
		};
		struct address_judge *judge = judge_of(rules, ARRAY_LEN(rules));
		for (size_t i = 0; i < ARRAY_LEN(told); i++) {
			struct address_finding findings[ADDRESS_RULE_KIND_COUNT];
			AUTO_BUF text = buf_with_ceiling(LIMIT_WHY);
			ck_assert_uint_eq(address_judge_ask(judge, view_of(told[i].key), findings), 1);
			address_finding_text(&findings[0], view_of(told[i].key), &text);
			ck_assert_msg(view_starts(buf_view(&text), view_of(told[i].words)), "%s", buf_text(&text));
		}
		address_judge_free(judge);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { each_address_by_its_rules,
				       without_rules_nothing_is_said,
				       slips_may_be_refused_or_switched_off,
				       a_rule_added_later_counts_at_once,
				       long_domains_are_judged_like_others,
				       many_rules_up_to_the_ceiling,
				       findings_are_told_in_words };
	return suite_of("address_judge", tests, ARRAY_LEN(tests));
}
