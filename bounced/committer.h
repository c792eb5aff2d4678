/* The thread that stores records, with a PostgreSQL connection of its own: the records handed in while the last commit ran share the
 * next one. It also does what the database needs from time to time: judges events whose ledger row has come, and removes
 * returned messages and mail for a person that are old enough.
 *
 * When PostgreSQL is away, records come back with ERR_UNAVAILABLE at once and the connection is tried again every second. Storing a
 * record twice changes nothing, so a batch whose commit has an unknown result is tried once more. */
#ifndef BOUNCED_COMMITTER_H
#define BOUNCED_COMMITTER_H

#include "base/settings.h"
#include "bounced/record.h"
#include "net/loop.h"

struct committer;

struct committer_options {
	const struct settings *settings;
	const char *instance; /* that the keys name */
	bool unsafe;
};

/* Connects and starts the thread. PostgreSQL may be away; what cannot mend itself (a database that is not ours, not initialised, or
 * refuses the login) is an error, explained in `why`. on_done runs in the loop when records have come back. */
enum err committer_start(struct loop *loop, const struct committer_options *options, loop_callback *on_done,
			 void *owner, struct committer **ret_committer, struct buf *why) MUST_USE;
/* Finishes what was handed in, ends the thread and releases everything. Accepts NULL. False when PostgreSQL does not answer: the
 * thread still runs, so the loop and the committer must stay until the process ends. */
bool committer_stop(struct committer *committer) MUST_USE;

/* Hands the record over until committer_take() gives it back with its outcome: ERR_OK only after a durable commit. */
void committer_put(struct committer *committer, struct record *record);
/* One record that came back, NULL when there is none. The caller releases it. */
struct record *committer_take(struct committer *committer);

/* About how much mail is kept for a person. */
uint64_t committer_mailbox_octets(struct committer *committer);

/* Whether PostgreSQL was away at the last look: a message need not even be sent then. */
bool committer_is_away(struct committer *committer);

#endif
