/* The process that begins campaigns that are due, settles canceled ones and finishes complete ones. Any number may run: what one has in hand
 * the others pass over. */
#ifndef SENDER_COORDINATOR_H
#define SENDER_COORDINATOR_H

#include "sender/setup.h"

/* Runs until SIGTERM or SIGINT, and returns the exit status. */
int coordinator_run(const struct setup *setup);

#endif
