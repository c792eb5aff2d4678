#include "net/stream.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/stream_fd.h"
#include "net/stream_private.h"

/* Every libevent callback below ends with at most one handler's call: the owner may release the stream in it. */

void stream_report_closed(struct stream *stream, int errno_value)
{
	event_del(stream->input);
	event_del(stream->output);
	event_del(stream->timer);
	stream->handlers->on_closed(stream->owner, errno_value);
}

static void on_readable(evutil_socket_t fd, short what, void *owner)
{
	(void)what;
	struct stream *stream = owner;
	if (stream->tls != NULL) {
		stream_tls_readable(stream);
		return;
	}
	char *room = loop_read_room(stream->loop);
	ssize_t count = recv(fd, room, LOOP_READ_SIZE, 0);
	if (count > 0)
		stream->handlers->on_input(stream->owner, view_from(room, (size_t)count));
	else if (count == 0)
		stream_report_closed(stream, stream->write_errno);
	else if (errno != EAGAIN && errno != EINTR)
		stream_report_closed(stream, errno);
	else if (stream->write_errno != 0)
		stream_report_closed(stream, stream->write_errno);
}

static void end_connecting(struct stream *stream, short what)
{
	int error = 0;
	socklen_t size = sizeof(error);
	if ((what & EV_TIMEOUT) != 0)
		error = ETIMEDOUT;
	else if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		error = errno;
	if (error == 0 && event_add(stream->input, NULL) != 0)
		error = ENOMEM;
	if (error != 0) {
		stream_report_closed(stream, error);
		return;
	}
	stream->is_connecting = false;
	stream->handlers->on_connected(stream->owner);
}

static void on_writable(evutil_socket_t fd, short what, void *owner)
{
	(void)fd;
	struct stream *stream = owner;
	if (stream->is_connecting)
		end_connecting(stream, what);
	else if (stream->tls != NULL)
		stream_tls_writable(stream);
	else
		stream->handlers->on_writable(stream->owner);
}

static void start_timer(struct stream *stream, int64_t at_us, int64_t now_us)
{
	struct timeval after = loop_timeval(at_us - now_us);
	stream->timer_us = at_us;
	event_add(stream->timer, &after);
}

/* The peer may have spoken in time and we were not there to hear it: stopped, or waiting for somebody else. So what lies
 * in the socket is taken in first, and the owner has until the next turn to set another deadline. Who comes late
 * himself gives the peer as much time again, but no more than this: what left last has had next to none. */
#define LATE_MOST_US CLOCK_US_PER_SECOND

static void look_once_more(struct stream *stream, int64_t now_us)
{
	int64_t late_us = now_us - stream->deadline_us;
	stream->is_late = true;
	start_timer(stream, now_us + (late_us < LATE_MOST_US ? late_us : LATE_MOST_US), now_us);
	if (event_pending(stream->input, EV_READ, NULL))
		on_readable(stream->fd, EV_READ, stream);
}

/* The deadline moves with each message, the timer only when it fires too early: setting it is all but free. */
static void on_timer(evutil_socket_t fd, short what, void *owner)
{
	(void)fd;
	(void)what;
	struct stream *stream = owner;
	int64_t now_us = clock_boot_us();
	stream->timer_us = 0;
	if (stream->deadline_us == 0)
		return;
	if (stream->deadline_us > now_us) {
		start_timer(stream, stream->deadline_us, now_us);
		return;
	}
	if (!stream->is_late) {
		look_once_more(stream, now_us);
		return;
	}
	stream->deadline_us = 0;
	stream->handlers->on_deadline(stream->owner);
}

void stream_set_deadline_from(struct stream *stream, int64_t now_us, int64_t after_us)
{
	stream->deadline_us = now_us + after_us;
	stream->is_late = false;
	if (stream->timer_us == 0 || stream->timer_us > stream->deadline_us)
		start_timer(stream, stream->deadline_us, now_us);
}

void stream_set_deadline(struct stream *stream, int64_t after_us)
{
	if (after_us == 0)
		stream->deadline_us = 0;
	else
		stream_set_deadline_from(stream, clock_boot_us(), after_us);
}

enum err stream_of_fd(struct loop *loop, int fd, const struct endpoint *peer, struct stream **ret_stream)
{
	struct stream *stream = calloc(1, sizeof(*stream));
	if (stream == NULL) {
		close(fd);
		return ERR_MEMORY;
	}
	*stream = (struct stream){ .loop = loop, .fd = fd, .peer = *peer };
	stream->input = event_new(loop_base(loop), fd, EV_READ | EV_PERSIST, on_readable, stream);
	stream->output = event_new(loop_base(loop), fd, EV_WRITE, on_writable, stream);
	stream->timer = evtimer_new(loop_base(loop), on_timer, stream);
	if (stream->input == NULL || stream->output == NULL || stream->timer == NULL) {
		stream_done(stream);
		return ERR_MEMORY;
	}
	/* Many small writes each of which the peer waits for: without this each may be held back for 40 ms. */
	int on = 1;
	if (!endpoint_is_unix(peer) && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0) {
		stream_done(stream);
		return ERR_IO;
	}
	*ret_stream = stream;
	return ERR_OK;
}

