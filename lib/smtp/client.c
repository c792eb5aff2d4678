#include "smtp/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "smtp/client_states.h"
#include "smtp/dots.h"

/* Reads on until a reply is complete; false when there is nothing more to read. */
static bool read_reply(struct smtp_client *client)
{
	struct view unread = view_skip(buf_view(&client->in), client->in_at);
	if (unread.len == 0 || client->state == STATE_CLOSED)
		return false;
	/* Only now: until here events lent the text of the last reply. */
	if (client->parser.state == REPLY_STATE_DONE)
		reply_parser_reset(&client->parser);
	enum reply_progress progress = reply_feed(&client->parser, &unread);
	client->in_at = client->in.len - unread.len;
	if (progress == REPLY_IS_READ) {
		struct reply reply = reply_read(&client->parser);
		client_on_reply(client, &reply);
	} else if (progress == REPLY_IS_MALFORMED) {
		client_break_off(client, NULL);
	}
	return true;
}

static bool is_amid_reply(const struct smtp_client *client)
{
	return client->in_at < client->in.len ||
	       (client->parser.state != REPLY_STATE_DONE && !reply_parser_is_fresh(&client->parser));
}

/* ---- the owner's side ---- */

enum err smtp_client_new(const struct smtp_client_options *options, struct smtp_client **ret_client)
{
	if (options->tls != SMTP_TLS_NONE || options->credentials != NULL || options->is_lmtp)
		return ERR_INVALID;
	struct smtp_client *client = calloc(1, sizeof(*client));
	if (client == NULL)
		return ERR_MEMORY;
	*client = (struct smtp_client){
		.max_messages = options->max_messages,
		.notify_delay = options->notify_delay,
		.state = STATE_BANNER,
		.rest = STATE_BANNER,
		.mail_line = buf_with_ceiling(LIMIT_COMMAND_LINE),
		.rcpt_line = buf_with_ceiling(LIMIT_COMMAND_LINE),
		.parser = reply_parser_new(),
		.in = buf_with_ceiling(LIMIT_SMTP_INPUT),
		.out = buf_with_ceiling(LIMIT_SMTP_TURN),
		.hello = buf_with_ceiling(LIMIT_DOMAIN),
	};
	client_await(client, STATE_BANNER);
	enum err err = view_has_control(options->helo) ? ERR_INVALID : buf_add(&client->hello, options->helo);
	if (err != ERR_OK) {
		smtp_client_done(client);
		return err;
	}
	*ret_client = client;
	return ERR_OK;
}

void smtp_client_secured(struct smtp_client *client, struct view channel_binding)
{
	(void)channel_binding;
	client_break_off(client, NULL);
}

void smtp_client_done(struct smtp_client *client)
{
	if (client == NULL)
		return;
	buf_done(&client->mail_line);
	buf_done(&client->rcpt_line);
	reply_parser_done(&client->parser);
	buf_done(&client->in);
	buf_done(&client->out);
	buf_done(&client->hello);
	free(client);
}

void smtp_client_input(struct smtp_client *client, struct view bytes)
{
	if (client->state == STATE_CLOSED)
		return;
	if (client->in_at == client->in.len) {
		buf_reset(&client->in);
		client->in_at = 0;
	}
	if (buf_add(&client->in, bytes) != ERR_OK)
		client_break_off(client, NULL);
}

void smtp_client_lost(struct smtp_client *client)
{
	if (client->state == STATE_CLOSED)
		return;
	if (client_is_done_with(client))
		client_close(client);
	else
		client_break_off(client, NULL);
}

static bool takes_envelope(const struct smtp_client *client)
{
	bool is_greeted = client->rest == STATE_READY && client->state != STATE_QUIT;
	bool may_speak = client->offers.has[SMTP_PIPELINING] || client->awaited_count == 0;
	return is_greeted && may_speak && !client->quits && !client->ends && client->open.phase == OPEN_NONE;
}

static void next_turn(struct smtp_client *client, struct smtp_event *ret_event)
{
	*ret_event = (struct smtp_event){ .type = SMTP_NEEDS_INPUT, .step = client_step(client) };
	if (client->state == STATE_CLOSED) {
		ret_event->type = SMTP_CLOSED;
	} else if (client->has_to_ask) {
		client->has_to_ask = false;
		ret_event->type = SMTP_ASKS_CONTENT;
		ret_event->id = client->open.id;
	} else if (takes_envelope(client) && !client->has_offered) {
		client->has_offered = true;
		ret_event->type = SMTP_TAKES_ENVELOPE;
	} else if (client->state == STATE_READY && client->quits) {
		client_say_quit(client);
	}
}

