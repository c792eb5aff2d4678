/* Messages out of a file or directory: one message (RFC 5322), an mbox or a Maildir. */
#ifndef LISTCTL_MESSAGE_SOURCE_H
#define LISTCTL_MESSAGE_SOURCE_H

#include "listctl/mbox.h"

/* path "-" is stdin. ERR_NOT_FOUND, ERR_DENIED, ERR_INVALID (neither), ERR_IO, or what the taker returned. */
enum err message_source_read(const char *path, const struct message_taker *taker, struct buf *why) MUST_USE;

#endif
