#include "smtp/server.h"

#include <stdlib.h>

#include "base/limits.h"
#include "smtp/server_session.h"

enum { LOOP_RECEIVED = 100 }; /* RFC 5321 section 6.3 */

/* ---- input ---- */

static struct view unread(const struct smtp_server *server)
{
	return view_skip(buf_view(&server->in), server->in_at);
}

/* Up to the CRLF that ends a refused line; nothing in it is executed. */
static bool discard_line(struct smtp_server *server)
{
	struct view bytes = unread(server);
	size_t end = view_find(bytes, VIEW_LIT("\r\n"));
	if (end == VIEW_NONE) {
		/* A CR at the end may be half of it. */
		server->in_at += bytes.len - (view_ends(bytes, VIEW_LIT("\r")) ? 1 : 0);
		return false;
	}
	server->in_at += end + 2;
	server->is_discarding = false;
	return true;
}

/* Executes one line; false when there is none. */
static bool read_line(struct smtp_server *server)
{
	if (server->is_discarding)
		return discard_line(server);
	struct view bytes = unread(server);
	size_t lf = view_find_byte(bytes, '\n');
	if (lf == VIEW_NONE && bytes.len < LIMIT_COMMAND_LINE)
		return false;
	struct view line = view_head(bytes, lf);
	bool is_ended = lf != VIEW_NONE && view_ends(line, VIEW_LIT("\r"));
	if (lf == VIEW_NONE || lf >= LIMIT_COMMAND_LINE) {
		server->is_discarding = true;
		session_reply_error(server, 500, "5.5.2", "Line is too long");
		return true;
	}
	server->in_at += lf + 1;
	if (is_ended)
		line.len--;
	if (is_ended && view_find_byte(line, '\r') == VIEW_NONE && view_find_byte(line, '\0') == VIEW_NONE) {
		session_run(server, line);
		return true;
	}
	server->is_discarding = !is_ended;
	session_reply_error(server, 500, "5.5.2", "Lines end with CRLF and hold no CR, LF or NUL");
	return true;
}

static size_t count_received(struct view content)
{
	size_t count = 0;
	struct view line;
	while (view_cut_line(&content, &line) && line.len > 0)
		count += view_starts_nocase(line, VIEW_LIT("Received:"));
	return count;
}

static void end_content(struct smtp_server *server)
{
	server->messages++;
	if (server->data.is_broken) {
		session_reply_to_content(server, 550, VIEW_LIT("5.6.0"),
					 VIEW_LIT("Message holds a bare CR, a bare LF or a NUL"));
		session_set(server, SESSION_CLOSED);
		return;
	}
	session_set(server, SESSION_MESSAGE);
	if (count_received(buf_view(&server->data.content)) < LOOP_RECEIVED) {
		session_ask(server, SMTP_SERVER_MESSAGE, VIEW_LIT(""));
		return;
	}
	struct smtp_server_answer loops = { .code = 554,
					    .status = VIEW_LIT("5.4.6"),
					    .text = VIEW_LIT("Message goes round in circles") };
	session_conclude(server, SMTP_SERVER_MESSAGE, &loops);
}

static bool read_content(struct smtp_server *server)
{
	struct view bytes = unread(server);
	size_t len = bytes.len;
	bool is_ended = data_feed(&server->data, &bytes);
	server->in_at += len - bytes.len;
	if (is_ended)
		end_content(server);
	return is_ended;
}

static bool advance(struct smtp_server *server)
{
	if (server->session == SESSION_SILENT) {
		session_ask(server, SMTP_SERVER_BANNER, VIEW_LIT(""));
		return true;
	}
	if (server->session == SESSION_TLS || server->out.len - server->out_at >= LIMIT_SMTP_OUTPUT ||
	    unread(server).len == 0)
		return false;
	return server->session == SESSION_CONTENT ? read_content(server) : read_line(server);
}

/* ---- the owner's side ---- */

enum err smtp_server_new(const struct smtp_server_options *options, struct smtp_server **ret_server)
{
	struct smtp_server *server = calloc(1, sizeof(*server));
	if (server == NULL)
		return ERR_MEMORY;
	*server = (struct smtp_server){
		.asks = options->asks,
		.offers_tls = options->offers_tls,
		.is_lmtp = options->is_lmtp,
		.max_recipients = options->max_recipients,
		.max_messages = options->max_messages,
		.max_errors = options->max_errors,
		.session = SESSION_SILENT,
		.hostname = buf_with_ceiling(LIMIT_DOMAIN),
		.helo = buf_with_ceiling(LIMIT_DOMAIN),
		.from = buf_with_ceiling(LIMIT_ADDRESS),
		.subject = buf_with_ceiling(LIMIT_ADDRESS),
		.addresses = buf_with_ceiling(options->max_recipients * LIMIT_ADDRESS),
		.data = data_reader_new(options->max_message),
		.in = buf_with_ceiling(LIMIT_SMTP_INPUT),
		.out = buf_with_ceiling(2 * LIMIT_SMTP_OUTPUT),
		.recipients = calloc(options->max_recipients + 1, sizeof(*server->recipients)),
	};
	enum err err = server->recipients == NULL ? ERR_MEMORY : buf_add(&server->hostname, options->hostname);
	if (err != ERR_OK) {
		smtp_server_done(server);
		return err;
	}
	*ret_server = server;
	return ERR_OK;
}

