#include "smtp/client.h"

#include <string.h>

#include "tests/support/smtp_owner.h"

/* ---- mechanisms that need no more than a script ---- */

struct row {
	const char *label;
	enum sasl_mechanism mechanism;
	const char *offers; /* line of the reply to EHLO */
	const char *says[8];
	const char *trace, *wire; /* from AUTH on */
};

#define AFTER "QUIT\r\n"
/* "\0me\0secret", "me", "secret" */
#define PLAIN64 "AG1lAHNlY3JldA=="
#define USER64 "bWU="
#define SECRET64 "c2VjcmV0"
/* {"status":"invalid_token"} */
#define JSON64 "eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0="
/* n,a=me,^Ahost=mx.example.net^Aport=587^Aauth=Bearer secret^A^A */
#define OAUTH64 "bixhPW1lLAFob3N0PW14LmV4YW1wbGUubmV0AXBvcnQ9NTg3AWF1dGg9QmVhcmVyIHNlY3JldAEB"
/* user=me^Aauth=Bearer secret^A^A */
#define XOAUTH64 "dXNlcj1tZQFhdXRoPUJlYXJlciBzZWNyZXQBAQ=="

static const struct row rows[] = {
	{ "plain",
	  SASL_PLAIN,
	  "AUTH PLAIN",
	  { "235 in\r\n", "221 e\r\n" },
	  "takes closed",
	  "AUTH PLAIN " PLAIN64 "\r\n" AFTER },
	{ "plain, case",
	  SASL_PLAIN,
	  "auth login plain",
	  { "235 in\r\n", "221 e\r\n" },
	  "takes closed",
	  "AUTH PLAIN " PLAIN64 "\r\n" AFTER },
	{ "old spelling",
	  SASL_PLAIN,
	  "AUTH=LOGIN PLAIN",
	  { "235 in\r\n", "221 e\r\n" },
	  "takes closed",
	  "AUTH PLAIN " PLAIN64 "\r\n" AFTER },
	{ "plain refused",
	  SASL_PLAIN,
	  "AUTH PLAIN",
	  { "535 5.7.8 no\r\n", "221 e\r\n" },
	  "trouble@auth:535 closed",
	  "AUTH PLAIN " PLAIN64 "\r\n" AFTER },
	{ "plain refused for now",
	  SASL_PLAIN,
	  "AUTH PLAIN",
	  { "454 later\r\n", "221 e\r\n" },
	  "trouble@auth:454 closed",
	  "AUTH PLAIN " PLAIN64 "\r\n" AFTER },
	{ "plain, asked again",
	  SASL_PLAIN,
	  "AUTH PLAIN",
	  { "334 \r\n", "501 ok\r\n", "221 e\r\n" },
	  "trouble@auth! closed",
	  "AUTH PLAIN " PLAIN64 "\r\n*\r\n" AFTER },
	{ "accepted although canceled",
	  SASL_PLAIN,
	  "AUTH PLAIN",
	  { "334 \r\n", "235 ok\r\n", "221 e\r\n" },
	  "trouble@auth! closed",
	  "AUTH PLAIN " PLAIN64 "\r\n*\r\n" AFTER },
	{ "asked on although canceled",
	  SASL_PLAIN,
	  "AUTH PLAIN",
	  { "334 \r\n", "334 \r\n" },
	  "trouble@auth:334 closed",
	  "AUTH PLAIN " PLAIN64 "\r\n*\r\n" },
	{ "plain not offered", SASL_PLAIN, "AUTH LOGIN CRAM-MD5", { "221 e\r\n" }, "trouble@auth! closed", AFTER },
	{ "no AUTH", SASL_ANY, "SIZE", { "221 e\r\n" }, "trouble@auth! closed", AFTER },
	{ "login",
	  SASL_LOGIN,
	  "AUTH PLAIN LOGIN",
	  { "334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n", "235 in\r\n", "221 e\r\n" },
	  "takes closed",
	  "AUTH LOGIN\r\n" USER64 "\r\n" SECRET64 "\r\n" AFTER },
	{ "login, empty challenges",
	  SASL_LOGIN,
	  "AUTH LOGIN",
	  { "334 \r\n", "334\r\n", "235 in\r\n", "221 e\r\n" },
	  "takes closed",
	  "AUTH LOGIN\r\n" USER64 "\r\n" SECRET64 "\r\n" AFTER },
	{ "login, three challenges",
	  SASL_LOGIN,
	  "AUTH LOGIN",
	  { "334 \r\n", "334 \r\n", "334 \r\n", "501 ok\r\n", "221 e\r\n" },
	  "trouble@auth! closed",
	  "AUTH LOGIN\r\n" USER64 "\r\n" SECRET64 "\r\n*\r\n" AFTER },
	{ "login, 235 too early",
	  SASL_LOGIN,
	  "AUTH LOGIN",
	  { "235 in\r\n", "221 e\r\n" },
	  "trouble@auth! closed",
	  "AUTH LOGIN\r\n" AFTER },
	{ "no base64",
	  SASL_LOGIN,
	  "AUTH LOGIN",
	  { "334 Username:\r\n", "501 ok\r\n", "221 e\r\n" },
	  "trouble@auth! closed",
	  "AUTH LOGIN\r\n*\r\n" AFTER },
	{ "base64 cut short",
	  SASL_LOGIN,
	  "AUTH LOGIN",
	  { "334 VXN\r\n", "501 ok\r\n", "221 e\r\n" },
	  "trouble@auth! closed",
	  "AUTH LOGIN\r\n*\r\n" AFTER },
	{ "base64 in two lines",
	  SASL_LOGIN,
	  "AUTH LOGIN",
	  { "334-VXNlcm5hbWU6\r\n334 VXNl\r\n", "501 ok\r\n", "221 e\r\n" },
	  "trouble@auth! closed",
	  "AUTH LOGIN\r\n*\r\n" AFTER },
	{ "oauthbearer",
	  SASL_OAUTHBEARER,
	  "AUTH OAUTHBEARER XOAUTH2",
	  { "235 in\r\n", "221 e\r\n" },
	  "takes closed",
	  "AUTH OAUTHBEARER " OAUTH64 "\r\n" AFTER },
	{ "oauthbearer refused",
	  SASL_OAUTHBEARER,
	  "AUTH OAUTHBEARER",
	  { "334 " JSON64 "\r\n", "535 5.7.8 no\r\n", "221 e\r\n" },
	  "trouble@auth:535 closed",
	  "AUTH OAUTHBEARER " OAUTH64 "\r\nAQ==\r\n" AFTER },
	{ "oauthbearer accepted after its refusal",
	  SASL_OAUTHBEARER,
	  "AUTH OAUTHBEARER",
	  { "334 " JSON64 "\r\n", "235 in\r\n", "221 e\r\n" },
	  "trouble@auth! closed",
	  "AUTH OAUTHBEARER " OAUTH64 "\r\nAQ==\r\n" AFTER },
	{ "xoauth2",
	  SASL_XOAUTH2,
	  "AUTH XOAUTH2",
	  { "235 in\r\n", "221 e\r\n" },
	  "takes closed",
	  "AUTH XOAUTH2 " XOAUTH64 "\r\n" AFTER },
	{ "xoauth2 refused",
	  SASL_XOAUTH2,
	  "AUTH XOAUTH2",
	  { "334 " JSON64 "\r\n", "535 5.7.8 no\r\n", "221 e\r\n" },
	  "trouble@auth:535 closed",
	  "AUTH XOAUTH2 " XOAUTH64 "\r\n\r\n" AFTER },
	{ "xoauth2, asked for ever",
	  SASL_XOAUTH2,
	  "AUTH XOAUTH2",
	  { "334 " JSON64 "\r\n", "334 " JSON64 "\r\n", "501 ok\r\n", "221 e\r\n" },
	  "trouble@auth! closed",
	  "AUTH XOAUTH2 " XOAUTH64 "\r\n\r\n*\r\n" AFTER },
	{ "any prefers plain to login",
	  SASL_ANY,
	  "AUTH LOGIN PLAIN XOAUTH2",
	  { "235 in\r\n", "221 e\r\n" },
	  "takes closed",
	  "AUTH PLAIN " PLAIN64 "\r\n" AFTER },
	{ "any never shows a password as a token",
	  SASL_ANY,
	  "AUTH XOAUTH2 OAUTHBEARER",
	  { "221 e\r\n" },
	  "trouble@auth! closed",
	  AFTER },
	{ "-plus without a binding",
	  SASL_SCRAM_SHA_256_PLUS,
	  "AUTH SCRAM-SHA-256 SCRAM-SHA-256-PLUS",
	  { "221 e\r\n" },
	  "trouble@auth! closed",
	  AFTER },
};

