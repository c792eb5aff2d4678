/* Recipients in a worker's hands. A worker opens recipients before it sends to them: a window of a chunk's ids, or rows of the retry
 * queue. What is opened belongs to that worker's journal until the ledger or the retry queue has it, or the worker gives it back.
 *
 * A window is one row of chunk_window. One without a worker has been given back: nothing of it was begun that is not in the ledger, the
 * retry queue or among the doubtful; any worker may take it.
 *
 * All calls are made inside the caller's transaction. Errors as db_run(). */
#ifndef STORE_OPENINGS_H
#define STORE_OPENINGS_H

#include "store/db.h"

/* What a recipient's copy keeps over all attempts, so that Message-ID and Date stay the same. */
struct copy_terms {
	unsigned key_id;  /* signs the tokens */
	unsigned day;     /* in the tokens */
	int64_t date_us;  /* the Date header */
	unsigned variant; /* of the campaign (mail/variant.h); sender sets it. 0: there are none */
};

struct opening {
	const char *worker_id;
	size_t limit;            /* at most so many recipients (given-back windows are taken whole) */
	int64_t lease_us;        /* the chunk stays ours for so long */
	struct copy_terms terms; /* fixed in the chunk when this is its first claim */
};

/* The chunk a worker holds the lease of. */
struct held_chunk {
	int64_t campaign_id; /* 0: none */
	int chunk_no;
	bool exhausted; /* opened to its end */
};

/* What one call has opened; the caller releases it. Nobody: none was to be had. */
struct openings;
void openings_done(struct openings *openings); /* accepts NULL */
static inline void openings_auto(struct openings **openings)
{
	openings_done(*openings);
}
#define AUTO_OPENINGS __attribute__((cleanup(openings_auto))) struct openings

/* Opens more of the held chunk; none when the lease has gone to another, or the campaign does not run. */
enum err openings_continue(struct db *db, const struct opening *opening, const struct held_chunk *held,
			   struct openings **ret_openings, struct buf *why) MUST_USE;
/* Claims the next free chunk of a running campaign and opens its first window. */
enum err openings_claim(struct db *db, const struct opening *opening, struct openings **ret_openings,
			struct buf *why) MUST_USE;
/* Takes one window that was given back. */
enum err openings_take_window(struct db *db, const struct opening *opening, struct openings **ret_openings,
			      struct buf *why) MUST_USE;
/* Opens rows of the retry queue that are due. */
enum err openings_take_due(struct db *db, const struct opening *opening, struct openings **ret_openings,
			   struct buf *why) MUST_USE;
/* Opens rows of the retry queue that are parked for that key, before their time. */
enum err openings_take_parked(struct db *db, const struct opening *opening, struct view waits_for,
			      struct openings **ret_openings, struct buf *why) MUST_USE;

/* One recipient as it stood when it was opened. Views borrow from the openings. */
struct opened {
	int64_t campaign_id, list_id, subscriber_id;
	int chunk_no, window_first; /* window_first 0: from the retry queue */
	struct view address, name, attributes;
	struct view skip_reason;  /* why nothing may be sent; empty: it may */
	unsigned attempts;        /* made before now */
	int64_t first_attempt_us; /* 0: none yet */
	int64_t refused_us;       /* the last one, when it was a refusal for good that did not stand; 0: it was not */
	struct view deferred_by;  /* the relay that put him off last; empty: not known, or none has */
	int64_t deferred_us;      /* when it did; 0 likewise */
	bool is_doubtful;         /* the last attempt is in doubt */
	struct view doubted;      /* on which connection (store/doubts.h); empty: not known, or not in doubt */
	bool has_doubt;           /* an earlier attempt is, or was before later ones: he may have the message */
	struct copy_terms terms;
	bool chunk_exhausted; /* with openings_continue() and openings_claim() */
};
size_t openings_count(const struct openings *openings);
struct opened openings_get(const struct openings *openings, size_t at);

/* Reads again whether these may be sent to: *ret_rows has one row for each that may not, see refusal_get(). */
enum err openings_recheck(struct db *db, const struct db_array *campaign_ids, const struct db_array *subscriber_ids,
			  struct db_rows **ret_rows, struct buf *why) MUST_USE;
struct refusal {
	int64_t campaign_id, subscriber_id;
	struct view reason;
};
struct refusal refusal_get(const struct db_rows *rows, size_t row);

#endif
