/* Any octets as a server, in pieces, with partial writes: every id comes to exactly one ending, and to NOT_SENT only when
 * the end of its content did not leave or the server has ruled it out. The input is an octet that chooses the options, then
 * a sequence of a control octet (how much is written, whether the handshake is done) and a piece up to the next octet 0. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "smtp/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { IDS_MAX = 100 };

#define CONTENT ".hi\r\n"

struct owner {
	struct smtp_client *client;
	uint64_t taken;
	unsigned endings[IDS_MAX];
	uint64_t written, last_at[IDS_MAX]; /* octets until what ends its content; 0: its content was not given */
	bool is_chunk[IDS_MAX];
	bool asks_tls, is_secured;
};

static void give_content(struct owner *owner, uint64_t id)
{
	if (smtp_client_content(owner->client, id, view_of(CONTENT)) != ERR_OK) {
		smtp_client_abandon(owner->client);
		return;
	}
	struct view output = smtp_client_output(owner->client);
	owner->is_chunk[id] = view_ends(output, view_of("LAST\r\n" CONTENT));
	assert(owner->is_chunk[id] || view_ends(output, view_of("." CONTENT ".\r\n")));
	owner->last_at[id] = owner->written + output.len - (owner->is_chunk[id] ? 1 : 3);
}

static void check_ending(struct owner *owner, const struct smtp_event *event)
{
	uint64_t id = event->id;
	assert(id >= 1 && id <= owner->taken);
	assert(++owner->endings[id] == 1);
	bool has_left = owner->last_at[id] > 0 && owner->written > owner->last_at[id];
	/* Of a chunk that left, its MAIL may have been refused, or 421 said before its turn. */
	assert(event->type != SMTP_NOT_SENT || !has_left || owner->is_chunk[id]);
	assert((event->type != SMTP_IN_DOUBT && event->type != SMTP_ACCEPTED) || has_left);
	assert(event->type != SMTP_UNFIT || owner->last_at[id] == 0);
	assert((event->type != SMTP_REFUSED && event->type != SMTP_UNFIT) || event->reply.code >= 400);
}

static bool react(struct owner *owner)
{
	struct smtp_envelope envelope = {
		.from = view_of("a@b.c"), .to = view_of("d@e.f"), .envid = view_of("x"), .size = 9
	};
	struct smtp_event event;
	do {
		smtp_client_next(owner->client, &event);
		if (event.type == SMTP_TAKES_ENVELOPE && owner->taken + 1 < IDS_MAX) {
			owner->taken++;
			envelope.asks_first = owner->taken % 3 == 0;
			if (smtp_client_envelope(owner->client, owner->taken, &envelope) != ERR_OK)
				owner->taken--;
		} else if (event.type == SMTP_ASKS_CONTENT)
			give_content(owner, event.id);
		else if (event.type == SMTP_ASKS_TLS)
			owner->asks_tls = true;
		else if (event.type >= SMTP_ACCEPTED && event.type <= SMTP_IN_DOUBT)
			check_ending(owner, &event);
	} while (event.type != SMTP_NEEDS_INPUT && event.type != SMTP_CLOSED);
	return event.type != SMTP_CLOSED;
}

/* Nothing but CRLF ends a line, and no secret leaves before the handshake. */
static void check_output(const struct owner *owner, struct view bytes, enum smtp_tls tls)
{
	for (size_t i = 0; i < bytes.len; i++)
		assert(bytes.data[i] != '\n' || i == 0 || bytes.data[i - 1] == '\r');
	assert(tls == SMTP_TLS_NONE || owner->is_secured || view_find(bytes, view_of("AUTH")) == VIEW_NONE);
	assert(tls == SMTP_TLS_NONE || owner->is_secured || view_find(bytes, view_of("MAIL")) == VIEW_NONE);
}

static void write_out(struct owner *owner, uint8_t control, enum smtp_tls tls)
{
	struct view bytes = smtp_client_output(owner->client);
	check_output(owner, bytes, tls);
	size_t count = control < 200 ? bytes.len : view_head(bytes, control - 200).len;
	smtp_client_written(owner->client, count);
	owner->written += count;
}

static void shake_hands(struct owner *owner)
{
	owner->asks_tls = false;
	owner->is_secured = true;
	smtp_client_secured(owner->client, view_of("0123456789abcdef0123456789abcdef"));
}

static bool turn(struct owner *owner, struct view piece, enum smtp_tls tls)
{
	uint8_t control = piece.len > 0 ? (uint8_t)piece.data[0] : 0;
	write_out(owner, control, tls);
	if (owner->asks_tls && control % 4 != 0 && smtp_client_output(owner->client).len == 0)
		shake_hands(owner);
	bool is_open = react(owner);
	write_out(owner, control, tls);
	if (control % 32 == 31)
		smtp_client_withdraw(owner->client);
	smtp_client_input(owner->client, view_skip(piece, 1));
	return is_open && react(owner);
}

static const struct smtp_credentials credentials = { .mechanism = SASL_ANY,
						     .user = { "me", 2 },
						     .secret = { "secret", 6 } };
static const struct smtp_credentials token = { .mechanism = SASL_XOAUTH2,
					       .user = { "me", 2 },
					       .secret = { "secret", 6 } };

/* Three bits of transactions, two of TLS and AUTH, LMTP, NOTIFY. */
static struct smtp_client_options choose(uint8_t choice, size_t size)
{
	struct smtp_client_options options = {
		.helo = view_of("me"),
		.max_messages = size % 7,
		.in_flight = choice % 8,
		.is_lmtp = (choice & 32) != 0,
		.notify_delay = (choice & 64) != 0,
		.tls = (choice >> 3) % 4 == 1   ? SMTP_TLS_STARTTLS
		       : (choice >> 3) % 4 == 2 ? SMTP_TLS_IMPLICIT
						: SMTP_TLS_NONE,
		.is_local = (choice >> 3) % 4 == 3,
	};
	if ((choice >> 3) % 4 != 0)
		options.credentials = (choice & 128) != 0 ? &token : &credentials;
	return options;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct owner owner = { .taken = 0 };
	struct smtp_client_options options = choose(data[0], size);
	struct view rest = view_from(data + 1, size - 1);
	struct view piece;
	if (smtp_client_new(&options, &owner.client) != ERR_OK)
		return 0;
	if (options.tls == SMTP_TLS_IMPLICIT)
		shake_hands(&owner);
	bool is_open = react(&owner);
	while (is_open && view_cut(&rest, '\0', &piece))
		is_open = turn(&owner, piece, options.tls);
	smtp_client_lost(owner.client);
	react(&owner);
	for (uint64_t id = 1; id <= owner.taken; id++)
		assert(owner.endings[id] == 1);
	smtp_client_done(owner.client);
	return 0;
}
