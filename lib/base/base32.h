/* Base 32 (RFC 4648 section 6) in lower case and without padding, decoded in either case; and hexadecimal. */
#ifndef BASE_BASE32_H
#define BASE_BASE32_H

#include "base/buf.h"

/* Appends ceil(8 * bytes.len / 5) characters. */
enum err base32_encode(struct view bytes, struct buf *out);
/* Decodes into exactly size octets at ret_bytes. False unless the text has just the length for it, every character is of the
 * alphabet, and the spare bits are zero (so that one token has one spelling, case aside). */
bool base32_decode(struct view text, void *ret_bytes, size_t size) MUST_USE;

enum err hex_encode(struct view bytes, struct buf *out);
/* Exactly 2 * size digits of either case. */
bool hex_decode(struct view text, void *ret_bytes, size_t size) MUST_USE;

#endif
