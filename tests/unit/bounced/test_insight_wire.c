#include "bounced/insight_wire.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "mail/report_private.h"
#include "tests/support/unit.h"

static struct classifier *classifier;
static struct intake *intake;
static size_t files;

static void open_reader(void)
{
	ck_assert_int_eq(classifier_new(&classifier), ERR_OK);
	ck_assert_int_eq(intake_new(classifier, &intake), ERR_OK);
}

static void close_reader(void)
{
	intake_done(intake);
	classifier_done(classifier);
}

static void same_view(const char *label, struct view a, struct view b)
{
	ck_row(label, view_eq(a, b));
}

static void same_report(const char *label, const struct report *a, const struct report *b)
{
	const struct finding *one = report_finding(a), *two = report_finding(b);
	ck_row(label, one->kind == two->kind && one->reason == two->reason && one->code == two->code);
	ck_row(label, one->certainty == two->certainty && strcmp(one->rule, two->rule) == 0);
	ck_row(label, one->status.class_digit == two->status.class_digit);
	ck_row(label, one->status.subject == two->status.subject && one->status.detail == two->status.detail);
	same_view(label, report_diagnostic(a), report_diagnostic(b));
	same_view(label, report_reporting_mta(a), report_reporting_mta(b));
	ck_row(label, report_recipient_count(a) == report_recipient_count(b));
	for (size_t i = 0; i < report_recipient_count(a); i++)
		same_view(label, report_recipient(a, i), report_recipient(b, i));
	ck_row(label, report_token_count(a) == report_token_count(b));
	for (size_t i = 0; i < report_token_count(a); i++)
		same_view(label, report_token(a, i), report_token(b, i));
}

/* There and back, as through two sockets. */
static void travel(const char *label, const struct inquiry *inquiry)
{
	AUTO_BUF out = buf_with_ceiling(32 << 20);
	AUTO_BUF answer = buf_with_ceiling(FRAME_HEAD + FRAME_MOST_ANSWER);
	struct view words[FRAME_MOST_WORDS];
	struct inquiry read;
	struct insight found, told;
	struct frame frame;
	ck_assert_int_eq(inquiry_write_head(inquiry, 7, &out), ERR_OK);
	ck_assert_int_eq(buf_add(&out, inquiry->message), ERR_OK);
	struct view rest = buf_view(&out);
	ck_row(label, frame_cut(&rest, out.len, &frame) == FRAME_READ && rest.len == 0 && frame.number == 7);
	ck_row(label, inquiry_parse(frame.body, words, &read) == ERR_OK);
	same_view(label, read.message, inquiry->message);
	ck_row(label, read.content_at == inquiry->content_at && read.word_count == inquiry->word_count);
	ck_assert_int_eq(insight_read(intake, &read, &found), ERR_OK);
	ck_assert_int_eq(insight_write(&found, 8, &answer), ERR_OK);
	rest = buf_view(&answer);
	ck_row(label, frame_cut(&rest, FRAME_MOST_ANSWER, &frame) == FRAME_READ && frame.number == 8);
	ck_row(label, insight_parse(frame.body, inquiry->word_count, &told) == ERR_OK);
	same_report(label, found.report, told.report);
	same_view(label, buf_view(&found.sightings), buf_view(&told.sightings));
	same_view(label, buf_view(&found.seal), buf_view(&told.seal));
	insight_done(&found);
	insight_done(&told);
}

static int travel_file(const char *path, const struct stat *info, int type)
{
	AUTO_BUF raw = buf_with_ceiling(16 << 20);
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	const struct view words[] = { VIEW_LIT("aeaaaaabaaaaaaaaagks4kbvn3ed7tm"), VIEW_LIT("") };
	(void)info;
	if (type != FTW_F || file_read(path, &raw, &why) != ERR_OK)
		return 0;
	struct inquiry inquiry = { .message = buf_view(&raw) };
	travel(path, &inquiry);
	inquiry.words = words;
	inquiry.word_count = ARRAY_LEN(words);
	travel(path, &inquiry);
	files++;
	return 0;
}

START_TEST(every_report_arrives_as_it_was)
	{
		open_reader();
		const char *corpus = getenv("VERPOST_CORPUS");
		ck_assert_int_eq(ftw("tests/fixtures/reports", travel_file, 8), 0);
		ck_assert_uint_gt(files, 20);
		if (corpus != NULL)
			ck_assert_int_eq(ftw(corpus, travel_file, 8), 0);
		close_reader();
	}
END_TEST

/* ---- hostile answers ---- */

