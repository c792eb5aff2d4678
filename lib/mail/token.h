/* Signed tokens: what stands in return paths, Message-IDs and unsubscribe addresses.
 *
 *     octet 0        version (4 bit) | key id (4 bit)
 *     octets 1-4     campaign id (return path, message) or list id (unsubscribe, confirm)
 *     octets 5-9     subscriber id
 *     octets 10-11   day of sending, days since 1970 mod 65536
 *     then           the first 7 (return path, message) or 16 (unsubscribe, confirm) octets of
 *                    HMAC-SHA-256(key, purpose 00 bounce-domain 00 octets 0-11)
 *
 * in base 32 (RFC 4648), lower case, no padding: 31 or 45 characters. The purpose is part of what is signed: a token never
 * serves another purpose. Read in either case, verified in constant time. */
#ifndef MAIL_TOKEN_H
#define MAIL_TOKEN_H

#include "mail/keyring.h"

enum token_purpose {
	TOKEN_RETURN_PATH, /* the envelope sender: valid at RCPT */
	TOKEN_MESSAGE,     /* Message-ID and ENVID: identifies inside a report, never valid at RCPT */
	TOKEN_UNSUBSCRIBE,
	TOKEN_CONFIRM,
	TOKEN_PURPOSE_COUNT
};

struct token {
	enum token_purpose purpose;
	unsigned key_id;        /* 0 to 15 */
	uint64_t scope_id;      /* campaign id, or list id for unsubscribe and confirm; 32 bits */
	uint64_t subscriber_id; /* 40 bits */
	uint16_t day;           /* of sending */
};

enum token_verdict {
	TOKEN_VALID,
	TOKEN_MALFORMED,   /* length, alphabet, spare bits, version */
	TOKEN_UNKNOWN_KEY, /* no such key, or retired */
	TOKEN_FORGED,      /* the signature is not ours, or for another purpose or domain */
	TOKEN_EXPIRED,     /* ours, but older than life_days or from the future */
	TOKEN_VERDICT_COUNT
};

/* Keyring and bounce domain, with the MAC contexts made once. Not for use by two threads at a time. */
struct token_maker;
enum err token_maker_new(const struct keyring *keyring, struct view bounce_domain,
			 struct token_maker **ret_maker) MUST_USE;
void token_maker_done(struct token_maker *maker); /* accepts NULL */

/* Appends the characters. ERR_INVALID when an id is out of range, ERR_NOT_FOUND when the key is not there or retired. */
enum err token_sign(struct token_maker *maker, const struct token *token, struct buf *out) MUST_USE;

/* *ret_token is set for TOKEN_VALID and TOKEN_EXPIRED. A day of grace covers clocks that differ. */
enum token_verdict token_check(struct token_maker *maker, enum token_purpose purpose, struct view text, uint16_t today,
			       unsigned life_days, struct token *ret_token) MUST_USE;

#endif
