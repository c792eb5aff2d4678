/* What the main process may go on reading: what SIGHUP reads again, and what a new connection to PostgreSQL takes. */
#ifndef BOUNCED_READABLE_H
#define BOUNCED_READABLE_H

#include "bounced/setup.h"

enum { READABLE_MOST = 64 };

struct readable {
	struct buf text;
	const char *paths[READABLE_MOST];
	size_t count;
};

/* The caller releases *ret_readable, also after ERR_MEMORY and ERR_TOO_BIG. */
enum err readable_find(const struct setup *setup, struct readable *ret_readable) MUST_USE;
void readable_done(struct readable *readable);

#endif
