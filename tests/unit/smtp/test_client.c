#include "smtp/client.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/smtp_owner.h"

/* ---- every subset of failing replies ---- */

/* 552 to MAIL is about the message. */
static const unsigned mail_codes[] = { 250, 451, 550, 421, 552 }, rcpt_codes[] = { 250, 451, 550, 421 },
		      data_codes[] = { 354, 451, 554, 421 }, dot_codes[] = { 250, 451, 554, 421 };

/* What must be the end of message 1; the rest of the trace must then follow from it. */
static void expect(struct buf *out, unsigned mail, unsigned rcpt, unsigned data, unsigned dot)
{
	if (mail == 552 && (rcpt == 421 || data == 421))
		buf_addf(out, "takes refused 1@mail:552 trouble@%s:421 closed", rcpt == 421 ? "rcpt" : "data");
	else if (mail == 552)
		buf_addf(out, "takes refused 1@mail:552 takes closed");
	else if (mail != 250)
		buf_addf(out, "takes not-sent 1 trouble@mail:%u closed", mail);
	else if (rcpt == 421)
		buf_addf(out, "takes refused 1@rcpt:421 trouble@rcpt:421 closed");
	else if (rcpt != 250 && data == 421)
		buf_addf(out, "takes refused 1@rcpt:%u trouble@data:421 closed", rcpt);
	else if (rcpt != 250)
		buf_addf(out, "takes refused 1@rcpt:%u takes closed", rcpt);
	else if (data == 421)
		buf_addf(out, "takes not-sent 1 trouble@data:421 closed");
	else if (data != 354)
		buf_addf(out, "takes refused 1@data:%u takes closed", data);
	else if (dot == 421)
		buf_addf(out, "takes asks 1 takes refused 1@final-dot:421 trouble@final-dot:421 closed");
	else if (dot != 250)
		buf_addf(out, "takes asks 1 takes refused 1@final-dot:%u closed", dot);
	else
		buf_addf(out, "takes asks 1 takes accepted 1:250 closed");
}

static void play_subset(unsigned mail, unsigned rcpt, unsigned data, unsigned dot)
{
	char label[64], group[128], last[32];
	AUTO_BUF trace = buf_with_ceiling(256);
	snprintf(label, sizeof(label), "%u %u %u %u", mail, rcpt, data, dot);
	snprintf(group, sizeof(group), "%u a\r\n%u b\r\n%u c\r\n", mail, rcpt, data);
	snprintf(last, sizeof(last), "%u d\r\n", dot);
	expect(&trace, mail, rcpt, data, dot);
	for (size_t split = 1; split <= strlen(group); split++) {
		struct owner owner = owner_new(NULL, 1);
		bool is_open = owner_turn(&owner, view_of("")) && owner_turn(&owner, view_of("220 hi\r\n")) &&
			       owner_turn(&owner, view_of(PIPE));
		is_open = is_open && owner_turn(&owner, view_head(view_of(group), split));
		is_open = is_open && owner_turn(&owner, view_skip(view_of(group), split));
		/* The dot's reply (or the void dot's), then QUIT's. */
		struct view wire = buf_view(&owner.wire);
		if (is_open && view_ends(wire, VIEW_LIT("DATA\r\n.\r\n")))
			is_open = owner_turn(&owner, view_of("554 none\r\n"));
		else if (is_open && view_ends(wire, VIEW_LIT("\r\n.\r\n")))
			is_open = owner_turn(&owner, view_of(last));
		if (is_open)
			is_open = owner_turn(&owner, view_of("221 e\r\n"));
		ck_row(label, !is_open);
		ck_assert_msg(view_eq(buf_view(&owner.trace), buf_view(&trace)),
			      "%s, split %zu: got \"%s\", expected \"%s\"", label, split, buf_text(&owner.trace),
			      buf_text(&trace));
		owner_done(&owner);
	}
}

START_TEST(every_subset_of_failing_replies)
	{
		for (size_t i = 0; i < 64; i++) {
			for (size_t mail = 0; mail < ARRAY_LEN(mail_codes); mail++)
				play_subset(mail_codes[mail], rcpt_codes[i & 3], data_codes[i >> 2 & 3],
					    dot_codes[i >> 4 & 3]);
		}
	}
END_TEST

/* ---- the owner's side ---- */

