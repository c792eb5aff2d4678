#include "smtp/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "tests/support/smtp_owner.h"

/* ---- what is written decides between not sent and in doubt ---- */

START_TEST(the_dot_decides)
	{
		for (size_t written = 0; written <= strlen("ID1\r\n.\r\n" GROUP); written++) {
			struct owner owner = owner_new(NULL, 2);
			owner_turn(&owner, view_of("220 hi\r\n"));
			owner_turn(&owner, view_of(PIPE));
			smtp_client_input(owner.client, view_of(OK3));
			owner_drain(&owner);
			owner_write(&owner, written);
			smtp_client_lost(owner.client);
			owner_drain(&owner);
			const char *expected =
			    written <= strlen("ID1\r\n")
				? "takes asks 1 takes not-sent 1 not-sent 2 trouble@final-dot closed"
				: "takes asks 1 takes in-doubt 1 not-sent 2 trouble@final-dot closed";
			ck_view_eq(buf_view(&owner.trace), expected);
			ck_assert_msg(smtp_client_output(owner.client).len == 0, "nothing given back may leave");
			owner_done(&owner);
		}
	}
END_TEST

static const struct smtp_client_options three_in_flight = { .in_flight = 3 };

#define CHUNK_OF(n) "BDAT 5 LAST\r\nID" n "\r\n"

/* Of a chunk the server needs the last octet. */
START_TEST(the_last_octet_decides)
	{
		static const char first[] = MAIL RCPT CHUNK_OF("1");
		static const char second[] = "RSET\r\n" MAIL RCPT CHUNK_OF("2");
		size_t ends[] = { sizeof(first) - 1, sizeof(first) + sizeof(second) - 2,
				  sizeof(first) + 2 * sizeof(second) - 3 };
		for (size_t written = 0; written <= ends[2]; written++) {
			struct owner owner = owner_new(&three_in_flight, 3);
			owner.is_silent = true;
			owner_turn(&owner, view_of("220 hi\r\n"));
			smtp_client_input(owner.client, view_of(CHUNK));
			owner_drain(&owner);
			owner_write(&owner, written);
			smtp_client_lost(owner.client);
			owner_drain(&owner);
			AUTO_BUF expected = buf_with_ceiling(256);
			buf_addf(&expected, "asks 1 asks 2 asks 3");
			for (unsigned i = 0; i < 3; i++)
				buf_addf(&expected, " %s %u", written >= ends[i] ? "in-doubt" : "not-sent", i + 1);
			buf_addf(&expected, " trouble@mail closed");
			ck_view_eq(buf_view(&owner.trace), buf_text(&expected));
			ck_assert_msg(smtp_client_output(owner.client).len == 0, "nothing given back may leave");
			owner_done(&owner);
		}
	}
END_TEST

START_TEST(an_abandoned_chunk_leaves_the_others)
	{
		struct owner owner = owner_new(&three_in_flight, 3);
		owner.is_silent = true;
		owner.holds_content = true;
		owner_turn(&owner, view_of("220 hi\r\n"));
		owner_turn(&owner, view_of(CHUNK));
		owner_play(&owner, "GIVE", 0);
		buf_reset(&owner.wire);
		smtp_client_abandon(owner.client);
		ck_assert(owner_turn(&owner, view_of("")));
		ck_assert(owner_turn(&owner, view_of("250 a\r\n250 b\r\n250 c\r\n")));
		ck_assert(!owner_turn(&owner, view_of("221 bye\r\n")));
		ck_view_eq(buf_view(&owner.trace), "asks 1 asks 2 not-sent 2 accepted 1:250 closed");
		ck_view_eq(buf_view(&owner.wire), "QUIT\r\n");
		owner_done(&owner);
	}
END_TEST

#define FIRST_AND_GROUP EHLO GROUP "ID1\r\n.\r\n" GROUP

/* What of a message was said before its content is no message: the server learns of it by the end of the connection, which is never put off but
 * for those before it. */
