#include "mail/text_report.h"

#include "tests/support/unit.h"

struct row {
	const char *label, *text;
	const char *recipients; /* joined with spaces */
	const char *diagnostic, *returned;
};

static const struct row rows[] = {
	{ "qmail",
	  "Hi.\n\n<a@x.example>:\nSorry, no mailbox here. (#5.1.1)\n\n--- Below this line is a copy of the "
	  "message.\n\nReturn-Path: <b@y>\n",
	  "a@x.example", "<a@x.example>:\nSorry, no mailbox here. (#5.1.1)",
	  "--- Below this line is a copy of the message.\n\nReturn-Path: <b@y>\n" },
	{ "Exim", "The following address(es) failed:\n\n  a@x.example\n    Unrouteable address\n\nBye\n", "a@x.example",
	  "a@x.example\n    Unrouteable address", "" },
	{ "reason behind a blank line", "These failed:\n\na@x.example\n\n550 no\n\nBye\n", "a@x.example",
	  "a@x.example\n\n550 no", "" },
	{ "reason on the line itself", "These failed:\n\na@x.example: 450 4.4.1 no\n\nThis is a temporary failure.\n",
	  "a@x.example", "a@x.example: 450 4.4.1 no", "" },
	{ "sendmail",
	  "   ----- The following addresses had errors -----\n<a@x.example>\n<b@x.example>\n\n"
	  "   ----- Transcript -----\n550 <a@x.example>... User unknown\n",
	  "a@x.example b@x.example", "<a@x.example>\n<b@x.example>", "" },
	{ "reply only", "RCPT gave: 550 <a@x.example> no\n", "a@x.example", "RCPT gave: 550 <a@x.example> no", "" },
	{ "label", "Your mail could not be delivered to a@x.example today.\nFor help contact b@x.example.\n",
	  "a@x.example", "Your mail could not be delivered to a@x.example today.\nFor help contact b@x.example.", "" },
	{ "once only", "<a@x.example>: no\n<A@X.example>: no\n", "a@x.example", "<a@x.example>: no\n<A@X.example>: no",
	  "" },
	{ "not the postmaster", "For assistance write to <postmaster@x.example>\n<a@x.example>: no\n", "a@x.example",
	  "<a@x.example>: no", "" },
	{ "unless nobody else", "<postmaster@x.example>: no\n", "postmaster@x.example", "<postmaster@x.example>: no",
	  "" },
	{ "quoted local part", "<\"a b\"@x.example>: no\n", "\"a b\"@x.example", "<\"a b\"@x.example>: no", "" },
	{ "nobody", "Something went wrong.\n550 5.1.1 no\n", "", "550 5.1.1 no", "" },
	{ "header quoted", "Gone: <a@x.example>\nReceived: by x\nTo: b@x.example\n", "a@x.example",
	  "Gone: <a@x.example>", "Received: by x\nTo: b@x.example\n" },
	{ "empty", "", "", "", "" },
};

START_TEST(who_failed_and_why)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			const struct row *row = &rows[i];
			struct text_report report;
			AUTO_BUF recipients = buf_with_ceiling(1024);
			text_report_read(view_of(row->text), NULL, 0, &report);
			for (size_t j = 0; j < report.count; j++)
				buf_addf(&recipients, "%s" VIEW_FMT, j > 0 ? " " : "", VIEW_ARG(report.recipients[j]));
			ck_assert_msg(view_eq(buf_view(&recipients), view_of(row->recipients)), "%s: " VIEW_FMT,
				      row->label, VIEW_ARG(buf_view(&recipients)));
			ck_assert_msg(view_eq(report.diagnostic, view_of(row->diagnostic)), "%s: " VIEW_FMT, row->label,
				      VIEW_ARG(report.diagnostic));
			ck_assert_msg(view_eq(report.returned, view_of(row->returned)), "%s: " VIEW_FMT, row->label,
				      VIEW_ARG(report.returned));
		}
	}
END_TEST

START_TEST(ignored_addresses_give_way)
	{
		struct view ignored[] = { VIEW_LIT("news@x.example") };
		struct text_report report;
		text_report_read(VIEW_LIT("<news@x.example>: yours\n<a@x.example>: no\n"), ignored, 1, &report);
		ck_assert_uint_eq(report.count, 1);
		ck_view_eq(report.recipients[0], "a@x.example");
	}
END_TEST

static const struct address_row {
	const char *label, *text, *address; /* NULL: none */
} addresses[] = {
	{ "brackets", "<a@b.example>", "a@b.example" },
	{ "end of a sentence", "to a@b.example.", "a@b.example" },
	{ "quotes", "'a@b.example'", "a@b.example" },
	{ "plus and equals", "b+x=y@b.example", "b+x=y@b.example" },
	{ "mail link", "mailto:a@b.example?x", "a@b.example" },
	{ "no local part", "see @b.example", NULL },
	{ "no domain", "a@ b", NULL },
	{ "second one", "@ @ a@b.example", "a@b.example" },
};

START_TEST(addresses_in_text)
	{
		for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
			struct view text = view_of(addresses[i].text), before, address;
			ck_row(addresses[i].label,
			       text_cut_address(&text, &before, &address) == (addresses[i].address != NULL));
			if (addresses[i].address != NULL)
				ck_view_eq(address, addresses[i].address);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { who_failed_and_why, ignored_addresses_give_way, addresses_in_text };
	return suite_of("text_report", tests, ARRAY_LEN(tests));
}
