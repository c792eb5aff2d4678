#include "smtp/client_states.h"

#include <assert.h>

#include "smtp/content.h"

/* ---- commands ---- */

bool client_uses_chunks(const struct smtp_client *client)
{
	return client->offers.has[SMTP_CHUNKING] && client->offers.has[SMTP_PIPELINING] && !client->keeps_step;
}

/* All commands at once with PIPELINING, else the next one. */
void client_say_commands(struct smtp_client *client)
{
	struct transaction *open = client_back(client);
	enum state last = open->asks_first ? STATE_DATA : STATE_CONTENT;
	while (open->unsaid != last && (client->offers.has[SMTP_PIPELINING] || client->awaited_count == 0)) {
		enum state command = open->unsaid;
		struct view line = command == STATE_RSET   ? VIEW_LIT("RSET\r\n")
				   : command == STATE_MAIL ? buf_view(&client->mail_line)
				   : command == STATE_RCPT ? buf_view(&client->rcpt_line)
							   : VIEW_LIT("DATA\r\n");
		client_say(client, command, line);
		open->unsaid = command + 1;
	}
}
static_assert(STATE_RSET + 1 == STATE_MAIL && STATE_MAIL + 1 == STATE_RCPT && STATE_RCPT + 1 == STATE_DATA &&
		  STATE_DATA + 1 == STATE_CONTENT,
	      "the commands of a message in their order");

/* A transaction that fails before this one would take this one's MAIL for a second one, and its RCPT for its own. */
static void say_reset(struct smtp_client *client)
{
	if (client->needs_reset || client->awaited_count > 0)
		client_say(client, STATE_RSET, VIEW_LIT("RSET\r\n"));
	client->needs_reset = false;
}

enum err client_say_chunk(struct smtp_client *client, struct view message)
{
	enum { RSET_AND_BDAT_MOST = 64 };
	struct buf *out = &client->out;
	size_t len;
	if (!content_measure(message, &len))
		return ERR_INVALID;
	/* With room for all of it nothing below can fail. */
	if (buf_room(out, client->mail_line.len + client->rcpt_line.len + len + RSET_AND_BDAT_MOST) == NULL) {
		enum err err = buf_err(out);
		out->err = ERR_OK;
		return err;
	}
	if (!client_back(client)->asks_first) {
		say_reset(client);
		client_say(client, STATE_MAIL, buf_view(&client->mail_line));
		client_say(client, STATE_RCPT, buf_view(&client->rcpt_line));
	}
	buf_add(out, VIEW_LIT("BDAT "));
	buf_add_u64(out, len);
	buf_add(out, VIEW_LIT(" LAST\r\n"));
	content_add(message, out);
	client_await(client, STATE_BDAT);
	return ERR_OK;
}

/* ---- the replies; client_front() is whose they are ---- */

static bool is_same(struct status one, struct status other)
{
	return status_is_set(one) && status_is(other, one.class_digit, one.subject, one.detail);
}

/* Servers differ in the enhanced codes that they give to a command, and one may give RSET that of RCPT. So it is learned what this one says: a success
 * with another code than its first one to the command, which is its first one to another command, is the reply to that. */
static bool is_of_another(struct smtp_client *client, enum client_word word, const struct reply *reply)
{
	struct status *usual = client->usual;
	if (class_of(reply) != 2 || !status_is_set(reply->status))
		return false;
	if (!status_is_set(usual[word]))
		usual[word] = reply->status;
	bool is_of_another = false;
	for (size_t i = 0; i < CLIENT_WORD_COUNT; i++)
		is_of_another = is_of_another || is_same(usual[i], reply->status);
	return is_of_another && !is_same(usual[word], reply->status);
}

/* No server refuses RSET: behind a content that was accepted it is rather the content's own reply. Else the transaction before it may stand still, and what was said behind be added to it. */
static void refuse_reset(struct smtp_client *client, const struct reply *reply)
{
	if (client->has_held || !is_refusal(reply)) {
		client_lose_step(client, reply);
		return;
	}
	client_front(client)->is_unclean = true;
	client_refuse_session(client, reply);
}

void client_on_rset(struct smtp_client *client, const struct reply *reply)
{
	if (class_of(reply) != 2) {
		refuse_reset(client, reply);
		return;
	}
	if (is_of_another(client, CLIENT_WORD_RSET, reply)) {
		client_lose_step(client, reply);
		return;
	}
	client_tell_held(client);
	client_say_commands(client);
}

/* Whether MAIL was refused for what this message is, and not for who we are: too large (RFC 1870 section 6, RFC 3463 X.2.3 and X.3.4), or
 * something about its content or its addresses (RFC 6531 section 3.5, RFC 3463 X.6). Without an enhanced code 552 says that it is too
 * large. Whatever else is said here (RFC 5321 section 4.3.2) is about the return path, the same for all, or the session. */
