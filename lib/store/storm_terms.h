/* When hard bounces are a storm. */
#ifndef STORE_STORM_TERMS_H
#define STORE_STORM_TERMS_H

#include "base/settings.h"

/* Addresses looked at to tell one. */
enum { STORM_SAMPLE = 400 };
#define STORM_WINDOW_LEAST_US (INT64_C(600) * 1000000)
#define STORM_WINDOW_MOST_US (INT64_C(7) * 86400 * 1000000)

/* Zeroed: never. */
struct storm_terms {
	int64_t window_us; /* looked back, and held after the last surge */
	uint64_t least;    /* addresses that had accepted before */
	uint64_t share;    /* of 1,000 copies sent to the same group meanwhile; 0: never */
};

static inline struct storm_terms storm_terms_of(const struct settings *settings)
{
	return (struct storm_terms){ settings->storm_window, settings->storm_least, settings->storm_share };
}

#endif
