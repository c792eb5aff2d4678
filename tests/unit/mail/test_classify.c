#include "mail/classify.h"

#include <string.h>

#include "mail/classify_rules.h"
#include "tests/support/unit.h"

static struct finding classify_text(const struct classifier *classifier, const char *text, bool is_final)
{
	struct evidence evidence = { .text = view_of(text), .is_final = is_final };
	struct finding finding;
	classify(classifier, &evidence, &finding);
	return finding;
}

static struct classifier *new_classifier(void)
{
	struct classifier *classifier = NULL;
	ck_assert_int_eq(classifier_new(&classifier), ERR_OK);
	return classifier;
}

/* Each rule has a name of its own and an example that it, and no rule above it, decides. */
START_TEST(every_rule_decides_its_example)
	{
		struct classifier *classifier = new_classifier();
		for (size_t i = 0; i < classify_rule_count; i++) {
			const struct rule *rule = &classify_rules[i];
			ck_assert_ptr_nonnull(rule->name);
			ck_row(rule->name, rule->example != NULL);
			ck_row(rule->name, rule->phrases != NULL || rule->status != NULL || rule->code != 0);
			for (size_t j = 0; j < i; j++)
				ck_row(rule->name, strcmp(rule->name, classify_rules[j].name) != 0);
			struct finding finding = classify_text(classifier, rule->example, true);
			ck_assert_msg(strcmp(finding.rule, rule->name) == 0, "the example of %s is decided by %s",
				      rule->name, finding.rule);
			ck_row(rule->name, finding.reason == rule->reason);
		}
		classifier_done(classifier);
	}
END_TEST

/* Phrases are found in normalised text: one with a capital or two spaces would never be. */
START_TEST(every_phrase_is_written_as_texts_are_compared)
	{
		for (size_t i = 0; i < classify_rule_count; i++) {
			for (const char *const *phrase = classify_rules[i].phrases; phrase != NULL && *phrase != NULL;
			     phrase++) {
				ck_row(*phrase, strlen(*phrase) >= 3);
				ck_row(*phrase, strstr(*phrase, "  ") == NULL);
				for (const char *c = *phrase; *c != '\0'; c++)
					ck_row(*phrase, *c < 'A' || *c > 'Z');
			}
		}
	}
END_TEST

struct row {
	const char *label, *text;
	enum bounce_kind kind;
	enum bounce_reason reason;
};

