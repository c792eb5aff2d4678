/* What the sessions of one mail world share. */
#ifndef MAILWORLD_WORLD_H
#define MAILWORLD_WORLD_H

#include "net/loop.h"
#include "net/stream.h"
#include "smtp/server.h"
#include "tests/support/mailworld/attempts.h"
#include "tests/support/mailworld/postman.h"
#include "tests/support/mailworld/rules.h"

struct world_counts {
	uint64_t connections, accepted, refused, deferred, dropped;
};

struct world {
	struct loop *loop;
	struct rules *rules;
	struct postman *postman; /* NULL without --reports-to */
	struct attempts attempts;
	struct view hostname;
	int log_fd;           /* -1: none */
	const char *keep_dir; /* NULL: none */
	struct view rewrite;  /* who stands in MAIL FROM from here on; empty: who stood there */
	struct world_counts counts;
};

/* Writes the log line of each recipient, keeps the message and queues its report. False when that failed: the
 * message is not accepted then. */
bool world_accept(struct world *world, const struct smtp_server_message *message, const struct rule *rule,
		  uint64_t connection) MUST_USE;

/* Takes over the stream of a new connection. */
void visit_begin(struct world *world, struct stream *stream);

#endif
