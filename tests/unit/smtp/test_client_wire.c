/* What leaves, read as a server reads it: nothing that the owner gives can end a message or a line before its time. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "smtp/data.h"
#include "tests/support/smtp_owner.h"

/* ---- content ---- */

/* What one server or another has taken for the end of a message (SMTP smuggling), and what else could upset one. */
static const struct ending {
	const char *label;
	const char *text;
	size_t len;
	bool is_text; /* may be said: only CRLF ends its lines */
} endings[] = {
#define ENDING(label, text, is_text)                                                                                   \
	{                                                                                                              \
		label, text, sizeof(text) - 1, is_text                                                                 \
	}
	ENDING("LF . LF", "\n.\n", false),
	ENDING("LF . CRLF", "\n.\r\n", false),
	ENDING("LF . CR", "\n.\r", false),
	ENDING("CR . CR", "\r.\r", false),
	ENDING("CR . LF", "\r.\n", false),
	ENDING("CR . CRLF", "\r.\r\n", false),
	ENDING("CRLF . LF", "\r\n.\n", false),
	ENDING("CRLF . CR", "\r\n.\r", false),
	ENDING("CRLF . CR CR LF", "\r\n.\r\r\n", false),
	ENDING("CRLF NUL . CRLF", "\r\n\0.\r\n", false),
	ENDING("CRLF . NUL CRLF", "\r\n.\0\r\n", false),
	ENDING("CR CR LF . CR CR LF", "\r\r\n.\r\r\n", false),
	ENDING("CRLF . CRLF", "\r\n.\r\n", true),
	ENDING("CRLF .. CRLF", "\r\n..\r\n", true),
#undef ENDING
};

#define SMUGGLED "MAIL FROM:<evil@example.net>\r\nRCPT TO:<you@example.org>\r\nDATA\r\n"

/* The ending behind `before` octets of text, with commands behind it. */
static void compose(const struct ending *ending, size_t before, struct buf *ret_message)
{
	buf_reset(ret_message);
	for (size_t i = 0; i < before; i++)
		buf_add_byte(ret_message, 'x');
	buf_add(ret_message, view_from(ending->text, ending->len));
	buf_addf(ret_message, SMUGGLED);
}

static struct owner at_content(const struct smtp_client_options *options, const char *offers)
{
	struct owner owner = owner_new(options, 1);
	owner.holds_content = true;
	owner_turn(&owner, view_of("220 hi\r\n"));
	owner_turn(&owner, view_of(offers));
	if (strcmp(offers, PIPE) == 0)
		owner_turn(&owner, view_of(OK3));
	ck_assert(owner.asked == 1);
	buf_reset(&owner.wire);
	return owner;
}

static void check_content(struct owner *owner, const struct ending *ending, const struct buf *message)
{
	enum err err = smtp_client_content(owner->client, 1, buf_view(message));
	ck_row(ending->label, err == (ending->is_text ? ERR_OK : ERR_INVALID));
	if (err != ERR_OK) {
		ck_row(ending->label, smtp_client_output(owner->client).len == 0);
		smtp_client_abandon(owner->client);
		owner_drain(owner);
		ck_row(ending->label, view_find(buf_view(&owner->trace), view_of("not-sent 1")) != VIEW_NONE);
		ck_row(ending->label, view_find(smtp_client_output(owner->client), view_of("evil")) == VIEW_NONE);
	}
}

/* The wire ends with the content's end and nothing of the content was taken for it. */
static void check_data(struct owner *owner, const struct ending *ending, const struct buf *message)
{
	struct data_reader reader = data_reader_new(LIMIT_INTAKE);
	struct view rest = smtp_client_output(owner->client);
	ck_row(ending->label, data_feed(&reader, &rest));
	ck_row(ending->label, rest.len == 0 && !reader.is_broken);
	ck_row(ending->label, view_eq(buf_view(&reader.content), buf_view(message)));
	data_reader_done(&reader);
}

static void check_chunk(struct owner *owner, const struct ending *ending, const struct buf *message)
{
	AUTO_BUF expected = buf_with_ceiling(4096);
	buf_addf(&expected, MAIL RCPT "BDAT %zu LAST\r\n", message->len);
	buf_add(&expected, buf_view(message));
	ck_row(ending->label, view_eq(smtp_client_output(owner->client), buf_view(&expected)));
}

