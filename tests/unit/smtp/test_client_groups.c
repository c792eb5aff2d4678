/* Every subset of failing replies to commands that were said in one go, the replies split at each octet, against what RFC
 * 2920 and 3030 let follow from them. */
#include <stdio.h>
#include <string.h>

#include "tests/support/smtp_owner.h"

static void say(struct buf *out, unsigned code)
{
	buf_addf(out, "%u x\r\n", code);
}

static void expect(struct buf *out, const char *what, uint64_t id, const char *step, unsigned code)
{
	buf_addf(out, out->len == 0 ? "%s" : " %s", what);
	if (id != 0)
		buf_addf(out, " %u", (unsigned)id);
	if (step[0] != '\0')
		buf_addf(out, "@%s", step);
	if (code != 0)
		buf_addf(out, ":%u", code);
}

/* ---- what must follow, found in another way than the client's ---- */

enum { MESSAGES = 3 };
enum command { RSET_REPLY, MAIL_REPLY, RCPT_REPLY, LAST_REPLY, COMMANDS };
enum { ALL_REPLIES = MESSAGES * COMMANDS };

/* How the connection ends when the last reply was not said: the peer closes, or nobody knows. */
enum loss { NO_LOSS, PEER_CLOSES, LOST };

struct group {
	unsigned codes[MESSAGES][COMMANDS]; /* the first message has no RSET */
	size_t said;                        /* so many replies come */
	enum loss loss;
	struct buf replies, trace;
	bool is_ended[MESSAGES], is_unclean[MESSAGES];
	bool is_told; /* trouble */
	bool is_farewell, is_belied, is_over;
	bool has_accepted, is_lost; /* the server is let go on with what it was told, and nothing made of that */
	bool is_unborne;            /* a content was accepted, and the RSET behind it is refused */
};

static void expect_trouble(struct group *group, const char *step, unsigned code)
{
	if (!group->is_told)
		expect(&group->trace, "trouble", 0, step, code);
	group->is_told = true;
}

static void expect_end(struct group *group, size_t message, const char *end, const char *step, unsigned code)
{
	if (group->is_ended[message])
		return;
	expect(&group->trace, end, message + 1, step, code);
	group->is_ended[message] = true;
}

static const char *const steps[] = { "mail", "mail", "rcpt", "final-dot" };

/* What a refusal says of the message: without its RSET nobody knows to what it was said. 552 to MAIL is about the message, to RCPT it is
 * taken for 452. */
static void expect_refusal(struct group *group, size_t message, enum command command, unsigned code)
{
	enum { TOO_LARGE = 552 };
	bool is_unclean = group->is_unclean[message];
	bool is_about_us = command == RSET_REPLY || (command == MAIL_REPLY && (code != TOO_LARGE || is_unclean));
	if (code == TOO_LARGE && command == MAIL_REPLY && !is_unclean)
		expect_end(group, message, "refused", "mail", code);
	else if (code == TOO_LARGE && command == RCPT_REPLY && !is_unclean)
		expect_end(group, message, "refused", "rcpt", 452);
	else if (command == RSET_REPLY)
		group->is_unclean[message] = true;
	else if (command == MAIL_REPLY && !is_unclean)
		expect_end(group, message, "not-sent", "", 0);
	else if (command > MAIL_REPLY && is_unclean)
		expect_end(group, message, "not-sent", "", 0);
	else if (command > MAIL_REPLY)
		expect_end(group, message, "refused", steps[command], code);
	if (code == 421 || is_about_us)
		expect_trouble(group, steps[command], code);
}

/* No server refuses RSET: it has said a reply too many before. After trouble nothing is made of it. */
static bool is_out_of_step(const struct group *group, size_t message)
{
	size_t next = (message + 1) * COMMANDS;
	unsigned code = next < group->said ? group->codes[message + 1][RSET_REPLY] : 250;
	return !group->is_told && !group->is_ended[message] && code != 250 && code != 421;
}

static void expect_lost_step(struct group *group, unsigned code)
{
	for (size_t i = 0; i < MESSAGES; i++)
		expect_end(group, i, "in-doubt", "", 0);
	expect_trouble(group, "mail", code);
	group->is_unborne = false;
	group->is_lost = group->has_accepted;
	group->is_over = !group->is_lost;
}

