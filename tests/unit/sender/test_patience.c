#include "sender/patience.h"

#include "base/clock.h"
#include "tests/support/unit.h"

enum { LOOKS = 5 };

/* The time begins with what is waited for, and with what we say: not with what comes. */
START_TEST(it_begins_with_the_wait)
	{
		static const struct row {
			const char *label;
			struct look {
				struct wait wait;
				size_t written;
				bool begins;
			} looks[LOOKS];
			size_t count;
		} rows[] = {
			{ "octets of one reply",
			  { { { SMTP_STEP_BANNER, false, false, false, 0 }, 0, true },
			    { { SMTP_STEP_BANNER, false, false, false, 0 }, 0, false },
			    { { SMTP_STEP_BANNER, false, false, false, 0 }, 0, false } },
			  3 },
			{ "replies to one step",
			  { { { SMTP_STEP_RCPT, false, false, false, 7 }, 0, true },
			    { { SMTP_STEP_RCPT, false, false, false, 8 }, 0, true },
			    { { SMTP_STEP_RCPT, false, false, false, 8 }, 0, false } },
			  3 },
			{ "another step",
			  { { { SMTP_STEP_EHLO, false, false, false, 1 }, 20, true },
			    { { SMTP_STEP_AUTH, false, false, false, 1 }, 0, true } },
			  2 },
			{ "content that leaves in parts",
			  { { { SMTP_STEP_FINAL_DOT, false, false, false, 5 }, 4096, true },
			    { { SMTP_STEP_FINAL_DOT, false, false, false, 5 }, 1, true },
			    { { SMTP_STEP_FINAL_DOT, false, false, false, 5 }, 0, false } },
			  3 },
			{ "a handshake",
			  { { { SMTP_STEP_STARTTLS, false, false, false, 2 }, 10, true },
			    { { SMTP_STEP_STARTTLS, false, true, false, 2 }, 0, true },
			    { { SMTP_STEP_STARTTLS, false, true, false, 2 }, 0, false },
			    { { SMTP_STEP_STARTTLS, false, false, false, 2 }, 0, true } },
			  4 },
			{ "idle and not",
			  { { { SMTP_STEP_MAIL, true, false, false, 3 }, 0, true },
			    { { SMTP_STEP_MAIL, true, false, false, 3 }, 0, false },
			    { { SMTP_STEP_MAIL, false, false, false, 3 }, 0, true } },
			  3 },
			{ "421",
			  { { { SMTP_STEP_FINAL_DOT, false, false, false, 9 }, 0, true },
			    { { SMTP_STEP_FINAL_DOT, false, false, true, 9 }, 0, true },
			    { { SMTP_STEP_FINAL_DOT, false, false, true, 9 }, 0, false } },
			  3 },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct patience patience = { 0 };
			for (size_t k = 0; k < rows[i].count; k++) {
				const struct look *look = &rows[i].looks[k];
				ck_assert_msg(patience_begins(&patience, &look->wait, look->written) == look->begins,
					      "%s: %zu", rows[i].label, k);
			}
		}
	}
END_TEST

START_TEST(each_step_has_its_time)
	{
		static const struct settings settings = {
			.relay_connect_timeout = 1 * CLOCK_US_PER_SECOND,
			.relay_reply_timeout = 2 * CLOCK_US_PER_SECOND,
			.relay_data_timeout = 3 * CLOCK_US_PER_SECOND,
			.relay_final_timeout = 400 * CLOCK_US_PER_SECOND,
		};
		static const struct row {
			const char *label;
			struct wait wait;
			int64_t seconds;
		} rows[] = {
			{ "banner", { SMTP_STEP_BANNER, false, false, false, 0 }, 2 },
			{ "ehlo", { SMTP_STEP_EHLO, false, false, false, 0 }, 2 },
			{ "starttls", { SMTP_STEP_STARTTLS, false, false, false, 0 }, 2 },
			{ "its handshake", { SMTP_STEP_STARTTLS, false, true, false, 0 }, 1 },
			{ "auth", { SMTP_STEP_AUTH, false, false, false, 0 }, 2 },
			{ "mail", { SMTP_STEP_MAIL, false, false, false, 0 }, 2 },
			{ "rcpt", { SMTP_STEP_RCPT, false, false, false, 0 }, 2 },
			{ "data", { SMTP_STEP_DATA, false, false, false, 0 }, 3 },
			{ "final dot", { SMTP_STEP_FINAL_DOT, false, false, false, 0 }, 400 },
			{ "quit", { SMTP_STEP_QUIT, false, false, false, 0 }, 1 },
			{ "idle", { SMTP_STEP_MAIL, true, false, false, 0 }, 20 },
			{ "after 421", { SMTP_STEP_FINAL_DOT, false, false, true, 0 }, 20 },
			{ "after 421, shorter", { SMTP_STEP_DATA, false, false, true, 0 }, 3 },
		};
		bool is_told[SMTP_STEP_COUNT] = { 0 };
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			is_told[rows[i].wait.step] = true;
			ck_assert_msg(patience_time(&settings, &rows[i].wait) == rows[i].seconds * CLOCK_US_PER_SECOND,
				      "%s", rows[i].label);
		}
		for (size_t i = 0; i < SMTP_STEP_COUNT; i++)
			ck_assert_msg(is_told[i], "%s", smtp_step_name((enum smtp_step)i));
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { it_begins_with_the_wait, each_step_has_its_time };
	return suite_of("patience", tests, ARRAY_LEN(tests));
}
