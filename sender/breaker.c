#include "sender/breaker.h"

enum { THOUSAND = 1000 };

bool breaker_note(struct breaker *breaker, const struct breaker_terms *terms, bool is_bad)
{
	bool *slot = &breaker->bad[breaker->next];
	breaker->count = breaker->count + is_bad - *slot;
	*slot = is_bad;
	breaker->next = (breaker->next + 1) % BREAKER_OUTCOMES;
	breaker->run = is_bad ? breaker->run + 1 : 0;
	breaker->refused += is_bad;
	if (terms->share == 0 || breaker->refused < terms->least)
		return false;
	bool is_half =
	    breaker->count >= BREAKER_TRIPS_AT && breaker->count * THOUSAND >= terms->share * BREAKER_OUTCOMES;
	return is_half || breaker->run >= BREAKER_RUN;
}