static void play_row(const struct row *row, size_t split)
{
	const struct smtp_credentials credentials = owner_credentials(row->mechanism, "secret");
	struct owner owner = owner_secured(&credentials, row->offers, "");
	for (size_t i = 0; row->says[i] != NULL; i++)
		owner_play(&owner, row->says[i], split);
	ck_assert_msg(view_eq(buf_view(&owner.trace), view_of(row->trace)), "%s: got \"%s\", expected \"%s\"",
		      row->label, buf_text(&owner.trace), row->trace);
	ck_assert_msg(view_eq(buf_view(&owner.wire), view_of(row->wire)), "%s: got \"%s\", expected \"%s\"", row->label,
		      buf_text(&owner.wire), row->wire);
	ck_assert_str_eq(smtp_client_state_name(owner.client), "CLOSED");
	owner_done(&owner);
}

START_TEST(each_mechanism)
	{
		enum { LONGEST_TURN = 48 };
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			for (size_t split = 1; split <= LONGEST_TURN; split++)
				play_row(&rows[i], split);
		}
	}
END_TEST

START_TEST(the_reason_is_told)
	{
		const struct smtp_credentials credentials = owner_credentials(SASL_XOAUTH2, "secret");
		struct owner owner = owner_secured(&credentials, "AUTH XOAUTH2", "");
		struct smtp_event event;
		owner_turn(&owner, view_of("334 " JSON64 "\r\n"));
		smtp_client_input(owner.client, view_of("535 5.7.8 no\r\n"));
		smtp_client_next(owner.client, &event);
		ck_assert(event.type == SMTP_TROUBLE && event.step == SMTP_STEP_AUTH && event.reply.code == 535);
		ck_view_eq(event.reply.text, "5.7.8 no ({\"status\":\"invalid_token\"})");
		owner_done(&owner);
	}
