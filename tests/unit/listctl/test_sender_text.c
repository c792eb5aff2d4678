#include "listctl/sender_text.h"

#include <string.h>

#include "tests/support/unit.h"

static const struct row {
	const char *label, *text;
	const char *name, *address; /* NULL: refused */
	const char *why;
} rows[] = {
	{ "name and address", "The News <news@example.org>", "The News", "news@example.org", NULL },
	{ "address alone", " news@example.org ", "", "news@example.org", NULL },
	{ "address in brackets", "<news@example.org>", "", "news@example.org", NULL },
	{ "quoted name", "\"News, Daily\" <news@example.org>", "News, Daily", "news@example.org", NULL },
	{ "a name with <", "A < B <news@example.org>", "A < B", "news@example.org", NULL },
	{ "UTF-8 name, international domain",
	  "J\xc3\xbcrg <j@b\xc3\xbc"
	  "cher.example>",
	  "J\xc3\xbcrg", "j@xn--bcher-kva.example", NULL },
	{ "no address", "The News", NULL, NULL, "--from: here is no address; write Name <" },
	{ "nothing", "", NULL, NULL, "--from: " },
	{ "empty brackets", "The News <>", NULL, NULL, "--from: " },
	{ "a line break in the name", "A\r\nBcc: x <news@example.org>", NULL, NULL, "control characters" },
	{ "a field in the name", "{{company}} <j@example.org>", NULL, NULL,
	  "--from: a merge field cannot stand here, and {{company}} <j@example.org>" },
	{ "a field in the address", "<{{x}}@example.org>", NULL, NULL, "a merge field cannot stand here" },
	{ "an address that not every relay takes", "News <üser@example.org>", NULL, NULL,
	  "--from: the part before the @ is not ASCII" },
	{ "not UTF-8", "J\xfcrg <j@example.org>", NULL, NULL, "UTF-8" },
};

START_TEST(senders)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			const struct row *row = &rows[i];
			AUTO_BUF name = buf_with_ceiling(256);
			AUTO_BUF address = buf_with_ceiling(512);
			AUTO_BUF why = buf_with_ceiling(1024);
			enum err err = sender_text_parse(view_of(row->text), "--from", &name, &address, &why);
			ck_assert_msg((err == ERR_OK) == (row->address != NULL), "%s: %s", row->label, buf_text(&why));
			if (row->address == NULL) {
				ck_row(row->label, strstr(buf_text(&why), row->why) != NULL);
				continue;
			}
			ck_view_eq(buf_view(&name), row->name);
			ck_view_eq(buf_view(&address), row->address);
			ck_row(row->label, why.len == 0);
		}
	}
END_TEST

START_TEST(a_name_beyond_its_ceiling)
	{
		AUTO_BUF name = buf_with_ceiling(4);
		AUTO_BUF address = buf_with_ceiling(512);
		AUTO_BUF why = buf_with_ceiling(1024);
		ck_assert(sender_text_parse(VIEW_LIT("A long name <a@example.org>"), "--from", &name, &address, &why) ==
			  ERR_TOO_BIG);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { senders, a_name_beyond_its_ceiling };
	return suite_of("sender_text", tests, ARRAY_LEN(tests));
}
