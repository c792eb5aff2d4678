/* How often a recipient was deferred: a hash table that grows up to a ceiling. */
#ifndef MAILWORLD_ATTEMPTS_H
#define MAILWORLD_ATTEMPTS_H

#include "base/view.h"

struct attempts {
	struct attempt {
		uint64_t hash; /* of rule and address; 0: free */
		uint64_t count;
	} * slots;
	size_t used, size;
};

/* Counts one more; how many there were before. Without memory it says UINT64_MAX. */
uint64_t attempts_count(struct attempts *attempts, size_t rule_line, struct view address);
void attempts_done(struct attempts *attempts);

#endif
