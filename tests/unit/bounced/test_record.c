#include "bounced/record.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "mail/seal.h"
#include "tests/support/unit.h"

static const int64_t now_us = 20779 * CLOCK_US_PER_DAY;
static const struct settings settings = { .bounce_domain = "bounce.test",
					  .bounce_prefix = "b",
					  .bounce_token_life = 30 * CLOCK_US_PER_DAY,
					  .bounce_inside_life = 365 * CLOCK_US_PER_DAY };

static const char report[] = "From: MAILER-DAEMON@mx.test\r\n"
			     "Subject: Undelivered Mail\r\n"
			     "Content-Type: multipart/report; report-type=delivery-status; boundary=S\r\n"
			     "\r\n"
			     "--S\r\n"
			     "\r\n"
			     "Sorry.\r\n"
			     "--S\r\n"
			     "Content-Type: message/delivery-status\r\n"
			     "\r\n"
			     "Reporting-MTA: dns; mx.test\r\n"
			     "\r\n"
			     "Final-Recipient: rfc822; p@x.test\r\n"
			     "Action: failed\r\n"
			     "Status: 5.1.1\r\n"
			     "Diagnostic-Code: smtp; 550 5.1.1 User unknown\r\n"
			     "--S--\r\n";
static const char letter[] = "From: p@x.test\r\nSubject: Re: News\r\n\r\nThank you for the news about gardens.\r\n";
static const char vacation[] = "From: p@x.test\r\nSubject: Away\r\nAuto-Submitted: auto-replied\r\n\r\nI am away.\r\n";

static const char pasted[] =
    "From: MAILER-DAEMON@x.test\r\nSubject: failure notice\r\n\r\nHi. This is the qmail-send program at "
    "x.test.\r\nI'm afraid I wasn't able to deliver your message to the following "
    "addresses.\r\nThis is a permanent error; I've given up. Sorry it didn't work "
    "out.\r\n\r\n<p@x.test>:\r\nuser unknown\r\n";

/* Our own letter, whole, though it speaks like a daemon and like a complaint. */
#define OWN_IDS "List-Id: News <news.x.test>\r\nMessage-ID: <ceaaaaahaaaaaaaacbissaaaaaaaaaa@x.test>\r\n"
static const char own[] =
    "From: Mail System News <n@x.test>\r\nSubject: failure notice\r\n" OWN_IDS "\r\n"
    "This is an email abuse report.\r\nI'm afraid I wasn't able to deliver your message to the following addresses.\r\n"
    "\r\n<p@x.test>:\r\nuser unknown\r\n";
static const char own_in_answer[] =
    "From: p@x.test\r\nSubject: Away\r\nAuto-Submitted: auto-replied\r\n" OWN_IDS "\r\nI am away.\r\n";

struct row {
	const char *label, *sender, *message;
	enum gate_verdict passages[3]; /* ended by GATE_NO_SUCH */
	size_t events, departures, letters;
	enum bounce_kind kind; /* of the events */
};

