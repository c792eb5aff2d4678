#include "net/loop.h"

#include <pthread.h>
#include <signal.h>

#include "base/clock.h"
#include "tests/support/unit.h"

/* Waits end long before; a test that hangs fails at Check's own limit. */
#define LONG_US (INT64_C(30) * CLOCK_US_PER_SECOND)

struct probe {
	struct loop *loop;
	struct loop_source *source;
	unsigned calls, stop_after;
};

static void on_call(void *owner)
{
	struct probe *probe = owner;
	if (++probe->calls >= probe->stop_after)
		loop_stop(probe->loop);
}

static struct probe probe_new(unsigned stop_after)
{
	struct probe probe = { .stop_after = stop_after };
	ck_assert(loop_new(&probe.loop) == ERR_OK);
	return probe;
}

static void probe_done(struct probe *probe)
{
	loop_source_done(probe->source);
	loop_done(probe->loop);
}

START_TEST(a_timer_fires_once)
	{
		struct probe probe = probe_new(1);
		ck_assert(loop_timer_new(probe.loop, on_call, &probe, &probe.source) == ERR_OK);
		loop_timer_start(probe.source, 1000);
		loop_run(probe.loop);
		ck_assert_uint_eq(probe.calls, 1);
		loop_run_once(probe.loop, 5000);
		ck_assert_uint_eq(probe.calls, 1);
		probe_done(&probe);
	}
END_TEST

START_TEST(signals_come_from_the_loop)
	{
		struct probe probe = probe_new(1);
		ck_assert(loop_signal_new(probe.loop, SIGUSR1, on_call, &probe, &probe.source) == ERR_OK);
		raise(SIGUSR1);
		ck_assert_uint_eq(probe.calls, 0);
		loop_run(probe.loop);
		ck_assert_uint_eq(probe.calls, 1);
		probe_done(&probe);
	}
END_TEST

static void *wake_from_a_thread(void *owner)
{
	struct probe *probe = owner;
	loop_wake(probe->source);
	return NULL;
}

START_TEST(another_thread_wakes)
	{
		struct probe probe = probe_new(1);
		pthread_t thread;
		ck_assert(loop_waker_new(probe.loop, on_call, &probe, &probe.source) == ERR_OK);
		ck_assert(pthread_create(&thread, NULL, wake_from_a_thread, &probe) == 0);
		loop_run(probe.loop);
		ck_assert(pthread_join(thread, NULL) == 0);
		ck_assert_uint_eq(probe.calls, 1);
		loop_run_once(probe.loop, 0);
		ck_assert_uint_eq(probe.calls, 1);
		probe_done(&probe);
	}
END_TEST

static void on_last_call(void *owner)
{
	struct probe *probe = owner;
	probe->calls++;
	loop_source_done(probe->source);
	probe->source = NULL;
	loop_stop(probe->loop);
}

START_TEST(a_source_released_in_its_callback)
	{
		struct probe probe = probe_new(1);
		ck_assert(loop_timer_new(probe.loop, on_last_call, &probe, &probe.source) == ERR_OK);
		loop_timer_start(probe.source, 0);
		loop_run(probe.loop);
		ck_assert_uint_eq(probe.calls, 1);
		probe_done(&probe);
	}
END_TEST

START_TEST(run_once_returns_when_something_happened)
	{
		struct probe probe = probe_new(9);
		ck_assert(loop_timer_new(probe.loop, on_call, &probe, &probe.source) == ERR_OK);
		loop_timer_start(probe.source, 1000);
		loop_run_once(probe.loop, LONG_US);
		ck_assert_uint_eq(probe.calls, 1);
		probe_done(&probe);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		a_timer_fires_once,
		signals_come_from_the_loop,
		another_thread_wakes,
		a_source_released_in_its_callback,
		run_once_returns_when_something_happened,
	};
	return suite_of("loop", tests, ARRAY_LEN(tests));
}
