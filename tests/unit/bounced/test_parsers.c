/* The parsers as the loop sees them, with a nursery of the test's own: what it bears does what a script says. */
#include "bounced/parsers.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "bounced/insight_wire.h"
#include "bounced/nursery.h"
#include "net/pair.h"
#include "tests/support/unit.h"

static const struct settings settings = { .bounce_domain = "bounce.test",
					  .bounce_prefix = "b",
					  .bounce_token_life = 30 * CLOCK_US_PER_DAY,
					  .bounce_inside_life = 365 * CLOCK_US_PER_DAY };

/* ---- parsers that misbehave ---- */

/* What a parser does with a message, by a letter that it finds in it. */
enum trick {
	HONEST = 'h',
	DIES = 'd',
	DIES_ONCE = 'o',
	HANGS = 's',
	BABBLES = 'b',
	LIES = 'l',
	DOUBLES = 't',
	FLOODS = 'f',
	KILLS_ALL = 'k',
};

static void say(int fd, struct view octets)
{
	if (write(fd, octets.data, octets.len) != (ssize_t)octets.len)
		_exit(1);
}

static void answer(int fd, uint32_t number)
{
	AUTO_BUF out = buf_with_ceiling(FRAME_HEAD + FRAME_MOST_ANSWER);
	struct insight insight;
	if (insight_of_unread(0, &insight) != ERR_OK || insight_write(&insight, number, &out) != ERR_OK)
		_exit(1);
	say(fd, buf_view(&out));
	insight_done(&insight);
}

static void flood(int fd)
{
	AUTO_BUF out = buf_with_ceiling(1 << 20);
	wire_add_u32(&out, UINT32_MAX);
	while (out.len < 512 << 10)
		buf_add_byte(&out, 'x');
	while (write(fd, out.data, out.len) > 0)
		;
	_exit(1);
}

static void play(int fd, const struct frame *frame, bool is_first_life)
{
	struct view words[1];
	struct inquiry inquiry;
	if (inquiry_parse(frame->body, words, &inquiry) != ERR_OK)
		_exit(1);
	char trick = inquiry.message.data[inquiry.message.len - 1];
	if (trick == DIES || (trick == DIES_ONCE && is_first_life))
		raise(SIGKILL);
	/* As when a nursery dies: its parsers die with it. */
	if (trick == KILLS_ALL && is_first_life)
		kill(0, SIGKILL);
	if (trick == HANGS)
		pause();
	if (trick == FLOODS)
		flood(fd);
	if (trick == BABBLES)
		say(fd, VIEW_LIT("\4\0\0\0\1\0\0\0gasp"));
	else
		answer(fd, trick == LIES ? frame->number + 1 : frame->number);
	if (trick == DOUBLES)
		answer(fd, frame->number);
}

static void be_parser(int fd, bool is_first_life)
{
	AUTO_BUF inbox = buf_with_ceiling(4 << 20);
	say(fd, VIEW_LIT("\0\0\0\0\0\0\0\0"));
	for (;;) {
		char *room = buf_room(&inbox, 4096);
		ssize_t count = read(fd, room, 4096);
		if (count <= 0)
			_exit(0);
		buf_grown(&inbox, (size_t)count);
		struct view rest = buf_view(&inbox);
		struct frame frame;
		while (frame_cut(&rest, 2 << 20, &frame) == FRAME_READ)
			play(fd, &frame, is_first_life);
		buf_drop_front(&inbox, inbox.len - rest.len);
	}
}

/* The first `count` parsers are a process group. */
static void be_nursery(int fd, size_t count)
{
	pid_t group = 0;
	signal(SIGCHLD, SIG_IGN);
	for (size_t births = 0;;) {
		struct nursery_order order;
		size_t len;
		int passed;
		if (pair_receive(fd, &order, sizeof(order), &len, &passed) != ERR_OK)
			_exit(0);
		if (order.verb != NURSERY_BEAR)
			continue;
		pid_t pid = fork();
		if (pid == 0) {
			close(fd);
			setpgid(0, births < count ? group : 0);
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			be_parser(passed, births < count);
		}
		if (births++ == 0)
			group = pid;
		setpgid(pid, births <= count ? group : pid);
		close(passed);
	}
}

