#include "base/log.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "tests/support/unit.h"

/* What log_event() writes to stderr while it points to a pipe. */
static void capture(struct buf *out, enum log_level level, const char *value)
{
	int ends[2];
	int kept = dup(STDERR_FILENO);
	char room[2 * LIMIT_LOG_LINE];
	struct log_text text;
	ck_assert_int_eq(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	log_event(level, "test.event", "value=%s", log_quoted(view_of(value), &text));
	dup2(kept, STDERR_FILENO);
	close(ends[1]);
	ssize_t got = read(ends[0], room, sizeof(room));
	close(ends[0]);
	close(kept);
	ck_assert_int_ge(got, 0);
	buf_add(out, view_from(room, (size_t)got));
}

START_TEST(one_line_whatever_comes)
	{
		AUTO_BUF line = buf_with_ceiling(LIMIT_LOG_LINE * 4);
		log_open("tester", LOG_INFO);
		capture(&line, LOG_INFO, "a\r\nb\x1b[31m \" level=error event=forged \\");
		struct view text = buf_view(&line);
		ck_assert_uint_eq(view_find_byte(text, '\n'), text.len - 1);
		ck_assert_uint_eq(view_find_byte(text, '\x1b'), VIEW_NONE);
		ck_assert(view_find(text, VIEW_LIT("tester[")) != VIEW_NONE);
		ck_assert(view_find(text, VIEW_LIT("level=info event=test.event value=\"a\\x0d\\x0ab")) != VIEW_NONE);
		ck_assert(view_find(text, VIEW_LIT("\\\" level=error event=forged \\\\\"")) != VIEW_NONE);
	}
END_TEST

START_TEST(below_the_least_level_nothing_is_written)
	{
		AUTO_BUF line = buf_with_ceiling(LIMIT_LOG_LINE * 4);
		log_open("tester", LOG_WARNING);
		capture(&line, LOG_INFO, "quiet");
		ck_assert_uint_eq(line.len, 0);
		capture(&line, LOG_ERROR, "loud");
		ck_assert_uint_gt(line.len, 0);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { one_line_whatever_comes, below_the_least_level_nothing_is_written };
	return suite_of("log", tests, ARRAY_LEN(tests));
}
