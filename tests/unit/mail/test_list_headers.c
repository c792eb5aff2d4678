#include "mail/list_headers.h"

#include <string.h>

#include "base/limits.h"
#include "mail/compose.h"
#include "tests/support/unit.h"

struct value_row {
	const char *label;
	enum list_field field;
	const char *text;
	const char *value; /* NULL: refused */
};

static const struct value_row value_rows[] = {
	{ "a page", LIST_HELP, "https://x.test/help?a=b#c", "<https://x.test/help?a=b#c>" },
	{ "blanks around", LIST_ARCHIVE, "  http://x.test/ ", "<http://x.test/>" },
	{ "mailto with a subject", LIST_HELP, "mailto:help@x.test?subject=help", "<mailto:help@x.test?subject=help>" },
	{ "an address", LIST_OWNER, "Ann@X.test", "<mailto:Ann@x.test>" },
	{ "a URL of an owner", LIST_OWNER, "https://x.test/owner", "<https://x.test/owner>" },
	{ "nobody writes", LIST_POST, "No", "NO" },
	{ "where to write", LIST_POST, "talk@x.test", "<mailto:talk@x.test>" },
	{ "no elsewhere", LIST_HELP, "no", NULL },
	{ "an address where a page is meant", LIST_ARCHIVE, "ann@x.test", NULL },
	{ "another scheme", LIST_HELP, "javascript:alert(1)", NULL },
	{ "another scheme of an owner", LIST_OWNER, "ftp://ann@x.test", NULL },
	{ "a scheme alone", LIST_HELP, "https://", NULL },
	{ "a bracket", LIST_HELP, "https://x.test/>,<https://evil.test/", NULL },
	{ "a comma", LIST_HELP, "https://x.test/a,b", NULL },
	{ "a space", LIST_HELP, "https://x.test/a b", NULL },
	{ "a line end", LIST_HELP, "https://x.test/\r\nBcc: x@x.test", NULL },
	{ "another script", LIST_HELP, "https://x.test/\u00e9", NULL },
	{ "an address that needs encoding", LIST_OWNER, "a%b@x.test", NULL },
};

START_TEST(values_of_rfc_2369)
	{
		for (size_t i = 0; i < ARRAY_LEN(value_rows); i++) {
			const struct value_row *row = &value_rows[i];
			AUTO_BUF value = buf_with_ceiling(LIMIT_WHY);
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			enum err err = list_field_value(row->field, view_of(row->text), &value, &why);
			ck_row(row->label, err == (row->value == NULL ? ERR_INVALID : ERR_OK));
			ck_row(row->label, view_eq(buf_view(&value), view_of(row->value)));
			ck_row(row->label, (why.len > 0) == (row->value == NULL));
		}
		AUTO_BUF value = buf_with_ceiling(LIMIT_MESSAGE);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		buf_add(&value, VIEW_LIT("https://x.test/"));
		while (value.len < LIST_HEADERS_URL_MOST + 1)
			buf_add_byte(&value, 'a');
		ck_assert(list_field_value(LIST_HELP, buf_view(&value), &value, &why) == ERR_INVALID);
	}
END_TEST

struct name_row {
	const char *name;
	bool fits;
};

