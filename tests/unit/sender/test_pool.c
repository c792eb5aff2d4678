#include "sender/pool.h"

#include <string.h>

#include "base/view.h"
#include "tests/support/unit.h"

enum { MEMBERS = 3 };

/* Connections are only pointed at. */
static struct pool_member members[MEMBERS];
static char bodies[MEMBERS];

static struct pool begin(void)
{
	memset(members, 0, sizeof(members));
	for (size_t i = 0; i < MEMBERS; i++)
		members[i].connection = (struct connection *)(void *)&bodies[i];
	return (struct pool){ 0 };
}

/* "abc": the members of a line in order, forwards by pool_next(). */
static const char *spell(const struct pool *pool, enum pool_line line)
{
	static char text[MEMBERS + 1];
	size_t count = 0;
	for (struct connection *at = pool_first(pool, line); at != NULL && count < MEMBERS;) {
		size_t index = (size_t)((char *)(void *)at - bodies);
		text[count++] = (char)('a' + (char)index);
		at = pool_next(&members[index], line);
	}
	text[count] = '\0';
	return count == pool_count(pool, line) ? text : "its count is wrong";
}

START_TEST(lines_keep_their_order)
	{
		static const struct row {
			const char *label, *steps; /* "a": a is put; "A": it is taken out */
			const char *left;
		} rows[] = {
			{ "none", "", "" },
			{ "in order", "abc", "abc" },
			{ "twice is once", "abab", "ab" },
			{ "the first leaves", "abcA", "bc" },
			{ "the middle one leaves", "abcB", "ac" },
			{ "the last leaves", "abcC", "ab" },
			{ "behind the others again", "abcAa", "bca" },
			{ "who is not there leaves", "aB", "a" },
			{ "all leave", "abcBAC", "" },
			{ "the only one leaves and comes back", "aAa", "a" },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			for (enum pool_line line = 0; line < POOL_LINE_COUNT; line++) {
				struct pool pool = begin();
				for (const char *at = rows[i].steps; *at != '\0'; at++) {
					if (*at >= 'a')
						pool_put(&pool, &members[*at - 'a'], line);
					else
						pool_take(&pool, &members[*at - 'A'], line);
				}
				ck_row(rows[i].label, strcmp(spell(&pool, line), rows[i].left) == 0);
			}
		}
	}
END_TEST

START_TEST(lines_are_apart)
	{
		struct pool pool = begin();
		pool_put(&pool, &members[0], POOL_ALL);
		pool_put(&pool, &members[1], POOL_ALL);
		pool_put(&pool, &members[1], POOL_HUNGRY);
		pool_take(&pool, &members[1], POOL_HUNGRY);
		ck_assert_str_eq(spell(&pool, POOL_ALL), "ab");
		pool_put(&pool, &members[0], POOL_DIRTY);
		pool_leave(&pool, &members[0]);
		for (enum pool_line line = 0; line < POOL_LINE_COUNT; line++)
			ck_assert_str_eq(spell(&pool, line), line == POOL_ALL ? "b" : "");
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { lines_keep_their_order, lines_are_apart };
	return suite_of("pool", tests, ARRAY_LEN(tests));
}
