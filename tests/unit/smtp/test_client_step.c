/* A server that says a reply too many: each reply behind it is read as that to the next command. */
#include <stdio.h>
#include <string.h>

#include "tests/support/smtp_owner.h"

enum { MESSAGES = 3, COMMANDS = 4, REPLIES = MESSAGES * COMMANDS - 1 };

static const struct smtp_client_options in_flight = { .in_flight = MESSAGES };
static const struct smtp_client_options keeps_step = { .in_flight = MESSAGES, .keeps_step = true };

/* Of a flight: where the reply to the content of this message stands. */
static size_t content_at(size_t message)
{
	return (message + 1) * COMMANDS - 2;
}

/* All is taken but the content of one, and one reply too many stands before the reply number `extra`. */
static void say_flight(struct buf *out, size_t refused, size_t extra)
{
	for (size_t i = 0; i <= REPLIES; i++) {
		if (i == extra)
			buf_addf(out, "250 once more\r\n");
		if (i < REPLIES)
			buf_addf(out, "%s x\r\n", refused < MESSAGES && i == content_at(refused) ? "554" : "250");
	}
}

static bool is_in(const struct owner *owner, const char *what, size_t message)
{
	char text[32];
	snprintf(text, sizeof(text), " %s %zu", what, message + 1);
	return view_find(buf_view(&owner->trace), view_of(text)) != VIEW_NONE;
}

/* The last one of a flight has none behind it that would bear it out. */
static void play_flight(size_t refused, size_t extra, size_t split)
{
	AUTO_BUF replies = buf_with_ceiling(1024);
	struct owner owner = owner_new(&in_flight, MESSAGES);
	owner.stays = true;
	owner_turn(&owner, view_of("220 hi\r\n"));
	owner_turn(&owner, view_of(CHUNK));
	say_flight(&replies, refused, extra);
	bool is_open = owner_turn(&owner, view_head(buf_view(&replies), split));
	if (is_open)
		is_open = owner_turn(&owner, view_skip(buf_view(&replies), split));
	if (is_open)
		is_open = owner_turn(&owner, VIEW_LIT("221 bye\r\n"));
	ck_assert_msg(!is_open && owner.is_out_of_step, "refused %zu, extra %zu: \"%s\"", refused, extra,
		      buf_text(&owner.trace));
	for (size_t i = 0; i + 1 < MESSAGES; i++) {
		bool is_untrue =
		    is_in(&owner, "accepted", i) ? i == refused : is_in(&owner, "refused", i) && i != refused;
		ck_assert_msg(!is_untrue, "refused %zu, extra %zu: \"%s\"", refused, extra, buf_text(&owner.trace));
	}
	owner_done(&owner);
}

START_TEST(a_reply_too_many_in_a_flight)
	{
		for (size_t refused = 0; refused <= MESSAGES; refused++) {
			for (size_t extra = 1; extra <= REPLIES; extra++) {
				for (size_t split = 1; split < 8 * REPLIES; split += 5)
					play_flight(refused, extra, split);
			}
		}
	}
END_TEST

/* What the content was answered stands when the session ends before RSET is answered; not where that is refused. */
START_TEST(what_is_held_is_told)
	{
		static const struct {
			const char *then, *trace;
		} rows[] = {
			{ "EOF", "accepted 1:250 in-doubt 2 in-doubt 3 trouble@mail closed" },
			{ "LOST", "accepted 1:250 in-doubt 2 in-doubt 3 trouble@mail closed" },
			{ "421 x\r\n", "accepted 1:250 trouble@mail:421" },
			{ "what\r\n", "accepted 1:250 in-doubt 2 in-doubt 3 trouble@mail! closed" },
			{ "554 x\r\n", "in-doubt 1 in-doubt 2 in-doubt 3 trouble@mail:554 closed" },
			{ "354 x\r\n", "in-doubt 1 in-doubt 2 in-doubt 3 trouble@mail:354 closed" },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct owner owner = owner_new(&in_flight, MESSAGES);
			owner.is_silent = true;
			owner_turn(&owner, view_of("220 hi\r\n"));
			owner_turn(&owner, view_of(CHUNK));
			buf_reset(&owner.trace);
			owner_turn(&owner, view_of("250 a\r\n250 b\r\n250 c\r\n"));
			ck_assert_msg(owner.trace.len == 0, "%s: told too early", rows[i].then);
			owner_play(&owner, rows[i].then, SIZE_MAX);
			ck_assert_msg(strcmp(buf_text(&owner.trace), rows[i].trace) == 0, "%s: \"%s\"", rows[i].then,
				      buf_text(&owner.trace));
			owner_done(&owner);
		}
	}
END_TEST

/* One at a time by DATA: a reply that comes late, when the next message has begun, does not settle that one. */
static const struct script by_data[] = {
	{ "late, behind the dot's",
	  { "220 hi\r\n", CHUNK, OK3, "250 d\r\n", "250 once more\r\n250 a\r\n250 b\r\n" },
	  "takes asks 1 accepted 1:250 takes not-sent 2 trouble@data:250 closed",
	  EHLO GROUP "ID1\r\n.\r\n" GROUP,
	  2 },
	{ "before 354",
	  { "220 hi\r\n", CHUNK, "250 a\r\n250 once more\r\n250 b\r\n354 c\r\n" },
	  "takes not-sent 1 trouble@data:250 closed",
	  EHLO GROUP,
	  1 },
	{ "354 twice",
	  { "220 hi\r\n", CHUNK, OK3, "354 c\r\n" },
	  "takes asks 1 in-doubt 1 trouble@final-dot:354 closed",
	  EHLO GROUP "ID1\r\n.\r\n",
	  1 },
};

