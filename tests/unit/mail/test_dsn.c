#include "mail/dsn.h"

#include "mail/arf.h"
#include "mail/fields.h"
#include "tests/support/unit.h"

struct row {
	const char *label, *text;
	size_t count;
	enum dsn_action action; /* of the first recipient, like what follows */
	const char *final, *original, *status, *mta, *envelope_id;
};

static const struct row rows[] = {
	{ "as in the RFC",
	  "Reporting-MTA: dns; relay.example\r\nOriginal-Envelope-Id: QQ314159\r\n\r\n"
	  "Original-Recipient: rfc822;a@example.org\r\nFinal-Recipient: rfc822;b@example.net\r\nAction: failed\r\n"
	  "Status: 5.1.1\r\n",
	  1, DSN_FAILED, "b@example.net", "a@example.org", "5.1.1", "relay.example", "QQ314159" },
	{ "LF, lower case, spaces",
	  "reporting-mta : DNS;  x\n\nfinal-recipient: RFC822 ; <a@b.c>\naction: Delayed\nstatus: 4.4.1 (no)\n", 1,
	  DSN_DELAYED, "a@b.c", "", "4.4.1", "x", "" },
	{ "CR alone", "Reporting-MTA: dns; x\r\rFinal-Recipient: rfc822; a@b.c\rAction: relayed\r", 1, DSN_RELAYED,
	  "a@b.c", "", "", "x", "" },
	{ "several recipients",
	  "X: y\n\nFinal-Recipient: rfc822; a@b\nAction: failed\n\n\n\nFinal-Recipient: rfc822; c@d\nAction: "
	  "delivered\n",
	  2, DSN_FAILED, "a@b", "", "", "", "" },
	{ "no blank lines between",
	  "Reporting-MTA: dns; x\nFinal-Recipient: rfc822; a@b\nAction: expanded\nFinal-Recipient: rfc822; c@d\n", 2,
	  DSN_EXPANDED, "a@b", "", "", "x", "" },
	{ "folded", "Final-Recipient: rfc822;\n a@b\nAction:\n\tfailed (really)\n", 1, DSN_FAILED, "a@b", "", "", "",
	  "" },
	{ "no type", "Final-Recipient: a@b\nAction: failure\n", 1, DSN_FAILED, "a@b", "", "", "", "" },
	{ "comment", "Final-Recipient: rfc822; a@b (Ann)\nStatus: 5.1.1\n", 1, DSN_UNSTATED, "a@b", "", "5.1.1", "",
	  "" },
	{ "lines that are no field", "hello\n\nnothing\nFinal-Recipient: x; a@b\n", 1, DSN_UNSTATED, "a@b", "", "", "",
	  "" },
	{ "status that is none", "Final-Recipient: x; a@b\nStatus: 9.9.9\n", 1, DSN_UNSTATED, "a@b", "", "", "", "" },
	{ "message only", "Reporting-MTA: dns; x\n", 0, DSN_UNSTATED, "", "", "", "", "" },
	{ "empty", "", 0, DSN_UNSTATED, "", "", "", "", "" },
};

START_TEST(groups_and_fields)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			const struct row *row = &rows[i];
			struct dsn dsn;
			AUTO_BUF status = buf_with_ceiling(16);
			ck_row(row->label, dsn_read(view_of(row->text), &dsn) == (row->count > 0));
			if (row->count == 0)
				continue;
			const struct dsn_recipient *first = &dsn.recipients[0];
			ck_row(row->label, dsn.count == row->count);
			ck_row(row->label, first->action == row->action);
			ck_view_eq(first->final, row->final);
			ck_view_eq(first->original, row->original);
			ck_row(row->label, status_write(first->status, &status) == ERR_OK);
			ck_view_eq(buf_view(&status), row->status);
			ck_view_eq(dsn.reporting_mta, row->mta);
			ck_view_eq(dsn.envelope_id, row->envelope_id);
		}
	}
END_TEST

START_TEST(diagnostics_are_unfolded)
	{
		struct dsn dsn;
		AUTO_BUF text = buf_with_ceiling(256);
		ck_assert(dsn_read(
		    VIEW_LIT("Final-Recipient: rfc822; a@b\nDiagnostic-Code: smtp; 550\r\n   5.1.1\r\n\tno\nX: y\n"),
		    &dsn));
		field_unfold(dsn.recipients[0].diagnostic, &text);
		ck_view_eq(buf_view(&text), "smtp; 550 5.1.1 no");
	}
END_TEST

START_TEST(no_more_recipients_than_there_is_room)
	{
		AUTO_BUF text = buf_with_ceiling(1 << 20);
		struct dsn dsn;
		for (int i = 0; i < 1000; i++)
			buf_addf(&text, "Final-Recipient: rfc822; a%d@example.org\nAction: failed\n\n", i);
		ck_assert(dsn_read(buf_view(&text), &dsn));
		ck_assert_uint_eq(dsn.count, DSN_RECIPIENTS_MAX);
	}
END_TEST

START_TEST(every_action_has_a_word)
	{
		for (unsigned i = 0; i < DSN_ACTION_COUNT; i++)
			ck_assert_ptr_nonnull(dsn_action_name((enum dsn_action)i));
	}
END_TEST

static const struct arf_row {
	const char *label, *type;
	bool is_complaint;
} feedback[] = {
	{ "abuse", "abuse", true },        { "fraud", "fraud", true },        { "virus", "virus", true },
	{ "opt-out", "opt-out", true },    { "other", "other", true },        { "not spam", "not-spam", false },
	{ "auth", "auth-failure", false }, { "capitals", "Not-Spam", false },
};

START_TEST(feedback_types)
	{
		for (size_t i = 0; i < ARRAY_LEN(feedback); i++) {
			AUTO_BUF text = buf_with_ceiling(256);
			struct arf arf;
			buf_addf(&text,
				 "Feedback-Type: %s\nUser-Agent: x/1\nOriginal-Rcpt-To: <a@b>\nOriginal-Mail-From: "
				 "<c+d@e>\n",
				 feedback[i].type);
			ck_row(feedback[i].label, arf_read(buf_view(&text), &arf));
			ck_row(feedback[i].label, arf.is_complaint == feedback[i].is_complaint);
			ck_view_eq(arf.original_recipient, "a@b");
			ck_view_eq(arf.original_sender, "c+d@e");
			ck_view_eq(arf.reporter, "x/1");
		}
		struct arf arf;
		ck_assert(!arf_read(VIEW_LIT("Version: 1\n"), &arf));
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { groups_and_fields, diagnostics_are_unfolded,
				       no_more_recipients_than_there_is_room, every_action_has_a_word, feedback_types };
	return suite_of("dsn", tests, ARRAY_LEN(tests));
}
