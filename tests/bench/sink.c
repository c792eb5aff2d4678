/* bench_sink: an SMTP receiver that accepts everything, counts it and throws it away, as fast as this machine can. The limit
 * that sender is held against; never part of a test of correctness.
 *
 *     bench_sink PORT THREADS STATS-FILE [DELAY-MS [chunking]]
 *
 * Listens on 127.0.0.1. Every reply, the greeting too, leaves DELAY-MS after what it answers was read: a relay that far away.
 * CHUNKING is offered when asked for. On SIGTERM it writes {"messages":N,"octets":N,"first":T,"last":T,"tenths":[N,...]} (seconds of
 * the monotonic clock; messages of each tenth of a second since the first) to STATS-FILE and ends. Each thread has its own listening socket (SO_REUSEPORT) and its own epoll. */
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
	TENTHS_MOST = 36000,
};

struct session {
	int fd;
	bool in_data, is_over;
	uint64_t chunk_left; /* octets of a BDAT to come */
	char carry[CARRY];
	char line[LINE_SIZE];
	size_t line_len;
	char out[OUT_SIZE];
	size_t out_len, promised; /* of these, until their time comes */
	size_t promises;
};

/* Replies of one reading, to leave at their time. The delay is the same for all: what was promised first is due first. */
struct promise {
	struct session *session;
	double due;
	size_t len;
};

struct promises {
	struct promise *ring;
	size_t room, first, count;
};

struct worker {
	pthread_t thread;
	int port;
	struct promises promises;
	uint64_t messages, octets;
	double first, last;
	uint32_t tenths[TENTHS_MOST];
	char memory[CARRY + READ_SIZE];
};

static atomic_bool stopping;
static double delay; /* seconds */
static bool chunking;

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

static bool flush(struct session *session, size_t len)
{
	size_t sent = 0;
	while (sent < len) {
		ssize_t n = send(session->fd, session->out + sent, len - sent, MSG_NOSIGNAL);
		if (n >= 0) {
			sent += (size_t)n;
			continue;
		}
		if (errno != EAGAIN)
			return false;
		struct pollfd wait = { .fd = session->fd, .events = POLLOUT };
		poll(&wait, 1, 1000);
	}
	session->out_len -= len;
	if (session->out_len > 0)
		memmove(session->out, session->out + len, session->out_len);
	return true;
}

static void die(const char *what)
{
	fprintf(stderr, "bench_sink: %s\n", what);
	exit(EXIT_FAILURE);
}

static void promise(struct worker *worker, struct session *session)
{
	struct promises *promises = &worker->promises;
	if (promises->count == promises->room) {
		size_t room = promises->room == 0 ? 1024 : 2 * promises->room;
		struct promise *ring = malloc(room * sizeof(*ring));
		if (ring == NULL)
			die("no memory");
		for (size_t i = 0; i < promises->count; i++)
			ring[i] = promises->ring[(promises->first + i) % promises->room];
		free(promises->ring);
		*promises = (struct promises){ .ring = ring, .room = room, .count = promises->count };
	}
	struct promise *last = &promises->ring[(promises->first + promises->count++) % promises->room];
	*last =
	    (struct promise){ .session = session, .due = now() + delay, .len = session->out_len - session->promised };
	session->promised = session->out_len;
	session->promises++;
}

/* At once, or when it is time. */
static bool answer(struct worker *worker, struct session *session)
{
	if (delay <= 0)
		return flush(session, session->out_len);
	if (session->out_len > session->promised)
		promise(worker, session);
	return true;
}

static void end(struct session *session)
{
	if (!session->is_over)
		close(session->fd);
	session->is_over = true;
	if (session->promises == 0)
		free(session);
}

static void keep_promises(struct worker *worker)
{
	struct promises *promises = &worker->promises;
	double time = promises->count > 0 ? now() : 0;
	while (promises->count > 0 && promises->ring[promises->first].due <= time) {
		struct promise *due = &promises->ring[promises->first];
		struct session *session = due->session;
		session->promises--;
		session->promised -= due->len;
		bool is_open = !session->is_over && flush(session, due->len);
		promises->first = (promises->first + 1) % promises->room;
		promises->count--;
		if (!is_open)
			end(session);
	}
}

static void reply(struct session *session, const char *text)
{
	size_t len = strlen(text);
	if (session->out_len + len > sizeof(session->out) && (delay > 0 || !flush(session, session->out_len)))
		die("a client leaves too many replies unread");
	memcpy(session->out + session->out_len, text, len);
	session->out_len += len;
}

struct command {
	const char *verb;
	const char *reply;
};

enum { COMMAND_DATA = 2, COMMAND_QUIT = 7, COMMAND_BDAT = 8 };

static const struct command commands[] = {
	{ "MAIL", "250 2.1.0 OK\r\n" },
	{ "RCPT", "250 2.1.5 OK\r\n" },
	{ "DATA", "354 go on\r\n" },
	{ "EHLO", "250-sink\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n" },
	{ "HELO", "250 sink\r\n" },
	{ "RSET", "250 2.0.0 OK\r\n" },
	{ "NOOP", "250 2.0.0 OK\r\n" },
	{ "QUIT", "221 2.0.0 bye\r\n" },
	{ "BDAT", "" },
	{ "", "500 5.5.1 what?\r\n" },
};