static const struct script withdrawals[] = {
	{ .label = "before MAIL is answered",
	  .says = { "220 hi\r\n", PIPE, "WITHDRAW" },
	  .messages = 2,
	  .trace = "takes not-sent 1 closed",
	  .wire = EHLO GROUP },
	{ .label = "before RCPT is",
	  .says = { "220 hi\r\n", PIPE, "250 a\r\n", "WITHDRAW" },
	  .messages = 2,
	  .trace = "takes not-sent 1 closed",
	  .wire = EHLO GROUP },
	{ .label = "before DATA is",
	  .says = { "220 hi\r\n", PIPE, "250 a\r\n250 b\r\n", "WITHDRAW" },
	  .messages = 2,
	  .trace = "takes not-sent 1 closed",
	  .wire = EHLO GROUP },
	{ .label = "one thing at a time",
	  .says = { "220 hi\r\n", BARE, "250 a\r\n", "WITHDRAW" },
	  .messages = 2,
	  .trace = "takes not-sent 1 closed",
	  .wire = EHLO MAIL RCPT },
	{ .label = "nobody is there",
	  .says = { "220 hi\r\n", "WITHDRAW", PIPE, "221 bye\r\n" },
	  .trace = "takes closed",
	  .wire = EHLO "QUIT\r\n" },
	{ .label = "behind a content that is accepted",
	  .says = { "220 hi\r\n", PIPE, OK3, "WITHDRAW", "250 d\r\n" },
	  .messages = 2,
	  .trace = "takes asks 1 takes not-sent 2 accepted 1:250 closed",
	  .wire = FIRST_AND_GROUP },
	{ .label = "behind one whose reply comes with all others",
	  .says = { "220 hi\r\n", PIPE, OK3, "WITHDRAW", "250 d\r\n" OK3 },
	  .messages = 2,
	  .trace = "takes asks 1 takes not-sent 2 accepted 1:250 closed",
	  .wire = FIRST_AND_GROUP },
	{ .label = "behind one that is refused",
	  .says = { "220 hi\r\n", PIPE, OK3, "WITHDRAW", "550 d\r\n" },
	  .messages = 2,
	  .trace = "takes asks 1 takes not-sent 2 refused 1@final-dot:550 closed",
	  .wire = FIRST_AND_GROUP },
	{ .label = "behind one that is never answered",
	  .says = { "220 hi\r\n", PIPE, OK3, "WITHDRAW", "LOST" },
	  .messages = 2,
	  .trace = "takes asks 1 takes not-sent 2 in-doubt 1 closed",
	  .wire = FIRST_AND_GROUP },
	{ .label = "behind one that is answered by the end",
	  .says = { "220 hi\r\n", PIPE, OK3, "WITHDRAW", "421 gone\r\n" },
	  .messages = 2,
	  .trace = "takes asks 1 takes not-sent 2 refused 1@final-dot:421 closed",
	  .wire = FIRST_AND_GROUP },
	{ .label = "its content was given",
	  .says = { "220 hi\r\n", PIPE, OK3, "WITHDRAW", "250 d\r\n", "221 bye\r\n" },
	  .messages = 1,
	  .trace = "takes asks 1 takes accepted 1:250 closed",
	  .wire = EHLO GROUP "ID1\r\n.\r\nQUIT\r\n" },
	{ .label = "its content left with it",
	  .says = { "220 hi\r\n", CHUNK, "WITHDRAW", "250 a\r\n250 b\r\n250 c\r\n", "221 bye\r\n" },
	  .messages = 1,
	  .trace = "takes asks 1 accepted 1:250 takes closed",
	  .wire = EHLO MAIL RCPT CHUNK_OF("1") "QUIT\r\n" },
};

START_TEST(withdrawn)
	{
		for (size_t i = 0; i < ARRAY_LEN(withdrawals); i++)
			script_play_split_everywhere(&withdrawals[i], NULL);
	}
END_TEST

