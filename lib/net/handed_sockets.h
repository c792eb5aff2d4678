/* Sockets that were opened before the program began and are handed over to it, as systemd does with a .socket unit: three environment variables
 * (sd_listen_fds(3)). That is all that is used of it, so there is no need for its library. */
#ifndef NET_HANDED_SOCKETS_H
#define NET_HANDED_SOCKETS_H

#include "base/buf.h"

enum { HANDED_SOCKETS_MOST = 16 };

struct handed_sockets {
	size_t count; /* 0: none are handed over */
	struct {
		int fd;
		struct view
		    name; /* FileDescriptorName= of the unit; empty: it has none. Valid until handed_sockets_done() */
	} sockets[HANDED_SOCKETS_MOST];
	char *names;
};

/* ERR_INVALID with `why`: more than HANDED_SOCKETS_MOST, or the variables do not fit together; ERR_MEMORY. The variables are removed, so that no
 * child takes them for its own. The caller closes the sockets, or hands them on. */
enum err handed_sockets_take(struct handed_sockets *ret_handed, struct buf *why) MUST_USE;
void handed_sockets_done(struct handed_sockets *handed);

#endif
