#include "listctl/message_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "tests/support/unit.h"

struct row {
	const char *label, *file;
	const char *messages[4]; /* ends at NULL */
};

static const struct row rows[] = {
	{ "one message", "Subject: x\n\nbody\n", { "Subject: x\n\nbody\n" } },
	{ "From in a plain message parts nothing",
	  "Subject: x\n\nFrom here\n\nFrom there\n",
	  { "Subject: x\n\nFrom here\n\nFrom there\n" } },
	{ "mbox of two",
	  "From a Thu\nA: 1\n\none\n\nFrom b Fri\nB: 2\n\ntwo\n\n",
	  { "A: 1\n\none\n", "B: 2\n\ntwo\n" } },
	{ "CRLF",
	  "From a\r\nA: 1\r\n\r\none\r\n\r\nFrom b\r\nB: 2\r\n\r\ntwo\r\n",
	  { "A: 1\r\n\r\none\r\n", "B: 2\r\n\r\ntwo\r\n" } },
	{ "From parts only after an empty line", "From a\nA: 1\n\nx\nFrom y\n", { "A: 1\n\nx\nFrom y\n" } },
	{ "quoted From lines",
	  "From a\nA: 1\n\n>From x\n>>From y\n> From z\n",
	  { "A: 1\n\nFrom x\n>From y\n> From z\n" } },
	{ "an empty line of its own stays",
	  "From a\nA: 1\n\nx\n\n\nFrom b\nB: 2\n\ny\n",
	  { "A: 1\n\nx\n\n", "B: 2\n\ny\n" } },
	{ "no line end at the end", "From a\nA: 1\n\nx", { "A: 1\n\nx" } },
	{ "nothing", "", { NULL } },
};

struct taken {
	const struct row *row;
	size_t count, unreadable;
	enum err answer;
};

static enum err take(void *user, const char *name, struct view message)
{
	struct taken *taken = user;
	const char *expected = taken->row == NULL ? NULL : taken->row->messages[taken->count];
	ck_assert(name != NULL);
	if (taken->row != NULL)
		ck_assert_msg(expected != NULL && view_eq(message, view_of(expected)), "%s: got \"" VIEW_FMT "\"",
			      taken->row->label, VIEW_ARG(message));
	taken->count++;
	return taken->answer;
}

static void unreadable(void *user, const char *why)
{
	struct taken *taken = user;
	ck_assert(strlen(why) > 0);
	taken->unreadable++;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");
	ck_assert(file != NULL);
	fputs(text, file);
	ck_assert(fclose(file) == 0);
}

static enum err read_path(const char *path, struct taken *taken)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	const struct message_taker taker = { take, taken, unreadable };
	enum err err = message_source_read(path, &taker, &why);
	ck_assert(err == ERR_OK || err == taken->answer || why.len > 0);
	return err;
}

START_TEST(files_are_parted)
	{
		char path[] = "/tmp/verpost-unit-XXXXXX";
		ck_assert(close(mkstemp(path)) == 0);
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct taken taken = { .row = &rows[i] };
			write_file(path, rows[i].file);
			ck_row(rows[i].label, read_path(path, &taken) == ERR_OK);
			ck_row(rows[i].label, rows[i].messages[taken.count] == NULL);
		}
		unlink(path);
	}
END_TEST

START_TEST(the_taker_may_stop)
	{
		char path[] = "/tmp/verpost-unit-XXXXXX";
		ck_assert(close(mkstemp(path)) == 0);
		write_file(path, rows[2].file);
		struct taken taken = { .row = &rows[2], .answer = ERR_UNAVAILABLE };
		ck_assert(read_path(path, &taken) == ERR_UNAVAILABLE);
		ck_assert_uint_eq(taken.count, 1);
		unlink(path);
	}
END_TEST

START_TEST(a_maildir_has_new_and_cur)
	{
		char base[] = "/tmp/verpost-unit-XXXXXX", path[128];
		ck_assert(mkdtemp(base) != NULL);
		struct taken none = { .row = NULL };
		ck_assert(read_path(base, &none) == ERR_NOT_FOUND);
		const char *const parts[] = { "new", "cur", "new/sub" };
		for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
			snprintf(path, sizeof(path), "%s/%s", base, parts[i]);
			ck_assert(mkdir(path, 0700) == 0);
		}
		const char *const files[] = { "new/1", "cur/2:2,S", "cur/.hidden" };
		for (size_t i = 0; i < ARRAY_LEN(files); i++) {
			snprintf(path, sizeof(path), "%s/%s", base, files[i]);
			write_file(path, "A: 1\n\nx\n");
		}
		struct taken taken = { .row = NULL };
		ck_assert(read_path(base, &taken) == ERR_OK);
		ck_assert_uint_eq(taken.count, 2);
		ck_assert_uint_eq(taken.unreadable, 1); /* the directory within */
		ck_assert(read_path("/nowhere/at/all", &taken) == ERR_NOT_FOUND);
		snprintf(path, sizeof(path), "rm -rf %s", base);
		ck_assert(system(path) == 0);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { files_are_parted, the_taker_may_stop, a_maildir_has_new_and_cur };
	return suite_of("message_source", tests, ARRAY_LEN(tests));
}
