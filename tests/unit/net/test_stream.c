#include "net/stream.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "net/listener.h"
#include "net/stream_fd.h"
#include "tests/support/unit.h"

#define LONG_US (INT64_C(30) * CLOCK_US_PER_SECOND)

/* One side of a connection. */
struct side {
	struct stream *stream;
	struct buf input;
	size_t to_write, written;
	bool is_connected, is_closed, had_deadline;
	int errno_value;
};

/* A listener and one connection to it. */
struct pair {
	struct loop *loop;
	struct listener *listener;
	struct side here, there;
};

static char content[4 << 20];

static void write_more(struct side *side)
{
	side->written += stream_write(side->stream, view_from(content + side->written, side->to_write - side->written));
}

static void on_connected(void *owner)
{
	struct side *side = owner;
	side->is_connected = true;
	write_more(side);
}

static void on_input(void *owner, struct view bytes)
{
	struct side *side = owner;
	buf_add(&side->input, bytes);
}

static void on_writable(void *owner)
{
	write_more(owner);
}

static void on_deadline(void *owner)
{
	struct side *side = owner;
	side->had_deadline = true;
}

static void on_closed(void *owner, int errno_value)
{
	struct side *side = owner;
	side->is_closed = true;
	side->errno_value = errno_value;
	stream_done(side->stream);
	side->stream = NULL;
}

static const struct stream_handlers handlers = {
	.on_connected = on_connected,
	.on_input = on_input,
	.on_writable = on_writable,
	.on_deadline = on_deadline,
	.on_closed = on_closed,
};

static void on_accept(void *owner, struct stream *stream)
{
	struct pair *pair = owner;
	pair->there.stream = stream;
	stream_start(stream, &handlers, &pair->there);
}

static void pair_open(struct pair *pair, size_t to_write)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	memset(pair, 0, sizeof(*pair));
	pair->here.input = buf_with_ceiling(sizeof(content));
	pair->there.input = buf_with_ceiling(sizeof(content));
	pair->here.to_write = to_write;
	ck_assert(loop_new(&pair->loop) == ERR_OK);
	ck_assert(listener_open(pair->loop, view_of("127.0.0.1:0"), on_accept, pair, &pair->listener, &why) == ERR_OK);
	ck_assert(stream_connect(pair->loop, listener_endpoint(pair->listener, 0), LONG_US, &handlers, &pair->here,
				 &pair->here.stream) == ERR_OK);
	while (pair->there.stream == NULL || !pair->here.is_connected)
		loop_run_once(pair->loop, LONG_US);
}

static void pair_close(struct pair *pair)
{
	stream_done(pair->here.stream);
	stream_done(pair->there.stream);
	buf_done(&pair->here.input);
	buf_done(&pair->there.input);
	listener_done(pair->listener);
	loop_done(pair->loop);
}

START_TEST(bytes_arrive_and_are_counted)
	{
		struct pair pair;
		for (size_t i = 0; i < sizeof(content); i++)
			content[i] = (char)(i * 31 >> 3);
		pair_open(&pair, sizeof(content));
		stream_pause_input(pair.there.stream, true);
		ck_assert_msg(pair.here.written < sizeof(content), "the kernel cannot hold all");
		stream_pause_input(pair.there.stream, false);
		while (pair.there.input.len < sizeof(content))
			loop_run_once(pair.loop, LONG_US);
		ck_assert_uint_eq(pair.here.written, sizeof(content));
		ck_assert(memcmp(pair.there.input.data, content, sizeof(content)) == 0);
		pair_close(&pair);
	}
END_TEST

START_TEST(an_orderly_end)
	{
		struct pair pair;
		pair_open(&pair, 5);
		stream_shut(pair.here.stream);
		while (!pair.there.is_closed)
			loop_run_once(pair.loop, LONG_US);
		ck_assert_uint_eq(pair.there.input.len, 5);
		ck_assert_int_eq(pair.there.errno_value, 0);
		while (!pair.here.is_closed)
			loop_run_once(pair.loop, LONG_US);
		pair_close(&pair);
	}
END_TEST

