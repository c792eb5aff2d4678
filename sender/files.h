/* How many files, sockets among them, a process of sender may have open. */
#ifndef SENDER_FILES_H
#define SENDER_FILES_H

#include <stddef.h>

#include "base/buf.h"

/* Raises the limit so that so many connections can be open beside the rest, as far as the hard limit allows. ERR_DENIED: it does not; `why`
 * names both numbers and the remedy. */
enum err files_reserve(size_t connections, struct buf *why) MUST_USE;
/* How many connections the hard limit allows. */
size_t files_for_connections(void);

#endif
