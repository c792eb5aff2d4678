/* What refusals and acceptances teach this worker, until the database has been told. */
#include <string.h>

#include "base/clock.h"
#include "sender/pace_private.h"

#define SPAN_US (INT64_C(10) * CLOCK_US_PER_SECOND)

/* So many refusals in a row, each of a message begun after the one before was heard: all is refused. What was under way then already tells
 * how fast we were, not that nothing is taken. */
enum { ALL_REFUSED = 5 };

/* So many must have been accepted to tell a rate. */
enum { ACCEPTED_LEAST = 4 };

/* Nothing is begun for so long after a refusal: a destination that counts by the second has begun a new one then. */
#define QUIET_US CLOCK_US_PER_SECOND

/* A relay that was at fault is so again when it uses the same words. */
#define BLAMED_US (INT64_C(600) * CLOCK_US_PER_SECOND)

/* Until the database has said for how long. */
#define CLOSED_AT_FIRST_US (INT64_C(60) * CLOCK_US_PER_SECOND)

/* ---- how fast it went ---- */

static void turn_counted(uint32_t counted[2], bool is_next)
{
	counted[0] = is_next ? counted[1] : 0;
	counted[1] = 0;
}

static void turn_span(struct pace *pace, int64_t now_us)
{
	if (now_us - pace->span_from_us < SPAN_US)
		return;
	bool is_next = now_us - pace->span_from_us < 2 * SPAN_US;
	pace->span_from_us = now_us;
	if (is_next)
		memcpy(pace->begun[0], pace->begun[1], sizeof(pace->begun[0]));
	else
		memset(pace->begun[0], 0, sizeof(pace->begun[0]));
	memset(pace->begun[1], 0, sizeof(pace->begun[1]));
	for (struct destination *at = pace->destinations; at != NULL; at = at->next)
		turn_counted(at->bucket.learnt.counted, is_next);
	for (struct pace_relay *at = pace->relays; at != NULL; at = at->next) {
		turn_counted(at->bucket.learnt.counted, is_next);
		turn_counted(at->begun, is_next);
	}
}

/* The faster of the last whole span and the present one. */
static double measured(const struct pace *pace, const uint32_t counted[2], int64_t now_us)
{
	double seconds = (double)(now_us - pace->span_from_us) / (double)CLOCK_US_PER_SECOND;
	double before = (double)counted[0] / ((double)SPAN_US / (double)CLOCK_US_PER_SECOND);
	double now = (double)counted[1] / (seconds < 1 ? 1 : seconds);
	return before > now ? before : now;
}

/* Of a domain that has become known just now, what is known of all with its hash. */
static double measured_there(const struct pace *pace, const struct destination *destination, uint32_t hash,
			     int64_t now_us)
{
	const uint32_t *counted = destination->bucket.learnt.counted;
	const uint32_t other[2] = { pace->begun[0][hash % PACE_MEASURES], pace->begun[1][hash % PACE_MEASURES] };
	bool is_known = destination->is_group || counted[0] + counted[1] > 0;
	return measured(pace, is_known ? counted : other, now_us);
}

/* What it took; where that was next to nothing, others may have had it all: then what was begun. Too much is halved again soon. */
static double measured_through(const struct pace *pace, const struct pace_relay *relay, int64_t now_us)
{
	const uint32_t *accepted = relay->bucket.learnt.counted;
	return measured(pace, accepted[0] + accepted[1] < ACCEPTED_LEAST ? relay->begun : accepted, now_us);
}

void pace_note_begun(struct pace *pace, struct pace_relay *relay, struct destination *destination, uint32_t hash,
		     int64_t now_us)
{
	turn_span(pace, now_us);
	relay->begun[1]++;
	++*(destination != NULL ? &destination->bucket.learnt.counted[1] : &pace->begun[1][hash % PACE_MEASURES]);
}

/* ---- what is refused and accepted ---- */

/* Nothing more until the database has granted it. */
static void stop(struct pace *pace, struct bucket *bucket, int64_t now_us)
{
	pace->limited += !bucket_is_limited(bucket);
	bucket->has_tokens = true;
	bucket->quiet_until_us = now_us + QUIET_US;
	if (bucket->tokens > 0)
		bucket->tokens = 0;
}

static void learn(struct pace *pace, struct bucket *bucket, struct view reply, double rate, int64_t now_us)
{
	struct learnt *learnt = &bucket->learnt;
	reply = view_head(reply, sizeof(learnt->reason));
	memcpy(learnt->reason, reply.data, reply.len);
	learnt->reason_len = reply.len;
	learnt->measured = rate;
	learnt->heard_us = now_us;
	learnt->tells_throttled = true;
	stop(pace, bucket, now_us);
}

/* It was refused for the relay's sake. */
static void acquit(struct pace *pace, struct bucket *bucket)
{
	struct learnt *learnt = &bucket->learnt;
	learnt->tells_throttled = learnt->tells_all_refused = false;
	learnt->heard_us = bucket->quiet_until_us = 0;
	learnt->refused = 0;
	bucket->is_asked = false;
	if (bucket->is_named)
		return;
	pace->limited -= bucket_is_limited(bucket);
	bucket->has_tokens = bucket->has_slots = false;
}

