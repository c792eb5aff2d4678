#include "bounced/parsers.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "bounced/insight_wire.h"
#include "bounced/job.h"
#include "bounced/nursery.h"
#include "net/pair.h"

enum {
	NURSERIES = 2,            /* one at work, and one in case it dies */
	AHEAD_OCTETS = 256 << 10, /* given to a parser and not yet answered: no further message is given beyond */
	AHEAD_MESSAGES = 64,
};
/* Between a parser that could not be born and the next attempt. */
static const int64_t rebirth_us = CLOCK_US_PER_SECOND;
/* The cause of an end that is in order. */
static const char outdated[] = "rules";
/* How long a birth may take. */
static const int64_t birth_us = INT64_C(30) * CLOCK_US_PER_SECOND;

enum parser_state {
	PARSER_NONE, /* waits for its time to be born */
	PARSER_BORN, /* has not said yet that it is ready */
	PARSER_READY,
};

struct parser {
	struct parsers *parsers;
	unsigned slot;
	enum parser_state state;
	struct stream *stream;
	struct loop_source *timer;
	struct line given; /* in the order of their answers */
	size_t count, octets;
	uint32_t number; /* of the last one given */
	uint64_t birth;
	struct buf inbox;
	const char *ended_as; /* why the last one was given up; NULL: it was the first */
	bool is_outdated;     /* it has older rules: it reads what it has, and gives way to another one */
};

struct nursery_end {
	struct parsers *parsers;
	struct stream *stream; /* NULL: it is gone */
	int fd;
};

struct parsers {
	struct loop *loop;
	struct parsers_options options;
	struct parsers_owner owner;
	struct nursery_end nurseries[NURSERIES];
	size_t at_work;  /* the nursery that births are asked of */
	uint64_t births; /* so far */
	struct line waiting;
	struct loop_source *lost; /* tells the owner from the loop */
	size_t count;
	struct parser parsers[];
};

/* ---- giving ---- */

static void send_given(struct parser *self)
{
	for (struct job *job = self->given.first; job != NULL; job = job->next) {
		if (job->sent < job_octets(job) && !job_send(job, self->stream))
			return;
	}
}

/* The time of the message that is being read: the first one. */
static void set_patience(struct parser *self)
{
	stream_set_deadline(self->stream, self->count > 0 ? self->parsers->options.patience_us : 0);
}

static void give(struct parser *self, struct job *job)
{
	job_number(job, ++self->number);
	self->octets += job_octets(job);
	line_add(&self->given, job);
	if (self->count++ == 0)
		set_patience(self);
}

static bool takes_more(const struct parser *self)
{
	return self->state == PARSER_READY && !self->is_outdated && self->count < AHEAD_MESSAGES &&
	       self->octets < AHEAD_OCTETS;
}

/* The one with the least to do that may have the job, NULL when nobody takes more. */
static struct parser *idlest(struct parsers *self, const struct job *job)
{
	struct parser *best = NULL;
	for (size_t i = 0; i < self->count; i++) {
		struct parser *parser = &self->parsers[i];
		if (takes_more(parser) && parser->birth > job->after && (best == NULL || parser->octets < best->octets))
			best = parser;
	}
	return best;
}

static void give_all(struct parsers *self)
{
	for (struct parser *parser;
	     self->waiting.first != NULL && (parser = idlest(self, self->waiting.first)) != NULL;) {
		give(parser, line_take(&self->waiting));
		send_given(parser);
	}
}

/* ---- nurseries ---- */

static const struct stream_handlers nursery_handlers;

static enum err take_end(struct parsers *self, size_t index, int fd)
{
	struct nursery_end *end = &self->nurseries[index];
	enum err err = pair_stream(self->loop, fd, &end->stream);
	if (err != ERR_OK)
		return err;
	end->fd = fd;
	stream_start(end->stream, &nursery_handlers, end);
	return ERR_OK;
}

