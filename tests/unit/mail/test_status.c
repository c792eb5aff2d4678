#include "mail/status.h"

#include "tests/support/unit.h"

struct row {
	const char *label, *text, *code; /* code NULL: none */
};

static const struct row whole[] = {
	{ "usual", "5.1.1", "5.1.1" },
	{ "success", "2.0.0", "2.0.0" },
	{ "three digits", "4.4.316", "4.4.316" },
	{ "largest", "5.999.999", "5.999.999" },
	{ "empty", "", NULL },
	{ "class 3", "3.1.1", NULL },
	{ "two numbers", "5.1", NULL },
	{ "four numbers", "5.1.1.1", NULL },
	{ "four digits", "5.1.1000", NULL },
	{ "leading zero", "5.01.1", NULL },
	{ "space", "5.1.1 ", NULL },
	{ "no detail", "5.1.", NULL },
	{ "letters", "5.x.1", NULL },
};

static const struct row within[] = {
	{ "reply", "550 5.1.1 <a@b>: unknown", "5.1.1" },
	{ "reply of several lines", "550-5.7.26 no\n550 5.7.26 really", "5.7.26" },
	{ "qmail", "mailbox unavailable (#5.1.1)", "5.1.1" },
	{ "Exchange", "#5.1.1 smtp;550 5.1.1 RESOLVER", "5.1.1" },
	{ "end of a sentence", "The code is 4.2.2.", "4.2.2" },
	{ "the whole text", "5.0.0", "5.0.0" },
	{ "behind an address literal", "[5.1.1.9] said 5.7.1 no", "5.7.1" },
	{ "address literal", "connect to 5.1.1.25 refused", NULL },
	{ "end of an address literal", "connect to 192.5.1.1: refused", NULL },
	{ "version", "Exim 4.5.1a (Debian)", NULL },
	{ "version with a v", "v5.1.1 of the software", NULL },
	{ "host name", "mx-5.1.1.example.org", NULL },
	{ "path", "ESMTP/5.1.1", NULL },
	{ "empty", "", NULL },
	{ "too short", "5.1", NULL },
};

static void check_rows(const struct row *rows, size_t count, bool (*read)(struct view, struct status *))
{
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		struct status status = { .class_digit = 9 };
		bool found = read(view_of(row->text), &status);
		ck_row(row->label, found == (row->code != NULL));
		if (!found) {
			ck_assert_msg(status.class_digit == 9, "%s: the output is untouched", row->label);
			continue;
		}
		AUTO_BUF out = buf_with_ceiling(16);
		ck_row(row->label, status_write(status, &out) == ERR_OK);
		ck_view_eq(buf_view(&out), row->code);
	}
}

START_TEST(parse_takes_the_whole_view)
	{
		check_rows(whole, ARRAY_LEN(whole), status_parse);
	}
END_TEST

START_TEST(find_takes_codes_that_stand_free)
	{
		check_rows(within, ARRAY_LEN(within), status_find);
	}
END_TEST

START_TEST(unset_writes_nothing)
	{
		AUTO_BUF out = buf_with_ceiling(16);
		struct status none = { 0 };
		ck_assert(!status_is_set(none));
		ck_assert(status_write(none, &out) == ERR_OK);
		ck_assert_uint_eq(out.len, 0);
		struct status full = { .class_digit = 5, .subject = 2, .detail = 2 };
		ck_assert(status_is_set(full) && status_is(full, 5, 2, 2));
		ck_assert(!status_is(full, 4, 2, 2) && !status_is(full, 5, 1, 2) && !status_is(full, 5, 2, 1));
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { parse_takes_the_whole_view, find_takes_codes_that_stand_free,
				       unset_writes_nothing };
	return suite_of("status", tests, ARRAY_LEN(tests));
}
