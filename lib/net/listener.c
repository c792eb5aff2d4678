#define _GNU_SOURCE /* accept4 */
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/loop_base.h"
#include "net/stream_fd.h"

enum {
	SOCKETS_MAX = 16,
	BACKLOG = 512,
	ACCEPT_BATCH = 64,                       /* then the streams that are open have their turn */
	EXHAUSTED_REST_US = CLOCK_US_PER_SECOND, /* how long it waits when the process has no descriptor left */
};

struct listener {
	struct loop *loop;
	listener_accept *on_accept;
	void *owner;
	struct {
		struct endpoint endpoint;
		struct event *event;
		int fd;
	} sockets[SOCKETS_MAX];
	size_t count;
	struct loop_source *rest; /* timer */
};

static void set_watching(struct listener *listener, bool watching)
{
	for (size_t i = 0; i < listener->count; i++) {
		if (watching)
			event_add(listener->sockets[i].event, NULL);
		else
			event_del(listener->sockets[i].event);
	}
}

static void on_rested(void *owner)
{
	struct listener *listener = owner;
	set_watching(listener, true);
}

static void on_connection(evutil_socket_t listening, short what, void *owner)
{
	(void)what;
	struct listener *listener = owner;
	for (size_t i = 0; i < ACCEPT_BATCH; i++) {
		struct endpoint peer = { 0 };
		socklen_t size = sizeof(peer.address);
		int fd = accept4(listening, &peer.address.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
			set_watching(listener, false);
			loop_timer_start(listener->rest, EXHAUSTED_REST_US);
		}
		if (fd < 0)
			return;
		struct stream *stream;
		if (stream_of_fd(listener->loop, fd, &peer, &stream) == ERR_OK)
			listener->on_accept(listener->owner, stream);
	}
}

static enum err why_not(int error, struct view address, struct buf *why)
{
	switch (error) {
	case EADDRINUSE:
		buf_addf(why,
			 "cannot listen on " VIEW_FMT ": it is in use: stop the other program or choose "
			 "another port or path",
			 VIEW_ARG(address));
		return ERR_EXISTS;
	case EACCES:
	case EPERM:
		buf_addf(why,
			 "cannot listen on " VIEW_FMT ": no permission: ports below 1024 need root or "
			 "CAP_NET_BIND_SERVICE",
			 VIEW_ARG(address));
		return ERR_DENIED;
	case EADDRNOTAVAIL:
		buf_addf(why, "cannot listen on " VIEW_FMT ": this host has no such address: write one of its own",
			 VIEW_ARG(address));
		return ERR_INVALID;
	default:
		buf_addf(why, "cannot listen on " VIEW_FMT ": %s", VIEW_ARG(address), strerror(error));
		return ERR_IO;
	}
}

/* Closes it and leaves errno as it was. */
static int give_up(int fd)
{
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* The descriptor, or -1 with errno. *endpoint learns the port. */
static int open_socket(struct endpoint *endpoint, int v6_only)
{
	int on = 1;
	socklen_t size = sizeof(endpoint->address);
	bool is_v6 = endpoint->address.any.sa_family == AF_INET6;
	int fd = socket(endpoint->address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    (is_v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only)) != 0) ||
	    bind(fd, &endpoint->address.any, endpoint_size(endpoint)) != 0 || listen(fd, BACKLOG) != 0 ||
	    getsockname(fd, &endpoint->address.any, &size) != 0)
		return give_up(fd);
	return fd;
}

/* A file that a program which has ended left behind would be in the way for ever. */
static void remove_abandoned(const struct endpoint *endpoint)
{
	const char *path = endpoint->address.local.sun_path;
	struct stat found;
	if (lstat(path, &found) != 0 || !S_ISSOCK(found.st_mode))
		return;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, &endpoint->address.any, endpoint_size(endpoint)) != 0 && errno == ECONNREFUSED)
		unlink(path);
	close(fd);
}

