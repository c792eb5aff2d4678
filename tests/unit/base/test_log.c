#include "base/log.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/settings.h"
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

START_TEST(mailboxes_are_hidden_unless_told_otherwise)
	{
		static const struct {
			const char *label, *text, *shown;
		} rows[] = {
			{ "in a reply", "550 <jane.doe@example.net>: denied", "550 <*@example.net>: denied" },
			{ "two", "a@b.example, c+d=e@f.example", "*@b.example, *@f.example" },
			{ "quoted", "<\"jane doe\"@example.net>", "<*@example.net>" },
			{ "after a colon", "rfc822;jane@example.net to:joe@example.net",
			  "rfc822;*@example.net to:*@example.net" },
			{ "UTF-8", "j\xc3\xb6rg@example.net", "*@example.net" },
			{ "no mailbox before it", "@example.net <@", "@example.net <@" },
			{ "none", "421 try later", "421 try later" },
		};
		struct settings settings;
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF line = buf_with_ceiling(LIMIT_LOG_LINE * 4);
			log_open("tester", LOG_DEBUG);
			capture(&line, LOG_INFO, rows[i].text);
			ck_row(rows[i].label, view_find(buf_view(&line), view_of(rows[i].shown)) != VIEW_NONE);
			buf_reset(&line);
			capture(&line, LOG_DEBUG, "<jane@example.net>");
			ck_row("debug", view_find(buf_view(&line), VIEW_LIT("<jane@example.net>")) != VIEW_NONE);
		}
		AUTO_BUF line = buf_with_ceiling(LIMIT_LOG_LINE * 4);
		ck_assert_int_eq(
		    settings_parse(view_of("[log]\nlevel = error\naddresses = yes\n"), "f.conf", &settings, &why),
		    ERR_OK);
		log_open_as_set("tester", &settings);
		settings_done(&settings);
		ck_assert(log_is_on(LOG_ERROR) && !log_is_on(LOG_WARNING));
		capture(&line, LOG_ERROR, "<jane@example.net>");
		ck_assert(view_find(buf_view(&line), VIEW_LIT("<jane@example.net>")) != VIEW_NONE);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { one_line_whatever_comes, below_the_least_level_nothing_is_written,
				       mailboxes_are_hidden_unless_told_otherwise };
	return suite_of("log", tests, ARRAY_LEN(tests));
}
