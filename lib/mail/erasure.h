/* What stays of somebody who was erased: HMAC-SHA-256 (RFC 2104) of the mailbox, under a key of the key file that is used for nothing else and
 * never changes. It tells whether an address is that of somebody erased, and no address. */
#ifndef MAIL_ERASURE_H
#define MAIL_ERASURE_H

#include "mail/keyring.h"

enum { ERASURE_SIZE = 32 };

struct erasure_maker;

/* ERR_NOT_FOUND: the keyring has no erasure key; ERR_MEMORY. The key is copied. Release with erasure_maker_free(). */
enum err erasure_maker_new(const struct keyring *keyring, struct erasure_maker **ret_maker, struct buf *why) MUST_USE;
void erasure_maker_free(struct erasure_maker *maker); /* accepts NULL */
/* mailbox: the canonical form of an address key, or the key where there is none other. False: no memory. */
bool erasure_make(struct erasure_maker *maker, struct view mailbox, unsigned char ret_hash[ERASURE_SIZE]);
/* Sixteen hexadecimal digits that tell this key from others, and say nothing of it. */
bool erasure_fingerprint(struct erasure_maker *maker, struct buf *out);

#endif
