#include "sender/files.h"

#include <sys/resource.h>

/* The journal, PostgreSQL, the event loop, the log, a token command's pipes, and some to spare. */
enum { FILES_BESIDE = 64 };

enum err files_reserve(size_t connections, struct buf *why)
{
	struct rlimit limit = { 0 };
	rlim_t needed = connections + FILES_BESIDE;
	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur >= needed)
		return ERR_OK;
	if (limit.rlim_max < needed) {
		buf_addf(why,
			 "%zu connections need %llu open files, and the limit of this process is %llu; raise it "
			 "(LimitNOFILE= of the service, ulimit -Hn) or take fewer connections",
			 connections, (unsigned long long)needed, (unsigned long long)limit.rlim_max);
		return ERR_DENIED;
	}
	limit.rlim_cur = needed;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return ERR_OK;
	buf_addf(why, "the limit of open files cannot be raised to %llu", (unsigned long long)needed);
	return ERR_DENIED;
}

size_t files_for_connections(void)
{
	struct rlimit limit = { 0 };
	getrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_max > FILES_BESIDE ? (size_t)limit.rlim_max - FILES_BESIDE : 0;
}