void smtp_server_done(struct smtp_server *server)
{
	if (server == NULL)
		return;
	struct buf *bufs[] = { &server->hostname,  &server->helo, &server->from, &server->subject,
			       &server->addresses, &server->in,   &server->out };
	for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
		buf_done(bufs[i]);
	data_reader_done(&server->data);
	free(server->recipients);
	free(server);
}

static bool is_out_of_memory(const struct smtp_server *server)
{
	return buf_err(&server->out) != ERR_OK || buf_err(&server->subject) != ERR_OK ||
	       buf_err(&server->addresses) != ERR_OK || buf_err(&server->from) != ERR_OK;
}

void smtp_server_next(struct smtp_server *server, struct smtp_server_event *ret_event)
{
	while (!server->is_asking && server->session != SESSION_CLOSED && advance(server))
		;
	*ret_event = (struct smtp_server_event){ .type = SMTP_SERVER_NEEDS_INPUT };
	if (is_out_of_memory(server) && server->session != SESSION_CLOSED) {
		server->is_asking = false;
		session_set(server, SESSION_CLOSED);
	}
	if (server->session == SESSION_CLOSED) {
		ret_event->type = SMTP_SERVER_CLOSED;
	} else if (server->session == SESSION_TLS && server->out.len == 0 && !server->was_told_tls) {
		server->was_told_tls = true;
		ret_event->type = SMTP_SERVER_STARTS_TLS;
	} else if (server->is_asking && !server->was_told) {
		server->was_told = true;
		ret_event->type = SMTP_SERVER_ASKS;
		ret_event->step = server->asked;
		ret_event->subject = buf_view(&server->subject);
	}
}

void smtp_server_input(struct smtp_server *server, struct view bytes)
{
	if (server->session == SESSION_CLOSED)
		return;
	if (server->session == SESSION_SILENT || server->written < server->greeting_end) {
		session_reply_and_close(server, 554, "5.5.1", "You speak before the greeting");
		return;
	}
	if (server->session == SESSION_TLS) {
		session_reply_and_close(server, 554, "5.5.1", "You speak before the handshake");
		return;
	}
	buf_drop_front(&server->in, server->in_at);
	server->in_at = 0;
	if (buf_add(&server->in, bytes) != ERR_OK)
		session_reply_and_close(server, 421, "4.3.0", "Too much input at once");
}

void smtp_server_secured(struct smtp_server *server)
{
	if (server->session != SESSION_TLS)
		return;
	server->is_secure = true;
	session_begin_anew(server);
}

bool smtp_server_wants_input(const struct smtp_server *server)
{
	return server->session != SESSION_CLOSED && server->session != SESSION_TLS &&
	       unread(server).len < LIMIT_SMTP_INPUT / 4 && server->out.len - server->out_at < LIMIT_SMTP_OUTPUT;
}

void smtp_server_answer(struct smtp_server *server, const struct smtp_server_answer *answer)
{
	if (server->is_asking)
		session_conclude(server, server->asked, answer);
}

void smtp_server_message(const struct smtp_server *server, struct smtp_server_message *ret_message)
{
	*ret_message = (struct smtp_server_message){
		.helo = buf_view(&server->helo),
		.from = buf_view(&server->from),
		.recipients = server->recipients,
		.recipient_count = server->recipient_count,
		.content = buf_view(&server->data.content),
		.cut = server->data.is_cut,
		.smtputf8 = server->smtputf8,
		.extended = server->is_extended,
		.secure = server->is_secure,
	};
}

bool smtp_server_is_in_data(const struct smtp_server *server)
{
	return server->session == SESSION_CONTENT;
}

void smtp_server_shut(struct smtp_server *server, struct view text)
{
	if (server->session == SESSION_CLOSED)
		return;
	session_reply(server, 421, VIEW_LIT("4.4.2"), text);
	server->is_asking = false;
	session_set(server, SESSION_CLOSED);
}

struct view smtp_server_output(const struct smtp_server *server)
{
	return view_skip(buf_view(&server->out), server->out_at);
}

void smtp_server_written(struct smtp_server *server, size_t count)
{
	size_t unwritten = server->out.len - server->out_at;
	count = count < unwritten ? count : unwritten;
	server->written += count;
	server->out_at += count;
	if (server->out_at == server->out.len) {
		buf_cut(&server->out, 0);
		server->out_at = 0;
	}
}
