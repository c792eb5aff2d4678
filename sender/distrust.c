#include "sender/distrust.h"

#include <string.h>

static bool is_last(const struct distrust *distrust, struct view destination)
{
	return view_eq_nocase(view_from(distrust->destination, distrust->destination_len), destination);
}

static void remember(struct distrust *distrust, int64_t campaign_id, struct view destination)
{
	distrust->campaign_id = campaign_id;
	distrust->destination_len = destination.len;
	memcpy(distrust->destination, destination.data, destination.len);
}

bool distrust_refused(struct distrust *distrust, int64_t campaign_id, struct view destination)
{
	unsigned most = distrust->bears == 0 ? DISTRUST_AT : distrust->bears;
	destination = view_head(destination, sizeof(distrust->destination));
	distrust->is_mixed |= distrust_is_open(distrust) && !is_last(distrust, destination);
	remember(distrust, campaign_id, destination);
	if (++distrust->refused < most || !distrust->is_mixed)
		return false;
	distrust->refused = 0;
	distrust->bears = distrust->bears == 0 ? 1 : most < DISTRUST_MOST ? most * 2 : most;
	return true;
}

void distrust_answered(struct distrust *distrust)
{
	if (distrust_is_open(distrust))
		*distrust = (struct distrust){ 0 };
}

bool distrust_is_open(const struct distrust *distrust)
{
	return distrust->refused > 0 || distrust->bears > 0;
}

bool distrust_is_of_few(const struct distrust *distrust, uint64_t answered)
{
	return distrust->bears == 0 && distrust->refused < DISTRUST_FEW && answered > 0 &&
	       answered >= (uint64_t)DISTRUST_ANSWERED_FOR_EACH * distrust->refused;
}

bool distrust_knows(const struct distrust *distrust, int64_t campaign_id, struct view destination)
{
	return distrust->bears > 0 && distrust->campaign_id == campaign_id &&
	       is_last(distrust, view_head(destination, sizeof(distrust->destination)));
}