void smtp_client_next(struct smtp_client *client, struct smtp_event *ret_event)
{
	while (client->event_count == 0 && read_reply(client))
		;
	if (client->event_count == 0 && client->state != STATE_CLOSED && buf_err(&client->out) != ERR_OK)
		client_break_off(client, NULL);
	if (client->event_count == 0) {
		next_turn(client, ret_event);
		return;
	}
	*ret_event = client->events[0];
	client->event_count--;
	memmove(client->events, client->events + 1, client->event_count * sizeof(client->events[0]));
}

#define TOO_LARGE "5.3.4 The message is larger than the server takes"
#define NOT_ASCII "5.6.7 The server does not take international addresses (SMTPUTF8)"

/* What the server is known to refuse is not asked of it; false when it is such. */
static bool is_within_offers(struct smtp_client *client, uint64_t id, const struct smtp_envelope *envelope)
{
	static const struct reply too_large = {
		.code = 552,
		.status = { .class_digit = 5, .subject = 3, .detail = 4 },
		.text = { TOO_LARGE, sizeof(TOO_LARGE) - 1 },
	};
	static const struct reply not_ascii = {
		.code = 550,
		.status = { .class_digit = 5, .subject = 6, .detail = 7 },
		.text = { NOT_ASCII, sizeof(NOT_ASCII) - 1 },
	};
	const struct reply *refusal = NULL;
	if (client->offers.max_size > 0 && envelope->size > client->offers.max_size)
		refusal = &too_large;
	else if (envelope_needs_smtputf8(envelope) && !client->offers.has[SMTP_SMTPUTF8])
		refusal = &not_ascii;
	if (refusal == NULL)
		return true;
	client_tell(client, SMTP_REFUSED, id, refusal);
	client->events[client->event_count - 1].step = SMTP_STEP_RCPT;
	return false;
}

enum err smtp_client_envelope(struct smtp_client *client, uint64_t id, const struct smtp_envelope *envelope)
{
	if (!takes_envelope(client) || !client->has_offered || client->event_count > 0)
		return ERR_REFUSED;
	if (!envelope_is_valid(envelope))
		return ERR_INVALID;
	if (!is_within_offers(client, id, envelope)) {
		client->has_offered = false;
		return ERR_OK;
	}
	buf_reset(&client->mail_line);
	buf_reset(&client->rcpt_line);
	envelope_write_mail(envelope, &client->offers, &client->mail_line);
	envelope_write_rcpt(envelope, &client->offers, client->notify_delay, &client->rcpt_line);
	if (buf_err(&client->mail_line) != ERR_OK || buf_err(&client->rcpt_line) != ERR_OK)
		return ERR_MEMORY;
	client->has_offered = false;
	enum state first = client->needs_reset ? STATE_RSET : STATE_MAIL;
	client->open = (struct open_message){ .phase = OPEN_WANTED, .id = id, .unsaid = first };
	client->needs_reset = false;
	client->taken++;
	client->quits = client->quits || client->taken == client->max_messages;
	client_say_commands(client);
	return ERR_OK;
}

enum err smtp_client_content(struct smtp_client *client, uint64_t id, struct view message)
{
	if (client->state != STATE_CONTENT || client->has_to_ask || client->open.id != id)
		return ERR_REFUSED;
	if (is_amid_reply(client)) {
		/* It would pass for the reply to the final dot. */
		client_break_off(client, NULL);
		return ERR_REFUSED;
	}
	enum err err = dots_stuff(message, &client->out);
	if (err != ERR_OK)
		return err;
	enum { FINAL_DOT_LEN = 3 };
	client->sent =
	    (struct sent_message){ .is_awaited = true, .id = id, .dot_at = client_said(client) - FINAL_DOT_LEN };
	client->open.phase = OPEN_NONE;
	client->rest = STATE_READY;
	client_await(client, STATE_FINAL_DOT);
	return ERR_OK;
}

void smtp_client_abandon(struct smtp_client *client)
{
	if (client->state != STATE_CONTENT)
		return;
	client_give_back(client);
	client_close(client);
}

void smtp_client_quit(struct smtp_client *client)
{
	client->quits = true;
}

struct view smtp_client_output(const struct smtp_client *client)
{
	return view_skip(buf_view(&client->out), client->out_at);
}

void smtp_client_written(struct smtp_client *client, size_t count)
{
	size_t unwritten = client->out.len - client->out_at;
	count = count < unwritten ? count : unwritten;
	client->written += count;
	client->out_at += count;
	if (client->out_at == client->out.len) {
		buf_cut(&client->out, 0);
		client->out_at = 0;
	}
}

enum smtp_step smtp_client_waits_for(const struct smtp_client *client)
{
	return client_step(client);
}

bool smtp_client_is_idle(const struct smtp_client *client)
{
	return client->state == STATE_READY && client->event_count == 0 && smtp_client_output(client).len == 0;
}
