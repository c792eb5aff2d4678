/* The doubtful of a campaign: their message was sent to its end and the relay's answer never read, or it was opened by a worker whose host is
 * lost. And what a person decides about them. */
#ifndef STORE_DOUBTS_H
#define STORE_DOUBTS_H

#include "store/db.h"

struct doubtful {
	uint64_t subscriber_id;
	struct view address;      /* empty: erased */
	unsigned attempt;         /* which attempt of this recipient it is about */
	int64_t at_us;            /* when it came in doubt */
	struct view decision;     /* resend, hold, settled, forgotten (a lost worker's); empty: none */
	int64_t decided_us;       /* 0: none */
	int64_t next_us;          /* not sent again before that; 0: not at all */
	struct view worker, host; /* whose it was; host empty: that worker is gone */
	struct view connection;   /* the relay's and the number; empty: not known */
	struct view place;        /* where the ledger has the recipient now */
	struct view reply;        /* to a copy that was sent again and not taken; empty: none was */
	bool is_in_hand;          /* a worker has opened it: nobody can decide about it now */
};
/* Those that are in doubt now, or with all every doubt there ever was; by time. */
enum err doubts_list(struct db *db, uint64_t campaign_id, bool all, struct db_rows **ret_rows,
		     struct buf *why) MUST_USE;
void doubtful_at(const struct db_rows *rows, size_t row, struct doubtful *ret_doubtful);

enum doubt_decision {
	DOUBT_RESEND, /* send again, with the same Message-ID, to those who may still be sent to */
	DOUBT_HOLD,   /* send nothing until told otherwise */
	DOUBT_SETTLE, /* take it as sent: a ledger row `accepted`, for good */
	DOUBT_DECISION_COUNT
};

struct doubts_decided {
	size_t count; /* about whom it was decided */
	size_t busy;  /* whom a worker has in hand: left alone */
	size_t
	    gone; /* DOUBT_RESEND: who has left the list or is suppressed: not sent to again, and in doubt as before */
	bool has_reopened; /* the campaign had finished, and runs again until they have come to an end */
};
/* In a transaction of its own, with an audit row: decides for those addresses (keys; NULL: for all) that no worker has in hand. ERR_NOT_FOUND: an
 * address is not in doubt there, and nothing is decided; ERR_REFUSED: a canceled campaign sends nothing again. */
enum err doubts_decide(struct db *db, uint64_t campaign_id, enum doubt_decision decision,
		       const struct db_array *address_keys, struct view actor, struct doubts_decided *ret_decided,
		       struct buf *why) MUST_USE;

#endif