START_TEST(bad_content_does_not_leave)
	{
		struct owner owner = owner_new(NULL, 0);
		struct smtp_event event;
		struct smtp_envelope envelope = { .to = view_of("you@example.org") };
		owner_drain(&owner);
		smtp_client_input(owner.client, view_of("220 hi\r\n"));
		smtp_client_next(owner.client, &event);
		owner_write(&owner, SIZE_MAX);
		smtp_client_input(owner.client, view_of(PIPE));
		smtp_client_next(owner.client, &event);
		ck_assert(event.type == SMTP_TAKES_ENVELOPE);
		ck_assert(smtp_client_content(owner.client, 1, view_of("x\r\n")) == ERR_REFUSED);
		ck_assert(smtp_client_envelope(owner.client, 1, &envelope) == ERR_OK);
		ck_assert(smtp_client_envelope(owner.client, 2, &envelope) == ERR_REFUSED);
		owner_write(&owner, SIZE_MAX);
		smtp_client_input(owner.client, view_of(OK3));
		smtp_client_next(owner.client, &event);
		ck_assert(event.type == SMTP_ASKS_CONTENT);
		ck_assert(smtp_client_content(owner.client, 7, view_of("x\r\n")) == ERR_REFUSED);
		ck_assert(smtp_client_content(owner.client, 1, view_of("x\n.\nMAIL")) == ERR_INVALID);
		ck_assert(smtp_client_output(owner.client).len == 0);
		smtp_client_abandon(owner.client);
		owner_drain(&owner);
		ck_view_eq(buf_view(&owner.trace), "not-sent 1 closed");
		owner_done(&owner);
	}
END_TEST

START_TEST(idle_farewell_is_no_trouble)
	{
		static const char *const farewells[] = { "421 4.4.2 idle\r\n", NULL };
		for (size_t i = 0; i < ARRAY_LEN(farewells); i++) {
			struct owner owner = owner_new(NULL, 1);
			owner_turn(&owner, view_of("220 hi\r\n"));
			owner.last = 1;
			owner_turn(&owner, view_of(BARE));
			owner_turn(&owner, view_of("250 a\r\n"));
			owner_turn(&owner, view_of("250 b\r\n"));
			owner_turn(&owner, view_of("354 c\r\n"));
			struct smtp_event event;
			smtp_client_input(owner.client, view_of("250 d\r\n"));
			smtp_client_next(owner.client, &event);
			ck_assert(event.type == SMTP_ACCEPTED);
			smtp_client_next(owner.client, &event);
			ck_assert(event.type == SMTP_TAKES_ENVELOPE && smtp_client_is_idle(owner.client));
			if (farewells[i] == NULL)
				smtp_client_lost(owner.client);
			else
				smtp_client_input(owner.client, view_of(farewells[i]));
			smtp_client_next(owner.client, &event);
			ck_assert(event.type == SMTP_CLOSED);
			owner_done(&owner);
		}
	}
END_TEST

struct envelope_row {
	const char *label, *ehlo, *to, *envid;
	size_t size;
	const char *wire, *trace;
};

static const struct envelope_row envelope_rows[] = {
	{ "no extensions", BARE, "a@b.c", "id", 99, "MAIL FROM:<b+tok@example.net>\r\n", "takes" },
	{ "size", "250-me\r\n250-SIZE 100\r\n250 PIPELINING\r\n", "a@b.c", "", 100,
	  "MAIL FROM:<b+tok@example.net> SIZE=100\r\nRCPT TO:<a@b.c>\r\nDATA\r\n", "takes" },
	{ "too large", "250-me\r\n250 SIZE 100\r\n", "a@b.c", "", 101, "QUIT\r\n", "takes unfit 1:552 takes" },
	{ "size without limit", "250-me\r\n250-size 0\r\n250 pipelining\r\n", "a@b.c", "", 101,
	  "MAIL FROM:<b+tok@example.net> SIZE=101\r\nRCPT TO:<a@b.c>\r\nDATA\r\n", "takes" },
	{ "dsn", "250-me\r\n250-DSN\r\n250 PIPELINING\r\n", "a+b=c@b.c", "q+1", 0,
	  "MAIL FROM:<b+tok@example.net> RET=HDRS ENVID=q+2B1\r\nRCPT TO:<a+b=c@b.c> NOTIFY=FAILURE "
	  "ORCPT=rfc822;a+2Bb+3Dc@b.c\r\nDATA\r\n",
	  "takes" },
	{ "utf8 wanted", BARE, "\xc3\xbc@b.c", "", 0, "QUIT\r\n", "takes unfit 1:550 takes" },
	{ "utf8 offered", "250-me\r\n250-SMTPUTF8\r\n250-DSN\r\n250 PIPELINING\r\n", "\xc3\xbc@b.c", "", 0,
	  "MAIL FROM:<b+tok@example.net> SMTPUTF8 RET=HDRS\r\nRCPT TO:<\xc3\xbc@b.c> NOTIFY=FAILURE\r\nDATA\r\n",
	  "takes" },
};

