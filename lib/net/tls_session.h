/* TLS over one non-blocking socket, for stream_tls.c. Nothing here calls back or waits.
 *
 * What has left: OpenSSL hands each record it has made to our transport, which gives it to the kernel at once and keeps
 * the rest of it when the kernel does not take all. So OpenSSL never holds a record back, and a write is never half
 * done and to be repeated. At most one record of data, 16 KB, waits in the transport: no other is made before that one
 * is gone. All octets of a record count as taken from the moment on when the kernel or the transport has any of it:
 * nothing can call them back any more, they go out with the next tls_session_flush(). Octets are given back to the
 * owner only when not even the first octet of their record was sent or kept for sending. */
#ifndef NET_TLS_SESSION_H
#define NET_TLS_SESSION_H

#include "base/buf.h"
#include "net/tls.h"

struct tls_session;

enum tls_step {
	TLS_STEP_DONE,   /* the handshake is over; the room is full */
	TLS_STEP_AGAIN,  /* the peer's next octets are needed */
	TLS_STEP_END,    /* the peer has closed in order */
	TLS_STEP_FAILED, /* tls_session_errno() and tls_session_trouble() tell */
};

/* name: the host that a client expects, a domain name or a numeric address; a server's context ignores it.
 * ERR_INVALID: a client without such a name; ERR_MEMORY. */
enum err tls_session_new(struct tls_context *context, int fd, struct view name,
			 struct tls_session **ret_session) MUST_USE;
/* Says goodbye (close_notify) when that can be done without waiting, and releases the session but not the socket.
 * Accepts NULL. */
void tls_session_done(struct tls_session *session);

enum tls_step tls_session_shake(struct tls_session *session) MUST_USE;
/* Reads until the room is full or there is no more; *ret_count is set whatever is returned. */
enum tls_step tls_session_read(struct tls_session *session, char *room, size_t size, size_t *ret_count) MUST_USE;
/* Returns the octets taken. Fewer than all: the kernel is full, or is_held below, or the connection has failed. */
size_t tls_session_write(struct tls_session *session, struct view bytes) MUST_USE;
/* Nothing can be written before more was read: the peer is in the middle of a message of the protocol itself. */
bool tls_session_is_held(const struct tls_session *session);
/* close_notify; nothing can be written afterwards. */
void tls_session_shut(struct tls_session *session);

/* Octets of records that the kernel did not take yet, and the attempt to give it these. */
size_t tls_session_unsent(const struct tls_session *session);
void tls_session_flush(struct tls_session *session);

/* A write failed for good: its errno, else 0. */
int tls_session_write_errno(const struct tls_session *session);
/* After TLS_STEP_FAILED: the socket's error, or EPROTO, and one sentence for people. */
int tls_session_errno(const struct tls_session *session);
struct view tls_session_trouble(const struct tls_session *session);

/* "TLSv1.3". */
struct view tls_session_version(const struct tls_session *session);
bool tls_session_is_resumed(const struct tls_session *session);
/* tls-exporter (RFC 9266), 32 octets. ERR_NOT_FOUND: this is not TLS 1.3. */
enum err tls_session_binding(const struct tls_session *session, struct buf *out) MUST_USE;

#endif
