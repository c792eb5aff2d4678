#include "mail/address_rule.h"

#include "base/limits.h"
#include "tests/support/unit.h"

static const struct row {
	const char *label;
	enum address_rule_kind kind;
	const char *text, *value, *why; /* one of the two is NULL */
} rows[] = {
	{ "a role", ADDRESS_ROLE, "info", "info", NULL },
	{ "a role in capitals, with blanks", ADDRESS_ROLE, " Info ", "info", NULL },
	{ "a role with its @", ADDRESS_ROLE, "no-reply@", "no-reply", NULL },
	{ "a role in another script", ADDRESS_ROLE, "B\u00dcRO", "b\u00fcro", NULL },
	{ "a whole address", ADDRESS_ROLE, "info@example.org", NULL, "before the @" },
	{ "a sub-address", ADDRESS_ROLE, "info+news", NULL, "without +" },
	{ "a role with a space", ADDRESS_ROLE, "in fo", NULL, "space" },
	{ "no role", ADDRESS_ROLE, "", NULL, "nothing before" },
	{ "an @ alone", ADDRESS_ROLE, "@", NULL, "nothing before" },
	{ "a star is no role", ADDRESS_ROLE, "*", "*", NULL }, /* RFC 5321 has it as atext */
	{ "a domain", ADDRESS_DISPOSABLE, "Trash.Example", "trash.example", NULL },
	{ "a domain with @", ADDRESS_DISPOSABLE, "@trash.example", "trash.example", NULL },
	{ "a domain in another script", ADDRESS_DISPOSABLE, "b\u00fccher.example", "xn--bcher-kva.example", NULL },
	{ "an address for a domain", ADDRESS_DISPOSABLE, "a@trash.example", NULL, "" },
	{ "a star for all disposable ones", ADDRESS_DISPOSABLE, "*", NULL, "" },
	{ "a top-level domain", ADDRESS_DISPOSABLE, "tk", NULL, "no dot" },
	{ "a slip", ADDRESS_TYPO, "GMIAL.com", "gmial.com", NULL },
	{ "all slips", ADDRESS_TYPO, "*", "*", NULL },
};

START_TEST(values_are_compared_in_one_form)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			const struct row *row = &rows[i];
			AUTO_BUF value = buf_with_ceiling(LIMIT_ADDRESS_TEXT), why = buf_with_ceiling(LIMIT_WHY);
			enum err err = address_rule_value(row->kind, view_of(row->text), &value, &why);
			ck_row(row->label, err == (row->value == NULL ? ERR_INVALID : ERR_OK));
			ck_assert_msg(view_eq(buf_view(&value), view_of(row->value)), "%s: %s", row->label,
				      buf_text(&value));
			if (row->why != NULL)
				ck_assert_msg(why.len > 0 && view_find(buf_view(&why), view_of(row->why)) != VIEW_NONE,
					      "%s: %s", row->label, buf_text(&why));
		}
	}
END_TEST

START_TEST(endless_roles_are_refused)
	{
		AUTO_BUF text = buf_with_ceiling(4096), value = buf_with_ceiling(4096),
			 why = buf_with_ceiling(LIMIT_WHY);
		while (text.len < 3000)
			buf_add(&text, VIEW_LIT("aaaaaaaaaa"));
		ck_assert(address_rule_value(ADDRESS_ROLE, buf_view(&text), &value, &why) == ERR_INVALID);
		ck_assert(why.len > 0 && value.len == 0);
	}
END_TEST

START_TEST(names_are_read_back)
	{
		for (int i = 0; i < ADDRESS_RULE_KIND_COUNT; i++) {
			enum address_rule_kind kind = ADDRESS_RULE_KIND_COUNT;
			const char *name = address_rule_kind_name((enum address_rule_kind)i);
			ck_assert_ptr_nonnull(name);
			ck_assert(address_rule_kind_from_name(view_of(name), &kind) && (int)kind == i);
		}
		for (int i = 0; i < ADDRESS_RULE_ACTION_COUNT; i++) {
			enum address_rule_action action = ADDRESS_RULE_ACTION_COUNT;
			const char *name = address_rule_action_name((enum address_rule_action)i);
			ck_assert_ptr_nonnull(name);
			ck_assert(address_rule_action_from_name(view_of(name), &action) && (int)action == i);
		}
		enum address_rule_kind kind;
		enum address_rule_action action;
		ck_assert(!address_rule_kind_from_name(VIEW_LIT("roles"), &kind));
		ck_assert(!address_rule_action_from_name(VIEW_LIT(""), &action));
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { values_are_compared_in_one_form, endless_roles_are_refused,
				       names_are_read_back };
	return suite_of("address_rule", tests, ARRAY_LEN(tests));
}
