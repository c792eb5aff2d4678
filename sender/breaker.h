/* A campaign's breaker: when the relay refuses us time after time, or half of what it said lately is a refusal about us, sending on
 * would only burn recipients. Pure. */
#ifndef SENDER_BREAKER_H
#define SENDER_BREAKER_H

#include <stdbool.h>
#include <stddef.h>

enum {
	BREAKER_OUTCOMES = 100, /* looked back at */
	BREAKER_TRIPS_AT = 50,  /* refusals about us among them */
	BREAKER_RUN = 20,       /* of them in a row: a small list must not be used up first */
};

/* Begins zeroed. */
struct breaker {
	bool about_us[BREAKER_OUTCOMES];
	size_t next, count, run;
};

/* Notes an outcome; true when it is time to stop. */
bool breaker_note(struct breaker *breaker, bool about_us);

#endif
