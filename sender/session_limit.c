#include "sender/session_limit.h"

void session_limit_answered(struct session_limit *limit, uint64_t answered)
{
	if (answered <= limit->most)
		return;
	limit->most = answered;
	limit->proofs = 0;
	limit->learned = 0;
}

bool session_limit_hung_up(struct session_limit *limit, uint64_t answered, uint64_t number, uint64_t opened)
{
	if (answered == 0)
		return false;
	limit->suspect = answered;
	if (answered < limit->most || number <= limit->after || limit->learned != 0)
		return false;
	limit->after = opened;
	if (++limit->proofs < SESSION_LIMIT_PROOFS)
		return false;
	limit->learned = answered;
	return true;
}

bool session_limit_is_near(const struct session_limit *limit, uint64_t begun)
{
	return limit->suspect != 0 && begun == limit->suspect;
}

uint64_t session_limit_least(const struct session_limit *limit, uint64_t most)
{
	return limit->learned != 0 && (most == 0 || limit->learned < most) ? limit->learned : most;
}
