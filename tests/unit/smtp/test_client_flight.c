/* Several transactions in flight, against a server that keeps the books: what it delivered is what the client tells, and
 * nobody's message goes out under another one's sender. It refuses at random, says goodbye at random, and holds on to a
 * transaction that failed, as RFC 3030 section 2 lets it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/support/smtp_owner.h"

enum { MESSAGES = 12 };

struct trial {
	unsigned seed, random;
	/* the server */
	struct buf heard, replies;
	unsigned sender, recipient; /* of the transaction that stands; 0: none */
	size_t chunk;               /* octets that are still to come; */
	unsigned chunk_code;        /* and what will be said then */
	struct buf content;
	bool is_gone;
	unsigned delivered[MESSAGES + 1];
	/* the owner */
	struct smtp_client *client;
	uint64_t taken;
	unsigned ends[MESSAGES + 1]; /* event types; 0: none yet */
	unsigned *kinds;             /* of ends, over all trials */
};

static unsigned roll(struct trial *trial, unsigned sides)
{
	trial->random = trial->random * 1103515245u + 12345u;
	return (trial->random >> 16) % sides;
}

/* ---- the server ---- */

static void reply(struct trial *trial, unsigned code)
{
	if (roll(trial, 80) == 0) {
		code = 421;
		trial->is_gone = true;
	}
	buf_addf(&trial->replies, "%u x\r\n", code);
}

static unsigned number_in(struct view line, const char *prefix)
{
	size_t at = view_find(line, view_of(prefix));
	ck_assert(at != VIEW_NONE);
	return (unsigned)strtoul(line.data + at + strlen(prefix), NULL, 10);
}

static void on_mail(struct trial *trial, struct view line)
{
	if (trial->sender != 0) {
		reply(trial, 503);
	} else if (roll(trial, 60) == 0) {
		reply(trial, roll(trial, 2) != 0 ? 451 : 552);
	} else {
		trial->sender = number_in(line, "<b+");
		reply(trial, 250);
	}
}

static void on_rcpt(struct trial *trial, struct view line)
{
	if (trial->sender == 0 || roll(trial, 6) == 0) {
		reply(trial, trial->sender == 0 ? 503 : 550);
	} else {
		trial->recipient = number_in(line, "<r");
		reply(trial, 250);
	}
}

static void on_bdat(struct trial *trial, struct view line)
{
	trial->chunk = number_in(line, "BDAT ");
	trial->chunk_code = trial->recipient == 0 ? 503 : roll(trial, 8) == 0 ? 552 : 250;
	buf_reset(&trial->content);
}

static void end_chunk(struct trial *trial)
{
	if (trial->chunk_code == 250) {
		unsigned id = number_in(buf_view(&trial->content), "ID");
		ck_assert_msg(trial->sender == id && trial->recipient == id, "seed %u: message %u went from %u to %u",
			      trial->seed, id, trial->sender, trial->recipient);
		size_t before = trial->replies.len;
		reply(trial, 250);
		/* A goodbye instead of the acceptance: it did not deliver. */
		trial->delivered[id] += view_starts(view_skip(buf_view(&trial->replies), before), view_of("250"));
		trial->sender = 0;
		trial->recipient = 0;
	} else {
		reply(trial, trial->chunk_code);
	}
}

static void on_line(struct trial *trial, struct view line)
{
	if (view_starts(line, view_of("MAIL"))) {
		on_mail(trial, line);
	} else if (view_starts(line, view_of("RCPT"))) {
		on_rcpt(trial, line);
	} else if (view_starts(line, view_of("BDAT"))) {
		on_bdat(trial, line);
	} else if (view_starts(line, view_of("RSET"))) {
		trial->sender = 0;
		trial->recipient = 0;
		reply(trial, 250);
	} else if (view_starts(line, view_of("EHLO"))) {
		buf_addf(&trial->replies, CHUNK);
	} else {
		ck_assert_msg(view_starts(line, view_of("QUIT")), "seed %u: " VIEW_FMT, trial->seed, VIEW_ARG(line));
		buf_addf(&trial->replies, "221 x\r\n");
	}
}

static void take_chunk(struct trial *trial)
{
	size_t count = trial->heard.len < trial->chunk ? trial->heard.len : trial->chunk;
	buf_add(&trial->content, view_head(buf_view(&trial->heard), count));
	buf_drop_front(&trial->heard, count);
	trial->chunk -= count;
	if (trial->chunk == 0)
		end_chunk(trial);
}

static void serve(struct trial *trial)
{
	while (trial->heard.len > 0 && !trial->is_gone) {
		if (trial->chunk > 0) {
			take_chunk(trial);
			continue;
		}
		size_t end = view_find(buf_view(&trial->heard), view_of("\r\n"));
		if (end == VIEW_NONE)
			return;
		on_line(trial, view_head(buf_view(&trial->heard), end));
		buf_drop_front(&trial->heard, end + 2);
	}
}

