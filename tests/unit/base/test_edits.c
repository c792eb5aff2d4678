#include "base/edits.h"

#include <string.h>

#include "base/limits.h"
#include "tests/support/unit.h"

static const struct {
	const char *label, *a, *b;
	size_t edits;
	bool is_few; /* a is known */
} rows[] = {
	{ "alike", "news", "news", 0, true },
	{ "but for the case", "news", "NEWS", 0, true },
	{ "one added", "news", "newss", 1, true },
	{ "one lost", "news", "nws", 1, true },
	{ "one changed", "news", "nexs", 1, true },
	{ "neighbours swapped", "news", "nwes", 1, true },
	{ "two swapped pairs", "newest", "enwets", 2, true },
	{ "swapped at the end behind one lost", "weekly", "wekyl", 2, true },
	{ "too many for a short word", "news", "nuts", 2, false },
	{ "nothing", "", "", 0, true },
	{ "all of it", "", "abc", 3, false },
	{ "none of it", "abc", "", 3, false },
	{ "others altogether", "abc", "xyz", 3, false },
};

START_TEST(both_ways)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct view a = view_of(rows[i].a), b = view_of(rows[i].b);
			ck_row(rows[i].label, edits_between(a, b) == rows[i].edits &&
						  edits_between(b, a) == rows[i].edits &&
						  edits_are_few(a, rows[i].edits) == rows[i].is_few);
		}
	}
END_TEST

START_TEST(long_words_are_far)
	{
		char word[LIMIT_FIELD_NAME + 1];
		memset(word, 'x', sizeof(word));
		struct view most = view_from(word, LIMIT_FIELD_NAME), more = view_from(word, LIMIT_FIELD_NAME + 1);
		ck_assert(edits_between(most, most) == 0 && edits_between(most, more) == SIZE_MAX);
		ck_assert(edits_between(more, most) == SIZE_MAX &&
			  edits_between(most, view_of("")) == LIMIT_FIELD_NAME);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { both_ways, long_words_are_far };
	return suite_of("edits", tests, ARRAY_LEN(tests));
}
