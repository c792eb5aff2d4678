#include "listctl/pace_text.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "tests/support/unit.h"

enum { FAR_US = INT32_MAX };

struct row {
	const char *key, *name, *reason;
	int64_t recipients, slots, of_day;
	double limit, rate;
	bool is_cut;
	int64_t closed_until_us; /* FAR_US: one to come */
	const char *text;        /* of which * stands for an instant */
};

static const struct row rows[] = {
	{ .key = "group:gmail",
	  .reason = "421 4.7.28 no",
	  .recipients = 300,
	  .rate = 0.2,
	  .is_cut = true,
	  .closed_until_us = 1,
	  .text = "300 wait for group:gmail, closed, and tried now and then: 421 4.7.28 no; "
		  "`listctl pace open gmail` ends it" },
	{ .key = "domain:shut.test",
	  .recipients = 1,
	  .is_cut = true,
	  .closed_until_us = FAR_US,
	  .text = "1 waits for domain:shut.test, closed until *; `listctl pace open shut.test` ends it" },
	{ .key = "domain:shut",
	  .recipients = 2,
	  .is_cut = true,
	  .rate = 2,
	  .text = "2 wait for domain:shut, slowed to 2/s; `listctl pace open domain:shut` ends it" },
	{ .key = "relay:r",
	  .reason = "421 4.7.0 slow down",
	  .is_cut = true,
	  .rate = 18.04,
	  .text = "relay:r is slowed to 18/s: 421 4.7.0 slow down; `listctl pace open relay:r` ends it" },
	{ .key = "group:gmail", .recipients = 5, .limit = 10, .rate = 10, .text = "5 wait for group:gmail (10/s)" },
	{ .key = "group:gmail", .recipients = 5, .slots = 3, .text = "5 wait for group:gmail (3 connections)" },
	{ .key = "group:gmail",
	  .recipients = 5,
	  .limit = 0.5,
	  .slots = 3,
	  .text = "5 wait for group:gmail (0.5/s, 3 connections)" },
	{ .key = "group:gmail", .recipients = 5, .text = "5 wait for group:gmail" },
	{ .key = "warmup:3",
	  .name = "relay new",
	  .recipients = 70,
	  .of_day = 50,
	  .text = "70 wait for the warm-up of relay new (50 today)" },
	{ .key = "warmup:3", .name = "", .recipients = 70, .text = "70 wait for the warm-up" },
};

static bool is_told(const struct row *row, struct buf *text)
{
	struct view expected = view_of(row->text), told = buf_view(text);
	size_t star = view_find_byte(expected, '*');
	if (star == VIEW_NONE)
		return view_eq(told, expected);
	struct view tail = view_skip(expected, star + 1);
	return view_starts(told, view_head(expected, star)) && told.len > expected.len &&
	       view_eq(view_skip(told, told.len - tail.len), tail) && strstr(buf_text(text), " UTC; ") != NULL;
}

START_TEST(each_says_what_waits_and_how_it_ends)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			const struct row *row = &rows[i];
			AUTO_BUF text = buf_with_ceiling(LIMIT_WHY);
			struct budget_wait wait = {
				.standing = { .key = view_of(row->key),
					      .name = view_of(row->name),
					      .reason = view_of(row->reason),
					      .limit = row->limit,
					      .rate = row->rate,
					      .slots = row->slots,
					      .of_day = row->of_day,
					      .cut_us = row->is_cut,
					      .closed_until_us = row->closed_until_us },
				.recipients = row->recipients,
			};
			if (row->closed_until_us == FAR_US)
				wait.standing.closed_until_us = clock_wall_us() + INT64_C(3600) * CLOCK_US_PER_SECOND;
			pace_text_add_wait(&wait, &text);
			ck_assert_msg(is_told(row, &text), "%s: %s", row->text, buf_text(&text));
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { each_says_what_waits_and_how_it_ends };
	return suite_of("pace_text", tests, ARRAY_LEN(tests));
}
