/* RFC 9562 section 5.4: a random UUID, as text with a NUL behind it. */
#ifndef SENDER_UUID_H
#define SENDER_UUID_H

#include <stdbool.h>

#include "base/attributes.h"

enum { UUID_TEXT = 36 };

/* False: the system has no randomness for us. */
bool uuid_make(char ret_uuid[UUID_TEXT + 1]) MUST_USE;

#endif
