#include <gsasl.h>
#include <string.h>

#include "mail/encode.h"
#include "tests/support/smtp_owner.h"

/* ---- SCRAM, against libgsasl's own server ---- */

struct scram_server {
	Gsasl *library;
	Gsasl_session *session;
};

static int answer_library(Gsasl *library, Gsasl_session *session, Gsasl_property property)
{
	(void)library;
	if (property == GSASL_PASSWORD)
		return gsasl_property_set(session, GSASL_PASSWORD, gsasl_session_hook_get(session));
	return GSASL_NO_CALLBACK;
}

static struct scram_server scram_server_new(const char *mechanism, char *password, const char *binding)
{
	struct scram_server server;
	ck_assert(gsasl_init(&server.library) == GSASL_OK);
	gsasl_callback_set(server.library, answer_library);
	ck_assert(gsasl_server_start(server.library, mechanism, &server.session) == GSASL_OK);
	gsasl_session_hook_set(server.session, password);
	AUTO_BUF base64 = buf_with_ceiling(100);
	encode_base64_word(view_of(binding), &base64);
	if (base64.len > 0)
		ck_assert(gsasl_property_set(server.session, GSASL_CB_TLS_EXPORTER, buf_text(&base64)) == GSASL_OK);
	return server;
}

static void scram_server_done(struct scram_server *server)
{
	gsasl_finish(server->session);
	gsasl_done(server->library);
}

/* What the client said last, without "AUTH X " and base64, goes to the server; its answer, in clear, to *ret_answer. */
static int scram_server_hear(struct scram_server *server, struct owner *owner, struct buf *ret_answer)
{
	struct view line = view_trim(buf_view(&owner->wire));
	size_t blank = view_find_last_byte(line, ' ');
	AUTO_BUF octets = buf_with_ceiling(4096);
	ck_assert(sasl_decode(blank == VIEW_NONE ? line : view_skip(line, blank + 1), &octets));
	char *answer = NULL;
	size_t len = 0;
	int outcome = gsasl_step(server->session, buf_text(&octets), octets.len, &answer, &len);
	buf_reset(ret_answer);
	if (outcome == GSASL_OK || outcome == GSASL_NEEDS_MORE)
		buf_add(ret_answer, view_from(answer, len));
	gsasl_free(answer);
	return outcome;
}

static bool challenge(struct owner *owner, const struct buf *text)
{
	AUTO_BUF line = buf_with_ceiling(4096);
	buf_addf(&line, "334 ");
	encode_base64_word(buf_view(text), &line);
	buf_addf(&line, "\r\n");
	buf_reset(&owner->wire);
	return owner_turn(owner, buf_view(&line));
}

struct scram_row {
	const char *label;
	enum sasl_mechanism wanted;
	const char *offers, *used;
	const char *header; /* GS2 */
	const char *client_binding, *server_binding;
	char *password; /* the server's */
	bool is_accepted;
};

#define BINDING "0123456789abcdef0123456789abcdef"
static char right[] = "secret";
static char wrong[] = "Secret";

static const struct scram_row scram_rows[] = {
	{ "scram", SASL_SCRAM_SHA_256, "AUTH PLAIN SCRAM-SHA-256", "SCRAM-SHA-256", "n,,", "", "", right, true },
	{ "any prefers scram", SASL_ANY, "AUTH PLAIN LOGIN SCRAM-SHA-256", "SCRAM-SHA-256", "n,,", "", "", right,
	  true },
	{ "wrong password", SASL_ANY, "AUTH SCRAM-SHA-256", "SCRAM-SHA-256", "n,,", "", "", wrong, false },
	{ "could bind", SASL_ANY, "AUTH SCRAM-SHA-256", "SCRAM-SHA-256", "n,,", BINDING, "", right, true },
	{ "bound", SASL_ANY, "AUTH SCRAM-SHA-256 SCRAM-SHA-256-PLUS", "SCRAM-SHA-256-PLUS", "p=tls-exporter,,", BINDING,
	  BINDING, right, true },
	{ "bound elsewhere", SASL_ANY, "AUTH SCRAM-SHA-256-PLUS", "SCRAM-SHA-256-PLUS", "p=tls-exporter,,", BINDING,
	  "0123456789abcdef0123456789abcdeF", right, false },
	{ "both, none to bind to", SASL_ANY, "AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256", "SCRAM-SHA-256", "n,,", "", "",
	  right, true },
	{ "plain scram wanted", SASL_SCRAM_SHA_256, "AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256", "SCRAM-SHA-256", "n,,",
	  BINDING, BINDING, right, true },
};

