/* How the client proves who it is (RFC 4422): what AUTH of RFC 4954 carries, without its base64 and its lines.
 * SCRAM-SHA-256 and -PLUS (RFC 7677, 5802; channel binding tls-exporter of RFC 9266) come from libgsasl, whose only door
 * this is; PLAIN (RFC 4616), LOGIN, XOAUTH2 and OAUTHBEARER (RFC 7628) are written here. Secrets are never logged, and
 * wiped from memory when they are let go. */
#ifndef SMTP_SASL_H
#define SMTP_SASL_H

#include "base/buf.h"

/* From the one to be preferred to the one to be used last. */
enum sasl_mechanism {
	SASL_ANY, /* the best that both sides know of those that take a password */
	SASL_SCRAM_SHA_256_PLUS,
	SASL_SCRAM_SHA_256,
	SASL_PLAIN,
	SASL_LOGIN,
	SASL_OAUTHBEARER, /* these two take a bearer token and must be named */
	SASL_XOAUTH2,
	SASL_MECHANISM_COUNT
};

/* "ANY", "SCRAM-SHA-256-PLUS", ... as IANA registered them. */
const char *sasl_mechanism_name(enum sasl_mechanism mechanism);
/* In either case; false: no such mechanism. */
bool sasl_mechanism_find(struct view name, enum sasl_mechanism *ret_mechanism) MUST_USE;

struct smtp_credentials {
	enum sasl_mechanism mechanism;
	struct view user, secret; /* a password, or a bearer token */
	struct view host;         /* the server's name and port, which OAUTHBEARER repeats to it */
	uint16_t port;
};

/* False for what no mechanism could carry: no user or no secret, a NUL in one of them, a control or a blank in a bearer
 * token, more than LIMIT_SECRET octets. */
bool smtp_credentials_are_valid(const struct smtp_credentials *credentials) MUST_USE;

/* One exchange, octets in, octets out. */
struct sasl;

/* Copies the credentials. ERR_INVALID: they are not valid; ERR_MEMORY. */
enum err sasl_new(const struct smtp_credentials *credentials, struct sasl **ret_sasl) MUST_USE;
void sasl_done(struct sasl *sasl); /* wipes them; accepts NULL */

/* Chooses the mechanism and begins. `offered` has the bits 1u << SASL_x of what the server offers; the binding (tls-exporter)
 * is empty when there is none. False: there is none that both know. */
bool sasl_choose(struct sasl *sasl, unsigned offered, struct view channel_binding) MUST_USE;
const char *sasl_name(const struct sasl *sasl); /* of the chosen one */
/* The first step needs no challenge. */
bool sasl_speaks_first(const struct sasl *sasl);
/* Appends the response to a challenge. False: no server of this mechanism that knows the password may say this. */
bool sasl_step(struct sasl *sasl, struct view challenge, struct buf *out) MUST_USE;
/* The server may say now that all is well: it has said what it has to, and it was right. */
bool sasl_is_complete(const struct sasl *sasl);
/* The last challenge was the server's reason to refuse. */
bool sasl_is_refused(const struct sasl *sasl);

/* Appends what the base64 stands for; false when it is none. */
bool sasl_decode(struct view base64, struct buf *out) MUST_USE;

#endif
