/* How much a process that reads messages may use up, besides what confine() takes away: should one get it to do what it wants, the machine and
 * its disk are still the others'. */
#ifndef BOUNCED_RATION_H
#define BOUNCED_RATION_H

#include <stddef.h>

#include "base/err.h"

/* Holds for the process and its children, for good. most: octets of the largest inquiry. ERR_IO with errno. */
enum err ration(size_t most) MUST_USE;

#endif
