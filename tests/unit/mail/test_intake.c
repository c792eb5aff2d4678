#include "mail/intake.h"

#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "mail/report_json.h"
#include "tests/support/unit.h"

static struct classifier *classifier;
static struct intake *intake;

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

static struct report *read_text(struct view raw)
{
	struct report *report = NULL;
	ck_assert_int_eq(intake_read(intake, raw, &report), ERR_OK);
	return report;
}

static void load(const char *name, struct buf *ret_raw)
{
	AUTO_BUF path = buf_with_ceiling(256);
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	*ret_raw = buf_with_ceiling(LIMIT_INTAKE);
	buf_addf(&path, "tests/fixtures/reports/%s", name);
	ck_assert_msg(file_read(buf_text(&path), ret_raw, &why) == ERR_OK, VIEW_FMT, VIEW_ARG(buf_view(&why)));
}

#define RETURN_TOKEN "aeaaaaabaaaaaaaaagks4kaz5xrqh2q"
#define MESSAGE_TOKEN "aeaaaaabaaaaaaaaagks4kbvn3ed7tm"

struct row {
	const char *file;
	enum bounce_kind kind;
	enum bounce_reason reason;
	const char *status, *recipient; /* of the only recipient; "" for none */
	const char *token;              /* one that must be among the candidates, or NULL */
};

static const struct row rows[] = {
	{ "postfix-user-unknown.eml", KIND_HARD, REASON_USER_UNKNOWN, "5.1.1", "ann@reader.example", MESSAGE_TOKEN },
	{ "postfix-delayed.eml", KIND_DELAY, REASON_NETWORK, "4.4.1", "ann@reader.example", RETURN_TOKEN },
	{ "postfix-delivered.eml", KIND_NOT_BOUNCE, REASON_OTHER, "", "", RETURN_TOKEN },
	{ "postfix-null-mx.eml", KIND_HARD, REASON_NULL_MX, "5.1.0", "ann@reader.example", RETURN_TOKEN },
	{ "sendmail-full.eml", KIND_SOFT, REASON_MAILBOX_FULL, "5.2.2", "ann@reader.example", MESSAGE_TOKEN },
	{ "exchange-user-unknown.eml", KIND_HARD, REASON_USER_UNKNOWN, "5.1.10", "ann@reader.example", MESSAGE_TOKEN },
	{ "opensmtpd-loop.eml", KIND_SOFT, REASON_ROUTING_LOOP, "5.4.6", "ann@reader.example", RETURN_TOKEN },
	{ "opensmtpd-delayed.eml", KIND_DELAY, REASON_NETWORK, "4.4.1", "ann@reader.example", RETURN_TOKEN },
	{ "expired-4xx.eml", KIND_SOFT, REASON_NETWORK, "4.4.1", "ann@reader.example", RETURN_TOKEN },
	{ "base64-two-recipients.eml", KIND_HARD, REASON_MAILBOX_DISABLED, "5.2.1", "ann@reader.example",
	  RETURN_TOKEN },
	{ "wrong-boundary.eml", KIND_HARD, REASON_USER_UNKNOWN, "5.1.1", "ann@reader.example", MESSAGE_TOKEN },
	{ "carriage-returns-only.eml", KIND_HARD, REASON_USER_UNKNOWN, "5.1.1", "ann@reader.example", MESSAGE_TOKEN },
	{ "qmail-no-mailbox.eml", KIND_HARD, REASON_USER_UNKNOWN, "5.1.1", "ann@reader.example", MESSAGE_TOKEN },
	{ "exim-unrouteable.eml", KIND_HARD, REASON_DOMAIN_UNKNOWN, "", "ann@reader.example", RETURN_TOKEN },
	{ "exim-delayed.eml", KIND_DELAY, REASON_RATE_LIMITED, "4.7.1", "ann@reader.example", NULL },
	{ "german-text.eml", KIND_SOFT, REASON_MAILBOX_FULL, "", "ann@leser.example", NULL },
	{ "html-only.eml", KIND_HARD, REASON_USER_UNKNOWN, "5.1.1", "ann@reader.example", NULL },
	{ "arf-abuse.eml", KIND_COMPLAINT, REASON_COMPLAINT, "", "ann@reader.example", RETURN_TOKEN },
	{ "arf-opt-out.eml", KIND_COMPLAINT, REASON_COMPLAINT, "", "ann@reader.example", MESSAGE_TOKEN },
	{ "arf-not-spam.eml", KIND_NOT_BOUNCE, REASON_OTHER, "", "ann@reader.example", RETURN_TOKEN },
	{ "mdn-displayed.eml", KIND_NOT_BOUNCE, REASON_OTHER, "", "", NULL },
	{ "vacation-rfc3834.eml", KIND_AUTO_REPLY, REASON_AUTO_REPLY, "", "", NULL },
	{ "vacation-subject-only.eml", KIND_AUTO_REPLY, REASON_AUTO_REPLY, "", "", NULL },
	{ "challenge.eml", KIND_AUTO_REPLY, REASON_AUTO_REPLY, "", "", NULL },
	{ "newsletter-about-bounces.eml", KIND_NOT_BOUNCE, REASON_OTHER, "", "", NULL },
	{ "answer-of-a-person.eml", KIND_NOT_BOUNCE, REASON_OTHER, "", "", NULL },
	{ "phishing-like-a-bounce.eml", KIND_NOT_BOUNCE, REASON_OTHER, "", "", NULL },
	{ "empty-body.eml", KIND_NOT_BOUNCE, REASON_OTHER, "", "", NULL },
};

