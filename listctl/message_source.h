/* Messages out of a file or directory: one message (RFC 5322), an mbox (mboxrd: lines "From " part the messages, one `>` comes off
 * quoted ones), or a Maildir. A message beyond LIMIT_MESSAGE is cut there. */
#ifndef LISTCTL_MESSAGE_SOURCE_H
#define LISTCTL_MESSAGE_SOURCE_H

#include "base/buf.h"

/* name says which it is, for people: "FILE", "FILE message 3", a path in the Maildir. Whatever it returns but ERR_OK ends the reading. */
struct message_taker {
	enum err (*take)(void *user, const char *name, struct view message);
	void *user;
	/* A message of a Maildir that cannot be read; the reading goes on. */
	void (*unreadable)(void *user, const char *why);
};

/* path "-" is stdin. ERR_NOT_FOUND, ERR_DENIED, ERR_INVALID (neither), ERR_IO, or what the taker returned. */
enum err message_source_read(const char *path, const struct message_taker *taker, struct buf *why) MUST_USE;

#endif
