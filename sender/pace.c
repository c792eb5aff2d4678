#include "sender/pace_private.h"

#include "base/clock.h"

/* No waking up for single tokens where they come faster than this. */
#define GRAIN_US (INT64_C(10) * CLOCK_US_PER_MS)

bool pace_is_free(const struct pace *pace)
{
	return pace->limited == 0 && pace->hold_count == 0;
}

static bool is_held(const struct pace *pace, int64_t campaign_id, const struct destination *destination)
{
	for (size_t i = 0; i < pace->hold_count; i++) {
		if (pace->holds[i].campaign_id == campaign_id && pace->holds[i].destination == destination)
			return true;
	}
	return false;
}

bool pace_is_held(struct pace *pace, int64_t campaign_id, struct view address, struct pace_mark *mark)
{
	return pace->hold_count > 0 && is_held(pace, campaign_id, pace_find(pace, address, mark));
}

static bool has_token(const struct bucket *bucket, int64_t now_us)
{
	return !bucket->has_tokens || (bucket_tokens(bucket, now_us) > 0 && (double)now_us >= bucket->next_us);
}

static bool has_slot(const struct bucket *bucket, int64_t now_us)
{
	return !bucket->has_slots || bucket_slots(bucket, now_us) > 0;
}

bool pace_may(struct pace *pace, const struct pace_relay *relay, int64_t campaign_id, struct view address,
	      struct pace_mark *mark, int64_t now_us)
{
	const struct destination *destination = pace_find(pace, address, mark);
	if (destination != NULL && (!has_token(&destination->bucket, now_us) ||
				    !has_slot(&destination->bucket, now_us) || is_held(pace, campaign_id, destination)))
		return false;
	if (!has_token(&relay->bucket, now_us))
		return false;
	for (const struct warmup *warmup = pace->warmups; warmup != NULL; warmup = warmup->next) {
		if (warmup_is_for(warmup, relay, destination) && !has_token(&warmup->bucket, now_us))
			return false;
	}
	return true;
}

/* ---- what is spent ---- */

/* One after the other, as fast as the pace says. Who comes late makes up for a little of it and no more. */
static void use(struct bucket *bucket, int64_t now_us)
{
	double since_us = (double)(now_us - PACE_LATE_US);
	bucket->begun++;
	if (bucket->has_tokens && bucket->pace > 0)
		bucket->next_us = (bucket->next_us > since_us ? bucket->next_us : since_us) +
				  (double)CLOCK_US_PER_SECOND / bucket->pace;
}

static void pay(struct bucket *bucket, bool has_paid, int64_t count, int64_t now_us)
{
	if (count > 0)
		use(bucket, now_us);
	if (has_paid)
		bucket->tokens -= count;
}

static void pay_all(struct pace *pace, struct pace_relay *relay, const struct pace_mark *mark, int64_t count,
		    int64_t now_us)
{
	struct destination *destination = mark->destination;
	if (pace->limited == 0)
		return;
	if (destination != NULL)
		pay(&destination->bucket, mark->has_paid, count, now_us);
	pay(&relay->bucket, mark->relay_has_paid, count, now_us);
	for (struct warmup *warmup = pace->warmups; warmup != NULL; warmup = warmup->next) {
		if (warmup_is_for(warmup, relay, destination))
			pay(&warmup->bucket, warmup->bucket.has_tokens, count, now_us);
	}
}

void pace_begin(struct pace *pace, struct pace_relay *relay, struct view address, struct pace_mark *mark,
		int64_t now_us)
{
	struct destination *destination = pace_find(pace, address, mark);
	pace_note_begun(pace, relay, destination, mark->hash, now_us);
	if (destination != NULL)
		destination->bucket.under_way++;
	mark->begun_us = now_us;
	mark->has_paid = destination != NULL && destination->bucket.has_tokens;
	mark->relay_has_paid = relay->bucket.has_tokens;
	pay_all(pace, relay, mark, 1, now_us);
}

void pace_end(struct pace *pace, struct pace_relay *relay, struct view address, struct pace_mark *mark,
	      enum pace_end end, struct view reply, int64_t now_us)
{
	/* As it was when it was begun: what has become known since was not charged. */
	struct destination *charged = mark->destination;
	if (charged != NULL)
		charged->bucket.under_way--;
	if (end == PACE_NOT_SENT)
		pay_all(pace, relay, mark, -1, now_us);
	else if (end == PACE_THROTTLED)
		pace_note_throttled(pace, relay, address, mark, reply, now_us);
	else if (end == PACE_RELAY_THROTTLED)
		pace_relay_throttled(pace, relay, reply, now_us);
	else if (end == PACE_ACCEPTED)
		pace_note_accepted(pace, relay, address, mark, now_us);
}

int64_t pace_relay_slots(const struct pace_relay *relay, int64_t now_us)
{
	if (!relay->bucket.has_slots)
		return INT64_MAX;
	return now_us < relay->bucket.slots_until_us ? relay->bucket.slots : 0;
}

void pace_relay_holds(struct pace_relay *relay, size_t connections)
{
	relay->bucket.under_way = (int64_t)connections;
}

/* ---- the budgets ---- */

struct pace_walk pace_walk_begin(const struct pace *pace)
{
	return (struct pace_walk){ pace->destinations, pace->relays, pace->warmups };
}

