/* Two sockets that lead to each other, for a process and its child. One message is one packet where type is SOCK_SEQPACKET; descriptors can be
 * handed over with it. */
#ifndef NET_PAIR_H
#define NET_PAIR_H

#include <stddef.h>

#include "net/stream.h"

/* Both are closed by exec. SOCK_STREAM or SOCK_SEQPACKET. ERR_IO with errno. */
enum err pair_new(int type, int ret_fds[2]) MUST_USE;

/* Makes one end a stream of the loop (a packet is one on_input); takes fd, also on failure. ERR_MEMORY, ERR_IO. */
enum err pair_stream(struct loop *loop, int fd, struct stream **ret_stream) MUST_USE;

/* Sends one packet, with the descriptor passed unless it is -1; the caller keeps it. ERR_IO with errno. */
enum err pair_send(int fd, struct view packet, int passed) MUST_USE;
/* Waits for one packet of up to size octets. *ret_passed is the caller's, -1 when none came. ERR_IO; ERR_NOT_FOUND: the other end is closed. */
enum err pair_receive(int fd, void *room, size_t size, size_t *ret_len, int *ret_passed) MUST_USE;

#endif
