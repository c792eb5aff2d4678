/* The event loop of a single-threaded program. One loop a process or thread; nothing is shared but loop_wake().
 * Together with stream.c and listener.c the only door to libevent.
 *
 * A source calls its owner back from loop_run(), never from within another call. Sources may be released in their
 * own callback and in any other; they must be released before the loop. */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct loop;
struct loop_source;
typedef void loop_callback(void *owner);

/* SIGPIPE is ignored from here on: a socket that went away is an error of write(). ERR_MEMORY. */
enum err loop_new(struct loop **ret_loop) MUST_USE;
void loop_done(struct loop *loop); /* accepts NULL */

/* Runs callbacks until loop_stop(). */
void loop_run(struct loop *loop);
/* Waits at most wait_us for something to happen, runs what is due, and returns: for tests and for a last flush. */
void loop_run_once(struct loop *loop, int64_t wait_us);
/* loop_run() returns after the present callback. */
void loop_stop(struct loop *loop);

/* After fork(), in the child, before anything else is done with the loop. */
enum err loop_reinit(struct loop *loop) MUST_USE;

/* ---- sources; each is released with loop_source_done(). ERR_MEMORY, or ERR_IO with errno. ---- */

/* A timer fires once for each loop_timer_start(). Starting a running timer sets it anew. */
enum err loop_timer_new(struct loop *loop, loop_callback *callback, void *owner,
			struct loop_source **ret_timer) MUST_USE;
void loop_timer_start(struct loop_source *timer, int64_t after_us);
void loop_timer_stop(struct loop_source *timer);

/* A task runs once after each loop_task_post(), soon, when the present callbacks are done; posting it twice before
 * it ran is once. */
enum err loop_task_new(struct loop *loop, loop_callback *callback, void *owner, struct loop_source **ret_task) MUST_USE;
void loop_task_post(struct loop_source *task);

/* Called for each delivery of the signal, from the loop and not from the handler, so that anything may be done. */
enum err loop_signal_new(struct loop *loop, int signal_number, loop_callback *callback, void *owner,
			 struct loop_source **ret_signal) MUST_USE;

/* Called whenever the descriptor (libpq's, a pipe) can be read; level-triggered. It stays the caller's and must
 * outlive the source. */
enum err loop_reader_new(struct loop *loop, int fd, loop_callback *callback, void *owner,
			 struct loop_source **ret_reader) MUST_USE;

/* loop_wake() may be called by any thread (and in a signal handler); the callback runs once or more after the last
 * wake. */
enum err loop_waker_new(struct loop *loop, loop_callback *callback, void *owner,
			struct loop_source **ret_waker) MUST_USE;
void loop_wake(struct loop_source *waker);

void loop_source_done(struct loop_source *source); /* accepts NULL */

#endif
