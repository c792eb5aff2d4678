/* A worker's own breaker, for a campaign or a group of domains in it: between two looks of the coordinator thousands of recipients may be
 * burnt, so a worker that is refused time after time stops at once. Bad is a refusal about us, or, for another one, a hard refusal: a relay that
 * has lost its table of users says so of everybody. It goes by the same share and least number as the coordinator's, and by less than what that one looks
 * back at. Pure. */
#ifndef SENDER_BREAKER_H
#define SENDER_BREAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	BREAKER_OUTCOMES = 100, /* looked back at */
	BREAKER_TRIPS_AT = 50,  /* bad ones among them */
	BREAKER_RUN = 20,       /* in a row */
};

struct breaker_terms {
	uint64_t share; /* in thousandths, that may be refused; 0: it never trips */
	uint64_t least; /* bad ones since it began */
};

/* Begins zeroed. */
struct breaker {
	bool bad[BREAKER_OUTCOMES];
	size_t next, count, run;
	uint64_t refused;
};

/* Notes an outcome; true when it is time to stop. */
bool breaker_note(struct breaker *breaker, const struct breaker_terms *terms, bool is_bad);

#endif