static void write_answer(struct buf *out)
{
	static const char message[] = "From: MAILER-DAEMON@mx.test\r\nSubject: Undelivered Mail\r\n"
				      "Content-Type: multipart/report; report-type=delivery-status; boundary=S\r\n\r\n"
				      "--S\r\n\r\nSorry.\r\n--S\r\nContent-Type: message/delivery-status\r\n\r\n"
				      "Reporting-MTA: dns; mx.test\r\n\r\nFinal-Recipient: rfc822; p@x.test\r\n"
				      "Action: failed\r\nStatus: 5.1.1\r\n"
				      "Diagnostic-Code: smtp; 550 5.1.1 User unknown\r\n--S--\r\n";
	const struct view word = VIEW_LIT("w");
	const struct inquiry inquiry = { .message = view_of(message), .words = &word, .word_count = 1 };
	struct insight insight;
	ck_assert_int_eq(insight_read(intake, &inquiry, &insight), ERR_OK);
	ck_assert_int_eq(insight_write(&insight, 1, out), ERR_OK);
	insight_done(&insight);
	buf_drop_front(out, FRAME_HEAD);
}

static bool is_taken(struct view body, size_t word_count)
{
	struct insight insight;
	if (insight_parse(body, word_count, &insight) != ERR_OK)
		return false;
	ck_assert(view_is_utf8(report_diagnostic(insight.report)));
	insight_done(&insight);
	return true;
}

START_TEST(what_is_cut_or_longer_is_refused)
	{
		open_reader();
		AUTO_BUF body = buf_with_ceiling(FRAME_MOST_ANSWER);
		write_answer(&body);
		ck_assert(is_taken(buf_view(&body), 1));
		ck_assert(!is_taken(buf_view(&body), 0));
		ck_assert(!is_taken(buf_view(&body), 2));
		for (size_t len = 0; len < body.len; len++)
			ck_assert(!is_taken(view_head(buf_view(&body), len), 1));
		buf_add_byte(&body, '\0');
		ck_assert(!is_taken(buf_view(&body), 1));
		close_reader();
	}
END_TEST

START_TEST(no_octet_changed_does_harm)
	{
		open_reader();
		AUTO_BUF body = buf_with_ceiling(FRAME_MOST_ANSWER);
		write_answer(&body);
		size_t refused = 0;
		for (size_t i = 0; i < body.len; i++) {
			char before = body.data[i];
			for (unsigned octet = 0; octet < 256; octet++) {
				body.data[i] = (char)octet;
				refused += !is_taken(buf_view(&body), 1);
			}
			body.data[i] = before;
		}
		ck_assert_uint_gt(refused, body.len * 32);
		close_reader();
	}
END_TEST

/* A report as it should not be, written by hand. */
struct forged_row {
	const char *label;
	unsigned kind, reason, certainty, class, subject, code;
	const char *rule, *diagnostic, *mta;
	const char *recipients[3], *tokens[3];
	bool is_taken;
};

static const struct forged_row forged_rows[] = {
	{ "good", 1, 1, 3, 5, 1, 550, "user-unknown", "no\nsuch user", "mx", { "a@x", "b@x" }, { "t" }, true },
	{ "kind", KIND_COUNT, 1, 3, 5, 1, 550, "r", "d", "m", { 0 }, { 0 }, false },
	{ "reason", 1, REASON_COUNT, 3, 5, 1, 550, "r", "d", "m", { 0 }, { 0 }, false },
	{ "certainty", 1, 1, 4, 5, 1, 550, "r", "d", "m", { 0 }, { 0 }, false },
	{ "class", 1, 1, 3, 3, 1, 550, "r", "d", "m", { 0 }, { 0 }, false },
	{ "subject", 1, 1, 3, 5, 1000, 550, "r", "d", "m", { 0 }, { 0 }, false },
	{ "code", 1, 1, 3, 5, 1, 1000, "r", "d", "m", { 0 }, { 0 }, false },
	{ "rule empty", 1, 1, 3, 5, 1, 550, "", "d", "m", { 0 }, { 0 }, false },
	{ "rule in capitals", 1, 1, 3, 5, 1, 550, "R", "d", "m", { 0 }, { 0 }, false },
	{ "diagnostic is no UTF-8", 1, 1, 3, 5, 1, 550, "r", "\xff", "m", { 0 }, { 0 }, false },
	{ "diagnostic has controls", 1, 1, 3, 5, 1, 550, "r", "a\x1b[2J", "m", { 0 }, { 0 }, false },
	{ "diagnostic has C1 controls", 1, 1, 3, 5, 1, 550, "r", "a\xc2\x9b", "m", { 0 }, { 0 }, false },
	{ "two lines in a host", 1, 1, 3, 5, 1, 550, "r", "d", "m\nn", { 0 }, { 0 }, false },
	{ "a recipient twice", 1, 1, 3, 5, 1, 550, "r", "d", "m", { "a@x", "A@x" }, { 0 }, false },
	{ "an empty recipient", 1, 1, 3, 5, 1, 550, "r", "d", "m", { "" }, { 0 }, false },
	{ "a recipient with a line end", 1, 1, 3, 5, 1, 550, "r", "d", "m", { "a@x\nb" }, { 0 }, false },
	{ "a token twice", 1, 1, 3, 5, 1, 550, "r", "d", "m", { 0 }, { "t", "t" }, false },
	{ "a token with a space around", 1, 1, 3, 5, 1, 550, "r", "d", "m", { 0 }, { " t" }, false },
};

