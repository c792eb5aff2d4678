#include "tests/support/smtp_owner.h"

#include <stdio.h>
#include <string.h>

struct owner owner_new(const struct smtp_client_options *options, uint64_t messages)
{
	struct owner owner = {
		.next = 1,
		.last = messages,
		.to = "you@example.org",
		.trace = buf_with_ceiling(1 << 20),
		.wire = buf_with_ceiling(1 << 20),
	};
	struct smtp_client_options all = options != NULL ? *options : (struct smtp_client_options){ .in_flight = 1 };
	all.helo = view_of("me.example");
	ck_assert(smtp_client_new(&all, &owner.client) == ERR_OK);
	return owner;
}

void owner_done(struct owner *owner)
{
	smtp_client_done(owner->client);
	buf_done(&owner->trace);
	buf_done(&owner->wire);
}

static void give_envelope(struct owner *owner)
{
	if (!owner->takes || owner->next > owner->last)
		return;
	struct smtp_envelope envelope = { .from = view_of("b+tok@example.net"),
					  .to = view_of(owner->to),
					  .envid = owner->envid,
					  .size = owner->size,
					  .asks_first = owner->asks_first && owner->next > 1 };
	owner->takes = false;
	ck_assert(smtp_client_envelope(owner->client, owner->next, &envelope) == ERR_OK);
	owner->next++;
}

void owner_give(struct owner *owner)
{
	char text[32];
	snprintf(text, sizeof(text), "ID%u\r\n", (unsigned)owner->asked);
	ck_assert(smtp_client_content(owner->client, owner->asked, view_of(text)) == ERR_OK);
	owner->asked = 0;
}

static const char *const event_names[] = {
	[SMTP_NEEDS_INPUT] = "needs", [SMTP_ASKS_TLS] = "tls",      [SMTP_TAKES_ENVELOPE] = "takes",
	[SMTP_ASKS_CONTENT] = "asks", [SMTP_ACCEPTED] = "accepted", [SMTP_REFUSED] = "refused",
	[SMTP_UNFIT] = "unfit",       [SMTP_NOT_SENT] = "not-sent", [SMTP_IN_DOUBT] = "in-doubt",
	[SMTP_TROUBLE] = "trouble",   [SMTP_CLOSED] = "closed",
};

static void note(struct owner *owner, const struct smtp_event *event)
{
	owner->is_out_of_step = owner->is_out_of_step || event->is_out_of_step;
	if (event->type == SMTP_TAKES_ENVELOPE && owner->is_silent)
		return;
	buf_addf(&owner->trace, owner->trace.len == 0 ? "%s" : " %s", event_names[event->type]);
	if (event->id != 0)
		buf_addf(&owner->trace, " %u", (unsigned)event->id);
	if (event->type == SMTP_REFUSED || event->type == SMTP_TROUBLE)
		buf_addf(&owner->trace, "@%s", smtp_step_name(event->step));
	if (event->reply.code != 0)
		buf_addf(&owner->trace, ":%u", event->reply.code);
	else if (event->type == SMTP_TROUBLE && event->reply.text.len > 0)
		buf_addf(&owner->trace, "!");
}

static void react(struct owner *owner, const struct smtp_event *event)
{
	if (event->type == SMTP_TAKES_ENVELOPE) {
		owner->takes = true;
		if (owner->next > owner->last && !owner->stays)
			smtp_client_quit(owner->client);
	} else if (event->type == SMTP_ASKS_CONTENT) {
		owner->asked = event->id;
		if (!owner->holds_content)
			owner_give(owner);
	}
}

bool owner_drain(struct owner *owner)
{
	struct smtp_event event;
	for (;;) {
		give_envelope(owner);
		smtp_client_next(owner->client, &event);
		if (event.type == SMTP_NEEDS_INPUT)
			return true;
		note(owner, &event);
		if (event.type == SMTP_CLOSED)
			return false;
		react(owner, &event);
	}
}

void owner_write(struct owner *owner, size_t count)
{
	struct view bytes = view_head(smtp_client_output(owner->client), count);
	buf_add(&owner->wire, bytes);
	smtp_client_written(owner->client, bytes.len);
}

