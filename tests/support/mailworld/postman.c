#include "tests/support/mailworld/postman.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "net/stream.h"
#include "smtp/client.h"

enum {
	COURIERS = 4,
	IN_HAND_MAX = 2, /* one whose content is out, one whose envelope is */
	QUEUE_MAX = 100000,
	HEADERS_MAX = 16 << 10, /* of the returned message */
	REPORT_MAX = 128 << 10,
	RETRY_US = 500 * CLOCK_US_PER_MS,
	REPLY_US = 60 * CLOCK_US_PER_SECOND,
};

struct report {
	int64_t due_us; /* boot clock */
	const struct shape *shape;
	struct report_facts facts; /* into text */
	struct buf text;
	uint64_t id; /* of one copy; facts.number is alike in all */
};

struct courier {
	struct postman *postman;
	struct stream *stream;
	struct smtp_client *client;
	struct report *in_hand[IN_HAND_MAX];
	bool takes_envelope;
};

struct postman {
	struct loop *loop;
	struct endpoint to;
	struct view hostname;
	struct loop_source *timer;
	struct courier couriers[COURIERS];
	struct report **heap; /* by due_us */
	size_t count;
	uint64_t number, id;
	int64_t rest_until_us; /* the host was not there */
	struct postman_counts counts;
	struct buf message;
};

static void on_due(void *owner);

/* ---- the heap ---- */

static void swap(struct report **a, struct report **b)
{
	struct report *held = *a;
	*a = *b;
	*b = held;
}