static void acquit_suspects(struct pace *pace, const struct pace_relay *relay)
{
	for (struct destination *at = pace->destinations; at != NULL; at = at->next) {
		const struct learnt *learnt = &at->bucket.learnt;
		if (learnt->tells_throttled && learnt->heard_us >= relay->suspected_us && !learnt->is_closed)
			acquit(pace, &at->bucket);
	}
}

static void blame(struct pace *pace, struct pace_relay *relay, struct view reply, int64_t now_us)
{
	relay->suspect_count = 0;
	relay->blamed_until_us = now_us + BLAMED_US;
	learn(pace, &relay->bucket, reply, measured_through(pace, relay, now_us), now_us);
}

static bool has_same_words(const struct pace_relay *relay, struct view reply, int64_t now_us)
{
	const struct learnt *learnt = &relay->bucket.learnt;
	return now_us < relay->blamed_until_us &&
	       view_eq(view_head(reply, sizeof(learnt->reason)), view_from(learnt->reason, learnt->reason_len));
}

/* True when it is one destination too many. */
static bool suspect(struct pace_relay *relay, uint32_t hash, int64_t now_us)
{
	for (size_t i = 0; i < relay->suspect_count; i++) {
		if (relay->suspects[i] == hash)
			return false;
	}
	if (relay->suspect_count == 0)
		relay->suspected_us = now_us;
	relay->suspects[relay->suspect_count++] = hash;
	return relay->suspect_count == PACE_SUSPECTS;
}

void pace_relay_throttled(struct pace *pace, struct pace_relay *relay, struct view reply, int64_t now_us)
{
	turn_span(pace, now_us);
	if (measured(pace, relay->bucket.learnt.counted, now_us) > 0 && now_us >= relay->bucket.quiet_until_us)
		learn(pace, &relay->bucket, reply, measured_through(pace, relay, now_us), now_us);
}

void pace_note_throttled(struct pace *pace, struct pace_relay *relay, struct view address, struct pace_mark *mark,
			 struct view reply, int64_t now_us)
{
	struct destination *destination = pace_find(pace, address, mark);
	if (mark->begun_us <= relay->bucket.learnt.heard_us)
		return;
	bool is_one_too_many = suspect(relay, destination != NULL ? destination->hash : mark->hash, now_us);
	if (is_one_too_many)
		acquit_suspects(pace, relay);
	if (is_one_too_many || has_same_words(relay, reply, now_us)) {
		blame(pace, relay, reply, now_us);
		return;
	}
	destination = pace_learn(pace, address, mark);
	if (destination == NULL || mark->begun_us <= destination->bucket.learnt.heard_us)
		return;
	struct bucket *bucket = &destination->bucket;
	learn(pace, bucket, reply, measured_there(pace, destination, mark->hash, now_us), now_us);
	if (++bucket->learnt.refused >= ALL_REFUSED || bucket->learnt.is_closed) {
		bucket->learnt.tells_all_refused = true;
		bucket->learnt.is_closed = true;
		bucket->opens_us = now_us + CLOSED_AT_FIRST_US;
	}
}

void pace_note_accepted(struct pace *pace, struct pace_relay *relay, struct view address, struct pace_mark *mark,
			int64_t now_us)
{
	turn_span(pace, now_us);
	relay->bucket.learnt.counted[1]++;
	relay->suspect_count = 0;
	struct destination *destination = pace->limited > 0 ? pace_find(pace, address, mark) : NULL;
	if (destination == NULL)
		return;
	struct learnt *learnt = &destination->bucket.learnt;
	learnt->refused = 0;
	learnt->tells_open = learnt->tells_open || learnt->is_closed;
	learnt->is_closed = false;
}

/* ---- what is to be told ---- */

bool pace_has_news(const struct pace *pace)
{
	struct pace_walk walk = pace_walk_begin(pace);
	struct bucket *bucket;
	while (pace->limited > 0 && (bucket = pace_walk_next(&walk)) != NULL) {
		if (bucket_has_news(bucket))
			return true;
	}
	return false;
}

bool pace_next_news(struct pace *pace, struct pace_news *ret_news)
{
	struct pace_walk walk = pace_walk_begin(pace);
	struct bucket *bucket;
	while ((bucket = pace_walk_next(&walk)) != NULL && !bucket_has_news(bucket))
		;
	if (bucket == NULL)
		return false;
	struct learnt *learnt = &bucket->learnt;
	*ret_news = (struct pace_news){
		.key = view_of(bucket->key),
		.reason = view_from(learnt->reason, learnt->reason_len),
		.measured = learnt->measured,
		.is_throttled = learnt->tells_throttled,
		.all_refused = learnt->tells_all_refused,
		.is_open = learnt->tells_open,
	};
	learnt->tells_throttled = learnt->tells_all_refused = learnt->tells_open = false;
	bucket->is_asked = false;
	return true;
}
