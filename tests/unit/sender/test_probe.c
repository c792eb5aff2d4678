#include "sender/probe.h"

#include "base/clock.h"
#include "base/limits.h"
#include "mail/verp.h"
#include "store/relay_tests.h"
#include "tests/support/unit.h"

static const int64_t now_us = 20779 * CLOCK_US_PER_DAY + CLOCK_US_PER_DAY / 2;

static struct token_maker *maker_new(void)
{
	struct keyring ring = { .newest = -1 };
	unsigned char bytes[KEYRING_KEY_SIZE] = { 1 };
	struct token_maker *maker = NULL;
	int id;
	ck_assert_int_eq(keyring_add(&ring, VIEW_LIT("2026-11-22"), bytes, &id), ERR_OK);
	ck_assert_int_eq(token_maker_new(&ring, VIEW_LIT("bounce.test"), &maker), ERR_OK);
	return maker;
}

struct row {
	const char *label, *from, *stands; /* what stands in the message */
};

static const struct row rows[] = {
	{ "a list's sender", "news@example.test", "From: \"verpost\" <news@example.test>\r\n" },
	{ "its domain in the Message-ID", "news@example.test", "@example.test>\r\nX-Verpost-Test: " },
	{ "fields of lists", "news@example.test",
	  "List-Id: <verpost-test.example.test>\r\nList-Unsubscribe: <mailto:b+" },
	{ "an encoding", "", "Content-Transfer-Encoding: 7bit\r\n\r\nThis message" },
	{ "no list", "", "@bounce.test>\r\nX-Verpost-Test: " },
	{ "not plain ASCII", "b\xc3\xbc@example.test", "@bounce.test>\r\nX-Verpost-Test: " },
	{ "a line break", "a@example.test\r\nBcc: x@y.test", "@bounce.test>\r\nX-Verpost-Test: " },
	{ "no address", "news", "@bounce.test>\r\nX-Verpost-Test: " },
};

START_TEST(what_is_sent)
	{
		struct token_maker *maker = maker_new();
		const struct letterhead letterhead = { .tokens = maker,
						       .bounce_domain = VIEW_LIT("bounce.test"),
						       .bounce_prefix = VIEW_LIT("b") };
		struct letter letter = letter_new();
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			const struct probe_facts facts = { .test_id = 9,
							   .now_us = now_us,
							   .relay = VIEW_LIT("main"),
							   .from_address = view_of(rows[i].from) };
			struct view token, message;
			struct token path, id;
			ck_row(rows[i].label, probe_write(&letterhead, &facts, &letter) == ERR_OK);
			message = buf_view(&letter.message);
			ck_row(rows[i].label, view_find(message, view_of(rows[i].stands)) != VIEW_NONE);
			ck_row(rows[i].label, view_find(message, VIEW_LIT("\nBcc")) == VIEW_NONE);
			ck_row(rows[i].label, view_find(message, buf_view(&letter.envid)) != VIEW_NONE);
			ck_row(rows[i].label, view_ends(message, VIEW_LIT("\r\n")));
			ck_row(rows[i].label,
			       verp_split(buf_view(&letter.from), VIEW_LIT("b"), VIEW_LIT("bounce.test"), &token));
			ck_row(rows[i].label, token_check(maker, TOKEN_RETURN_PATH, token, clock_day(now_us), 1,
							  &path) == TOKEN_VALID);
			ck_row(rows[i].label, token_check(maker, TOKEN_MESSAGE, buf_view(&letter.envid),
							  clock_day(now_us), 1, &id) == TOKEN_VALID);
			ck_row(rows[i].label, path.scope_id == RELAY_TESTS_CAMPAIGN && path.subscriber_id == 9);
			ck_row(rows[i].label, id.scope_id == RELAY_TESTS_CAMPAIGN && id.subscriber_id == 9);
		}
		letter_done(&letter);
		token_maker_done(maker);
	}
END_TEST

/* It is sealed before it is handed over, and written once more then. */
START_TEST(the_same_twice)
	{
		struct token_maker *maker = maker_new();
		const struct letterhead letterhead = { .tokens = maker,
						       .bounce_domain = VIEW_LIT("bounce.test"),
						       .bounce_prefix = VIEW_LIT("b") };
		struct letter first = letter_new(), second = letter_new();
		const struct probe_facts facts = { .test_id = 9, .now_us = now_us, .relay = VIEW_LIT("main") };
		ck_assert_int_eq(probe_write(&letterhead, &facts, &first), ERR_OK);
		ck_assert_int_eq(probe_write(&letterhead, &facts, &second), ERR_OK);
		ck_assert(first.message.len > 0 && view_eq(buf_view(&first.message), buf_view(&second.message)));
		letter_done(&first);
		letter_done(&second);
		token_maker_done(maker);
	}
END_TEST

START_TEST(a_key_that_is_gone)
	{
		struct token_maker *maker = maker_new();
		const struct letterhead letterhead = { .tokens = maker,
						       .bounce_domain = VIEW_LIT("bounce.test"),
						       .bounce_prefix = VIEW_LIT("b") };
		struct letter letter = letter_new();
		const struct probe_facts facts = {
			.test_id = 9, .now_us = now_us, .key_id = 3, .relay = VIEW_LIT("m")
		};
		ck_assert_int_eq(probe_write(&letterhead, &facts, &letter), ERR_NOT_FOUND);
		letter_done(&letter);
		token_maker_done(maker);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { what_is_sent, the_same_twice, a_key_that_is_gone };
	return suite_of("probe", tests, ARRAY_LEN(tests));
}
