/* The terms of a verdict as the settings give them, now. */
#ifndef LISTCTL_TERMS_H
#define LISTCTL_TERMS_H

#include "base/clock.h"
#include "base/settings.h"
#include "store/verdicts.h"

static inline struct verdict_terms terms_of(const struct settings *settings)
{
	return (struct verdict_terms){ .now_us = clock_wall_us(),
				       .window_us = settings->bounce_window,
				       .life_us = settings->bounce_token_life,
				       .storms = storm_terms_of(settings) };
}

#endif