START_TEST(envelopes)
	{
		for (size_t i = 0; i < ARRAY_LEN(envelope_rows); i++) {
			const struct envelope_row *row = &envelope_rows[i];
			struct owner owner = owner_new(NULL, 1);
			owner.to = row->to;
			owner.envid = view_of(row->envid);
			owner.size = row->size;
			owner_turn(&owner, view_of("220 hi\r\n"));
			buf_reset(&owner.wire);
			owner_turn(&owner, view_of(row->ehlo));
			ck_view_eq(buf_view(&owner.wire), row->wire);
			ck_view_eq(buf_view(&owner.trace), row->trace);
			owner_done(&owner);
		}
	}
END_TEST

START_TEST(delays_are_asked_for)
	{
		const struct smtp_client_options options = { .notify_delay = true };
		struct owner owner = owner_new(&options, 1);
		owner_turn(&owner, view_of("220 hi\r\n"));
		buf_reset(&owner.wire);
		owner_turn(&owner, view_of("250-me\r\n250-DSN\r\n250 PIPELINING\r\n"));
		ck_view_eq(buf_view(&owner.wire),
			   "MAIL FROM:<b+tok@example.net> RET=HDRS\r\nRCPT TO:<you@example.org> NOTIFY=FAILURE,DELAY "
			   "ORCPT=rfc822;you@example.org\r\nDATA\r\n");
		owner_done(&owner);
	}
END_TEST

START_TEST(envelopes_that_cannot_be)
	{
		static const char *const bad[] = { "", "a\r\nRSET@b.c", "a b@c", "a>@c", "<a@c", "a\x7f@c", "a\t@c" };
		struct owner owner = owner_new(NULL, 0);
		owner_turn(&owner, view_of("220 hi\r\n"));
		struct smtp_event event;
		smtp_client_input(owner.client, view_of(PIPE));
		smtp_client_next(owner.client, &event);
		for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
			struct smtp_envelope envelope = { .to = view_of(bad[i]) };
			ck_row(bad[i], smtp_client_envelope(owner.client, 1, &envelope) == ERR_INVALID);
			ck_row(bad[i], smtp_client_output(owner.client).len == 0);
		}
		owner_done(&owner);
	}
END_TEST

static const struct smtp_client_options two_messages = { .max_messages = 2 };

START_TEST(quits_after_its_messages)
	{
		struct owner owner = owner_new(&two_messages, 5);
		const char *const says[] = { "220 hi\r\n", PIPE, OK3, "250 d\r\n" OK3, "250 d\r\n", "221 e\r\n" };
		bool is_open = true;
		for (size_t i = 0; i < ARRAY_LEN(says); i++)
			is_open = owner_turn(&owner, view_of(says[i]));
		ck_assert(!is_open);
		ck_view_eq(buf_view(&owner.trace), "takes asks 1 takes accepted 1:250 asks 2 accepted 2:250 closed");
		owner_done(&owner);
	}
END_TEST

START_TEST(whole_replies_are_counted)
	{
		static const struct row {
			const char *says;
			uint64_t replies;
		} rows[] = {
			{ "22", 0 },
			{ "0 hi\r\n", 1 },
			{ "250-me\r\n", 1 },
			{ "250-PIPELINING\r\n250-", 1 },
			{ "SIZE\r\n250 DSN\r\n", 2 },
			{ "250 a\r\n250 b\r\n35", 4 },
			{ "4 c\r\n", 5 },
		};
		struct owner owner = owner_new(NULL, 1);
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			owner_turn(&owner, view_of(rows[i].says));
			ck_row(rows[i].says, smtp_client_replies(owner.client) == rows[i].replies);
		}
		owner_done(&owner);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		every_subset_of_failing_replies,
		bad_content_does_not_leave,
		idle_farewell_is_no_trouble,
		envelopes,
		delays_are_asked_for,
		envelopes_that_cannot_be,
		quits_after_its_messages,
		whole_replies_are_counted,
	};
	return suite_of("client", tests, ARRAY_LEN(tests));
}
