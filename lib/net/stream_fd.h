/* How a listener makes a stream of an accepted socket. For lib/net only. */
#ifndef NET_STREAM_FD_H
#define NET_STREAM_FD_H

#include "net/stream.h"

/* Takes fd, also on failure. ERR_MEMORY, ERR_IO. */
enum err stream_of_fd(struct loop *loop, int fd, const struct endpoint *peer, struct stream **ret_stream) MUST_USE;

#endif
