/* Shared by the verbs of `listctl subscriber`. */
#ifndef LISTCTL_SUBSCRIBER_STEPS_H
#define LISTCTL_SUBSCRIBER_STEPS_H

#include "listctl/call.h"

/* --reason, --consent: 1 to 200 octets of text; empty when it is not given. */
enum err subscriber_text_option(struct call *call, const char *option, struct view *ret_text) MUST_USE;
/* Commits, or rolls back after a failure. */
enum err subscriber_finish(struct call *call, enum err err) MUST_USE;

/* cmd_subscriber_add.c */
enum err subscriber_add(struct call *call);
/* cmd_subscriber_show.c */
/* What a verb has done to somebody, for programs: with --format csv or json what `show` writes, of the changes the last one alone. */
enum err subscriber_tell(struct call *call, int64_t id) MUST_USE;
enum err subscriber_show(struct call *call);
enum err subscriber_find(struct call *call);

#endif