static bool go_on(struct owner *owner)
{
	bool is_open = owner_drain(owner);
	owner_write(owner, SIZE_MAX);
	return is_open;
}

bool owner_turn(struct owner *owner, struct view bytes)
{
	smtp_client_input(owner->client, bytes);
	return go_on(owner);
}

bool owner_play(struct owner *owner, const char *says, size_t split)
{
	if (strcmp(says, "EOF") == 0) {
		smtp_client_closed(owner->client);
	} else if (strcmp(says, "LOST") == 0) {
		smtp_client_lost(owner->client);
	} else if (strcmp(says, "TLS") == 0) {
		ck_assert_msg(smtp_client_output(owner->client).len == 0, "nothing is said before the handshake");
		smtp_client_secured(owner->client, owner->binding);
	} else if (strcmp(says, "GIVE") == 0) {
		owner_give(owner);
	} else if (strcmp(says, "QUIT") == 0) {
		smtp_client_quit(owner->client);
	} else if (strcmp(says, "WITHDRAW") == 0) {
		smtp_client_withdraw(owner->client);
	} else if (split < strlen(says)) {
		return owner_turn(owner, view_head(view_of(says), split)) &&
		       owner_turn(owner, view_skip(view_of(says), split));
	} else {
		return owner_turn(owner, view_of(says));
	}
	return go_on(owner);
}

struct smtp_credentials owner_credentials(enum sasl_mechanism mechanism, const char *secret)
{
	return (struct smtp_credentials){
		.mechanism = mechanism,
		.user = view_of("me"),
		.secret = view_of(secret),
		.host = view_of("mx.example.net"),
		.port = 587,
	};
}

struct owner owner_secured(const struct smtp_credentials *credentials, const char *offers, const char *binding)
{
	const struct smtp_client_options options = { .tls = SMTP_TLS_IMPLICIT, .credentials = credentials };
	struct owner owner = owner_new(&options, 0);
	AUTO_BUF ehlo = buf_with_ceiling(256);
	buf_addf(&ehlo, "250-me\r\n250 %s\r\n", offers);
	owner.binding = view_of(binding);
	owner_drain(&owner);
	owner_play(&owner, "TLS", 0);
	owner_turn(&owner, view_of("220 hi\r\n"));
	buf_reset(&owner.wire);
	owner_turn(&owner, buf_view(&ehlo));
	return owner;
}

static void play(const struct script *script, struct owner owner, size_t split)
{
	bool is_open = owner_drain(&owner);
	for (size_t i = 0; script->says[i] != NULL; i++) {
		ck_assert_msg(is_open, "%s, split %zu: closed before turn %zu, at \"%s\"", script->label, split, i,
			      buf_text(&owner.trace));
		is_open = owner_play(&owner, script->says[i], split);
	}
	ck_assert_msg(view_eq(buf_view(&owner.trace), view_of(script->trace)),
		      "%s, split %zu: got \"%s\", expected \"%s\"", script->label, split, buf_text(&owner.trace),
		      script->trace);
	ck_assert_msg(view_eq(buf_view(&owner.wire), view_of(script->wire)),
		      "%s, split %zu: got \"%s\", expected \"%s\"", script->label, split, buf_text(&owner.wire),
		      script->wire);
	ck_row(script->label, !is_open);
	ck_assert_str_eq(smtp_client_state_name(owner.client), "CLOSED");
	owner_done(&owner);
}

void script_play(const struct script *script, const struct smtp_client_options *options, size_t split)
{
	play(script, owner_new(options, script->messages), split);
}

void script_play_asking(const struct script *script, size_t split)
{
	struct owner owner = owner_new(NULL, script->messages);
	owner.asks_first = true;
	play(script, owner, split);
}

void script_play_split_everywhere(const struct script *script, const struct smtp_client_options *options)
{
	size_t longest = 0;
	for (size_t i = 0; script->says[i] != NULL; i++)
		longest = strlen(script->says[i]) > longest ? strlen(script->says[i]) : longest;
	for (size_t split = 1; split < longest; split++)
		script_play(script, options, split);
}
