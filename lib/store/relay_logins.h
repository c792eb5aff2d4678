/* Logins at relays: who may try, so that all workers of all hosts together do not try what was refused again and again. Errors as db_run(). */
#ifndef STORE_RELAY_LOGINS_H
#define STORE_RELAY_LOGINS_H

#include "store/db.h"

/* Views are the caller's. */
struct relay_login_ask {
	struct view relay;       /* its name */
	struct view fingerprint; /* of what would be tried, never of the secret itself */
	struct view who;         /* a worker's id */
	bool claims;             /* a yes is for him alone; false: he only wants to know */
};

struct relay_login_answer {
	int64_t wait_us;   /* how long the answer is no; 0: yes */
	bool is_known;     /* the relay takes it */
	struct view reply; /* why not; empty: somebody else is trying. Borrowed from the rows */
};

/* The caller releases *ret_rows, from which ret_answer borrows. */
enum err relay_logins_ask(struct db *db, const struct relay_login_ask *ask, struct relay_login_answer *ret_answer,
			  struct db_rows **ret_rows, struct buf *why) MUST_USE;
/* The relay took it (empty refusal), or refused it with this reply. */
enum err relay_logins_tell(struct db *db, struct view relay, struct view fingerprint, struct view refusal,
			   struct buf *why) MUST_USE;
/* It was not tried after all. */
enum err relay_logins_give_up(struct db *db, struct view relay, struct view fingerprint, struct view who,
			      struct buf *why) MUST_USE;
/* A person says so: what was refused may be tried at once. *ret_count: so many were. */
enum err relay_logins_forget(struct db *db, struct view relay, size_t *ret_count, struct buf *why) MUST_USE;

#endif