static bool has_token(const struct report *report, const char *token)
{
	for (size_t i = 0; i < report_token_count(report); i++) {
		if (view_eq(report_token(report, i), view_of(token)))
			return true;
	}
	return false;
}

START_TEST(reports_of_many_hands)
	{
		open_reader();
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			const struct row *row = &rows[i];
			AUTO_BUF raw = { 0 };
			AUTO_BUF status = buf_with_ceiling(16);
			load(row->file, &raw);
			struct report *report = read_text(buf_view(&raw));
			const struct finding *finding = report_finding(report);
			ck_assert_msg(finding->kind == row->kind && finding->reason == row->reason, "%s: %s %s by %s",
				      row->file, kind_name(finding->kind), reason_name(finding->reason), finding->rule);
			ck_row(row->file, status_write(finding->status, &status) == ERR_OK);
			ck_assert_msg(view_eq(buf_view(&status), view_of(row->status)), "%s: " VIEW_FMT, row->file,
				      VIEW_ARG(buf_view(&status)));
			ck_row(row->file, report_recipient_count(report) == (row->recipient[0] != '\0'));
			if (row->recipient[0] != '\0')
				ck_view_eq(report_recipient(report, 0), row->recipient);
			ck_row(row->file, row->token == NULL || has_token(report, row->token));
			report_done(report);
		}
		close_reader();
	}
END_TEST

START_TEST(what_was_read_is_given_out)
	{
		AUTO_BUF raw = { 0 };
		open_reader();
		load("postfix-user-unknown.eml", &raw);
		struct report *report = read_text(buf_view(&raw));
		ck_view_eq(report_reporting_mta(report), "relay.example");
		ck_view_eq(report_diagnostic(report),
			   "smtp; 550 5.1.1 <ann@reader.example>: Recipient address rejected: User "
			   "unknown in virtual mailbox table");
		ck_assert_str_eq(report_finding(report)->rule, "user-unknown");
		report_done(report);
		close_reader();
	}
END_TEST

/* Nothing of a stranger's message reaches a log or a terminal as it came. */
START_TEST(control_characters_are_gone)
	{
		open_reader();
		struct report *report =
		    read_text(VIEW_LIT("From: mailer-daemon@x.example\nSubject: failure \x1b]0;x\x07 notice\n\n"
				       "<a@x.example>:\n550 5.1.1 \x1b[2J no such user \xff\n"));
		ck_assert(report_finding(report)->kind == KIND_HARD);
		ck_assert(view_is_utf8(report_diagnostic(report)));
		ck_assert(view_find_byte(report_diagnostic(report), '\x1b') == VIEW_NONE);
		report_done(report);
		close_reader();
	}
END_TEST

