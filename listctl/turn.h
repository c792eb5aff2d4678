/* The turn of whoever brings in people or erases them (store/import_turn.h), and a word to the person who has to wait for it. */
#ifndef LISTCTL_TURN_H
#define LISTCTL_TURN_H

#include "listctl/call.h"

/* Until the end of the transaction, which has begun. */
enum err turn_take(struct call *call) MUST_USE;

#endif
