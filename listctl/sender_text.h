/* A sender as a person writes it: "The News <news@example.org>", or an address alone. */
#ifndef LISTCTL_SENDER_TEXT_H
#define LISTCTL_SENDER_TEXT_H

#include "base/buf.h"

/* Appends the display name (perhaps nothing) and the address. No merge field may stand in it, and the address is one that every
 * relay can send from. ERR_INVALID with a sentence that names `what` ("--from"). */
enum err sender_text_parse(struct view text, const char *what, struct buf *ret_name, struct buf *ret_address,
			   struct buf *why) MUST_USE;

#endif
