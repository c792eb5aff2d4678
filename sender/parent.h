/* The parent: keeps the workers, the coordinator and the prober running, and ends them in order. */
#ifndef SENDER_PARENT_H
#define SENDER_PARENT_H

#include "sender/setup.h"

/* Runs until SIGTERM or SIGINT, and returns the exit status. */
int parent_run(const struct setup *setup);

#endif
