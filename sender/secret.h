/* What a relay's AUTH needs besides the user: a password or a bearer token, from a file of this host. When the file is executable it is a
 * command, and its first line of output is the secret: that is how a token that lives an hour is had. The database knows neither.
 *
 * A command runs beside the worker, which asks again and again and never waits. Secrets are never logged, and wiped when they are let go. */
#ifndef SENDER_SECRET_H
#define SENDER_SECRET_H

#include "base/buf.h"

struct secret;

enum secret_state { SECRET_READY, SECRET_PENDING, SECRET_FAILED };

/* Reads nothing yet. life_us: for how long it is used before it is asked for anew. ERR_MEMORY. */
enum err secret_new(const char *path, int64_t life_us, struct secret **ret_secret) MUST_USE;
/* Ends a command that runs. Accepts NULL. */
void secret_done(struct secret *secret);

/* now: boot time. READY: *ret_text is borrowed until the next call. PENDING: its command runs. FAILED: `why` has a sentence with the path
 * and the remedy; the next call tries again. */
enum secret_state secret_ask(struct secret *secret, int64_t now_us, struct view *ret_text, struct buf *why);
/* Appends what tells the file as it is now from what it was or will be, without what is in it. False: there is none. */
bool secret_stamp(const struct secret *secret, struct buf *out);
/* Where it came from when it was asked for last. */
bool secret_is_command(const struct secret *secret);
const char *secret_path(const struct secret *secret);
/* The relay did not take it: it is asked for anew. */
void secret_forget(struct secret *secret);

#endif