static void count_message(struct worker *worker, struct session *session)
{
	worker->last = now();
	if (worker->messages++ == 0)
		worker->first = worker->last;
	size_t tenth = (size_t)((worker->last - worker->first) * 10);
	worker->tenths[tenth < TENTHS_MOST ? tenth : TENTHS_MOST - 1]++;
	reply(session, "250 2.0.0 OK\r\n");
}

/* RFC 3030: "BDAT" SP size [SP "LAST"]. The line ends in LF. */
static void on_bdat(struct worker *worker, struct session *session, char *line, size_t len)
{
	char *rest;
	line[len - 1] = '\0';
	session->chunk_left = strtoull(line + 4, &rest, 10);
	if (strncasecmp(rest, " LAST", 5) != 0)
		die("BDAT without LAST is not understood");
	if (session->chunk_left == 0)
		count_message(worker, session);
}

/* False when the session ends. */
static bool on_command(struct worker *worker, struct session *session, char *line, size_t len)
{
	size_t i = 0;
	while (i < sizeof(commands) / sizeof(commands[0]) - 1 &&
	       (len < 4 || strncasecmp(line, commands[i].verb, 4) != 0))
		i++;
	reply(session, commands[i].reply);
	if (commands[i].verb[0] == 'E')
		reply(session, chunking ? "250-CHUNKING\r\n250 SIZE 52428800\r\n" : "250 SIZE 52428800\r\n");
	session->in_data = i == COMMAND_DATA;
	if (i == COMMAND_BDAT)
		on_bdat(worker, session, line, len);
	return i != COMMAND_QUIT;
}

static size_t on_chunk(struct worker *worker, struct session *session, size_t len)
{
	size_t used = len < session->chunk_left ? len : session->chunk_left;
	worker->octets += used;
	session->chunk_left -= used;
	if (session->chunk_left == 0)
		count_message(worker, session);
	return used;
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
	session->in_data = false;
	count_message(worker, session);
	return used;
}

static size_t on_line(struct worker *worker, struct session *session, const char *data, size_t len, bool *ret_open)
{
	const char *lf = memchr(data, '\n', len);
	size_t used = lf == NULL ? len : (size_t)(lf - data) + 1;
	size_t room = sizeof(session->line) - session->line_len;
	size_t kept = used < room ? used : room;
	memcpy(session->line + session->line_len, data, kept);
	session->line_len += kept;
	if (lf != NULL) {
		*ret_open = on_command(worker, session, session->line, session->line_len);
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
		at += session->chunk_left > 0 ? on_chunk(worker, session, left)
		      : session->in_data      ? on_content(worker, session, data + at, left)
					      : on_line(worker, session, data + at, left, &open);
	}
	memcpy(session->carry, data + got - CARRY, CARRY);
	return answer(worker, session) && open;
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
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 8192) != 0) {
		perror("bench_sink");
		exit(EXIT_FAILURE);
	}
	return fd;
}

static void welcome(struct worker *worker, int epoll, int listener)
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
		if (!answer(worker, session))
			end(session);
	}
}

/* The loop sleeps so long at most. */
static struct timespec sleep_time(const struct worker *worker)
{
	double least = 0.1;
	const struct promises *promises = &worker->promises;
	if (promises->count > 0) {
		double wait = promises->ring[promises->first].due - now();
		least = wait < 0 ? 0 : wait < least ? wait : least;
	}
	return (struct timespec){ .tv_nsec = (long)(least * 1e9) };
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
		struct timespec most = sleep_time(worker);
		int count = epoll_pwait2(epoll, events, EVENTS, &most, NULL);
		for (int i = 0; i < count; i++) {
			struct session *session = events[i].data.ptr;
			if (session == NULL) {
				welcome(worker, epoll, listener);
			} else if (!on_readable(worker, session)) {
				end(session);
			}
		}
		keep_promises(worker);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static struct worker workers[THREADS_MOST];
	if (argc < 4 || argc > 6 || atoi(argv[2]) < 1 || atoi(argv[2]) > THREADS_MOST) {
		fprintf(stderr, "usage: bench_sink PORT THREADS STATS-FILE [DELAY-MS [chunking]]\n");
		return 2;
	}
	delay = argc > 4 ? atof(argv[4]) / 1000 : 0;
	chunking = argc > 5;
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
	fprintf(stats, "{\"messages\":%llu,\"octets\":%llu,\"first\":%.6f,\"last\":%.6f,\"tenths\":[",
		(unsigned long long)messages, (unsigned long long)octets, first, last);
	for (size_t tenth = 0; tenth < TENTHS_MOST && (double)tenth <= (last - first) * 10; tenth++) {
		uint64_t count = 0;
		for (int i = 0; i < threads; i++)
			count += workers[i].tenths[tenth];
		fprintf(stats, "%s%llu", tenth == 0 ? "" : ",", (unsigned long long)count);
	}
	fprintf(stats, "]}\n");
	return fclose(stats) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
