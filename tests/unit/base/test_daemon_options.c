#include "base/daemon_options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"

struct row {
	const char *label;
	const char *words[5]; /* after the program's name; ends at NULL */
	bool runs;
	int status; /* when it does not */
	struct daemon_options options;
};

#define DEFAULT_PATH "/etc/verpost/verpost.conf"

static const struct row rows[] = {
	{ .label = "nothing", .runs = true, .options = { .settings_path = DEFAULT_PATH } },
	{ .label = "short", .words = { "-c", "a.conf" }, .runs = true, .options = { .settings_path = "a.conf" } },
	{ .label = "all",
	  .words = { "--config=a.conf", "--check-config", "--unsafe" },
	  .runs = true,
	  .options = { .settings_path = "a.conf", .check_only = true, .unsafe = true } },
	{ .label = "help", .words = { "--help" }, .status = EXIT_SUCCESS },
	{ .label = "version", .words = { "--version" }, .status = EXIT_SUCCESS },
	{ .label = "settings", .words = { "--settings" }, .status = EXIT_SUCCESS },
	{ .label = "unknown", .words = { "--unknown" }, .status = 2 },
	{ .label = "no value", .words = { "--config" }, .status = 2 },
	{ .label = "an operand", .words = { "--unsafe", "a.conf" }, .status = 2 },
};

START_TEST(options_alike_for_all_daemons)
	{
		const struct daemon_about about = { "tester", "Test.\n", "SIGTERM ends it.\n" };
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			const struct row *row = &rows[i];
			char *words[ARRAY_LEN(row->words) + 2] = { strdup("tester") };
			int count = 1;
			for (; row->words[count - 1] != NULL; count++)
				words[count] = strdup(row->words[count - 1]);
			struct daemon_options options = { .settings_path = "untouched" };
			int status = -1;
			optind = 0; /* glibc: begin anew */
			ck_row(row->label, daemon_options_read(count, words, &about, &options, &status) == row->runs);
			ck_row(row->label, row->runs || status == row->status);
			const char *path = row->runs ? row->options.settings_path : "untouched";
			ck_row(row->label, strcmp(options.settings_path, path) == 0);
			ck_row(row->label, options.check_only == row->options.check_only);
			ck_row(row->label, options.unsafe == row->options.unsafe);
			for (int j = 0; j < count; j++)
				free(words[j]);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { options_alike_for_all_daemons };
	return suite_of("daemon_options", tests, ARRAY_LEN(tests));
}
