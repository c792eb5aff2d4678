#include "bounced/parser.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "bounced/insight_wire.h"

enum { READ_SIZE = 64 << 10 };

struct parser {
	int fd;
	struct intake *intake;
	size_t most;
	struct buf inbox;
	struct view *words;
};

/* Without any of what a process does at its end. */
static noreturn void leave(bool in_order)
{
	_exit(in_order ? EXIT_SUCCESS : EXIT_FAILURE);
}

static void send_all(struct parser *self, struct view octets)
{
	while (octets.len > 0) {
		ssize_t count = write(self->fd, octets.data, octets.len);
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			leave(false);
		octets = view_skip(octets, (size_t)count);
	}
}

static void answer(struct parser *self, const struct frame *frame)
{
	AUTO_BUF out = buf_with_ceiling(FRAME_HEAD + FRAME_MOST_ANSWER);
	struct inquiry inquiry;
	struct insight insight;
	if (inquiry_parse(frame->body, self->words, &inquiry) != ERR_OK ||
	    insight_read(self->intake, &inquiry, &insight) != ERR_OK ||
	    insight_write(&insight, frame->number, &out) != ERR_OK)
		leave(false);
	insight_done(&insight);
	send_all(self, buf_view(&out));
}

static void answer_all(struct parser *self)
{
	struct view rest = buf_view(&self->inbox);
	struct frame frame;
	enum frame_step step;
	while ((step = frame_cut(&rest, self->most, &frame)) == FRAME_READ)
		answer(self, &frame);
	if (step == FRAME_BROKEN)
		leave(false);
	buf_drop_front(&self->inbox, self->inbox.len - rest.len);
}

static void read_more(struct parser *self)
{
	char *room = buf_room(&self->inbox, READ_SIZE);
	ssize_t count;
	if (room == NULL)
		leave(false);
	do {
		count = read(self->fd, room, READ_SIZE);
	} while (count < 0 && errno == EINTR);
	if (count <= 0)
		leave(count == 0);
	buf_grown(&self->inbox, (size_t)count);
}

noreturn void parser_run(int fd, struct intake *intake, size_t most)
{
	struct parser self = { .fd = fd,
			       .intake = intake,
			       .most = most,
			       .inbox = buf_with_ceiling(FRAME_HEAD + most + READ_SIZE),
			       .words = calloc(FRAME_MOST_WORDS, sizeof(struct view)) };
	AUTO_BUF ready = buf_with_ceiling(FRAME_HEAD);
	if (self.words == NULL || frame_write_empty(0, &ready) != ERR_OK)
		leave(false);
	send_all(&self, buf_view(&ready));
	for (;;) {
		read_more(&self);
		answer_all(&self);
	}
}
