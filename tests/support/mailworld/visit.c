/* One connection to the mail world: the server's machine on a stream, its questions answered by the rules. */
#include <stdlib.h>

#include "base/clock.h"
#include "tests/support/mailworld/world.h"

enum {
	MESSAGE_MAX = 32 << 20,
	RECIPIENTS_MAX = 100,
	IDLE_US = 300 * CLOCK_US_PER_SECOND,
};

struct visit {
	struct world *world;
	struct stream *stream;
	struct smtp_server *server;
	struct loop_source *timer;        /* of a slow answer */
	struct smtp_server_answer answer; /* the slow one */
	const struct rule *rule;          /* of the last recipient */
	uint64_t number;
	bool drops_content; /* of the present transaction */
	bool is_dropped;
};

static void visit_end(struct visit *visit)
{
	stream_done(visit->stream);
	smtp_server_done(visit->server);
	loop_source_done(visit->timer);
	free(visit);
}

static const enum rule_point points[] = {
	[SMTP_SERVER_BANNER] = POINT_BANNER, [SMTP_SERVER_HELO] = POINT_EHLO, [SMTP_SERVER_MAIL] = POINT_MAIL,
	[SMTP_SERVER_RCPT] = POINT_RCPT,     [SMTP_SERVER_DATA] = POINT_DATA, [SMTP_SERVER_MESSAGE] = POINT_DOT,
	[SMTP_SERVER_QUIT] = POINT_QUIT,
};
_Static_assert(ARRAY_LEN(points) == SMTP_SERVER_STEP_COUNT, "one point per step");

static void drop(struct visit *visit)
{
	visit->world->counts.dropped++;
	visit->is_dropped = true;
}

static struct smtp_server_answer refusal(const struct rule *rule)
{
	return (struct smtp_server_answer){ .code = rule->code, .status = rule->status, .text = rule->text };
}

/* What the rule says at this point; the usual answer when it says nothing. */
static struct smtp_server_answer apply(struct visit *visit, const struct rule *rule, enum rule_point point)
{
	struct smtp_server_answer answer = { .code = 0 };
	if (rule == NULL || rule->point != point)
		return answer;
	if (rule->action == RULE_DROP) {
		drop(visit);
	} else if (rule->action == RULE_REFUSE) {
		visit->world->counts.refused++;
		answer = refusal(rule);
	}
	return answer;
}

static struct smtp_server_answer answer_rcpt(struct visit *visit, struct view address)
{
	struct world *world = visit->world;
	const struct rule *rule = rules_for_recipient(world->rules, address);
	visit->rule = rule;
	if (rule->report != NULL && !postman_has_room(world->postman))
		return (struct smtp_server_answer){ .code = 452,
						    .status = VIEW_LIT("4.3.1"),
						    .text = VIEW_LIT("Too many reports") };
	if (rule->action == RULE_DEFER && attempts_count(&world->attempts, rule->line, address) < rule->times) {
		world->counts.deferred++;
		return refusal(rule);
	}
	return apply(visit, rule, POINT_RCPT);
}

static bool is_drop_at(const struct rule *rule, enum rule_point point)
{
	return rule != NULL && rule->action == RULE_DROP && rule->point == point;
}

static struct smtp_server_answer answer_data(struct visit *visit)
{
	visit->drops_content = is_drop_at(visit->rule, POINT_CONTENT) ||
			       is_drop_at(rules_for_session(visit->world->rules, POINT_CONTENT), POINT_CONTENT);
	return apply(visit, visit->rule, POINT_DATA);
}

static struct smtp_server_answer answer_message(struct visit *visit)
{
	struct smtp_server_answer answer = apply(visit, visit->rule, POINT_DOT);
	bool is_kept = is_drop_at(visit->rule, POINT_KEPT) ||
		       is_drop_at(rules_for_session(visit->world->rules, POINT_KEPT), POINT_KEPT);
	if (visit->is_dropped || answer.code != 0)
		return answer;
	struct smtp_server_message message;
	smtp_server_message(visit->server, &message);
	if (!world_accept(visit->world, &message, visit->rule, visit->number))
		return (struct smtp_server_answer){ .code = 451,
						    .status = VIEW_LIT("4.3.0"),
						    .text = VIEW_LIT("Cannot keep it") };
	if (is_kept)
		drop(visit);
	return answer;
}