static int fork_nursery(size_t count)
{
	int fds[2];
	ck_assert_int_eq(pair_new(SOCK_SEQPACKET, fds), ERR_OK);
	if (fork() == 0) {
		close(fds[0]);
		be_nursery(fds[1], count);
	}
	close(fds[1]);
	return fds[0];
}

/* ---- the owner ---- */

enum { MESSAGES = 200 };
/* The short one is for the parser that hangs: who is only slow must not be taken for one. */
static const int64_t long_us = INT64_C(60) * CLOCK_US_PER_SECOND, short_us = INT64_C(4) * CLOCK_US_PER_SECOND;

struct desk {
	struct loop *loop;
	struct gate *gate;
	struct parsers *parsers;
	size_t read, unread;
	char unread_tricks[MESSAGES + 1];
	int64_t order[MESSAGES];
	bool lost;
};

static void on_read(void *owner, struct record *record, struct insight *insight)
{
	struct desk *desk = owner;
	struct view message = record->inquiry.message;
	desk->order[desk->read + desk->unread] = record->received_us;
	if (insight == NULL)
		desk->unread_tricks[desk->unread++] = message.data[message.len - 1];
	else
		desk->read++;
	record_done(record);
}

static void on_lost(void *owner)
{
	struct desk *desk = owner;
	desk->lost = true;
}

static void desk_open(struct desk *desk, size_t count, int64_t patience_us, int nursery)
{
	const struct parsers_options options = {
		.nursery = nursery, .count = count, .most = 1 << 20, .patience_us = patience_us
	};
	const struct parsers_owner owner = { .self = desk, .on_read = on_read, .on_lost = on_lost };
	struct keyring ring = { .newest = -1 };
	unsigned char bytes[KEYRING_KEY_SIZE] = { 1 };
	int id;
	*desk = (struct desk){ 0 };
	ck_assert_int_eq(keyring_add(&ring, VIEW_LIT("2026-11-22"), bytes, &id), ERR_OK);
	ck_assert_int_eq(gate_new(&settings, &ring, &desk->gate), ERR_OK);
	ck_assert_int_eq(loop_new(&desk->loop), ERR_OK);
	ck_assert_int_eq(parsers_new(desk->loop, &options, &owner, &desk->parsers), ERR_OK);
}

static void desk_close(struct desk *desk)
{
	parsers_done(desk->parsers);
	gate_done(desk->gate);
	loop_done(desk->loop);
}

/* Each trick a message of that many octets, in this order. */
static void put_all(struct desk *desk, const char *tricks, size_t octets)
{
	AUTO_BUF message = buf_with_ceiling(1 << 20);
	for (size_t i = 0; tricks[i] != '\0'; i++) {
		buf_reset(&message);
		while (message.len + 1 < octets)
			buf_add_byte(&message, '.');
		buf_add_byte(&message, tricks[i]);
		const struct arrival arrival = { .message = buf_view(&message), .now_us = (int64_t)i };
		struct record *record;
		ck_assert_int_eq(record_new(desk->gate, &arrival, &record), ERR_OK);
		ck_assert_int_eq(parsers_put(desk->parsers, record), ERR_OK);
	}
}

static void run_until(struct desk *desk, size_t messages)
{
	int64_t end_us = clock_boot_us() + INT64_C(50) * CLOCK_US_PER_SECOND;
	while (desk->read + desk->unread < messages && clock_boot_us() < end_us)
		loop_run_once(desk->loop, CLOCK_US_PER_SECOND / 10);
	ck_assert_uint_eq(desk->read + desk->unread, messages);
}

struct trick_row {
	const char *label, *tricks;
	size_t octets;
	const char *unread; /* in this order */
};

static const struct trick_row trick_rows[] = {
	{ "all honest", "hhhhhhhhhh", 100, "" },
	{ "large ones", "hhhhhhhhhh", 900 << 10, "" },
	{ "one dies of it, twice", "hhhhdhhhh", 100, "d" },
	{ "one dies of it, with large ones behind", "hdhhhh", 300 << 10, "d" },
	{ "one was killed by somebody", "hhohhh", 100, "" },
	{ "all were killed by somebody", "hhkhhh", 100, "" },
	{ "one hangs", "hhshhh", 100, "s" },
	{ "one babbles", "hhbhhh", 100, "b" },
	{ "one answers another message", "hhlhhh", 100, "l" },
	{ "one floods", "hhfhhh", 100, "f" },
	{ "several", "dhdhbhl", 100, "ddbl" },
	{ "all die", "dddd", 100, "dddd" },
};

