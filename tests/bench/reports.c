/* bench_reports: hands reports to bounced, or to anything that takes mail, as fast as it takes them: MAIL, RCPT and DATA in one write, then the
 * content, then the next.
 *
 *     bench_reports PORT CONNECTIONS MESSAGES RECIPIENTS-FILE MESSAGE-FILE [fresh]
 *
 * RECIPIENTS-FILE has an address a line, used one after the other, again from the start; each message gets a Message-ID of its own in front of
 * MESSAGE-FILE. Fresh: a new connection for each message, with QUIT. Prints {"messages":N,"refused":N,"seconds":S,"rate":R,"slowest":S}; the
 * slowest is from the final dot to its reply. Ends by itself; fails when a connection is lost. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { READ_SIZE = 16 << 10, EVENTS = 64, LINE = 512 };

/* What the next whole reply answers. */
enum step { GREETING, EHLO, MAIL, RCPT, DATA, CONTENT, QUIT };

struct connection {
	int fd;
	enum step step;
	int column;
	char code, separator;
	long id;
	double dotted;
	bool was_refused;
};

static int port, epoll;
static long total, begun, ended, refused;
static bool is_fresh;
static double slowest;
static char **recipients;
static long recipient_count;
static char *content;
static size_t content_len;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *what)
{
	fprintf(stderr, "bench_reports: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* The socket's buffer holds more than one message: nothing is ever left over. */
static void say(const struct connection *connection, struct iovec *parts, int count)
{
	size_t size = 0;
	for (int i = 0; i < count; i++)
		size += parts[i].iov_len;
	if (writev(connection->fd, parts, count) != (ssize_t)size)
		fail("write");
}

static void say_line(const struct connection *connection, const char *line, int len)
{
	struct iovec part = { .iov_base = (void *)(size_t)line, .iov_len = (size_t)len };
	say(connection, &part, 1);
}

static void open_connection(struct connection *connection)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int one = 1, room = 1 << 20;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*connection = (struct connection){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(connection->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	if (connect(connection->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		fail("connect");
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };
	epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event);
}

static void begin_message(struct connection *connection)
{
	char lines[LINE];
	connection->id = begun++;
	connection->step = MAIL;
	connection->was_refused = false;
	if (connection->id >= total)
		return;
	say_line(connection, lines,
		 snprintf(lines, sizeof(lines), "MAIL FROM:<>\r\nRCPT TO:<%s>\r\nDATA\r\n",
			  recipients[connection->id % recipient_count]));
}

static void say_content(struct connection *connection)
{
	char id[LINE];
	int len = snprintf(id, sizeof(id), "Message-ID: <%ld.%d@bench.example>\r\n", connection->id, (int)getpid());
	struct iovec parts[] = { { .iov_base = id, .iov_len = (size_t)len },
				 { .iov_base = content, .iov_len = content_len } };
	say(connection, parts, 2);
	connection->dotted = now();
}

static void end_message(struct connection *connection)
{
	double seconds = now() - connection->dotted;
	slowest = seconds > slowest ? seconds : slowest;
	ended++;
	if (!is_fresh) {
		begin_message(connection);
		return;
	}
	connection->step = QUIT;
	say_line(connection, "QUIT\r\n", 6);
}

static void end_connection(struct connection *connection)
{
	close(connection->fd);
	if (begun < total)
		open_connection(connection);
}

static void on_reply(struct connection *connection)
{
	bool is_good = connection->code == '2' || connection->code == '3';
	connection->was_refused = connection->was_refused || !is_good;
	switch (connection->step) {
	case GREETING:
		connection->step = EHLO;
		say_line(connection, "EHLO mx.bench.example\r\n", 23);
		break;
	case EHLO:
		begin_message(connection);
		break;
	case MAIL:
	case RCPT:
		connection->step++;
		break;
	case DATA:
		connection->step = CONTENT;
		if (is_good)
			say_content(connection);
		else
			fail("DATA is refused");
		break;
	case CONTENT:
		refused += !is_good;
		end_message(connection);
		break;
	case QUIT:
		end_connection(connection);
		break;
	}
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

static char *read_file(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL || fseek(file, 0, SEEK_END) != 0)
		fail(path);
	size_t len = (size_t)ftell(file);
	char *text = malloc(len + 4);
	rewind(file);
	if (text == NULL || fread(text, 1, len, file) != len)
		fail(path);
	fclose(file);
	text[len] = '\0';
	*ret_len = len;
	return text;
}

static void read_recipients(const char *path)
{
	size_t len;
	char *text = read_file(path, &len);
	recipients = calloc(len / 2 + 1, sizeof(char *));
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
		recipients[recipient_count++] = line;
}

static void run(int connections)
{
	struct epoll_event events[EVENTS];
	struct connection *all = calloc((size_t)connections, sizeof(*all));
	epoll = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 0; i < connections; i++)
		open_connection(&all[i]);
	while (ended < total) {
		int count = epoll_wait(epoll, events, EVENTS, 50);
		for (int i = 0; i < count; i++)
			on_readable(events[i].data.ptr);
	}
	free(all);
}

int main(int argc, char **argv)
{
	if (argc < 6 || argc > 7) {
		fprintf(stderr,
			"usage: bench_reports PORT CONNECTIONS MESSAGES RECIPIENTS-FILE MESSAGE-FILE [fresh]\n");
		return 2;
	}
	port = atoi(argv[1]);
	total = atol(argv[3]);
	is_fresh = argc > 6;
	read_recipients(argv[4]);
	content = read_file(argv[5], &content_len);
	memcpy(content + content_len, ".\r\n", 3);
	content_len += 3;
	double start = now();
	run(atoi(argv[2]));
	double seconds = now() - start;
	printf("{\"messages\":%ld,\"refused\":%ld,\"seconds\":%.3f,\"rate\":%.0f,\"slowest\":%.3f}\n", total, refused,
	       seconds, (double)total / seconds, slowest);
	return EXIT_SUCCESS;
}
