/* As whom bounced works once root is no longer needed: bounced.user and bounced.group. */
#ifndef BOUNCED_RIGHTS_H
#define BOUNCED_RIGHTS_H

#include <sys/types.h>

#include "base/settings.h"

/* Names are looked up early: it takes files. */
struct rights {
	bool changes; /* bounced.user is set, and the process is root */
	uid_t user;
	gid_t group;
	char name[256]; /* of the user */
};

/* ERR_INVALID: no such user or group, or the process is neither root nor that user; `why` says which. */
enum err rights_find(const struct settings *settings, struct rights *ret_rights, struct buf *why) MUST_USE;

/* Root's are given up for good; the user's further groups stay, for the files that they may read. ERR_DENIED with errno. */
enum err rights_drop(const struct rights *rights) MUST_USE;
/* The same without further groups. */
enum err rights_drop_all(const struct rights *rights) MUST_USE;

#endif