/* GMime loses its tables, and memory that the sanitizer reports, when it is initialised a second time. */
START_TEST(a_second_reader_reads_as_the_first)
	{
		for (int i = 0; i < 2; i++) {
			open_reader();
			struct report *report =
			    read_text(VIEW_LIT("From: mailer-daemon@x.example\nSubject: Undeliverable\n"
					       "Content-Type: text/plain; charset=iso-8859-1\n\n"
					       "<a@x.example>:\n550 5.1.1 unbekannter Empf\xe4nger\n"));
			ck_assert(view_find(report_diagnostic(report), VIEW_LIT("Empf\xc3\xa4nger")) != VIEW_NONE);
			report_done(report);
			close_reader();
		}
	}
END_TEST

static void add_nested(struct buf *raw, unsigned depth)
{
	buf_add(raw, VIEW_LIT("From: mailer-daemon@x.example\nSubject: failure notice\nMIME-Version: 1.0\n"));
	for (unsigned i = 0; i < depth; i++)
		buf_addf(raw, "Content-Type: multipart/mixed; boundary=\"b%u\"\n\n--b%u\n", i, i);
	buf_add(raw, VIEW_LIT("Content-Type: text/plain\n\n<a@x.example>:\n550 5.1.1 no such user\n"));
}

START_TEST(depth_is_limited)
	{
		open_reader();
		static const struct {
			unsigned depth;
			enum bounce_kind kind;
		} cases[] = { { LIMIT_INTAKE_DEPTH, KIND_HARD },
			      { LIMIT_INTAKE_DEPTH + 1, KIND_UNKNOWN },
			      { 5000, KIND_UNKNOWN } };
		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			AUTO_BUF raw = buf_with_ceiling(LIMIT_INTAKE);
			add_nested(&raw, cases[i].depth);
			struct report *report = read_text(buf_view(&raw));
			ck_assert_msg(report_finding(report)->kind == cases[i].kind, "depth %u: %s", cases[i].depth,
				      kind_name(report_finding(report)->kind));
			report_done(report);
		}
		close_reader();
	}
END_TEST

START_TEST(sizes_are_limited)
	{
		open_reader();
		/* a header that does not end */
		AUTO_BUF raw = buf_with_ceiling(2 << 20);
		buf_add(&raw, VIEW_LIT("From: mailer-daemon@x.example\nSubject: failure notice\n"));
		while (raw.len <= LIMIT_INTAKE_HEAD)
			buf_add(&raw, VIEW_LIT("X-Fill: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"));
		struct report *report = read_text(buf_view(&raw));
		ck_assert_int_eq(report_finding(report)->kind, KIND_UNKNOWN);
		report_done(report);

		/* a body beyond the limit, its reason in front; many parts; many addresses with a token */
		buf_reset(&raw);
		buf_add(&raw, VIEW_LIT("From: mailer-daemon@x.example\nSubject: failure notice\n"
				       "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n<a@x.example>:\n550 5.1.1 "
				       "no such user\n"));
		for (unsigned i = 0; i < 1000; i++)
			buf_addf(&raw, "\n--b\nContent-Type: text/rfc822-headers\n\nTo: b+token%u@x.example\n", i);
		while (raw.len < LIMIT_INTAKE + 1000)
			buf_add(&raw,
				VIEW_LIT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"));
		report = read_text(buf_view(&raw));
		ck_assert_int_eq(report_finding(report)->kind, KIND_HARD);
		ck_assert_uint_eq(report_token_count(report), 20);
		report_done(report);

		report = read_text(VIEW_LIT(""));
		ck_assert_int_eq(report_finding(report)->kind, KIND_UNKNOWN);
		report_done(report);
		report_done(NULL);
		close_reader();
	}
END_TEST

START_TEST(hash_passes_over_traces)
	{
		static const struct {
			const char *label, *text;
			bool is_same;
		} cases[] = {
			{ "itself", "From: a\nSubject: b\n\nbody\n", true },
			{ "CRLF", "From: a\r\nSubject: b\r\n\r\nbody\r\n", true },
			{ "Received", "Received: by x\n\twith y\nFrom: a\nSubject: b\n\nbody\n", true },
			{ "others", "Return-Path: <>\nDelivered-To: x\nFrom: a\nX-Spam: no\nSubject: b\n\nbody\n",
			  true },
			{ "another subject", "From: a\nSubject: c\n\nbody\n", false },
			{ "another body", "From: a\nSubject: b\n\nbodies\n", false },
			{ "a trace field in the body", "From: a\nSubject: b\n\nReceived: x\nbody\n", false },
			{ "a fold of a field that stays", "From: a\n b\nSubject: b\n\nbody\n", false },
		};
		unsigned char first[32], other[32];
		ck_assert_int_eq(intake_hash(view_of(cases[0].text), first), ERR_OK);
		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			ck_assert_int_eq(intake_hash(view_of(cases[i].text), other), ERR_OK);
			ck_row(cases[i].label, (memcmp(first, other, 32) == 0) == cases[i].is_same);
		}
	}
