#include "mail/storm_text.h"

#include "base/limits.h"
#include "tests/support/unit.h"

static const struct row {
	const char *label, *said, *recipient, *expected;
} rows[] = {
	{ "empty", "", "ann@example.test", "" },
	{ "words", "Mailbox  unavailable\r\n", "", "mailbox unavailable" },
	{ "codes and enhanced codes", "550 5.1.1 550-5.1.1 no such user", "", "no such user" },
	{ "ids of an operator", "user unknown d9si4567890abc.12 - gsmtp", "", "user unknown - gsmtp" },
	{ "the recipient", "<ann@example.test>: unknown user \"ann\"", "ann@example.test", "<@>: unknown user" },
	{ "the recipient in capitals", "<ANN@Example.Test> unknown", "ann@example.test", "<@> unknown" },
	{ "a local part too short to be told from words", "a user is unknown", "a@example.test", "a user is unknown" },
	{ "what stands before a reply in a report", "smtp; 550 user unknown", "", "user unknown" },
	{ "an address without @", "user unknown", "ann", "user unknown" },
	{ "a word too long to be one", "unknown xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx user", "", "unknown user" },
	{ "nothing but numbers", "550 5.1.1 12345", "", "" },
};

START_TEST(says_the_same_of_different_people)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF text = buf_with_ceiling(LIMIT_STORM_TEXT);
			ck_assert_int_eq(storm_text_write(view_of(rows[i].said), view_of(rows[i].recipient), &text),
					 ERR_OK);
			ck_assert_msg(view_eq(buf_view(&text), view_of(rows[i].expected)), "%s: %s", rows[i].label,
				      buf_text(&text));
		}
	}
END_TEST

START_TEST(takes_whole_words_up_to_its_ceiling)
	{
		AUTO_BUF said = buf_with_ceiling(4 * LIMIT_STORM_TEXT);
		AUTO_BUF text = buf_with_ceiling(LIMIT_STORM_TEXT);
		for (size_t i = 0; i < 50; i++)
			ck_assert_int_eq(buf_add(&said, VIEW_LIT("unknown ")), ERR_OK);
		ck_assert_int_eq(storm_text_write(buf_view(&said), VIEW_LIT(""), &text), ERR_OK);
		ck_assert_uint_eq(text.len, 25 * 8 - 1);
	}
END_TEST

START_TEST(hashes_reason_and_text)
	{
		int64_t one = 0, same = 0, other_reason = 0, other_text = 0;
		ck_assert(storm_text_hash(VIEW_LIT("user-unknown"), VIEW_LIT("no such user"), &one));
		ck_assert(storm_text_hash(VIEW_LIT("user-unknown"), VIEW_LIT("no such user"), &same));
		ck_assert(storm_text_hash(VIEW_LIT("moved"), VIEW_LIT("no such user"), &other_reason));
		ck_assert(storm_text_hash(VIEW_LIT("user-unknown"), VIEW_LIT("no user"), &other_text));
		ck_assert_int_eq(one, same);
		ck_assert_int_ne(one, other_reason);
		ck_assert_int_ne(one, other_text);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { says_the_same_of_different_people, takes_whole_words_up_to_its_ceiling,
				       hashes_reason_and_text };
	return suite_of("storm_text", tests, ARRAY_LEN(tests));
}
