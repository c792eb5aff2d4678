#include "sender/distrust.h"

enum distrust_verdict distrust_refused(struct distrust *distrust, bool is_refused_before)
{
	if (is_refused_before)
		return DISTRUST_STANDS;
	unsigned most = distrust->bears == 0 ? DISTRUST_AT : distrust->bears;
	if (++distrust->refused < most)
		return DISTRUST_AGAIN;
	distrust->refused = 0;
	distrust->bears = distrust->bears == 0 ? 1 : most < DISTRUST_MOST ? most * 2 : most;
	return DISTRUST_TRIPS;
}

void distrust_answered(struct distrust *distrust)
{
	*distrust = (struct distrust){ 0 };
}

bool distrust_is_open(const struct distrust *distrust)
{
	return distrust->refused > 0 || distrust->bears > 0;
}