START_TEST(nothing_is_lost_whatever_a_parser_does)
	{
		const struct trick_row *row = &trick_rows[_i];
		for (size_t count = 1; count <= 3; count++) {
			struct desk desk;
			desk_open(&desk, count, strchr(row->tricks, HANGS) != NULL ? short_us : long_us,
				  fork_nursery(count));
			put_all(&desk, row->tricks, row->octets);
			run_until(&desk, strlen(row->tricks));
			ck_row(row->label, desk.unread == strlen(row->unread));
			if (count == 1)
				ck_row(row->label, strcmp(desk.unread_tricks, row->unread) == 0);
			for (size_t i = 0; count == 1 && i < strlen(row->tricks); i++)
				ck_row(row->label, desk.order[i] == (int64_t)i);
			desk_close(&desk);
		}
	}
END_TEST

/* A second answer to the same message: the first was good, the next message's may not be taken from there. */
START_TEST(an_answer_too_many)
	{
		struct desk desk;
		desk_open(&desk, 1, long_us, fork_nursery(1));
		put_all(&desk, "hth", 100);
		run_until(&desk, 3);
		ck_assert_uint_le(desk.unread, 1);
		ck_assert(strchr(desk.unread_tricks, 't') == NULL);
		desk_close(&desk);
	}
END_TEST

START_TEST(records_in_hand_are_released)
	{
		struct desk desk;
		desk_open(&desk, 2, long_us, fork_nursery(2));
		put_all(&desk, "shhhh", 200 << 10);
		loop_run_once(desk.loop, CLOCK_US_PER_SECOND / 10);
		desk_close(&desk);
	}
END_TEST

/* ---- the real nursery ---- */

static pid_t child_of(pid_t parent)
{
	char command[64];
	pid_t pid = 0;
	snprintf(command, sizeof(command), "ps -o pid= --ppid %d | head -n 1", (int)parent);
	FILE *out = popen(command, "r");
	if (out == NULL || fscanf(out, "%d", &pid) != 1)
		pid = 0;
	if (out != NULL)
		pclose(out);
	return pid;
}

START_TEST(a_nursery_that_dies_is_replaced)
	{
		int fd;
		struct desk desk;
		ck_assert_int_eq(nursery_fork(&fd), ERR_OK);
		desk_open(&desk, 2, long_us, fd);
		put_all(&desk, "hhh", 100);
		run_until(&desk, 3);
		/* The first of our children is the first nursery. */
		pid_t nursery = child_of(getpid());
		ck_assert_int_gt(nursery, 0);
		ck_assert_int_eq(kill(nursery, SIGKILL), 0);
		put_all(&desk, "hhhhhh", 100);
		run_until(&desk, 9);
		ck_assert_uint_eq(desk.unread, 0);
		ck_assert(!desk.lost);
		desk_close(&desk);
	}
END_TEST

START_TEST(without_any_nursery_the_owner_is_told)
	{
		struct desk desk;
		int fds[2];
		ck_assert_int_eq(pair_new(SOCK_SEQPACKET, fds), ERR_OK);
		desk_open(&desk, 1, long_us, fds[0]);
		close(fds[1]);
		put_all(&desk, "h", 100);
		for (int i = 0; i < 100 && !desk.lost; i++)
			loop_run_once(desk.loop, CLOCK_US_PER_SECOND / 10);
		ck_assert(desk.lost);
		ck_assert_uint_eq(desk.read + desk.unread, 0);
		desk_close(&desk);
	}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("parsers");
	TCase *rows = tcase_create("parsers");
	tcase_set_timeout(rows, 60);
	tcase_add_loop_test(rows, nothing_is_lost_whatever_a_parser_does, 0, (int)ARRAY_LEN(trick_rows));
	tcase_add_test(rows, an_answer_too_many);
	tcase_add_test(rows, records_in_hand_are_released);
	tcase_add_test(rows, a_nursery_that_dies_is_replaced);
	tcase_add_test(rows, without_any_nursery_the_owner_is_told);
	suite_add_tcase(suite, rows);
	return suite;
}
