#include "sender/breaker.h"

enum { THOUSAND = 1000 };

bool breaker_note(struct breaker *breaker, const struct breaker_terms *terms, bool about_us)
{
	bool *slot = &breaker->about_us[breaker->next];
	breaker->count = breaker->count + about_us - *slot;
	*slot = about_us;
	breaker->next = (breaker->next + 1) % BREAKER_OUTCOMES;
	breaker->run = about_us ? breaker->run + 1 : 0;
	breaker->refused += about_us;
	if (terms->share == 0 || breaker->refused < terms->least)
		return false;
	bool is_half =
	    breaker->count >= BREAKER_TRIPS_AT && breaker->count * THOUSAND >= terms->share * BREAKER_OUTCOMES;
	return is_half || breaker->run >= BREAKER_RUN;
}
