/* The administrator's program that is run for an alert: without a shell, with a text on its standard input and a minute of time. */
#ifndef LISTCTL_ALERT_COMMAND_H
#define LISTCTL_ALERT_COMMAND_H

#include "base/buf.h"

struct alert_text {
	struct view kind, subject; /* VERPOST_ALERT_KIND, VERPOST_ALERT_SUBJECT */
	struct view text;          /* standard input */
};

/* Its environment is PATH and these two, its standard output goes nowhere, its standard error to ours; it is in a process group of its own, which is
 * killed when it does not end in time. ERR_OK: it ended with 0. ERR_REFUSED, ERR_IO, ERR_MEMORY: `why` says what went wrong. */
enum err alert_command_run(const char *path, const struct alert_text *alert, struct buf *why) MUST_USE;

#endif
