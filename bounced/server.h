/* bounced as a whole: the listener, its sessions, the parsers, the committer, the signals. */
#ifndef BOUNCED_SERVER_H
#define BOUNCED_SERVER_H

#include "bounced/setup.h"

/* Serves until SIGTERM or SIGINT, with the nursery of nursery_fork(), which it takes. SIGHUP reads the key file again. ERR_OK after an orderly
 * end; else `why` says what could not be started, or what was lost. */
enum err server_run(struct setup *setup, int nursery, struct buf *why) MUST_USE;

#endif
