#include "bounced/ration.h"

#include <sys/resource.h>

#ifdef __SANITIZE_ADDRESS__
enum { IS_SANITIZED = 1 }; /* a shadow of terabytes, and reports that may go to a file */
#else
enum { IS_SANITIZED = 0 };
#endif

/* For libraries, converters and rules, and for the copies that a message is taken apart into. */
static const rlim_t own_memory = 512 << 20, copies = 64;

struct row {
	int resource;
	rlim_t most;
};

/* Never more than there is already. */
static enum err limit(const struct row *row)
{
	struct rlimit now;
	if (getrlimit((__rlimit_resource_t)row->resource, &now) != 0)
		return ERR_IO;
	rlim_t most = row->most < now.rlim_max ? row->most : now.rlim_max;
	const struct rlimit wanted = { .rlim_cur = most, .rlim_max = most };
	return setrlimit((__rlimit_resource_t)row->resource, &wanted) == 0 ? ERR_OK : ERR_IO;
}

enum err ration(size_t most)
{
	const struct row rows[] = {
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_NOFILE, 8 }, /* its socket, standard error, and in a nursery what it was handed */
		{ RLIMIT_MSGQUEUE, 0 },
		{ RLIMIT_AS, IS_SANITIZED ? RLIM_INFINITY : own_memory + copies * most },
		{ RLIMIT_FSIZE, IS_SANITIZED ? RLIM_INFINITY : 0 },
	};
	enum err err = ERR_OK;
	for (size_t i = 0; i < ARRAY_LEN(rows) && err == ERR_OK; i++)
		err = limit(&rows[i]);
	return err;
}
