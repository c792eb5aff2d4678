/* One TCP connection: non-blocking, TCP_NODELAY, without buffers of its own. Bytes that come are lent to the owner;
 * bytes that go are given to the kernel in the call, and what it did not take stays the owner's, so that the owner
 * knows at each moment what has left.
 *
 * All callbacks come from the loop, never from within a stream_ call. The owner may call any stream_ function in
 * them, stream_done() included. */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "base/view.h"
#include "net/endpoint.h"
#include "net/loop.h"

struct stream;

struct stream_handlers {
	/* The connection stands (stream_connect only). */
	void (*on_connected)(void *owner);
	/* Bytes have come; the view is valid during the call. */
	void (*on_input)(void *owner, struct view bytes);
	/* stream_write() took less than it was given, and there is room again. */
	void (*on_writable)(void *owner);
	/* The time of stream_set_deadline() has passed. */
	void (*on_deadline)(void *owner);
	/* The last callback. errno_value: 0 when the peer closed in order, ETIMEDOUT when the connection could not
	 * be opened in time, else the socket's error. The owner still has to call stream_done(). */
	void (*on_closed)(void *owner, int errno_value);
};

/* Begins to connect; ends in on_connected or on_closed. The caller releases *ret_stream. ERR_MEMORY, ERR_IO with
 * errno. */
enum err stream_connect(struct loop *loop, const struct endpoint *endpoint, int64_t timeout_us,
			const struct stream_handlers *handlers, void *owner, struct stream **ret_stream) MUST_USE;
/* For a stream that a listener gave: sets who is called back. */
void stream_start(struct stream *stream, const struct stream_handlers *handlers, void *owner);
/* Closes the socket and releases the stream; no callback follows. Bytes the kernel took are still sent to the peer.
 * Accepts NULL. */
void stream_done(struct stream *stream);

/* Gives bytes to the kernel now and returns how many it took. When these are fewer than all, on_writable follows, or
 * on_closed when the connection has failed. */
size_t stream_write(struct stream *stream, struct view bytes) MUST_USE;
/* No more on_input until it is allowed again, for an owner that has enough to do; on_closed waits too unless the
 * socket fails. */
void stream_pause_input(struct stream *stream, bool paused);
/* Sends the end of our side: what the kernel has goes out, then FIN. Input goes on until the peer closes too. */
void stream_shut(struct stream *stream);

/* Calls on_deadline once in after_us unless it is set anew; 0: not at all. Cheap: may be called for each message. */
void stream_set_deadline(struct stream *stream, int64_t after_us);
/* The same for a caller that has read the boot clock, for many streams at once. after_us > 0. */
void stream_set_deadline_from(struct stream *stream, int64_t now_us, int64_t after_us);

/* The other side. */
const struct endpoint *stream_peer(const struct stream *stream);

#endif