static void expect_success(struct group *group, size_t message, enum command command)
{
	if (command == MAIL_REPLY)
		group->is_unclean[message] = false;
	if (command == LAST_REPLY && group->is_unclean[message])
		expect_end(group, message, "in-doubt", "", 0);
	else if (command == LAST_REPLY && is_out_of_step(group, message))
		group->is_unborne = true;
	else if (command == LAST_REPLY) {
		group->has_accepted = group->has_accepted || !group->is_ended[message];
		expect_end(group, message, "accepted", "", 250);
	}
}

static void expect_reply(struct group *group, size_t message, enum command command)
{
	unsigned code = group->codes[message][command];
	say(&group->replies, code);
	if (group->is_unborne) {
		expect_lost_step(group, code);
		return;
	}
	group->is_belied = group->is_belied || (group->is_farewell && code != 421);
	group->is_farewell = group->is_farewell || code == 421;
	if (code == 250)
		expect_success(group, message, command);
	else
		expect_refusal(group, message, command, code);
	bool is_open = false;
	for (size_t i = 0; i < MESSAGES; i++)
		is_open = is_open || !group->is_ended[i];
	group->is_over = group->is_farewell && !is_open;
}

/* A server that closes after 421 has not looked at what is behind; one that went on may have. */
static void expect_loss(struct group *group)
{
	bool rules_out = group->is_farewell && !group->is_belied && group->loss == PEER_CLOSES;
	for (size_t i = 0; i < MESSAGES; i++)
		expect_end(group, i, rules_out ? "not-sent" : "in-doubt", "", 0);
}

static void foresee(struct group *group)
{
	for (size_t at = 1; at < group->said && !group->is_over && !group->is_lost; at++)
		expect_reply(group, at / COMMANDS, (enum command)(at % COMMANDS));
	if (group->loss != NO_LOSS && !group->is_over && !group->is_lost)
		expect_loss(group);
	expect(&group->trace, "closed", 0, "", 0);
}

static const struct smtp_client_options in_flight = { .in_flight = MESSAGES };

#define THREE MAIL RCPT "BDAT 5 LAST\r\nID1\r\n"
#define NEXT(n) "RSET\r\n" MAIL RCPT "BDAT 5 LAST\r\nID" n "\r\n"

/* All three are out; then the replies come, cut in two. */
static void play_group(const struct group *group, size_t split)
{
	static const char *const ends[] = { [NO_LOSS] = "221 bye\r\n", [PEER_CLOSES] = "EOF", [LOST] = "LOST" };
	struct owner owner = owner_new(&in_flight, MESSAGES);
	owner.is_silent = true;
	owner_drain(&owner);
	owner_turn(&owner, view_of("220 hi\r\n"));
	owner_turn(&owner, view_of(CHUNK));
	ck_view_eq(buf_view(&owner.wire), EHLO THREE NEXT("2") NEXT("3"));
	buf_reset(&owner.trace);
	struct view replies = buf_view(&group->replies);
	bool is_open = owner_turn(&owner, view_head(replies, split)) && owner_turn(&owner, view_skip(replies, split));
	ck_assert_msg(is_open != group->is_over, "\"" VIEW_FMT "\": open or not", VIEW_ARG(replies));
	if (group->is_farewell)
		ck_view_eq(buf_view(&owner.wire), EHLO THREE NEXT("2") NEXT("3"));
	if (is_open)
		is_open = owner_play(&owner, ends[group->loss], SIZE_MAX);
	ck_assert(!is_open);
	ck_assert_msg(view_eq(buf_view(&owner.trace), buf_view(&group->trace)),
		      "\"" VIEW_FMT "\", split %zu: got \"%s\", expected \"" VIEW_FMT "\"", VIEW_ARG(replies), split,
		      buf_text(&owner.trace), VIEW_ARG(buf_view(&group->trace)));
	owner_done(&owner);
}

/* The bits of `subset` say which replies fail. */
static void play_subset(unsigned subset, unsigned failure, bool splits)
{
	struct group group = { .said = ALL_REPLIES,
			       .replies = buf_with_ceiling(1024),
			       .trace = buf_with_ceiling(1024) };
	for (unsigned message = 0; message < MESSAGES; message++) {
		for (unsigned command = 0; command < COMMANDS; command++) {
			unsigned bit = message * COMMANDS + command;
			group.codes[message][command] = (subset >> bit & 1) != 0 ? failure : 250;
		}
	}
	foresee(&group);
	for (size_t split = splits ? 1 : group.replies.len; split <= group.replies.len; split++)
		play_group(&group, split);
	buf_done(&group.replies);
	buf_done(&group.trace);
}

