#include "mail/seal.h"

#include <string.h>

#include "base/limits.h"
#include "tests/support/unit.h"

#define HEAD                                                                                                           \
	"From: \"verpost\" <news@x.test>\r\nTo: b+t@bounce.test\r\nSubject: A test of the relay\r\n"                   \
	"Date: Sun, 22 Nov 2026 10:00:00 +0000\r\nMessage-ID: <t@x.test>\r\nList-Id: <l.x.test>\r\n"
#define BODY "This is\r\na text.\r\n\r\nThe end.\r\n"
static const char sent[] = HEAD "\r\n" BODY;

struct row {
	const char *label, *back;
	const char *changes; /* names, a space behind each */
};

static const struct row rows[] = {
	{ "as it was", HEAD "\r\n" BODY, "" },
	{ "trace fields in front", "Return-Path: <a@b>\r\nReceived: by x;\r\n\tnow\r\n" HEAD "\r\n" BODY, "" },
	{ "fields of the relay's own", "DKIM-Signature: v=1\r\n" HEAD "X-Spam: no\r\nSender: x@y\r\n\r\n" BODY, "" },
	{ "folded again",
	  "From:\r\n \"verpost\"\r\n\t<news@x.test>\r\nTO:b+t@bounce.test  \r\nsubject: A test\r\n of the  relay\r\n"
	  "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\nMessage-ID:\r\n <t@x.test>\r\nList-Id: <l.x.test>\r\n\r\n" BODY,
	  "" },
	{ "fields in another order",
	  "List-Id: <l.x.test>\r\nMessage-ID: <t@x.test>\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n"
	  "Subject: A test of the relay\r\nTo: b+t@bounce.test\r\nFrom: \"verpost\" <news@x.test>\r\n\r\n" BODY,
	  "" },
	{ "white space at line ends", HEAD "\r\nThis  is \r\na\ttext.\t \r\n\r\nThe end.\r\n", "" },
	{ "blank lines at the end", HEAD "\r\n" BODY "\r\n \r\n\r\n", "" },
	{ "no line end at the end", HEAD "\r\nThis is\r\na text.\r\n\r\nThe end.", "" },
	{ "a footer", HEAD "\r\n" BODY "-- \r\nScanned.\r\n", "body " },
	{ "a blank line in front", HEAD "\r\n\r\n" BODY, "body " },
	{ "a blank line less", HEAD "\r\nThis is\r\na text.\r\nThe end.\r\n", "body " },
	{ "a line broken", HEAD "\r\nThis\r\nis\r\na text.\r\n\r\nThe end.\r\n", "body " },
	{ "indented", HEAD "\r\n This is\r\na text.\r\n\r\nThe end.\r\n", "body " },
	{ "no body", HEAD "\r\n", "body " },
	{ "only a head without an end", HEAD, "body " },
	{ "a mark",
	  "From: \"verpost\" <news@x.test>\r\nTo: b+t@bounce.test\r\nSubject: [SPAM] A test of the relay\r\n"
	  "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\nMessage-ID: <t@x.test>\r\nList-Id: <l.x.test>\r\n\r\n" BODY,
	  "Subject " },
	{ "other letters",
	  "From: \"Verpost\" <news@x.test>\r\nTo: b+t@bounce.test\r\nSubject: A test of the relay\r\n"
	  "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\nMessage-ID: <t@x.test>\r\nList-Id: <l.x.test>\r\n\r\n" BODY,
	  "From " },
	{ "a second field of a name", "Subject: other\r\n" HEAD "\r\n" BODY, "Subject " },
	{ "added fields", HEAD "Reply-To: a@b\r\nMIME-Version: 1.0\r\n\r\n" BODY, "Reply-To MIME-Version " },
	{ "a field less",
	  "From: \"verpost\" <news@x.test>\r\nTo: b+t@bounce.test\r\nSubject: A test of the relay\r\n"
	  "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\nMessage-ID: <t@x.test>\r\n\r\n" BODY,
	  "List-Id " },
	{ "another Message-ID",
	  "From: \"verpost\" <news@x.test>\r\nTo: b+t@bounce.test\r\nSubject: A test of the relay\r\n"
	  "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@relay.test>\r\nList-Id: <l.x.test>\r\n\r\n" BODY,
	  "Message-ID " },
	{ "nothing", "", "From To Subject Date Message-ID List-Id body " },
};