START_TEST(no_ending_but_the_end)
	{
		enum { PLACES = 140 }; /* on both sides of the runs that are looked at together */
		AUTO_BUF message = buf_with_ceiling(4096);
		for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
			for (size_t before = 0; before < PLACES; before++) {
				compose(&endings[i], before, &message);
				struct owner data = at_content(NULL, PIPE);
				struct owner chunk = at_content(NULL, CHUNK);
				check_content(&data, &endings[i], &message);
				check_content(&chunk, &endings[i], &message);
				if (endings[i].is_text) {
					check_data(&data, &endings[i], &message);
					check_chunk(&chunk, &endings[i], &message);
				}
				owner_done(&data);
				owner_done(&chunk);
			}
		}
	}
END_TEST

/* One octet too much or too little is found wherever it stands. */
START_TEST(each_bare_octet_is_found)
	{
		static const char octets[] = { '\r', '\n', '\0' };
		enum { LEN = 200 };
		for (size_t at = 0; at <= LEN; at++) {
			for (size_t i = 0; i < ARRAY_LEN(octets); i++) {
				char text[LEN + 1];
				struct ending ending = { .label = "bare", .text = text, .len = LEN + 1 };
				memset(text, 'x', sizeof(text));
				text[at] = octets[i];
				AUTO_BUF message = buf_with_ceiling(1024);
				buf_add(&message, view_from(text, sizeof(text)));
				struct owner data = at_content(NULL, PIPE);
				struct owner chunk = at_content(NULL, CHUNK);
				check_content(&data, &ending, &message);
				check_content(&chunk, &ending, &message);
				owner_done(&data);
				owner_done(&chunk);
			}
		}
	}
END_TEST

/* ---- content that waits for the reply to RCPT, with CHUNKING ---- */

#define ASKED(n) "BDAT 5 LAST\r\nID" n "\r\n"
#define FIRST MAIL RCPT ASKED("1")
#define OK2 "250 a\r\n250 b\r\n"

/* The second message asks first. */
static const struct script asking_rows[] = {
	{ "taken",
	  { "220 hi\r\n", CHUNK, OK2 "250 c\r\n", OK2, "250 c\r\n", "221 e\r\n" },
	  "takes asks 1 accepted 1:250 takes asks 2 accepted 2:250 takes closed",
	  EHLO FIRST MAIL RCPT ASKED("2") "QUIT\r\n",
	  2 },
	{ "the server has gone",
	  { "220 hi\r\n", CHUNK, OK2 "250 c\r\n", "EOF" },
	  "takes asks 1 accepted 1:250 takes not-sent 2 trouble@mail closed",
	  EHLO FIRST MAIL RCPT,
	  2 },
	{ "it goes behind MAIL",
	  { "220 hi\r\n", CHUNK, OK2 "250 c\r\n", "250 a\r\n", "EOF" },
	  "takes asks 1 accepted 1:250 takes not-sent 2 trouble@rcpt closed",
	  EHLO FIRST MAIL RCPT,
	  2 },
	{ "it goes behind the content",
	  { "220 hi\r\n", CHUNK, OK2 "250 c\r\n", OK2, "EOF" },
	  "takes asks 1 accepted 1:250 takes asks 2 in-doubt 2 trouble@final-dot closed",
	  EHLO FIRST MAIL RCPT ASKED("2"),
	  2 },
	{ "recipient refused",
	  { "220 hi\r\n", CHUNK, OK2 "250 c\r\n", "250 a\r\n550 b\r\n", "250 r\r\n" OK2, "250 c\r\n", "221 e\r\n" },
	  "takes asks 1 accepted 1:250 takes refused 2@rcpt:550 takes asks 3 accepted 3:250 takes closed",
	  EHLO FIRST MAIL RCPT "RSET\r\n" MAIL RCPT ASKED("3") "QUIT\r\n",
	  3 },
	{ "too large at MAIL",
	  { "220 hi\r\n", CHUNK, OK2 "250 c\r\n", "552 a\r\n503 b\r\n", "250 r\r\n" OK2, "250 c\r\n", "221 e\r\n" },
	  "takes asks 1 accepted 1:250 takes refused 2@mail:552 takes asks 3 accepted 3:250 takes closed",
	  EHLO FIRST MAIL RCPT "RSET\r\n" MAIL RCPT ASKED("3") "QUIT\r\n",
	  3 },
	{ "sender refused",
	  { "220 hi\r\n", CHUNK, OK2 "250 c\r\n", "550 a\r\n503 b\r\n", "221 e\r\n" },
	  "takes asks 1 accepted 1:250 takes not-sent 2 trouble@mail:550 closed",
	  EHLO FIRST MAIL RCPT "QUIT\r\n",
	  2 },
	{ "goodbye",
	  { "220 hi\r\n", CHUNK, OK2 "250 c\r\n", "421 a\r\n" },
	  "takes asks 1 accepted 1:250 takes not-sent 2 trouble@mail:421 closed",
	  EHLO FIRST MAIL RCPT,
	  2 },
	/* With DATA that is so in any case. */
	{ "without CHUNKING",
	  { "220 hi\r\n", PIPE, OK3, "250 d\r\n" OK3, "250 d\r\n", "221 e\r\n" },
	  "takes asks 1 takes accepted 1:250 asks 2 takes accepted 2:250 closed",
	  EHLO GROUP "ID1\r\n.\r\n" GROUP "ID2\r\n.\r\nQUIT\r\n",
	  2 },
};