/* Asks the nursery at work for something at the end of a new pair; *ret_fd is the other end. */
static enum err ask_with_pair(struct parsers *self, int type, const struct nursery_order *order, int *ret_fd)
{
	int fds[2];
	enum err err = pair_new(type, fds);
	if (err != ERR_OK)
		return err;
	err = nursery_ask(self->nurseries[self->at_work].fd, order, fds[1]);
	close(fds[1]);
	if (err != ERR_OK)
		close(fds[0]);
	else
		*ret_fd = fds[0];
	return err;
}

static bool is_lost(const struct parsers *self)
{
	return self->nurseries[self->at_work].stream == NULL;
}

/* The one that is gone gets a successor from the other one. */
static void replace_nursery(struct parsers *self, size_t index)
{
	const struct nursery_order order = { .verb = NURSERY_TWIN };
	int fd;
	enum err err = ask_with_pair(self, SOCK_SEQPACKET, &order, &fd);
	if (err == ERR_OK)
		err = take_end(self, index, fd);
	if (err != ERR_OK)
		log_event(LOG_ERROR, "nursery.missing", "outcome=%s", err_name(err));
}

static void lose_nursery(struct nursery_end *end)
{
	struct parsers *self = end->parsers;
	size_t index = (size_t)(end - self->nurseries);
	if (end->stream == NULL)
		return;
	stream_done(end->stream);
	*end = (struct nursery_end){ .parsers = self, .fd = -1 };
	log_event(LOG_WARNING, "nursery.gone", "%s", "");
	if (self->at_work == index)
		self->at_work = (index + 1) % NURSERIES;
	if (is_lost(self))
		loop_wake(self->lost);
	else
		replace_nursery(self, index);
}