static void push(struct postman *postman, struct report *report)
{
	struct report **heap = postman->heap;
	size_t at = postman->count++;
	heap[at] = report;
	while (at > 0 && heap[at]->due_us < heap[(at - 1) / 2]->due_us) {
		swap(&heap[at], &heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
}

static struct report *pop(struct postman *postman)
{
	struct report **heap = postman->heap;
	struct report *first = heap[0];
	heap[0] = heap[--postman->count];
	for (size_t at = 0;;) {
		size_t child = 2 * at + 1;
		if (child + 1 < postman->count && heap[child + 1]->due_us < heap[child]->due_us)
			child++;
		if (child >= postman->count || heap[at]->due_us <= heap[child]->due_us)
			return first;
		swap(&heap[at], &heap[child]);
		at = child;
	}
}

static bool has_due(const struct postman *postman)
{
	return postman->count > 0 && postman->heap[0]->due_us <= clock_boot_us();
}

static void set_timer(struct postman *postman)
{
	if (postman->count == 0)
		return;
	int64_t due_us = postman->heap[0]->due_us;
	if (due_us < postman->rest_until_us)
		due_us = postman->rest_until_us;
	int64_t after_us = due_us - clock_boot_us();
	loop_timer_start(postman->timer, after_us < 0 ? 0 : after_us);
}

/* ---- reports ---- */

static void report_done(struct report *report)
{
	buf_done(&report->text);
	free(report);
}

static void put_back(struct postman *postman, struct report *report)
{
	report->due_us = clock_boot_us() + RETRY_US;
	push(postman, report);
	postman->counts.retried++;
	set_timer(postman);
}

/* The views of the facts are copied into one text, which must not move once they are taken. */
static enum err copy_facts(struct report *report, const struct report_facts *facts, struct view hostname)
{
	struct view headers = view_head(facts->headers, HEADERS_MAX);
	struct view *views[] = { &report->facts.return_path, &report->facts.recipient, &report->facts.status,
				 &report->facts.diagnostic,  &report->facts.headers,   &report->facts.content };
	struct view sources[] = {
		facts->return_path, facts->recipient, facts->status,
		facts->diagnostic,  headers,          report->shape->is_message ? facts->content : VIEW_LIT("")
	};
	for (size_t i = 0; i < ARRAY_LEN(sources); i++)
		buf_add(&report->text, sources[i]);
	if (buf_err(&report->text) != ERR_OK)
		return buf_err(&report->text);
	size_t at = 0;
	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		*views[i] = view_slice(buf_view(&report->text), at, at + sources[i].len);
		at += sources[i].len;
	}
	report->facts.hostname = hostname;
	return ERR_OK;
}

static enum err queue_copy(struct postman *postman, const struct errand *errand, int64_t written_us)
{
	struct report *report = calloc(1, sizeof(*report));
	if (report == NULL)
		return ERR_MEMORY;
	report->text = buf_with_ceiling(REPORT_MAX);
	report->shape = errand->shape;
	report->due_us = clock_boot_us() + errand->after_us;
	enum err err = copy_facts(report, &errand->facts, postman->hostname);
	if (err != ERR_OK) {
		report_done(report);
		return err;
	}
	report->facts.number = postman->number;
	report->facts.written_us = written_us;
	report->id = ++postman->id;
	push(postman, report);
	return ERR_OK;
}

bool postman_has_room(const struct postman *postman)
{
	/* What is in hand comes back to the queue when it fails. */
	return postman->count + (size_t)COURIERS * IN_HAND_MAX < QUEUE_MAX;
}

enum err postman_take(struct postman *postman, const struct errand *errand)
{
	int64_t now_us = clock_wall_us();
	postman->number++;
	for (uint64_t i = 0; i < errand->copies; i++) {
		enum err err = postman_has_room(postman) ? queue_copy(postman, errand, now_us) : ERR_TOO_BIG;
		if (err != ERR_OK)
			return err;
	}
	set_timer(postman);
	return ERR_OK;
}

/* ---- a courier ---- */

static struct report **find_in_hand(struct courier *courier, uint64_t id)
{
	for (size_t i = 0; i < IN_HAND_MAX; i++) {
		if (courier->in_hand[i] != NULL && courier->in_hand[i]->id == id)
			return &courier->in_hand[i];
	}
	return NULL;
}

static void end_report(struct courier *courier, const struct smtp_event *event)
{
	struct postman *postman = courier->postman;
	struct report **place = find_in_hand(courier, event->id);
	if (place == NULL)
		return;
	struct report *report = *place;
	*place = NULL;
	bool is_final = event->type == SMTP_ACCEPTED || event->type == SMTP_UNFIT ||
			(event->type == SMTP_REFUSED && event->reply.code >= 500);
	if (!is_final) {
		postman->counts.doubtful += event->type == SMTP_IN_DOUBT;
		put_back(postman, report);
		return;
	}
	if (event->type == SMTP_ACCEPTED)
		postman->counts.delivered++;
	else
		postman->counts.refused++;
	report_done(report);
}

static void give_content(struct courier *courier, uint64_t id)
{
	struct report **place = find_in_hand(courier, id);
	struct buf *message = &courier->postman->message;
	buf_reset(message);
	if (place != NULL)
		(*place)->shape->write(&(*place)->facts, message);
	if (place == NULL || buf_err(message) != ERR_OK ||
	    smtp_client_content(courier->client, id, buf_view(message)) != ERR_OK)
		smtp_client_abandon(courier->client);
}

static void give_envelope(struct courier *courier)
{
	struct postman *postman = courier->postman;
	size_t free_hand = courier->in_hand[0] == NULL ? 0 : 1;
	if (!courier->takes_envelope || !has_due(postman) || courier->in_hand[free_hand] != NULL)
		return;
	struct report *report = pop(postman);
	struct smtp_envelope envelope = {
		.from = report->shape->is_from_recipient ? report->facts.recipient : VIEW_LIT(""),
		.to = report->facts.return_path,
	};
	if (report->shape->is_message)
		envelope = (struct smtp_envelope){ .from = report->facts.return_path, .to = report->facts.recipient };
	courier->takes_envelope = false;
	if (smtp_client_envelope(courier->client, report->id, &envelope) == ERR_OK) {
		courier->in_hand[free_hand] = report;
		return;
	}
	postman->counts.refused++;
	report_done(report);
}

static void hang_up(struct courier *courier)
{
	stream_done(courier->stream);
	smtp_client_done(courier->client);
	courier->stream = NULL;
	courier->client = NULL;
	courier->takes_envelope = false;
	set_timer(courier->postman);
}

/* One event's consequence; false when there is nothing more to do now. */
static bool on_event(struct courier *courier, const struct smtp_event *event)
{
	switch (event->type) {
	case SMTP_TAKES_ENVELOPE:
		courier->takes_envelope = true;
		return true;
	case SMTP_ASKS_CONTENT:
		give_content(courier, event->id);
		return true;
	case SMTP_ACCEPTED:
	case SMTP_REFUSED:
	case SMTP_UNFIT:
	case SMTP_NOT_SENT:
	case SMTP_IN_DOUBT:
		end_report(courier, event);
		return true;
	case SMTP_TROUBLE:
		courier->postman->rest_until_us = clock_boot_us() + RETRY_US;
		return true;
	case SMTP_NEEDS_INPUT:
	case SMTP_ASKS_TLS:
	case SMTP_CLOSED:
		return false;
	}
	return false;
}

static void work(struct courier *courier)
{
	struct smtp_event event;
	do {
		give_envelope(courier);
		if (courier->postman->count == 0)
			smtp_client_quit(courier->client);
		smtp_client_next(courier->client, &event);
	} while (on_event(courier, &event));
	if (event.type == SMTP_CLOSED) {
		hang_up(courier);
		return;
	}
	stream_set_deadline(courier->stream, REPLY_US);
	size_t count = stream_write(courier->stream, smtp_client_output(courier->client));
	smtp_client_written(courier->client, count);
}

static void on_input(void *owner, struct view bytes)
{
	struct courier *courier = owner;
	smtp_client_input(courier->client, bytes);
	work(courier);
}

static void on_ready(void *owner)
{
	work(owner);
}

static void on_lost(struct courier *courier)
{
	smtp_client_lost(courier->client);
	work(courier);
}

static void on_deadline(void *owner)
{
	on_lost(owner);
}

static void on_closed(void *owner, int errno_value)
{
	(void)errno_value;
	on_lost(owner);
}

static const struct stream_handlers handlers = {
	.on_connected = on_ready,
	.on_input = on_input,
	.on_writable = on_ready,
	.on_deadline = on_deadline,
	.on_closed = on_closed,
};

static bool call(struct courier *courier)
{
	struct postman *postman = courier->postman;
	struct smtp_client_options options = { .helo = postman->hostname };
	if (smtp_client_new(&options, &courier->client) != ERR_OK)
		return false;
	if (stream_connect(postman->loop, &postman->to, RETRY_US, &handlers, courier, &courier->stream) == ERR_OK)
		return true;
	smtp_client_done(courier->client);
	courier->client = NULL;
	return false;
}

/* ---- the postman ---- */

static void on_due(void *owner)
{
	struct postman *postman = owner;
	if (postman->rest_until_us > clock_boot_us()) {
		set_timer(postman);
		return;
	}
	bool failed = false;
	for (size_t i = 0; i < COURIERS && has_due(postman) && !failed; i++) {
		struct courier *courier = &postman->couriers[i];
		if (courier->client == NULL)
			failed = !call(courier);
		else
			work(courier);
	}
	if (failed)
		postman->rest_until_us = clock_boot_us() + RETRY_US;
	/* Couriers that are busy look into the queue themselves; this is for what they left. */
	if (has_due(postman) && postman->rest_until_us <= clock_boot_us())
		loop_timer_start(postman->timer, CLOCK_US_PER_MS * 10);
	else
		set_timer(postman);
}

enum err postman_new(struct loop *loop, const struct endpoint *to, struct view hostname, struct postman **ret_postman)
{
	struct postman *postman = calloc(1, sizeof(*postman));
	if (postman == NULL)
		return ERR_MEMORY;
	*postman =
	    (struct postman){ .loop = loop, .to = *to, .hostname = hostname, .message = buf_with_ceiling(REPORT_MAX) };
	for (size_t i = 0; i < COURIERS; i++)
		postman->couriers[i].postman = postman;
	postman->heap = calloc(QUEUE_MAX, sizeof(*postman->heap));
	if (postman->heap == NULL || loop_timer_new(loop, on_due, postman, &postman->timer) != ERR_OK) {
		postman_done(postman);
		return ERR_MEMORY;
	}
	*ret_postman = postman;
	return ERR_OK;
}

void postman_done(struct postman *postman)
{
	if (postman == NULL)
		return;
	for (size_t i = 0; i < COURIERS; i++) {
		struct courier *courier = &postman->couriers[i];
		for (size_t k = 0; k < IN_HAND_MAX; k++) {
			if (courier->in_hand[k] != NULL)
				report_done(courier->in_hand[k]);
		}
		stream_done(courier->stream);
		smtp_client_done(courier->client);
	}
	for (size_t i = 0; i < postman->count; i++)
		report_done(postman->heap[i]);
	loop_source_done(postman->timer);
	buf_done(&postman->message);
	free(postman->heap);
	free(postman);
}

struct postman_counts postman_counts(const struct postman *postman)
{
	struct postman_counts counts = postman->counts;
	counts.waiting = postman->count;
	for (size_t i = 0; i < COURIERS; i++) {
		for (size_t k = 0; k < IN_HAND_MAX; k++)
			counts.waiting += postman->couriers[i].in_hand[k] != NULL;
	}
	return counts;
}
