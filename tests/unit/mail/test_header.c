#include "mail/header.h"

#include <string.h>

#include <gmime/gmime.h>

#include "base/limits.h"
#include "tests/support/unit.h"

enum { CEILING = 1 << 16, MAX_LINE = 78 };

#define X10 "xxxxxxxxxx"
#define X70 X10 X10 X10 X10 X10 X10 X10

/* Whatever was written: one field, folded, 7-bit where asked, no line of blanks, nothing but CRLF at line ends. */
static void assert_field(const char *label, struct view field, size_t longest)
{
	struct view line;
	ck_row(label, view_ends(field, VIEW_LIT("\r\n")));
	for (size_t number = 0; view_cut(&field, '\n', &line); number++) {
		ck_row(label, view_ends(line, VIEW_LIT("\r")));
		line.len--;
		ck_row(label, !view_has_control(line));
		ck_row(label, line.len <= longest);
		ck_row(label, view_trim(line).len > 0);
		ck_row(label, (line.data[0] == ' ') == (number > 0));
	}
}

static void assert_decodes(const char *label, struct buf *field, const char *text)
{
	const char *value = strchr(buf_text(field), ':') + 1;
	char *unfolded = g_mime_utils_header_unfold(value);
	char *decoded = g_mime_utils_header_decode_text(NULL, unfolded);
	ck_assert_msg(strcmp(g_strstrip(decoded), text) == 0, "%s: \"%s\" reads \"%s\"", label, value, decoded);
	g_free(decoded);
	g_free(unfolded);
}

struct row {
	const char *label, *text, *field; /* field NULL: only that it decodes to text */
};

static const struct row text_rows[] = {
	{ "plain", "News of May", "Subject: News of May\r\n" },
	{ "blanks at the ends", "  News  ", "Subject: News\r\n" },
	{ "blanks inside", "a  b   c", "Subject: a  b   c\r\n" },
	{ "empty", "", "Subject:\r\n" },
	{ "umlaut, Q", "M\u00fcller and a lot of plain words",
	  "Subject: =?utf-8?Q?M=C3=BCller?= and a lot of plain words\r\n" },
	{ "Chinese, B", "\u4f8b\u5b50", "Subject: =?utf-8?B?5L6L5a2Q?=\r\n" },
	{ "plain, encoded, plain", "one zw\u00f6lf three", "Subject: one =?utf-8?B?enfDtmxm?= three\r\n" },
	{ "space between encoded words", "\u00e4 \u00f6", "Subject: =?utf-8?B?w6Qgw7Y=?=\r\n" },
	{ "two spaces before an encoded word", "a  \u00f6", "Subject: a =?utf-8?B?IMO2?=\r\n" },
	{ "looks encoded", "=?utf-8?Q?=0D=0ABcc:_x?=", NULL },
	{ "looks encoded, inside a word", "x=?utf-8?Q?a?=", NULL },
	{ "folds", X70 " " X70 " " X70, "Subject:\r\n " X70 "\r\n " X70 "\r\n " X70 "\r\n" },
	{ "folds between words", "a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j k l m n o p",
	  NULL },
	{ "a word too long to fold", X70 X70, NULL },
	{ "spaces too many to fold",
	  "a                                                                                   b", NULL },
	{ "long umlauts",
	  "\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc"
	  "\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc"
	  "\u00fc",
	  NULL },
	{ "long, both encodings",
	  "Gr\u00fc\u00dfe aus M\u00fcnchen an alle, die das hier lesen, und an alle anderen auch, \U0001f600", NULL },
	{ "emoji",
	  "\U0001f600\U0001f600\U0001f600\U0001f600\U0001f600\U0001f600\U0001f600\U0001f600\U0001f600\U0001f600"
	  "\U0001f600"
	  "\U0001f600\U0001f600\U0001f600\U0001f600\U0001f600\U0001f600\U0001f600\U0001f600\U0001f600\U0001f600",
	  NULL },
	{ "every printable", "!\"#$%&'()*+,-./0123456789:;<=>?@[\\]^_`{|}~ \u00fc", NULL },
};