static void play_scram(const struct scram_row *row)
{
	const struct smtp_credentials credentials = owner_credentials(row->wanted, "secret");
	struct scram_server server = scram_server_new(row->used, row->password, row->server_binding);
	struct owner owner = owner_secured(&credentials, row->offers, row->client_binding);
	AUTO_BUF start = buf_with_ceiling(256);
	AUTO_BUF answer = buf_with_ceiling(4096);
	/* The GS2 header in base64 tells as far as its octets go in threes. */
	buf_addf(&start, "AUTH %s ", row->used);
	encode_base64_word(view_head(view_of(row->header), strlen(row->header) / 3 * 3), &start);
	ck_row(row->label, view_starts(buf_view(&owner.wire), buf_view(&start)));
	int outcome = scram_server_hear(&server, &owner, &answer);
	if (outcome == GSASL_NEEDS_MORE) {
		challenge(&owner, &answer);
		outcome = scram_server_hear(&server, &owner, &answer);
	}
	ck_assert_msg((outcome == GSASL_OK) == row->is_accepted, "%s: %s", row->label, gsasl_strerror(outcome));
	if (row->is_accepted) {
		challenge(&owner, &answer);
		ck_view_eq(buf_view(&owner.wire), "\r\n");
	}
	owner_turn(&owner, row->is_accepted ? view_of("235 in\r\n") : view_of("535 no\r\n"));
	ck_assert_msg(view_eq(buf_view(&owner.trace), view_of(row->is_accepted ? "takes" : "trouble@auth:535")),
		      "%s: %s", row->label, buf_text(&owner.trace));
	owner_done(&owner);
	scram_server_done(&server);
}

START_TEST(scram)
	{
		for (size_t i = 0; i < ARRAY_LEN(scram_rows); i++)
			play_scram(&scram_rows[i]);
	}
END_TEST

/* A server that does not know the password is not to be trusted, whatever it says. */
static struct owner scram_up_to_the_proof(struct scram_server *server, struct buf *answer)
{
	const struct smtp_credentials credentials = owner_credentials(SASL_ANY, "secret");
	struct owner owner = owner_secured(&credentials, "AUTH SCRAM-SHA-256", "");
	ck_assert(scram_server_hear(server, &owner, answer) == GSASL_NEEDS_MORE);
	challenge(&owner, answer);
	ck_assert(scram_server_hear(server, &owner, answer) == GSASL_OK);
	return owner;
}

START_TEST(a_wrong_server_signature)
	{
		struct scram_server server = scram_server_new("SCRAM-SHA-256", right, "");
		AUTO_BUF answer = buf_with_ceiling(4096);
		struct owner owner = scram_up_to_the_proof(&server, &answer);
		ck_assert(view_starts(buf_view(&answer), view_of("v=")));
		answer.data[2] = answer.data[2] == 'A' ? 'B' : 'A';
		challenge(&owner, &answer);
		ck_view_eq(buf_view(&owner.wire), "*\r\n");
		owner_turn(&owner, view_of("235 in\r\n"));
		ck_view_eq(buf_view(&owner.trace), "trouble@auth!");
		owner_done(&owner);
		scram_server_done(&server);
	}
END_TEST

START_TEST(no_server_signature)
	{
		struct scram_server server = scram_server_new("SCRAM-SHA-256", right, "");
		AUTO_BUF answer = buf_with_ceiling(4096);
		struct owner owner = scram_up_to_the_proof(&server, &answer);
		owner_turn(&owner, view_of("235 in\r\n"));
		ck_view_eq(buf_view(&owner.trace), "trouble@auth!");
		owner_done(&owner);
		scram_server_done(&server);
	}
END_TEST

/* A server may ask for work, not for any amount of it. */
START_TEST(too_many_iterations)
	{
		static const char *const counts[] = {
			"600001", "4294967295", "99999999999999999999", "-1", "", "0x10"
		};
		for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
			struct scram_server server = scram_server_new("SCRAM-SHA-256", right, "");
			const struct smtp_credentials credentials = owner_credentials(SASL_ANY, "secret");
			struct owner owner = owner_secured(&credentials, "AUTH SCRAM-SHA-256", "");
			AUTO_BUF answer = buf_with_ceiling(4096);
			ck_assert(scram_server_hear(&server, &owner, &answer) == GSASL_NEEDS_MORE);
			size_t at = view_find(buf_view(&answer), view_of(",i="));
			ck_assert(at != VIEW_NONE);
			buf_cut(&answer, at + 3);
			buf_add(&answer, view_of(counts[i]));
			challenge(&owner, &answer);
			ck_view_eq(buf_view(&owner.wire), "*\r\n");
			owner_done(&owner);
			scram_server_done(&server);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { scram, a_wrong_server_signature, no_server_signature, too_many_iterations };
	return suite_of("client_scram", tests, ARRAY_LEN(tests));
}
