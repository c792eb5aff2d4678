#include "smtp/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "smtp/client_states.h"
#include "smtp/content.h"

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
		client->replies++;
		client_on_reply(client, &reply);
	} else if (progress == REPLY_IS_MALFORMED) {
		client_break_off_for(client, client_step(client), reply_fault(&client->parser));
	}
	return true;
}

static bool is_amid_reply(const struct smtp_client *client)
{
	return client->in_at < client->in.len ||
	       (client->parser.state != REPLY_STATE_DONE && !reply_parser_is_fresh(&client->parser));
}

/* ---- the owner's side: life ---- */

/* Credentials are never said where others could read them. */
static bool is_safe(const struct smtp_client_options *options)
{
	return options->credentials == NULL || options->tls != SMTP_TLS_NONE || options->is_local;
}

static bool make_rings(struct smtp_client *client)
{
	client->transaction_cap =
	    client->in_flight > TRANSACTIONS_LEAST ? client->in_flight : (size_t)TRANSACTIONS_LEAST;
	client->awaited_cap = client->transaction_cap * COMMANDS_MOST + 1;
	client->event_cap = client->transaction_cap + EVENTS_BESIDES_TRANSACTIONS;
	client->transactions = calloc(client->transaction_cap, sizeof(*client->transactions));
	client->awaited = calloc(client->awaited_cap, sizeof(*client->awaited));
	client->events = calloc(client->event_cap, sizeof(*client->events));
	return client->transactions != NULL && client->awaited != NULL && client->events != NULL;
}

static enum err make(struct smtp_client *client, const struct smtp_client_options *options)
{
	if (!is_safe(options) || view_has_control(options->helo))
		return ERR_INVALID;
	if (!make_rings(client))
		return ERR_MEMORY;
	enum err err = buf_add(&client->hello, options->helo);
	if (err == ERR_OK && options->credentials != NULL)
		err = auth_new(options->credentials, &client->auth);
	return err;
}

static unsigned in_flight_of(const struct smtp_client_options *options)
{
	if (options->in_flight < 1)
		return 1;
	return options->in_flight < LIMIT_IN_FLIGHT ? options->in_flight : (unsigned)LIMIT_IN_FLIGHT;
}

enum err smtp_client_new(const struct smtp_client_options *options, struct smtp_client **ret_client)
{
	struct smtp_client *client = calloc(1, sizeof(*client));
	if (client == NULL)
		return ERR_MEMORY;
	*client = (struct smtp_client){
		.max_messages = options->max_messages,
		.is_lmtp = options->is_lmtp,
		.is_local = options->is_local,
		.tls = options->tls,
		.in_flight = in_flight_of(options),
		.notify_delay = options->notify_delay,
		.keeps_step = options->keeps_step,
		.state = STATE_BANNER,
		.rest = STATE_BANNER,
		.mail_line = buf_with_ceiling(LIMIT_COMMAND_LINE),
		.rcpt_line = buf_with_ceiling(LIMIT_COMMAND_LINE),
		.domains = domain_set_new(),
		.parser = reply_parser_new(),
		.in = buf_with_ceiling(LIMIT_SMTP_INPUT),
		.out = buf_with_ceiling(LIMIT_SMTP_TURN),
		.hello = buf_with_ceiling(LIMIT_DOMAIN),
		.note = buf_with_ceiling(LIMIT_WHY),
		.held_text = buf_with_ceiling(LIMIT_WHY),
	};
	enum err err = make(client, options);
	if (err != ERR_OK) {
		smtp_client_done(client);
		return err;
	}
	client_await(client, STATE_BANNER);
	*ret_client = client;
	return ERR_OK;
}

void smtp_client_done(struct smtp_client *client)
{
	if (client == NULL)
		return;
	auth_done(client->auth);
	buf_done(&client->mail_line);
	buf_done(&client->rcpt_line);
	domain_set_done(&client->domains);
	reply_parser_done(&client->parser);
	buf_done(&client->in);
	/* AUTH may not have left it. */
	buf_wipe(&client->out);
	buf_done(&client->hello);
	buf_done(&client->note);
	buf_done(&client->held_text);
	free(client->transactions);
	free(client->awaited);
	free(client->events);
	free(client);
}

/* ---- the owner's side: the wire ---- */

#define TOO_MUCH "the server says more at once than can be kept"
#define UNASKED "the server says something that it was not asked for"
#define NOT_SECURED "the server spoke before the connection was secure"

/* Nothing may be read before the handshake that the server's words are to be protected by. */
static bool is_unprotected(const struct smtp_client *client)
{
	return client->state == STATE_TLS || (client->tls == SMTP_TLS_IMPLICIT && !client->is_secured);
}