START_TEST(texts)
	{
		for (size_t i = 0; i < ARRAY_LEN(text_rows); i++) {
			const struct row *row = &text_rows[i];
			AUTO_BUF out = buf_with_ceiling(CEILING);
			ck_row(row->label, header_write_text(VIEW_LIT("Subject"), view_of(row->text), &out) == ERR_OK);
			if (row->field != NULL)
				ck_view_eq(buf_view(&out), row->field);
			assert_field(row->label, buf_view(&out), MAX_LINE);
			ck_row(row->label, view_is_ascii(buf_view(&out)));
			if (strstr(row->label, "blanks") == NULL && strcmp(row->label, "folds") != 0)
				assert_decodes(row->label, &out, row->text);
		}
	}
END_TEST

/* Every encoded word is at most 75 long and holds whole characters (RFC 2047 sections 2 and 5). */
START_TEST(encoded_words_stand_alone)
	{
		static const char *const characters[] = { "\u00fc", "\u4f8b", "\U0001f600", "a\u0308", "\u00fc " };
		for (size_t i = 0; i < ARRAY_LEN(characters); i++) {
			AUTO_BUF text = buf_with_ceiling(CEILING);
			AUTO_BUF out = buf_with_ceiling(CEILING);
			struct view line;
			for (size_t count = 0; count < 100; count++)
				buf_add(&text, view_of(characters[i]));
			ck_assert(header_write_text(VIEW_LIT("Subject"), buf_view(&text), &out) == ERR_OK);
			struct view rest = buf_view(&out);
			while (view_cut_line(&rest, &line)) {
				size_t at = view_find(line, VIEW_LIT("=?"));
				ck_assert(at != VIEW_NONE);
				AUTO_BUF word = buf_with_ceiling(CEILING);
				buf_add(&word, view_skip(line, at));
				ck_assert_uint_le(word.len, 75);
				char *decoded = g_mime_utils_header_decode_text(NULL, buf_text(&word));
				ck_assert(view_is_utf8(view_of(decoded)) && strstr(decoded, "\ufffd") == NULL);
				ck_assert(strncmp(decoded, "=?", 2) != 0);
				g_free(decoded);
			}
		}
	}
END_TEST

static const struct {
	const char *label, *display, *address, *field;
} mailbox_rows[] = {
	{ "bare", "", "jane@example.org", "To: jane@example.org\r\n" },
	{ "blank name", "  ", "jane@example.org", "To: jane@example.org\r\n" },
	{ "name", "Jane Doe", "jane@example.org", "To: \"Jane Doe\" <jane@example.org>\r\n" },
	{ "quotes", "Jane \"JD\" Doe", "jane@example.org", "To: \"Jane \\\"JD\\\" Doe\" <jane@example.org>\r\n" },
	{ "backslash at the end", "Jane\\", "jane@example.org", "To: \"Jane\\\\\" <jane@example.org>\r\n" },
	{ "an address in the name", "boss@example.com <boss@example.com>,", "jane@example.org",
	  "To: \"boss@example.com <boss@example.com>,\" <jane@example.org>\r\n" },
	{ "comment and group", "a: b; (c)", "jane@example.org", "To: \"a: b; (c)\" <jane@example.org>\r\n" },
	{ "umlaut", "J\u00fcrgen", "jane@example.org", "To: =?utf-8?Q?J=C3=BCrgen?= <jane@example.org>\r\n" },
	{ "looks encoded", "=?utf-8?Q?a?=", "jane@example.org",
	  "To: =?utf-8?B?PT91dGYtOD9RP2E/PQ==?= <jane@example.org>\r\n" },
	{ "international address", "", "jos\u00e9@example.org", "To: jos\u00e9@example.org\r\n" },
	{ "folds in quotes", X10 X10 X10 " " X10 X10 X10 " " X10 X10, "jane@example.org",
	  "To: \"" X10 X10 X10 " " X10 X10 X10 "\r\n " X10 X10 "\" <jane@example.org>\r\n" },
	{ "folds before the address", X10 X10 X10 " " X10 X10, "jane@example-example-example.org",
	  "To: \"" X10 X10 X10 " " X10 X10 "\"\r\n <jane@example-example-example.org>\r\n" },
	{ "many quotes", "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"",
	  "jane@example.org", NULL },
};

