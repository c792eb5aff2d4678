/* Shared by pace.c, pace_table.c and pace_plan.c. */
#ifndef SENDER_PACE_PRIVATE_H
#define SENDER_PACE_PRIVATE_H

#include "sender/pace.h"

enum { PACE_REASON_MOST = 256, PACE_GROUP_MOST = 64, PACE_MEASURES = 4096 };

struct bucket {
	char key[BUDGET_KEY_MOST];
	bool is_named; /* in the present loading */
	bool has_tokens, has_slots;
	bool is_asked, is_leased;
	int64_t tokens, tokens_until_us;
	double
	    next_us; /* the next token may be used from then on; a fraction counts where they are many a millisecond */
	int64_t slots, slots_until_us;
	double rate, pace;
	int64_t opens_us;
	int64_t waiting, under_way;
	int64_t begun, begun_from_us; /* since then, to know its speed */
	double speed;                 /* messages a second */
	int64_t planned;              /* of those that wait, so many before */
	bool has_parked;              /* and nobody has found that they are all gone */
	int64_t parked_until_us;      /* when the last one that was parked may go */
};

struct destination {
	struct destination *next;
	struct bucket bucket;
	struct view name; /* of the group or the domain, in key */
	bool is_group;
	uint32_t begun[2]; /* messages in the last whole span, and in this one */
	/* what was learnt */
	unsigned refused; /* in a row */
	bool is_closed;   /* by our own word, until something is accepted */
	bool tells_throttled, tells_all_refused, tells_open;
	double measured;
	char reason[PACE_REASON_MOST];
	size_t reason_len;
};

struct warmup {
	struct warmup *next;
	struct bucket bucket;
	struct pace_relay *relay;        /* NULL: any */
	struct destination *destination; /* NULL: any */
};

struct pace_relay {
	struct pace_relay *next;
	struct bucket bucket;
	struct view name; /* in key */
};

struct hold {
	int64_t campaign_id;
	struct destination *destination;
	char key[PACE_GROUP_MOST + 8]; /* "hold:GROUP" */
};

struct domain_slot {
	uint32_t hash;
	size_t at, len;                  /* of the domain in names */
	struct destination *destination; /* NULL: free */
};

struct pace {
	struct destination *destinations;
	struct pace_relay *relays;
	struct warmup *warmups;
	struct hold *holds;
	size_t hold_count, hold_room;
	struct domain_slot *slots;
	size_t slot_count, slot_used; /* a power of two; 0 at first */
	struct buf names;
	uint32_t generation;
	size_t limited;                   /* buckets with a limit */
	int64_t most_waiting;             /* for one bucket, of the present plan */
	uint32_t begun[2][PACE_MEASURES]; /* the same for all other domains, by their hash */
	int64_t span_from_us;
};

/* pace_table.c */
struct destination *pace_find(struct pace *pace, struct view address, struct pace_mark *mark);
/* The same, made when it is not there; NULL: no memory, or too many. */
struct destination *pace_learn(struct pace *pace, struct view address, struct pace_mark *mark);

static inline bool bucket_is_limited(const struct bucket *bucket)
{
	return bucket->has_tokens || bucket->has_slots;
}

/* How many tokens and slots are left. */
static inline int64_t bucket_tokens(const struct bucket *bucket, int64_t now_us)
{
	return now_us < bucket->tokens_until_us ? bucket->tokens : 0;
}

static inline int64_t bucket_slots(const struct bucket *bucket, int64_t now_us)
{
	int64_t slots = now_us < bucket->slots_until_us ? bucket->slots : 0;
	return slots > bucket->under_way ? slots - bucket->under_way : 0;
}

/* Each bucket in turn; NULL at the end. */
struct pace_walk {
	struct destination *destination;
	struct pace_relay *relay;
	struct warmup *warmup;
};
struct pace_walk pace_walk_begin(const struct pace *pace);
struct bucket *pace_walk_next(struct pace_walk *walk);

static inline bool warmup_is_for(const struct warmup *warmup, const struct pace_relay *relay,
				 const struct destination *destination)
{
	return (warmup->relay == NULL || warmup->relay == relay) &&
	       (warmup->destination == NULL || warmup->destination == destination);
}

#endif
