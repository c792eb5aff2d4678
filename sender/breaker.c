#include "sender/breaker.h"

bool breaker_note(struct breaker *breaker, bool about_us)
{
	bool *slot = &breaker->about_us[breaker->next];
	breaker->count = breaker->count + about_us - *slot;
	*slot = about_us;
	breaker->next = (breaker->next + 1) % BREAKER_OUTCOMES;
	breaker->run = about_us ? breaker->run + 1 : 0;
	return breaker->count >= BREAKER_TRIPS_AT || breaker->run >= BREAKER_RUN;
}
