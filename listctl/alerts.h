/* Looks what wants a person, and tells it. */
#ifndef LISTCTL_ALERTS_H
#define LISTCTL_ALERTS_H

#include "listctl/call.h"

/* Without alert.command it only looks. What cannot be told now is told by the next one, and this one is refused; *ret_told: how many were. */
enum err alerts_send(struct call *call, size_t *ret_told) MUST_USE;

#endif