/* The first message's RSET is not said: its bit is left out. */
START_TEST(every_subset_of_a_flight)
	{
		for (unsigned subset = 0; subset < 1u << MESSAGES * COMMANDS; subset += 2) {
			play_subset(subset, 550, true);
			play_subset(subset, 451, false);
			play_subset(subset, 552, subset % 7 == 0);
		}
	}
END_TEST

/* 421 at one of them after these, then so many others of one kind. */
static void play_farewell(unsigned before, unsigned at, size_t others, unsigned code, enum loss loss)
{
	struct group group = { .said = at + 1 + others,
			       .loss = loss,
			       .replies = buf_with_ceiling(1024),
			       .trace = buf_with_ceiling(1024) };
	for (unsigned bit = 0; bit < ALL_REPLIES; bit++) {
		unsigned as_before = (before >> bit & 1) != 0 ? 554 : 250;
		group.codes[bit / COMMANDS][bit % COMMANDS] = bit < at ? as_before : bit == at ? 421 : code;
	}
	foresee(&group);
	play_group(&group, group.replies.len / 2);
	buf_done(&group.replies);
	buf_done(&group.trace);
}

/* At each reply; followed by nothing, or by a server that goes on for a while as if it had not said it; by the end, or by silence. */
START_TEST(every_farewell_in_a_flight)
	{
		static const unsigned then[] = { 250, 421, 503 };
		for (unsigned at = 1; at < ALL_REPLIES; at++) {
			for (unsigned before = 0; before < 1u << at; before += at < 8 ? 2 : 14) {
				for (size_t others = 0; at + others < ALL_REPLIES; others++) {
					for (size_t i = 0; i < ARRAY_LEN(then); i++) {
						play_farewell(before, at, others, then[i], PEER_CLOSES);
						play_farewell(before, at, others, then[i], LOST);
					}
				}
			}
		}
	}
END_TEST

/* Half a reply behind 421 is one that went on, too. */
START_TEST(farewell_and_half_a_reply)
	{
		struct owner owner = owner_new(&in_flight, MESSAGES);
		owner.is_silent = true;
		owner_turn(&owner, view_of("220 hi\r\n"));
		owner_turn(&owner, view_of(CHUNK));
		owner_turn(&owner, view_of("421 x\r\n250"));
		ck_assert(smtp_client_is_dismissed(owner.client));
		owner_play(&owner, "EOF", SIZE_MAX);
		ck_view_eq(buf_view(&owner.trace),
			   "asks 1 asks 2 asks 3 not-sent 1 trouble@mail:421 in-doubt 2 in-doubt 3 closed");
		owner_done(&owner);
	}
END_TEST

/* What had not wholly left is not sent, and not an octet of it leaves afterwards: the server may wait for the rest of a chunk. */
START_TEST(farewell_amid_a_chunk)
	{
		struct owner owner = owner_new(&in_flight, MESSAGES);
		owner.is_silent = true;
		owner_turn(&owner, view_of("220 hi\r\n"));
		smtp_client_input(owner.client, view_of(CHUNK));
		owner_drain(&owner);
		owner_write(&owner, strlen(THREE NEXT("2")) + strlen("RSET\r\n" MAIL RCPT "BDAT 5 LAST\r\nI"));
		ck_assert(owner_turn(&owner, view_of("421 x\r\n")));
		ck_assert(smtp_client_output(owner.client).len == 0);
		ck_assert(!owner_turn(&owner, view_of("503 x\r\n503 x\r\n250 x\r\n250 x\r\n250 x\r\n250 x\r\n")));
		ck_view_eq(buf_view(&owner.trace),
			   "asks 1 asks 2 asks 3 not-sent 1 not-sent 3 trouble@mail:421 accepted 2:250 closed");
		ck_view_eq(buf_view(&owner.wire), EHLO THREE NEXT("2") "RSET\r\n" MAIL RCPT "BDAT 5 LAST\r\nI");
		owner_done(&owner);
	}
END_TEST

/* ---- DATA: the content with the next envelope behind it ---- */