/* Replies as the large receivers and the common servers give them. */
static const struct row final[] = {
	{ "nothing at all", "", KIND_SOFT, REASON_OTHER },
	{ "Gmail, unknown", "550-5.1.1 The email account that you tried to reach does not exist. Please try", KIND_HARD,
	  REASON_USER_UNKNOWN },
	{ "Gmail, full", "452 4.2.2 The email account that you tried to reach is over quota.", KIND_SOFT,
	  REASON_MAILBOX_FULL },
	{ "Gmail, disabled", "550 5.2.1 The email account that you tried to reach is disabled.", KIND_HARD,
	  REASON_MAILBOX_DISABLED },
	{ "Gmail, rate", "450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents more",
	  KIND_SOFT, REASON_RATE_LIMITED },
	{ "Gmail, SPF", "550-5.7.26 This mail is unauthenticated, SPF [example.org] did not pass", KIND_SOFT,
	  REASON_AUTH_FAILURE },
	{ "Gmail, reputation", "550-5.7.1 likely suspicious due to the very low reputation of the sending domain",
	  KIND_SOFT, REASON_SENDER_BLOCKED },
	{ "Yahoo, unknown", "554 delivery error: dd This user doesn't have a yahoo.com account (a@yahoo.com) [0]",
	  KIND_HARD, REASON_USER_UNKNOWN },
	{ "Yahoo, disabled",
	  "554 30 Sorry, your message to a@yahoo.com cannot be delivered. This mailbox is disabled (554.30).",
	  KIND_HARD, REASON_MAILBOX_DISABLED },
	{ "Yahoo, deferred", "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to user complaints",
	  KIND_SOFT, REASON_RATE_LIMITED },
	{ "Libero, connections", "421 smtp-12.iol.local Too many connections from your IP [smtp-12; LIB_102]",
	  KIND_SOFT, REASON_RATE_LIMITED },
	{ "T-Online, address", "554 IP=192.0.2.1 - A problem occurred. (contact tosa@rx.t-online.de to clarify.)",
	  KIND_SOFT, REASON_SENDER_BLOCKED },
	{ "Barracuda, blocked", "550 permanent failure for one or more recipients (a@example.org:blocked)", KIND_SOFT,
	  REASON_SENDER_BLOCKED },
	{ "CommuniGate, unknown", "SMTP module(domain example.org) reports: account is unknown", KIND_HARD,
	  REASON_USER_UNKNOWN },
	{ "QQ, unknown", "550 The recipient may contain a non-existent account, please check it.", KIND_HARD,
	  REASON_USER_UNKNOWN },
	{ "Outlook, unknown", "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).", KIND_HARD,
	  REASON_USER_UNKNOWN },
	{ "Outlook, edge", "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", KIND_HARD,
	  REASON_USER_UNKNOWN },
	{ "Outlook, block list",
	  "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. part of their network is on our block list "
	  "(S3150).",
	  KIND_SOFT, REASON_SENDER_BLOCKED },
	{ "Outlook, bulk", "550 5.7.515 Access denied, sending domain does not meet the required authentication level",
	  KIND_SOFT, REASON_AUTH_FAILURE },
	{ "Exchange, group", "550 5.7.129 RESOLVER.RST.RestrictedToRecipientsPermission", KIND_SOFT, REASON_POLICY },
	{ "iCloud, full", "552 5.2.2 <a@icloud.com>: user is over quota", KIND_SOFT, REASON_MAILBOX_FULL },
	{ "Postfix, unknown",
	  "550 5.1.1 <a@example.org>: Recipient address rejected: User unknown in local recipient table", KIND_HARD,
	  REASON_USER_UNKNOWN },
	{ "Postfix, relay", "554 5.7.1 <a@example.org>: Relay access denied", KIND_SOFT, REASON_RELAY_DENIED },
	{ "Postfix, sender's domain", "450 4.1.8 <n@example.com>: Sender address rejected: Domain not found", KIND_SOFT,
	  REASON_SENDER_REJECTED },
	{ "Postfix, greylisting", "450 4.2.0 <a@example.org>: Recipient address rejected: Greylisted", KIND_SOFT,
	  REASON_RATE_LIMITED },
	{ "Postfix, DNS",
	  "Host or domain name not found. Name service error for name=example.org type=MX: Host not found", KIND_HARD,
	  REASON_DOMAIN_UNKNOWN },
	{ "Postfix, DNS for now", "Name service error for name=example.org type=MX: Host not found, try again",
	  KIND_SOFT, REASON_NETWORK },
	{ "Postfix, null MX", "Domain example.org does not accept mail (nullMX)", KIND_HARD, REASON_NULL_MX },
	{ "4.x.x that was given up", "450 4.1.1 <a@example.org>: User unknown", KIND_HARD, REASON_USER_UNKNOWN },
	{ "disabled for now", "450 4.2.1 mailbox disabled, not accepting messages", KIND_SOFT,
	  REASON_MAILBOX_DISABLED },
	{ "moved", "551 5.1.6 The user has moved to b@example.org", KIND_HARD, REASON_MOVED },
	{ "text overrules the code", "550 5.1.1 <n@example.com> listed at zen.spamhaus.org", KIND_SOFT,
	  REASON_SENDER_BLOCKED },
	{ "full, though 5.1.1", "550 5.1.1 <a@example.org> Mailbox full", KIND_SOFT, REASON_MAILBOX_FULL },
	{ "permission is no user", "550 5.7.1 you don't have permission to send to this recipient", KIND_SOFT,
	  REASON_POLICY },
	{ "words of an address do not count", "550 5.7.1 <user-unknown@example.org> no", KIND_SOFT, REASON_POLICY },
	{ "qmail's last words do not count", "550 5.1.1 sorry\nGiving up on 192.0.2.1.", KIND_HARD,
	  REASON_USER_UNKNOWN },
	{ "words apart", "550 mailbox of @ at this host is at present full", KIND_SOFT, REASON_MAILBOX_FULL },
	{ "folded and spaced", "550 USER\r\n\t  UNKNOWN", KIND_HARD, REASON_USER_UNKNOWN },
	{ "typographic apostrophe", "550 That address couldn\xe2\x80\x99t be found", KIND_HARD, REASON_USER_UNKNOWN },
	{ "German", "550 Empfänger unbekannt", KIND_HARD, REASON_USER_UNKNOWN },
	{ "French capitals", "552 BOÎTE AUX LETTRES EST PLEINE", KIND_SOFT, REASON_MAILBOX_FULL },
	{ "Russian capitals", "550 ПОЛЬЗОВАТЕЛЬ НЕ НАЙДЕН", KIND_HARD, REASON_USER_UNKNOWN },
	{ "Japanese", "宛先のメールアドレスは存在しません", KIND_HARD, REASON_USER_UNKNOWN },
	{ "German, another way", "Die Adresse ist bei uns nicht eingerichtet", KIND_HARD, REASON_USER_UNKNOWN },
	{ "German, locked", "Dieses Konto wurde gesperrt.", KIND_HARD, REASON_MAILBOX_DISABLED },
	{ "Polish", "nie ma takiego użytkownika", KIND_HARD, REASON_USER_UNKNOWN },
	{ "Turkish", "Böyle bir kullanıcı yok", KIND_HARD, REASON_USER_UNKNOWN },
	{ "Indonesian, full", "karena kotak surat penerima penuh", KIND_SOFT, REASON_MAILBOX_FULL },
	{ "Korean", "존재하지 않는 사용자입니다", KIND_HARD, REASON_USER_UNKNOWN },
	{ "Chinese, full", "对方邮箱空间已满", KIND_SOFT, REASON_MAILBOX_FULL },
	{ "Chinese, perhaps", "您試圖聯絡的群組可能不存在", KIND_SOFT, REASON_OTHER },
	{ "Czech, full", "schránka příjemce je plná", KIND_SOFT, REASON_MAILBOX_FULL },
	{ "a deny list", "554 your address is on our local deny list", KIND_SOFT, REASON_SENDER_BLOCKED },
	{ "loop", "554 5.4.6 too many hops", KIND_SOFT, REASON_ROUTING_LOOP },
	{ "size", "552 5.3.4 Message size exceeds fixed limit", KIND_SOFT, REASON_MESSAGE_TOO_BIG },
	{ "virus", "550 This message contains a virus", KIND_SOFT, REASON_SPAM_CONTENT },
};