START_TEST(one_at_a_time_by_data)
	{
		for (size_t i = 0; i < ARRAY_LEN(by_data); i++)
			script_play_split_everywhere(&by_data[i], &keeps_step);
	}
END_TEST

/* Replies to nothing, with nothing in flight: who says that he refuses may mean that he has waited too long, which the owner judges. */
START_TEST(a_reply_to_nothing)
	{
		static const struct {
			const char *says;
			bool is_out_of_step;
		} rows[] = {
			{ "250 x\r\n", true }, { "354 x\r\n", true },  { "220 x\r\n", true },
			{ "451 x\r\n", true }, { "421 x\r\n", false }, { "what\r\n", false },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct owner owner = owner_new(NULL, 0);
			owner.stays = true;
			owner_turn(&owner, view_of("220 hi\r\n"));
			owner_turn(&owner, view_of(CHUNK));
			owner_turn(&owner, view_of(rows[i].says));
			ck_assert_msg(owner.is_out_of_step == rows[i].is_out_of_step, "%s", rows[i].says);
			owner_done(&owner);
		}
	}
END_TEST

/* A 2xx before the last octet of the content has left cannot be the content's; a refusal can. */
START_TEST(a_reply_too_soon)
	{
		static const char *const says[] = { "250 x\r\n", "554 x\r\n" };
		for (size_t i = 0; i < ARRAY_LEN(says); i++) {
			struct owner owner = owner_new(NULL, 1);
			owner_turn(&owner, view_of("220 hi\r\n"));
			smtp_client_input(owner.client, view_of(CHUNK));
			owner_drain(&owner);
			owner_write(&owner, strlen(MAIL RCPT "BDAT 5 LAST\r\nID1\r"));
			smtp_client_input(owner.client, view_of("250 a\r\n250 b\r\n"));
			smtp_client_input(owner.client, view_of(says[i]));
			owner_drain(&owner);
			ck_assert(owner.is_out_of_step == (i == 0));
			ck_assert_msg(is_in(&owner, i == 0 ? "not-sent" : "refused", 0), "%s", buf_text(&owner.trace));
			owner_done(&owner);
		}
	}
END_TEST

/* What a server says to a command at first is what it says to it. Google's says to RSET what it says to RCPT; another may say 2.1.5 to all. */
START_TEST(codes_are_learned)
	{
		static const struct {
			const char *label, *mail, *rcpt, *content, *rset, *then;
			bool is_out_of_step;
		} rows[] = {
			{ "as most do", "250 2.1.0 x", "250 2.1.5 x", "250 2.0.0 x", "250 2.0.0 x", "250 2.1.0 x",
			  false },
			{ "RSET as RCPT", "250 2.1.0 x", "250 2.1.5 x", "250 2.0.0 x", "250 2.1.5 x", "250 2.1.0 x",
			  false },
			{ "one for all", "250 2.1.5 x", "250 2.1.5 x", "250 2.1.5 x", "250 2.1.5 x", "250 2.1.5 x",
			  false },
			{ "content as RCPT", "250 2.1.0 x", "250 2.1.5 x", "250 2.1.5 x", "250 2.0.0 x", "250 2.1.0 x",
			  false },
			{ "none", "250 x", "250 x", "250 x", "250 x", "250 x", false },
			{ "a new one", "250 2.1.0 x", "250 2.1.5 x", "250 2.0.0 x", "250 2.0.0 x", "250 2.6.9 x",
			  false },
			{ "MAIL as RCPT", "250 2.1.0 x", "250 2.1.5 x", "250 2.0.0 x", "250 2.0.0 x", "250 2.1.5 x",
			  true },
			{ "MAIL as RSET", "250 2.1.0 x", "250 2.1.5 x", "250 2.6.0 x", "250 2.0.0 x", "250 2.0.0 x",
			  true },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF replies = buf_with_ceiling(1024);
			struct owner owner = owner_new(&in_flight, MESSAGES);
			owner.stays = true;
			owner_turn(&owner, view_of("220 hi\r\n"));
			owner_turn(&owner, view_of(CHUNK));
			buf_addf(&replies, "%s\r\n%s\r\n%s\r\n%s\r\n%s\r\n", rows[i].mail, rows[i].rcpt,
				 rows[i].content, rows[i].rset, rows[i].then);
			owner_turn(&owner, buf_view(&replies));
			ck_assert_msg(owner.is_out_of_step == rows[i].is_out_of_step, "%s: %s", rows[i].label,
				      buf_text(&owner.trace));
			owner_done(&owner);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { a_reply_too_many_in_a_flight, what_is_held_is_told, one_at_a_time_by_data,
				       a_reply_to_nothing,           a_reply_too_soon,     codes_are_learned };
	return suite_of("client_step", tests, ARRAY_LEN(tests));
}
