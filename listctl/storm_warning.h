/* Storms beside what people ask for. */
#ifndef LISTCTL_STORM_WARNING_H
#define LISTCTL_STORM_WARNING_H

#include "listctl/call.h"

/* What daemons do from time to time (store/storm_watch.h), for where none runs. */
enum err storm_warning_look(struct call *call) MUST_USE;
/* A warning for each storm that is open. */
enum err storm_warning_write(struct call *call) MUST_USE;

#endif