static const struct row rows[] = {
	{ "report", "", report, { GATE_RETURN_PATH, GATE_NO_SUCH }, 1, 0, 0, KIND_HARD },
	{ "report with a sender", "m@mx.test", report, { GATE_RETURN_PATH, GATE_NO_SUCH }, 1, 0, 0, KIND_HARD },
	{ "report for two", "", report, { GATE_RETURN_PATH, GATE_RETURN_PATH, GATE_NO_SUCH }, 2, 0, 0, KIND_HARD },
	{ "report for one and a mailbox",
	  "",
	  report,
	  { GATE_RETURN_PATH, GATE_MAILBOX, GATE_NO_SUCH },
	  1,
	  0,
	  1,
	  KIND_HARD },
	{ "automatic reply", "p@x.test", vacation, { GATE_RETURN_PATH, GATE_NO_SUCH }, 1, 0, 0, KIND_AUTO_REPLY },
	{ "letter", "p@x.test", letter, { GATE_RETURN_PATH, GATE_NO_SUCH }, 0, 0, 1, KIND_UNKNOWN },
	{ "letter without a sender", "", letter, { GATE_RETURN_PATH, GATE_NO_SUCH }, 1, 0, 0, KIND_AUTO_REPLY },
	{ "letter to postmaster", "", letter, { GATE_MAILBOX, GATE_NO_SUCH }, 0, 0, 1, KIND_UNKNOWN },
	{ "unsubscribe", "p@x.test", letter, { GATE_UNSUBSCRIBE, GATE_NO_SUCH }, 0, 1, 0, KIND_UNKNOWN },
	{ "unsubscribe without a sender", "", letter, { GATE_UNSUBSCRIBE, GATE_NO_SUCH }, 0, 0, 0, KIND_UNKNOWN },
	{ "unsubscribe by a machine", "p@x.test", vacation, { GATE_UNSUBSCRIBE, GATE_NO_SUCH }, 0, 0, 0, KIND_UNKNOWN },
	{ "unsubscribe by a report", "p@x.test", report, { GATE_UNSUBSCRIBE, GATE_NO_SUCH }, 0, 0, 1, KIND_UNKNOWN },
	{ "unsubscribe with a failure's words",
	  "p@x.test",
	  pasted,
	  { GATE_UNSUBSCRIBE, GATE_NO_SUCH },
	  0,
	  0,
	  1,
	  KIND_UNKNOWN },
	{ "own copy", "", own, { GATE_RETURN_PATH, GATE_NO_SUCH }, 1, 0, 0, KIND_NOT_BOUNCE },
	{ "own copy by a redirection", "p@x.test", own, { GATE_RETURN_PATH, GATE_NO_SUCH }, 1, 0, 0, KIND_NOT_BOUNCE },
	{ "own copy that would unsubscribe",
	  "p@x.test",
	  own,
	  { GATE_UNSUBSCRIBE, GATE_NO_SUCH },
	  0,
	  0,
	  1,
	  KIND_UNKNOWN },
	{ "own copy to abuse", "p@x.test", own, { GATE_MAILBOX, GATE_NO_SUCH }, 0, 0, 1, KIND_UNKNOWN },
	{ "headers of a copy in an answer",
	  "p@x.test",
	  own_in_answer,
	  { GATE_RETURN_PATH, GATE_NO_SUCH },
	  1,
	  0,
	  0,
	  KIND_AUTO_REPLY },
};

struct reader {
	struct classifier *classifier;
	struct intake *intake;
	struct gate *gate;
};

static struct reader reader_new(void)
{
	struct reader reader = { 0 };
	struct keyring ring = { .newest = -1 };
	unsigned char bytes[KEYRING_KEY_SIZE] = { 1 };
	int id;
	ck_assert_int_eq(keyring_add(&ring, VIEW_LIT("2026-11-22"), bytes, &id), ERR_OK);
	ck_assert_int_eq(classifier_new(&reader.classifier), ERR_OK);
	ck_assert_int_eq(intake_new(reader.classifier, &reader.intake), ERR_OK);
	ck_assert_int_eq(gate_new(&settings, &ring, &reader.gate), ERR_OK);
	return reader;
}

static void reader_done(struct reader *reader)
{
	gate_done(reader->gate);
	intake_done(reader->intake);
	classifier_done(reader->classifier);
}

/* Both steps, without a process between. */
static struct record *read_arrival(const struct reader *reader, const struct arrival *arrival)
{
	struct record *record = NULL;
	struct insight insight;
	ck_assert_int_eq(record_new(reader->gate, arrival, &record), ERR_OK);
	ck_assert_int_eq(insight_read(reader->intake, &record->inquiry, &insight), ERR_OK);
	ck_assert_int_eq(record_judge(record, reader->gate, &insight), ERR_OK);
	return record;
}

static struct record *read_row(const struct reader *reader, const struct row *row)
{
	struct passage passages[3] = { 0 };
	const struct view recipients[] = { VIEW_LIT("one@bounce.test"), VIEW_LIT("tw\xff@bounce.test"),
					   VIEW_LIT("three@bounce.test") };
	struct arrival arrival = { .sender = view_of(row->sender),
				   .recipients = recipients,
				   .passages = passages,
				   .message = view_of(row->message),
				   .now_us = now_us };
	for (; row->passages[arrival.recipient_count] != GATE_NO_SUCH; arrival.recipient_count++) {
		struct passage *passage = &passages[arrival.recipient_count];
		passage->verdict = row->passages[arrival.recipient_count];
		passage->token.scope_id = 7;
		passage->token.subscriber_id = 40 + arrival.recipient_count;
	}
	return read_arrival(reader, &arrival);
}