START_TEST(mailboxes)
	{
		for (size_t i = 0; i < ARRAY_LEN(mailbox_rows); i++) {
			AUTO_BUF out = buf_with_ceiling(CEILING);
			const char *label = mailbox_rows[i].label;
			ck_row(label, header_write_mailbox(VIEW_LIT("To"), view_of(mailbox_rows[i].display),
							   view_of(mailbox_rows[i].address), &out) == ERR_OK);
			if (mailbox_rows[i].field != NULL)
				ck_view_eq(buf_view(&out), mailbox_rows[i].field);
			assert_field(label, buf_view(&out), MAX_LINE);
			char *unfolded = g_mime_utils_header_unfold(strchr(buf_text(&out), ':') + 1);
			InternetAddressList *list = internet_address_list_parse(NULL, unfolded);
			ck_row(label, internet_address_list_length(list) == 1);
			InternetAddress *parsed = internet_address_list_get_address(list, 0);
			ck_row(label, strcmp(internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(parsed)),
					     mailbox_rows[i].address) == 0);
			const char *name = internet_address_get_name(parsed);
			ck_row(label, view_eq(view_of(name), view_trim(view_of(mailbox_rows[i].display))));
			g_object_unref(list);
			g_free(unfolded);
		}
	}
END_TEST

START_TEST(identifiers)
	{
		AUTO_BUF out = buf_with_ceiling(CEILING);
		ck_assert(header_write_id(VIEW_LIT("List-Id"), VIEW_LIT("The News"), VIEW_LIT("news.example.org"),
					  &out) == ERR_OK);
		ck_assert(header_write_id(VIEW_LIT("List-Id"), VIEW_LIT(""), VIEW_LIT("news.example.org"), &out) ==
			  ERR_OK);
		ck_assert(header_write_plain(VIEW_LIT("Precedence"), VIEW_LIT("bulk"), &out) == ERR_OK);
		ck_view_eq(buf_view(&out), "List-Id: \"The News\" <news.example.org>\r\nList-Id: <news.example.org>\r\n"
					   "Precedence: bulk\r\n");
	}
END_TEST

static const struct {
	const char *label;
	struct view value;
	const char *why;
} hostile[] = {
	{ "CRLF", { "Jane\r\nBcc: x", 12 }, "the value holds a line end" },
	{ "CR", { "Jane\rBcc: x", 11 }, "holds a line end" },
	{ "LF", { "Jane\nBcc: x", 11 }, "holds a line end" },
	{ "LF at the end", { "Jane\n", 5 }, "holds a line end" },
	{ "NUL", { "Jane\0x", 6 }, "holds a NUL" },
	{ "tab", { "Jane\tDoe", 8 }, "holds a control character" },
	{ "escape", { "Jane\x1b[2J", 8 }, "holds a control character" },
	{ "DEL", { "Jane\x7f", 5 }, "holds a control character" },
	{ "next line",
	  { "Jane\xc2\x85"
	    "Bcc: x",
	    12 },
	  "holds a control character" },
	{ "line separator",
	  { "Jane\xe2\x80\xa8"
	    "Bcc",
	    10 },
	  "U+2028" },
	{ "paragraph separator",
	  { "Jane\xe2\x80\xa9"
	    "Bcc",
	    10 },
	  "U+2028" },
	{ "lone surrogate", { "Jane\xed\xa0\x80", 7 }, "not valid UTF-8" },
	{ "cut character", { "Jane\xc3", 5 }, "not valid UTF-8" },
	{ "overlong line feed",
	  { "Jane\xc0\x8a"
	    "Bcc",
	    9 },
	  "not valid UTF-8" },
};

