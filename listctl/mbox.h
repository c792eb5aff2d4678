/* A stream of messages: an mbox (mboxrd: lines "From " after an empty one part the messages, one `>` comes off quoted ones) or, when it
 * does not begin with such a line, one message (RFC 5322). A message beyond LIMIT_MESSAGE is cut there. */
#ifndef LISTCTL_MBOX_H
#define LISTCTL_MBOX_H

#include <stdio.h>

#include "base/buf.h"

/* Who is given the messages. name says which it is, for people: "FILE", "FILE message 3", a path in a Maildir. Whatever take() returns
 * but ERR_OK ends the reading. */
struct message_taker {
	enum err (*take)(void *user, const char *name, struct view message);
	void *user;
	/* A message of a Maildir that cannot be read; the reading goes on. */
	void (*unreadable)(void *user, const char *why);
};

/* path is only named. ERR_IO, or what the taker returned. */
enum err mbox_read(FILE *stream, const char *path, const struct message_taker *taker, struct buf *why) MUST_USE;

#endif