static void seal(const char *message, struct buf *out)
{
	ck_assert_int_eq(seal_write(view_of(message), out), ERR_OK);
}

/* The word of that name; empty when there is none. */
static struct view word_of(struct view words, const char *name)
{
	struct view word, found;
	while (view_cut(&words, ' ', &word)) {
		struct view rest = word;
		if (view_cut(&rest, '=', &found) && view_eq(found, view_of(name)))
			return word;
	}
	return VIEW_LIT("");
}

START_TEST(what_is_a_change)
	{
		AUTO_BUF before = buf_with_ceiling(LIMIT_SEAL);
		seal(sent, &before);
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF after = buf_with_ceiling(LIMIT_SEAL);
			AUTO_BUF changes = buf_with_ceiling(LIMIT_SEAL);
			seal(rows[i].back, &after);
			for (size_t n = 0; seal_name(n) != NULL; n++) {
				if (!view_eq(word_of(buf_view(&before), seal_name(n)),
					     word_of(buf_view(&after), seal_name(n))))
					buf_addf(&changes, "%s ", seal_name(n));
			}
			ck_assert_msg(view_eq(buf_view(&changes), view_of(rows[i].changes)), "%s: %s", rows[i].label,
				      buf_text(&changes));
			/* What the database compares. */
			ck_row(rows[i].label,
			       view_eq(buf_view(&before), buf_view(&after)) == (*rows[i].changes == '\0'));
		}
	}
END_TEST

/* A mail store's LF, or CR alone. */
START_TEST(line_ends_are_alike)
	{
		AUTO_BUF before = buf_with_ceiling(LIMIT_SEAL);
		seal(sent, &before);
		for (size_t kind = 0; kind < 2; kind++) {
			AUTO_BUF message = buf_with_ceiling(sizeof(sent));
			AUTO_BUF after = buf_with_ceiling(LIMIT_SEAL);
			for (const char *at = sent; *at != '\0'; at++) {
				if (*at != (kind == 0 ? '\r' : '\n'))
					buf_add_byte(&message, *at);
			}
			ck_assert_int_eq(seal_write(buf_view(&message), &after), ERR_OK);
			ck_view_eq(buf_view(&after), buf_text(&before));
		}
	}
END_TEST

/* Each name is looked at, whatever a relay puts in there, and nothing else makes the words longer. */
START_TEST(every_name_counts)
	{
		AUTO_BUF all = buf_with_ceiling(64 << 10);
		AUTO_BUF words = buf_with_ceiling(LIMIT_SEAL);
		for (size_t i = 0; seal_name(i) != NULL; i++) {
			AUTO_BUF one = buf_with_ceiling(LIMIT_SEAL);
			AUTO_BUF field = buf_with_ceiling(LIMIT_WHY);
			buf_addf(&field, "%s: value %zu\r\n", seal_name(i), i);
			ck_assert_int_eq(seal_write(buf_view(&field), &one), ERR_OK);
			ck_row(seal_name(i), word_of(buf_view(&one), seal_name(i)).len == strlen(seal_name(i)) + 33);
			for (size_t k = 0; k < 20; k++)
				buf_add(&all, buf_view(&field));
		}
		for (size_t i = 0; i < 500; i++)
			buf_addf(&all, "List-%zu: x\r\n", i);
		ck_assert_int_eq(buf_err(&all), ERR_OK);
		ck_assert_int_eq(seal_write(buf_view(&all), &words), ERR_OK);
		ck_assert(words.len < LIMIT_SEAL / 2);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { what_is_a_change, line_ends_are_alike, every_name_counts };
	return suite_of("seal", tests, ARRAY_LEN(tests));
}
