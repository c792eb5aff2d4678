#include "sender/weigh.h"

#include "base/clock.h"

/* What a message costs a relay of weight 1. */
#define STEP UINT64_C(1000000)

/* One that began nobody for so long is not waited for. */
#define PATIENCE_US CLOCK_US_PER_SECOND

/* In messages of the lighter one: so far it may be ahead, since connections are fed as they come; and so much is made good to one that could
 * not work. */
enum { AHEAD_MOST = 4, BEHIND_MOST = 16 };

static uint64_t dearer(const struct weighed *one, const struct weighed *other)
{
	return STEP / (one->weight < other->weight ? one->weight : other->weight);
}

bool weigh_waits(const struct weighed *one, const struct weighed *other, int64_t now_us)
{
	return one->weight != other->weight && other->begun_us != 0 && now_us - other->begun_us < PATIENCE_US &&
	       one->paid > other->paid + AHEAD_MOST * dearer(one, other);
}

void weigh_catch_up(struct weighed *one, const struct weighed *other)
{
	uint64_t behind = one->begun_us == 0 ? 0 : BEHIND_MOST * dearer(one, other);
	if (one->paid + behind < other->paid)
		one->paid = other->paid - behind;
}

void weigh_pay(struct weighed *one, int64_t now_us)
{
	one->paid += STEP / one->weight;
	one->begun_us = now_us;
}
