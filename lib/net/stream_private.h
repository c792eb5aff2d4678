/* What stream.c and stream_tls.c share. */
#ifndef NET_STREAM_PRIVATE_H
#define NET_STREAM_PRIVATE_H

#include "net/loop_base.h"
#include "net/stream.h"
#include "net/tls_session.h"

struct stream {
	struct loop *loop;
	int fd;
	struct endpoint peer;
	const struct stream_handlers *handlers;
	void *owner;
	struct event *input, *output, *timer;
	int64_t deadline_us; /* boot clock; 0: none */
	int64_t timer_us;    /* when the timer fires; 0: it is not running */
	bool is_late;        /* the deadline has passed, and the socket was looked at since */
	int write_errno;     /* a write failed; told when the input before it is read */
	bool is_connecting;
	bool is_paused;
	struct tls_session *tls; /* NULL: none */
	bool is_secure;          /* its handshake is over */
	bool has_more;           /* TLS may have plaintext, or the end, that the socket will not announce */
	bool owes_writable;      /* the owner waits for on_writable */
	bool is_shut;
};

/* The last callback. */
void stream_report_closed(struct stream *stream, int errno_value);
/* A write failed: on_closed follows from the loop, after what the peer said before. */
void stream_remember_failure(struct stream *stream, int errno_value);
void stream_watch_output(struct stream *stream);

/* What stream.c does for plain connections, with TLS. */
void stream_tls_readable(struct stream *stream);
void stream_tls_writable(struct stream *stream);
size_t stream_tls_write(struct stream *stream, struct view bytes) MUST_USE;
void stream_tls_shut(struct stream *stream);

#endif
