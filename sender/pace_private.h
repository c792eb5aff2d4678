/* Shared by pace.c, pace_learn.c, pace_table.c and pace_plan.c. */
#ifndef SENDER_PACE_PRIVATE_H
#define SENDER_PACE_PRIVATE_H

#include "sender/pace.h"

enum { PACE_REASON_MOST = 256, PACE_GROUP_MOST = 64, PACE_MEASURES = 4096 };

/* So many different destinations that refuse through one relay one after the other, and nobody accepted between: it is the relay. */
enum { PACE_SUSPECTS = 10 };

/* What the replies of a destination or a relay have taught this worker. */
struct learnt {
	uint32_t counted[2]; /* messages in the last whole span and in this one: begun; for a relay, accepted */
	unsigned refused;    /* in a row, each begun after the one before was heard */
	int64_t heard_us;    /* when the last of them was; 0: none */
	bool is_closed;      /* by our own word or another worker's, until something is accepted */
	/* what is still to be told */
	bool tells_throttled, tells_all_refused, tells_open;
	double measured;
	char reason[PACE_REASON_MOST];
	size_t reason_len;
};

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
	int64_t quiet_until_us; /* before that nothing is asked for */
	int64_t waiting, under_way;
	int64_t begun, begun_from_us; /* since then, to know its speed */
	double speed;                 /* messages a second */
	int64_t planned;              /* of those that wait, so many before */
	int64_t fitting;              /* of those that wait, so many might also go this way */
	bool has_parked;              /* and nobody has found that they are all gone */
	int64_t parked_until_us;      /* when the last one that was parked may go */
	struct learnt learnt;
};

struct destination {
	struct destination *next;
	struct bucket bucket;
	struct view name; /* of the group or the domain, in key */
	uint32_t hash;    /* of the name */
	bool is_group;
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
	struct view name;  /* in key */
	uint32_t begun[2]; /* messages in the last whole span, and in this one */
	uint32_t suspects[PACE_SUSPECTS];
	size_t suspect_count;
	int64_t suspected_us;    /* when the first of them was heard */
	int64_t blamed_until_us; /* until then whoever is refused in the same words is refused for its sake */
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

/* pace_learn.c: a message to that destination (NULL: to an unknown one with that hash) is begun, refused for now, or accepted. */
void pace_note_begun(struct pace *pace, struct pace_relay *relay, struct destination *destination, uint32_t hash,
		     int64_t now_us);
void pace_note_throttled(struct pace *pace, struct pace_relay *relay, struct view address, struct pace_mark *mark,
			 struct view reply, int64_t now_us);
void pace_note_accepted(struct pace *pace, struct pace_relay *relay, struct view address, struct pace_mark *mark,
			int64_t now_us);

static inline bool bucket_has_news(const struct bucket *bucket)
{
	const struct learnt *learnt = &bucket->learnt;
	return learnt->tells_throttled || learnt->tells_all_refused || learnt->tells_open;
}

/* What the database would grant now does not know yet what this worker has to tell. */
static inline bool bucket_is_quiet(const struct bucket *bucket, int64_t now_us)
{
	return now_us < bucket->quiet_until_us || bucket->learnt.tells_throttled || bucket->learnt.tells_all_refused;
}

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