static const struct name_row name_rows[] = {
	{ "X-Team", true },
	{ "Organization", true },
	{ "CFBL-Address", true },
	{ "x!#$%&'*+-.^_`|~1", true },
	{ "", false },
	{ "X Team", false },
	{ "X:Team", false },
	{ "X-T\u00e9am", false },
	{ "X-\tTeam", false },
	{ "X\r\nBcc", false },
	{ "Xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
	{ "From", false },
	{ "fROM", false },
	{ "Received", false },
	{ "Received-SPF", false },
	{ "DKIM-Signature", false },
	{ "ARC-Seal", false },
	{ "Content-Type", false },
	{ "content-x", false },
	{ "List-Help", false },
	{ "List-Unsubscribe", false },
	{ "Bcc", false },
	{ "Cc", false },
	{ "To", false },
	{ "Sender", false },
	{ "Reply-To", false },
	{ "Subject", false },
	{ "Date", false },
	{ "Message-Id", false },
	{ "MIME-Version", false },
	{ "Return-Path", false },
	{ "Resent-From", false },
	{ "Feedback-ID", false },
	{ "Auto-Submitted", false },
	{ "Precedence", false },
	{ "X-Original-To", false },
	{ "Original-Recipient", false },
	{ "tls-required", false },
	{ "Lines", false },
	{ "Encoding", false },
	{ "X-Lines", true },
};

START_TEST(names)
	{
		for (size_t i = 0; i < ARRAY_LEN(name_rows); i++) {
			const struct name_row *row = &name_rows[i];
			AUTO_BUF lines = buf_with_ceiling(LIMIT_WHY);
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			ck_row(row->name, (list_headers_check_name(view_of(row->name), &why) == ERR_OK) == row->fits);
			ck_row(row->name, (why.len == 0) == row->fits);
			enum err err = list_headers_set(&lines, view_of(row->name), VIEW_LIT("x"), &why);
			ck_row(row->name, (err == ERR_OK) == row->fits && (lines.len > 0) == row->fits);
		}
	}
END_TEST

START_TEST(lines_are_set_and_removed)
	{
		AUTO_BUF lines = buf_with_ceiling(LIMIT_INTAKE_HEAD);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert(list_headers_set(&lines, VIEW_LIT("X-A"), VIEW_LIT("1"), &why) == ERR_OK);
		ck_assert(list_headers_set(&lines, VIEW_LIT("X-B"), VIEW_LIT("a: b"), &why) == ERR_OK);
		ck_assert(list_headers_set(&lines, VIEW_LIT("x-a"), VIEW_LIT("2"), &why) == ERR_OK);
		ck_assert(view_eq(buf_view(&lines), VIEW_LIT("X-B: a: b\nx-a: 2\n")));
		ck_assert(view_eq(list_headers_get(buf_view(&lines), VIEW_LIT("x-b")), VIEW_LIT("a: b")));
		ck_assert(list_headers_set(&lines, VIEW_LIT("X-C"), VIEW_LIT("a\nBcc: x"), &why) == ERR_INVALID);
		ck_assert(list_headers_set(&lines, VIEW_LIT("X-C"), VIEW_LIT("for {{name}}"), &why) == ERR_INVALID);
		ck_assert(list_headers_set(&lines, VIEW_LIT("List-Help"), VIEW_LIT("x"), &why) == ERR_INVALID);
		ck_assert(list_headers_set(&lines, VIEW_LIT("X-B"), VIEW_LIT(""), &why) == ERR_OK);
		ck_assert(list_headers_set(&lines, VIEW_LIT("X-none"), VIEW_LIT(""), &why) == ERR_OK);
		ck_assert(view_eq(buf_view(&lines), VIEW_LIT("x-a: 2\n")));
		for (int i = 1; i < LIST_HEADERS_MOST; i++) {
			char name[] = { 'X', '-', (char)('b' + i), '\0' };
			ck_assert(list_headers_set(&lines, view_of(name), VIEW_LIT("x"), &why) == ERR_OK);
		}
		ck_assert(list_headers_set(&lines, VIEW_LIT("X-more"), VIEW_LIT("x"), &why) == ERR_TOO_BIG);
		ck_assert(list_headers_set(&lines, VIEW_LIT("X-A"), VIEW_LIT("3"), &why) == ERR_OK);
	}
END_TEST

struct written_row {
	const char *label, *lines;
	const char *fields; /* NULL: refused */
};

static const struct written_row written_rows[] = {
	{ "none", "", "" },
	{ "plain", "X-A: b\nList-Help: <https://x.test/>\nList-Post: NO\n",
	  "X-A: b\r\nList-Help: <https://x.test/>\r\nList-Post: NO\r\n" },
	{ "encoded", "X-A: \u00e9\n", "X-A: =?utf-8?B?w6k=?=\r\n" },
	{ "what looks encoded", "X-A: =?utf-8?Q?=0D=0A?=\n", "X-A: =?utf-8?B?PT91dGYtOD9RPz0wRD0wQT89?=\r\n" },
	{ "folded", "X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb cccccccccccccccccc\n",
	  "X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n cccccccccccccccccc\r\n" },
	{ "a From that came into the database", "From: x@x.test\n", NULL },
	{ "a carriage return", "X-A: b\rBcc: x\n", NULL },
	{ "no colon", "X-A\nX-B: c\n", NULL },
	{ "no URL", "List-Owner: <javascript:x>\n", NULL },
	{ "List-Post's word elsewhere", "List-Help: NO\n", NULL },
	{ "another List field", "List-Unsubscribe: <https://x.test/>\n", NULL },
	{ "an empty line", "\nX-A: b\n", NULL },
};

START_TEST(fields_are_checked_again_when_written)
	{
		for (size_t i = 0; i < ARRAY_LEN(written_rows); i++) {
			const struct written_row *row = &written_rows[i];
			AUTO_BUF out = buf_with_ceiling(LIMIT_WHY);
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			enum err err = list_headers_write(view_of(row->lines), &out, &why);
			ck_row(row->label, (err == ERR_OK) == (row->fields != NULL));
			ck_row(row->label, row->fields == NULL || view_eq(buf_view(&out), view_of(row->fields)));
		}
	}
END_TEST

/* ---- in a copy ---- */

struct copy_row {
	const char *label, *base_url;
	const char *has[4]; /* NULL beyond the last */
	const char *lacks;
	bool refused;
};

#define TOKEN "abcdefghijklmnopqrstuvwxyz234567abcdefghijklm"

static const struct copy_row copy_rows[] = {
	{ "by mail alone",
	  "",
	  { "\r\nList-Unsubscribe: <mailto:unsubscribe+" TOKEN "@b.test>\r\n", "\r\nleave: mailto:unsubscribe+",
	    "\r\nX-A: b\r\n" },
	  "List-Unsubscribe-Post",
	  false },
	{ "one click",
	  "https://x.test",
	  { "\r\nList-Unsubscribe: <https://x.test/u/" TOKEN ">,\r\n <mailto:unsubscribe+" TOKEN "@b.test>\r\n",
	    "\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", "\r\nleave: https://x.test/u/" TOKEN "\r\n" },
	  NULL,
	  false },
	{ "below a path",
	  "https://x.test:8443/mail//",
	  { "<https://x.test:8443/mail/u/" TOKEN ">" },
	  "mail//u",
	  false },
	{ "no TLS", "http://x.test", { NULL }, NULL, true },
	{ "no host", "https:///x", { NULL }, NULL, true },
	{ "a scheme alone", "https://", { NULL }, NULL, true },
	{ "a query", "https://x.test/?a=", { NULL }, NULL, true },
	{ "a fragment", "https://x.test/#", { NULL }, NULL, true },
	{ "a bracket", "https://x.test/>", { NULL }, NULL, true },
};

static void check_copy(const struct copy_row *row, struct composer *composer)
{
	const struct copy copy = {
		.address = VIEW_LIT("a@a.test"),
		.message_token = VIEW_LIT("abc"),
		.unsubscribe_token = VIEW_LIT(TOKEN),
		.date_us = 1,
	};
	AUTO_BUF out = buf_with_ceiling(LIMIT_MESSAGE);
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_row(row->label, composer_write(composer, &copy, &out, &why) == ERR_OK);
	for (size_t i = 0; i < ARRAY_LEN(row->has) && row->has[i] != NULL; i++)
		ck_row(row->label, view_find(buf_view(&out), view_of(row->has[i])) != VIEW_NONE);
	ck_row(row->label, row->lacks == NULL || view_find(buf_view(&out), view_of(row->lacks)) == VIEW_NONE);
}

START_TEST(the_https_link_and_its_field_go_together)
	{
		for (size_t i = 0; i < ARRAY_LEN(copy_rows); i++) {
			const struct copy_row *row = &copy_rows[i];
			const struct composition from = {
				.subject = VIEW_LIT("s"),
				.from_address = VIEW_LIT("a@b.test"),
				.list_id = VIEW_LIT("l.b.test"),
				.text_body = VIEW_LIT("leave: {{unsubscribe}}\n"),
				.bounce_domain = VIEW_LIT("b.test"),
				.list_name = VIEW_LIT("l"),
				.campaign_name = VIEW_LIT("c"),
				.list_headers = VIEW_LIT("X-A: b\n"),
				.web_base_url = view_of(row->base_url),
			};
			struct composer *composer = NULL;
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			enum err err = composer_compile(&from, NULL, 0, &composer, &why);
			ck_row(row->label, (err == ERR_OK) != row->refused);
			if (err == ERR_OK)
				check_copy(row, composer);
			else
				ck_row(row->label, view_find(buf_view(&why), VIEW_LIT("web.base_url")) != VIEW_NONE);
			composer_done(composer);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		values_of_rfc_2369,
		names,
		lines_are_set_and_removed,
		fields_are_checked_again_when_written,
		the_https_link_and_its_field_go_together,
	};
	return suite_of("list_headers", tests, ARRAY_LEN(tests));
}
