/* bench_blaster: the fastest SMTP client we can write: one ready-made message over and over, pipelined so that the content of
 * one and the envelope of the next leave in one write. What no real sender can pass on this machine.
 *
 *     bench_blaster PORT CONNECTIONS THREADS MESSAGES SIZE [waiting]
 *
 * Waiting: each command, and the content, leaves when the reply to the one before has come: four round trips a message.
 * Prints {"messages":N,"seconds":S,"rate":R}. Ends by itself; fails when a reply is not 2xx or 354. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { READ_SIZE = 16 << 10, EVENTS = 64, THREADS_MOST = 16, ENVELOPE_SIZE = 512 };

struct connection {
	int fd;
	int column; /* of the reply line being read */
	char code, separator;
	unsigned awaited; /* replies until the next thing is due */
	bool greeted;
	bool has_envelope; /* MAIL, RCPT and DATA are out */
	bool has_content;  /* the next reply belongs to a content */
	char envelope[ENVELOPE_SIZE];
	int envelope_len;
	int command; /* waiting: what is due */
	long id;
};

static int port, connections, threads;
static long total;
static bool is_waiting;
static char *content;
static size_t content_len;
static atomic_long begun, ended;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *what)
{
	fprintf(stderr, "bench_blaster: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static void send_all(int fd, struct iovec *parts, int count)
{
	while (count > 0) {
		ssize_t sent = writev(fd, parts, count);
		if (sent < 0) {
			if (errno != EAGAIN)
				fail("write");
			struct pollfd wait = { .fd = fd, .events = POLLOUT };
			poll(&wait, 1, 1000);
			continue;
		}
		while (count > 0 && (size_t)sent >= parts->iov_len) {
			sent -= (ssize_t)parts->iov_len;
			parts++;
			count--;
		}
		if (count > 0) {
			parts->iov_base = (char *)parts->iov_base + sent;
			parts->iov_len -= (size_t)sent;
		}
	}
}

enum command { MAIL, RCPT, DATA, CONTENT, COMMAND_COUNT };

static int command_write(const struct connection *connection, char *out, size_t size)
{
	if (connection->command == MAIL)
		return snprintf(out, size, "MAIL FROM:<b+%031ld@bounce.example>\r\n", connection->id);
	if (connection->command == RCPT)
		return snprintf(out, size, "RCPT TO:<user%08ld@example.net>\r\n", connection->id);
	return snprintf(out, size, "DATA\r\n");
}

/* One thing, and its reply is awaited. */
static void advance_waiting(struct connection *connection)
{
	char line[ENVELOPE_SIZE];
	struct iovec part = { .iov_base = content, .iov_len = content_len };
	if (connection->command == MAIL && (connection->id = begun++) >= total)
		return;
	connection->awaited = 1;
	connection->has_content = connection->command == CONTENT;
	if (!connection->has_content)
		part = (struct iovec){ .iov_base = line,
				       .iov_len = (size_t)command_write(connection, line, sizeof(line)) };
	send_all(connection->fd, &part, 1);
	connection->command = (connection->command + 1) % COMMAND_COUNT;
}

/* The content that is due, then the next envelope if there is one, in one write. */
static void advance(struct connection *connection)
{
	struct iovec parts[2];
	int count = 0;
	connection->awaited = 0;
	if (connection->has_envelope) {
		parts[count++] = (struct iovec){ .iov_base = content, .iov_len = content_len };
		connection->awaited = 1;
		connection->has_envelope = false;
		connection->has_content = true;
	}
	long id = begun++;
	if (id < total) {
		connection->envelope_len = snprintf(
		    connection->envelope, sizeof(connection->envelope),
		    "MAIL FROM:<b+%031ld@bounce.example>\r\nRCPT TO:<user%08ld@example.net>\r\nDATA\r\n", id, id);
		parts[count++] =
		    (struct iovec){ .iov_base = connection->envelope, .iov_len = (size_t)connection->envelope_len };
		connection->awaited += 3;
		connection->has_envelope = true;
	}
	send_all(connection->fd, parts, count);
}

static void on_reply(struct connection *connection)
{
	if (connection->code != '2' && connection->code != '3') {
		fprintf(stderr, "bench_blaster: refused\n");
		exit(EXIT_FAILURE);
	}
	if (!connection->greeted) {
		struct iovec ehlo = { .iov_base = (char[]){ "EHLO blaster\r\n" }, .iov_len = 14 };
		connection->greeted = true;
		connection->awaited = 1;
		send_all(connection->fd, &ehlo, 1);
		return;
	}
	if (connection->has_content)
		ended++;
	connection->has_content = false;
	if (--connection->awaited > 0)
		return;
	if (is_waiting)
		advance_waiting(connection);
	else
		advance(connection);
}

static void on_readable(struct connection *connection)
{
	char data[READ_SIZE];
	ssize_t got = recv(connection->fd, data, sizeof(data), 0);
	if (got <= 0)
		fail("connection lost");
	for (ssize_t i = 0; i < got; i++) {
		if (connection->column == 0)
			connection->code = data[i];
		if (connection->column == 3)
			connection->separator = data[i];
		connection->column++;
		if (data[i] != '\n')
			continue;
		connection->column = 0;
		if (connection->separator != '-')
			on_reply(connection);
	}
}

static void open_connection(struct connection *connection, int epoll)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int one = 1, room = 1 << 20;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(connection->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	if (connect(connection->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		fail("connect");
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };
	epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event);
}

static void *blast(void *argument)
{
	int share = connections / threads + (*(int *)argument < connections % threads ? 1 : 0);
	struct connection *mine = calloc((size_t)share, sizeof(*mine));
	struct epoll_event events[EVENTS];
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	if (mine == NULL || epoll < 0)
		fail("start");
	for (int i = 0; i < share; i++)
		open_connection(&mine[i], epoll);
	while (ended < total) {
		int count = epoll_wait(epoll, events, EVENTS, 50);
		for (int i = 0; i < count; i++)
			on_readable(events[i].data.ptr);
	}
	free(mine);
	return NULL;
}

static void make_content(size_t size)
{
	static const char head[] = "From: news@example.org\r\nTo: user@example.net\r\nSubject: bench\r\n\r\n";
	content = malloc(size + sizeof(head) + 8);
	if (content == NULL)
		fail("memory");
	content_len = sizeof(head) - 1;
	memcpy(content, head, content_len);
	while (content_len + 78 < size) {
		memset(content + content_len, 'x', 76);
		memcpy(content + content_len + 76, "\r\n", 2);
		content_len += 78;
	}
	memcpy(content + content_len, ".\r\n", 3);
	content_len += 3;
}

int main(int argc, char **argv)
{
	pthread_t handles[THREADS_MOST];
	int numbers[THREADS_MOST];
	if (argc < 6 || argc > 7 || atoi(argv[3]) < 1 || atoi(argv[3]) > THREADS_MOST) {
		fprintf(stderr, "usage: bench_blaster PORT CONNECTIONS THREADS MESSAGES SIZE [waiting]\n");
		return 2;
	}
	port = atoi(argv[1]);
	connections = atoi(argv[2]);
	threads = atoi(argv[3]);
	total = atol(argv[4]);
	is_waiting = argc > 6;
	make_content((size_t)atol(argv[5]));
	double start = now();
	for (int i = 0; i < threads; i++) {
		numbers[i] = i;
		pthread_create(&handles[i], NULL, blast, &numbers[i]);
	}
	for (int i = 0; i < threads; i++)
		pthread_join(handles[i], NULL);
	double seconds = now() - start;
	printf("{\"messages\":%ld,\"seconds\":%.3f,\"rate\":%.0f}\n", total, seconds, (double)total / seconds);
	return EXIT_SUCCESS;
}
