/* Sends reports back when they are due, over a few connections to one host, and tries again until they are taken or
 * refused for good. */
#ifndef MAILWORLD_POSTMAN_H
#define MAILWORLD_POSTMAN_H

#include "net/endpoint.h"
#include "net/loop.h"
#include "tests/support/mailworld/shapes.h"

struct postman;

struct postman_counts {
	uint64_t waiting, delivered, refused, retried, doubtful;
};

/* What to report; views are copied. Number and time of the facts are set here. */
struct errand {
	const struct shape *shape;
	struct report_facts facts;
	int64_t after_us;
	uint64_t copies;
};

enum err postman_new(struct loop *loop, const struct endpoint *to, struct view hostname,
		     struct postman **ret_postman) MUST_USE;
void postman_done(struct postman *postman); /* accepts NULL */
/* False when the queue is full. */
bool postman_has_room(const struct postman *postman);
enum err postman_take(struct postman *postman, const struct errand *errand) MUST_USE;
struct postman_counts postman_counts(const struct postman *postman);

#endif
