/* One connection, by TCP or a Unix socket: non-blocking, TCP_NODELAY, without buffers of its own. Bytes that come are
 * lent to the owner; bytes that go are given to the kernel in the call, and what it did not take stays the owner's, so
 * that the owner knows at each moment what has left.
 *
 * stream_start_tls() puts TLS between: then plaintext goes in and out, under the same contract. "Taken" then means that
 * the octets are in a record of which at least the first octet went to the kernel or waits in the stream to go there by
 * itself: they can no longer be held back. What was not taken was never encrypted and never leaves. At most one record
 * of 16 KB waits so. A message whose last octet was taken may therefore have been sent, with TLS as without; one whose
 * last octet was not taken has not been.
 *
 * All callbacks come from the loop, never from within a stream_ call. The owner may call any stream_ function in
 * them, stream_done() included. */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "base/view.h"
#include "net/endpoint.h"
#include "net/loop.h"
#include "net/tls.h"

struct stream;

struct stream_handlers {
	/* The connection stands (stream_connect only). */
	void (*on_connected)(void *owner);
	/* Bytes have come; the view is valid during the call. */
	void (*on_input)(void *owner, struct view bytes);
	/* stream_write() took less than it was given, and there is room again. */
	void (*on_writable)(void *owner);
	/* The time of stream_set_deadline() has passed, and all that the peer has said until then was delivered before: in
	 * an earlier turn of the loop, so that an owner who sets deadlines between turns could set another one. */
	void (*on_deadline)(void *owner);
	/* The last callback. errno_value: 0 when the peer closed in order, ETIMEDOUT when the connection could not
	 * be opened in time, EPROTO when TLS failed (stream_trouble() tells why), else the socket's error. The owner
	 * still has to call stream_done(). */
	void (*on_closed)(void *owner, int errno_value);
	/* The handshake of stream_start_tls() has succeeded: the peer is who it should be, and may be written to. Not
	 * needed by an owner that never calls it. */
	void (*on_secured)(void *owner);
};

/* Begins to connect; ends in on_connected or on_closed. The caller releases *ret_stream. ERR_MEMORY, ERR_IO with
 * errno. */
enum err stream_connect(struct loop *loop, const struct endpoint *endpoint, int64_t timeout_us,
			const struct stream_handlers *handlers, void *owner, struct stream **ret_stream) MUST_USE;
/* The same from a source address (endpoint_parse_host()), NULL for the system's choice. errno EADDRNOTAVAIL: this host
 * has no such address. ERR_INVALID: it is of another family than the endpoint. A Unix socket has none: it is ignored. */
enum err stream_connect_from(struct loop *loop, const struct endpoint *endpoint, const struct endpoint *source,
			     int64_t timeout_us, const struct stream_handlers *handlers, void *owner,
			     struct stream **ret_stream) MUST_USE;
/* For a stream that a listener gave: sets who is called back. */
void stream_start(struct stream *stream, const struct stream_handlers *handlers, void *owner);
/* Closes the socket and releases the stream; no callback follows. Bytes the kernel took are still sent to the peer; of a
 * record that still waits what fits is sent, and then close_notify if it fits. Accepts NULL. */
void stream_done(struct stream *stream);

/* Gives bytes to the kernel now and returns how many it took. When these are fewer than all, on_writable follows, or
 * on_closed when the connection has failed. */
size_t stream_write(struct stream *stream, struct view bytes) MUST_USE;
/* No more on_input until it is allowed again, for an owner that has enough to do; on_closed waits too unless the
 * socket fails. */
void stream_pause_input(struct stream *stream, bool paused);
/* Sends the end of our side: all that was taken goes out, then close_notify and FIN. Input goes on until the peer closes
 * too. Nothing can be written afterwards. */
void stream_shut(struct stream *stream);

/* ---- TLS ---- */

/* Begins the handshake, in or after on_connected or stream_start(), as a client or a server as the context says. A client
 * expects a certificate for `name` (a domain name or a numeric address) that leads to an authority of the context. Ends
 * in on_secured or on_closed; it takes the time of stream_set_deadline(). Until then stream_write() takes nothing (and
 * no on_writable follows) and pausing waits. The next octet from the peer belongs to the handshake: what was delivered
 * before is the owner's to refuse (RFC 3207 section 6), and everything that was written must have been taken.
 * ERR_INVALID: a client without a valid name; ERR_REFUSED: not connected, or has TLS already; ERR_MEMORY. */
enum err stream_start_tls(struct stream *stream, struct tls_context *context, struct view name) MUST_USE;
/* on_secured has come, or comes next. */
bool stream_is_secure(const struct stream *stream);
/* Why TLS failed, or that the connection was lost during its handshake: one sentence for people without a full stop, else
 * empty. Valid until stream_done(). */
struct view stream_trouble(const struct stream *stream);
/* "TLSv1.3", empty without TLS; and whether an earlier session was taken up again. */
struct view stream_tls_version(const struct stream *stream);
bool stream_tls_is_resumed(const struct stream *stream);
/* Appends the tls-exporter channel binding (RFC 9266), 32 octets. ERR_NOT_FOUND: there is no TLS 1.3 here. */
enum err stream_channel_binding(const struct stream *stream, struct buf *out) MUST_USE;

/* Calls on_deadline once in after_us unless it is set anew; 0: not at all. Cheap: may be called for each message. */
void stream_set_deadline(struct stream *stream, int64_t after_us);
/* The same for a caller that has read the boot clock, for many streams at once. after_us > 0. */
void stream_set_deadline_from(struct stream *stream, int64_t now_us, int64_t after_us);

/* The other side. */
const struct endpoint *stream_peer(const struct stream *stream);

#endif