static void log_birth(const struct parsers *self, const struct nursery_word *word)
{
	const char *before = self->parsers[word->slot].ended_as;
	int status = word->ended_with;
	if (word->pid == 0)
		log_event(LOG_ERROR, "parser.unborn", "cause=%s",
			  log_quoted(view_of(strerror(word->errno_value)), &(struct log_text){ 0 }));
	else if (before == NULL || before == outdated)
		log_event(LOG_INFO, "parser.started", "pid=%d", (int)word->pid);
	else
		log_event(LOG_WARNING, "parser.replaced", "pid=%d cause=%s signal=%d", (int)word->pid, before,
			  status >= 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

static void on_nursery_word(void *owner, struct view packet)
{
	struct nursery_end *end = owner;
	struct nursery_word word;
	if (!nursery_hear(packet, &word))
		lose_nursery(end);
	else if (word.verb == NURSERY_BEAR && word.slot < end->parsers->count)
		log_birth(end->parsers, &word);
	else if (word.verb == NURSERY_RULES && word.errno_value != 0)
		log_event(LOG_ERROR, "nursery.rules", "pid=%d outcome=refused", (int)word.pid);
	else
		log_event(LOG_DEBUG, "nursery.ready", "pid=%d", (int)word.pid);
}

static void on_nursery_closed(void *owner, int errno_value)
{
	(void)errno_value;
	lose_nursery(owner);
}

static void on_nothing(void *owner)
{
	(void)owner;
}

static const struct stream_handlers nursery_handlers = {
	.on_input = on_nursery_word,
	.on_writable = on_nothing,
	.on_deadline = on_nothing,
	.on_closed = on_nursery_closed,
};

/* ---- the life of a parser ---- */

static const struct stream_handlers parser_handlers;

static void try_birth(struct parser *self)
{
	struct parsers *parsers = self->parsers;
	const struct nursery_order order = { .verb = NURSERY_BEAR, .slot = self->slot };
	int fd;
	if (is_lost(parsers))
		return;
	enum err err = ask_with_pair(parsers, SOCK_STREAM, &order, &fd);
	if (err == ERR_OK)
		err = pair_stream(parsers->loop, fd, &self->stream);
	if (err != ERR_OK) {
		loop_timer_start(self->timer, rebirth_us);
		return;
	}
	self->state = PARSER_BORN;
	self->birth = ++parsers->births;
	stream_start(self->stream, &parser_handlers, self);
	stream_set_deadline(self->stream, birth_us);
}

static void on_birth_time(void *owner)
{
	try_birth(owner);
}

static void finish_first(struct parser *self, struct insight *insight)
{
	struct parsers *parsers = self->parsers;
	struct job *job = line_take(&self->given);
	struct record *record = job->record;
	self->count--;
	self->octets -= job_octets(job);
	job_done(job);
	parsers->owner.on_read(parsers->owner.self, record, insight);
}

static void give_up_first(struct parser *self, const char *cause)
{
	log_event(LOG_WARNING, "message.unread", "cause=%s octets=%zu", cause,
		  self->given.first->record->inquiry.message.len);
	finish_first(self, NULL);
}

/* Everything that was with it waits again, before all others; but what it was reading when it failed has one more chance at most. */
static void take_back(struct parser *self, const char *cause, bool may_be_innocent)
{
	struct parsers *parsers = self->parsers;
	struct job *first = self->given.first;
	if (first != NULL && first->sent > 0 && (first->again || !may_be_innocent))
		give_up_first(self, cause);
	else if (first != NULL && first->sent > 0) {
		first->again = true;
		first->after = parsers->births;
	}
	line_join(&self->given, &parsers->waiting);
	line_join(&parsers->waiting, &self->given);
	self->count = self->octets = 0;
}

static void lose_parser(struct parser *self, const char *cause, bool may_be_innocent)
{
	bool was_ready = self->state == PARSER_READY;
	stream_done(self->stream);
	self->stream = NULL;
	self->state = PARSER_NONE;
	self->ended_as = cause;
	self->is_outdated = false;
	buf_reset(&self->inbox);
	take_back(self, cause, may_be_innocent);
	if (was_ready)
		try_birth(self);
	else
		loop_timer_start(self->timer, rebirth_us);
	give_all(self->parsers);
}

/* True when it was replaced. */
static bool renew(struct parser *self)
{
	bool is_due = self->is_outdated && self->state == PARSER_READY && self->count == 0;
	if (is_due)
		lose_parser(self, outdated, false);
	return is_due;
}

/* ---- what it says ---- */

static bool hear_ready(struct parser *self, const struct frame *frame)
{
	if (self->state != PARSER_BORN || frame->number != 0 || frame->body.len != 0)
		return false;
	self->state = PARSER_READY;
	self->number = 0;
	set_patience(self);
	return true;
}

/* The answer to the first message it has. */
static bool hear_answer(struct parser *self, const struct frame *frame)
{
	struct job *job = self->given.first;
	struct insight insight;
	if (job == NULL || job->number != frame->number || job->sent < job_octets(job) ||
	    insight_parse(frame->body, job->record->inquiry.word_count, &insight) != ERR_OK)
		return false;
	finish_first(self, &insight);
	insight_done(&insight);
	set_patience(self);
	return true;
}

static void on_parser_input(void *owner, struct view octets)
{
	struct parser *self = owner;
	if (buf_add(&self->inbox, octets) != ERR_OK) {
		lose_parser(self, "nonsense", false);
		return;
	}
	struct view rest = buf_view(&self->inbox);
	struct frame frame;
	enum frame_step step;
	bool makes_sense = true;
	while (makes_sense && (step = frame_cut(&rest, FRAME_MOST_ANSWER, &frame)) == FRAME_READ)
		makes_sense = self->state == PARSER_BORN ? hear_ready(self, &frame) : hear_answer(self, &frame);
	if (!makes_sense || step == FRAME_BROKEN) {
		lose_parser(self, "nonsense", false);
		return;
	}
	buf_drop_front(&self->inbox, self->inbox.len - rest.len);
	if (!renew(self))
		give_all(self->parsers);
}

static void on_parser_writable(void *owner)
{
	send_given(owner);
}

/* One that is not even born is its nursery's fault. */
static void on_parser_late(void *owner)
{
	struct parser *self = owner;
	struct parsers *parsers = self->parsers;
	if (self->state == PARSER_BORN)
		lose_nursery(&parsers->nurseries[parsers->at_work]);
	lose_parser(self, "late", false);
}

static void on_parser_closed(void *owner, int errno_value)
{
	(void)errno_value;
	lose_parser(owner, "died", true);
}

static const struct stream_handlers parser_handlers = {
	.on_input = on_parser_input,
	.on_writable = on_parser_writable,
	.on_deadline = on_parser_late,
	.on_closed = on_parser_closed,
};

/* ---- all of them ---- */

static void on_lost(void *owner)
{
	struct parsers *self = owner;
	if (is_lost(self))
		self->owner.on_lost(self->owner.self);
}

static enum err make_parser(struct parsers *self, unsigned slot)
{
	struct parser *parser = &self->parsers[slot];
	*parser = (struct parser){ .parsers = self,
				   .slot = slot,
				   .inbox = buf_with_ceiling(2 * (FRAME_HEAD + FRAME_MOST_ANSWER)) };
	line_init(&parser->given);
	self->count++;
	enum err err = loop_timer_new(self->loop, on_birth_time, parser, &parser->timer);
	if (err == ERR_OK)
		try_birth(parser);
	return err;
}

static enum err open_nurseries(struct parsers *self, int fd)
{
	const struct nursery_order order = { .verb = NURSERY_OPEN,
					     .confine = self->options.confine,
					     .rights = self->options.rights,
					     .most = self->options.most + FRAME_MOST_WORDS * (2 + LIMIT_TOKEN) + 8 };
	for (size_t i = 0; i < NURSERIES; i++)
		self->nurseries[i] = (struct nursery_end){ .parsers = self, .fd = -1 };
	enum err err = take_end(self, 0, fd);
	if (err == ERR_OK)
		err = nursery_ask(fd, &order, -1);
	if (err == ERR_OK && self->options.rules.len > 0)
		err = nursery_ask_rules(fd, self->options.rules);
	for (size_t i = 1; i < NURSERIES && err == ERR_OK; i++)
		replace_nursery(self, i);
	return err;
}

enum err parsers_new(struct loop *loop, const struct parsers_options *options, const struct parsers_owner *owner,
		     struct parsers **ret_parsers)
{
	struct parsers *self = calloc(1, sizeof(*self) + options->count * sizeof(self->parsers[0]));
	if (self == NULL) {
		close(options->nursery);
		return ERR_MEMORY;
	}
	self->loop = loop;
	self->options = *options;
	self->owner = *owner;
	line_init(&self->waiting);
	/* Nobody waits for the nursery's end but by its socket. */
	signal(SIGCHLD, SIG_IGN);
	enum err err = open_nurseries(self, options->nursery);
	if (err == ERR_OK)
		err = loop_waker_new(loop, on_lost, self, &self->lost);
	for (unsigned i = 0; i < options->count && err == ERR_OK; i++)
		err = make_parser(self, i);
	if (err != ERR_OK) {
		parsers_done(self);
		return err;
	}
	*ret_parsers = self;
	return ERR_OK;
}

enum err parsers_set_rules(struct parsers *parsers, struct view rules)
{
	enum err err = ERR_OK;
	for (size_t i = 0; i < NURSERIES; i++) {
		const struct nursery_end *end = &parsers->nurseries[i];
		enum err asked = end->stream == NULL ? ERR_OK : nursery_ask_rules(end->fd, rules);
		err = asked != ERR_OK ? asked : err;
	}
	for (size_t i = 0; i < parsers->count; i++) {
		parsers->parsers[i].is_outdated = parsers->parsers[i].state != PARSER_NONE;
		renew(&parsers->parsers[i]);
	}
	return err;
}

void parsers_done(struct parsers *parsers)
{
	if (parsers == NULL)
		return;
	for (size_t i = 0; i < parsers->count; i++) {
		struct parser *parser = &parsers->parsers[i];
		line_drop(&parser->given);
		stream_done(parser->stream);
		loop_source_done(parser->timer);
		buf_done(&parser->inbox);
	}
	line_drop(&parsers->waiting);
	for (size_t i = 0; i < NURSERIES; i++)
		stream_done(parsers->nurseries[i].stream);
	loop_source_done(parsers->lost);
	free(parsers);
}

enum err parsers_put(struct parsers *parsers, struct record *record)
{
	struct job *job;
	enum err err = job_new(record, &job);
	if (err != ERR_OK)
		return err;
	line_add(&parsers->waiting, job);
	give_all(parsers);
	return ERR_OK;
}
