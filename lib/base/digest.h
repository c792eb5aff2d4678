/* SHA-256, for telling whether something is there already. Keyed hashes are lib/mail/token's. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/view.h"

enum { DIGEST_SIZE = 32 };

/* Of the bytes as they are, as sha256sum(1) gives it. False without memory. */
bool digest_of(struct view bytes, unsigned char ret_digest[DIGEST_SIZE]) MUST_USE;

/* Of the parts one after the other, each with its length in front, so that parts never run into each other. False without memory. */
bool digest_of_parts(const struct view *parts, size_t count, unsigned char ret_digest[DIGEST_SIZE]) MUST_USE;

#endif
