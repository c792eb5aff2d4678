/* The prober: a child of the parent that works off the return-path tests, the copies for testers and the probes of members (store/probe_letters.h) that were asked for. It hands each message to its relay once, or
 * gives it back when it is stopped before, and writes down what the relay said; that it comes back is bounced's to tell. Besides
 * campaigns it is all that sender sends. */
#ifndef SENDER_PROBER_H
#define SENDER_PROBER_H

#include "sender/setup.h"

/* The body of the process: runs until SIGTERM or SIGINT and returns its exit status. */
int prober_run(const struct setup *setup);

#endif