static int open_unix_socket(const struct endpoint *endpoint)
{
	enum { EVERYBODY = 0666 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	remove_abandoned(endpoint);
	if (bind(fd, &endpoint->address.any, endpoint_size(endpoint)) != 0 ||
	    chmod(endpoint->address.local.sun_path, EVERYBODY) != 0 || listen(fd, BACKLOG) != 0)
		return give_up(fd);
	return fd;
}

/* Takes fd, also on failure. */
static enum err watch(struct listener *listener, int fd, const struct endpoint *endpoint)
{
	struct event *event = event_new(loop_base(listener->loop), fd, EV_READ | EV_PERSIST, on_connection, listener);
	if (event == NULL || event_add(event, NULL) != 0) {
		if (event != NULL)
			event_free(event);
		close(fd);
		return ERR_MEMORY;
	}
	listener->sockets[listener->count].endpoint = *endpoint;
	listener->sockets[listener->count].event = event;
	listener->sockets[listener->count].fd = fd;
	listener->count++;
	return ERR_OK;
}

static enum err add_socket(struct listener *listener, struct view address, struct buf *why)
{
	struct endpoint endpoint;
	bool is_unix = view_starts(address, VIEW_LIT("unix:"));
	enum err err = is_unix ? endpoint_unix(view_skip(address, strlen("unix:")), &endpoint, why)
			       : endpoint_parse(address, &endpoint, why);
	if (err != ERR_OK)
		return err;
	if (listener->count == SOCKETS_MAX) {
		buf_addf(why, "more than %d addresses to listen on: use * for all", SOCKETS_MAX);
		return ERR_INVALID;
	}
	/* "*" means both families, "[::]" only its own, whatever the system's default. */
	int fd = is_unix ? open_unix_socket(&endpoint) : open_socket(&endpoint, !view_starts(address, VIEW_LIT("*")));
	if (fd < 0)
		return why_not(errno, address, why);
	return watch(listener, fd, &endpoint) == ERR_OK ? ERR_OK : why_not(ENOMEM, address, why);
}

static enum err new_listener(struct loop *loop, listener_accept *on_accept, void *owner, struct listener **ret_listener)
{
	struct listener *listener = calloc(1, sizeof(*listener));
	if (listener == NULL)
		return ERR_MEMORY;
	*listener = (struct listener){ .loop = loop, .on_accept = on_accept, .owner = owner };
	enum err err = loop_timer_new(loop, on_rested, listener, &listener->rest);
	if (err != ERR_OK)
		listener_done(listener);
	else
		*ret_listener = listener;
	return err;
}

enum err listener_open(struct loop *loop, struct view text, listener_accept *on_accept, void *owner,
		       struct listener **ret_listener, struct buf *why)
{
	struct listener *listener;
	enum err err = new_listener(loop, on_accept, owner, &listener);
	if (err != ERR_OK)
		return err;
	struct view address;
	while (err == ERR_OK && view_cut(&text, ' ', &address)) {
		if (address.len > 0)
			err = add_socket(listener, address, why);
	}
	if (err == ERR_OK && listener->count == 0) {
		buf_addf(why, "no address to listen on: write one such as 127.0.0.1:25");
		err = ERR_INVALID;
	}
	if (err != ERR_OK) {
		listener_done(listener);
		return err;
	}
	*ret_listener = listener;
	return ERR_OK;
}

static enum err adopt_socket(struct listener *listener, int fd, struct buf *why)
{
	struct endpoint endpoint = { 0 };
	socklen_t size = sizeof(endpoint.address), flag_size = sizeof(int);
	int listens = 0;
	bool is_usable = listener->count < SOCKETS_MAX && getsockname(fd, &endpoint.address.any, &size) == 0 &&
			 getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &flag_size) == 0 && listens != 0 &&
			 fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
	if (is_usable)
		return watch(listener, fd, &endpoint);
	buf_addf(why, "descriptor %d is no socket that listens for streams, or one of more than %d", fd, SOCKETS_MAX);
	close(fd);
	return ERR_INVALID;
}

enum err listener_adopt(struct loop *loop, const int *sockets, size_t count, listener_accept *on_accept, void *owner,
			struct listener **ret_listener, struct buf *why)
{
	struct listener *listener = NULL;
	enum err err = new_listener(loop, on_accept, owner, &listener);
	for (size_t i = 0; i < count; i++) {
		if (err == ERR_OK)
			err = adopt_socket(listener, sockets[i], why);
		else
			close(sockets[i]);
	}
	if (err != ERR_OK)
		listener_done(listener);
	else
		*ret_listener = listener;
	return err;
}

void listener_done(struct listener *listener)
{
	if (listener == NULL)
		return;
	for (size_t i = 0; i < listener->count; i++) {
		event_free(listener->sockets[i].event);
		close(listener->sockets[i].fd);
	}
	loop_source_done(listener->rest);
	free(listener);
}

size_t listener_count(const struct listener *listener)
{
	return listener->count;
}

const struct endpoint *listener_endpoint(const struct listener *listener, size_t index)
{
	return &listener->sockets[index].endpoint;
}
