#include "sender/hold.h"

#include "base/clock.h"

static enum hold_news let_go(struct hold *hold)
{
	enum hold_news news = hold->is_told ? HOLD_ENDS : HOLD_NO_NEWS;
	hold->is_told = false;
	return news;
}

enum hold_news hold_look(struct hold *hold, bool lacks_room, uint64_t begun, int64_t now_us)
{
	if (!lacks_room) {
		hold->since_us = 0;
		return let_go(hold);
	}
	if (hold->since_us == 0 || hold->begun_then != begun) {
		hold->since_us = now_us;
		hold->begun_then = begun;
		return let_go(hold);
	}
	if (hold->is_told || now_us - hold->since_us < HOLD_MOST_S * CLOCK_US_PER_SECOND)
		return HOLD_NO_NEWS;
	hold->is_told = true;
	return HOLD_BEGINS;
}

void hold_tell(size_t at_bound, struct buf *out)
{
	if (at_bound > 0)
		buf_addf(out,
			 "for %d seconds it has answered none of %zu messages, its share of a worker's journal; if it "
			 "is only slow, raise journal.size or lower its messages in flight",
			 HOLD_MOST_S, at_bound);
	else
		buf_addf(out, "a worker's journal has no room for more of its messages: raise journal.size");
}
