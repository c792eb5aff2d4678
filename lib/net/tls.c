#include "net/tls.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/tls_private.h"

#define PROVEN_FOR_US (INT64_C(3600) * CLOCK_US_PER_SECOND)

static enum err new_context(const SSL_METHOD *method, struct tls_context **ret_context)
{
	struct tls_context *context = calloc(1, sizeof(*context));
	if (context == NULL)
		return ERR_MEMORY;
	context->uses = 1;
	context->ssl = SSL_CTX_new(method);
	context->transport = tls_transport_new();
	if (context->ssl == NULL || context->transport == NULL ||
	    SSL_CTX_set_min_proto_version(context->ssl, TLS1_2_VERSION) != 1) {
		tls_context_done(context);
		return ERR_MEMORY;
	}
	/* An SMTP reply says by itself where it ends, so a connection that ends without close_notify loses nothing. */
	SSL_CTX_set_options(context->ssl, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
	/* A thousand idle connections hold no buffers. */
	SSL_CTX_set_mode(context->ssl, SSL_MODE_RELEASE_BUFFERS);
	/* One read for several records. */
	SSL_CTX_set_read_ahead(context->ssl, 1);
	SSL_CTX_set_app_data(context->ssl, context);
	*ret_context = context;
	return ERR_OK;
}

/* What OpenSSL has against the file. */
static void add_reason(const char *what, const char *file, const char *remedy, struct buf *why)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	if (ERR_SYSTEM_ERROR(ERR_peek_error()))
		reason = strerror(ERR_GET_REASON(ERR_peek_error()));
	buf_addf(why, "cannot use %s as %s (%s): %s", file, what, reason == NULL ? "no reason given" : reason, remedy);
	ERR_clear_error();
}

static enum err load_authorities(SSL_CTX *ssl, const char *file, struct buf *why)
{
	ERR_clear_error();
	if (file == NULL)
		return SSL_CTX_set_default_verify_paths(ssl) == 1 ? ERR_OK : ERR_MEMORY;
	if (SSL_CTX_load_verify_file(ssl, file) == 1)
		return ERR_OK;
	add_reason("the authorities to trust", file, "give a readable file with certificates in PEM form", why);
	return ERR_INVALID;
}

enum err tls_client_new(const struct tls_client_options *options, struct tls_context **ret_context, struct buf *why)
{
	struct tls_context *context;
	enum err err = new_context(TLS_client_method(), &context);
	if (err != ERR_OK)
		return err;
	err = load_authorities(context->ssl, options->ca_file, why);
	if (err != ERR_OK) {
		tls_context_done(context);
		return err;
	}
	SSL_CTX_set_session_cache_mode(context->ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(context->ssl, tls_on_session);
	*ret_context = context;
	return ERR_OK;
}

enum err tls_server_new(const struct tls_server_options *options, struct tls_context **ret_context, struct buf *why)
{
	struct tls_context *context;
	enum err err = new_context(TLS_server_method(), &context);
	if (err != ERR_OK)
		return err;
	context->is_server = true;
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(context->ssl, options->certificate_file) != 1) {
		add_reason("the certificate", options->certificate_file, "give a readable file in PEM form", why);
		err = ERR_INVALID;
	} else if (SSL_CTX_use_PrivateKey_file(context->ssl, options->key_file, SSL_FILETYPE_PEM) != 1) {
		add_reason("the key", options->key_file, "give a readable PEM file with the certificate's own key",
			   why);
		err = ERR_INVALID;
	}
	if (err != ERR_OK) {
		tls_context_done(context);
		return err;
	}
	*ret_context = context;
	return ERR_OK;
}

void tls_context_use(struct tls_context *context)
{
	context->uses++;
}

void tls_context_done(struct tls_context *context)
{
	if (context == NULL || --context->uses > 0)
		return;
	for (size_t i = 0; i < TLS_KEPT_MAX; i++)
		SSL_SESSION_free(context->kept[i].session);
	SSL_CTX_free(context->ssl);
	BIO_meth_free(context->transport);
	free(context);
}

/* ---- sessions kept for the next connection ---- */

static struct tls_kept *find_kept(struct tls_context *context, const char *name)
{
	for (size_t i = 0; i < TLS_KEPT_MAX; i++) {
		if (context->kept[i].session != NULL && strcmp(context->kept[i].name, name) == 0)
			return &context->kept[i];
	}
	return NULL;
}

static void forget(struct tls_kept *kept)
{
	SSL_SESSION_free(kept->session);
	kept->session = NULL;
}

void tls_context_keep(struct tls_context *context, const char *name, SSL_SESSION *session, int64_t proven_us)
{
	struct tls_kept *kept = find_kept(context, name);
	if (kept == NULL) {
		kept = &context->kept[context->next_place];
		context->next_place = (context->next_place + 1) % TLS_KEPT_MAX;
	}
	forget(kept);
	memcpy(kept->name, name, strlen(name) + 1);
	kept->session = session;
	kept->proven_us = proven_us;
}

const struct tls_kept *tls_context_kept(struct tls_context *context, const char *name, int64_t now_us)
{
	struct tls_kept *kept = find_kept(context, name);
	if (kept == NULL)
		return NULL;
	if (now_us - kept->proven_us > PROVEN_FOR_US || !SSL_SESSION_is_resumable(kept->session)) {
		forget(kept);
		return NULL;
	}
	return kept;
}

void tls_context_forget(struct tls_context *context, const char *name)
{
	struct tls_kept *kept = find_kept(context, name);
	if (kept != NULL)
		forget(kept);
}
