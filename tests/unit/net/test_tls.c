/* Contexts of TLS, and the sentences about what went wrong. */
#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/limits.h"
#include "net/tls_private.h"
#include "net/tls_trouble.h"
#include "tests/support/credential.h"
#include "tests/support/unit.h"

struct files {
	struct buf folder;
	struct buf certificate, key, other_key;
};

static void files_open(struct files *files)
{
	AUTO_BUF other_certificate = buf_with_ceiling(LIMIT_WHY);
	struct credential one = credential_new(&(struct credential_plan){ .common_name = "one" });
	struct credential other = credential_new(&(struct credential_plan){ .common_name = "other" });
	files->folder = folder_new();
	files->certificate = buf_with_ceiling(LIMIT_WHY);
	files->key = buf_with_ceiling(LIMIT_WHY);
	files->other_key = buf_with_ceiling(LIMIT_WHY);
	credential_write(&one, &files->folder, "one", &files->certificate, &files->key);
	credential_write(&other, &files->folder, "other", &other_certificate, &files->other_key);
	credential_done(&one);
	credential_done(&other);
}

static void files_close(struct files *files)
{
	folder_done(&files->folder);
	buf_done(&files->certificate);
	buf_done(&files->key);
	buf_done(&files->other_key);
}

/* The context must not come about, for a reason that names the file and has the word. */
static void refused(enum err err, const struct buf *why, const char *file, const char *word)
{
	ck_assert_msg(err == ERR_INVALID, "%s: %s", file, err_name(err));
	ck_assert_msg(view_find(buf_view(why), view_of(file)) != VIEW_NONE, VIEW_FMT, VIEW_ARG(buf_view(why)));
	ck_assert_msg(view_find(buf_view(why), view_of(word)) != VIEW_NONE, VIEW_FMT, VIEW_ARG(buf_view(why)));
}

START_TEST(a_client_needs_authorities)
	{
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct tls_context *context = NULL;
		struct files files;
		files_open(&files);
		struct tls_client_options options = { .ca_file = "/nowhere/ca.pem" };
		refused(tls_client_new(&options, &context, &why), &why, "/nowhere/ca.pem", "No such file");
		buf_reset(&why);
		options.ca_file = buf_text(&files.key);
		refused(tls_client_new(&options, &context, &why), &why, options.ca_file, "no certificate");
		ck_assert(context == NULL);
		options.ca_file = NULL;
		ck_assert(tls_client_new(&options, &context, &why) == ERR_OK);
		tls_context_done(context);
		tls_context_done(NULL);
		files_close(&files);
	}
END_TEST

START_TEST(a_server_needs_its_own_key)
	{
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct tls_context *context = NULL;
		struct files files;
		files_open(&files);
		struct tls_server_options options = { .certificate_file = "/nowhere/mx.pem",
						      .key_file = buf_text(&files.key) };
		refused(tls_server_new(&options, &context, &why), &why, "/nowhere/mx.pem", "No such file");
		buf_reset(&why);
		options.certificate_file = buf_text(&files.certificate);
		options.key_file = buf_text(&files.other_key);
		refused(tls_server_new(&options, &context, &why), &why, options.key_file, "mismatch");
		buf_reset(&why);
		options.key_file = "/nowhere/mx.key";
		refused(tls_server_new(&options, &context, &why), &why, "/nowhere/mx.key", "No such file");
		options.key_file = buf_text(&files.key);
		ck_assert(tls_server_new(&options, &context, &why) == ERR_OK);
		tls_context_done(context);
		files_close(&files);
	}
END_TEST

/* ---- kept sessions ---- */

static SSL_SESSION *new_session(void)
{
	static const unsigned char id[] = "id";
	SSL_SESSION *session = SSL_SESSION_new();
	ck_assert(session != NULL && SSL_SESSION_set1_id(session, id, sizeof(id)) == 1);
	return session;
}

START_TEST(sessions_are_kept_for_an_hour)
	{
		static const int64_t proven_us = INT64_C(7) * CLOCK_US_PER_SECOND;
		static const int64_t hour_us = INT64_C(3600) * CLOCK_US_PER_SECOND;
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct tls_context *context;
		ck_assert(tls_client_new(&(struct tls_client_options){ 0 }, &context, &why) == ERR_OK);
		ck_assert(tls_context_kept(context, "mx.test", proven_us) == NULL);
		tls_context_keep(context, "mx.test", new_session(), proven_us);
		ck_assert(tls_context_kept(context, "mx.test", proven_us + hour_us) != NULL);
		ck_assert(tls_context_kept(context, "relay.test", proven_us) == NULL);
		ck_assert(tls_context_kept(context, "mx.test", proven_us + hour_us + 1) == NULL);
		ck_assert_msg(tls_context_kept(context, "mx.test", proven_us) == NULL, "and then it is gone");
		tls_context_done(context);
	}
END_TEST

START_TEST(the_newest_sessions_are_kept)
	{
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct tls_context *context;
		ck_assert(tls_client_new(&(struct tls_client_options){ 0 }, &context, &why) == ERR_OK);
		for (int i = 0; i <= TLS_KEPT_MAX; i++) {
			char name[] = { (char)('a' + i), '\0' };
			tls_context_keep(context, name, new_session(), i);
		}
		ck_assert(tls_context_kept(context, "a", 0) == NULL);
		ck_assert(tls_context_kept(context, "b", 0) != NULL);
		SSL_SESSION *newer = new_session();
		tls_context_keep(context, "b", newer, 1);
		ck_assert(tls_context_kept(context, "b", 0)->session == newer);
		tls_context_forget(context, "b");
		tls_context_forget(context, "nobody");
		ck_assert(tls_context_kept(context, "b", 0) == NULL);
		tls_context_done(context);
	}
