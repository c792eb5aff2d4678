/* What another policy would make of what is known: whom it would disable, and whom it would leave. Nothing is changed. */
#ifndef STORE_SIMULATIONS_H
#define STORE_SIMULATIONS_H

#include "store/suspects.h"

struct simulation_scope {
	uint64_t list_id; /* 0: all lists */
	struct verdict_terms
	    terms; /* with the policies to try; since_us also leaves out whom an attempt before it disabled */
	bool each; /* a row a membership, else one for those with the same list and reason */
	suspects_progress *progress;
	void *progress_user;
};

/* In the order of lists, changes and reasons. Errors as db_run(). The caller releases *ret_rows. */
enum err simulations_read(struct db *db, const struct simulation_scope *scope, struct db_rows **ret_rows,
			  struct buf *why) MUST_USE;

struct simulated {
	bool is_restored; /* else disabled */
	struct view list;
	struct view reason;  /* of the verdict that would disable, or did */
	struct view example; /* an address; with `each` the one */
	int64_t memberships;
};
void simulated_at(const struct db_rows *rows, size_t row, struct simulated *ret_simulated);

#endif