END_TEST

START_TEST(json_line)
	{
		AUTO_BUF raw = { 0 };
		AUTO_BUF line = buf_with_ceiling(4096);
		open_reader();
		load("postfix-null-mx.eml", &raw);
		struct report *report = read_text(buf_view(&raw));
		ck_assert_int_eq(report_json(report, VIEW_LIT("a \"b\"\\\n.eml"), &line), ERR_OK);
		ck_view_eq(buf_view(&line),
			   "{\"file\":\"a \\\"b\\\"\\\\ .eml\",\"kind\":\"bounce-hard\",\"reason\":\"domain-unknown\","
			   "\"status\":\"5.1.0\",\"recipients\":[\"ann@reader.example\"]}\n");
		report_done(report);
		close_reader();
	}
END_TEST

/* Notices of servers that know no format, as they are written in many languages. */
static const struct {
	const char *label, *subject, *text;
	enum bounce_kind kind;
	enum bounce_reason reason;
	const char *place, *line; /* what it goes by */
} notices[] = {
	{ "English", "Delivery problem", "Your message to a@b.test was returned: the inbox has run out of space.",
	  KIND_SOFT, REASON_MAILBOX_FULL, "paragraph",
	  "Your message to a@b.test was returned: the inbox has run out of space." },
	{ "German, Domino", "ZUSTELLUNGSFEHLER: Benutzer anna",
	  "Ihre Nachricht\n\nwurde nicht zugestellt an:\n\n  a@b.test\n\nweil:\n\n  Benutzer nicht im "
	  "Domino-Verzeichnis",
	  KIND_HARD, REASON_USER_UNKNOWN, "notice", "Benutzer nicht im Domino-Verzeichnis" },
	{ "French", "Échec de livraison",
	  "Votre message à a@b.test n'a pas été livré.\nSa boîte aux lettres est pleine.", KIND_SOFT,
	  REASON_MAILBOX_FULL, "paragraph", "Sa boîte aux lettres est pleine." },
	{ "Italian", "Messaggio non consegnato", "Non è stato consegnato a:\n\n  a@b.test\n\nla casella non esiste",
	  KIND_HARD, REASON_USER_UNKNOWN, "paragraph", "la casella non esiste" },
	{ "Indonesian", "Pengiriman gagal", "Pesan ke a@b.test tidak dapat dikirim: kotak surat penuh", KIND_SOFT,
	  REASON_MAILBOX_FULL, "paragraph", "Pesan ke a@b.test tidak dapat dikirim: kotak surat penuh" },
	{ "Turkish", "Teslim edilemeyen ileti", "İleti teslim edilemedi: a@b.test böyle bir kullanıcı yok", KIND_HARD,
	  REASON_USER_UNKNOWN, "paragraph", "İleti teslim edilemedi: a@b.test böyle bir kullanıcı yok" },
	{ "Czech", "Nedoručitelná zpráva", "Zprávu nebylo možné doručit: a@b.test uživatel neexistuje", KIND_HARD,
	  REASON_USER_UNKNOWN, "paragraph", "Zprávu nebylo možné doručit: a@b.test uživatel neexistuje" },
	{ "Swedish", "Kunde inte levereras", "Kunde inte levereras till a@b.test: mottagaren finns inte", KIND_HARD,
	  REASON_USER_UNKNOWN, "paragraph", "Kunde inte levereras till a@b.test: mottagaren finns inte" },
	{ "Japanese", "メール配信エラー", "a@b.test 宛のメールは配信されませんでした。メールボックスがいっぱいです。",
	  KIND_SOFT, REASON_MAILBOX_FULL, "paragraph",
	  "a@b.test 宛のメールは配信されませんでした。メールボックスがいっぱいです。" },
	{ "Chinese", "退信通知", "您的邮件 a@b.test 被退回: 收件人不存在", KIND_HARD, REASON_USER_UNKNOWN, "paragraph",
	  "您的邮件 a@b.test 被退回: 收件人不存在" },
	{ "Swedish, Exchange", "Det går inte att leverera: News",
	  "Det gick inte att leverera till:\n\na@b.test\nDet gick inte att hitta den e-postadress du angav.", KIND_HARD,
	  REASON_USER_UNKNOWN, "paragraph", "Det gick inte att hitta den e-postadress du angav." },
	{ "Turkish, Exchange", "Teslim edilemedi: News",
	  "Aşağıdaki alıcılara teslim edilemedi:\n\na@b.test\nGirdiğiniz e-posta adresi bulunamadı.", KIND_HARD,
	  REASON_USER_UNKNOWN, "paragraph", "Girdiğiniz e-posta adresi bulunamadı." },
	{ "Czech, Exchange", "Nedoručitelné: News",
	  "Doručení příjemcům se nezdařilo:\n\na@b.test\nZadanou e-mailovou adresu se nepodařilo najít.", KIND_HARD,
	  REASON_USER_UNKNOWN, "paragraph", "Zadanou e-mailovou adresu se nepodařilo najít." },
	{ "Polish", "Niedostarczona", "Nie mogła zostać dostarczona do:\n\na@b.test: Nie ma takiego użytkownika",
	  KIND_HARD, REASON_USER_UNKNOWN, "paragraph", "a@b.test: Nie ma takiego użytkownika" },
	{ "Chinese, traditional", "Undelivered Mail", "Delivery failed\n\n<a@b.test>: 使用者不存在", KIND_HARD,
	  REASON_USER_UNKNOWN, "paragraph", "<a@b.test>: 使用者不存在" },
	{ "German, delayed", "Verzögerte Zustellung",
	  "An a@b.test bisher nicht zugestellt; der Server versucht es weiterhin.", KIND_DELAY, REASON_OTHER,
	  "paragraph", "" },
};

