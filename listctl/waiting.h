/* What stands on a terminal while one statement lasts: how long it has, or how far it is. */
#ifndef LISTCTL_WAITING_H
#define LISTCTL_WAITING_H

#include "listctl/call.h"
#include "listctl/progress.h"

struct waiting {
	struct call *call;
	struct progress progress;
	int64_t segment_id; /* whose index is being made; 0: none */
	struct db *aside;   /* asks how far it is */
};

/* From now on, while call->db waits longer than a second for an answer, "counting, 0:12 so far". *waiting stays where it is until its end. */
void waiting_begin(struct call *call, const char *what, struct waiting *waiting);
/* The same with a bar, as far as waiting_progress() tells; user is the struct waiting. Of what cannot be told the time is shown. */
void waiting_begin_counting(struct call *call, const char *what, const char *unit, struct waiting *waiting);
void waiting_progress(void *user, uint64_t done, uint64_t total);
/* The same for rows that go to stdout: tell of them before they are written. Where that is a terminal they show themselves. */
void waiting_begin_rows(struct call *call, const char *what, struct waiting *waiting);
void waiting_rows(struct waiting *waiting, size_t more);
/* A bar while the index of this segment is made, by a connection of its own. */
void waiting_begin_index(struct call *call, int64_t segment_id, struct waiting *waiting);
/* Wipes the line. */
void waiting_end(struct waiting *waiting);

#endif