void smtp_client_input(struct smtp_client *client, struct view bytes)
{
	if (client->state == STATE_CLOSED || bytes.len == 0)
		return;
	if (is_unprotected(client)) {
		client_break_off_for(client, SMTP_STEP_STARTTLS, VIEW_LIT(NOT_SECURED));
		return;
	}
	if (client->in_at == client->in.len) {
		buf_reset(&client->in);
		client->in_at = 0;
	}
	if (buf_add(&client->in, bytes) != ERR_OK)
		client_break_off_for(client, client_step(client), VIEW_LIT(TOO_MUCH));
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

void smtp_client_closed(struct smtp_client *client)
{
	if (client->farewell == FAREWELL_LAST_WORD && client->state != STATE_CLOSED && !is_amid_reply(client))
		client_leave(client);
	else
		smtp_client_lost(client);
}

bool smtp_client_is_dismissed(const struct smtp_client *client)
{
	return client->farewell != FAREWELL_UNSAID;
}

/* Everything that was learnt before is forgotten (RFC 3207 section 4.2). */
static void forget(struct smtp_client *client)
{
	client->offers = (struct smtp_offers){ .max_size = 0 };
	reply_parser_reset(&client->parser);
	buf_reset(&client->in);
	client->in_at = 0;
}

void smtp_client_secured(struct smtp_client *client, struct view channel_binding)
{
	bool is_in_turn = client->state == STATE_TLS && !client->has_to_ask_tls;
	bool is_at_start = client->tls == SMTP_TLS_IMPLICIT && client->state == STATE_BANNER && client->in.len == 0;
	if (client->state == STATE_CLOSED)
		return;
	if (client->is_secured || (!is_in_turn && !is_at_start)) {
		client_break_off(client, NULL);
		return;
	}
	client->is_secured = true;
	client->channel_binding_len = channel_binding.len <= CHANNEL_BINDING_MOST ? channel_binding.len : 0;
	if (client->channel_binding_len > 0)
		memcpy(client->channel_binding, channel_binding.data, client->channel_binding_len);
	forget(client);
	if (is_in_turn)
		client_say_hello(client);
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
	if (client->out_at < client->out.len)
		return;
	if (client->state == STATE_AUTH)
		explicit_bzero(client->out.data, client->out.len);
	buf_cut(&client->out, 0);
	client->out_at = 0;
}

/* What was written goes when it is the larger part, so that a connection that is never quite idle does not grow. */
static void make_room(struct smtp_client *client)
{
	if (client->out_at == 0 || client->out_at < client->out.len - client->out_at)
		return;
	buf_drop_front(&client->out, client->out_at);
	client->out_at = 0;
}

/* ---- the owner's side: events ---- */

static bool has_room_for_another(struct smtp_client *client)
{
	if (client->transaction_count > 0 && !client_back(client)->has_content)
		return false;
	if (client->keeps_step)
		return client->transaction_count == 0 && client->awaited_count == 0;
	if (client_uses_chunks(client))
		return client->transaction_count < client->in_flight &&
		       client->out.len - client->out_at <= LIMIT_SMTP_UNWRITTEN;
	return client->offers.has[SMTP_PIPELINING] || client->awaited_count == 0;
}

static bool takes_envelope(struct smtp_client *client)
{
	bool is_greeted = client->rest == STATE_READY && client->state != STATE_QUIT;
	return is_greeted && !client->quits && !client->ends && has_room_for_another(client);
}

static void next_turn(struct smtp_client *client, struct smtp_event *ret_event)
{
	*ret_event = (struct smtp_event){ .type = SMTP_NEEDS_INPUT, .step = client_step(client) };
	if (client->state == STATE_CLOSED) {
		ret_event->type = SMTP_CLOSED;
	} else if (client->has_to_ask_tls) {
		client->has_to_ask_tls = false;
		ret_event->type = SMTP_ASKS_TLS;
	} else if (client->has_to_ask) {
		client->has_to_ask = false;
		ret_event->type = SMTP_ASKS_CONTENT;
		ret_event->id = client_back(client)->id;
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
	*ret_event = client->events[client->event_first];
	client->event_count--;
	client->event_first = client->event_first + 1 < client->event_cap ? client->event_first + 1 : 0;
}

/* ---- the owner's side: messages ---- */

#define TOO_LARGE "5.3.4 The message is larger than the server takes"
#define NOT_ASCII "5.6.7 The server does not take international addresses (SMTPUTF8)"

/* What the server is known not to take is not asked of it; false when it is such. */
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
	client_tell(client, SMTP_UNFIT, id, refusal)->step = SMTP_STEP_MAIL;
	return false;
}

/* A domain too many for this session goes on another one. */
static bool is_within_limits(struct smtp_client *client, uint64_t id, const struct smtp_envelope *envelope)
{
	uint64_t most = client->offers.max_domains;
	if (most == 0 || domain_set_take(&client->domains, envelope->to, most))
		return true;
	client->quits = true;
	client_tell(client, SMTP_NOT_SENT, id, NULL);
	return false;
}

static enum err write_lines(struct smtp_client *client, const struct smtp_envelope *envelope)
{
	buf_reset(&client->mail_line);
	buf_reset(&client->rcpt_line);
	envelope_write_mail(envelope, &client->offers, &client->mail_line);
	envelope_write_rcpt(envelope, &client->offers, client->notify_delay, &client->rcpt_line);
	return buf_err(&client->mail_line) == ERR_OK && buf_err(&client->rcpt_line) == ERR_OK ? ERR_OK : ERR_MEMORY;
}

/* With BDAT everything is said when the content is here; with DATA the content is asked for by the server. */
static void begin(struct smtp_client *client, uint64_t id, bool asks_first)
{
	struct transaction *transaction = client_begin(client, id);
	transaction->asks_first = asks_first && client_uses_chunks(client);
	if (client_uses_chunks(client) && !asks_first) {
		client->has_to_ask = true;
		client_rest_in(client, STATE_CONTENT);
		return;
	}
	bool joins_another = transaction->asks_first && client->awaited_count > 0;
	transaction->unsaid = client->needs_reset || joins_another ? STATE_RSET : STATE_MAIL;
	client->needs_reset = false;
	client_say_commands(client);
}

enum err smtp_client_envelope(struct smtp_client *client, uint64_t id, const struct smtp_envelope *envelope)
{
	if (!takes_envelope(client) || !client->has_offered || client->event_count > 0)
		return ERR_REFUSED;
	if (!envelope_is_valid(envelope))
		return ERR_INVALID;
	if (write_lines(client, envelope) != ERR_OK)
		return ERR_MEMORY;
	client->has_offered = false;
	if (!is_within_offers(client, id, envelope) || !is_within_limits(client, id, envelope))
		return ERR_OK;
	client->taken++;
	client->quits =
	    client->quits || client->taken == client->max_messages || client->taken == client->offers.max_mails;
	begin(client, id, envelope->asks_first);
	return ERR_OK;
}

/* Whether it is the owner's turn to give this message's content. */
static bool awaits_content(struct smtp_client *client, uint64_t id)
{
	return client->rest == STATE_CONTENT && !client->has_to_ask && !client->ends && client_back(client)->id == id;
}

enum err smtp_client_content(struct smtp_client *client, uint64_t id, struct view message)
{
	enum { FINAL_DOT_LEN = 3 };
	if (!awaits_content(client, id))
		return ERR_REFUSED;
	if (client->awaited_count == 0 && is_amid_reply(client)) {
		/* It would pass for the reply to what is said now. */
		client->is_out_of_step = true;
		client_break_off_for(client, client_step(client), VIEW_LIT(UNASKED));
		return ERR_REFUSED;
	}
	make_room(client);
	bool is_chunk = client_uses_chunks(client);
	enum err err = is_chunk ? client_say_chunk(client, message) : content_stuff(message, &client->out);
	if (err != ERR_OK)
		return err;
	struct transaction *transaction = client_back(client);
	transaction->has_content = true;
	/* Of a chunk the server needs every octet; a dot alone has been taken for an end. */
	transaction->last = client_said(client) - (is_chunk ? 1 : FINAL_DOT_LEN);
	if (!is_chunk)
		client_await(client, STATE_FINAL_DOT);
	client_rest_in(client, STATE_READY);
	return ERR_OK;
}

void smtp_client_abandon(struct smtp_client *client)
{
	if (client->rest != STATE_CONTENT || client->ends)
		return;
	client_end(client, client_back(client), SMTP_NOT_SENT, NULL);
	client->has_to_ask = false;
	client->quits = true;
	if (!client_uses_chunks(client)) {
		/* Only a dot could end it for the server, and would make a message of it. */
		client_close(client);
		return;
	}
	client_drop_back(client);
	client_rest_in(client, STATE_READY);
}

bool smtp_client_withdraw(struct smtp_client *client)
{
	if (client->transaction_count == 0 || client_back(client)->is_over || client_back(client)->has_content)
		return false;
	client_withdraw(client);
	return true;
}

void smtp_client_quit(struct smtp_client *client)
{
	client->quits = true;
}

enum smtp_step smtp_client_waits_for(const struct smtp_client *client)
{
	return client_step(client);
}

uint64_t smtp_client_replies(const struct smtp_client *client)
{
	return client->replies;
}

bool smtp_client_is_idle(const struct smtp_client *client)
{
	return client->state == STATE_READY && client->event_count == 0 && smtp_client_output(client).len == 0;
}
