/* What a relay has said to one recipient, for places that are about all: without his address. Such words (why a relay is left alone, a campaign
 * held, a rate cut) are shown and kept for as long as the trouble lasts, whoever is erased meanwhile. */
#ifndef SENDER_IMPERSONAL_H
#define SENDER_IMPERSONAL_H

#include "base/buf.h"

/* Appends it with "recipient" wherever the address stands, in any case, as it is or behind a percent sign (ann%40example.org). */
void impersonal_add(struct view said, struct view address, struct buf *out);

#endif
