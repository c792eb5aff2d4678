/* Any octets as a client, whole and octet by octet: both must lead to the same replies and the same messages. Those that begin with LHLO are
 * said to an LMTP server. */
#include <assert.h>

#include "base/limits.h"
#include "smtp/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the client hears and what the owner is given. */
struct record {
	struct buf said, messages;
};

static void answer(struct smtp_server *server, const struct smtp_server_event *event, struct record *record)
{
	struct smtp_server_answer answer = { .code = 0 };
	struct smtp_server_message message;
	if (event->step == SMTP_SERVER_RCPT && view_starts(event->subject, VIEW_LIT("x")))
		answer =
		    (struct smtp_server_answer){ .code = 550, .status = VIEW_LIT("5.1.1"), .text = event->subject };
	smtp_server_message(server, &message);
	if (event->step == SMTP_SERVER_MESSAGE) {
		assert(message.recipient_count > 0 && message.content.len <= LIMIT_INTAKE_HEAD);
		/* What is handed over has CRLF line ends only, so that nothing in it can be taken for another
		 * message. */
		for (size_t i = 0; i < message.content.len; i++)
			assert(message.content.data[i] != '\n' || (i > 0 && message.content.data[i - 1] == '\r'));
		buf_add(&record->messages, message.content);
		buf_addf(&record->messages, "<%zu %d>", message.recipient_count, message.cut);
	}
	smtp_server_answer(server, &answer);
}

static bool run(struct smtp_server *server, struct record *record)
{
	struct smtp_server_event event;
	do {
		smtp_server_next(server, &event);
		if (event.type == SMTP_SERVER_ASKS)
			answer(server, &event, record);
		struct view output = smtp_server_output(server);
		buf_add(&record->said, output);
		smtp_server_written(server, output.len);
	} while (event.type == SMTP_SERVER_ASKS);
	return event.type != SMTP_SERVER_CLOSED;
}

static void play(struct view bytes, size_t step, struct record *record)
{
	struct smtp_server_options options = {
		.hostname = view_of("mx"),
		.asks = 1u << SMTP_SERVER_RCPT | 1u << SMTP_SERVER_MESSAGE,
		.max_message = 2000,
		.max_recipients = 3,
		.max_messages = 4,
		.max_errors = 9,
		.is_lmtp = view_starts_nocase(bytes, VIEW_LIT("LHLO")),
	};
	struct smtp_server *server;
	if (smtp_server_new(&options, &server) != ERR_OK)
		return;
	bool is_open = run(server, record);
	while (is_open && bytes.len > 0) {
		smtp_server_input(server, view_head(bytes, step));
		bytes = view_skip(bytes, step);
		is_open = run(server, record);
	}
	smtp_server_done(server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { LOG_MAX = 16 << 20 };
	struct record whole = { buf_with_ceiling(LOG_MAX), buf_with_ceiling(LOG_MAX) };
	struct record cut = { buf_with_ceiling(LOG_MAX), buf_with_ceiling(LOG_MAX) };
	struct view bytes = view_from(data, size);
	play(bytes, 1, &cut);
	if (size < LIMIT_SMTP_INPUT) {
		play(bytes, size, &whole);
		assert(view_eq(buf_view(&whole.said), buf_view(&cut.said)));
		assert(view_eq(buf_view(&whole.messages), buf_view(&cut.messages)));
	}
	struct buf *bufs[] = { &whole.said, &whole.messages, &cut.said, &cut.messages };
	for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
		buf_done(bufs[i]);
	return 0;
}