START_TEST(notices_in_many_languages)
	{
		open_reader();
		for (size_t i = 0; i < ARRAY_LEN(notices); i++) {
			AUTO_BUF raw = buf_with_ceiling(LIMIT_INTAKE);
			buf_addf(&raw,
				 "From: Mail <mailer-daemon@b.test>\nTo: x@c.test\nSubject: %s\nMIME-Version: 1.0\n"
				 "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n%s\n",
				 notices[i].subject, notices[i].text);
			struct report *report = read_text(buf_view(&raw));
			const struct finding *finding = report_finding(report);
			ck_assert_msg(finding->kind == notices[i].kind && finding->reason == notices[i].reason,
				      "%s: %s %s by %s", notices[i].label, kind_name(finding->kind),
				      reason_name(finding->reason), finding->rule);
			ck_row(notices[i].label, report_recipient_count(report) == 1);
			struct intake_ground ground = intake_ground(intake, finding);
			ck_assert_msg(strcmp(ground.place, notices[i].place) == 0 &&
					  view_eq(ground.line, view_of(notices[i].line)),
				      "%s: %s, " VIEW_FMT, notices[i].label, ground.place,
				      VIEW_ARG(ground.line.len > 0 ? ground.line : VIEW_LIT("-")));
			report_done(report);
		}
		close_reader();
	}
END_TEST

