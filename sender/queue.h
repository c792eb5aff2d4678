/* The recipients that a worker has opened, in memory: waiting, begun, being sent, or settled and not yet in the ledger. A batch is
 * what one query opened: its rows hold the texts, and it goes when the database has all its ends. */
#ifndef SENDER_QUEUE_H
#define SENDER_QUEUE_H

#include "base/limits.h"
#include "sender/journal.h"
#include "sender/pace.h"
#include "sender/run.h"

enum recipient_state {
	RECIPIENT_WAITING,
	RECIPIENT_BEGUN,   /* its envelope is with the relay */
	RECIPIENT_SENDING, /* its intent is in the journal, its content may have left */
	RECIPIENT_SETTLED, /* row says how; not yet committed */
	RECIPIENT_STATE_COUNT
};

struct batch;

struct recipient {
	struct recipient *prev, *next;
	enum recipient_state state;
	struct batch *batch;
	struct run *run;
	struct opened opened;
	uint64_t relays;       /* that it may go through: a bit for each slot; changes only while it does not wait */
	size_t place;          /* its connection's, while it is in hand */
	struct relay *through; /* the relay that it was begun through last: there as long as it is in hand */
	struct pace_mark mark;
	struct pace_relay *pace_relay; /* through which it was begun */
	int64_t checked_us;            /* boot time when the database last said that it may be sent to */
	int64_t stuck_us;    /* boot time since when no relay works for him (sender/doubtful.h); 0: one does */
	unsigned given_back; /* how often it was, not yet at its end */
	uint64_t refused_by; /* relays, before its content (sender/distrust.h): a bit for each slot */
	int64_t counted_us;  /* boot time when the breakers counted such a refusal of his; 0: they have not */
	uint64_t
	    deferred_by;     /* the relay that put him off at his last attempt: its slot's bit; 0: none that is there */
	int64_t deferred_us; /* boot time when it did */
	bool is_confirmed;   /* a relay that has answered a content since then has refused him again */
	bool is_journaled;   /* its outcome stands in the journal */
	struct ledger_row row; /* its views point here and into opened */
	char status[JOURNAL_STATUS_MOST], reason[JOURNAL_REASON_MOST], connection[JOURNAL_CONNECTION_MOST];
	char reply[LIMIT_REPLY_KEPT];
};

struct queue;

/* Which relays a recipient may go through. */
struct queue_router {
	void *owner;
	uint64_t (*route)(void *owner, struct run *run, struct view address);
	/* The slot's bit of the relay of that name; 0: it is not there. */
	uint64_t (*named)(void *owner, struct view relay);
};

enum err queue_new(const struct queue_router *router, struct queue **ret_queue) MUST_USE;
void queue_done(struct queue *queue); /* accepts NULL */

/* Takes over what was opened, all of one campaign or of the retry queue; who may not be sent to is settled at once. The runs
 * are there already. now: wall; checked: boot time of the query. On failure nothing has changed. */
enum err queue_open(struct queue *queue, struct openings *openings, const struct runs *runs, int64_t now_us,
		    int64_t checked_us) MUST_USE;

size_t queue_in_hand(const struct queue *queue); /* begun or being sent */
size_t queue_begun(const struct queue *queue);
size_t queue_sending(const struct queue *queue);
size_t queue_settled(const struct queue *queue);
/* All that are open and not settled. */
size_t queue_unsettled(const struct queue *queue);

/* The relays have changed: asks for all anew. kept: slots whose relay is still the same; what others refused is forgotten. */
void queue_route(struct queue *queue, uint64_t kept);

/* Who of those that wait may be begun now. */
struct queue_gate {
	void *owner;
	bool (*may)(void *owner, struct recipient *recipient); /* NULL: all */
	/* Slots of those that should have who was put off by a relay, of `others` that fit him and work; 0: any. */
	uint64_t (*preferred)(void *owner, const struct recipient *recipient, uint64_t others);
	/* With wants_fresh: who tells less than others do; NULL: nobody. */
	bool (*tells_less)(void *owner, struct recipient *recipient);
	int64_t checked_since_us;
	bool
	    wants_fresh; /* the last one who was never given back, or only because others refused him, if there is one */
	/* slots: whom this one has refused, or who is in doubt there, is left to those of them that fit him */
	uint64_t other_relays;
	struct view relay_name;
};
/* Slots of the relays that he is left to: none of those that have refused him while another one works that fits him. */
uint64_t queue_ways(const struct recipient *recipient, uint64_t working);
/* The first that waits for that relay, whose campaign goes on and whom the gate lets through: now RECIPIENT_BEGUN. NULL: none;
 * *ret_is_stale when it is one whose check is older. */
struct recipient *queue_begin(struct queue *queue, unsigned relay, const struct queue_gate *gate, bool *ret_is_stale);
void queue_send(struct queue *queue, struct recipient *recipient);
/* Back to the end of those that wait. */
void queue_give_back(struct queue *queue, struct recipient *recipient);
/* One that waits goes to the retry queue untried: until then, or (0) until what it waits for is said to be over. now: wall. */
void queue_park(struct queue *queue, struct recipient *recipient, struct view waits_for, int64_t until_us,
		int64_t now_us);
/* recipient->row is filled in. */
void queue_settle(struct queue *queue, struct recipient *recipient);

/* Walks, in order; NULL at the end. The present one may be settled or given back meanwhile. */
struct recipient *queue_first(const struct queue *queue, enum recipient_state state);
struct recipient *queue_next(const struct recipient *recipient);

/* The database said again of all that wait who may not be sent to. */
void queue_recheck(struct queue *queue, const struct db_rows *refusals, int64_t now_us, int64_t checked_us);

/* Windows of which nobody but settled recipients is left, and those that are still held, for store/openings.h. */
void queue_windows(const struct queue *queue, bool closing, struct db_array *campaign_ids, struct db_array *chunk_nos,
		   struct db_array *firsts);
/* What was opened from the retry queue. */
void queue_retries(const struct queue *queue, struct db_array *campaign_ids, struct db_array *subscriber_ids);

/* The settled are in the database: forgets them. */
void queue_confirm(struct queue *queue);
/* All of this run that wait were given back in the database: forgets them. None is in hand. */
void queue_drop(struct queue *queue, const struct run *run);

#endif