/* A chunk that is to wait for RCPT. */
START_TEST(withdrawn_before_its_chunk)
	{
		static const struct {
			const char *label, *says[4], *trace;
		} rows[] = {
			{ "behind one in flight",
			  { "250 a\r\n", "WITHDRAW", "250 b\r\n250 c\r\n" },
			  "asks 1 not-sent 2 accepted 1:250 closed" },
			{ "after one",
			  { "250 a\r\n250 b\r\n250 c\r\n250 d\r\n", "WITHDRAW" },
			  "asks 1 accepted 1:250 not-sent 2 closed" },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct owner owner = owner_new(&three_in_flight, 2);
			bool is_open = true;
			owner.is_silent = true;
			owner.asks_first = true;
			owner_turn(&owner, view_of("220 hi\r\n"));
			owner_turn(&owner, view_of(CHUNK));
			for (size_t n = 0; rows[i].says[n] != NULL; n++)
				is_open = owner_play(&owner, rows[i].says[n], SIZE_MAX);
			ck_row(rows[i].label, !is_open);
			ck_view_eq(buf_view(&owner.trace), rows[i].trace);
			ck_view_eq(buf_view(&owner.wire), EHLO MAIL RCPT CHUNK_OF("1") "RSET\r\n" MAIL RCPT);
			owner_done(&owner);
		}
	}
END_TEST

START_TEST(a_reply_before_its_command)
	{
		struct owner owner = owner_new(NULL, 1);
		owner_turn(&owner, view_of("220 hi\r\n"));
		owner_turn(&owner, view_of(PIPE));
		smtp_client_input(owner.client, view_of(OK3));
		owner_drain(&owner);
		owner_write(&owner, 3);
		smtp_client_input(owner.client, view_of("250 thanks\r\n"));
		owner_drain(&owner);
		ck_view_eq(buf_view(&owner.trace), "takes asks 1 takes not-sent 1 trouble@final-dot:250 closed");
		owner_done(&owner);
	}
END_TEST

START_TEST(content_refused_before_its_end)
	{
		struct owner owner = owner_new(NULL, 1);
		owner_turn(&owner, view_of("220 hi\r\n"));
		owner_turn(&owner, view_of(PIPE));
		smtp_client_input(owner.client, view_of(OK3));
		owner_drain(&owner);
		owner_write(&owner, 3);
		smtp_client_input(owner.client, view_of("552 5.3.4 too big\r\n"));
		owner_drain(&owner);
		ck_view_eq(buf_view(&owner.trace),
			   "takes asks 1 takes refused 1@final-dot:552 trouble@final-dot:552 closed");
		owner_done(&owner);
	}
END_TEST

/* ---- any server, any owner: exactly one ending, and a true one ---- */

#define ALL "250-me\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n"

static const char *const scraps[] = {
	CHUNK,
	ALL,
	"334 \r\n",
	"235 in\r\n",
	"250 c\r\n250 d\r\n250 e\r\n250 f\r\n",
	"250 d\r\n550 e\r\n503 f\r\n250 g\r\n",
	"220 a\r\n",
	PIPE,
	PIPE,
	BARE,
	"250 a\r\n",
	"250 a\r\n",
	"250 b\r\n",
	"354 c\r\n",
	OK3,
	"250 d\r\n" OK3,
	"250 d\r\n" OK3,
	"450 x\r\n",
	"550 x\r\n",
	"552 5.5.3 x\r\n",
	"250-a\r\n250 b\r\n",
	"421 bye\r\n",
	"x\r\n",
	"250",
	"\r\n",
	"554 x\r\n",
	"250 a\r\n550 b\r\n354 c\r\n",
};

enum { IDS_MAX = 64 };

struct trial {
	struct owner owner;
	unsigned seed;
	unsigned endings[IDS_MAX];
	unsigned *kinds; /* of endings, over all trials */
	uint64_t taken;
	bool is_refused; /* the server has said 4xx or 5xx */
};

static const struct smtp_credentials credentials = {
	.mechanism = SASL_ANY,
	.user = { "me", 2 },
	.secret = { "secret", 6 },
};

