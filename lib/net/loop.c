#include "net/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/loop_base.h"

struct loop {
	struct event_base *base;
	struct event *alarm; /* of loop_run_once() */
	char read_room[LOOP_READ_SIZE];
};

struct loop_source {
	struct event *event;
	loop_callback *callback;
	void *owner;
	int wake_fd; /* of a waker, else -1 */
};

struct event_base *loop_base(struct loop *loop)
{
	return loop->base;
}

char *loop_read_room(struct loop *loop)
{
	return loop->read_room;
}

struct timeval loop_timeval(int64_t us)
{
	if (us < 0)
		us = 0;
	return (struct timeval){ .tv_sec = us / CLOCK_US_PER_SECOND, .tv_usec = us % CLOCK_US_PER_SECOND };
}

static void on_alarm(evutil_socket_t fd, short what, void *owner)
{
	/* That it fired is all: the wait is over. */
	(void)fd;
	(void)what;
	(void)owner;
}

static struct event_base *new_base(void)
{
	struct event_config *config = event_config_new();
	if (config == NULL)
		return NULL;
	/* One thread: no locks. */
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	struct event_base *base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

enum err loop_new(struct loop **ret_loop)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	if (loop == NULL)
		return ERR_MEMORY;
	loop->base = new_base();
	loop->alarm = loop->base == NULL ? NULL : evtimer_new(loop->base, on_alarm, NULL);
	if (loop->alarm == NULL) {
		loop_done(loop);
		return ERR_MEMORY;
	}
	signal(SIGPIPE, SIG_IGN);
	*ret_loop = loop;
	return ERR_OK;
}

void loop_done(struct loop *loop)
{
	if (loop == NULL)
		return;
	if (loop->alarm != NULL)
		event_free(loop->alarm);
	if (loop->base != NULL)
		event_base_free(loop->base);
	free(loop);
}

void loop_run(struct loop *loop)
{
	event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

void loop_run_once(struct loop *loop, int64_t wait_us)
{
	struct timeval wait = loop_timeval(wait_us);
	event_add(loop->alarm, &wait);
	event_base_loop(loop->base, EVLOOP_ONCE);
	event_del(loop->alarm);
}

void loop_stop(struct loop *loop)
{
	event_base_loopbreak(loop->base);
}

/* ---- sources ---- */

static void on_event(evutil_socket_t fd, short what, void *owner)
{
	(void)fd;
	(void)what;
	struct loop_source *source = owner;
	source->callback(source->owner);
}

static void on_wake(evutil_socket_t fd, short what, void *owner)
{
	(void)what;
	struct loop_source *source = owner;
	uint64_t count;
	/* EAGAIN would mean that there was nothing to take. */
	if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return;
	source->callback(source->owner);
}

static struct loop_source *new_source(struct loop *loop, int fd, short what, event_callback_fn handler,
				      loop_callback *callback, void *owner)
{
	struct loop_source *source = calloc(1, sizeof(*source));
	if (source == NULL)
		return NULL;
	*source = (struct loop_source){ .callback = callback, .owner = owner, .wake_fd = -1 };
	source->event = event_new(loop->base, fd, what, handler, source);
	if (source->event == NULL) {
		free(source);
		return NULL;
	}
	return source;
}

/* A source that is active from the start. */
static enum err new_watcher(struct loop *loop, int fd, short what, event_callback_fn handler, loop_callback *callback,
			    void *owner, struct loop_source **ret_source)
{
	struct loop_source *source = new_source(loop, fd, what, handler, callback, owner);
	if (source == NULL)
		return ERR_MEMORY;
	if (event_add(source->event, NULL) != 0) {
		loop_source_done(source);
		return ERR_IO;
	}
	*ret_source = source;
	return ERR_OK;
}

enum err loop_timer_new(struct loop *loop, loop_callback *callback, void *owner, struct loop_source **ret_timer)
{
	struct loop_source *timer = new_source(loop, -1, 0, on_event, callback, owner);
	if (timer == NULL)
		return ERR_MEMORY;
	*ret_timer = timer;
	return ERR_OK;
}

void loop_timer_start(struct loop_source *timer, int64_t after_us)
{
	struct timeval after = loop_timeval(after_us);
	event_add(timer->event, &after);
}

enum err loop_signal_new(struct loop *loop, int signal_number, loop_callback *callback, void *owner,
			 struct loop_source **ret_signal)
{
	return new_watcher(loop, signal_number, EV_SIGNAL | EV_PERSIST, on_event, callback, owner, ret_signal);
}

enum err loop_waker_new(struct loop *loop, loop_callback *callback, void *owner, struct loop_source **ret_waker)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (fd < 0)
		return ERR_IO;
	struct loop_source *waker;
	enum err err = new_watcher(loop, fd, EV_READ | EV_PERSIST, on_wake, callback, owner, &waker);
	if (err != ERR_OK) {
		close(fd);
		return err;
	}
	waker->wake_fd = fd;
	*ret_waker = waker;
	return ERR_OK;
}

void loop_wake(struct loop_source *waker)
{
	uint64_t one = 1;
	/* It fails only when the counter is full, and then the loop is awake. */
	if (write(waker->wake_fd, &one, sizeof(one)) < 0)
		return;
}

void loop_source_done(struct loop_source *source)
{
	if (source == NULL)
		return;
	event_free(source->event);
	if (source->wake_fd >= 0)
		close(source->wake_fd);
	free(source);
}