START_TEST(what_a_message_means)
	{
		struct reader reader = reader_new();
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct record *record = read_row(&reader, &rows[i]);
			ck_row(rows[i].label, record->event_count == rows[i].events);
			ck_row(rows[i].label, record->departure_count == rows[i].departures);
			ck_row(rows[i].label, record->letter_count == rows[i].letters);
			ck_row(rows[i].label,
			       record_is_empty(record) == (rows[i].events + rows[i].departures + rows[i].letters == 0));
			for (size_t e = 0; e < record->event_count; e++) {
				ck_row(rows[i].label, record->events[e].finding.kind == rows[i].kind);
				ck_row(rows[i].label, record->events[e].campaign_id == 7);
				ck_row(rows[i].label, record->events[e].subscriber_id == 40 + e);
			}
			record_done(record);
		}
		reader_done(&reader);
	}
END_TEST

START_TEST(the_evidence_is_kept)
	{
		struct reader reader = reader_new();
		struct record *record = read_row(&reader, &rows[0]);
		const struct bounce_event *event = &record->events[0];
		ck_assert_int_eq(event->finding.reason, REASON_USER_UNKNOWN);
		ck_view_eq(view_head(event->message, strlen("Return-Path: <>\r\n")), "Return-Path: <>\r\n");
		ck_view_eq(view_skip(event->message, strlen("Return-Path: <>\r\n")), report);
		ck_view_eq(event->recipient, "p@x.test");
		ck_assert(view_find(event->diagnostic, VIEW_LIT("User unknown")) != VIEW_NONE);
		ck_assert_int_eq(event->received_us, now_us);
		record_done(record);
		record = read_row(&reader, &rows[3]);
		ck_view_eq(record->letters[0].recipient, "tw?@bounce.test");
		ck_view_eq(record->letters[0].sender, "");
		ck_assert(view_ends(record->letters[0].message, view_of(report)));
		record_done(record);
		reader_done(&reader);
	}
END_TEST

/* ---- tests of relays: campaign 0 ---- */

enum { DAY = 20779, TEST_ID = 9 };

/* @ stands for a message token of that test. */
#define PROBE_HEAD "From: a.x.test\r\nSubject: Return-path test\r\n"
static const char probe[] = PROBE_HEAD "Message-ID: <@.x.test>\r\nX-Verpost-Test: @\r\n\r\nTest.\r\n\r\n@\r\n";
static const char probe_in_capitals[] = PROBE_HEAD "message-id:\r\n <@.x.test>\r\n\r\nTest.\r\n";
static const char other_id[] = PROBE_HEAD "Message-ID: <1.relay.test>\r\nX-Verpost-Test: @\r\n\r\nTest.\r\n";
static const char only_text[] = PROBE_HEAD "Message-ID: <1.relay.test>\r\n\r\nTest.\r\n\r\n@\r\n";
static const char about_it[] = "From: MAILER-DAEMON.mx.test\r\nSubject: Undelivered Mail\r\n"
			       "Content-Type: multipart/report; report-type=delivery-status; boundary=S\r\n\r\n"
			       "--S\r\n\r\nSorry.\r\n--S\r\nContent-Type: message/delivery-status\r\n\r\n"
			       "Reporting-MTA: dns; mx.test\r\nOriginal-Envelope-Id: @\r\n\r\n"
			       "Final-Recipient: rfc822; p.x.test\r\nAction: failed\r\nStatus: 5.1.2\r\n"
			       "Diagnostic-Code: smtp; 550 5.1.2 no such host\r\n--S\r\n"
			       "Content-Type: text/rfc822-headers\r\n\r\nMessage-ID: <@.x.test>\r\n--S--\r\n";

