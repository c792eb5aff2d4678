#include "smtp/client.h"

#include "tests/support/smtp_owner.h"

#define STLS "250-me\r\n250-PIPELINING\r\n250-SIZE 10\r\n250 STARTTLS\r\n"
#define ASKS_TLS EHLO "STARTTLS\r\n"

static const struct smtp_client_options starttls = { .tls = SMTP_TLS_STARTTLS };
static const struct smtp_client_options implicit = { .tls = SMTP_TLS_IMPLICIT };

static const struct script starttls_rows[] = {
	{ "starttls",
	  { "220 hi\r\n", STLS, "220 go\r\n", "TLS", PIPE, OK3, "250 d\r\n", "221 e\r\n" },
	  "tls takes asks 1 takes accepted 1:250 closed",
	  ASKS_TLS EHLO GROUP "ID1\r\n.\r\nQUIT\r\n",
	  1 },
	{ "what was said in clear is forgotten",
	  { "220 hi\r\n", STLS, "220 go\r\n", "TLS", BARE, "250 a\r\n", "250 b\r\n", "354 c\r\n", "250 d\r\n",
	    "221 e\r\n" },
	  "tls takes asks 1 accepted 1:250 takes closed",
	  ASKS_TLS EHLO MAIL RCPT "DATA\r\nID1\r\n.\r\nQUIT\r\n",
	  1 },
	{ "it is forgotten for HELO too",
	  { "220 hi\r\n", STLS, "220 go\r\n", "TLS", "502 what\r\n", "250 me\r\n", "250 a\r\n", "550 b\r\n",
	    "221 e\r\n" },
	  "tls takes refused 1@rcpt:550 takes closed",
	  ASKS_TLS EHLO "HELO me.example\r\n" MAIL RCPT "QUIT\r\n",
	  1 },
	{ "offered again under TLS",
	  { "220 hi\r\n", STLS, "220 go\r\n", "TLS", STLS, "221 e\r\n" },
	  "tls takes closed",
	  ASKS_TLS EHLO "QUIT\r\n",
	  0 },
	{ "EHLO refused under TLS",
	  { "220 hi\r\n", STLS, "220 go\r\n", "TLS", "554 no\r\n", "221 e\r\n" },
	  "tls trouble@ehlo:554 closed",
	  ASKS_TLS EHLO "QUIT\r\n",
	  1 },
	{ "not offered", { "220 hi\r\n", PIPE, "221 e\r\n" }, "trouble@starttls! closed", EHLO "QUIT\r\n", 1 },
	{ "only HELO",
	  { "220 hi\r\n", "502 what\r\n", "250 me\r\n", "221 e\r\n" },
	  "trouble@starttls! closed",
	  EHLO "HELO me.example\r\nQUIT\r\n",
	  1 },
	{ "refused for now",
	  { "220 hi\r\n", STLS, "454 later\r\n", "221 e\r\n" },
	  "trouble@starttls:454 closed",
	  ASKS_TLS "QUIT\r\n",
	  1 },
	{ "refused",
	  { "220 hi\r\n", STLS, "502 no\r\n", "EOF" },
	  "trouble@starttls:502 closed",
	  ASKS_TLS "QUIT\r\n",
	  1 },
	{ "handshake fails", { "220 hi\r\n", STLS, "220 go\r\n", "EOF" }, "tls trouble@starttls closed", ASKS_TLS, 1 },
	{ "lost under TLS",
	  { "220 hi\r\n", STLS, "220 go\r\n", "TLS", "EOF" },
	  "tls trouble@ehlo closed",
	  ASKS_TLS EHLO,
	  1 },
};

static const struct script implicit_rows[] = {
	{ "implicit",
	  { "TLS", "220 hi\r\n", STLS, OK3, "250 d\r\n", "221 e\r\n" },
	  "takes asks 1 takes accepted 1:250 closed",
	  EHLO GROUP "ID1\r\n.\r\nQUIT\r\n",
	  1 },
	{ "a banner before the handshake", { "220 hi\r\n" }, "trouble@starttls! closed", "", 1 },
	{ "handshake fails", { "EOF" }, "trouble@banner closed", "", 1 },
	{ "two handshakes", { "TLS", "TLS" }, "trouble@banner closed", "", 1 },
};

START_TEST(sessions)
	{
		for (size_t i = 0; i < ARRAY_LEN(starttls_rows); i++) {
			script_play(&starttls_rows[i], &starttls, SIZE_MAX);
			script_play_split_everywhere(&starttls_rows[i], &starttls);
		}
		for (size_t i = 0; i < ARRAY_LEN(implicit_rows); i++)
			script_play(&implicit_rows[i], &implicit, SIZE_MAX);
	}
END_TEST

/* ---- what stands in clear behind the reply to STARTTLS is not the server's word ---- */

static const char *const injections[] = {
	"250 me\r\n", "250-me\r\n250 AUTH PLAIN\r\n", "\r\n", "2", "\x16\x03\x01", "421 bye\r\n", " ",
};

START_TEST(injected_in_one_read)
	{
		for (size_t i = 0; i < ARRAY_LEN(injections); i++) {
			struct owner owner = owner_new(&starttls, 1);
			owner_turn(&owner, view_of("220 hi\r\n"));
			owner_turn(&owner, view_of(STLS));
			AUTO_BUF both = buf_with_ceiling(100);
			buf_addf(&both, "220 go\r\n%s", injections[i]);
			ck_row(injections[i], !owner_turn(&owner, buf_view(&both)));
			ck_view_eq(buf_view(&owner.trace), "trouble@starttls! closed");
			ck_view_eq(buf_view(&owner.wire), ASKS_TLS);
			owner_done(&owner);
		}
	}
END_TEST

START_TEST(injected_in_two_reads)
	{
		for (size_t i = 0; i < ARRAY_LEN(injections); i++) {
			struct owner owner = owner_new(&starttls, 1);
			owner_turn(&owner, view_of("220 hi\r\n"));
			owner_turn(&owner, view_of(STLS));
			ck_row(injections[i], owner_turn(&owner, view_of("220 go\r\n")));
			ck_row(injections[i], !owner_turn(&owner, view_of(injections[i])));
			ck_view_eq(buf_view(&owner.trace), "tls trouble@starttls! closed");
			ck_view_eq(buf_view(&owner.wire), ASKS_TLS);
			/* The handshake comes too late. */
			smtp_client_secured(owner.client, view_of(""));
			ck_assert(smtp_client_output(owner.client).len == 0);
			owner_done(&owner);
		}
	}
END_TEST

START_TEST(secured_out_of_turn)
	{
		static const char *const says[] = { "220 hi\r\n", STLS, NULL };
		for (size_t turns = 0; turns < ARRAY_LEN(says); turns++) {
			struct owner owner = owner_new(&starttls, 1);
			for (size_t i = 0; i < turns; i++)
				owner_turn(&owner, view_of(says[i]));
			ck_assert(!owner_play(&owner, "TLS", 0));
			ck_assert_msg(view_find(buf_view(&owner.trace), view_of("trouble")) != VIEW_NONE, "turn %zu",
				      turns);
			owner_done(&owner);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { sessions, injected_in_one_read, injected_in_two_reads, secured_out_of_turn };
	return suite_of("client_tls", tests, ARRAY_LEN(tests));
}
