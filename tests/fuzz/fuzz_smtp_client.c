/* Any octets as a server, in pieces, with partial writes: every id comes to exactly one ending, and to NOT_SENT
 * only when its final dot did not leave. The input is a sequence of a control octet (how much is written, whether
 * the connection is lost) and a piece up to the next octet 0. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "smtp/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { IDS_MAX = 100 };

struct owner {
	struct smtp_client *client;
	uint64_t taken;
	unsigned endings[IDS_MAX];
	uint64_t written, dot_at[IDS_MAX]; /* octets until then; 0: its content was not given */
};

static void give_content(struct owner *owner, uint64_t id)
{
	if (smtp_client_content(owner->client, id, view_of(".hi\r\n")) == ERR_OK)
		owner->dot_at[id] = owner->written + smtp_client_output(owner->client).len - 3;
	else
		smtp_client_abandon(owner->client);
}

static void check_ending(struct owner *owner, const struct smtp_event *event)
{
	assert(event->id >= 1 && event->id <= owner->taken);
	assert(++owner->endings[event->id] == 1);
	bool dot_left = owner->dot_at[event->id] > 0 && owner->written > owner->dot_at[event->id];
	assert(event->type != SMTP_NOT_SENT || !dot_left);
	assert((event->type != SMTP_IN_DOUBT && event->type != SMTP_ACCEPTED) || dot_left);
	assert(event->type != SMTP_REFUSED || event->reply.code >= 400);
}

static bool react(struct owner *owner)
{
	struct smtp_envelope envelope = {
		.from = view_of("a@b.c"), .to = view_of("d@e.f"), .envid = view_of("x"), .size = 9
	};
	struct smtp_event event;
	do {
		smtp_client_next(owner->client, &event);
		if (event.type == SMTP_TAKES_ENVELOPE && owner->taken + 1 < IDS_MAX)
			owner->taken += smtp_client_envelope(owner->client, owner->taken + 1, &envelope) == ERR_OK;
		else if (event.type == SMTP_ASKS_CONTENT)
			give_content(owner, event.id);
		else if (event.type >= SMTP_ACCEPTED && event.type <= SMTP_IN_DOUBT)
			check_ending(owner, &event);
	} while (event.type != SMTP_NEEDS_INPUT && event.type != SMTP_CLOSED);
	return event.type != SMTP_CLOSED;
}

static void write_out(struct owner *owner, uint8_t control)
{
	struct view bytes = smtp_client_output(owner->client);
	/* Nothing but CRLF ends a line. */
	for (size_t i = 0; i < bytes.len; i++)
		assert(bytes.data[i] != '\n' || i == 0 || bytes.data[i - 1] == '\r');
	size_t count = control < 200 ? bytes.len : view_head(bytes, control - 200).len;
	smtp_client_written(owner->client, count);
	owner->written += count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct owner owner = { .taken = 0 };
	struct smtp_client_options options = { .helo = view_of("me"), .max_messages = size % 7 };
	struct view rest = view_from(data, size);
	struct view piece;
	if (smtp_client_new(&options, &owner.client) != ERR_OK)
		return 0;
	bool is_open = react(&owner);
	while (is_open && view_cut(&rest, '\0', &piece)) {
		uint8_t control = piece.len > 0 ? (uint8_t)piece.data[0] : 0;
		write_out(&owner, control);
		smtp_client_input(owner.client, view_skip(piece, 1));
		is_open = react(&owner);
	}
	smtp_client_lost(owner.client);
	react(&owner);
	for (uint64_t id = 1; id <= owner.taken; id++)
		assert(owner.endings[id] == 1);
	smtp_client_done(owner.client);
	return 0;
}