/* Somebody's, who has read it. */
static const char quoting[] =
    "From: p.x.test\r\nSubject: Away\r\nAuto-Submitted: auto-replied\r\nIn-Reply-To: <@.x.test>\r\n\r\n"
    "I am away.\r\n\r\nTest.\r\n\r\n@\r\n";
static const char quoting_text[] =
    "From: p.x.test\r\nSubject: Away\r\nAuto-Submitted: auto-replied\r\n\r\n> Test.\r\n> @\r\n";
static const char complaining[] = "From: fbl.x.test\r\nSubject: complaint\r\n"
				  "Content-Type: multipart/report; report-type=feedback-report; boundary=S\r\n\r\n"
				  "--S\r\n\r\nAbuse.\r\n--S\r\nContent-Type: message/feedback-report\r\n\r\n"
				  "Feedback-Type: abuse\r\nVersion: 1\r\nUser-Agent: x\r\n--S\r\n"
				  "Content-Type: message/rfc822\r\n\r\n" PROBE_HEAD
				  "Message-ID: <@.x.test>\r\nX-Verpost-Test: @\r\n\r\nTest.\r\n\r\n@\r\n--S--\r\n";
static const char odd_notice[] = "From: gate.mx.test\r\nSubject: Nachricht\r\n\r\nSo nicht.\r\n\r\n" PROBE_HEAD
				 "Message-ID: <@.x.test>\r\nX-Verpost-Test: @\r\n\r\nTest.\r\n\r\n@\r\n";

enum came { NOTHING, ITSELF, REPORTED, A_LETTER, AN_EVENT };

struct return_row {
	const char *label;
	const char *sender; /* NULL: the return path of the test */
	const char *message;
	uint64_t campaign_inside, person_inside; /* of the @ */
	enum came came;
	bool path_kept, message_kept;
};

static const struct return_row return_rows[] = {
	{ "as it was sent", NULL, probe, 0, TEST_ID, ITSELF, true, true },
	{ "folded and in other letters", NULL, probe_in_capitals, 0, TEST_ID, ITSELF, true, true },
	{ "with another sender", "x@relay.test", probe, 0, TEST_ID, ITSELF, false, true },
	{ "with no sender", "", probe, 0, TEST_ID, ITSELF, false, true },
	{ "with another Message-ID", NULL, other_id, 0, TEST_ID, ITSELF, true, false },
	{ "only its text is left", "x@relay.test", only_text, 0, TEST_ID, ITSELF, false, false },
	{ "of another test", NULL, probe, 0, TEST_ID + 1, A_LETTER, false, false },
	{ "a report about it", "", about_it, 0, TEST_ID, REPORTED, false, false },
	{ "a report with a sender", "m@mx.test", about_it, 0, TEST_ID, REPORTED, false, false },
	{ "a report without a word", "", report, 0, TEST_ID, REPORTED, false, false },
	{ "a report about a campaign's copy", "", about_it, 7, 42, AN_EVENT, false, false },
	{ "a notice in words of its own that returns it", "", odd_notice, 0, TEST_ID, A_LETTER, false, false },
	{ "the same from a person", "p@x.test", odd_notice, 0, TEST_ID, A_LETTER, false, false },
	{ "a complaint that returns it", "fbl@x.test", complaining, 0, TEST_ID, REPORTED, false, false },
	{ "an automatic reply to it that has its text", "p@x.test", quoting, 0, TEST_ID, NOTHING, false, false },
	{ "one that quotes it", "p@x.test", quoting_text, 0, TEST_ID, NOTHING, false, false },
	{ "an automatic reply", "p@x.test", vacation, 0, TEST_ID, NOTHING, false, false },
	{ "a letter", "p@x.test", letter, 0, TEST_ID, A_LETTER, false, false },
};

static struct token_maker *maker_new(void)
{
	struct keyring ring = { .newest = -1 };
	unsigned char bytes[KEYRING_KEY_SIZE] = { 1 };
	struct token_maker *maker = NULL;
	int id;
	ck_assert_int_eq(keyring_add(&ring, VIEW_LIT("2026-11-22"), bytes, &id), ERR_OK);
	ck_assert_int_eq(token_maker_new(&ring, VIEW_LIT("bounce.test"), &maker), ERR_OK);
	return maker;
}

