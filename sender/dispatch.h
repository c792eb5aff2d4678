/* Between a worker's queue and its relays: gives a relay that asks the next recipient with his letter, says whether his content may leave, and
 * takes in what became of him: into the journal, to the queue, to the pace, to the breaker of his campaign. */
#ifndef SENDER_DISPATCH_H
#define SENDER_DISPATCH_H

#include "sender/keeper.h"
#include "sender/letter.h"
#include "sender/relays.h"
#include "sender/setup.h"

struct dispatch {
	/* borrowed */
	const struct setup *setup;
	const struct classifier *classifier;
	struct letterhead letterhead;
	struct keeper *keeper;
	struct queue *queue;
	struct pace *pace;
	struct runs *runs;
	struct relays *relays;
	/* the present turn of the loop */
	int64_t boot_us, wall_us;
	bool is_stopping;   /* nobody is begun any more */
	bool is_deaf;       /* nor now: whether the campaigns still run has not been heard of late */
	bool needs_recheck; /* somebody waits whose check is too old; set here, taken back by the worker */
};

/* What its relays and its queue call; they must not outlive it. */
struct relay_owner dispatch_for_relays(struct dispatch *dispatch);
struct queue_router dispatch_for_queue(struct dispatch *dispatch);

#endif
