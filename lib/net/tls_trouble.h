/* Sentences for people about TLS that does not come about, for tls_session.c. They have no full stop, name the peer
 * as "the peer", and hold nothing from outside but printable ASCII. */
#ifndef NET_TLS_TROUBLE_H
#define NET_TLS_TROUBLE_H

#include <openssl/x509.h>

#include "base/buf.h"

/* Why the chain under verification is no proof that the peer is `name`. */
void tls_trouble_of_chain(X509_STORE_CTX *chain, struct view name, struct buf *out);
/* Everything else: an error of OpenSSL's library SSL. */
void tls_trouble_of_error(unsigned long error, struct buf *out);

#endif