START_TEST(what_was_said_before_a_failed_write_is_read)
	{
		struct pair pair;
		pair_open(&pair, 0);
		struct view farewell = VIEW_LIT("421 bye");
		ck_assert(stream_write(pair.there.stream, farewell) == farewell.len);
		stream_done(pair.there.stream);
		pair.there.stream = NULL;
		/* The first write meets a closed socket, a later one fails; none of them may call back from within. */
		for (size_t i = 0; i < 10; i++)
			ck_assert(stream_write(pair.here.stream, VIEW_LIT("x")) <= 1 && !pair.here.is_closed);
		while (!pair.here.is_closed)
			loop_run_once(pair.loop, LONG_US);
		ck_assert(pair.here.is_closed);
		pair_close(&pair);
	}
END_TEST

START_TEST(pause_holds_input_back)
	{
		struct pair pair;
		pair_open(&pair, 0);
		stream_pause_input(pair.there.stream, true);
		ck_assert(stream_write(pair.here.stream, VIEW_LIT("x")) == 1);
		for (size_t i = 0; i < 3; i++)
			loop_run_once(pair.loop, 2000);
		ck_assert_uint_eq(pair.there.input.len, 0);
		stream_pause_input(pair.there.stream, false);
		while (pair.there.input.len == 0)
			loop_run_once(pair.loop, LONG_US);
		pair_close(&pair);
	}
END_TEST

START_TEST(deadlines)
	{
		struct pair pair;
		pair_open(&pair, 0);
		stream_set_deadline(pair.here.stream, LONG_US);
		stream_set_deadline(pair.here.stream, 1000);
		stream_set_deadline(pair.there.stream, 1000);
		stream_set_deadline(pair.there.stream, 0);
		while (!pair.here.had_deadline)
			loop_run_once(pair.loop, LONG_US);
		ck_assert(!pair.there.had_deadline);
		pair.here.had_deadline = false;
		/* A deadline that moves on does not fire at its old time. */
		stream_set_deadline(pair.here.stream, 1000);
		stream_set_deadline(pair.here.stream, LONG_US);
		for (size_t i = 0; i < 3; i++)
			loop_run_once(pair.loop, 2000);
		ck_assert(!pair.here.had_deadline);
		pair_close(&pair);
	}
END_TEST

/* A worker that was stopped, or that waited for its database: the reply is there, and so is the end of the deadline. */
START_TEST(what_came_in_time_is_heard_before_a_deadline_that_is_seen_late)
	{
		struct pair pair;
		pair_open(&pair, 0);
		stream_set_deadline(pair.here.stream, 1000);
		ck_assert(stream_write(pair.there.stream, VIEW_LIT("250")) == 3);
		usleep(20000);
		while (pair.here.input.len == 0)
			loop_run_once(pair.loop, LONG_US);
		ck_assert_msg(!pair.here.had_deadline, "an owner who sets deadlines between turns comes first");
		stream_set_deadline(pair.here.stream, LONG_US);
		for (size_t i = 0; i < 10; i++)
			loop_run_once(pair.loop, 5000);
		ck_assert(!pair.here.had_deadline && !pair.here.is_closed);
		pair_close(&pair);
	}
END_TEST

/* What the interrupted wait below does meanwhile. */
static struct {
	int fd;
	int64_t until_us;
	volatile sig_atomic_t has_been;
} interruption;

static void interrupt_wait(int number)
{
	(void)number;
	ssize_t sent = send(interruption.fd, "250", 3, 0);
	while (clock_boot_us() < interruption.until_us)
		;
	interruption.has_been = sent == 3;
}

static void expect_interruption(int64_t after_us)
{
	struct sigaction action = { .sa_handler = interrupt_wait };
	const struct itimerval when = { .it_value = { .tv_usec = after_us } };
	ck_assert(sigaction(SIGALRM, &action, NULL) == 0);
	ck_assert(setitimer(ITIMER_REAL, &when, NULL) == 0);
}

