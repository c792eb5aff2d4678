/* Signs a message by DKIM (RFC 6376, RFC 8301, RFC 8463): rsa-sha256 and ed25519-sha256, relaxed/relaxed, the whole body.
 *
 * Signed is what people, their programs and the large receivers go by, and nothing that relays rewrite (no Received, Return-Path, Sender, X-*).
 * Fields that must not be added later are named once more than they are there. t= is the date of the copy, so that every attempt at it is the
 * same message, octet by octet, as long as its keys are the same; there is no x=, since a copy may wait for days here and at relays. */
#ifndef MAIL_DKIM_H
#define MAIL_DKIM_H

#include "mail/dkim_key.h"

enum {
	DKIM_SIGNATURES = DKIM_KIND_COUNT, /* of one message: a kind of key each */
	DKIM_FIELDS = 100,                 /* of a message's head; more are refused */
};

/* Memory and contexts that serve one message after the other. */
struct dkim_signer;
enum err dkim_signer_new(struct dkim_signer **ret_signer) MUST_USE;
void dkim_signer_done(struct dkim_signer *signer); /* accepts NULL */

/* Appends a DKIM-Signature field for each key, to stand in front of the message: CRLF line ends, not dot-stuffed. The message ends with the
 * tail, which is empty or begins with a CRLF and does not end in empty lines. ERR_INVALID: it has no
 * From; ERR_TOO_BIG: more fields than DKIM_FIELDS, or beyond out's ceiling; ERR_MEMORY. out is as before on failure. */
enum err dkim_sign(struct dkim_signer *signer, struct dkim_key *const *keys, size_t key_count, struct view message,
		   struct view tail, int64_t date_us, struct buf *out) MUST_USE;

/* The fields that are signed where they are there, in the order of h=; NULL beyond the last. *ret_closed: it is named once more. */
const char *dkim_signed_field(size_t index, bool *ret_closed);

#endif