static void sign(const struct token *token, struct buf *out)
{
	struct token_maker *maker = maker_new();
	ck_assert_int_eq(token_sign(maker, token, out), ERR_OK);
	token_maker_done(maker);
}

/* Addresses in the templates have a dot for their @. */
static void fill(const struct return_row *row, struct buf *out)
{
	AUTO_BUF token = buf_with_ceiling(LIMIT_TOKEN);
	sign(&(struct token){ .purpose = TOKEN_MESSAGE,
			      .scope_id = row->campaign_inside,
			      .subscriber_id = row->person_inside,
			      .day = DAY },
	     &token);
	bool is_template = row->message != letter && row->message != vacation && row->message != report;
	for (const char *at = row->message; *at != '\0'; at++) {
		if (*at == '@' && is_template)
			buf_add(out, buf_view(&token));
		else
			buf_add_byte(out, *at);
		if (*at == '@' && is_template && at[1] == '.')
			buf_add_byte(out, '@');
	}
}

static struct record *read_return(const struct reader *reader, const struct return_row *row)
{
	AUTO_BUF token = buf_with_ceiling(LIMIT_TOKEN);
	AUTO_BUF path = buf_with_ceiling(LIMIT_ADDRESS);
	AUTO_BUF message = buf_with_ceiling(LIMIT_INTAKE);
	struct passage passage = { .verdict = GATE_RETURN_PATH, .token = { .subscriber_id = TEST_ID, .day = DAY } };
	sign(&passage.token, &token);
	buf_addf(&path, "B+" VIEW_FMT "@Bounce.test", VIEW_ARG(buf_view(&token)));
	fill(row, &message);
	struct view recipient = buf_view(&path);
	struct arrival arrival = { .sender = row->sender == NULL ? recipient : view_of(row->sender),
				   .recipients = &recipient,
				   .passages = &passage,
				   .recipient_count = 1,
				   .message = buf_view(&message),
				   .may_report = true,
				   .now_us = now_us };
	return read_arrival(reader, &arrival);
}

/* That of the message without what final delivery puts in front. */
static bool has_seal(const struct relay_test_return *test, const struct return_row *row)
{
	AUTO_BUF message = buf_with_ceiling(LIMIT_INTAKE);
	AUTO_BUF seal = buf_with_ceiling(LIMIT_SEAL);
	fill(row, &message);
	return seal_write(buf_view(&message), &seal) == ERR_OK && view_eq(test->seal, buf_view(&seal));
}

START_TEST(what_comes_back_of_a_test)
	{
		struct reader reader = reader_new();
		for (size_t i = 0; i < ARRAY_LEN(return_rows); i++) {
			const struct return_row *row = &return_rows[i];
			struct record *record = read_return(&reader, row);
			bool is_test = row->came == ITSELF || row->came == REPORTED;
			ck_row(row->label, record->test_count == is_test);
			ck_row(row->label, record->letter_count == (row->came == A_LETTER));
			ck_row(row->label, record->event_count == (row->came == AN_EVENT));
			ck_row(row->label, record_is_empty(record) == (row->came == NOTHING));
			if (is_test) {
				const struct relay_test_return *test = &record->tests[0];
				ck_row(row->label, test->test_id == TEST_ID && test->received_us == now_us);
				ck_row(row->label, test->is_report == (row->came == REPORTED));
				ck_row(row->label, test->path_kept == row->path_kept);
				ck_row(row->label, test->message_kept == row->message_kept);
				ck_row(row->label, !test->is_report || test->diagnostic.len > 0);
				ck_row(row->label, test->is_report || has_seal(test, row));
				ck_row(row->label, row->sender == NULL || test->is_report ||
						       view_eq(test->mail_from, view_of(row->sender)));
			}
			if (row->came == AN_EVENT)
				ck_row(row->label, record->events[0].campaign_id == 7);
			record_done(record);
		}
		reader_done(&reader);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { what_a_message_means, the_evidence_is_kept, what_comes_back_of_a_test };
	return suite_of("record", tests, ARRAY_LEN(tests));
}
