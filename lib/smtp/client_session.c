#include "smtp/client_states.h"

#include <assert.h>
#include <string.h>

#define NO_STARTTLS "the server does not offer STARTTLS, which is required"
#define INJECTED "the server said something between STARTTLS and the TLS handshake"

static void say_hello(struct smtp_client *client, enum state state, struct view verb)
{
	buf_add(&client->out, verb);
	buf_add(&client->out, buf_view(&client->hello));
	buf_add(&client->out, VIEW_LIT("\r\n"));
	client_await(client, state);
}

void client_say_hello(struct smtp_client *client)
{
	if (client->is_lmtp)
		say_hello(client, STATE_LHLO, VIEW_LIT("LHLO "));
	else
		say_hello(client, STATE_EHLO, VIEW_LIT("EHLO "));
}

static void say_auth(struct smtp_client *client)
{
	/* smtp_client_new() refuses anything else: a secret is never said in clear. */
	assert(client->is_secured || client->is_local);
	struct view binding = view_from(client->channel_binding, client->channel_binding_len);
	if (auth_begin(client->auth, client->offers.mechanisms, binding, &client->out))
		client_await(client, STATE_AUTH);
	else
		client_end_session_for(client, SMTP_STEP_AUTH, auth_trouble(client->auth));
}

/* The server is known: what is still to be done before the first message? */
static void go_on(struct smtp_client *client)
{
	if (client->tls == SMTP_TLS_STARTTLS && !client->is_secured) {
		if (client->offers.has[SMTP_STARTTLS])
			client_say(client, STATE_STARTTLS, VIEW_LIT("STARTTLS\r\n"));
		else
			client_end_session_for(client, SMTP_STEP_STARTTLS, VIEW_LIT(NO_STARTTLS));
	} else if (client->auth != NULL) {
		say_auth(client);
	} else {
		client->rest = STATE_READY;
	}
}

void client_on_banner(struct smtp_client *client, const struct reply *reply)
{
	if (class_of(reply) == 2)
		client_say_hello(client);
	else
		client_refuse_session(client, reply);
}

static void on_greeted(struct smtp_client *client, const struct reply *reply)
{
	client->offers = smtp_offers_read(reply->text);
	go_on(client);
}

void client_on_ehlo(struct smtp_client *client, const struct reply *reply)
{
	static const unsigned not_understood[] = { 500, 502, 504, 550 };
	if (class_of(reply) == 2) {
		on_greeted(client, reply);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(not_understood); i++) {
		if (reply->code == not_understood[i]) {
			say_hello(client, STATE_HELO, VIEW_LIT("HELO "));
			return;
		}
	}
	client_refuse_session(client, reply);
}

void client_on_lhlo(struct smtp_client *client, const struct reply *reply)
{
	if (class_of(reply) == 2)
		on_greeted(client, reply);
	else
		client_refuse_session(client, reply);
}

void client_on_helo(struct smtp_client *client, const struct reply *reply)
{
	if (class_of(reply) == 2)
		go_on(client);
	else
		client_refuse_session(client, reply);
}

/* ---- STARTTLS (RFC 3207) ---- */

/* Whatever stands behind the reply was written by somebody who cannot encrypt, and would be read as if the server had
 * said it under TLS. */
void client_on_starttls(struct smtp_client *client, const struct reply *reply)
{
	if (class_of(reply) != 2) {
		client_refuse_session(client, reply);
	} else if (client->in_at < client->in.len) {
		client_break_off_for(client, SMTP_STEP_STARTTLS, VIEW_LIT(INJECTED));
	} else {
		client->rest = STATE_TLS;
		client->has_to_ask_tls = true;
	}
}

/* ---- AUTH (RFC 4954) ---- */

static void on_authenticated(struct smtp_client *client)
{
	struct view trouble = auth_trouble(client->auth);
	if (trouble.len > 0) {
		client_end_session_for(client, SMTP_STEP_AUTH, trouble);
		return;
	}
	/* It is of no more use, and there may be thousands of connections. */
	auth_done(client->auth);
	client->auth = NULL;
	go_on(client);
}

/* The server's reply, and what it said before in a challenge. */
static void on_not_authenticated(struct smtp_client *client, const struct reply *reply)
{
	struct view reason = auth_reason(client->auth);
	struct view trouble = auth_trouble(client->auth);
	struct reply full = *reply;
	if (auth_is_canceled(client->auth)) {
		client_end_session_for(client, SMTP_STEP_AUTH, trouble);
		return;
	}
	if (reason.len > 0) {
		buf_reset(&client->note);
		buf_addf(&client->note, VIEW_FMT " (" VIEW_FMT ")", VIEW_ARG(reply->text), VIEW_ARG(reason));
		full.text = buf_view(&client->note);
	}
	client_end_session(client, &full);
}

void client_on_auth(struct smtp_client *client, const struct reply *reply)
{
	enum { CHALLENGE = 334 };
	if (reply->code == CHALLENGE && !auth_is_canceled(client->auth)) {
		auth_answer(client->auth, reply->text, &client->out);
		client_await(client, STATE_AUTH);
	} else if (class_of(reply) == 2) {
		on_authenticated(client);
	} else if (is_refusal(reply)) {
		on_not_authenticated(client, reply);
	} else {
		client_break_off(client, reply);
	}
}
