/* A private key of DKIM (RFC 6376 section 3.3, RFC 8301, RFC 8463), with the domain and the selector that its public key is published
 * under. */
#ifndef MAIL_DKIM_KEY_H
#define MAIL_DKIM_KEY_H

#include "base/buf.h"
#include "base/digest.h"

enum dkim_kind { DKIM_RSA, DKIM_ED25519, DKIM_KIND_COUNT };

/* "rsa", "ed25519": the k= of the record, and with "-sha256" the a= of a signature. */
const char *dkim_kind_name(enum dkim_kind kind);

enum {
	DKIM_RSA_BITS = 2048, /* of a key that is made */
	DKIM_RSA_BITS_LEAST =
	    1024, /* of one that is read; more is refused by no verifier, less by all (RFC 8301 section 3.2) */
	DKIM_RSA_BITS_MOST = 4096,
	DKIM_SELECTOR = 63, /* octets */
};

/* Labels of letters, digits and hyphens (RFC 6376 section 3.1), DKIM_SELECTOR at most. */
bool dkim_selector_is_valid(struct view selector) MUST_USE;

struct dkim_key;

/* A new one. ERR_INVALID: domain or selector is none; ERR_MEMORY: no memory, or no random numbers. The caller releases it with
 * dkim_key_done(). */
enum err dkim_key_make(enum dkim_kind kind, struct view domain, struct view selector,
		       struct dkim_key **ret_key) MUST_USE;
/* From PEM, PKCS #8 or PKCS #1; what stands before it is passed over. ERR_INVALID: `why` says what is wrong with it (no PEM, a passphrase,
 * another kind of key, too short), without naming it. */
enum err dkim_key_read(struct view pem, struct view domain, struct view selector, struct dkim_key **ret_key,
		       struct buf *why) MUST_USE;
void dkim_key_done(struct dkim_key *key); /* accepts NULL */

/* Appends it as PEM (PKCS #8). A secret: out is to be wiped. */
enum err dkim_key_write(const struct dkim_key *key, struct buf *out) MUST_USE;
/* Appends the text of its record at SELECTOR._domainkey.DOMAIN (RFC 6376 section 3.6.1, RFC 8463 section 4.2). */
enum err dkim_key_record(const struct dkim_key *key, struct buf *out) MUST_USE;

enum dkim_kind dkim_key_kind(const struct dkim_key *key);
unsigned dkim_key_bits(const struct dkim_key *key);
struct view dkim_key_domain(const struct dkim_key *key); /* lower case */
struct view dkim_key_selector(const struct dkim_key *key);

/* Appends the signature of what has this SHA-256 digest. The same digest gives the same octets. Not for two threads at a time. */
enum err dkim_key_sign(struct dkim_key *key, const unsigned char digest[DIGEST_SIZE], struct buf *out) MUST_USE;

#endif