/* ---- the owner ---- */

static void react(struct trial *trial, const struct smtp_event *event)
{
	char from[32], to[32], text[128];
	unsigned id = (unsigned)event->id;
	if (event->type == SMTP_TAKES_ENVELOPE && trial->taken < MESSAGES) {
		snprintf(from, sizeof(from), "b+%u@example.net", (unsigned)trial->taken + 1);
		/* Who is international is never said: the server does not offer it. */
		snprintf(to, sizeof(to), roll(trial, 12) != 0 ? "r%u@example.org" : "\xc3\xa9%u@example.org",
			 (unsigned)trial->taken + 1);
		const struct smtp_envelope envelope = { .from = view_of(from),
							.to = view_of(to),
							.asks_first = roll(trial, 3) == 0 };
		ck_assert(smtp_client_envelope(trial->client, trial->taken + 1, &envelope) == ERR_OK);
		trial->taken++;
	} else if (event->type == SMTP_TAKES_ENVELOPE) {
		smtp_client_quit(trial->client);
	} else if (event->type == SMTP_ASKS_CONTENT) {
		snprintf(text, sizeof(text), "ID%u\r\nRSET\r\nMAIL FROM:<b+%u@x>\r\n.\r\n%.*s\r\n", id, id + 1,
			 (int)roll(trial, 40), "........................................");
		ck_assert(smtp_client_content(trial->client, id, view_of(text)) == ERR_OK);
	} else if (event->type >= SMTP_ACCEPTED && event->type <= SMTP_IN_DOUBT) {
		ck_assert_msg(trial->ends[id] == 0, "seed %u: two ends of %u", trial->seed, id);
		trial->ends[id] = event->type;
		trial->kinds[event->type]++;
	}
}

static bool work(struct trial *trial)
{
	struct smtp_event event;
	do {
		smtp_client_next(trial->client, &event);
		react(trial, &event);
	} while (event.type != SMTP_NEEDS_INPUT && event.type != SMTP_CLOSED);
	return event.type != SMTP_CLOSED;
}

/* Some octets go either way; false when nothing is left to go. */
static bool move(struct trial *trial)
{
	struct view output = view_head(smtp_client_output(trial->client), 1 + roll(trial, 300));
	buf_add(&trial->heard, output);
	smtp_client_written(trial->client, output.len);
	serve(trial);
	struct view input = view_head(buf_view(&trial->replies), 1 + roll(trial, 40));
	smtp_client_input(trial->client, input);
	size_t count = input.len;
	buf_drop_front(&trial->replies, count);
	return output.len > 0 || count > 0;
}

static void check_ends(const struct trial *trial)
{
	for (unsigned id = 1; id <= trial->taken; id++) {
		unsigned end = trial->ends[id];
		ck_assert_msg(end != 0, "seed %u: no end of %u", trial->seed, id);
		ck_assert_msg(trial->delivered[id] <= 1, "seed %u: %u twice", trial->seed, id);
		ck_assert_msg(end == SMTP_IN_DOUBT || (end == SMTP_ACCEPTED) == (trial->delivered[id] == 1),
			      "seed %u: %u was delivered %u times, and told as %u", trial->seed, id,
			      trial->delivered[id], end);
	}
}

static void run_trial(unsigned seed, unsigned *kinds)
{
	struct trial trial = {
		.seed = seed,
		.random = seed,
		.heard = buf_with_ceiling(1 << 16),
		.replies = buf_with_ceiling(1 << 16),
		.content = buf_with_ceiling(1 << 16),
		.kinds = kinds,
	};
	const struct smtp_client_options options = { .helo = view_of("me"), .in_flight = 1 + seed % 5 };
	ck_assert(smtp_client_new(&options, &trial.client) == ERR_OK);
	buf_addf(&trial.replies, "220 x\r\n");
	bool is_open = work(&trial);
	while (is_open && roll(&trial, 300) != 0 && move(&trial)) {
		if (roll(&trial, 200) == 0)
			smtp_client_withdraw(trial.client);
		is_open = work(&trial);
	}
	smtp_client_lost(trial.client);
	work(&trial);
	check_ends(&trial);
	smtp_client_done(trial.client);
	buf_done(&trial.heard);
	buf_done(&trial.replies);
	buf_done(&trial.content);
}

START_TEST(the_books_agree)
	{
		const char *given = getenv("TEST_SEED");
		unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
		unsigned kinds[SMTP_CLOSED + 1] = { 0 };
		printf("the_books_agree: TEST_SEED=%u\n", seed);
		for (unsigned i = 0; i < 5000; i++)
			run_trial(seed + i, kinds);
		for (size_t type = SMTP_ACCEPTED; type <= SMTP_IN_DOUBT; type++)
			ck_assert_msg(kinds[type] > 100, "hardly a trial came to event %zu", type);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { the_books_agree };
	return suite_of("client_flight", tests, ARRAY_LEN(tests));
}
