/* bench_sink: an SMTP receiver that accepts everything, counts it and throws it away, as fast as this machine can. The limit
 * that sender is held against; never part of a test of correctness.
 *
 *     bench_sink PORT THREADS STATS-FILE
 *
 * Listens on 127.0.0.1. On SIGTERM it writes {"messages":N,"octets":N,"first":T,"last":T} (seconds of the monotonic clock)
 * to STATS-FILE and ends. Each thread has its own listening socket (SO_REUSEPORT) and its own epoll. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	CARRY = 4, /* octets of the stream kept before the next read: the final dot may be split */
	READ_SIZE = 256 << 10,
	LINE_SIZE = 1024,
	OUT_SIZE = 16 << 10,
	EVENTS = 64,
	THREADS_MOST = 16,
};

struct session {
	int fd;
	bool in_data;
	char carry[CARRY];
	char line[LINE_SIZE];
	size_t line_len;
	char out[OUT_SIZE];
	size_t out_len;
};

struct worker {
	pthread_t thread;
	int port;
	uint64_t messages, octets;
	double first, last;
	char memory[CARRY + READ_SIZE];
};

static atomic_bool stopping;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void on_term(int signal_number)
{
	(void)signal_number;
	stopping = true;
}

static bool flush(struct session *session)
{
	size_t sent = 0;
	while (sent < session->out_len) {
		ssize_t n = send(session->fd, session->out + sent, session->out_len - sent, MSG_NOSIGNAL);
		if (n >= 0) {
			sent += (size_t)n;
			continue;
		}
		if (errno != EAGAIN)
			return false;
		struct pollfd wait = { .fd = session->fd, .events = POLLOUT };
		poll(&wait, 1, 1000);
	}
	session->out_len = 0;
	return true;
}

static void reply(struct session *session, const char *text)
{
	size_t len = strlen(text);
	if (session->out_len + len > sizeof(session->out) && !flush(session))
		return;
	memcpy(session->out + session->out_len, text, len);
	session->out_len += len;
}

struct command {
	const char *verb;
	const char *reply;
};

static const struct command commands[] = {
	{ "MAIL", "250 2.1.0 OK\r\n" },
	{ "RCPT", "250 2.1.5 OK\r\n" },
	{ "DATA", "354 go on\r\n" },
	{ "EHLO", "250-sink\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n250 SIZE 52428800\r\n" },
	{ "HELO", "250 sink\r\n" },
	{ "RSET", "250 2.0.0 OK\r\n" },
	{ "NOOP", "250 2.0.0 OK\r\n" },
	{ "QUIT", "221 2.0.0 bye\r\n" },
};

/* False when the session ends. */
static bool on_command(struct session *session, const char *line, size_t len)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (len < 4 || strncasecmp(line, commands[i].verb, 4) != 0)
			continue;
		reply(session, commands[i].reply);
		session->in_data = i == 2;
		return i != 7;
	}
	reply(session, "500 5.5.1 what?\r\n");
	return true;
}

/* Content up to the final dot. `data` is preceded by CARRY valid octets. Returns how many octets belong to the message. */
static size_t on_content(struct worker *worker, struct session *session, const char *data, size_t len)
{
	static const char end[] = "\r\n.\r\n";
	const char *from = data - CARRY;
	const char *at = memmem(from, len + CARRY, end, sizeof(end) - 1);
	if (at == NULL) {
		worker->octets += len;
		return len;
	}
	size_t used = (size_t)(at + sizeof(end) - 1 - data);
	worker->octets += used;
	worker->last = now();
	if (worker->messages++ == 0)
		worker->first = worker->last;
	session->in_data = false;
	reply(session, "250 2.0.0 OK\r\n");
	return used;
}

static size_t on_line(struct session *session, const char *data, size_t len, bool *ret_open)
{
	const char *lf = memchr(data, '\n', len);
	size_t used = lf == NULL ? len : (size_t)(lf - data) + 1;
	size_t room = sizeof(session->line) - session->line_len;
	size_t kept = used < room ? used : room;
	memcpy(session->line + session->line_len, data, kept);
	session->line_len += kept;
	if (lf != NULL) {
		*ret_open = on_command(session, session->line, session->line_len);
		session->line_len = 0;
	}
	return used;
}

/* False when the session is over. */
static bool on_readable(struct worker *worker, struct session *session)
{
	char *data = worker->memory + CARRY;
	memcpy(worker->memory, session->carry, CARRY);
	ssize_t got = recv(session->fd, data, READ_SIZE, 0);
	if (got <= 0)
		return got < 0 && errno == EAGAIN;
	size_t at = 0;
	bool open = true;
	while (open && at < (size_t)got) {
		size_t left = (size_t)got - at;
		at += session->in_data ? on_content(worker, session, data + at, left)
				       : on_line(session, data + at, left, &open);
	}
	memcpy(session->carry, data + got - CARRY, CARRY);
	return flush(session) && open;
}

static int listen_on(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 1024) != 0) {
		perror("bench_sink");
		exit(EXIT_FAILURE);
	}
	return fd;
}

static void welcome(int epoll, int listener)
{
	int fd;
	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct session *session = calloc(1, sizeof(*session));
		if (session == NULL)
			exit(EXIT_FAILURE);
		session->fd = fd;
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = session };
		epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
		reply(session, "220 sink ESMTP\r\n");
		flush(session);
	}
}

static void *serve(void *argument)
{
	struct worker *worker = argument;
	int listener = listen_on(worker->port);
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
	struct epoll_event events[EVENTS];
	epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
	while (!stopping) {
		int count = epoll_wait(epoll, events, EVENTS, 100);
		for (int i = 0; i < count; i++) {
			struct session *session = events[i].data.ptr;
			if (session == NULL) {
				welcome(epoll, listener);
			} else if (!on_readable(worker, session)) {
				close(session->fd);
				free(session);
			}
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static struct worker workers[THREADS_MOST];
	if (argc != 4 || atoi(argv[2]) < 1 || atoi(argv[2]) > THREADS_MOST) {
		fprintf(stderr, "usage: bench_sink PORT THREADS STATS-FILE\n");
		return 2;
	}
	int threads = atoi(argv[2]);
	signal(SIGTERM, on_term);
	for (int i = 0; i < threads; i++) {
		workers[i].port = atoi(argv[1]);
		pthread_create(&workers[i].thread, NULL, serve, &workers[i]);
	}
	uint64_t messages = 0, octets = 0;
	double first = 0, last = 0;
	for (int i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		messages += workers[i].messages;
		octets += workers[i].octets;
		if (workers[i].messages > 0 && (first == 0 || workers[i].first < first))
			first = workers[i].first;
		if (workers[i].last > last)
			last = workers[i].last;
	}
	FILE *stats = fopen(argv[3], "w");
	if (stats == NULL)
		return EXIT_FAILURE;
	fprintf(stats, "{\"messages\":%llu,\"octets\":%llu,\"first\":%.6f,\"last\":%.6f}\n",
		(unsigned long long)messages, (unsigned long long)octets, first, last);
	return fclose(stats) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
