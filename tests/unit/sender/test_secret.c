#include "sender/secret.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/support/unit.h"

static char folder[64], path[128];

static void make_folder(void)
{
	snprintf(folder, sizeof(folder), "/tmp/verpost-secret.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/main", folder);
}

static void drop_folder(void)
{
	unlink(path);
	rmdir(folder);
}

static void write_file(const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

/* Asks until the command has ended. The clock of the module stands still but for `now_us`. */
static enum secret_state ask(struct secret *secret, int64_t now_us, struct view *ret_text, struct buf *why)
{
	const struct timespec moment = { .tv_nsec = 2000000 };
	enum secret_state state;
	while ((state = secret_ask(secret, now_us, ret_text, why)) == SECRET_PENDING)
		nanosleep(&moment, NULL);
	return state;
}

START_TEST(what_files_say)
	{
		static const struct {
			const char *label, *text;
			mode_t mode;
			const char *secret; /* NULL: refused */
			const char *says;
		} rows[] = {
			{ "a password", "s3 cret\n", 0600, "s3 cret", "" },
			{ "without an end of line", "s3cret", 0640, "s3cret", "" },
			{ "of another system", "s3cret\r\nmore\r\n", 0600, "s3cret", "" },
			{ "empty", "", 0600, NULL, "empty first line" },
			{ "an empty line", "\ns3cret\n", 0600, NULL, "empty first line" },
			{ "readable by all", "s3cret\n", 0644, NULL, "chmod" },
			{ "writable by the group", "s3cret\n", 0660, NULL, "chmod" },
			{ "a command", "#!/bin/sh\necho token-1\necho more\n", 0700, "token-1", "" },
			{ "a command that fails", "#!/bin/sh\necho token-1\nexit 3\n", 0700, NULL, "failed" },
			{ "a command that says nothing", "#!/bin/sh\n", 0700, NULL, "empty first line" },
			{ "no command at all", "nonsense\n", 0700, NULL, "failed" },
			{ "a command that never stops talking", "#!/bin/sh\nyes\n", 0700, NULL, "more than" },
		};
		make_folder();
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF why = buf_with_ceiling(1024);
			struct secret *secret;
			struct view text = { 0 };
			write_file(rows[i].text, rows[i].mode);
			ck_assert(secret_new(path, 1000, &secret) == ERR_OK);
			enum secret_state state = ask(secret, 0, &text, &why);
			ck_assert_msg((state == SECRET_READY) == (rows[i].secret != NULL), "%s: %s", rows[i].label,
				      buf_text(&why));
			if (rows[i].secret != NULL)
				ck_assert_msg(view_eq(text, view_of(rows[i].secret)), "%s", rows[i].label);
			ck_assert_msg(view_find(buf_view(&why), view_of(rows[i].says)) != VIEW_NONE, "%s: %s",
				      rows[i].label, buf_text(&why));
			secret_done(secret);
		}
		unlink(path);
		AUTO_BUF why = buf_with_ceiling(1024);
		struct secret *secret;
		struct view text;
		ck_assert(secret_new(path, 1000, &secret) == ERR_OK);
		ck_assert(ask(secret, 0, &text, &why) == SECRET_FAILED);
		ck_assert(view_find(buf_view(&why), VIEW_LIT("is missing")) != VIEW_NONE);
		secret_done(secret);
		drop_folder();
	}
END_TEST

START_TEST(it_is_used_for_its_life_and_until_it_is_refused)
	{
		AUTO_BUF why = buf_with_ceiling(1024);
		struct secret *secret;
		struct view text;
		make_folder();
		write_file("first\n", 0600);
		ck_assert(secret_new(path, 1000, &secret) == ERR_OK);
		ck_assert(ask(secret, 10, &text, &why) == SECRET_READY);
		write_file("second\n", 0600);
		ck_assert(ask(secret, 1009, &text, &why) == SECRET_READY);
		ck_assert(view_eq(text, VIEW_LIT("first")));
		ck_assert(ask(secret, 1010, &text, &why) == SECRET_READY);
		ck_assert(view_eq(text, VIEW_LIT("second")));
		write_file("third\n", 0600);
		secret_forget(secret);
		ck_assert(ask(secret, 1011, &text, &why) == SECRET_READY);
		ck_assert(view_eq(text, VIEW_LIT("third")));
		secret_done(secret);
		drop_folder();
	}
END_TEST

/* Whether somebody has the fifo open for writing, asked until it is so. */
static void wait_for_writer(int fifo, bool wanted)
{
	const struct timespec moment = { .tv_nsec = 2000000 };
	char byte;
	size_t looks = 0;
	while ((read(fifo, &byte, 1) < 0) != wanted) {
		ck_assert_uint_lt(looks++, 15000);
		nanosleep(&moment, NULL);
	}
}

START_TEST(what_a_command_started_ends_with_it)
	{
		char fifo_path[160], text[512];
		make_folder();
		snprintf(fifo_path, sizeof(fifo_path), "%s/fifo", folder);
		ck_assert_int_eq(mkfifo(fifo_path, 0600), 0);
		int fifo = open(fifo_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		ck_assert_int_ge(fifo, 0);
		snprintf(text, sizeof(text), "#!/bin/sh\nsleep 1000 >%s\necho late\n", fifo_path);
		write_file(text, 0700);
		struct secret *secret;
		ck_assert_int_eq(secret_new(path, CLOCK_US_PER_SECOND, &secret), ERR_OK);
		AUTO_BUF why = buf_with_ceiling(1024);
		struct view said;
		ck_assert_int_eq(secret_ask(secret, 1, &said, &why), SECRET_PENDING);
		wait_for_writer(fifo, true);
		secret_done(secret);
		wait_for_writer(fifo, false);
		close(fifo);
		unlink(fifo_path);
		drop_folder();
	}
END_TEST

START_TEST(a_command_that_hangs_is_ended)
	{
		AUTO_BUF why = buf_with_ceiling(1024);
		struct secret *secret;
		struct view text;
		make_folder();
		write_file("#!/bin/sh\nexec sleep 1000\n", 0700);
		ck_assert(secret_new(path, 1000, &secret) == ERR_OK);
		ck_assert(secret_ask(secret, 0, &text, &why) == SECRET_PENDING);
		ck_assert(secret_ask(secret, 9 * CLOCK_US_PER_SECOND, &text, &why) == SECRET_PENDING);
		ck_assert(secret_ask(secret, 10 * CLOCK_US_PER_SECOND, &text, &why) == SECRET_FAILED);
		ck_assert(view_find(buf_view(&why), VIEW_LIT("10 seconds")) != VIEW_NONE);
		/* One that still runs goes with the secret. */
		ck_assert(secret_ask(secret, 0, &text, &why) == SECRET_PENDING);
		secret_done(secret);
		drop_folder();
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { what_files_say, it_is_used_for_its_life_and_until_it_is_refused,
				       a_command_that_hangs_is_ended, what_a_command_started_ends_with_it };
	Suite *suite = suite_of("secret", tests, ARRAY_LEN(tests));
	return suite;
}
