/* A worker process: opens recipients, hands their copies to the relay, and keeps journal and ledger. Knows nothing of other workers. */
#ifndef SENDER_WORKER_H
#define SENDER_WORKER_H

#include "sender/setup.h"

/* Runs until SIGTERM or SIGINT, and returns the exit status. slot: 0 to setup->workers - 1. */
int worker_run(const struct setup *setup, unsigned slot);

#endif
