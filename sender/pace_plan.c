/* Who has to wait, and for how long. */
#include "sender/pace_private.h"

#include "base/clock.h"

/* Nobody is parked for longer than this by an estimate: rates change, and at the end of a campaign nobody should wait for those who have
 * gone another way. */
#define HORIZON_US (INT64_C(1800) * CLOCK_US_PER_SECOND)

void pace_plan_begin(struct pace *pace, int64_t most)
{
	pace->most_waiting = most;
	struct pace_walk walk = pace_walk_begin(pace);
	struct bucket *bucket;
	while ((bucket = pace_walk_next(&walk)) != NULL)
		bucket->planned = bucket->fitting = 0;
}

void pace_plan_end(struct pace *pace)
{
	struct pace_walk walk = pace_walk_begin(pace);
	struct bucket *bucket;
	while ((bucket = pace_walk_next(&walk)) != NULL)
		bucket->waiting = bucket->planned > 0 ? bucket->planned : bucket->fitting;
}

static double speed_of(const struct bucket *bucket)
{
	/* A slot serves one a second at least, as long as nothing else is known. */
	double slots = bucket->slots > 1 ? (double)bucket->slots : 1;
	return bucket->has_tokens && bucket->rate > 0 ? bucket->rate : bucket->speed > slots ? bucket->speed : slots;
}

static int64_t after(double count, double a_second)
{
	double wait_us = count / a_second * (double)CLOCK_US_PER_SECOND;
	return wait_us >= (double)HORIZON_US ? HORIZON_US : (int64_t)wait_us;
}

/* How long one has to wait behind those that are planned there already. */
static int64_t wait_for(const struct bucket *bucket, int64_t now_us)
{
	int64_t wait_us = 0;
	if (!bucket_is_limited(bucket))
		return 0;
	if (bucket->opens_us > now_us)
		return bucket->opens_us - now_us;
	if (!bucket->is_asked)
		return 0;
	if (bucket->has_tokens && bucket->rate > 0)
		wait_us = after((double)bucket->planned, bucket->rate);
	if (bucket->has_slots && wait_us == 0)
		wait_us = after((double)bucket->planned, speed_of(bucket));
	return wait_us;
}

struct longest {
	int64_t wait_us;
	struct bucket *bucket; /* NULL: nothing to wait for */
};

static void consider(struct longest *longest, struct bucket *bucket, int64_t now_us)
{
	int64_t wait_us = wait_for(bucket, now_us);
	if (wait_us > longest->wait_us)
		*longest = (struct longest){ .wait_us = wait_us, .bucket = bucket };
}

/* What holds it back on its way through that relay (NULL: whichever). */
static struct longest longest_of(struct pace *pace, struct pace_relay *relay, const struct destination *destination,
				 int64_t now_us)
{
	struct longest longest = { 0 };
	/* With one relay alone nobody could go instead. */
	if (relay != NULL && pace->relays->next != NULL)
		consider(&longest, &relay->bucket, now_us);
	for (struct warmup *warmup = pace->warmups; warmup != NULL; warmup = warmup->next) {
		if (relay != NULL ? warmup->relay == relay && warmup_is_for(warmup, relay, destination)
				  : warmup->relay == NULL && warmup_is_for(warmup, NULL, destination))
			consider(&longest, &warmup->bucket, now_us);
	}
	return longest;
}

static struct pace_relay *soonest(struct pace *pace, struct pace_relay *const *relays, size_t count,
				  const struct destination *destination, int64_t now_us, struct longest *ret_longest)
{
	struct pace_relay *best = NULL;
	for (size_t i = 0; i < count; i++) {
		struct longest longest = longest_of(pace, relays[i], destination, now_us);
		if (best != NULL && longest.wait_us >= ret_longest->wait_us)
			continue;
		best = relays[i];
		*ret_longest = longest;
	}
	return best;
}

/* It stays among those that wait, and is asked for. */
static void plan_for(struct pace *pace, struct pace_relay *relay, struct destination *destination)
{
	if (destination != NULL)
		destination->bucket.planned++;
	if (relay != NULL)
		relay->bucket.planned++;
	for (struct warmup *warmup = pace->warmups; warmup != NULL; warmup = warmup->next)
		warmup->bucket.planned += warmup_is_for(warmup, relay, destination);
}

