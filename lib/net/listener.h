/* Listening sockets, of TCP and in the file system. */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "net/stream.h"

struct listener;
/* The stream is the owner's: stream_start() it or stream_done() it, in this call. */
typedef void listener_accept(void *owner, struct stream *stream);

/* Listens on every address of text: "127.0.0.1:25 [::1]:25 unix:/run/mail.sock", separated by spaces; port 0 lets the system choose. A
 * Unix socket may be connected to by everybody who can reach its folder; one that nobody listens on any more is replaced.
 * All or none. ERR_INVALID: not an address; ERR_EXISTS: in use; ERR_DENIED: no permission for the port; ERR_IO;
 * `why` names the address and the remedy. The caller releases *ret_listener before the loop. */
enum err listener_open(struct loop *loop, struct view text, listener_accept *on_accept, void *owner,
		       struct listener **ret_listener, struct buf *why) MUST_USE;
/* The same with sockets that listen already, which are the listener's from now on, also on failure: somebody else has opened them. */
enum err listener_adopt(struct loop *loop, const int *sockets, size_t count, listener_accept *on_accept, void *owner,
			struct listener **ret_listener, struct buf *why) MUST_USE;
void listener_done(struct listener *listener); /* accepts NULL; leaves a Unix socket's file where it is */

/* Where it listens, with the port that the system chose. */
size_t listener_count(const struct listener *listener);
const struct endpoint *listener_endpoint(const struct listener *listener, size_t index);

/* Leaves new connections in the kernel's queue. */

#endif
