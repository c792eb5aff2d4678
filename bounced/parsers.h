/* The parsers of bounced as its loop sees them: messages go to them, several on the way at a time, and what was found comes back. A parser that
 * dies, hangs or talks nonsense is replaced. What it was reading is given to its successor once more when it died, since somebody else may have
 * killed it, and is unread otherwise; what waited behind goes to the successor in any case. */
#ifndef BOUNCED_PARSERS_H
#define BOUNCED_PARSERS_H

#include "bounced/confine.h"
#include "bounced/record.h"
#include "bounced/rights.h"
#include "net/loop.h"

struct parsers;

struct parsers_owner {
	void *self;
	/* The record is the owner's again; insight is to be taken, NULL when nobody could read the message. */
	void (*on_read)(void *self, struct record *record, struct insight *insight);
	/* No parser can be had any more. */
	void (*on_lost)(void *self);
};

struct parsers_options {
	int nursery;         /* of nursery_fork(); taken, also on failure */
	size_t count;        /* 1 to NURSERY_SLOTS */
	size_t most;         /* octets of a message with its Return-Path */
	int64_t patience_us; /* for one message */
	enum confine_mode confine;
	struct rights rights; /* to be dropped to */
	struct view rules; /* further ones than those that are built in, as a sound text; borrowed for parsers_new() */
};

/* ERR_MEMORY, ERR_IO. Callbacks come from the loop only. */
enum err parsers_new(struct loop *loop, const struct parsers_options *options, const struct parsers_owner *owner,
		     struct parsers **ret_parsers) MUST_USE;
/* Ends the processes; releases the records that are with them. Accepts NULL. */
void parsers_done(struct parsers *parsers);

/* Hands the record over until on_read(). ERR_MEMORY: it is still the caller's. */
enum err parsers_put(struct parsers *parsers, struct record *record) MUST_USE;

/* Every message that is given to a parser from now on is read by these rules. ERR_IO, ERR_MEMORY: some may go on with the old ones. */
enum err parsers_set_rules(struct parsers *parsers, struct view rules) MUST_USE;

#endif