static const struct smtp_client_options trial_options[] = {
	{ .max_messages = 0 },
	{ .max_messages = 3 },
	{ .in_flight = 4 },
	{ .in_flight = 4 },
	{ .in_flight = 2, .max_messages = 5 },
	{ .in_flight = 3, .tls = SMTP_TLS_STARTTLS, .credentials = &credentials },
	{ .in_flight = 3, .is_local = true, .is_lmtp = true, .credentials = &credentials },
};

static unsigned roll(struct trial *trial, unsigned sides)
{
	trial->seed = trial->seed * 1103515245u + 12345u;
	return (trial->seed >> 16) % sides;
}

static void check_ending(struct trial *trial, unsigned seed, const struct smtp_event *event)
{
	char dot[32], chunk[32];
	snprintf(dot, sizeof(dot), "ID%u\r\n.", (unsigned)event->id);
	snprintf(chunk, sizeof(chunk), "LAST\r\nID%u\r\n", (unsigned)event->id);
	bool chunk_left = view_find(buf_view(&trial->owner.wire), view_of(chunk)) != VIEW_NONE;
	bool dot_left = chunk_left || view_find(buf_view(&trial->owner.wire), view_of(dot)) != VIEW_NONE;
	bool is_ruled_out = chunk_left && trial->is_refused;
	trial->endings[event->id]++;
	trial->kinds[event->type]++;
	ck_assert_msg(trial->endings[event->id] == 1, "seed %u: two endings of %u", seed, (unsigned)event->id);
	ck_assert_msg(event->type != SMTP_NOT_SENT || !dot_left || is_ruled_out, "seed %u: not sent, yet its dot left",
		      seed);
	ck_assert_msg(event->type != SMTP_IN_DOUBT || dot_left, "seed %u: in doubt without a dot", seed);
	ck_assert_msg(event->type != SMTP_ACCEPTED || dot_left, "seed %u: accepted without a dot", seed);
}

static bool react(struct trial *trial, unsigned seed, const struct smtp_event *event)
{
	struct smtp_client *client = trial->owner.client;
	struct smtp_envelope envelope = { .to = view_of(roll(trial, 12) != 0 ? "you@example.org"
									     : "d\xc3\xbc@example.org") };
	char text[32];
	snprintf(text, sizeof(text), "ID%u\r\n", (unsigned)event->id);
	if (event->type == SMTP_TAKES_ENVELOPE && trial->taken + 1 < IDS_MAX && roll(trial, 8) != 0) {
		if (smtp_client_envelope(client, trial->taken + 1, &envelope) == ERR_OK)
			trial->taken++;
	} else if (event->type == SMTP_ASKS_CONTENT && roll(trial, 10) != 0) {
		if (smtp_client_content(client, event->id, view_of(text)) != ERR_OK)
			smtp_client_abandon(client);
	} else if (event->type == SMTP_ASKS_CONTENT) {
		smtp_client_abandon(client);
	} else if (event->type == SMTP_ASKS_TLS && roll(trial, 10) != 0) {
		smtp_client_secured(client, view_of(""));
	} else if (event->type >= SMTP_ACCEPTED && event->type <= SMTP_IN_DOUBT) {
		check_ending(trial, seed, event);
	}
	return event->type != SMTP_CLOSED;
}

static bool react_to_all(struct trial *trial, unsigned seed)
{
	struct smtp_event event;
	do {
		smtp_client_next(trial->owner.client, &event);
		if (!react(trial, seed, &event))
			return false;
	} while (event.type != SMTP_NEEDS_INPUT);
	return true;
}

static void hear(struct trial *trial, const char *says)
{
	trial->is_refused = trial->is_refused || says[0] == '4' || says[0] == '5' || strstr(says, "\n5") != NULL;
	smtp_client_input(trial->owner.client, view_of(says));
}

