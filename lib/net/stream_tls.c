#include <errno.h>
#include <sys/socket.h>

#include "net/stream_private.h"

/* After each step: what is left to be sent is waited for, and a failed write is told in its time. */
static void settle(struct stream *stream)
{
	int errno_value = tls_session_write_errno(stream->tls);
	if (errno_value != 0)
		stream_remember_failure(stream, errno_value);
	else if (tls_session_unsent(stream->tls) > 0 || (stream->owes_writable && !tls_session_is_held(stream->tls)))
		stream_watch_output(stream);
	else if (stream->is_shut && shutdown(stream->fd, SHUT_WR) != 0)
		return; /* there is no connection any more, which the input will tell */
}

enum err stream_start_tls(struct stream *stream, struct tls_context *context, struct view name)
{
	if (stream->is_connecting || stream->tls != NULL || stream->is_shut)
		return ERR_REFUSED;
	struct tls_session *session;
	enum err err = tls_session_new(context, stream->fd, name, &session);
	if (err != ERR_OK)
		return err;
	if (event_add(stream->input, NULL) != 0) {
		tls_session_done(session);
		return ERR_MEMORY;
	}
	stream->tls = session;
	/* The first step comes from the loop like every other, since it may end in a callback. */
	event_active(stream->input, EV_READ, 0);
	return ERR_OK;
}

static void on_secured(struct stream *stream)
{
	stream->is_secure = true;
	stream->has_more = true;
	if (stream->is_paused)
		event_del(stream->input);
	else
		event_active(stream->input, EV_READ, 0);
	settle(stream);
	if (stream->handlers->on_secured != NULL)
		stream->handlers->on_secured(stream->owner);
}

static void shake(struct stream *stream)
{
	enum tls_step step = tls_session_shake(stream->tls);
	if (step == TLS_STEP_DONE)
		on_secured(stream);
	else if (step == TLS_STEP_FAILED)
		stream_report_closed(stream, tls_session_errno(stream->tls));
	else
		settle(stream);
}

void stream_tls_readable(struct stream *stream)
{
	if (!stream->is_secure) {
		shake(stream);
		return;
	}
	size_t count;
	char *room = loop_read_room(stream->loop);
	enum tls_step step = tls_session_read(stream->tls, room, LOOP_READ_SIZE, &count);
	stream->has_more = step != TLS_STEP_AGAIN;
	settle(stream);
	if (count > 0) {
		if (stream->has_more && !stream->is_paused)
			event_active(stream->input, EV_READ, 0);
		stream->handlers->on_input(stream->owner, view_from(room, count));
	} else if (step == TLS_STEP_FAILED) {
		stream_report_closed(stream, tls_session_errno(stream->tls));
	} else if (step == TLS_STEP_END || stream->write_errno != 0) {
		stream_report_closed(stream, stream->write_errno);
	}
}

void stream_tls_writable(struct stream *stream)
{
	bool is_owed = stream->owes_writable;
	tls_session_flush(stream->tls);
	bool may_write = tls_session_unsent(stream->tls) == 0 && tls_session_write_errno(stream->tls) == 0;
	if (may_write)
		stream->owes_writable = false;
	settle(stream);
	if (is_owed && may_write)
		stream->handlers->on_writable(stream->owner);
}

size_t stream_tls_write(struct stream *stream, struct view bytes)
{
	if (!stream->is_secure)
		return 0;
	if (stream->is_shut) {
		stream_remember_failure(stream, EPIPE);
		return 0;
	}
	size_t taken = tls_session_write(stream->tls, bytes);
	stream->owes_writable = taken < bytes.len;
	settle(stream);
	return taken;
}

void stream_tls_shut(struct stream *stream)
{
	stream->owes_writable = false;
	tls_session_shut(stream->tls);
	settle(stream);
}

/* ---- what there is to know ---- */

bool stream_is_secure(const struct stream *stream)
{
	return stream->is_secure;
}

struct view stream_trouble(const struct stream *stream)
{
	return stream->tls == NULL ? VIEW_LIT("") : tls_session_trouble(stream->tls);
}

struct view stream_tls_version(const struct stream *stream)
{
	return stream->is_secure ? tls_session_version(stream->tls) : VIEW_LIT("");
}

bool stream_tls_is_resumed(const struct stream *stream)
{
	return stream->is_secure && tls_session_is_resumed(stream->tls);
}

enum err stream_channel_binding(const struct stream *stream, struct buf *out)
{
	return stream->is_secure ? tls_session_binding(stream->tls, out) : ERR_NOT_FOUND;
}
