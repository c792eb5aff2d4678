/* A campaign's breaker: when half of what the relay said lately is a refusal about us, sending on would only burn recipients. Pure. */
#ifndef SENDER_BREAKER_H
#define SENDER_BREAKER_H

#include <stdbool.h>
#include <stddef.h>

enum {
	BREAKER_OUTCOMES = 100, /* looked back at */
	BREAKER_TRIPS_AT = 50,  /* refusals about us among them */
};

/* Begins zeroed. */
struct breaker {
	bool about_us[BREAKER_OUTCOMES];
	size_t next, count;
};

/* Notes an outcome; true when it is time to stop. */
bool breaker_note(struct breaker *breaker, bool about_us);

#endif