struct bucket *pace_walk_next(struct pace_walk *walk)
{
	struct bucket *bucket = NULL;
	if (walk->destination != NULL) {
		bucket = &walk->destination->bucket;
		walk->destination = walk->destination->next;
	} else if (walk->relay != NULL) {
		bucket = &walk->relay->bucket;
		walk->relay = walk->relay->next;
	} else if (walk->warmup != NULL) {
		bucket = &walk->warmup->bucket;
		walk->warmup = walk->warmup->next;
	}
	return bucket;
}

size_t pace_ask_room(const struct pace *pace)
{
	size_t count = 0;
	struct pace_walk walk = pace_walk_begin(pace);
	while (pace_walk_next(&walk) != NULL)
		count++;
	return count;
}

/* How fast it goes where only slots hold it back. */
static void measure(struct bucket *bucket, int64_t now_us)
{
	double seconds = (double)(now_us - bucket->begun_from_us) / (double)CLOCK_US_PER_SECOND;
	if (seconds <= 0)
		return;
	double speed = (double)bucket->begun / seconds;
	bucket->speed = bucket->begun_from_us == 0 ? 0 : bucket->speed == 0 ? speed : (bucket->speed + speed) / 2;
	bucket->begun = 0;
	bucket->begun_from_us = now_us;
}

size_t pace_ask(struct pace *pace, struct budget_ask *asks, int64_t now_us)
{
	size_t count = 0;
	struct pace_walk walk = pace_walk_begin(pace);
	struct bucket *bucket;
	while ((bucket = pace_walk_next(&walk)) != NULL) {
		bool is_used = bucket_is_limited(bucket) && (bucket->waiting > 0 || bucket->under_way > 0);
		if (bucket_is_quiet(bucket, now_us) || (!is_used && !bucket->is_leased))
			continue;
		bool unspent = bucket->has_tokens && bucket->tokens > 0;
		asks[count++] = (struct budget_ask){
			.key = view_of(bucket->key),
			/* Others will be opened meanwhile: as many as it can use in a second at twice the speed of the last one. */
			.waiting = bucket->waiting + (bucket->waiting > 0 ? 2 * bucket->begun : 0),
			.under_way = bucket->under_way,
			.unspent = unspent ? bucket->tokens : 0,
		};
		measure(bucket, now_us);
		bucket->is_asked = true;
		bucket->is_leased = is_used;
		bucket->tokens = 0;
		bucket->slots = 0;
	}
	return count;
}

/* Whether a destination is closed, by whichever worker's word: then one that tries and is refused closes it again. */
static bool is_closed(const struct budget_grant *grant, bool was_closed, int64_t now_us)
{
	/* More is not granted there, as long as nothing was accepted. */
	static const double trial_rate = 0.2;
	if (grant->opens_us > now_us)
		return true;
	return was_closed && grant->tokens >= 0 && grant->rate <= trial_rate;
}

/* It may be another one than before. */
static void set_pace(struct bucket *bucket, double pace, int64_t now_us)
{
	double soonest_us = pace > 0 ? (double)now_us + (double)CLOCK_US_PER_SECOND / pace : 0;
	bucket->pace = pace;
	if (bucket->next_us > soonest_us)
		bucket->next_us = soonest_us;
}

void pace_grant(struct pace *pace, const struct budget_grant *grant, int64_t asked_us)
{
	struct pace_walk walk = pace_walk_begin(pace);
	struct bucket *bucket;
	while ((bucket = pace_walk_next(&walk)) != NULL && !view_eq(view_of(bucket->key), grant->key))
		;
	if (bucket == NULL)
		return;
	/* No limit any more, and a loading that has not come yet: as much as it likes meanwhile. */
	bucket->tokens += grant->tokens < 0 ? INT32_MAX : grant->tokens;
	bucket->slots = grant->slots < 0 ? INT32_MAX : grant->slots;
	bucket->tokens_until_us = asked_us + BUDGET_TOKENS_US;
	bucket->slots_until_us = asked_us + BUDGET_SLOTS_US;
	bucket->rate = grant->rate;
	set_pace(bucket, grant->pace, asked_us);
	bucket->opens_us = grant->opens_us;
	bucket->learnt.is_closed = is_closed(grant, bucket->learnt.is_closed, asked_us);
}

int64_t pace_wait(const struct pace *pace, int64_t now_us)
{
	int64_t least_us = -1;
	struct pace_walk walk = pace_walk_begin(pace);
	struct bucket *bucket;
	while (pace->limited > 0 && (bucket = pace_walk_next(&walk)) != NULL) {
		bool is_next = bucket->waiting > 0 && bucket->has_tokens && bucket_tokens(bucket, now_us) > 0 &&
			       bucket->next_us > (double)now_us;
		int64_t wait_us = is_next ? (int64_t)(bucket->next_us - (double)now_us) + 1 : -1;
		if (is_next && (least_us < 0 || wait_us < least_us))
			least_us = wait_us;
	}
	return least_us >= 0 && least_us < GRAIN_US ? GRAIN_US : least_us;
}

bool pace_is_hungry(const struct pace *pace, int64_t now_us)
{
	struct pace_walk walk = pace_walk_begin(pace);
	struct bucket *bucket;
	while (pace->limited > 0 && (bucket = pace_walk_next(&walk)) != NULL) {
		if (bucket_is_limited(bucket) && !bucket->is_asked && bucket->waiting > 0 &&
		    !bucket_is_quiet(bucket, now_us))
			return true;
	}
	return false;
}
