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

struct group {
	unsigned codes[MESSAGES][COMMANDS]; /* the first message has no RSET */
	struct buf replies, trace;
	bool is_told; /* trouble */
	bool is_over; /* 421 was said */
};

static void expect_trouble(struct group *group, const char *step, unsigned code)
{
	if (!group->is_told)
		expect(&group->trace, "trouble", 0, step, code);
	group->is_told = true;
}

/* 421: the message at hand is refused for now where it could be, and none behind it has been looked at. */
static void expect_farewell(struct group *group, size_t message, enum command command, bool is_ended)
{
	static const char *const steps[] = { "mail", "mail", "rcpt", "final-dot" };
	if (!is_ended && command >= RCPT_REPLY)
		expect(&group->trace, "refused", message + 1, steps[command], 421);
	for (size_t i = is_ended || command >= RCPT_REPLY ? message + 1 : message; i < MESSAGES; i++)
		expect(&group->trace, "not-sent", i + 1, "", 0);
	expect_trouble(group, steps[command], 421);
	expect(&group->trace, "closed", 0, "", 0);
	group->is_over = true;
}

/* One reply; true when the message has come to its end by it or before. */
static bool expect_reply(struct group *group, size_t message, enum command command, bool is_ended)
{
	unsigned code = group->codes[message][command];
	say(&group->replies, code);
	if (code == 421) {
		expect_farewell(group, message, command, is_ended);
		return true;
	}
	if (command == LAST_REPLY && !is_ended && code == 250)
		expect(&group->trace, "accepted", message + 1, "", 250);
	if (code == 250)
		return is_ended || command == LAST_REPLY;
	if (command == RSET_REPLY)
		expect_trouble(group, "mail", code);
	if (is_ended || command == RSET_REPLY)
		return is_ended;
	if (command == MAIL_REPLY) {
		expect(&group->trace, "not-sent", message + 1, "", 0);
		expect_trouble(group, "mail", code);
	} else {
		expect(&group->trace, "refused", message + 1, command == RCPT_REPLY ? "rcpt" : "final-dot", code);
	}
	return true;
}

static void foresee(struct group *group)
{
	for (size_t message = 0; message < MESSAGES && !group->is_over; message++) {
		bool is_ended = false;
		for (unsigned i = message == 0 ? MAIL_REPLY : RSET_REPLY; i < COMMANDS && !group->is_over; i++)
			is_ended = expect_reply(group, message, (enum command)i, is_ended);
	}
	if (!group->is_over)
		expect(&group->trace, "closed", 0, "", 0);
}

static const struct smtp_client_options in_flight = { .in_flight = MESSAGES };

#define THREE MAIL RCPT "BDAT 5 LAST\r\nID1\r\n"
#define NEXT(n) "RSET\r\n" MAIL RCPT "BDAT 5 LAST\r\nID" n "\r\n"

/* All three are out; then the replies come, cut in two. */
static void play_group(const struct group *group, size_t split)
{
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
	if (is_open)
		is_open = owner_turn(&owner, view_of("221 bye\r\n"));
	ck_assert(!is_open);
	ck_assert_msg(view_eq(buf_view(&owner.trace), buf_view(&group->trace)),
		      "\"" VIEW_FMT "\", split %zu: got \"%s\", expected \"" VIEW_FMT "\"", VIEW_ARG(replies), split,
		      buf_text(&owner.trace), VIEW_ARG(buf_view(&group->trace)));
	owner_done(&owner);
}

/* The bits of `subset` say which replies fail. */
static void play_subset(unsigned subset, unsigned failure, bool splits)
{
	struct group group = { .replies = buf_with_ceiling(1024), .trace = buf_with_ceiling(1024) };
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
		}
	}
END_TEST

/* The first of them ends it. */
START_TEST(every_farewell_in_a_flight)
	{
		for (unsigned at = 1; at < MESSAGES * COMMANDS; at++) {
			for (unsigned before = 0; before < 1u << at; before += 2) {
				struct group group = { .replies = buf_with_ceiling(1024),
						       .trace = buf_with_ceiling(1024) };
				for (unsigned bit = 0; bit < MESSAGES * COMMANDS; bit++) {
					unsigned code = bit == at ? 421 : (before >> bit & 1) != 0 ? 554 : 250;
					group.codes[bit / COMMANDS][bit % COMMANDS] = code;
				}
				foresee(&group);
				if (group.is_over)
					play_group(&group, group.replies.len / 2);
				buf_done(&group.replies);
				buf_done(&group.trace);
			}
		}
	}
END_TEST

/* ---- DATA: the content with the next envelope behind it ---- */

static void foresee_next(struct buf *trace, unsigned mail, unsigned rcpt, unsigned data)
{
	if (mail != 250) {
		expect(trace, "not-sent", 2, "", 0);
		expect(trace, "trouble", 0, "mail", mail);
	} else if (rcpt != 250) {
		expect(trace, "refused", 2, "rcpt", rcpt);
		if (rcpt == 421)
			expect(trace, "trouble", 0, "rcpt", 421);
		else if (data == 421)
			expect(trace, "trouble", 0, "data", 421);
	} else if (data != 354) {
		expect(trace, "not-sent", 2, "", 0);
		expect(trace, "trouble", 0, "data", data);
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
		static const unsigned codes[] = { 250, 451, 550, 421 }, data_codes[] = { 354, 451, 554, 421 };
		for (size_t i = 0; i < 256; i++) {
			unsigned dot = codes[i & 3], mail = codes[i >> 2 & 3], rcpt = codes[i >> 4 & 3],
				 data = data_codes[i >> 6 & 3];
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
	const TTest *const tests[] = { every_subset_of_a_flight, every_farewell_in_a_flight,
				       every_subset_behind_content };
	return suite_of("client_groups", tests, ARRAY_LEN(tests));
}