static void foresee_next(struct buf *trace, unsigned mail, unsigned rcpt, unsigned data)
{
	if (mail != 250 && mail != 552) {
		expect(trace, "not-sent", 2, "", 0);
		expect(trace, "trouble", 0, "mail", mail);
	} else if (mail != 250 || rcpt != 250) {
		expect(trace, "refused", 2, mail != 250 ? "mail" : "rcpt", mail != 250 ? mail : rcpt);
		if (rcpt == 421)
			expect(trace, "trouble", 0, "rcpt", 421);
		else if (data == 421)
			expect(trace, "trouble", 0, "data", 421);
	} else if (data == 421) {
		expect(trace, "not-sent", 2, "", 0);
		expect(trace, "trouble", 0, "data", data);
	} else if (data != 354) {
		expect(trace, "refused", 2, "data", data);
	} else {
		expect(trace, "asks", 2, "", 0);
		expect(trace, "accepted", 2, "", 250);
	}
	expect(trace, "closed", 0, "", 0);
}

static void foresee_data(struct buf *trace, unsigned dot, unsigned mail, unsigned rcpt, unsigned data)
{
	if (dot == 250)
		expect(trace, "accepted", 1, "", 250);
	else
		expect(trace, "refused", 1, "final-dot", dot);
	if (dot != 421) {
		foresee_next(trace, mail, rcpt, data);
		return;
	}
	expect(trace, "not-sent", 2, "", 0);
	expect(trace, "trouble", 0, "final-dot", 421);
	expect(trace, "closed", 0, "", 0);
}

static void play_data(struct view replies, struct view trace, size_t split)
{
	struct owner owner = owner_new(NULL, 2);
	owner.is_silent = true;
	owner_drain(&owner);
	owner_turn(&owner, view_of("220 hi\r\n"));
	owner_turn(&owner, view_of(PIPE));
	owner_turn(&owner, view_of(OK3));
	ck_view_eq(buf_view(&owner.wire), EHLO GROUP "ID1\r\n.\r\n" GROUP);
	buf_reset(&owner.trace);
	bool is_open = owner_turn(&owner, view_head(replies, split)) && owner_turn(&owner, view_skip(replies, split));
	/* The second dot's reply, or the void one's; then QUIT's. */
	struct view wire = buf_view(&owner.wire);
	if (is_open && view_ends(wire, VIEW_LIT("DATA\r\n.\r\n")))
		is_open = owner_turn(&owner, view_of("554 none\r\n"));
	else if (is_open && view_ends(wire, VIEW_LIT("ID2\r\n.\r\n")))
		is_open = owner_turn(&owner, view_of("250 d\r\n"));
	if (is_open)
		is_open = owner_turn(&owner, view_of("221 bye\r\n"));
	ck_assert(!is_open);
	ck_assert_msg(view_eq(buf_view(&owner.trace), trace),
		      "\"" VIEW_FMT "\", split %zu: got \"%s\", expected \"" VIEW_FMT "\"", VIEW_ARG(replies), split,
		      buf_text(&owner.trace), VIEW_ARG(trace));
	owner_done(&owner);
}

START_TEST(every_subset_behind_content)
	{
		static const unsigned codes[] = { 250, 451, 550, 421 }, data_codes[] = { 354, 451, 554, 421 },
				      mail_codes[] = { 250, 451, 550, 421, 552 };
		for (size_t i = 0; i < 64 * ARRAY_LEN(mail_codes); i++) {
			unsigned dot = codes[i & 3], rcpt = codes[i >> 2 & 3], data = data_codes[i >> 4 & 3],
				 mail = mail_codes[i >> 6];
			AUTO_BUF replies = buf_with_ceiling(256);
			AUTO_BUF trace = buf_with_ceiling(256);
			say(&replies, dot);
			say(&replies, mail);
			say(&replies, rcpt);
			say(&replies, data);
			foresee_data(&trace, dot, mail, rcpt, data);
			for (size_t split = 1; split <= replies.len; split++)
				play_data(buf_view(&replies), buf_view(&trace), split);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { every_subset_of_a_flight, every_farewell_in_a_flight, farewell_and_half_a_reply,
				       farewell_amid_a_chunk, every_subset_behind_content };
	return suite_of("client_groups", tests, ARRAY_LEN(tests));
}
