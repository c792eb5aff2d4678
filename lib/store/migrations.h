/* The files of schema/, compiled in by scripts/embed-migrations. */
#ifndef STORE_MIGRATIONS_H
#define STORE_MIGRATIONS_H

#include "base/view.h"

struct migration {
	int version;
	const char *name;
	struct view sql;
};

extern const struct migration migrations[];
extern const size_t migration_count;

#endif
