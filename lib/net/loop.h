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

/* ---- sources; each is released with loop_source_done(). ERR_MEMORY, or ERR_IO with errno. ---- */

/* A timer fires once for each loop_timer_start(). Starting a running timer sets it anew. */
enum err loop_timer_new(struct loop *loop, loop_callback *callback, void *owner,
			struct loop_source **ret_timer) MUST_USE;
void loop_timer_start(struct loop_source *timer, int64_t after_us);

/* Called for each delivery of the signal, from the loop and not from the handler, so that anything may be done. */
enum err loop_signal_new(struct loop *loop, int signal_number, loop_callback *callback, void *owner,
			 struct loop_source **ret_signal) MUST_USE;

/* loop_wake() may be called by any thread (and in a signal handler); the callback runs once or more after the last
 * wake. */
enum err loop_waker_new(struct loop *loop, loop_callback *callback, void *owner,
			struct loop_source **ret_waker) MUST_USE;
void loop_wake(struct loop_source *waker);

void loop_source_done(struct loop_source *source); /* accepts NULL */

#endif
