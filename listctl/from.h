/* A sender as people write it on the command line: "Example News <news@example.org>" or the bare address. */
#ifndef LISTCTL_FROM_H
#define LISTCTL_FROM_H

#include "base/buf.h"

/* Appends the name (may be empty, without quotes) and the address as address_parse() gives it. ERR_INVALID says what is wrong. */
enum err from_parse(struct view text, struct buf *ret_name, struct buf *ret_address, struct buf *why) MUST_USE;

#endif
