#include "sender/distrust.h"

enum distrust_verdict distrust_refused(struct distrust *distrust, bool is_refused_before)
{
	if (is_refused_before)
		return DISTRUST_STANDS;
	if (distrust->refused < DISTRUST_AT)
		distrust->refused++;
	return distrust->refused < DISTRUST_AT ? DISTRUST_AGAIN : DISTRUST_TRIPS;
}

void distrust_answered(struct distrust *distrust)
{
	distrust->refused = 0;
}

bool distrust_is_open(const struct distrust *distrust)
{
	return distrust->refused > 0;
}
