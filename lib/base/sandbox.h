/* What a process may still do, taken away for good from it and all that it bears: files by Landlock, system calls by seccomp. Rules are tables.
 * To be entered when everything is open and before the first thread starts: Landlock counts for the calling thread only. */
#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

#include "base/buf.h"

enum sandbox_verdict {
	SANDBOX_ALLOWED,
	SANDBOX_REFUSED, /* EPERM */
	SANDBOX_UNKNOWN, /* ENOSYS: the library goes another way */
	SANDBOX_KILLED,  /* of the whole process */
};

struct sandbox_call {
	const char *name; /* one that this architecture does not have is passed over */
	enum sandbox_verdict verdict;
	/* Only when this argument (1 is the first), under the mask, is the value; 0: whatever they are. Several rows of a name are one or the other. */
	unsigned argument;
	uint64_t mask, value;
};

struct sandbox_calls {
	const struct sandbox_call *rows;
	size_t count;
};

/* Files and folders that may be read, with all that is beneath. Those that are not there are passed over; nothing may be written, made,
 * removed or executed, and no TCP port be bound. ERR_UNAVAILABLE: the kernel has no Landlock, or it is switched off. ERR_IO with errno. */
enum err sandbox_files(const char *const *paths, size_t count) MUST_USE;

/* Tables are joined; `others` goes for calls in none of them and for those of another architecture. ERR_UNAVAILABLE: the kernel has no
 * seccomp filters. ERR_MEMORY. */
enum err sandbox_calls(const struct sandbox_calls *tables, size_t count, enum sandbox_verdict others) MUST_USE;

#endif