static void add_list(const char *const *list, struct buf *out)
{
	unsigned count = 0;
	while (count < 3 && list[count] != NULL)
		count++;
	wire_add_u8(out, count);
	for (unsigned i = 0; i < count; i++)
		wire_add_text(out, view_of(list[i]));
}

START_TEST(what_no_parser_would_say_is_refused)
	{
		for (size_t i = 0; i < ARRAY_LEN(forged_rows); i++) {
			const struct forged_row *row = &forged_rows[i];
			AUTO_BUF body = buf_with_ceiling(FRAME_MOST_ANSWER);
			wire_add_text(&body, VIEW_LIT(""));
			wire_add_text(&body, VIEW_LIT(""));
			wire_add_u8(&body, row->kind);
			wire_add_u8(&body, row->reason);
			wire_add_u8(&body, row->certainty);
			wire_add_u8(&body, row->class);
			wire_add_u16(&body, row->subject);
			wire_add_u16(&body, 1);
			wire_add_u16(&body, row->code);
			wire_add_text(&body, view_of(row->rule));
			wire_add_text(&body, view_of(row->diagnostic));
			wire_add_text(&body, view_of(row->mta));
			add_list(row->recipients, &body);
			add_list(row->tokens, &body);
			ck_row(row->label, is_taken(buf_view(&body), 0) == row->is_taken);
		}
	}
END_TEST

START_TEST(frames)
	{
		AUTO_BUF out = buf_with_ceiling(100);
		struct frame frame;
		ck_assert_int_eq(frame_write_empty(3, &out), ERR_OK);
		ck_assert_uint_eq(out.len, FRAME_HEAD);
		struct view part = view_head(buf_view(&out), 7), all = buf_view(&out);
		ck_assert_int_eq(frame_cut(&part, 10, &frame), FRAME_PARTIAL);
		ck_assert_uint_eq(part.len, 7);
		ck_assert_int_eq(frame_cut(&all, 10, &frame), FRAME_READ);
		ck_assert(frame.number == 3 && frame.body.len == 0 && all.len == 0);
		out.data[0] = 11;
		all = buf_view(&out);
		ck_assert_int_eq(frame_cut(&all, 10, &frame), FRAME_BROKEN);
		out.data[0] = 10;
		all = buf_view(&out);
		ck_assert_int_eq(frame_cut(&all, 10, &frame), FRAME_PARTIAL);
	}
END_TEST

START_TEST(inquiries_that_are_none)
	{
		AUTO_BUF out = buf_with_ceiling(100);
		struct view words[FRAME_MOST_WORDS];
		struct inquiry inquiry;
		wire_add_u16(&out, 1);
		wire_add_text(&out, VIEW_LIT("word"));
		wire_add_u32(&out, 3);
		buf_add(&out, VIEW_LIT("abc"));
		ck_assert_int_eq(inquiry_parse(buf_view(&out), words, &inquiry), ERR_OK);
		ck_view_eq(words[0], "word");
		ck_view_eq(inquiry.message, "abc");
		for (size_t len = 0; len < out.len; len++)
			ck_assert_int_ne(inquiry_parse(view_head(buf_view(&out), len), words, &inquiry), ERR_OK);
		out.data[0] = out.data[1] = (char)0xff;
		ck_assert_int_eq(inquiry_parse(buf_view(&out), words, &inquiry), ERR_INVALID);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		every_report_arrives_as_it_was,
		what_is_cut_or_longer_is_refused,
		no_octet_changed_does_harm,
		what_no_parser_would_say_is_refused,
		frames,
		inquiries_that_are_none,
	};
	return suite_of("insight_wire", tests, ARRAY_LEN(tests));
}
