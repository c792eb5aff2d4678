/* The doubtful in a worker's hands for whom no relay works: a person is to decide about them, and can only while no worker has them. So those
 * that have waited for some seconds go back into the retry queue, and come again by and by. */
#ifndef SENDER_DOUBTFUL_H
#define SENDER_DOUBTFUL_H

#include "sender/queue.h"

/* working: slots of relays (sender/relays.h). Those that go back come again after again_us. Boot and wall time. */
struct doubtful_turn {
	uint64_t working;
	int64_t again_us, boot_us, wall_us;
};
enum { DOUBTFUL_WAITS_S = 3 };
void doubtful_go_back(struct queue *queue, const struct doubtful_turn *turn);

#endif