END_TEST

START_TEST(a_long_response_has_its_own_line)
	{
		static const size_t lens[] = { 364, 365, 366, 4000 };
		for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
			char secret[4001] = { 0 };
			memset(secret, 's', lens[i]);
			const struct smtp_credentials credentials = owner_credentials(SASL_PLAIN, secret);
			struct owner owner = owner_secured(&credentials, "AUTH PLAIN", "");
			/* "AUTH PLAIN " and CRLF are 13 octets; the response is 4 octets longer than the secret. */
			bool fits = 13 + (4 + lens[i] + 2) / 3 * 4 <= 512;
			ck_assert(view_eq(buf_view(&owner.wire), view_of("AUTH PLAIN\r\n")) == !fits);
			ck_assert(!fits || owner.wire.len <= 512);
			if (!fits) {
				buf_reset(&owner.wire);
				owner_turn(&owner, view_of("334 \r\n"));
				AUTO_BUF octets = buf_with_ceiling(5000);
				ck_assert(sasl_decode(view_trim(buf_view(&owner.wire)), &octets));
				ck_assert(octets.len == 4 + lens[i]);
			}
			owner_turn(&owner, view_of("235 in\r\n"));
			ck_view_eq(buf_view(&owner.trace), "takes");
			owner_done(&owner);
		}
	}
END_TEST