/* A relay without a limit is always the soonest, and may be left alone, or ahead by its weight: the others ask for their part in any case, and so
 * do their warm-ups. */
static void plan_beside(struct pace *pace, struct pace_relay *relay, const struct destination *destination)
{
	relay->bucket.fitting++;
	for (struct warmup *warmup = pace->warmups; warmup != NULL; warmup = warmup->next)
		warmup->bucket.fitting += warmup->relay == relay && warmup_is_for(warmup, relay, destination);
}

static const struct hold *hold_of(const struct pace *pace, int64_t campaign_id, const struct destination *destination)
{
	for (size_t i = 0; i < pace->hold_count; i++) {
		if (pace->holds[i].campaign_id == campaign_id && pace->holds[i].destination == destination)
			return &pace->holds[i];
	}
	return NULL;
}

/* One after the other, as fast as it will go by what is known now. */
static struct pace_plan park(struct bucket *bucket, int64_t wait_us, int64_t now_us)
{
	int64_t until_us = now_us + wait_us;
	bucket->has_parked = true;
	if (bucket->opens_us <= now_us) {
		int64_t after_last_us = bucket->parked_until_us + after(1, speed_of(bucket));
		until_us = after_last_us > until_us ? after_last_us : until_us;
		if (until_us > now_us + HORIZON_US)
			until_us = now_us + HORIZON_US;
		bucket->parked_until_us = until_us;
	}
	return (struct pace_plan){ .is_parked = true, .until_us = until_us, .waits_for = view_of(bucket->key) };
}

struct pace_plan pace_plan(struct pace *pace, struct pace_relay *const *relays, size_t relay_count, int64_t campaign_id,
			   struct view address, struct pace_mark *mark, int64_t now_us)
{
	struct destination *destination = pace_find(pace, address, mark);
	struct longest by_relay = { 0 };
	const struct hold *hold = destination == NULL ? NULL : hold_of(pace, campaign_id, destination);
	if (hold != NULL)
		return (struct pace_plan){ .is_parked = true, .waits_for = view_of(hold->key) };
	struct longest longest = longest_of(pace, NULL, destination, now_us);
	if (destination != NULL)
		consider(&longest, &destination->bucket, now_us);
	struct pace_relay *relay = soonest(pace, relays, relay_count, destination, now_us, &by_relay);
	if (by_relay.wait_us > longest.wait_us)
		longest = by_relay;
	bool is_crowded = longest.bucket != NULL && longest.bucket->planned >= pace->most_waiting;
	if (longest.wait_us > PACE_PATIENCE_US || is_crowded)
		return park(longest.bucket, longest.wait_us, now_us);
	plan_for(pace, relay, destination);
	for (size_t i = 0; i < relay_count; i++)
		plan_beside(pace, relays[i], destination);
	return (struct pace_plan){ 0 };
}

bool pace_next_spare(struct pace *pace, struct pace_spare *ret_spare, int64_t now_us)
{
	enum { COUNT_MOST = 500 };
	struct pace_walk walk = pace_walk_begin(pace);
	struct bucket *bucket;
	while ((bucket = pace_walk_next(&walk)) != NULL) {
		if (!bucket->has_parked || bucket->waiting > 0 || bucket->opens_us > now_us)
			continue;
		double count = speed_of(bucket) * (double)PACE_PATIENCE_US / (double)CLOCK_US_PER_SECOND;
		*ret_spare = (struct pace_spare){ .key = view_of(bucket->key),
						  .count = count > COUNT_MOST ? COUNT_MOST
							   : count > 1        ? (size_t)count
									      : 1 };
		return true;
	}
	return false;
}

void pace_spare_is_empty(struct pace *pace, struct view key)
{
	struct pace_walk walk = pace_walk_begin(pace);
	struct bucket *bucket;
	while ((bucket = pace_walk_next(&walk)) != NULL) {
		if (view_eq(view_of(bucket->key), key))
			bucket->has_parked = false;
	}
}
