/* Contexts of TLS (RFC 8446, RFC 5246): what all connections to one kind of peer have in common. The door to OpenSSL
 * for connections, with tls_session.c and tls_trouble.c.
 *
 * TLS 1.2 or later (RFC 8996). A client always verifies: the chain up to an authority of the context, and the host's
 * name by the certificate's subjectAltName alone (RFC 9525), wildcards only as a whole first label. There is no way
 * to leave it out. Sessions are kept by host name, so that a further connection to the same relay costs no signature
 * and no chain; after an hour a connection proves itself anew. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/buf.h"
#include "base/err.h"

struct tls_context;

struct tls_client_options {
	const char *ca_file; /* PEM; NULL: the authorities that the system trusts */
};

struct tls_server_options {
	const char *certificate_file; /* PEM: the server's certificate, then those that lead to its authority */
	const char *key_file;         /* PEM */
};

/* ERR_INVALID with `why`: a file is not there or holds something else; ERR_MEMORY. The caller releases *ret_context;
 * streams that use it still may do so afterwards. */
enum err tls_client_new(const struct tls_client_options *options, struct tls_context **ret_context,
			struct buf *why) MUST_USE;
enum err tls_server_new(const struct tls_server_options *options, struct tls_context **ret_context,
			struct buf *why) MUST_USE;
void tls_context_done(struct tls_context *context); /* accepts NULL */

#endif