START_TEST(content_that_asks_first)
	{
		for (size_t i = 0; i < ARRAY_LEN(asking_rows); i++) {
			script_play_asking(&asking_rows[i], SIZE_MAX);
			for (size_t split = 1; split < strlen(CHUNK); split++)
				script_play_asking(&asking_rows[i], split);
		}
	}
END_TEST

/* ---- LMTP (RFC 2033) ---- */

static const struct smtp_client_options lmtp = { .is_lmtp = true };

#define LHLO "LHLO me.example\r\n"

static const struct script lmtp_rows[] = {
	{ "lmtp",
	  { "220 hi\r\n", PIPE, OK3, "250 d\r\n" OK3, "452 full\r\n", "221 e\r\n" },
	  "takes asks 1 takes accepted 1:250 asks 2 takes refused 2@final-dot:452 closed",
	  LHLO GROUP "ID1\r\n.\r\n" GROUP "ID2\r\n.\r\nQUIT\r\n",
	  2 },
	{ "lmtp with BDAT",
	  { "220 hi\r\n", CHUNK, "250 a\r\n250 b\r\n250 c\r\n", "221 e\r\n" },
	  "takes asks 1 accepted 1:250 takes closed",
	  LHLO MAIL RCPT "BDAT 5 LAST\r\nID1\r\nQUIT\r\n",
	  1 },
	{ "an SMTP server",
	  { "220 hi\r\n", "500 what\r\n", "221 e\r\n" },
	  "trouble@ehlo:500 closed",
	  LHLO "QUIT\r\n",
	  1 },
	{ "recipient refused",
	  { "220 hi\r\n", PIPE, "250 a\r\n550 b\r\n503 c\r\n", "221 e\r\n" },
	  "takes refused 1@rcpt:550 takes closed",
	  LHLO GROUP "QUIT\r\n",
	  1 },
	/* The dot would be answered once for each recipient: never. */
	{ "content wanted for nobody",
	  { "220 hi\r\n", PIPE, "250 a\r\n550 b\r\n354 c\r\n" },
	  "takes refused 1@rcpt:550 trouble@data:354 closed",
	  LHLO GROUP,
	  1 },
};

START_TEST(lmtp_sessions)
	{
		for (size_t i = 0; i < ARRAY_LEN(lmtp_rows); i++) {
			script_play(&lmtp_rows[i], &lmtp, SIZE_MAX);
			script_play_split_everywhere(&lmtp_rows[i], &lmtp);
		}
	}
END_TEST

/* ---- LIMITS (RFC 9422) ---- */

#define LIMITED(limits) "250-me\r\n250-PIPELINING\r\n250 LIMITS " limits "\r\n"

