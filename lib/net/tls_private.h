/* What tls.c and tls_session.c share. */
#ifndef NET_TLS_PRIVATE_H
#define NET_TLS_PRIVATE_H

#include <openssl/ssl.h>

#include "base/limits.h"
#include "net/tls.h"

/* A session that a peer of this name has proven itself for. */
struct tls_kept {
	char name[LIMIT_DOMAIN + 1];
	SSL_SESSION *session; /* NULL: a free place */
	int64_t proven_us;    /* boot clock: when a certificate was last verified for it */
};

enum { TLS_KEPT_MAX = 16 };

struct tls_context {
	SSL_CTX *ssl;
	BIO_METHOD *transport; /* of tls_session.c: the way between OpenSSL and the socket */
	bool is_server;
	size_t uses; /* the owner and each session */
	struct tls_kept kept[TLS_KEPT_MAX];
	size_t next_place;
};

void tls_context_use(struct tls_context *context);

/* Takes the session over in place of an older one. proven_us: of the connection that it came by. */
void tls_context_keep(struct tls_context *context, const char *name, SSL_SESSION *session, int64_t proven_us);
/* What to begin with, the context's own; NULL: there is none that may still be used. */
const struct tls_kept *tls_context_kept(struct tls_context *context, const char *name, int64_t now_us);
void tls_context_forget(struct tls_context *context, const char *name);

/* Implemented by tls_session.c; NULL: no memory. */
BIO_METHOD *tls_transport_new(void);
/* Called by OpenSSL for each session that a server hands out; 1: taken over. */
int tls_on_session(SSL *ssl, SSL_SESSION *session);

#endif
