/* Who guesses tokens: wrong ones are counted by network (a /24 of IPv4, a /48 of IPv6), and a network that guesses hears its answers later and
 * later. Somebody who is wrong now and then, such as a server with reports of a year ago, is not slowed. */
#ifndef BOUNCED_GUESSES_H
#define BOUNCED_GUESSES_H

#include "bounced/gate.h"
#include "net/endpoint.h"

enum {
	GUESSES_FREE = 20,      /* without being slowed; forgotten when none came for an hour */
	GUESSES_SLOWEST_S = 20, /* an answer comes at most so much later */
};

struct guesses;

/* ERR_MEMORY. */
enum err guesses_new(struct guesses **ret_guesses) MUST_USE;
void guesses_done(struct guesses *guesses); /* accepts NULL */

/* One more wrong token from there (gate_is_guess()); how long its answer is to wait, 0: not at all. Boot clock. */
int64_t guesses_note(struct guesses *guesses, const struct endpoint *peer, enum gate_verdict cause, int64_t now_us);

/* One log line for each network that is slowed and has guessed since the last call, with how many of each cause. */
void guesses_log(struct guesses *guesses);

#endif