START_TEST(hostile_data)
	{
		for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
			const char *label = hostile[i].label;
			struct view value = hostile[i].value;
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			AUTO_BUF out = buf_with_ceiling(CEILING);
			buf_add(&out, VIEW_LIT("kept"));
			ck_row(label, header_check(VIEW_LIT("the value"), value, &why) == ERR_INVALID);
			ck_row(label, !header_fits(value));
			ck_assert_msg(strstr(buf_text(&why), hostile[i].why) != NULL, "%s: %s", label, buf_text(&why));
			ck_row(label, !view_has_control(buf_view(&why)) && view_is_utf8(buf_view(&why)));
			ck_row(label, header_write_text(VIEW_LIT("Subject"), value, &out) == ERR_INVALID);
			ck_row(label, header_write_plain(VIEW_LIT("Subject"), value, &out) == ERR_INVALID);
			ck_row(label, header_write_mailbox(VIEW_LIT("To"), value, VIEW_LIT("a@example.org"), &out) ==
					  ERR_INVALID);
			ck_row(label,
			       header_write_mailbox(VIEW_LIT("To"), VIEW_LIT("Jane"), value, &out) == ERR_INVALID);
			ck_row(label, header_write_mailbox(VIEW_LIT("To"), VIEW_LIT(""), value, &out) == ERR_INVALID);
			ck_row(label, header_write_id(VIEW_LIT("List-Id"), VIEW_LIT(""), value, &out) == ERR_INVALID);
			ck_view_eq(buf_view(&out), "kept");
		}
	}
END_TEST

START_TEST(lengths)
	{
		AUTO_BUF value = buf_with_ceiling(CEILING);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		for (size_t i = 0; i < LIMIT_HEADER_VALUE; i++)
			buf_add(&value, VIEW_LIT("\u4f8b"));
		ck_assert(header_check(VIEW_LIT("x"), buf_view(&value), &why) == ERR_OK);
		ck_assert(header_fits(buf_view(&value)));
		buf_add_byte(&value, 'x');
		ck_assert(header_check(VIEW_LIT("x"), buf_view(&value), &why) == ERR_INVALID);
		ck_assert(!header_fits(buf_view(&value)));
		ck_assert(strstr(buf_text(&why), "x has 201 characters") != NULL);
	}
END_TEST

START_TEST(ceiling)
	{
		AUTO_BUF out = buf_with_ceiling(30);
		buf_add(&out, VIEW_LIT("kept"));
		ck_assert(header_write_text(VIEW_LIT("Subject"), view_of(X70), &out) == ERR_TOO_BIG);
		ck_view_eq(buf_view(&out), "kept");
	}
END_TEST

START_TEST(encoded_words)
	{
		static const struct {
			const char *text;
			bool has;
		} rows[] = {
			{ "=?utf-8?Q?J=C3=B6rg?=", true },
			{ "a=?ISO-8859-1*de?b?SvZyZw==?=b", true },
			{ "=?x =?utf-8?q?"
			  "?=",
			  true },
			{ "", false },
			{ "=?", false },
			{ "=?utf-8?Q?J=C3", false },
			{ "=?utf-8?Q?J?", false },
			{ "=?utf-8?X?J?=", false },
			{ "=?utf-8?QQ?J?=", false },
			{ "=??Q?J?=", false },
			{ "=?utf-8?Q?a b?=", false },
			{ "2 =? 3 ?= 4", false },
			{ "https://x.test/?a=?b?c?d?=", false },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			ck_assert_msg(header_has_encoded_word(view_of(rows[i].text)) == rows[i].has, "%s",
				      rows[i].text);
	}
END_TEST

Suite *test_suite(void)
{
	g_mime_init();
	const TTest *const tests[] = {
		encoded_words, texts, encoded_words_stand_alone, mailboxes, identifiers, hostile_data, lengths, ceiling,
	};
	return suite_of("header", tests, ARRAY_LEN(tests));
}