/* As with SIGSTOP and SIGCONT: the wait for sockets ends without a word of them, and the timers come first. */
START_TEST(what_came_in_time_is_heard_after_an_interrupted_wait)
	{
		struct side side = { .input = buf_with_ceiling(100) };
		const struct endpoint nowhere = { .address.any.sa_family = AF_UNIX };
		struct loop *loop;
		int fds[2];
		ck_assert(loop_new(&loop) == ERR_OK);
		ck_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
		ck_assert(stream_of_fd(loop, fds[0], &nowhere, &side.stream) == ERR_OK);
		stream_start(side.stream, &handlers, &side);
		stream_set_deadline(side.stream, 100000);
		interruption.fd = fds[1];
		interruption.until_us = clock_boot_us() + 120000;
		expect_interruption(50000);
		while (!interruption.has_been || side.input.len == 0)
			loop_run_once(loop, LONG_US);
		ck_assert(!side.had_deadline);
		while (!side.had_deadline)
			loop_run_once(loop, LONG_US);
		stream_done(side.stream);
		close(fds[1]);
		buf_done(&side.input);
		loop_done(loop);
	}
END_TEST

START_TEST(who_speaks_without_end_does_not_put_a_deadline_off)
	{
		struct pair pair;
		int64_t give_up_us = clock_boot_us() + LONG_US;
		pair_open(&pair, 0);
		stream_set_deadline(pair.here.stream, 1000);
		usleep(20000);
		while (!pair.here.had_deadline && clock_boot_us() < give_up_us) {
			ck_assert(stream_write(pair.there.stream, VIEW_LIT("x")) == 1);
			loop_run_once(pair.loop, 1000);
		}
		ck_assert(pair.here.had_deadline);
		ck_assert(pair.here.input.len > 0);
		pair_close(&pair);
	}
END_TEST

START_TEST(a_deadline_while_input_is_paused)
	{
		struct pair pair;
		pair_open(&pair, 0);
		stream_pause_input(pair.here.stream, true);
		stream_set_deadline(pair.here.stream, 1000);
		ck_assert(stream_write(pair.there.stream, VIEW_LIT("x")) == 1);
		while (!pair.here.had_deadline)
			loop_run_once(pair.loop, LONG_US);
		ck_assert_uint_eq(pair.here.input.len, 0);
		pair_close(&pair);
	}
END_TEST

START_TEST(nobody_listens)
	{
		struct pair pair;
		pair_open(&pair, 0);
		struct endpoint endpoint = *listener_endpoint(pair.listener, 0);
		listener_done(pair.listener);
		pair.listener = NULL;
		struct side side = { .input = buf_with_ceiling(10) };
		ck_assert(stream_connect(pair.loop, &endpoint, LONG_US, &handlers, &side, &side.stream) == ERR_OK);
		while (!side.is_closed)
			loop_run_once(pair.loop, LONG_US);
		ck_assert(!side.is_connected);
		ck_assert_int_eq(side.errno_value, ECONNREFUSED);
		pair_close(&pair);
	}
END_TEST

START_TEST(several_addresses_and_a_port_in_use)
	{
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		AUTO_BUF taken = buf_with_ceiling(100);
		struct loop *loop;
		struct listener *listener, *second;
		ck_assert(loop_new(&loop) == ERR_OK);
		ck_assert(listener_open(loop, view_of("127.0.0.1:0  127.0.0.2:0"), on_accept, NULL, &listener, &why) ==
			  ERR_OK);
		ck_assert_uint_eq(listener_count(listener), 2);
		ck_assert(endpoint_port(listener_endpoint(listener, 1)) != 0);
		endpoint_write(listener_endpoint(listener, 1), &taken);
		ck_assert(listener_open(loop, buf_view(&taken), on_accept, NULL, &second, &why) == ERR_EXISTS);
		ck_assert(view_find(buf_view(&why), VIEW_LIT("in use")) != VIEW_NONE);
		ck_assert(view_find(buf_view(&why), buf_view(&taken)) != VIEW_NONE);
		ck_assert(listener_open(loop, view_of(""), on_accept, NULL, &second, &why) == ERR_INVALID);
		ck_assert(listener_open(loop, view_of("127.0.0.1:0 nonsense"), on_accept, NULL, &second, &why) ==
			  ERR_INVALID);
		listener_done(listener);
		loop_done(loop);
	}
END_TEST