static bool is_about_message(const struct reply *reply)
{
	enum { TOO_LARGE = 552, ANY = 1000 };
	static const struct {
		unsigned subject, detail;
	} rows[] = { { 2, 3 }, { 3, 4 }, { 6, ANY } };
	if (!is_refusal(reply) || !status_is_set(reply->status))
		return reply->code == TOO_LARGE;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (reply->status.subject == rows[i].subject &&
		    (rows[i].detail == ANY || reply->status.detail == rows[i].detail))
			return true;
	}
	return false;
}

/* The first transaction is over, and its further commands are not said. */
static void skip_front(struct smtp_client *client)
{
	client_drop_front(client);
	client->needs_reset = true;
}

void client_on_mail(struct smtp_client *client, const struct reply *reply)
{
	struct transaction *front = client_front(client);
	if (front->is_over)
		return;
	if (is_of_another(client, CLIENT_WORD_MAIL, reply)) {
		client_lose_step(client, reply);
		return;
	}
	if (class_of(reply) == 2) {
		front->is_unclean = false;
		client_say_commands(client);
		return;
	}
	if (is_about_message(reply) && !front->is_unclean) {
		client_refuse(client, front, reply);
		if (front->unsaid == STATE_RCPT)
			skip_front(client);
		return;
	}
	/* Whatever of it has left: without a sender the server cannot have taken it, unless it had one from before. */
	if (!is_refusal(reply)) {
		client_lose_step(client, reply);
		return;
	}
	if (!front->is_unclean)
		client_end(client, front, SMTP_NOT_SENT, NULL);
	client_end_session(client, reply);
}

/* RFC 5321 section 4.5.3.1.10: 552 may mean "too many recipients"; not so when the server says that it is about the
 * mailbox. */
static struct reply soften(struct reply reply)
{
	enum { SUBJECT_MAILBOX = 2 };
	if (reply.code == 552 && (!status_is_set(reply.status) || reply.status.subject != SUBJECT_MAILBOX)) {
		reply.code = 452;
		if (status_is_set(reply.status))
			reply.status.class_digit = 4;
	}
	return reply;
}

static void ask_content(struct smtp_client *client)
{
	client->rest = STATE_CONTENT;
	client->has_to_ask = true;
}

void client_on_rcpt(struct smtp_client *client, const struct reply *reply)
{
	struct transaction *front = client_front(client);
	if (front->is_over) {
		if (front->asks_first)
			skip_front(client);
		return;
	}
	if (class_of(reply) == 2) {
		front->is_odd = is_of_another(client, CLIENT_WORD_RCPT, reply);
		if (front->asks_first)
			ask_content(client);
		else
			client_say_commands(client);
		return;
	}
	if (!is_refusal(reply)) {
		client_lose_step(client, reply);
		return;
	}
	struct reply softened = soften(*reply);
	client_refuse(client, front, &softened);
	if (front->unsaid == STATE_DATA)
		skip_front(client);
}

/* DATA was said before its only recipient was refused, or its MAIL. */
static void end_empty(struct smtp_client *client, const struct reply *reply)
{
	bool wants_dot = class_of(reply) == 3;
	/* LMTP answers the dot once for each recipient: not at all. No server should come here (RFC 2033 section 4.2). */
	if (wants_dot && client->is_lmtp) {
		client_break_off(client, reply);
	} else if (wants_dot && client->ends) {
		client_close(client);
	} else if (wants_dot) {
		client_front(client)->has_content = true;
		client_say(client, STATE_VOID_DOT, VIEW_LIT(".\r\n"));
	} else if (!is_refusal(reply)) {
		client_lose_step(client, reply);
	} else {
		skip_front(client);
	}
}

/* A refusal after RCPT was accepted is about this message (RFC 5321 section 4.3.2: also "rejections for policy reasons"). */
void client_on_data(struct smtp_client *client, const struct reply *reply)
{
	if (client_front(client)->is_over) {
		end_empty(client, reply);
	} else if (class_of(reply) == 3) {
		ask_content(client);
	} else if (is_refusal(reply)) {
		client_refuse(client, client_front(client), reply);
		skip_front(client);
	} else {
		client_lose_step(client, reply);
	}
}

void client_on_void_dot(struct smtp_client *client, const struct reply *reply)
{
	/* The server must not have delivered anything, whatever it says. */
	(void)reply;
	client_drop_front(client);
}

void client_on_final_dot(struct smtp_client *client, const struct reply *reply)
{
	/* Either alone a careless server may say; both are MAIL's reply and RCPT's, each one too late. */
	bool is_late = client_front(client)->is_odd && class_of(reply) == 2 &&
		       is_same(client->usual[CLIENT_WORD_RCPT], reply->status);
	if (!is_late && (class_of(reply) == 2 || is_refusal(reply)))
		client_end_content(client, reply);
	else
		client_lose_step(client, reply);
}

/* A chunk that failed leaves the transaction in an unknown state (RFC 3030 section 2). */
void client_on_bdat(struct smtp_client *client, const struct reply *reply)
{
	client->needs_reset = client->needs_reset || class_of(reply) != 2;
	client_on_final_dot(client, reply);
}