/* Answers what was asked, perhaps later. */
static void on_ask(struct visit *visit, const struct smtp_server_event *event)
{
	enum rule_point point = points[event->step];
	const struct rule *rule = rules_for_session(visit->world->rules, point);
	struct smtp_server_answer answer = apply(visit, rule, point);
	bool is_decided = visit->is_dropped || answer.code != 0;
	if (!is_decided && event->step == SMTP_SERVER_RCPT)
		answer = answer_rcpt(visit, event->subject);
	else if (!is_decided && event->step == SMTP_SERVER_MESSAGE)
		answer = answer_message(visit);
	else if (!is_decided && event->step == SMTP_SERVER_DATA)
		answer = answer_data(visit);
	if (rule == NULL && visit->rule != NULL && (point == POINT_DOT || visit->rule->point == point))
		rule = visit->rule;
	if (visit->is_dropped)
		return;
	if (rule == NULL || rule->slow_ms == 0) {
		smtp_server_answer(visit->server, &answer);
		return;
	}
	visit->answer = answer;
	loop_timer_start(visit->timer, (int64_t)rule->slow_ms * CLOCK_US_PER_MS);
}

/* Does what can be done now. The last call of every callback: the visit may be over behind it. */
static void work(struct visit *visit)
{
	struct smtp_server_event event;
	do {
		smtp_server_next(visit->server, &event);
		if (event.type == SMTP_SERVER_ASKS)
			on_ask(visit, &event);
	} while (event.type == SMTP_SERVER_ASKS && !visit->is_dropped);
	if (visit->is_dropped) {
		visit_end(visit);
		return;
	}
	smtp_server_written(visit->server, stream_write(visit->stream, smtp_server_output(visit->server)));
	bool is_written = smtp_server_output(visit->server).len == 0;
	if (event.type == SMTP_SERVER_CLOSED && is_written) {
		visit_end(visit);
		return;
	}
	stream_pause_input(visit->stream, !smtp_server_wants_input(visit->server));
}

static void on_input(void *owner, struct view bytes)
{
	struct visit *visit = owner;
	if (visit->drops_content && smtp_server_is_in_data(visit->server)) {
		visit->world->counts.dropped++;
		visit_end(visit);
		return;
	}
	stream_set_deadline(visit->stream, IDLE_US);
	smtp_server_input(visit->server, bytes);
	work(visit);
}

static void on_writable(void *owner)
{
	work(owner);
}

static void on_slow_answer(void *owner)
{
	struct visit *visit = owner;
	smtp_server_answer(visit->server, &visit->answer);
	work(visit);
}

static void on_deadline(void *owner)
{
	visit_end(owner);
}

static void on_closed(void *owner, int errno_value)
{
	(void)errno_value;
	visit_end(owner);
}

static const struct stream_handlers handlers = {
	.on_input = on_input,
	.on_writable = on_writable,
	.on_deadline = on_deadline,
	.on_closed = on_closed,
};

void visit_begin(struct world *world, struct stream *stream)
{
	struct smtp_server_options options = {
		.hostname = world->hostname,
		.asks = (1u << SMTP_SERVER_STEP_COUNT) - 1,
		.max_message = MESSAGE_MAX,
		.max_recipients = RECIPIENTS_MAX,
	};
	struct visit *visit = calloc(1, sizeof(*visit));
	if (visit == NULL) {
		stream_done(stream);
		return;
	}
	*visit = (struct visit){ .world = world, .stream = stream, .number = ++world->counts.connections };
	if (smtp_server_new(&options, &visit->server) != ERR_OK ||
	    loop_timer_new(world->loop, on_slow_answer, visit, &visit->timer) != ERR_OK) {
		visit_end(visit);
		return;
	}
	stream_start(stream, &handlers, visit);
	stream_set_deadline(stream, IDLE_US);
	work(visit);
}
