/* A progress bar with rate and time left on stderr, for work that lasts longer than a second. Silent when stderr is no terminal or
 * the caller wants quiet. Never writes to stdout. */
#ifndef LISTCTL_PROGRESS_H
#define LISTCTL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *what;     /* "importing" */
	const char *unit;     /* "rows" */
	uint64_t done, total; /* total 0: unknown */
	uint64_t rows;        /* shown besides, as so many a second, where there are some */
	int64_t started_us, shown_us;
	bool enabled, shown;
};

/* The strings are borrowed; unit NULL, or done and total 0: nothing can be counted, or not yet; the time so far is shown. done and total are in the same measure; octets are shown as KB, MB when unit is "octets". */
struct progress progress_begin(const char *what, const char *unit, uint64_t total, bool quiet);
/* Cheap: looks at the clock and draws at most ten times a second. */
void progress_update(struct progress *progress, uint64_t done);
/* Wipes the bar's line, so that what follows stands alone. May run twice. */
void progress_end(struct progress *progress);

#endif