static void run_trial(unsigned seed, unsigned *kinds)
{
	struct trial trial = { .seed = seed,
			       .owner = owner_new(&trial_options[seed % ARRAY_LEN(trial_options)], 0),
			       .kinds = kinds };
	bool is_open = true;
	/* Most trials begin well, so that they come to something. */
	if (roll(&trial, 8) != 0) {
		smtp_client_input(trial.owner.client, view_of("220 hi\r\n"));
		is_open = react_to_all(&trial, seed);
	}
	for (unsigned i = 0; i < 40 && is_open; i++) {
		owner_write(&trial.owner, roll(&trial, 4) != 0 ? SIZE_MAX : roll(&trial, 20));
		if (roll(&trial, 30) == 0)
			smtp_client_quit(trial.owner.client);
		if (roll(&trial, 40) == 0)
			smtp_client_withdraw(trial.owner.client);
		if (roll(&trial, 40) == 0)
			smtp_client_lost(trial.owner.client);
		else
			hear(&trial, scraps[roll(&trial, ARRAY_LEN(scraps))]);
		is_open = react_to_all(&trial, seed);
	}
	smtp_client_lost(trial.owner.client);
	react_to_all(&trial, seed);
	for (uint64_t id = 1; id <= trial.taken; id++)
		ck_assert_msg(trial.endings[id] == 1, "seed %u: no ending of %u", seed, (unsigned)id);
	owner_done(&trial.owner);
}

START_TEST(exactly_one_true_ending)
	{
		const char *given = getenv("TEST_SEED");
		unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
		unsigned kinds[SMTP_CLOSED + 1] = { 0 };
		printf("exactly_one_true_ending: TEST_SEED=%u\n", seed);
		for (unsigned i = 0; i < 20000; i++)
			run_trial(seed + i, kinds);
		for (size_t type = SMTP_ACCEPTED; type <= SMTP_IN_DOUBT; type++)
			ck_assert_msg(kinds[type] > 0, "no trial came to event %zu", type);
	}
END_TEST

/* ---- malformed replies ---- */

/* What is wrong with a reply is the trouble's text, at the step where it came. */
START_TEST(malformed_replies_are_named)
	{
		AUTO_BUF lines = buf_with_ceiling(1 << 20);
		AUTO_BUF line = buf_with_ceiling(1 << 20);
		for (size_t i = 0; i <= LIMIT_REPLY_LINES; i++)
			buf_addf(&lines, "250-x\r\n");
		buf_addf(&line, "250 ");
		while (line.len <= LIMIT_REPLY_LINE)
			buf_add_byte(&line, 'x');
		const struct {
			const char *reply, *says;
		} kinds[] = {
			{ "SSH-2.0\r\n", "does not begin with a code" },
			{ "250-a\r\n550 b\r\n", "different codes" },
			{ "250*a\r\n", "neither a space nor a hyphen" },
			{ "250 a\rb\r\n", "a CR" },
			{ buf_text(&lines), "more than 100 lines" },
			{ buf_text(&line), "longer than 4,096 octets" },
		};
		for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
			struct owner owner = owner_new(NULL, 0);
			struct smtp_event event;
			owner_turn(&owner, view_of("220 hi\r\n"));
			smtp_client_input(owner.client, view_of(kinds[i].reply));
			smtp_client_next(owner.client, &event);
			ck_row(kinds[i].says, event.type == SMTP_TROUBLE && event.step == SMTP_STEP_EHLO);
			ck_row(kinds[i].says, event.reply.code == 0);
			ck_row(kinds[i].says, view_find(event.reply.text, view_of(kinds[i].says)) != VIEW_NONE);
			smtp_client_next(owner.client, &event);
			ck_row(kinds[i].says, event.type == SMTP_CLOSED);
			owner_done(&owner);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		the_dot_decides,
		the_last_octet_decides,
		an_abandoned_chunk_leaves_the_others,
		withdrawn,
		withdrawn_before_its_chunk,
		a_reply_before_its_command,
		content_refused_before_its_end,
		exactly_one_true_ending,
		malformed_replies_are_named,
	};
	return suite_of("client_ends", tests, ARRAY_LEN(tests));
}
