/* How many messages a relay takes on one connection, where it says nothing of it but hangs up: no 421, no LIMITS. What is on the wire then is
 * in doubt, so the figure is learnt and connections end with QUIT before.
 *
 * A connection that is lost by accident ends anywhere. So only the most that any connection was answered may be the figure, and only when it
 * was the end of SESSION_LIMIT_PROOFS connections, each opened after the one before had ended: all that stand at once may be lost together, at the same
 * message. Until then the message at which the last one ended asks first (smtp/client.h). Pure. */
#ifndef SENDER_SESSION_LIMIT_H
#define SENDER_SESSION_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

enum { SESSION_LIMIT_PROOFS = 3 };

/* Of a relay. Begins zeroed. */
struct session_limit {
	uint64_t most;    /* messages that one connection was answered */
	unsigned proofs;  /* connections that ended there without a word */
	uint64_t after;   /* only a connection with a higher number is another proof */
	uint64_t suspect; /* where the last one ended so; 0: none did */
	uint64_t learned; /* 0: nothing yet */
};

/* A connection was answered so many messages by now. */
void session_limit_answered(struct session_limit *limit, uint64_t answered);
/* Connection `number` was hung up on behind so many answers; opened: the number of the youngest one. True: the figure is learnt by this. */
bool session_limit_hung_up(struct session_limit *limit, uint64_t answered, uint64_t number, uint64_t opened);
/* The relay may hang up at a message that so many were begun before, on its connection. */
bool session_limit_is_near(const struct session_limit *limit, uint64_t begun);
/* After so many messages a connection is to end, where it were `most` by other terms; 0: no limit. */
uint64_t session_limit_least(const struct session_limit *limit, uint64_t most);

#endif