/* The port is chosen when the connection is made, so that as many connections can start from one address as there are
 * ports for each destination, and not only as many as there are ports. */
static enum err start_from(int fd, const struct endpoint *source)
{
	int on = 1;
	if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) != 0 ||
	    bind(fd, &source->address.any, endpoint_size(source)) != 0)
		return ERR_IO;
	return ERR_OK;
}

static enum err begin_connecting(struct stream *stream, const struct endpoint *source, int64_t timeout_us)
{
	struct timeval timeout = loop_timeval(timeout_us);
	stream->is_connecting = true;
	if (source != NULL && start_from(stream->fd, source) != ERR_OK)
		return ERR_IO;
	int result = connect(stream->fd, &stream->peer.address.any, endpoint_size(&stream->peer));
	if ((result != 0 && errno != EINPROGRESS) || event_add(stream->output, &timeout) != 0)
		return ERR_IO;
	return ERR_OK;
}

enum err stream_connect_from(struct loop *loop, const struct endpoint *endpoint, const struct endpoint *source,
			     int64_t timeout_us, const struct stream_handlers *handlers, void *owner,
			     struct stream **ret_stream)
{
	if (endpoint_is_unix(endpoint))
		source = NULL;
	if (source != NULL && source->address.any.sa_family != endpoint->address.any.sa_family)
		return ERR_INVALID;
	int fd = socket(endpoint->address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ERR_IO;
	struct stream *stream;
	enum err err = stream_of_fd(loop, fd, endpoint, &stream);
	if (err != ERR_OK)
		return err;
	stream->handlers = handlers;
	stream->owner = owner;
	err = begin_connecting(stream, source, timeout_us);
	if (err != ERR_OK) {
		int error = errno;
		stream_done(stream);
		errno = error;
		return err;
	}
	*ret_stream = stream;
	return ERR_OK;
}

enum err stream_connect(struct loop *loop, const struct endpoint *endpoint, int64_t timeout_us,
			const struct stream_handlers *handlers, void *owner, struct stream **ret_stream)
{
	return stream_connect_from(loop, endpoint, NULL, timeout_us, handlers, owner, ret_stream);
}

void stream_start(struct stream *stream, const struct stream_handlers *handlers, void *owner)
{
	stream->handlers = handlers;
	stream->owner = owner;
	stream_pause_input(stream, false);
}

void stream_done(struct stream *stream)
{
	if (stream == NULL)
		return;
	struct event *events[] = { stream->input, stream->output, stream->timer };
	for (size_t i = 0; i < ARRAY_LEN(events); i++) {
		if (events[i] != NULL)
			event_free(events[i]);
	}
	tls_session_done(stream->tls);
	close(stream->fd);
	free(stream);
}

void stream_remember_failure(struct stream *stream, int errno_value)
{
	if (stream->write_errno != 0)
		return;
	stream->write_errno = errno_value;
	/* What the peer said before it went away is read first, then on_closed comes from there. */
	event_active(stream->input, EV_READ, 0);
}

void stream_watch_output(struct stream *stream)
{
	if (event_add(stream->output, NULL) != 0)
		stream_remember_failure(stream, ENOMEM);
}

size_t stream_write(struct stream *stream, struct view bytes)
{
	if (bytes.len == 0 || stream->write_errno != 0 || stream->is_connecting)
		return 0;
	if (stream->tls != NULL)
		return stream_tls_write(stream, bytes);
	ssize_t count = send(stream->fd, bytes.data, bytes.len, MSG_NOSIGNAL);
	if (count < 0 && errno != EAGAIN && errno != EINTR) {
		stream_remember_failure(stream, errno);
		return 0;
	}
	size_t taken = count < 0 ? 0 : (size_t)count;
	if (taken < bytes.len)
		stream_watch_output(stream);
	return taken;
}

void stream_pause_input(struct stream *stream, bool paused)
{
	if (stream->is_connecting)
		return;
	stream->is_paused = paused;
	/* A handshake needs its input; its end looks at is_paused. */
	if (stream->tls != NULL && !stream->is_secure)
		return;
	if (paused)
		event_del(stream->input);
	else if (event_add(stream->input, NULL) != 0)
		stream_remember_failure(stream, ENOMEM);
	else if (stream->has_more)
		event_active(stream->input, EV_READ, 0);
}

void stream_shut(struct stream *stream)
{
	stream->is_shut = true;
	if (stream->tls != NULL)
		stream_tls_shut(stream);
	/* It fails only when there is no connection any more, which the input will tell. */
	else if (shutdown(stream->fd, SHUT_WR) != 0)
		return;
}

const struct endpoint *stream_peer(const struct stream *stream)
{
	return &stream->peer;
}
