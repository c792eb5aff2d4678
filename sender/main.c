/* sender: sends the campaigns that are due through the relay, and keeps the ledger. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "sender/entry.h"
#include "sender/parent.h"

static const char help[] = "Usage: sender [OPTION]...\n"
			   "Send the campaigns of verpost through the relay and keep the ledger of every recipient.\n"
			   "\n"
			   "  -c, --config FILE    settings (default " SETTINGS_DEFAULT_PATH ")\n"
			   "      --check-config   check settings and keys, print what is in force, and exit\n"
			   "      --settings       describe every setting, and exit\n"
			   "      --unsafe         work with a PostgreSQL that has fsync=off\n"
			   "      --help           show this text, and exit\n"
			   "      --version        show the version, and exit\n"
			   "\n"
			   "SIGTERM begins no further message, waits for those that are being sent, and exits.\n";

enum option_code {
	OPTION_CONFIG = 'c',
	OPTION_CHECK = 256,
	OPTION_SETTINGS,
	OPTION_UNSAFE,
	OPTION_HELP,
	OPTION_VERSION
};

static const struct option options[] = {
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "check-config", no_argument, NULL, OPTION_CHECK },
	{ "settings", no_argument, NULL, OPTION_SETTINGS },
	{ "unsafe", no_argument, NULL, OPTION_UNSAFE },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 },
};

static int run(const char *path, bool unsafe, bool check_only)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct setup setup;
	if (setup_load(path, unsafe, &setup, &why) != ERR_OK) {
		fprintf(stderr, "sender: %s\n", buf_text(&why));
		return EXIT_FAILURE;
	}
	int status = EXIT_SUCCESS;
	log_open_as_set("sender", &setup.settings);
	if (check_only) {
		settings_print(&setup.settings, stdout);
	} else if (entry_check_database(&setup, &why) != ERR_OK) {
		fprintf(stderr, "sender: %s\n", buf_text(&why));
		status = EXIT_FAILURE;
	} else {
		status = parent_run(&setup);
	}
	setup_done(&setup);
	return status;
}

int main(int argc, char **argv)
{
	enum { USAGE = 2 };
	const char *path = SETTINGS_DEFAULT_PATH;
	bool unsafe = false, check_only = false;
	for (int code; (code = getopt_long(argc, argv, "c:", options, NULL)) != -1;) {
		switch (code) {
		case OPTION_CONFIG:
			path = optarg;
			break;
		case OPTION_CHECK:
			check_only = true;
			break;
		case OPTION_UNSAFE:
			unsafe = true;
			break;
		case OPTION_SETTINGS:
			settings_print_manual(stdout);
			return EXIT_SUCCESS;
		case OPTION_HELP:
			fputs(help, stdout);
			return EXIT_SUCCESS;
		case OPTION_VERSION:
			puts("sender (verpost) " VERPOST_VERSION);
			return EXIT_SUCCESS;
		default:
			return USAGE;
		}
	}
	if (optind == argc)
		return run(path, unsafe, check_only);
	fprintf(stderr, "sender: unexpected \"%s\"; see --help\n", argv[optind]);
	return USAGE;
}