START_TEST(replies_of_the_world)
	{
		struct classifier *classifier = new_classifier();
		for (size_t i = 0; i < ARRAY_LEN(final); i++) {
			const struct row *row = &final[i];
			struct finding finding = classify_text(classifier, row->text, true);
			ck_assert_msg(finding.kind == row->kind && finding.reason == row->reason, "%s: %s %s by %s",
				      row->label, kind_name(finding.kind), reason_name(finding.reason), finding.rule);
		}
		classifier_done(classifier);
	}
END_TEST

/* A reply of the moment is never hard, whatever it says. */
START_TEST(temporary_is_soft_until_given_up)
	{
		struct classifier *classifier = new_classifier();
		static const char *const texts[] = { "450 4.1.1 User unknown", "450 user unknown",
						     "421 4.4.4 no such domain" };
		for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
			ck_row(texts[i], classify_text(classifier, texts[i], false).kind == KIND_SOFT);
			ck_row(texts[i], classify_text(classifier, texts[i], true).kind == KIND_HARD);
		}
		classifier_done(classifier);
	}
END_TEST

START_TEST(codes_come_from_the_evidence_or_else_the_text)
	{
		struct classifier *classifier = new_classifier();
		struct finding finding = classify_text(classifier, "smtp; 550 5.1.1 unknown", true);
		ck_assert_uint_eq(finding.code, 550);
		ck_assert(status_is(finding.status, 5, 1, 1));

		struct evidence evidence = { .code = 552, .status = { 5, 0, 0 }, .text = view_of("550 5.2.2 no") };
		classify(classifier, &evidence, &finding);
		ck_assert_uint_eq(finding.code, 552);
		ck_assert_msg(status_is(finding.status, 5, 2, 2), "5.0.0 gives way to what the text says");

		evidence = (struct evidence){ .status = { 5, 2, 1 }, .text = view_of("550 5.7.1 no") };
		classify(classifier, &evidence, &finding);
		ck_assert_msg(status_is(finding.status, 5, 2, 1), "a status that says something stays");

		evidence = (struct evidence){ .text = view_of("250 2.0.0 Ok") };
		classify(classifier, &evidence, &finding);
		ck_assert_uint_eq(finding.code, 0);
		ck_assert_msg(!status_is_set(finding.status), "success is no reason");
		classifier_done(classifier);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { every_rule_decides_its_example, every_phrase_is_written_as_texts_are_compared,
				       replies_of_the_world, temporary_is_soft_until_given_up,
				       codes_come_from_the_evidence_or_else_the_text };
	return suite_of("classify", tests, ARRAY_LEN(tests));
}