START_TEST(source_address)
	{
		AUTO_BUF from = buf_with_ceiling(100);
		struct pair pair;
		struct endpoint source;
		pair_open(&pair, 0);
		struct endpoint to = *listener_endpoint(pair.listener, 0);
		stream_done(pair.here.stream);
		stream_done(pair.there.stream);
		pair.there.stream = NULL;
		pair.here.is_connected = false;
		ck_assert(endpoint_parse_host(VIEW_LIT("127.0.0.2"), &source));
		ck_assert(stream_connect_from(pair.loop, &to, &source, LONG_US, &handlers, &pair.here,
					      &pair.here.stream) == ERR_OK);
		while (pair.there.stream == NULL || !pair.here.is_connected)
			loop_run_once(pair.loop, LONG_US);
		endpoint_write_host(stream_peer(pair.there.stream), &from);
		ck_view_eq(buf_view(&from), "127.0.0.2");

		struct stream *none = NULL;
		ck_assert(endpoint_parse_host(VIEW_LIT("192.0.2.1"), &source));
		ck_assert(stream_connect_from(pair.loop, &to, &source, LONG_US, &handlers, &pair.here, &none) ==
			  ERR_IO);
		ck_assert_int_eq(errno, EADDRNOTAVAIL);
		ck_assert(endpoint_parse_host(VIEW_LIT("::1"), &source));
		ck_assert(stream_connect_from(pair.loop, &to, &source, LONG_US, &handlers, &pair.here, &none) ==
			  ERR_INVALID);
		ck_assert(none == NULL);
		pair_close(&pair);
	}
END_TEST

/* A socket in a folder of its own; what it hears it says again. */
START_TEST(unix_sockets)
	{
		char folder[] = "/tmp/verpost-unix.XXXXXX";
		AUTO_BUF path = buf_with_ceiling(100);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct endpoint endpoint, source;
		struct loop *loop;
		struct side side = { .input = buf_with_ceiling(100), .to_write = 10 };
		ck_assert(mkdtemp(folder) != NULL);
		buf_addf(&path, "%s/relay.sock", folder);
		ck_assert(endpoint_unix(buf_view(&path), &endpoint, &why) == ERR_OK);
		ck_assert(loop_new(&loop) == ERR_OK);
		ck_assert(stream_connect(loop, &endpoint, LONG_US, &handlers, &side, &side.stream) == ERR_IO);
		ck_assert_int_eq(errno, ENOENT);

		int listening = socket(AF_UNIX, SOCK_STREAM, 0);
		ck_assert(bind(listening, &endpoint.address.any, endpoint_size(&endpoint)) == 0);
		ck_assert(listen(listening, 1) == 0);
		ck_assert(endpoint_parse_host(VIEW_LIT("127.0.0.2"), &source));
		ck_assert(stream_connect_from(loop, &endpoint, &source, LONG_US, &handlers, &side, &side.stream) ==
			  ERR_OK);
		ck_assert_msg(!side.is_connected, "callbacks come from the loop");
		while (!side.is_connected)
			loop_run_once(loop, LONG_US);
		ck_assert(endpoint_is_unix(stream_peer(side.stream)));
		char room[10];
		int fd = accept(listening, NULL, NULL);
		ck_assert_int_eq(recv(fd, room, sizeof(room), MSG_WAITALL), sizeof(room));
		ck_assert_int_eq(send(fd, room, sizeof(room), 0), sizeof(room));
		close(fd);
		while (!side.is_closed)
			loop_run_once(loop, LONG_US);
		ck_assert(side.input.len == sizeof(room) && memcmp(side.input.data, content, sizeof(room)) == 0);
		close(listening);
		ck_assert(unlink(buf_text(&path)) == 0 && rmdir(folder) == 0);
		buf_done(&side.input);
		loop_done(loop);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		bytes_arrive_and_are_counted,
		an_orderly_end,
		what_was_said_before_a_failed_write_is_read,
		pause_holds_input_back,
		deadlines,
		what_came_in_time_is_heard_before_a_deadline_that_is_seen_late,
		what_came_in_time_is_heard_after_an_interrupted_wait,
		who_speaks_without_end_does_not_put_a_deadline_off,
		a_deadline_while_input_is_paused,
		nobody_listens,
		several_addresses_and_a_port_in_use,
		source_address,
		unix_sockets,
	};
	return suite_of("stream", tests, ARRAY_LEN(tests));
}