START_TEST(never_in_clear)
	{
		const struct smtp_credentials credentials = owner_credentials(SASL_ANY, "secret");
		struct smtp_client_options options = { .helo = view_of("me"), .credentials = &credentials };
		struct smtp_client *client = NULL;
		ck_assert(smtp_client_new(&options, &client) == ERR_INVALID);
		options.is_local = true;
		ck_assert(smtp_client_new(&options, &client) == ERR_OK);
		smtp_client_done(client);
		/* Mechanisms offered before TLS are not used after it. */
		const struct smtp_client_options starttls = { .tls = SMTP_TLS_STARTTLS, .credentials = &credentials };
		struct owner owner = owner_new(&starttls, 1);
		owner_turn(&owner, view_of("220 hi\r\n"));
		owner_turn(&owner, view_of("250-me\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n"));
		ck_view_eq(buf_view(&owner.wire), EHLO "STARTTLS\r\n");
		owner_turn(&owner, view_of("220 go\r\n"));
		owner_play(&owner, "TLS", 0);
		buf_reset(&owner.wire);
		owner_turn(&owner, view_of(PIPE));
		ck_view_eq(buf_view(&owner.wire), "QUIT\r\n");
		ck_view_eq(buf_view(&owner.trace), "tls trouble@auth!");
		owner_done(&owner);
	}
END_TEST

START_TEST(credentials_that_cannot_be)
	{
		const struct {
			enum sasl_mechanism mechanism;
			struct view user, secret;
			bool is_valid;
		} bad[] = {
			{ SASL_ANY, VIEW_LIT("me"), VIEW_LIT("a b\tc"), true },
			{ SASL_ANY, VIEW_LIT(""), VIEW_LIT("x"), false },
			{ SASL_ANY, VIEW_LIT("me"), VIEW_LIT(""), false },
			{ SASL_PLAIN, VIEW_LIT("me\0you"), VIEW_LIT("x"), false },
			{ SASL_PLAIN, VIEW_LIT("me"), VIEW_LIT("x\0y"), false },
			{ SASL_XOAUTH2, VIEW_LIT("me"), VIEW_LIT("x.y-z~=="), true },
			{ SASL_XOAUTH2, VIEW_LIT("me"), VIEW_LIT("x\ny"), false },
			{ SASL_XOAUTH2, VIEW_LIT("me\1auth=Bearer y"), VIEW_LIT("x"), false },
			{ SASL_OAUTHBEARER, VIEW_LIT("me"), VIEW_LIT("x y"), false },
			{ SASL_OAUTHBEARER, VIEW_LIT("me"), VIEW_LIT("x\1y"), false },
		};
		for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
			const struct smtp_credentials credentials = { .mechanism = bad[i].mechanism,
								      .user = bad[i].user,
								      .secret = bad[i].secret };
			ck_assert_msg(smtp_credentials_are_valid(&credentials) == bad[i].is_valid, "row %zu", i);
			const struct smtp_client_options options = { .is_local = true, .credentials = &credentials };
			struct smtp_client *client = NULL;
			ck_assert((smtp_client_new(&options, &client) == ERR_OK) == bad[i].is_valid);
			smtp_client_done(client);
		}
	}
END_TEST

START_TEST(names)
	{
		enum sasl_mechanism mechanism;
		for (size_t i = 0; i < SASL_MECHANISM_COUNT; i++) {
			ck_assert(
			    sasl_mechanism_find(view_of(sasl_mechanism_name((enum sasl_mechanism)i)), &mechanism));
			ck_assert(mechanism == (enum sasl_mechanism)i);
		}
		ck_assert(sasl_mechanism_find(view_of("scram-sha-256"), &mechanism) && mechanism == SASL_SCRAM_SHA_256);
		ck_assert(!sasl_mechanism_find(view_of("SCRAM-SHA-1"), &mechanism));
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		each_mechanism, the_reason_is_told,         a_long_response_has_its_own_line,
		never_in_clear, credentials_that_cannot_be, names,
	};
	return suite_of("client_auth", tests, ARRAY_LEN(tests));
}