static const struct script limit_rows[] = {
	{ "one mail",
	  { "220 hi\r\n", LIMITED("RCPTMAX=1 mailmax=1"), OK3, "250 d\r\n", "221 e\r\n" },
	  "takes asks 1 accepted 1:250 closed",
	  EHLO GROUP "ID1\r\n.\r\nQUIT\r\n",
	  3 },
	{ "two mails",
	  { "220 hi\r\n", LIMITED("MAILMAX=2"), OK3, "250 d\r\n" OK3, "250 d\r\n", "221 e\r\n" },
	  "takes asks 1 takes accepted 1:250 asks 2 accepted 2:250 closed",
	  EHLO GROUP "ID1\r\n.\r\n" GROUP "ID2\r\n.\r\nQUIT\r\n",
	  3 },
	{ "no numbers",
	  { "220 hi\r\n", LIMITED("MAILMAX MAILMAX= MAILMAX=x MAILMAX=9999999 =1"), OK3, "250 d\r\n", "221 e\r\n" },
	  "takes asks 1 takes accepted 1:250 closed",
	  EHLO GROUP "ID1\r\n.\r\nQUIT\r\n",
	  1 },
};

START_TEST(limits_on_mails)
	{
		for (size_t i = 0; i < ARRAY_LEN(limit_rows); i++)
			script_play(&limit_rows[i], NULL, SIZE_MAX);
	}
END_TEST

START_TEST(limits_on_domains)
	{
		static const char *const to[] = { "a@one.example", "b@ONE.example", "c@two.example", "d@one.example",
						  "e@three.example" };
		struct owner owner = owner_new(NULL, ARRAY_LEN(to));
		owner.to = to[0];
		owner_turn(&owner, view_of("220 hi\r\n"));
		owner_turn(&owner, view_of(LIMITED("RCPTDOMAINMAX=2")));
		for (size_t i = 1; i < ARRAY_LEN(to); i++) {
			owner.to = to[i];
			owner_turn(&owner, i == 1 ? view_of(OK3) : view_of("250 d\r\n" OK3));
		}
		owner_turn(&owner, view_of("250 d\r\n"));
		ck_assert(!owner_turn(&owner, view_of("221 e\r\n")));
		ck_view_eq(buf_view(&owner.trace),
			   "takes asks 1 takes accepted 1:250 asks 2 takes accepted 2:250 asks 3 takes accepted 3:250 "
			   "asks 4 takes not-sent 5 accepted 4:250 closed");
		ck_assert(view_find(buf_view(&owner.wire), view_of("three.example")) == VIEW_NONE);
		owner_done(&owner);
	}
END_TEST

/* ---- how much is said before anything is read ---- */

START_TEST(memory_is_bounded)
	{
		const struct smtp_client_options options = { .in_flight = LIMIT_IN_FLIGHT };
		static char message[32 << 10];
		struct owner owner = owner_new(&options, LIMIT_IN_FLIGHT);
		owner.holds_content = true;
		memset(message, 'x', sizeof(message));
		owner_turn(&owner, view_of("220 hi\r\n"));
		smtp_client_input(owner.client, view_of(CHUNK));
		for (unsigned i = 0; i < 4 * LIMIT_IN_FLIGHT; i++) {
			owner_drain(&owner);
			if (owner.asked == 0)
				break;
			ck_assert(smtp_client_content(owner.client, owner.asked, view_from(message, sizeof(message))) ==
				  ERR_OK);
			owner.asked = 0;
			ck_assert(smtp_client_output(owner.client).len <=
				  LIMIT_SMTP_UNWRITTEN + sizeof(message) + LIMIT_COMMAND_LINE);
		}
		ck_assert(owner.next <= LIMIT_SMTP_UNWRITTEN / sizeof(message) + 3);
		/* What was written makes room. */
		uint64_t begun = owner.next;
		owner_write(&owner, SIZE_MAX);
		owner_drain(&owner);
		ck_assert(owner.next == begun + 1);
		owner_done(&owner);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		no_ending_but_the_end, each_bare_octet_is_found, lmtp_sessions,     content_that_asks_first,
		limits_on_mails,       limits_on_domains,        memory_is_bounded,
	};
	return suite_of("client_wire", tests, ARRAY_LEN(tests));
}
