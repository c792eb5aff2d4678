/* East Asian text in seven bits that iconv does not know: HZ (RFC 1843), and ISO-2022-JP (RFC 1468) with what Windows adds to it, single-width kana and the
 * characters of NEC and IBM. Each is an eight-bit charset whose high bits were taken away. */
#ifndef MAIL_SEVEN_BIT_H
#define MAIL_SEVEN_BIT_H

#include "base/buf.h"

/* Whether a charset of this name is one of them. */
bool seven_bit_is(struct view charset);

/* Appends the octets with their high bits, and returns the name of the charset that they are in then. Octets that break the rules stay as they are. Only
 * for what seven_bit_is(). */
const char *seven_bit_undo(struct view charset, struct view octets, struct buf *out);

#endif