END_TEST

/* ---- sentences ---- */

static const struct {
	const char *label;
	int error, depth;
	const char *said; /* how the sentence begins */
} chain_rows[] = {
	{ "expired", X509_V_ERR_CERT_HAS_EXPIRED, 0, "the certificate has expired on 2" },
	{ "expired above", X509_V_ERR_CERT_HAS_EXPIRED, 1, "a certificate above the peer's has expired on 2" },
	{ "not yet", X509_V_ERR_CERT_NOT_YET_VALID, 0, "the certificate is not valid before 2" },
	{ "name", X509_V_ERR_HOSTNAME_MISMATCH, 0, "the certificate is for a.test, not mx.test" },
	{ "address", X509_V_ERR_IP_ADDRESS_MISMATCH, 0, "the certificate is for a.test, not mx.test" },
	{ "issuer", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, 1,
	  "a certificate above the peer's was issued by CN=Some One, " },
	{ "issuer, locally", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, 0,
	  "the certificate was issued by CN=Some One, " },
	{ "leaf", X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, 0, "the certificate was issued by CN=Some One, " },
	{ "root", X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, 1,
	  "a certificate above the peer's is signed by itself (CN=Some One) and" },
	{ "itself", X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, 0,
	  "the certificate is signed by itself (CN=Some One) and" },
	{ "another", X509_V_ERR_INVALID_PURPOSE, 0, "the certificate is not good: " },
};

START_TEST(chains)
	{
		struct credential credential = credential_new(
		    &(struct credential_plan){ .common_name = "Some One", .alternative_names = "DNS:a.test" });
		for (size_t i = 0; i < ARRAY_LEN(chain_rows); i++) {
			AUTO_BUF said = buf_with_ceiling(LIMIT_WHY);
			X509_STORE_CTX *chain = X509_STORE_CTX_new();
			X509_STORE_CTX_set_error(chain, chain_rows[i].error);
			X509_STORE_CTX_set_error_depth(chain, chain_rows[i].depth);
			X509_STORE_CTX_set_current_cert(chain, credential.certificate);
			tls_trouble_of_chain(chain, VIEW_LIT("mx.test"), &said);
			X509_STORE_CTX_free(chain);
			ck_assert_msg(view_starts(buf_view(&said), view_of(chain_rows[i].said)), "%s: %s",
				      chain_rows[i].label, buf_text(&said));
		}
		credential_done(&credential);
	}
END_TEST

START_TEST(a_long_name_is_cut)
	{
		AUTO_BUF names = buf_with_ceiling(LIMIT_WHY);
		AUTO_BUF said = buf_with_ceiling(LIMIT_WHY);
		buf_add(&names, VIEW_LIT("DNS:"));
		for (size_t i = 0; i < 1000; i++)
			buf_add_byte(&names, 'a');
		struct credential credential = credential_new(
		    &(struct credential_plan){ .common_name = "mx", .alternative_names = buf_text(&names) });
		X509_STORE_CTX *chain = X509_STORE_CTX_new();
		X509_STORE_CTX_set_error(chain, X509_V_ERR_HOSTNAME_MISMATCH);
		X509_STORE_CTX_set_current_cert(chain, credential.certificate);
		tls_trouble_of_chain(chain, VIEW_LIT("mx.test"), &said);
		X509_STORE_CTX_free(chain);
		credential_done(&credential);
		ck_assert(said.len < 300 && view_ends(buf_view(&said), VIEW_LIT("a..., not mx.test")));
	}
END_TEST

static const struct {
	int reason;
	const char *said;
} reason_rows[] = {
	{ SSL_R_WRONG_VERSION_NUMBER, "the peer does not speak TLS" },
	{ SSL_R_HTTP_REQUEST, "the peer does not speak TLS" },
	{ SSL_R_UNSUPPORTED_PROTOCOL, "the peer speaks no TLS version from 1.2 on" },
	{ SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the peer accepts no TLS version that we speak" },
	{ SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, "the peer found no parameters of TLS in common" },
	{ SSL_R_TLSV1_UNRECOGNIZED_NAME, "the peer has no certificate for the name" },
	{ SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, "TLS has failed: decryption failed or bad record mac" },
	{ ERR_R_MALLOC_FAILURE, "TLS has failed: malloc failure" },
	{ 3999, "TLS has failed: no reason given" },
};

START_TEST(reasons)
	{
		ck_assert(OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS, NULL) == 1);
		for (size_t i = 0; i < ARRAY_LEN(reason_rows); i++) {
			AUTO_BUF said = buf_with_ceiling(LIMIT_WHY);
			tls_trouble_of_error(ERR_PACK(ERR_LIB_SSL, 0, reason_rows[i].reason), &said);
			ck_assert_msg(view_starts(buf_view(&said), view_of(reason_rows[i].said)), "%d: %s",
				      reason_rows[i].reason, buf_text(&said));
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		a_client_needs_authorities,
		a_server_needs_its_own_key,
		sessions_are_kept_for_an_hour,
		the_newest_sessions_are_kept,
		chains,
		a_long_name_is_cut,
		reasons,
	};
	return suite_of("tls", tests, ARRAY_LEN(tests));
}