/* What people write, quote and send on is no bounce; what daemons say in the way of people is. The first From counts. */
static const struct {
	const char *label, *head, *body;
	enum bounce_kind kind;
} letters[] = {
	{ "an order", "Return-Path: <ann@reader.test>\nSubject: Delivery problem with my order\n",
	  "My order could not be delivered to my address, recipient unknown. What now?\n", KIND_NOT_BOUNCE },
	{ "a bounce told", "Return-Path: <ann@reader.test>\nSubject: Mail delivery failed\n",
	  "I get 'mail delivery failed: user unknown' when I write to info@news.test.\n", KIND_NOT_BOUNCE },
	{ "a delay told", "Return-Path: <ann@reader.test>\nSubject: warning: could not send message\n",
	  "'warning: could not send message for past 4 hours' I saw, to editor@news.test\n", KIND_NOT_BOUNCE },
	{ "a report sent on",
	  "Return-Path: <ann@reader.test>\nSubject: Fwd: bounce\nContent-Type: multipart/mixed; boundary=M\n",
	  "--M\n\nLook what I got.\n--M\nContent-Type: message/rfc822\n\nFrom: mailer-daemon@b.test\n"
	  "Content-Type: multipart/report; report-type=delivery-status; boundary=R\n\n--R\n\nNo.\n--R\n"
	  "Content-Type: message/delivery-status\n\nReporting-MTA: dns; z.test\n\nFinal-Recipient: rfc822; z@z.test\n"
	  "Action: failed\nStatus: 5.1.1\n--R--\n--M--\n",
	  KIND_NOT_BOUNCE },
	{ "a status sent on",
	  "Return-Path: <ann@reader.test>\nSubject: RV: Mail delivery failed\n"
	  "Content-Type: multipart/mixed; boundary=M\n",
	  "--M\n\nver adjunto\n--M\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; z.test\n\n"
	  "Final-Recipient: rfc822; z@z.test\nAction: failed\nStatus: 5.1.1\n--M--\n",
	  KIND_NOT_BOUNCE },
	{ "a challenge", "Return-Path: <ann@reader.test>\nSubject: Re: News (verification)\n",
	  "I'm protecting myself from receiving junk mail. Click the link, once.\n", KIND_AUTO_REPLY },
	{ "a daemon that answers", "Return-Path: <>\nFrom: postmaster@b.test\nSubject: Re: News\n",
	  "I'm afraid I wasn't able to deliver your message to the following addresses.\n\n"
	  "ann@b.test\n\nError message:\n550 5.1.1 unknown user: ann@b.test\n",
	  KIND_HARD },
	{ "a daemon in an unknown language", "Return-Path: <>\nFrom: mailer-daemon@b.test\nSubject: Bref\n",
	  "Hoc nuntium non advenit:\n\nann@b.test\n", KIND_SOFT },
	{ "GBK by the name of a browser",
	  "Return-Path: <>\nFrom: mailer-daemon@b.test\nSubject: Undelivered Mail\n"
	  "Content-Type: text/plain; charset=x-gbk\n",
	  "Delivery failed\n\n<z@z.test>: \xd3\xc3\xbb\xa7\xb2\xbb\xb4\xe6\xd4\xda\n", KIND_HARD },
	{ "the same by no path",
	  "Return-Path: <>\nSubject: RV: Mail delivery failed\nContent-Type: multipart/mixed; boundary=M\n",
	  "--M\n\nno\n--M\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; z.test\n\n"
	  "Final-Recipient: rfc822; z@z.test\nAction: failed\nStatus: 5.1.1\n--M--\n",
	  KIND_HARD },
};

START_TEST(letters_of_people_are_no_bounces)
	{
		open_reader();
		for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
			AUTO_BUF raw = buf_with_ceiling(LIMIT_INTAKE);
			buf_addf(&raw, "%sFrom: Ann <ann@reader.test>\nTo: x@c.test\n\n%s", letters[i].head,
				 letters[i].body);
			struct report *report = read_text(buf_view(&raw));
			const struct finding *finding = report_finding(report);
			ck_assert_msg(finding->kind == letters[i].kind, "%s: %s by %s", letters[i].label,
				      kind_name(finding->kind), finding->rule);
			report_done(report);
		}
		close_reader();
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { reports_of_many_hands,
				       what_was_read_is_given_out,
				       control_characters_are_gone,
				       a_second_reader_reads_as_the_first,
				       depth_is_limited,
				       sizes_are_limited,
				       hash_passes_over_traces,
				       json_line,
				       notices_in_many_languages,
				       letters_of_people_are_no_bounces };
	return suite_of("intake", tests, ARRAY_LEN(tests));
}
